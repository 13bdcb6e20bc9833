// SPDX-License-Identifier: Apache-2.0
//
// The order in which readings go out, and where a page ends. A reading has the same key in its
// batch and in a chunk, so that compaction between two pages neither repeats nor loses one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gerbang::store {

struct ReadingKey {
  std::int64_t time = INT64_MIN, series = INT64_MIN, batch = INT64_MIN;
  std::int64_t index = INT64_MIN;  // among those of the batch with the same series and time
  auto operator<=>(const ReadingKey&) const = default;

  // The last that can be at that millisecond.
  static ReadingKey end_of(std::int64_t time) {
    return ReadingKey{time, INT64_MAX, INT64_MAX, INT64_MAX};
  }
  static ReadingKey last() { return end_of(INT64_MAX); }
  bool is_end() const { return series == INT64_MAX && time < INT64_MAX; }

  std::string token() const;
  static std::optional<ReadingKey> parse(std::string_view token);
};

}  // namespace gerbang::store
