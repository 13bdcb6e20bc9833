// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.hpp"
#include "store/types.hpp"

namespace gerbang::pipeline {

// What became of events since the stream began: taken = stored + refused + waiting.
struct EventLedger {
  std::uint64_t taken = 0, stored = 0;
  std::map<std::string, std::uint64_t> refused;  // "kind", "kinds", "own_kind", "time", "no_room"
};

// Events between those who report them and the store. Checks, names and counts them, and holds a
// bounded number while the store is slow: then the oldest go. Pure: no clock, no files.
class EventDesk {
 public:
  static constexpr std::size_t kMostWaiting = 256;
  // Of drivers: each is a topic that the store remembers for ever.
  static constexpr std::size_t kMostKinds = 24;
  static constexpr std::size_t kMostValues = 64, kMostText = 1024;

  struct Now {
    std::int64_t boot_ns = 0;
    const store::Epoch& epoch;
  };
  // The row to store, which waits from now on; nullptr: refused and counted. An id is 16 random hex
  // digits, drawn once.
  const store::EventRow* take(Event event, bool from_driver, const Now& now, std::string id);
  // Somebody else refused it.
  void refuse(const std::string& reason);

  // Those that wait. The caller hands them to the store and says what became of them.
  std::vector<store::EventRow> hand_over();
  void stored(std::size_t count) { handed_ -= count; }
  void put_back(std::vector<store::EventRow> rows);

  std::size_t waiting() const { return waiting_.size() + handed_; }
  bool any_waiting() const { return !waiting_.empty(); }
  EventLedger ledger() const;

  // What goes into the store with the rows that were handed over last; nullopt: as before.
  std::optional<std::string> changed_text();
  // At a start. False: not written by this class.
  bool load(std::string_view text);

 private:
  std::deque<store::EventRow> waiting_;
  std::size_t handed_ = 0;
  std::set<std::string, std::less<>> kinds_;  // of drivers
  EventLedger ledger_;                        // stored: what was handed over counts
  std::string text_;
};

}  // namespace gerbang::pipeline
