// SPDX-License-Identifier: Apache-2.0
//
// Whatever happens in between, the same readings give the same windows.
#include <gtest/gtest.h>

#include <random>

#include "unit/window/simulated_gateway.hpp"

namespace gerbang::test {
namespace {

constexpr std::int64_t kMinute = 60'000, kQuarter = 900'000;
constexpr std::int64_t kStart = 1'735'732'800'000;

WindowOptions options() {
  WindowOptions o;
  o.lengths_ms = {kMinute, kQuarter, kHourMs, kDayMs};
  o.calendar = Calendar({{0, 8 * 3600}});
  return o;
}

SeriesPlan sensor(std::int32_t series, QuantityKind kind, std::int64_t interval_ms) {
  SeriesPlan p;
  p.series = series;
  p.kind = kind;
  p.interval_ms = interval_ms;
  p.factor = 0.01;
  p.wrap = 65536;
  return p;
}

std::vector<SeriesPlan> plant() {
  auto tolerant = sensor(10, QuantityKind::gauge, 5 * kMinute);
  tolerant.count_suspect = true;
  auto tolerant_too = sensor(11, QuantityKind::gauge, 10'000);
  tolerant_too.count_suspect = true;
  return {sensor(3, QuantityKind::gauge, 10'000),
          sensor(4, QuantityKind::totaliser, 10'000),
          sensor(5, QuantityKind::direction, 10'000),
          sensor(6, QuantityKind::gauge, 5 * kMinute),
          sensor(7, QuantityKind::totaliser, 5 * kMinute),
          sensor(8, QuantityKind::event, 0),
          sensor(9, QuantityKind::gauge, 2 * kHourMs),
          tolerant,
          tolerant_too};
}

struct Arrival {
  std::int64_t at_ms;
  Sample sample;
};

// Readings of `hours` in order of arrival. lateness: how long a reading may travel.
std::vector<Arrival> signal(unsigned seed, int hours, std::int64_t lateness_ms, double late_share) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<Arrival> out;
  std::map<std::int32_t, std::int64_t> totals;
  for (const SeriesPlan& p : plant()) {
    std::int64_t step = p.interval_ms > 0 ? p.interval_ms : 7 * kMinute;
    for (std::int64_t t = kStart + p.series * 100; t < kStart + hours * kHourMs; t += step) {
      Sample s;
      s.index = static_cast<std::uint32_t>(p.series);
      s.time_ms = t;
      s.flag = Flag::good;
      double fate = unit(random);
      if (fate < 0.02) {
        s.flag = Flag::bad;
        s.reason = Reason::range;
      } else if (fate < 0.04) {
        s.flag = Flag::missing;
        s.reason = Reason::timeout;
      } else if (fate < 0.05) {
        s.flag = Flag::suspect;
      }
      auto& total = totals[p.series];
      total = (total + static_cast<std::int64_t>(unit(random) * 900)) % 65536;
      if (p.kind == QuantityKind::totaliser) {
        s.raw = Raw::of(total);
        s.value = static_cast<double>(total) * p.factor;
      } else {
        s.value = unit(random) * 360;
        s.raw = Raw::of(s.value);
      }
      std::int64_t travel =
          unit(random) < late_share
              ? static_cast<std::int64_t>(unit(random) * static_cast<double>(lateness_ms))
              : 200;
      out.push_back(Arrival{t + travel, s});
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at_ms < b.at_ms; });
  return out;
}

// Runs the arrivals through a gateway in commits of one second, calling `between` after each.
template <class Between>
void run(std::unique_ptr<SimulatedGateway>& gateway, const std::vector<Arrival>& arrivals,
         Between between) {
  std::size_t next = 0;
  std::int64_t end = arrivals.back().at_ms + 2 * kDayMs;
  for (std::int64_t now = kStart; next < arrivals.size(); now += 1000) {
    std::vector<Sample> batch;
    for (; next < arrivals.size() && arrivals[next].at_ms <= now; ++next)
      batch.push_back(arrivals[next].sample);
    if (!batch.empty()) gateway->store(batch, now);
    gateway->close(now);
    if (now % kMinute == 0) gateway->revise();
    EXPECT_EQ(gateway->difference(), 0) << "ledger";
    between(now);
  }
  gateway->close(end);
  gateway->revise();
  gateway->close(end);
}

void expect_same(const SimulatedDisk& a, const SimulatedDisk& b) {
  ASSERT_EQ(a.rows.size(), b.rows.size());
  for (const auto& [key, row] : a.rows) {
    auto other = b.rows.find(key);
    ASSERT_NE(other, b.rows.end());
    auto [window, start, series] = key;
    EXPECT_FALSE(differ(row, other->second))
        << "window " << window << " start " << (start - kStart) / 1000 << " s, series " << series;
    EXPECT_EQ(row.revision, other->second.revision);
  }
}

TEST(Restart, InTheMiddleOfAnyWindowGivesTheSameRows) {
  auto arrivals = signal(1, 3, 0, 0);
  SimulatedDisk whole;
  auto gateway = std::make_unique<SimulatedGateway>(whole, options(), plant(), kStart);
  run(gateway, arrivals, [](std::int64_t) {});
  EXPECT_GT(whole.rows.size(), 700u);

  for (unsigned seed = 0; seed < 2; ++seed) {
    std::mt19937 random(seed);
    SimulatedDisk cut;
    int restarts = 0;
    auto other = std::make_unique<SimulatedGateway>(cut, options(), plant(), kStart);
    run(other, arrivals, [&](std::int64_t now) {
      if (random() % 97 != 0) return;
      ++restarts;
      other = std::make_unique<SimulatedGateway>(cut, options(), plant(), now);
    });
    EXPECT_GT(restarts, 50);
    expect_same(whole, cut);
    EXPECT_EQ(sum(cut.folded), cut.stored);
    EXPECT_EQ(cut.refused(), 0u);
  }
}

TEST(Restart, WithLateReadingsAndRevisionsGivesTheSameRows) {
  auto arrivals = signal(2, 3, 40 * kMinute, 0.05);
  SimulatedDisk whole;
  auto gateway = std::make_unique<SimulatedGateway>(whole, options(), plant(), kStart);
  run(gateway, arrivals, [](std::int64_t) {});

  std::mt19937 random(9);
  SimulatedDisk cut;
  auto other = std::make_unique<SimulatedGateway>(cut, options(), plant(), kStart);
  run(other, arrivals, [&](std::int64_t now) {
    if (random() % 61 != 0) return;
    other = std::make_unique<SimulatedGateway>(cut, options(), plant(), now);
  });
  expect_same(whole, cut);
  EXPECT_EQ(sum(cut.folded), cut.stored);
}

TEST(Revision, ConvergesToTheRowsOfReadingsOnTime) {
  auto on_time = signal(3, 3, 0, 0);
  SimulatedDisk right;
  auto gateway = std::make_unique<SimulatedGateway>(right, options(), plant(), kStart);
  run(gateway, on_time, [](std::int64_t) {});

  for (unsigned seed = 10; seed < 12; ++seed) {
    // The same readings, but a third of them travel for up to two hours.
    auto arrivals = on_time;
    std::mt19937 random(seed);
    for (Arrival& arrival : arrivals)
      if (random() % 3 == 0) arrival.at_ms += static_cast<std::int64_t>(random() % (2 * kHourMs));
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const Arrival& a, const Arrival& b) { return a.at_ms < b.at_ms; });
    SimulatedDisk late;
    auto other = std::make_unique<SimulatedGateway>(late, options(), plant(), kStart);
    run(other, arrivals, [&](std::int64_t now) {
      if (random() % 501 == 0)
        other = std::make_unique<SimulatedGateway>(late, options(), plant(), now);
    });
    EXPECT_EQ(sum(late.folded), late.stored);
    std::size_t revised = 0;
    for (const auto& [key, row] : right.rows) {
      auto found = late.rows.find(key);
      ASSERT_NE(found, late.rows.end());
      EXPECT_FALSE(differ(row, found->second))
          << std::get<0>(key) << " " << (std::get<1>(key) - kStart) / 1000 << " series "
          << std::get<2>(key);
      if (found->second.revision > 0) ++revised;
    }
    EXPECT_GT(revised, 100u);
  }
}

TEST(Restart, MakesNoRowsOfTheTimeItWasOff) {
  SimulatedDisk disk;
  auto arrivals = signal(4, 1, 0, 0);
  SimulatedGateway before(disk, options(), plant(), kStart);
  for (const Arrival& a : arrivals) {
    before.store({a.sample}, a.at_ms);
    before.close(a.at_ms);
  }
  std::int64_t off = arrivals.back().at_ms, on = off + 5 * kHourMs;
  SimulatedGateway after(disk, options(), plant(), on);
  after.close(on + 11 * kMinute);
  for (const auto& [key, row] : disk.rows) {
    auto [window, start, series] = key;
    if (window <= kQuarter && start > off) {
      EXPECT_GE(start + window, on) << series;
    }
  }
  int silent_hours = 0;
  for (const auto& [key, row] : disk.rows)
    if (std::get<0>(key) == kHourMs && std::get<2>(key) == 3 && row.received == 0) ++silent_hours;
  EXPECT_EQ(silent_hours, 5) << "13:00 to 16:00, and the one it came back in";
}

TEST(Restart, WithASensorLessClosesItsWindowsAsTheyAre) {
  SimulatedDisk disk;
  auto arrivals = signal(5, 1, 0, 0);
  SimulatedGateway before(disk, options(), plant(), kStart);
  for (const Arrival& a : arrivals) {
    before.store({a.sample}, a.at_ms);
    before.close(a.at_ms);
  }
  std::int64_t now = arrivals.back().at_ms;
  auto less = plant();
  for (SeriesPlan& p : less)
    if (p.series == 4 || p.series == 7) p.left_ms = now;
  SimulatedGateway after(disk, options(), less, now);
  after.close(now + 2 * kDayMs);
  EXPECT_EQ(after.difference(), 0);
  EXPECT_EQ(disk.refused(), 0u);
  EXPECT_EQ(sum(disk.folded), disk.stored);
}

TEST(Restart, WithoutASensorThatIsForgottenCountsItsReadingsAsRemoved) {
  SimulatedDisk disk;
  SimulatedGateway before(disk, options(), {sensor(3, QuantityKind::gauge, 1000)}, kStart);
  Sample s;
  s.index = 3;
  s.flag = Flag::good;
  for (int i = 0; i < 100; ++i) {
    s.time_ms = kStart + i * 1000;
    before.store({s}, s.time_ms);
    before.close(s.time_ms);
  }
  SimulatedGateway after(disk, options(), {sensor(4, QuantityKind::gauge, 1000)}, kStart + 100'000);
  EXPECT_EQ(after.difference(), 0);
  after.close(kStart + kHourMs);
  EXPECT_EQ(sum(disk.folded), 60u);
  EXPECT_EQ(sum(disk.not_folded["removed"]), 40u);
}

TEST(Restart, WithOtherWindowsGoesOnFromWhatIsClosed) {
  SimulatedDisk disk;
  auto arrivals = signal(6, 3, 0, 0);
  auto gateway = std::make_unique<SimulatedGateway>(disk, options(), plant(), kStart);
  std::size_t n = 0;
  for (const Arrival& a : arrivals) {
    gateway->store({a.sample}, a.at_ms);
    gateway->close(a.at_ms);
    if (++n == arrivals.size() / 2) {
      WindowOptions other = options();
      other.lengths_ms = {5 * kMinute, kHourMs, kDayMs};
      gateway = std::make_unique<SimulatedGateway>(disk, other, plant(), a.at_ms);
    }
    ASSERT_EQ(gateway->difference(), 0);
  }
  gateway->close(arrivals.back().at_ms + 2 * kDayMs);
  gateway->revise();
  EXPECT_EQ(gateway->difference(), 0);
}

TEST(Reload, AtAnyTimeBalances) {
  auto arrivals = signal(7, 2, 10 * kMinute, 0.02);
  SimulatedDisk disk;
  auto gateway = std::make_unique<SimulatedGateway>(disk, options(), plant(), kStart);
  std::mt19937 random(1);
  auto now_plan = plant();
  std::size_t next = 0;
  for (std::int64_t now = kStart; next < arrivals.size(); now += 1000) {
    std::vector<Sample> batch;
    for (; next < arrivals.size() && arrivals[next].at_ms <= now; ++next) {
      auto series = static_cast<std::int32_t>(arrivals[next].sample.index);
      bool known = std::any_of(now_plan.begin(), now_plan.end(), [&](const SeriesPlan& p) {
        return p.series == series && p.left_ms == 0;
      });
      if (known) batch.push_back(arrivals[next].sample);
    }
    if (!batch.empty()) gateway->store(batch, now);
    gateway->close(now);
    if (now % kMinute == 0) gateway->revise();
    if (random() % 200 == 0) {
      // Some leave, some come back, some get another interval.
      auto before = now_plan;
      now_plan = plant();
      std::shuffle(now_plan.begin(), now_plan.end(), random);
      for (SeriesPlan& p : now_plan) {
        auto was = std::find_if(before.begin(), before.end(),
                                [&](const SeriesPlan& other) { return other.series == p.series; });
        if (random() % 3 == 0) p.left_ms = was->left_ms != 0 ? was->left_ms : now;
        if (random() % 3 == 0 && p.interval_ms > 0)
          p.interval_ms = std::vector<std::int64_t>{1000, 5 * kMinute, 2 * kHourMs}[random() % 3];
      }
      gateway->reconfigure(now_plan);
      if (random() % 2 == 0)
        gateway = std::make_unique<SimulatedGateway>(disk, options(), now_plan, now);
    }
    ASSERT_EQ(gateway->difference(), 0) << (now - kStart) / 1000;
  }
  gateway->close(arrivals.back().at_ms + 2 * kDayMs);
  gateway->revise();
  EXPECT_EQ(gateway->difference(), 0);
  EXPECT_EQ(sum(gateway->engine.waiting()), 0u);
}

TEST(SavedState, IsRefusedWholeWhenItIsNotOurs) {
  WindowEngine engine(options(), plant(), kStart);
  Sample s;
  s.time_ms = kStart;
  s.flag = Flag::good;
  s.batch = 1;
  s.raw = Raw::of(std::int64_t{7});
  s.index = 1;
  engine.add(s);
  s.index = 4;
  engine.add(s);
  engine.folded(1);
  engine.advance(kStart + 2 * kMinute);
  while (engine.close(kStart + 2 * kMinute, ClockTrust::trusted)) {
  }
  s.time_ms = kStart - kHourMs;
  engine.add(s);
  std::string state = engine.save();
  auto slow = engine.save_slow();
  ASSERT_FALSE(slow.empty());
  {
    WindowEngine other(options(), plant(), kStart);
    EXPECT_TRUE(other.load(state));
    other.advance(kStart + 2 * kMinute);
    EXPECT_EQ(other.save(), state);
    EXPECT_TRUE(other.load_slow(4, slow[0].second));
  }
  for (std::size_t cut = 0; cut < state.size(); ++cut) {
    if (state[cut] == ' ' || (cut > 0 && state[cut - 1] == ' ') || cut == 0) {
      WindowEngine other(options(), plant(), kStart);
      EXPECT_FALSE(other.load(state.substr(0, cut))) << cut;
    }
  }
  for (const char* text : {"", "2 0", "x", "1 1 1 99999999999 ", "1 1 1 1 60000 0 -1"}) {
    WindowEngine other(options(), plant(), kStart);
    EXPECT_FALSE(other.load(text)) << text;
    EXPECT_EQ(other.load_slow(4, text), *text == '\0') << text;
  }
}

}  // namespace
}  // namespace gerbang::test
