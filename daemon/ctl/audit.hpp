// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/message.hpp"
#include "wire/envelope.hpp"

namespace gerbang::ctl {

// Proves from what a subscriber received whether anything is missing. Pure; feed it every message
// that was delivered live (not the retained copies that a broker sends at subscription).
//
// Two rules. A receiver of everything looks at `sequence`: within a stream there are no holes
// between the first and the last number seen, but for those that a Gap message gave up. A receiver
// of some topics looks at `previous`: the message before on the same topic must have come, unless
// it is older than the first one seen.
//
// Memory: one entry a message (about 100 bytes): a day of one gateway is some megabytes.
class Audit {
 public:
  enum class Rule { sequence, previous };
  explicit Audit(Rule rule) : rule_(rule) {}

  // `content` is the message without what may differ between two deliveries (published_at_ms,
  // historical). Messages with sequence 0 are outside the proof and ignored.
  void received(std::string_view topic, const wire::Source& source, std::string_view content);

  // A Gap message: these numbers will never come.
  void given_up(const std::string& stream, std::int64_t first, std::int64_t last);

  // A GatewayState message, also the copy that the broker kept: the newest counts. last_sequence:
  // of the newest message that the gateway had made.
  void state(const wire::Source& source, bool online, std::string_view reason,
             std::int64_t last_sequence);

  // Any message of a gateway, also a copy that the broker kept and one outside the proof.
  void heard() { ++heard_; }

  // The connection to the broker is lost at the end: what was sent since then is not known.
  void cut_off() { cut_off_ = true; }

  struct Range {
    std::int64_t first, last;
    friend bool operator==(const Range&, const Range&) = default;
  };
  struct Stream {
    std::string gateway, stream;
    std::int64_t first = 0, last = 0;     // sequence numbers seen
    std::uint64_t messages = 0;           // different ones
    std::uint64_t duplicates = 0;         // the same number and the same content again
    std::vector<std::int64_t> conflicts;  // the same number with another content: never right
    std::vector<Range> missing;           // neither received nor given up
    std::vector<Range> gaps;              // given up, as announced
  };
  // A gateway that was not connected at the end, and may hold messages that nobody has seen. One
  // that was stopped when all it had made had come is not meant.
  struct Away {
    std::string gateway, reason;  // "LOST", "STOPPED"
    bool all_along = false;       // it sent nothing meanwhile: perhaps it is no longer in service
  };
  struct Report {
    std::vector<Stream> streams;
    std::vector<Away> away;
    std::uint64_t heard = 0;  // messages of any kind; 0: there is nothing to judge
    bool cut_off = false;     // the connection to the broker was lost and did not come back
    bool flawless() const;    // nothing missing, no conflict, in what was heard
    bool all_there() const;   // every gateway that sent something was connected at the end
    bool complete() const;    // proven: flawless, something was heard, and to the end
    std::uint64_t missing() const;
  };
  Report report() const;

 private:
  struct Seen {
    std::size_t content;  // hash
    std::int64_t previous;
    std::string topic;
  };
  struct Track {
    std::string gateway;
    std::map<std::int64_t, Seen> seen;
    std::vector<Range> gaps;
    std::uint64_t duplicates = 0;
    std::set<std::int64_t> conflicts;
  };
  std::vector<Range> missing_by_sequence(const Track& track) const;
  std::vector<Range> missing_by_previous(const Track& track) const;

  struct State {
    Away said;
    std::string stream;
    std::int64_t last_sequence = 0;
  };
  bool has_all(const State& state) const;

  Rule rule_;
  std::map<std::string, State> offline_;  // by region/site/gateway
  std::map<std::string, Track> streams_;
  std::uint64_t heard_ = 0;
  bool cut_off_ = false;
};

}  // namespace gerbang::ctl
