// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/v1/telemetry.pb.h>

#include <map>
#include <set>
#include <string>

#include "support/broker.hpp"

namespace gerbang::test {

// What a subscriber holds of a rig's messages, judged as a consumer would.
struct Received {
  std::map<std::int64_t, std::string> contents;  // sequence → content without what may differ
  std::set<std::int64_t> historical;
  std::size_t duplicates = 0, contradictions = 0, unreadable = 0;

  explicit Received(const std::vector<Arrived>& arrived) {
    for (const Arrived& each : arrived) {
      if (each.topic.size() >= 6 && each.topic.substr(each.topic.size() - 6) == "/state") continue;
      gerbang::v1::Gap gap;
      if (!gap.ParseFromString(each.payload) || gap.source().sequence() != gap.first()) {
        ++unreadable;
        continue;
      }
      auto sequence = gap.source().sequence();
      if (gap.source().historical()) historical.insert(sequence);
      gap.mutable_source()->clear_published_at_ms();
      gap.mutable_source()->clear_historical();
      auto [known, fresh] = contents.emplace(sequence, gap.SerializeAsString());
      duplicates += !fresh;
      contradictions += known->second != gap.SerializeAsString();
    }
  }
  bool all(std::size_t count) const { return contents.size() == count; }
};

}  // namespace gerbang::test
