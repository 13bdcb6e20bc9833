// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gerbang {

// From this instant on local time is UTC + offset.
struct ZoneOffset {
  std::int64_t utc_from_ms = 0;
  std::int32_t offset_s = 0;
};

// [start, end), UTC milliseconds.
struct TimeSpan {
  std::int64_t start_ms = 0, end_ms = 0;

  bool contains(std::int64_t t) const { return t >= start_ms && t < end_ms; }
  std::int64_t length_ms() const { return end_ms - start_ms; }
  friend bool operator==(const TimeSpan&, const TimeSpan&) = default;
};

// Local days, and the windows within them, from a table of UTC offsets: no time zone library.
// Constant after construction.
class Calendar {
 public:
  // Ascending; the first also holds before it, the last for ever. Empty: UTC.
  explicit Calendar(std::vector<ZoneOffset> zone = {});

  std::int32_t offset_s(std::int64_t t) const;

  // The local day that holds t: 24 hours, or more or less where the clocks change.
  TimeSpan day(std::int64_t t) const;

  // The window of this length that holds t. Windows are counted from local midnight; the last of a
  // day is shorter where its length does not divide the day. A day or longer: the day.
  TimeSpan window(std::int64_t length_ms, std::int64_t t) const;

  // Local date as YYYY-MM-DD.
  std::string date(std::int64_t t) const;

 private:
  std::size_t index(std::int64_t t) const;
  std::int64_t local_day(std::size_t index, std::int64_t t) const;

  std::vector<ZoneOffset> zone_;
};

}  // namespace gerbang
