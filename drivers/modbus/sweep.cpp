// SPDX-License-Identifier: Apache-2.0
#include "sweep.hpp"

#include <algorithm>

namespace gerbang::modbus {

std::optional<Sweep::Turn> Sweep::next() {
  if (next_ == units_.size()) return std::nullopt;
  const std::uint8_t unit = units_[next_++];
  // Behind the last one nobody is asked, and the answers that are late could not be heard.
  return Turn{unit, quick_ && next_ < units_.size() ? kQuick : timeout_};
}

void Sweep::found(std::uint8_t unit) {
  const auto known = std::find(units_.begin(), units_.end(), unit);
  if (known == units_.end()) return;
  if (known - units_.begin() < static_cast<std::ptrdiff_t>(next_)) --next_;
  units_.erase(known);
  // It was the last: another's late answer is waited for with one that is still silent.
  if (quick_ && next_ > 0 && next_ == units_.size()) --next_;
}

bool Sweep::late() {
  if (!quick_) return false;
  quick_ = false;
  next_ = 0;
  return true;
}

Sweep::Milliseconds Sweep::left() const {
  const auto units = static_cast<std::int64_t>(units_.size() - next_);
  if (!quick_ || units == 0) return units * timeout_;
  return (units - 1) * kQuick + timeout_;
}

}  // namespace gerbang::modbus
