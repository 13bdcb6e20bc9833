// SPDX-License-Identifier: Apache-2.0
//
// People work on a sensor: marked, in no mean, over restarts and clocks that are set.
#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

store::StoredReading first_reading(Plant& plant) {
  store::ReadingQuery query;
  query.to_ms = INT64_MAX;
  query.limit = 1;
  auto page = run_coro(*plant.io, plant.store->readings(query));
  EXPECT_TRUE(page);
  return page->readings.at(0);
}

TEST(Maintenance, MarksEndsByItselfAndSurvivesARestart) {
  Plant plant({sensor("ph"), sensor("flow")});
  plant.start();
  quality::Work work;
  work.from_ms = unix_ms(plant.clock.wall());
  work.until_ms = work.from_ms + 30'000;
  work.person = "Sari";
  plant.pipe->begin_maintenance("ph", work);
  EXPECT_TRUE(plant.turn_until([&] { return plant.messages().size() == 1; })) << "said at once";
  plant.give({plant.reading(0, 4), plant.reading(1, 5)});
  plant.crash();
  plant.start();
  plant.clock.advance(10s);
  plant.give({plant.reading(0, 5), plant.reading(1, 5)});
  plant.clock.advance(20s);
  plant.give({plant.reading(0, 7), plant.reading(1, 5)});
  plant.advance(50s);
  std::vector<std::string> told;
  for (const Message& message : plant.messages()) {
    v1::Event event;
    if (message.topic != "event/maintenance" || !event.ParseFromString(message.body)) continue;
    EXPECT_EQ(event.sensor(), "ph");
    EXPECT_EQ(event.person(), "Sari");
    told.push_back(event.text());
  }
  EXPECT_EQ(told, (std::vector<std::string>{"begins, for 30s", "has ended, after 30s"}));
  EXPECT_TRUE(plant.pipe->maintenance().empty());
  const auto rows = plant.rows(kMinute);
  const Aggregate& ph = rows.at({work.from_ms, plant.series(0)});
  EXPECT_EQ(ph.maintenance, 2u);
  EXPECT_EQ(ph.good, 1u);
  EXPECT_EQ(ph.statistics.mean, 7);
  EXPECT_EQ(ph.reason, Reason::maintenance);
  EXPECT_EQ(rows.at({work.from_ms, plant.series(1)}).good, 3u);
  EXPECT_EQ(first_reading(plant).value, 4) << "what it said is kept";
  plant.stop();
}

// One text, in the gateway's language; the sensor is named to whom shows it.
TEST(Maintenance, SpeaksTheLanguageOfTheGateway) {
  Plant plant({sensor("ph")});
  plant.options.indonesian = true;
  plant.start();
  std::vector<std::string> told;
  plant.pipe->on_maintenance = [&](const std::string& id, const quality::Work& w, bool begins) {
    told.push_back(id + (begins ? " begins " : " ended ") + w.note);
  };
  quality::Work work;
  work.from_ms = unix_ms(plant.clock.wall());
  work.until_ms = work.from_ms + 7'200'000;
  work.note = "buffer 7";
  plant.pipe->begin_maintenance("ph", work);
  plant.clock.advance(30s);
  EXPECT_TRUE(plant.pipe->end_maintenance("ph"));
  EXPECT_TRUE(plant.turn_until([&] { return plant.messages().size() == 2; }));
  std::vector<std::string> texts;
  for (const Message& message : plant.messages()) {
    v1::Event event;
    EXPECT_TRUE(event.ParseFromString(message.body));
    texts.push_back(event.text());
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"dimulai, selama 2h: buffer 7",
                                             "selesai, setelah 30s: buffer 7"}));
  EXPECT_EQ(told, (std::vector<std::string>{"ph begins buffer 7", "ph ended buffer 7"}));
  plant.stop();
}

// It answers, so it is not silent: nothing is missing that came.
TEST(Maintenance, ASensorThatSpeaksIsNotStale) {
  auto s = sensor("ph");
  change(s.rules, [](auto& r) { r.stale_ms = 5000; });
  Plant plant({s});
  plant.start();
  quality::Work work;
  work.from_ms = unix_ms(plant.clock.wall());
  work.until_ms = work.from_ms + 60'000;
  plant.pipe->begin_maintenance("ph", work);
  for (int i = 0; i < 20; ++i) {
    plant.clock.advance(1s);
    plant.give({plant.reading(0, 7)});
    plant.work();
    EXPECT_EQ(plant.pipe->live(0).reason, Reason::maintenance) << i;
  }
  EXPECT_EQ(plant.pipe->live(0).missing, 0u);
  plant.stop();
}

// Its length counts, not what the clock said when it began: set while it runs, while the program
// does not, and lost by a board without a battery.
TEST(Maintenance, OutlivesAClockThatIsSet) {
  Plant plant({sensor("ph")});
  plant.clock.set_sync(ClockSync::unsynchronised);
  plant.start();
  const auto begin = [&] {
    quality::Work work;
    work.from_ms = unix_ms(plant.clock.wall());
    work.until_ms = work.from_ms + 60'000;
    plant.pipe->begin_maintenance("ph", work);
  };
  const auto marked = [&] {
    plant.clock.advance(1s);
    plant.give({plant.reading(0, 7)});
    plant.work();
    return plant.pipe->live(0).reason == Reason::maintenance;
  };
  begin();
  EXPECT_TRUE(marked());
  plant.clock.step(std::chrono::hours(24 * 365));
  plant.clock.set_sync(ClockSync::synchronised);
  EXPECT_TRUE(marked()) << "set forward";
  plant.clock.step(-std::chrono::hours(24 * 400));
  EXPECT_TRUE(marked()) << "set back";
  plant.advance(40s);
  EXPECT_TRUE(marked());
  plant.advance(20s);
  EXPECT_FALSE(marked()) << "a minute is over";
  EXPECT_TRUE(plant.pipe->maintenance().empty());

  begin();
  EXPECT_TRUE(marked());
  plant.stop();
  plant.clock.step(std::chrono::hours(24 * 30));
  plant.start();
  EXPECT_TRUE(marked()) << "the clock was set while nothing ran";
  plant.stop();
  plant.options.boot_id = "another boot";
  plant.clock.step(-std::chrono::hours(24 * 30));
  plant.start();
  EXPECT_TRUE(marked()) << "a board that lost its time";
  plant.advance(62s);
  EXPECT_FALSE(marked()) << "it ends all the same";
  plant.stop();
}

}  // namespace
}  // namespace gerbang::test
