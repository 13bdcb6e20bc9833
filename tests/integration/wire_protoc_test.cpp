// SPDX-License-Identifier: Apache-2.0
//
// What a receiver with nothing but the schema reads: protoc --decode.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include "support/temp_dir.hpp"
#include "wire/encode.hpp"
#include "wire/envelope.hpp"

namespace gerbang::wire {
namespace {

std::string decode(const std::string& type, const std::string& bytes) {
  test::TempDir dir;
  auto file = dir.write("message.bin", bytes);
  std::string command = std::string(GERBANG_PROTOC) + " --decode=" + type + " -I" +
                        GERBANG_SOURCE_DIR + "/proto gerbang/v1/telemetry.proto < " + file.string();
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) return "popen failed";
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;)
    text.append(buffer.data(), n);
  return text;
}

TEST(Protoc, ReadsAnAggregateBatchWithItsSource) {
  Aggregate a;
  a.window_ms = 60'000;
  a.expected = 2;
  a.received = a.good = 2;
  a.statistics.add(1.5);
  a.statistics.add(2.5);
  a.first = 1.5;
  a.last = 2.5;
  a.delta = 12;
  AggregateHead head;
  head.domain = "water";
  head.window = "1m";
  head.start_ms = 1735689600000;
  head.end_ms = 1735689660000;
  AggregateRow row;
  row.sensor = "flow";
  row.quantity = "volume";
  row.unit = "m³";
  row.kind = QuantityKind::totaliser;
  row.aggregate = &a;
  std::vector<AggregateRow> rows = {row};
  Source source;
  source.gateway = "g1";
  source.stream = "0123456789abcdef";
  source.sequence = 9;
  auto message = finish(MessageKind::aggregate_batch, encode_aggregates(head, rows).at(0), source,
                        Format::protobuf);
  ASSERT_TRUE(message);
  EXPECT_EQ(decode("gerbang.v1.AggregateBatch", *message),
            R"(source {
  gateway: "g1"
  stream: "0123456789abcdef"
  sequence: 9
  previous: 0
  published_at_ms: 0
  historical: false
  volatile: false
}
domain: "water"
window: "1m"
window_start_ms: 1735689600000
window_end_ms: 1735689660000
part: 1
parts: 1
aggregates {
  sensor: "flow"
  quantity: "volume"
  unit: "m\302\263"
  expected: 2
  received: 2
  good: 2
  suspect: 0
  bad: 0
  missing: 0
  maintenance: 0
  below_limit: 0
  mean: 2
  minimum: 1.5
  maximum: 2.5
  stddev: 0.5
  first: 1.5
  last: 2.5
  delta: 12
  capture: 1
  verdict: VALID
  revision: 0
  clock: TRUSTED
}
)");
}

TEST(Protoc, ReadsAGap) {
  Gap gap;
  gap.lost_stream = "0123456789abcdef";
  gap.first = 3;
  gap.last = 7;
  gap.reason = "cap";
  gap.count = 5;
  auto message = finish(MessageKind::gap, encode(gap), Source{}, Format::protobuf);
  ASSERT_TRUE(message);
  auto text = decode("gerbang.v1.Gap", *message);
  EXPECT_NE(text.find("lost_stream: \"0123456789abcdef\"\nfirst: 3\nlast: 7\nreason: \"cap\"\n"
                      "count: 5\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace gerbang::wire
