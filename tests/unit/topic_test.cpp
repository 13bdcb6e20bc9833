// SPDX-License-Identifier: Apache-2.0
#include "core/topic.hpp"

#include <gtest/gtest.h>

namespace gerbang {
namespace {

struct Case {
  const char *filter, *topic;
  bool matches;
};

TEST(TopicMatches, FollowsTheRulesOfMqtt) {
  const Case cases[] = {
      {"state", "state", true},
      {"state", "states", false},
      {"state", "State", false},
      {"state", "state/x", false},
      {"state/x", "state", false},
      {"alarm/#", "alarm/high-ph", true},
      {"alarm/#", "alarm/a/b/c", true},
      {"alarm/#", "alarm", true},
      {"alarm/#", "alarms/x", false},
      {"alarm/#", "alarm/", true},
      {"#", "aggregate/water/1m", true},
      {"#", "/", true},
      {"+", "state", true},
      {"+", "alarm/x", false},
      {"+/+", "alarm/x", true},
      {"+/+", "/x", true},
      {"/+", "/x", true},
      {"+", "/x", false},
      {"aggregate/+/15m", "aggregate/water/15m", true},
      {"aggregate/+/15m", "aggregate/water/1m", false},
      {"aggregate/+/15m", "aggregate//15m", true},
      {"aggregate/+/15m", "aggregate/a/b/15m", false},
      {"aggregate/+/#", "aggregate/water", true},
      {"aggregate/+/#", "aggregate", false},
      {"a/+", "a", false},
      {"a/+", "a/", true},
      {"#", "$SYS/broker/load", false},
      {"+/broker/load", "$SYS/broker/load", false},
      {"$SYS/#", "$SYS/broker/load", true},
      {"a/$x", "a/$x", true},
      {"+/$x", "a/$x", true},
      {"", "a", false},
      {"#", "", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(topic_matches(c.filter, c.topic), c.matches) << c.filter << " against " << c.topic;
}

TEST(TopicFilterValid, TakesWildcardsOnlyAsWholeLevels) {
  for (const char* good : {"#", "+", "a", "/", "a/", "a/#", "+/+/#", "a/+/b", "$SYS/#"})
    EXPECT_TRUE(topic_filter_valid(good)) << good;
  for (const char* bad : {"", "a#", "#/a", "a/#/b", "a+", "+a", "a/b#", "a/+b/c", "##"})
    EXPECT_FALSE(topic_filter_valid(bad)) << bad;
  EXPECT_FALSE(topic_filter_valid(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace gerbang
