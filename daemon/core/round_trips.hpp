// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gerbang {

// How long answers took, in a fixed amount of memory: four buckets an octave from 64 µs to 134 s,
// so that a percentile is at most an eighth off. Old answers fade: when there are kFade of them all
// counts are halved.
class RoundTrips {
 public:
  static constexpr std::size_t kBuckets = 85;
  static constexpr std::uint32_t kFade = 4096;

  static constexpr std::size_t bucket_of(std::uint32_t us) {
    if (us < 64) return 0;
    const auto octave = static_cast<std::size_t>(std::bit_width(us)) - 1;
    return std::min<std::size_t>(1 + 4 * (octave - 6) + ((us >> (octave - 2)) & 3), kBuckets - 1);
  }
  // The middle of what falls into a bucket.
  static constexpr std::uint32_t middle_of(std::size_t bucket) {
    if (bucket == 0) return 32;
    const std::size_t octave = 6 + (bucket - 1) / 4, quarter = (bucket - 1) % 4;
    return static_cast<std::uint32_t>((std::uint64_t{9 + 2 * quarter} << octave) / 8);
  }

  void add(std::size_t bucket, std::uint32_t times = 1) {
    if (bucket >= kBuckets) return;
    counts_[bucket] += std::min(times, kFade);
    total_ += std::min(times, kFade);
    if (total_ < kFade) return;
    total_ = 0;
    for (std::uint32_t& count : counts_) total_ += (count = (count + 1) / 2);
  }

  // Microseconds that this share of the answers did not exceed; 0 without answers. 0 < share <= 1.
  std::uint32_t percentile(double share) const {
    const double wanted = share * total_;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) return middle_of(i);
    }
    return 0;
  }

 private:
  std::array<std::uint32_t, kBuckets> counts_{};
  std::uint32_t total_ = 0;
};

}  // namespace gerbang
