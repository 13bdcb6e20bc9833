// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gerbang::modbus {

// Keeps late answers away from requests that they do not belong to, where nothing in an answer
// tells (RTU: two requests of one unit for as many registers of one table). Pure.
//
// While questions of a unit are open, only the last of them may be asked again: whatever comes then
// is of the right registers. The first answer may be to any of them, also when the newest is just
// asked: the others may still come. When kLatest is over, the unit may be asked anything.
class LateAnswers {
 public:
  using Time = std::chrono::nanoseconds;

  // An answer that comes later than this is not reckoned with.
  static constexpr Time kLatest = std::chrono::seconds(10);

  void unanswered(std::uint8_t unit, std::size_t request, Time asked) {
    units_[unit].open = true;
    units_[unit].last = asked;
    units_[unit].request = request;
  }
  void answered(std::uint8_t unit, Time now) {
    Unit& u = units_[unit];
    if (std::exchange(u.open, false) && now - u.last <= kLatest) u.rest_until = now + kLatest;
  }
  // When the unit may be asked this request.
  Time not_before(std::uint8_t unit, std::size_t request) const {
    const Unit& u = units_[unit];
    return u.open && u.request != request ? u.last + kLatest : u.rest_until;
  }
  bool resting(std::uint8_t unit, Time now) const { return now < units_[unit].rest_until; }
  void forget() { units_.fill({}); }
  void forget(std::uint8_t unit) { units_[unit] = {}; }

 private:
  struct Unit {
    bool open = false;        // questions without an answer
    Time last{};              // the newest of them
    std::size_t request = 0;  // which
    Time rest_until{};
  };
  std::array<Unit, 256> units_{};
};

}  // namespace gerbang::modbus
