// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "core/clock.hpp"

namespace gerbang {

// At most `rate` tokens a second, and a tenth of a second's worth at once. Rate 0: no limit.
class TokenBucket {
 public:
  explicit TokenBucket(unsigned rate) : rate_(rate), size_(std::max(1.0, rate / 10.0)) {}

  void reset(BootTime now) {
    tokens_ = size_;
    filled_ = now;
  }

  bool take(BootTime now) {
    if (rate_ == 0) return true;
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  // When take() will succeed again. A few tokens are waited for at once, so that a high rate does
  // not mean one wake-up a token.
  BootTime ready(BootTime now) {
    if (rate_ == 0) return now;
    fill(now);
    double missing = std::max(1.0, size_ / 4) - tokens_;
    if (tokens_ >= 1 || missing <= 0) return now;
    return now + std::chrono::nanoseconds(static_cast<std::int64_t>(missing / rate_ * 1e9) + 1);
  }

 private:
  void fill(BootTime now) {
    if (now <= filled_) return;
    double seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(size_, tokens_ + seconds * rate_);
    filled_ = now;
  }

  double rate_, size_, tokens_ = 0;
  BootTime filled_{};
};

}  // namespace gerbang
