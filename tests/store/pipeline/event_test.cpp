// SPDX-License-Identifier: Apache-2.0
//
// Events: from a driver or a module to a row and a message.
#include <set>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

Event weighing(const Plant& plant, double net) {
  Event event;
  event.kind = "weighing";
  event.sensor = "scale";
  event.boot_ns = nanoseconds(plant.clock.boot());
  event.text = "ticket 17";
  event.values = {{"gross", net + 9'000, "kg"}, {"net", net, "kg"}};
  return event;
}

std::vector<store::EventRow> stored(Plant& plant, store::EventQuery query = {}) {
  auto page = run_coro(*plant.io, plant.store->events(std::move(query)));
  EXPECT_TRUE(page);
  return page ? page->events : std::vector<store::EventRow>();
}

std::vector<v1::Event> sent(Plant& plant, const std::string& topic) {
  std::vector<v1::Event> out;
  for (const Message& message : plant.messages()) {
    if (message.topic != topic) continue;
    EXPECT_EQ(message.kind, MessageKind::event);
    EXPECT_FALSE(message.retain);
    EXPECT_EQ(message.lane, Lane::live);
    EXPECT_TRUE(out.emplace_back().ParseFromString(message.body));
  }
  return out;
}

bool written(Plant& plant) {
  return plant.turn_until([&] { return plant.pipe->events().waiting() == 0; });
}

TEST(Events, OfADriverAreSentAndKeptWithTheTimeOfTheBootClock) {
  Plant plant({sensor("scale", "waste", QuantityKind::event)});
  plant.start();
  Event event = weighing(plant, 4'120);
  plant.clock.advance(750ms);  // it took a while to arrive
  plant.pipe->record_from_driver(event);
  ASSERT_TRUE(written(plant));

  auto messages = sent(plant, "event/weighing");
  ASSERT_EQ(messages.size(), 1u);
  const v1::Event& out = messages[0];
  EXPECT_EQ(out.id().size(), 16u);
  EXPECT_EQ(out.kind(), "weighing");
  EXPECT_EQ(out.sensor(), "scale");
  EXPECT_EQ(out.time_ms(), kStart);
  EXPECT_EQ(out.clock(), v1::TRUSTED);
  EXPECT_EQ(out.text(), "ticket 17");
  ASSERT_EQ(out.values_size(), 2);
  EXPECT_EQ(out.values(1).name(), "net");
  EXPECT_DOUBLE_EQ(out.values(1).value(), 4'120);
  EXPECT_EQ(out.values(1).unit(), "kg");
  auto rows = stored(plant);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].time_ms, kStart);
  EXPECT_EQ(rows[0].boot_id, "");
  EXPECT_EQ(rows[0].body, plant.messages()[0].body);
}

TEST(Events, KeepTheirIdsAndCountsOverARestart) {
  Plant plant({sensor("scale")});
  plant.start();
  plant.pipe->record_from_driver(weighing(plant, 1));
  plant.pipe->record_from_driver(weighing(plant, 2));
  ASSERT_TRUE(written(plant));
  auto before = sent(plant, "event/weighing");
  ASSERT_EQ(before.size(), 2u);
  EXPECT_NE(before[0].id(), before[1].id());
  plant.crash();
  plant.start();
  auto rows = stored(plant);
  ASSERT_EQ(rows.size(), 2u);
  std::set<std::string> ids;
  for (const auto& row : rows) {
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(row.body));
    ids.insert(event.id());
  }
  EXPECT_EQ(ids, (std::set<std::string>{before[0].id(), before[1].id()}));
  EXPECT_EQ(plant.pipe->events().ledger().taken, 2u);
  EXPECT_EQ(plant.pipe->events().ledger().stored, 2u);
}

TEST(Events, ThatADriverMayNotMakeAreRefusedAndCounted) {
  Plant plant({sensor("scale")});
  plant.start();
  for (const char* kind : {"", "Weighing", "a/b", "a+", "#", "-a", "maintenance", "clock-step",
                           "0123456789012345678901234567890123456789"}) {
    Event event = weighing(plant, 1);
    event.kind = kind;
    plant.pipe->record_from_driver(event);
  }
  Event future = weighing(plant, 1);
  future.boot_ns += 2'000'000'000;
  plant.pipe->record_from_driver(future);
  for (std::size_t i = 0; i < pipeline::EventDesk::kMostKinds + 3; ++i) {
    Event event = weighing(plant, 1);
    event.kind = "kind-" + std::to_string(i);
    plant.pipe->record_from_driver(event);
  }
  ASSERT_TRUE(written(plant));
  pipeline::EventLedger ledger = plant.pipe->events().ledger();
  EXPECT_EQ(ledger.refused, (std::map<std::string, std::uint64_t>{
                                {"kind", 7}, {"own_kind", 2}, {"time", 1}, {"kinds", 3}}));
  EXPECT_EQ(ledger.taken, 13u + pipeline::EventDesk::kMostKinds);
  EXPECT_EQ(ledger.stored, pipeline::EventDesk::kMostKinds);
  EXPECT_EQ(stored(plant).size(), pipeline::EventDesk::kMostKinds);
}

TEST(Events, OfTheGatewayItselfMayHaveItsKinds) {
  Plant plant({sensor("ph")});
  plant.start();
  Event event;
  event.kind = "maintenance";
  event.sensor = "ph";
  event.person = "Siti";
  plant.pipe->record(event);
  ASSERT_TRUE(written(plant));
  auto out = sent(plant, "event/maintenance");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].person(), "Siti");
  EXPECT_EQ(out[0].time_ms(), kStart) << "no time: now";
}

TEST(Events, AStepOfTheClockIsOne) {
  Plant plant({sensor("ph")});
  plant.start();
  plant.advance(3s);
  plant.clock.step(-1h);
  plant.advance(1s);
  ASSERT_TRUE(written(plant));
  plant.clock.step(40ms);  // slewing
  plant.advance(3s);
  auto steps = sent(plant, "event/clock-step");
  ASSERT_EQ(steps.size(), 1u);
  ASSERT_EQ(steps[0].values_size(), 1);
  EXPECT_EQ(steps[0].values(0).name(), "step");
  EXPECT_NEAR(steps[0].values(0).value(), -3600, 1e-6);
  EXPECT_EQ(steps[0].values(0).unit(), "s");
  EXPECT_EQ(steps[0].time_ms(), kStart + 4'000 - 3'600'000) << "by the clock that holds now";
}

TEST(Events, GetTheirTimesWhenTheClockIsSetUnderTheSameIds) {
  Plant plant({sensor("scale")});
  plant.clock.set_sync(ClockSync::unsynchronised);
  plant.start();
  plant.pipe->record_from_driver(weighing(plant, 5));
  ASSERT_TRUE(written(plant));
  auto early = sent(plant, "event/weighing");
  ASSERT_EQ(early.size(), 1u);
  EXPECT_EQ(early[0].clock(), v1::UNTRUSTED);
  plant.crash();  // a daemon that restarts in the same boot
  plant.start();
  plant.clock.advance(10s);
  plant.clock.step(24h);
  plant.clock.set_sync(ClockSync::synchronised);
  plant.work();
  plant.turn_until([&] { return plant.pipe->events().waiting() == 0; });
  plant.work();

  auto all = sent(plant, "event/weighing");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].id(), early[0].id());
  EXPECT_EQ(all[1].clock(), v1::ESTIMATED);
  EXPECT_EQ(all[1].time_ms(), kStart + 86'400'000);
  EXPECT_DOUBLE_EQ(all[1].values(1).value(), 5);
  store::EventQuery query;
  query.kind = "weighing";
  auto rows = stored(plant, query);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].time_ms, kStart + 86'400'000);
  plant.advance(5s);
  EXPECT_EQ(sent(plant, "event/weighing").size(), 2u) << "once";
}

TEST(Events, ComeNewestFirstPageByPage) {
  Plant plant({sensor("scale")});
  plant.start();
  for (int i = 0; i < 7; ++i) {
    Event event = weighing(plant, i);
    event.sensor = i % 2 == 0 ? "even" : "odd";
    plant.pipe->record_from_driver(event);
    ASSERT_TRUE(written(plant));
    plant.clock.advance(1s);
  }
  store::EventQuery query;
  query.limit = 3;
  std::vector<std::int64_t> times;
  for (int pages = 0; pages < 5; ++pages) {
    auto page = run_coro(*plant.io, plant.store->events(query));
    ASSERT_TRUE(page);
    for (const auto& row : page->events) times.push_back((row.time_ms - kStart) / 1000);
    query.after = page->next;
    if (query.after.empty()) break;
  }
  EXPECT_EQ(times, (std::vector<std::int64_t>{6, 5, 4, 3, 2, 1, 0}));
  store::EventQuery odd;
  odd.sensor = "odd";
  odd.from_ms = kStart + 1'000;
  odd.to_ms = kStart + 5'000;
  EXPECT_EQ(stored(plant, odd).size(), 2u) << "the end is exclusive";
  odd.after = "nonsense";
  EXPECT_FALSE(run_coro(*plant.io, plant.store->events(odd)));
}

TEST(EventDesk, LetsTheOldestGoWhileNothingIsTakenFromIt) {
  pipeline::EventDesk desk;
  store::Epoch epoch{"boot", 0, ClockTrust::trusted};
  pipeline::EventDesk::Now now{1'000'000'000, epoch};
  for (std::size_t i = 0; i < pipeline::EventDesk::kMostWaiting + 10; ++i) {
    Event event;
    event.kind = "weighing";
    event.boot_ns = static_cast<std::int64_t>(i + 1) * 1'000'000;
    ASSERT_NE(desk.take(event, true, now, "id"), nullptr);
  }
  EXPECT_EQ(desk.waiting(), pipeline::EventDesk::kMostWaiting);
  EXPECT_EQ(desk.ledger().refused.at("no_room"), 10u);
  auto rows = desk.hand_over();
  EXPECT_EQ(rows.front().time_ms, 11);
  auto ledger = desk.ledger();
  EXPECT_EQ(ledger.taken, ledger.stored + 10 + desk.waiting());
  desk.put_back(std::move(rows));
  EXPECT_EQ(desk.hand_over().front().time_ms, 11) << "in their order again";
}

}  // namespace
}  // namespace gerbang::test
