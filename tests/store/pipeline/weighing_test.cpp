// SPDX-License-Identifier: Apache-2.0
//
// What is said of a day without events.
#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

constexpr std::int64_t kTurn = kHour / 3;

// A weighbridge at which no lorry stopped: what its display showed decides, whenever it comes.
TEST(Indicators, OfADayWithoutAWeighingFollowWhatWasHeardOfTheBridge) {
  auto standard = std::make_shared<indicator::Standard>();
  standard->id = "tonnes";
  standard->method = indicator::Method::amount;
  standard->statistic = indicator::Statistic::delta;
  standard->factor = 0.001;
  standard->witness = "shown";
  indicator::Plan tonnes;
  tonnes.id = "tonnes";
  tonnes.standard = standard;
  tonnes.averaging = *indicator::averaging_of("1d");
  for (const char* name : {"net", "shown"}) {
    indicator::Input input;
    input.quantity = input.sensor = name;
    tonnes.inputs.push_back(input);
  }
  auto net = sensor("net", "waste", QuantityKind::event), shown = sensor("shown", "waste");
  net.interval_ms = 0;
  shown.interval_ms = kTurn;
  Plant bridge({net, shown});
  bridge.options.windows_ms = {kHour, 24 * kHour};
  bridge.indicators = {tonnes};
  bridge.start();
  const auto at = [&](std::uint32_t index, std::int64_t ms, double value) {
    Reading r = bridge.reading(index, value);
    r.unix_ns = ms * 1'000'000;
    return r;
  };
  const auto newest = [&](std::int64_t end_ms) {
    std::optional<v1::Indicator> out;
    for (const Message& message : bridge.messages()) {
      v1::Indicator one;
      if (message.topic == "indicator/tonnes" && one.ParseFromString(message.body) &&
          one.window_end_ms() == end_ms)
        out = one;
    }
    return out;
  };
  // The local day began 8 hours before the start. Of it and of the next one nothing comes in time.
  const std::int64_t first = kStart + 16 * kHour, second = first + 24 * kHour;
  for (int hour = 0; hour < 42; ++hour) bridge.advance(1h);
  const auto silent = newest(second);
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->has_value()) << "nobody knows";
  EXPECT_EQ(silent->label_ind(), "Tidak ada data");

  // What the display showed comes late: first half of the day, then the rest.
  std::vector<Reading> half, rest;
  for (std::int64_t ms = first + 60'000; ms < second; ms += kTurn)
    (ms < first + 12 * kHour ? half : rest).push_back(at(1, ms, 20));
  bridge.give(half);
  bridge.revise();
  EXPECT_FALSE(newest(second)->has_value()) << "it may have been dead in the other half";
  bridge.give(rest);
  bridge.revise();
  auto heard = newest(second);
  EXPECT_EQ(heard->value(), 0);
  EXPECT_TRUE(heard->has_value());
  EXPECT_FALSE(heard->provisional());
  EXPECT_EQ(heard->capture(), 1);

  // And then a weighing that somebody had forgotten to send.
  bridge.give({at(0, first + 3 * kHour, 12'340)});
  bridge.revise();
  heard = newest(second);
  EXPECT_NEAR(heard->value(), 12.34, 1e-9);
  EXPECT_FALSE(heard->provisional());
  EXPECT_EQ(heard->revision(), 3u);
  // Of the day before there is a weighing and no word of the display.
  bridge.give({at(0, first - 2 * kHour, 8'000)});
  bridge.revise();
  ASSERT_TRUE(newest(first));
  EXPECT_NEAR(newest(first)->value(), 8, 1e-9);
  EXPECT_TRUE(newest(first)->provisional());
  bridge.stop();
}

}  // namespace
}  // namespace gerbang::test
