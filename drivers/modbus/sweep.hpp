// SPDX-License-Identifier: Apache-2.0
//
// How the units of a line are gone through. Most answer within a tenth of a second, and silence is
// what most unit numbers say: all are asked quickly first. An answer that comes after its time says
// that somebody is slow: then all are asked again, each with the time-out. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace gerbang::modbus {

// Long enough for most devices behind a USB adapter or a serial server.
constexpr std::chrono::milliseconds kQuick{120};
// Who gives more than this knows that somebody is slow.
constexpr std::chrono::milliseconds kUsual{300};

// Whether it is worth to ask quickly before this time-out.
constexpr bool worth_quick(std::chrono::milliseconds timeout) {
  return timeout > kQuick && timeout <= kUsual;
}

class Sweep {
 public:
  using Milliseconds = std::chrono::milliseconds;
  struct Turn {
    std::uint8_t unit;
    Milliseconds wait;  // for its answer
  };

  Sweep(std::vector<std::uint8_t> units, Milliseconds timeout, bool quick)
      : units_(std::move(units)), timeout_(timeout), quick_(quick) {}

  // Whom to ask next; nullopt: all were asked.
  std::optional<Turn> next();
  // That unit is known: it is not asked again.
  void found(std::uint8_t unit);
  // An answer came that was given up, or bytes that may have been two answers at once. True: all
  // are asked once more, with the time-out; false: they are already.
  bool late();

  bool quick() const { return quick_; }
  Milliseconds left() const;  // if nobody answers any more

 private:
  std::vector<std::uint8_t> units_;
  Milliseconds timeout_;
  bool quick_;
  std::size_t next_ = 0;
};

}  // namespace gerbang::modbus
