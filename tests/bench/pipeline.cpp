// SPDX-License-Identifier: Apache-2.0
//
// What a reading costs between the driver and the store: calibration, quality tests, windows,
// indicators and alarms for 1,000 sensors at 1 Hz on one core, beside a loop over the same readings
// that only calibrates and sums. Without disk, messages and processes.
//
//     pipeline_bench [seconds of readings] [sensors] [data folder]
//
// Every sensor has a range, an expected range, a rate, a spike and a flat line rule and an alarm on
// its readings, every tenth one an alarm on its 1m windows; one hundred stations of ten sensors
// have an ISPU of three. Aim: 1,000,000 readings a second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alarm/engine.hpp"
#include "config/quantities.hpp"
#include "config/standards.hpp"
#include "core/window.hpp"
#include "indicator/compute.hpp"
#include "quality/tests.hpp"

namespace gerbang {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::int64_t kStartMs = 1'767'225'600'000;
constexpr std::size_t kNoise = 4096;  // raw counts in memory, so that making them costs nothing
constexpr Calibration kCalibration{0.01, 0, 1, 0};

double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

std::vector<std::int64_t> make_counts() {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(4000, 60);
  std::vector<std::int64_t> out(kNoise);
  for (auto& count : out) count = static_cast<std::int64_t>(noise(random));
  return out;
}

quality::Rules rules() {
  quality::Rules out;
  out.range = quality::Range{0, 1000};
  out.expected = quality::Range{0, 600};
  out.rate = 50;
  out.spike = quality::SpikeRule{30, 60};
  out.flat = quality::FlatRule{0, 20, 60};
  out.interval_ms = 1000;
  return out;
}

std::vector<alarm::Rule> alarms(std::size_t sensors) {
  std::vector<alarm::Rule> out;
  for (std::size_t i = 0; i < sensors; ++i) {
    alarm::Rule rule;
    rule.id = "high-" + std::to_string(i);
    rule.series = static_cast<std::int32_t>(i + 1);
    rule.above = 500;
    rule.hysteresis = 5;
    out.push_back(rule);
    if (i % 10 != 0) continue;
    rule.id = "mean-high-" + std::to_string(i);
    rule.watch = alarm::Watch::window;
    rule.window_ms = 60'000;
    out.push_back(rule);
  }
  return out;
}

std::vector<indicator::Plan> indicators(std::size_t sensors,
                                        const std::shared_ptr<const indicator::Standard>& ispu) {
  std::vector<indicator::Plan> out;
  const char* quantities[] = {"pm10", "pm2_5", "o3"};
  for (std::size_t station = 0; station * 10 + 3 <= sensors; ++station) {
    indicator::Plan plan;
    plan.id = "ispu-" + std::to_string(station);
    plan.standard = ispu;
    plan.averaging = ispu->averaging;
    for (std::size_t i = 0; i < 3; ++i) {
      indicator::Input input;
      input.quantity = quantities[i];
      input.unit = "µg/m³";
      input.series = static_cast<std::int32_t>(station * 10 + i + 1);
      input.interval_ms = 1000;
      plan.inputs.push_back(input);
    }
    out.push_back(std::move(plan));
  }
  return out;
}

struct Chain {
  Chain(std::size_t sensors, std::vector<indicator::Plan> plans)
      : tests(sensors),
        engine({{60'000, 900'000, kHourMs, kDayMs}, 10'000, calendar}, series(sensors), kStartMs),
        indicators(std::move(plans)) {
    watch.configure(alarms(sensors), {}, {0, kStartMs, ClockTrust::trusted});
  }

  static std::vector<SeriesPlan> series(std::size_t sensors) {
    std::vector<SeriesPlan> out(sensors);
    for (std::size_t i = 0; i < sensors; ++i) {
      out[i].series = static_cast<std::int32_t>(i + 1);
      out[i].interval_ms = 1000;
    }
    return out;
  }

  void take(std::size_t sensor, std::int64_t count, std::int64_t time_ms) {
    Sample sample;
    sample.index = static_cast<std::uint32_t>(sensor);
    sample.time_ms = time_ms;
    sample.raw = Raw::of(count);
    sample.value = kCalibration.apply(sample.raw.value());
    quality::Point point;
    point.time_ns = point.boot_ns = time_ms * 1'000'000;
    point.value = sample.value;
    auto outcome = tests[sensor].take(point, rule);
    sample.flag = outcome.mark.flag;
    sample.reason = outcome.mark.reason;
    flagged += outcome.mark.flag != Flag::good;
    if (outcome.before) engine.reflag(sample.index, outcome.before->reading.time_ns / 1'000'000);
    engine.add(sample);
    watch.on_reading(sample, static_cast<std::int32_t>(sensor + 1), time_ms);
  }

  void close(std::int64_t now_ms) {
    engine.advance(now_ms);
    while (auto closed = engine.close(now_ms, ClockTrust::trusted)) {
      for (const Aggregate& row : closed->rows) watch.on_window(row, QuantityKind::gauge);
      rows += closed->rows.size();
      if (closed->span.length_ms() == kHourMs) evaluate(*closed);
    }
    (void)engine.take_folded();
    (void)engine.take_refused();
    watch.pass({now_ms, now_ms, ClockTrust::trusted});
    said += watch.take_said().size();
  }

  void evaluate(const ClosedWindow& hour) {
    for (const auto& plan : indicators) {
      auto window =
          indicator::window_ending(plan.averaging, engine.options().calendar, hour.span.end_ms);
      std::vector<Aggregate> inputs;
      for (const auto& input : plan.inputs)
        inputs.push_back(hour.rows[static_cast<std::size_t>(input.series - 1)]);
      auto outcome = indicator::compute(plan, window, "", inputs);
      indices += outcome.value.has_value();
    }
  }

  Calendar calendar;
  quality::Rules rule = rules();
  std::vector<quality::Tests> tests;
  WindowEngine engine;
  alarm::Engine watch;
  std::vector<indicator::Plan> indicators;
  std::uint64_t flagged = 0, rows = 0, said = 0, indices = 0;
};

int run(int argc, char** argv) {
  const auto at = [&](int i, const char* otherwise) { return argc > i ? argv[i] : otherwise; };
  const int seconds = std::atoi(at(1, "3700"));
  const int wanted = std::atoi(at(2, "1000"));
  if (seconds < 60 || wanted < 10) {
    std::fprintf(stderr, "pipeline_bench [seconds >= 60] [sensors >= 10] [data folder]\n");
    return 64;
  }
  const auto sensors = static_cast<std::size_t>(wanted);
  config::Diagnostics errors;
  const auto catalogue = config::read_catalogue(at(3, "config"), errors);
  std::shared_ptr<const indicator::Standard> ispu;
  for (auto& standard : config::read_standards(at(3, "config"), catalogue, errors))
    if (standard.id == "ispu") ispu = std::make_shared<const indicator::Standard>(standard);
  if (!ispu) {
    std::fprintf(stderr, "no standard ispu in %s\n", at(3, "config"));
    return 66;
  }
  const auto counts = make_counts();
  const auto count_of = [&](std::size_t sensor, int second) {
    return counts[(sensor * 37 + static_cast<std::size_t>(second)) % kNoise];
  };
  const auto readings = static_cast<double>(sensors) * seconds;

  std::vector<double> sums(sensors);
  auto begin = Steady::now();
  for (int second = 0; second < seconds; ++second)
    for (std::size_t i = 0; i < sensors; ++i)
      sums[i] += kCalibration.apply(static_cast<double>(count_of(i, second)));
  const double summing = seconds_since(begin);

  Chain chain(sensors, indicators(sensors, ispu));
  begin = Steady::now();
  for (int second = 0; second < seconds; ++second) {
    const std::int64_t now = kStartMs + second * 1000;
    for (std::size_t i = 0; i < sensors; ++i) chain.take(i, count_of(i, second), now);
    chain.close(now + 500);
  }
  const double whole = seconds_since(begin);

  double sum = 0;
  for (double each : sums) sum += each;
  std::printf(
      "%zu sensors, %.0f readings (mean %.3f), %llu flagged, %llu rows, %llu indices, %llu alarms "
      "said\n",
      sensors, readings, sum / readings, static_cast<unsigned long long>(chain.flagged),
      static_cast<unsigned long long>(chain.rows), static_cast<unsigned long long>(chain.indices),
      static_cast<unsigned long long>(chain.said));
  std::printf("only summing       %12.0f readings/s\n", readings / summing);
  std::printf("the whole chain    %12.0f readings/s, %.1f times the time of summing\n",
              readings / whole, whole / summing);
  // Something came out of every stage.
  return chain.rows > 0 && (seconds < 3660 || chain.indices > 0) ? 0 : 1;
}

}  // namespace
}  // namespace gerbang

int main(int argc, char** argv) {
  return gerbang::run(argc, argv);
}
