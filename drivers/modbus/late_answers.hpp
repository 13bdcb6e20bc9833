// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gerbang::modbus {

// Keeps late answers away from requests that they do not belong to, where nothing in an answer
// tells (RTU: two requests of one unit for as many registers of one table). Pure.
//
// While questions of a unit are open, only the last of them may be asked again: whatever comes then
// is of the right registers. The first answer shows how late the unit may be: at most since the
// first open question. It may be as late, and a time-out more, with each of the other open ones;
// when that is over, it may be asked anything.
class LateAnswers {
 public:
  using Time = std::chrono::nanoseconds;

  // An answer that comes later than this is not reckoned with.
  static constexpr Time kLatest = std::chrono::seconds(10);

  explicit LateAnswers(Time timeout) : timeout_(timeout) {}

  void unanswered(std::uint8_t unit, std::size_t request, Time asked) {
    Unit& u = units_[unit];
    if (asked - u.last > kLatest) u.open = 0;
    if (u.open == 0) u.first = asked;
    ++u.open;
    u.last = asked;
    u.request = request;
  }
  void answered(std::uint8_t unit, Time now) {
    Unit& u = units_[unit];
    if (u.open > 0 && now - u.last <= kLatest)
      u.rest_until = now + std::min(u.open * (now - u.first + timeout_), kLatest);
    u.open = 0;
  }
  // When the unit may be asked this request.
  Time not_before(std::uint8_t unit, std::size_t request) const {
    const Unit& u = units_[unit];
    return u.open > 0 && u.request != request ? u.last + kLatest : u.rest_until;
  }
  bool resting(std::uint8_t unit, Time now) const { return now < units_[unit].rest_until; }
  void forget() { units_.fill({}); }

 private:
  struct Unit {
    int open = 0;             // questions without an answer
    Time first{}, last{};     // open: when they were asked
    std::size_t request = 0;  // open: which
    Time rest_until{};
  };
  Time timeout_;
  std::array<Unit, 256> units_{};
};

}  // namespace gerbang::modbus
