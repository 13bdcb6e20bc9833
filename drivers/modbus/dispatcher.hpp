// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <gerbang/schedule.hpp>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "late_answers.hpp"
#include "plan.hpp"

namespace gerbang::modbus {

// Decides which request goes over the line next, and which readings are missing instead. Pure: time
// is an argument, in nanoseconds of CLOCK_BOOTTIME.
//
// All units of a line share it, so a unit that does not answer costs the others a time-out each
// time it is asked. Therefore:
//  - units that answer go first, the one whose turn was longest ago before the others;
//  - a unit that failed is asked only when its time-out fits in before the next turn of a unit that
//    answers, or after it has waited for `patience`;
//  - after `retries` further failures it is asked every second, and after four more ever more
//    rarely: after 2 s, 4 s, 8 s … max_back_off;
//  - it is back at full rate with its first answer.
// The same holds for one request that a unit never answers while it answers others.
// Where answers carry no number, one that comes after questions without an answer shows that the
// unit lives, but not that nothing else will come. Then the unit is asked for something of a table
// that is not read from it: units answer one question after the other, so whatever the answer to
// that is, every answer to an earlier question has come or is lost. A unit that answers none of
// such questions, one a table, rests until no other answer can come.
//
// Each turn of a sensor ends in exactly one of: a request that is answered, a missing reading, or a
// skipped turn, when the line is too slow.
class Dispatcher {
 public:
  using Time = std::chrono::nanoseconds;

  struct Settings {
    int retries = 1;
    Time timeout = std::chrono::milliseconds(500);  // what asking a silent unit costs
    Time patience = std::chrono::seconds(5);
    Time max_back_off = std::chrono::minutes(5);
    bool numbered = true;  // answers say which question they belong to (TCP)
  };
  struct Missing {
    std::size_t request;
    gerbang_reason reason;
  };

  Dispatcher(std::vector<Request> requests, const Settings& settings, Time now);

  const Request& request(std::size_t i) const { return entries_[i].request; }
  // It only asks whether a unit still owes answers: it has no points, and any answer is right, also
  // an exception.
  bool is_probe(std::size_t i) const { return entries_[i].probe; }
  // How long its answer may be waited for: up to three time-outs, if nobody else's turn comes.
  Time patience(std::size_t probe, Time now) const;

  // Takes up what falls due. Call before pick().
  void advance(Time now);
  // The request to send now, if any. It stays pending until its outcome is told.
  std::optional<std::size_t> pick(Time now) const;
  // No request can be picked before this, unless an outcome is told.
  Time wake(Time now) const;
  Time next_turn() const { return schedule_.next(); }

  // Whether an answer that comes now may be one to a question of long ago: nothing in it tells, and
  // the first question without an answer is farther away than an attempt or two.
  bool stale(std::size_t request, Time now) const;

  // Units of which an answer came that nobody waited for. One that is later than an attempt or two
  // shows that more may come, in any order: then no probe helps.
  void overheard(const std::bitset<256>& units, Time now);
  // Whether late answers may still come, although the probe says no: an answer must come alone.
  bool doubted(std::size_t request, Time now) const {
    return now < doubted_until_[entries_[request].request.unit];
  }

  // Outcomes of the picked request.
  void answered(std::size_t request, Time now);
  // It was stale and is not used: the request waits for what the probe shows; without one it is
  // missing, and is not asked until no other answer can come.
  void late(std::size_t request, Time now);
  void refused(std::size_t request, Time now);  // missing; but the unit lives
  void failed(std::size_t request, gerbang_reason reason, Time asked, Time now);  // or asked again
  // The unit refuses an address in it: these smaller requests take its place, at once and for ever.
  void replace(std::size_t request, std::vector<Request> parts, Time now);

  // The line is down: whatever waits is missing.
  void line_lost(gerbang_reason reason);
  // The line is back after it was down: every unit gets a fresh start.
  void line_back();

  // Requests whose turn ended without a number since the last call.
  std::vector<Missing> take_missing();

  // For texts: is the whole unit, or only this request, asked more rarely now?
  bool unit_given_up(std::size_t request) const;
  bool given_up(std::size_t request) const;
  // Turns that were skipped because the line was busy.
  std::uint64_t skipped() const { return schedule_.skipped() + skipped_; }

 private:
  struct Health {
    int failures = 0;                             // in a row
    Time quiet_until{};                           // not to be asked before
    gerbang_reason reason = GERBANG_REASON_NONE;  // of the last failure
  };
  struct Entry {
    Request request;
    bool pending = false;
    Time since{};              // pending: since when
    std::uint64_t served = 0;  // when it last had its chance: a running number
    Health health;             // a unit may answer one request and never another
    // Questions without an answer that may still come: the first and the last; 0: none.
    Time open_since{}, open_last{};
    bool probe = false;
    bool rests = false;  // it is not asked until no late answer can come
  };
  // A turn is of one unit and interval, however many requests serve it.
  struct Turn {
    std::uint8_t unit;
    std::vector<std::size_t> entries;
  };

  std::size_t add(Request request);
  void add_probes();
  Time soon() const;
  bool want_probe(std::uint8_t unit, Time now);
  void in_step(std::uint8_t unit, Time now);
  void probe_failed(std::size_t index, Time asked, Time now);
  void fall_due(std::size_t index, Time now);
  void miss(std::size_t index, gerbang_reason reason);
  bool given_up(const Health& health) const { return health.failures > settings_.retries; }
  void count_failure(Health& health, gerbang_reason reason, Time now) const;
  const Health& unit_of(const Entry& entry) const { return units_[entry.request.unit]; }
  // The health that decides: the unit's, or its own if that is worse.
  const Health& health_of(const Entry& entry) const;
  Time next_healthy_turn(const Entry& but) const;
  Time ready_at(std::size_t index) const;

  Settings settings_;
  driver::Schedule schedule_;
  std::vector<Turn> turns_;  // positions as in schedule_
  std::map<std::pair<std::uint8_t, Time>, std::size_t> turn_of_;
  std::vector<Entry> entries_;
  std::array<Health, 256> units_{};
  // What an answer looks like: unit, table, bytes of data. A unit is confusable when two of its
  // requests look alike and answers carry no number.
  std::set<std::tuple<std::uint8_t, Table, std::size_t>> shapes_;
  std::array<bool, 256> confusable_{};
  std::array<std::vector<std::size_t>, 256> probes_of_{};
  LateAnswers late_;
  std::array<Time, 256> late_until_{}, doubted_until_{};
  std::vector<Missing> missing_;
  std::uint64_t skipped_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace gerbang::modbus
