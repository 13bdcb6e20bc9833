// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sensor.hpp"

#include <gtest/gtest.h>

namespace gerbang::pipeline {
namespace {

Sensor sensor(std::int32_t series, const std::string& id) {
  Sensor s;
  s.id = id;
  s.series = series;
  Quantity quantity;
  quantity.name = "volume";
  quantity.domain = "water";
  quantity.unit = "m³";
  quantity.kind = QuantityKind::totaliser;
  s.quantity = std::move(quantity);
  s.calibration.scale = 0.1;
  s.calibration.slope = 0.001;
  s.interval_ms = 1000;
  s.wrap = 4294967296;
  return s;
}

TEST(Members, AreReadBackAsTheyWereWritten) {
  std::vector<Member> members = {member(sensor(1, "meter")), member(sensor(7, "other"))};
  members[1].plan.wrap.reset();
  members[1].plan.left_ms = 5;
  members[1].plan.count_suspect = true;
  members.push_back(member(sensor(9, "new")));
  members[2].plan.since_ms = 70;
  members.push_back(members[1]);
  members[3].plan.since_ms = 80;
  auto back = parse_members(text_of(members));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 4u);
  EXPECT_EQ((*back)[0].id, "meter");
  EXPECT_EQ((*back)[0].unit, "m³");
  EXPECT_EQ((*back)[0].plan.series, 1);
  EXPECT_EQ((*back)[0].plan.kind, QuantityKind::totaliser);
  EXPECT_EQ((*back)[0].plan.factor, 0.1 * 0.001);
  EXPECT_EQ((*back)[0].plan.wrap, 4294967296u);
  EXPECT_EQ((*back)[1].plan.wrap, std::nullopt);
  EXPECT_EQ((*back)[1].plan.left_ms, 5);
  EXPECT_TRUE((*back)[1].plan.count_suspect);
  EXPECT_FALSE((*back)[0].plan.count_suspect);
  EXPECT_EQ((*back)[0].plan.since_ms, 0);
  EXPECT_EQ((*back)[2].plan.since_ms, 70);
  EXPECT_FALSE((*back)[2].plan.count_suspect);
  EXPECT_EQ((*back)[3].plan.since_ms, 80);
  EXPECT_EQ(text_of(*back), text_of(members));
  EXPECT_TRUE(parse_members("")->empty());
}

TEST(Members, AreRefusedWhenTheTextIsNotTheirs) {
  std::string text = text_of({member(sensor(1, "meter"))});
  for (std::size_t cut = 1; cut < text.size(); ++cut)
    EXPECT_FALSE(parse_members(text.substr(0, cut))) << cut;
  EXPECT_FALSE(parse_members("a\tb\tc\td\t1\t9\t0\t1\t0\t0\t\n")) << "no such kind";
}

TEST(Members, OfAnEventAreNotPolled) {
  Sensor s = sensor(1, "gate");
  Quantity event = *s.quantity;
  event.kind = QuantityKind::event;
  s.quantity = std::move(event);
  EXPECT_EQ(member(s).plan.interval_ms, 0);
}

TEST(Members, KeepWhenTheyCame) {
  std::vector<Member> before = {member(sensor(1, "a")), member(sensor(2, "b"))};
  before[1].plan.since_ms = 50;
  std::vector<Member> now = {member(sensor(1, "a")), member(sensor(2, "b")),
                             member(sensor(3, "c"))};
  remember_since(now, before, 100);
  EXPECT_EQ(now[0].plan.since_ms, 0) << "from the first";
  EXPECT_EQ(now[1].plan.since_ms, 50);
  EXPECT_EQ(now[2].plan.since_ms, 100);
}

TEST(Leaving, AreThoseThatAreNoLongerThereWithTheTimeTheyLeft) {
  std::vector<Member> before = {member(sensor(1, "a")), member(sensor(2, "b")),
                                member(sensor(3, "c"))};
  before[2].plan.left_ms = 70;
  std::vector<Member> now = {member(sensor(2, "b"))};
  auto gone = leaving(before, now, 100);
  ASSERT_EQ(gone.size(), 2u);
  EXPECT_EQ(gone[0].id, "a");
  EXPECT_EQ(gone[0].plan.left_ms, 100);
  EXPECT_EQ(gone[1].plan.left_ms, 70) << "it left before";
}

TEST(Thinning, KeepsOneRecordAWindowAndEachChangeOfReason) {
  Thinning t;
  EXPECT_TRUE(t.keep(Reason::timeout, 0));
  EXPECT_FALSE(t.keep(Reason::timeout, 0));
  EXPECT_TRUE(t.keep(Reason::crc, 0));
  EXPECT_FALSE(t.keep(Reason::crc, 0));
  EXPECT_TRUE(t.keep(Reason::timeout, 0));
  EXPECT_TRUE(t.keep(Reason::timeout, 60'000));
  EXPECT_FALSE(t.keep(Reason::timeout, 60'000));
}

}  // namespace
}  // namespace gerbang::pipeline
