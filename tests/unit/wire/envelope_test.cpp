// SPDX-License-Identifier: Apache-2.0
#include "wire/envelope.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/encode.hpp"

namespace gerbang::wire {
namespace {

Source plant() {
  Source s;
  s.region = "maros";
  s.site = "ipa";
  s.gateway = "g1";
  s.stream = "0123456789abcdef";
  s.sequence = 300;
  s.previous = 0;
  s.published_at_ms = 1735689600000;
  return s;
}

std::string gap_body() {
  Gap gap;
  gap.first = 3;
  gap.last = 4;
  gap.reason = "cap";
  gap.count = 2;
  return encode(gap);
}

TEST(Finish, GivesTheSameBytesForEver) {
  auto message = finish(MessageKind::gap, gap_body(), plant(), Format::protobuf);
  ASSERT_TRUE(message);
  std::string golden;
  golden += std::string("\x0a\x32", 2);            // source, 50 bytes
  golden += "\x0a\x05maros\x12\x03ipa\x1a\x02g1";  // region, site, gateway
  golden +=
      "\x22\x10"
      "0123456789abcdef";                                    // stream
  golden += std::string("\x28\xac\x02\x30\x00", 5);          // sequence 300, previous 0
  golden += std::string("\x38\x80\xf8\xa5\xf9\xc1\x32", 7);  // published_at_ms
  golden += std::string("\x40\x00\x48\x00", 4);              // historical, volatile
  golden += std::string(
      "\x18\x03\x20\x04\x2a\x03"
      "cap\x30\x02",
      11);  // first, last, reason, count
  EXPECT_EQ(*message, golden);
}

TEST(Finish, PutsTheSourceIntoEveryKindInBothEncodings) {
  for (unsigned kind = 1; kind <= 8; ++kind)
    for (Format format : {Format::protobuf, Format::json}) {
      auto k = static_cast<MessageKind>(kind);
      auto message = finish(k, "", plant(), format);
      ASSERT_TRUE(message) << kind;
      auto source = read_source(k, *message, format);
      ASSERT_TRUE(source) << kind << ": " << source.error().what;
      EXPECT_EQ(source->region, "maros");
      EXPECT_EQ(source->site, "ipa");
      EXPECT_EQ(source->gateway, "g1");
      EXPECT_EQ(source->stream, "0123456789abcdef");
      EXPECT_EQ(source->sequence, 300);
      EXPECT_EQ(source->previous, 0);
      EXPECT_EQ(source->published_at_ms, 1735689600000);
      EXPECT_FALSE(source->historical);
      EXPECT_FALSE(source->volatile_);
    }
}

TEST(Finish, SaysWhenAMessageIsOldOrVolatile) {
  Source source = plant();
  source.historical = source.volatile_ = true;
  for (Format format : {Format::protobuf, Format::json}) {
    auto message = finish(MessageKind::alarm, "", source, format);
    ASSERT_TRUE(message);
    auto back = read_source(MessageKind::alarm, *message, format);
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->historical);
    EXPECT_TRUE(back->volatile_);
  }
}

TEST(Finish, AddsTheSourceToWhatABodyAlreadyHolds) {
  auto message = finish(MessageKind::gap, gap_body(), plant(), Format::protobuf);
  ASSERT_TRUE(message);
  v1::Gap gap;
  ASSERT_TRUE(gap.ParseFromString(*message));
  EXPECT_EQ(gap.source().sequence(), 300);
  EXPECT_EQ(gap.first(), 3);
  EXPECT_EQ(gap.count(), 2u);
}

TEST(Finish, PrintsJsonWithNumbersWhereProtobufPrintsText) {
  auto message = finish(MessageKind::gap, gap_body(), plant(), Format::json);
  ASSERT_TRUE(message);
  EXPECT_EQ(
      *message,
      R"({"source":{"region":"maros","site":"ipa","gateway":"g1","stream":"0123456789abcdef",)"
      R"("sequence":300,"previous":0,"publishedAtMs":1735689600000,"historical":false,)"
      R"("volatile":false},"first":3,"last":4,"reason":"cap","count":2})");
}

TEST(Finish, RefusesABodyThatIsNotTheMessage) {
  auto message = finish(MessageKind::gap, "\xff\xff\xff", plant(), Format::json);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().what, "3 bytes are not a gerbang.v1.Gap");
}

TEST(ContentType, NamesTheMessage) {
  EXPECT_EQ(content_type(MessageKind::aggregate_batch, Format::protobuf),
            "application/x-protobuf; messageType=\"gerbang.v1.AggregateBatch\"");
  EXPECT_EQ(content_type(MessageKind::gap, Format::json), "application/json");
}

TEST(ReadSource, RefusesWhatIsNotAMessage) {
  for (const char* text :
       {"", "{", "[]", "3", "{}", R"({"source":3})", R"({"source":{"sequence":"7"}})",
        R"({"source":{"stream":7}})", R"({"source":{"historical":1}})"})
    EXPECT_FALSE(read_source(MessageKind::gap, text, Format::json)) << text;
  EXPECT_FALSE(read_source(MessageKind::gap, "", Format::protobuf));
  EXPECT_FALSE(read_source(MessageKind::gap, "{}", Format::protobuf));
  std::string deep(100'000, '[');
  EXPECT_FALSE(read_source(MessageKind::gap, deep, Format::json));
}

TEST(ReadSource, NeedsNoFieldOfIt) {
  auto source = read_source(MessageKind::gap, R"({"source":{}})", Format::json);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->sequence, 0);
}

TEST(KindOfTopic, KnowsTheTopicsOfAGateway) {
  EXPECT_EQ(kind_of_topic("state"), MessageKind::gateway_state);
  EXPECT_EQ(kind_of_topic("description"), MessageKind::gateway_description);
  EXPECT_EQ(kind_of_topic("gap"), MessageKind::gap);
  EXPECT_EQ(kind_of_topic("aggregate/water/1m"), MessageKind::aggregate_batch);
  EXPECT_EQ(kind_of_topic("indicator/ispu"), MessageKind::indicator);
  EXPECT_EQ(kind_of_topic("alarm/chlorine-low"), MessageKind::alarm);
  EXPECT_EQ(kind_of_topic("event/weighing"), MessageKind::event);
  EXPECT_EQ(kind_of_topic("reading/water"), MessageKind::reading_batch);
}

TEST(KindOfTopic, KnowsNoOther) {
  for (const char* topic : {"", "/", "stat", "state/", "gap/1", "aggregate", "aggregate/water",
                            "aggregate/water/1m/x", "aggregate//1m", "aggregate/water/", "alarm/",
                            "alarm/a/b", "latest/ph", "command", "readings/water"})
    EXPECT_FALSE(kind_of_topic(topic)) << topic;
}

}  // namespace
}  // namespace gerbang::wire
