// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace gerbang {

// Readings by series; 0: of no series, because the sensor is not known.
using Counts = std::map<std::int32_t, std::uint64_t>;
using Reasons = std::map<std::string, Counts>;  // why not → readings

inline std::uint64_t sum(const Counts& counts) {
  std::uint64_t out = 0;
  for (const auto& [series, count] : counts) out += count;
  return out;
}
inline void add(Counts& to, const Counts& from) {
  for (const auto& [series, count] : from) to[series] += count;
}
inline void add(Reasons& to, const Reasons& from) {
  for (const auto& [reason, counts] : from) add(to[reason], counts);
}

}  // namespace gerbang
