// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <gerbang/driver.hpp>
#include <gerbang/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signals.hpp"

namespace gerbang::simulator {
namespace {

using namespace gerbang::driver;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

enum class Misbehave { none, silent, timeout, gone, slow, hang, crash, flood, nan };

constexpr const char* kFaults = "none|silent|timeout|gone|slow|hang|crash|flood|nan";
constexpr milliseconds kSlow{3000};
constexpr milliseconds kLongestSleep{250};  // so that the host can be stopped soon
constexpr std::size_t kFlood = 100'000;     // readings a poll

Misbehave fault_of(std::string_view wanted) {
  std::string_view names = kFaults;
  for (int i = 0; !names.empty(); ++i) {
    std::string_view name = names.substr(0, names.find('|'));
    if (name == wanted) return static_cast<Misbehave>(i);
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return Misbehave::none;
}

nanoseconds wall_clock() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return std::chrono::seconds(t.tv_sec) + nanoseconds(t.tv_nsec);
}

void sleep_for(nanoseconds pause) {
  timespec t{};
  t.tv_sec = static_cast<time_t>(pause / std::chrono::seconds(1));
  t.tv_nsec = static_cast<long>((pause % std::chrono::seconds(1)).count());
  nanosleep(&t, nullptr);  // a signal ends it, and the host sees why
}

class Simulator {
 public:
  static constexpr const char* kName = "simulator";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Makes up plausible water, landfill and air readings; reads nothing.";
  static constexpr gerbang_option_spec kOptions[] = {
      integer("seed", "Another seed gives other noise; the same seed the same values")
          .range(0, 1e9)
          .otherwise("1"),
      choice("clock", "wall|boot", "Values follow the time of day, or the time since boot")
          .otherwise("wall"),
      duration("utc_offset", "Local time ahead of UTC, for the shape of a day")
          .range(0, 14 * 3600e3)
          .otherwise("8h"),
      choice("fault", kFaults, "How to misbehave").otherwise("none"),
      duration("fault_after", "How long after opening the fault begins").otherwise("0s"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      choice("signal", kSignalNames.data(), "What to make up").required().identity(),
      integer("channel", "Tells apart sensors of one signal")
          .range(0, 1e6)
          .otherwise("1")
          .identity(),
      number("base", "Average, in the signal's unit; see README.md for each signal"),
      number("amplitude", "How far the value moves from its base"),
      number("noise", "Standard deviation of the noise of each reading"),
      duration("period", "Length of a cycle").range(1, 400.0 * 86400e3),
  };
  static constexpr milliseconds kMaxBlock{kSlow};

  Simulator(Host host, Config config)
      : host_(host),
        offset_(config.options().text("clock") == "wall" ? wall_clock() - host.boottime()
                                                         : nanoseconds(0)),
        local_ms_(config.options().duration("utc_offset").count()),
        fault_(fault_of(config.options().text("fault"))),
        fault_at_(host.boottime() + config.options().duration("fault_after")) {
    auto seed = static_cast<std::uint64_t>(config.options().integer("seed"));
    for (std::size_t i = 0; i < config.sensor_count(); ++i) add(config.sensor(i), seed);
  }

  gerbang_status poll(milliseconds budget) {
    nanoseconds pause = schedule_.wait(time(), std::min(budget, kLongestSleep));
    if (pause > nanoseconds(0)) sleep_for(pause);
    Misbehave fault = host_.boottime() >= fault_at_ ? fault_ : Misbehave::none;
    switch (fault) {
      case Misbehave::slow:
        sleep_for(kSlow);
        break;
      case Misbehave::hang:
        for (;;) pause_for_ever();
      case Misbehave::crash:
        raise(SIGSEGV);
        break;
      case Misbehave::gone:
        throw Failure(GERBANG_GONE, "the simulated line is gone");
      default:
        break;
    }
    serve(fault);
    return GERBANG_OK;
  }

 private:
  struct Source {
    std::uint32_t index;
    nanoseconds interval;
    const Signal* signal;
    Parameters parameters;
    std::uint64_t key;
    bool fresh = true;  // nothing said yet
  };

  static void pause_for_ever() { ::pause(); }

  // Time of the signals: since 1970 or since boot. The offset is taken once, so that a step of the
  // wall clock neither repeats values nor leaves any out.
  nanoseconds time() const { return host_.boottime() + offset_; }

  void add(const Sensor& sensor, std::uint64_t seed) {
    const std::string name = sensor.address.text("signal");
    const Signal* signal = find_signal(name);
    if (signal == nullptr)
      throw Failure(GERBANG_CONFIG, std::string(sensor.id) + ": there is no signal " + name);
    Parameters p = signal->parameters;
    if (sensor.address.has("base")) p.base = sensor.address.number("base");
    if (sensor.address.has("amplitude")) p.amplitude = sensor.address.number("amplitude");
    if (sensor.address.has("noise")) p.noise = sensor.address.number("noise");
    if (sensor.address.has("period"))
      p.period = std::chrono::duration<double>(sensor.address.duration("period")).count();
    bool cycle = signal->shape == Shape::tank || signal->shape == Shape::pump;
    if (cycle && !(p.base > 0 && p.base < 1))
      throw Failure(GERBANG_CONFIG, std::string(sensor.id) +
                                        ": base is the share of the cycle in which the tank "
                                        "fills; it must be between 0 and 1");
    if (signal->shape == Shape::total && std::abs(p.amplitude) > p.base)
      throw Failure(GERBANG_CONFIG,
                    std::string(sensor.id) + ": amplitude above base would make a total run back");
    sources_.push_back({sensor.index, sensor.interval, signal, p,
                        key_of(seed, *signal, sensor.address.integer("channel"))});
    schedule_.add(sensor.interval, time());
  }

  void serve(Misbehave fault) {
    const nanoseconds now = time();
    readings_.clear();
    for (std::size_t i : schedule_.take(now)) {
      Source& source = sources_[i];
      // The first reading is of now, the others stand on whole multiples of the interval.
      bool fresh = std::exchange(source.fresh, false);
      nanoseconds at = fresh ? now : now / source.interval * source.interval;
      readings_.push_back(reading(source, at, fault));
    }
    if (fault == Misbehave::silent) readings_.clear();
    if (fault == Misbehave::flood && !sources_.empty())
      readings_.resize(kFlood, reading(sources_[0], now, fault));
    if (!readings_.empty()) host_.emit(readings_);
  }

  gerbang_reading reading(const Source& source, nanoseconds at, Misbehave fault) const {
    gerbang_reading r{};
    r.size = sizeof r;
    r.sensor = source.index;
    r.quality = GERBANG_NOT_EVALUATED;
    r.boottime_ns = (at - offset_).count();
    if (fault == Misbehave::timeout) {
      r.quality = GERBANG_MISSING;
      r.reason = GERBANG_REASON_TIMEOUT;
      return r;
    }
    auto time_ms = std::chrono::floor<milliseconds>(at).count();
    Value value = value_at(*source.signal, source.parameters, source.key, time_ms, local_ms_);
    if (value.is_integer) r.flags = GERBANG_HAS_INTEGER;
    r.integer = value.integer;
    r.number = value.number;
    if (fault == Misbehave::nan) {
      r.flags = 0;
      r.number = std::numeric_limits<double>::quiet_NaN();
    }
    return r;
  }

  Host host_;
  nanoseconds offset_;
  std::int64_t local_ms_;
  Misbehave fault_;
  nanoseconds fault_at_;
  std::vector<Source> sources_;
  Schedule schedule_;
  std::vector<gerbang_reading> readings_;
};

}  // namespace
}  // namespace gerbang::simulator

GERBANG_DRIVER(gerbang::simulator::Simulator)
