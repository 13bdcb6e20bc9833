// SPDX-License-Identifier: Apache-2.0
#include "alarm/rate.hpp"

#include <algorithm>
#include <cstdlib>

namespace gerbang::alarm {

std::optional<Rate::Change> Rate::take(std::int64_t at, double value, std::int64_t span_ms) {
  const std::int64_t span = std::max<std::int64_t>(span_ms, 1);
  const std::int64_t jitter = span / 10;  // of a sensor that is read once in a span
  const auto since = [&](const Earlier& from) {
    return (value - from.value) * (static_cast<double>(span) / static_cast<double>(at - from.at));
  };
  std::optional<Change> out;
  while (!earlier_.empty() && earlier_.back().at > at) earlier_.pop_back();  // has not been
  if (!earlier_.empty() && at - earlier_.back().at > span + jitter) {
    // Two gaps in a row: readings have become rarer than the span.
    if (earlier_.size() == 1) out = Change{since(earlier_.back()), true};
    earlier_.clear();
  }
  // The last one that is a span old, and what came after it.
  const auto within = std::find_if(earlier_.begin(), earlier_.end(),
                                   [&](const Earlier& one) { return at - one.at < span; });
  if (within != earlier_.begin()) earlier_.erase(earlier_.begin(), within - 1);
  if (!earlier_.empty() && at - earlier_.front().at >= span - jitter) {
    const auto off = [&](const Earlier& one) { return std::abs(at - one.at - span); };
    const bool later = earlier_.size() > 1 && off(earlier_[1]) < off(earlier_[0]);
    out = Change{since(earlier_[later ? 1 : 0]), false};
  }
  // Rounded up: what is kept of a span has its bound whatever the span is.
  if (earlier_.empty() || at - earlier_.back().at >= apart_ms(span))
    earlier_.push_back({at, value});
  return out;
}

}  // namespace gerbang::alarm
