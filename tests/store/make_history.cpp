// SPDX-License-Identifier: Apache-2.0
//
//     make_history FILE NOW_MS
//
// Makes the store of a gateway that has run for five hours until NOW_MS: three sensors, hours at
// rest and hours that are not, late and missing and device-stamped readings, a calibration that
// changed. Prints how many readings it holds, and how many of them are at rest.
#include <cstdio>
#include <cstdlib>

#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

SeriesSpec spec(const char* sensor, const char* quantity, const char* unit, double scale,
                QuantityKind kind = QuantityKind::gauge) {
  SeriesSpec out;
  out.sensor = sensor;
  out.quantity = quantity;
  out.unit = unit;
  out.kind = kind;
  out.calibration.scale = scale;
  return out;
}

int make(const char* path, std::int64_t now_ms) {
  boost::asio::io_context io{1};
  ManualClock clock(now_ms);
  Options options;
  options.path = path;
  options.commit_interval = std::chrono::milliseconds(0);
  options.board = Board{};
  options.clock = &clock;
  auto opened = Store::open(options, io.get_executor());
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().what.c_str());
    return 1;
  }
  Store& store = **opened;
  auto declare = [&](double scale) {
    return store
        .declare({spec("raw-turbidity", "turbidity", "NTU", scale),
                  spec("raw-ph", "ph", "pH", 0.01),
                  spec("total", "volume", "m³", 0.1, QuantityKind::totaliser)})
        .has_value();
  };
  if (!declare(1)) return 1;
  constexpr int kMinutes = 5 * 60;
  Epoch epoch{"boot-of-before", (now_ms - std::int64_t{kMinutes} * 60'000) * 1'000'000,
              ClockTrust::trusted};
  BatchId last = 0;
  Fold fold;
  for (int minute = 0; minute < kMinutes; ++minute) {
    if (minute == 100 && !declare(1.5)) return 1;
    Batch b{epoch, {}};
    for (int s = 0; s < 60; s += 5) {
      std::int64_t boot = (minute * 60 + s) * kSecond + 1'234'567;
      double v = static_cast<double>((minute * 31 + s * 7) % 1000);
      b.readings.push_back(reading(1, boot, static_cast<double>(static_cast<float>(v / 7))));
      Reading ph = reading(2, boot, 0);
      ph.raw = Raw::of(std::int64_t{700} + (minute + s) % 9);
      if (minute % 50 == 49) {
        ph.flag = Flag::missing;
        ph.reason = Reason::timeout;
        ph.raw = Raw();
      }
      b.readings.push_back(ph);
    }
    Reading total = reading(3, minute * 60 * kSecond, 0);
    total.raw = Raw::of(std::int64_t{minute} * 17);
    total.unix_ns = epoch.offset_ns + total.boot_ns - (minute % 7 == 0 ? 90 * 60 * kSecond : 0);
    b.readings.push_back(total);
    auto id = run_coro(io, store.append(std::move(b)));
    if (!id) return 1;
    last = *id;
    for (std::int32_t n = 1; n <= 3; ++n)
      fold.aggregates.push_back(aggregate(n, 60'000, epoch.offset_ns / 1'000'000 + minute * 60'000,
                                          (minute * 13 + n) / 7.0));
  }
  for (Aggregate& a : fold.aggregates) {
    a.start_ms -= a.start_ms % 60'000;
    a.end_ms = a.start_ms + 60'000;
  }
  fold.replay_from = last + 1;
  if (!run_coro(io, store.commit(std::move(fold)))) return 1;
  // Upkeep runs after a commit, once a minute; a round expires or brings to rest all that it can.
  auto busy = boost::asio::make_work_guard(io);
  for (int round = 0; round < 3; ++round) {
    clock.advance(std::chrono::seconds(61));
    if (!run_coro(io, store.commit(Fold{}))) return 1;
    do {
      io.restart();
      io.run_for(std::chrono::milliseconds(10));
    } while (store.status().upkeep);
  }
  busy.reset();
  Status status = store.status();
  auto stopped = run_coro(io, store.stop());
  if (!stopped) return 1;
  std::printf("%llu %llu\n", static_cast<unsigned long long>(status.stored),
              static_cast<unsigned long long>(status.compacted));
  return 0;
}

}  // namespace
}  // namespace gerbang::store::test

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  return gerbang::store::test::make(argv[1], std::atoll(argv[2]));
}
