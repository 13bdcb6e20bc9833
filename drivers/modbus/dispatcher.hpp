// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <gerbang/schedule.hpp>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "plan.hpp"

namespace gerbang::modbus {

// Decides which request goes over the line next, and which readings are missing instead. Pure: time
// is an argument, in nanoseconds of CLOCK_BOOTTIME.
//
// All units of a line share it, so a unit that does not answer costs the others a time-out each
// time it is asked. Therefore:
//  - units that answer go first, the one whose turn was longest ago before the others;
//  - a unit that failed, or was never heard, is asked only when its time-out fits in before the
//  next
//    turn of a unit that answers, or after it has waited for `patience`;
//  - after `retries` further failures it is asked ever more rarely: 1 s, 2 s, 4 s … max_back_off;
//  - after a time-out it is left alone for `quarantine`, so that an answer that comes late is over
//    before the next question, whose answer it could be taken for;
//  - it is back at full rate with its first answer.
// Each turn of a sensor ends in exactly one of: a request that is answered, a missing reading, or a
// skipped turn, when the line is too slow.
class Dispatcher {
 public:
  using Time = std::chrono::nanoseconds;

  struct Settings {
    int retries = 1;
    Time timeout = std::chrono::milliseconds(500);  // what asking a silent unit costs
    Time quarantine = std::chrono::seconds(1);
    Time patience = std::chrono::seconds(5);
    Time max_back_off = std::chrono::minutes(5);
  };
  struct Missing {
    std::size_t request;
    gerbang_reason reason;
  };

  Dispatcher(std::vector<Request> requests, const Settings& settings, Time now);

  const Request& request(std::size_t i) const { return entries_[i].request; }

  // Takes up what falls due. Call before pick().
  void advance(Time now);
  // The request to send now, if any. It stays pending until its outcome is told.
  std::optional<std::size_t> pick(Time now) const;
  // No request can be picked before this, unless an outcome is told.
  Time wake(Time now) const;
  Time next_turn() const { return schedule_.next(); }

  // Outcomes of the picked request.
  void answered(std::size_t request);  // also: refused by an exception
  void failed(std::size_t request, gerbang_reason reason, Time now);  // retried, or missing
  void refused(std::size_t request);  // missing(EXCEPTION), unit lives
  // The unit refuses an address in it: these smaller requests take its place, at once and for ever.
  void replace(std::size_t request, std::vector<Request> parts, Time now);

  // The line is down: whatever waits is missing.
  void line_lost(gerbang_reason reason);
  // The line is back after it was down: every unit gets a fresh start.
  void line_back();

  // Requests whose turn ended without a number since the last call.
  std::vector<Missing> take_missing();

  // Of a request's unit, for texts.
  bool backed_off(std::size_t request) const;
  // Turns that were skipped because the line was busy.
  std::uint64_t skipped() const { return schedule_.skipped() + skipped_; }

 private:
  struct Unit {
    int failures = 0;                             // in a row
    Time quiet_until{};                           // not to be asked before
    gerbang_reason reason = GERBANG_REASON_NONE;  // of the last failure
  };
  struct Entry {
    Request request;
    bool pending = false;
    Time since{};              // pending: since when
    std::uint64_t served = 0;  // when it last had its chance: a running number
  };
  // A turn is of one unit and interval, however many requests serve it.
  struct Turn {
    std::uint8_t unit;
    std::vector<std::size_t> entries;
  };

  std::size_t add(Request request);
  void fall_due(Entry& entry, std::size_t index, Unit& unit, Time now);
  void miss(std::size_t index, gerbang_reason reason);
  bool given_up(const Unit& unit) const { return unit.failures > settings_.retries; }
  Time next_healthy_turn() const;
  Time ready_at(const Entry& entry) const;

  Settings settings_;
  driver::Schedule schedule_;
  std::vector<Turn> turns_;  // positions as in schedule_
  std::map<std::pair<std::uint8_t, Time>, std::size_t> turn_of_;
  std::vector<Entry> entries_;
  std::array<Unit, 256> units_{};
  std::vector<Missing> missing_;
  std::uint64_t skipped_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace gerbang::modbus
