// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/message.hpp"
#include "core/token_bucket.hpp"

namespace gerbang {

struct UplinkLimits {
  unsigned in_flight = 20;      // messages; the broker's Receive Maximum may make it less
  unsigned backlog_rate = 200;  // messages a second of the backlog; 0: no limit
  std::size_t in_flight_bytes = 512u << 10;  // but always one message
  std::size_t ahead_messages = 256;          // pulled and not yet sent, each lane
  std::size_t ahead_bytes = 1u << 20;
  std::chrono::seconds ack_timeout{15};      // of the oldest in flight, beside its time on the line
  std::chrono::seconds connect_timeout{35};  // the library's own, and a dead resolver
  std::chrono::milliseconds backoff_min{1'000}, backoff_max{300'000};  // waits of 1 to 2 s first
  std::chrono::seconds stable{30};  // a connection that lasted this long was a good one
  int tries = 3;                    // of a message that the broker will not take
};

// What an uplink does next: which messages, in which order, when to connect, what an
// acknowledgement means. Pure: time and randomness are arguments, the shell does the work.
//
// Progress counts in epochs. One begins with each connection; what is not acknowledged then is
// unsent, whatever the MQTT library may still say of it. An acknowledgement that comes late counts
// all the same: the broker has the message.
//
// Order: documents (state, description), then the urgent lane, then live messages (made since the
// connection came up), then the backlog, oldest first, at a bounded rate and leaving four places of
// the window to the others.
//
// After a loss the window begins with four messages and opens with the answers: what the other side
// did not like is then among few, and the answers to those before it have arrived. A line that
// lives for one answer only still takes these four.
//
// A message that ends the connection each time it is sent ("poison": too large for a broker that
// cannot say so, or of a topic that is not ours) is told from a bad line like this: having been in
// flight at two losses in a row, it goes alone, behind the others; after three such losses it is
// set aside. After each of them it waits for a connection that has taken more messages and lived
// twice as long without it: a broker or a line that ends every connection after some messages or
// some time, whatever they carry, gives none, and nothing is set aside; only of a line that breaks
// at random every few answers a message may have such luck three times. Messages of its topic go
// alone too, behind the others and each later, until one of them was taken; a connection that ends
// without one of them in flight speaks for them. They are few in memory: the others stay in the
// store.
class UplinkMachine {
 public:
  enum class Link { down, connecting, up };
  enum class Rank { document, urgent, live, backlog };
  enum class Loss {
    peer,      // the broker, or the line
    host,      // the host process died
    watchdog,  // we ended it: nothing was acknowledged any more
    replaced,  // another client with our identifier
  };

  struct Outgoing {
    std::uint64_t id = 0;
    Rank rank = Rank::live;
    bool historical = false;
    Message message;  // sequence 0: a document; empty body: empties the retained topic
  };

  // Messages wanted from the outbox: of one lane, above < sequence < below.
  struct Want {
    std::uint64_t epoch = 0, news = 0;
    Rank rank = Rank::live;
    Lane lane = Lane::live;
    std::int64_t above = 0, below = 0;
    std::size_t limit = 0, max_bytes = 0;
  };

  struct Verdict {
    enum Kind {
      nothing,       // known already, or to be sent again
      acknowledged,  // done
      set_aside,     // will not be sent again
    } kind = nothing;
    std::int64_t sequence = 0;  // 0: a document
    bool unheard = false;       // the broker said that nobody listens
    std::string topic, reason;  // reason: of set_aside
  };

  struct Counts {
    std::uint64_t epochs = 0, sent = 0, acknowledged = 0, unheard = 0, set_aside = 0;
    std::uint64_t sent_again = 0;  // after a refusal
    std::uint64_t late = 0;        // acknowledged after their connection had ended
  };

  explicit UplinkMachine(const UplinkLimits& limits);

  // -- the connection
  Link link() const { return link_; }
  bool connect_due(BootTime now) const { return link_ == Link::down && now >= connect_at_; }
  void on_connecting(BootTime now);
  // Not while the link is up. newest: the last sequence number of the outbox; what comes after it
  // is live. 0 of the others: not said by the broker.
  void on_up(BootTime now, unsigned receive_max, std::size_t max_packet, std::int64_t newest);
  // unit: a random number in [0, 1), the jitter.
  void on_down(BootTime now, Loss loss, double unit);
  // True if the connection must be ended: an attempt without an answer, or silence.
  bool stalled(BootTime now) const;

  // -- what to send
  // A message outside the proof; the newest of a topic replaces the one that waits. Forgotten when
  // the connection ends.
  void put_document(Message document);
  void on_new_messages();
  // nullopt: enough is here, or nothing more is known to wait.
  std::optional<Want> want() const;
  // What was pulled for `want`, in order of sequence. Messages of an ended epoch are ignored.
  void offer(const Want& want, std::vector<Message> messages);

  // The next message to send, which counts as in flight from now on; null: none now. Valid until
  // the next call. The caller answers with sent() or unsendable().
  const Outgoing* next(BootTime now);
  void sent(std::uint64_t id, std::size_t packet_bytes, BootTime now);
  Verdict unsendable(std::uint64_t id, std::string reason);

  // code: of MQTT 5; 0 of 3.1.1.
  Verdict on_acked(std::uint64_t id, unsigned code, BootTime now);

  // Messages that were set aside without the caller's doing, since the last call: after on_down()
  // and next().
  std::vector<Verdict> take_set_aside() { return std::exchange(set_aside_, {}); }

  // When the shell must look again although nothing happened.
  std::optional<BootTime> wake(BootTime now);

  std::size_t in_flight() const { return flight_.size(); }
  std::size_t max_packet() const { return max_packet_; }  // bytes; 0: no limit known
  const Counts& counts() const { return counts_; }

 private:
  struct Flight {
    Outgoing out;
    std::size_t bytes = 0;
    BootTime since{}, deadline{};
    bool settled = false;  // a late acknowledgement of an older sending came meanwhile
    bool alone = false;
    bool overtaken = false;  // a document; what its topic says now went out after it
  };
  struct Queue {
    std::deque<Message> waiting;
    std::size_t bytes = 0;  // of the bodies
    std::int64_t above = 0, below = 0;
    bool exhausted = true;  // nothing more is known to wait
    bool had_all = false;   // at its last pull, and the backlog was not pulled since
  };
  struct Retry {
    Outgoing out;
    BootTime at{};
    bool hopeless = false;
  };
  struct Tries {
    int refused = 0;                        // by the broker
    int lost = 0, lost_alone = 0;           // connection losses that found it in flight
    std::uint64_t after_answers = 1;        // alone not before so many PUBACKs of the connection,
    std::chrono::nanoseconds after_time{};  // nor so long after its begin
    std::uint64_t accepted_then = 0;        // counts_.acknowledged at the last refusal
  };

  unsigned window() const;
  unsigned backlog_window() const;
  Queue& queue(Rank rank) { return queues_[static_cast<std::size_t>(rank)]; }
  const Queue& queue(Rank rank) const { return queues_[static_cast<std::size_t>(rank)]; }
  std::int64_t key_of(const Message& message);
  Tries& tries(std::int64_t key);
  const Tries& tried(const Message& message);
  bool suspect(const Message& message);
  // When a suspect may go alone; nullopt: not before more was acknowledged.
  std::optional<BootTime> trial_at(const Outgoing& suspect);
  bool trial_due(const Outgoing& suspect, BootTime now);
  // The first that may now; where nothing else waits, also one that was never lost alone.
  std::optional<Outgoing> take_suspect(BootTime now, bool nothing_else);

  std::optional<Outgoing> pick(BootTime now);
  std::optional<Outgoing> pick_of(Rank rank, BootTime now);
  std::optional<Outgoing> take(Rank rank, BootTime now);
  bool room_for_suspects(Rank rank) const;
  void release(const std::string& topic);
  Flight remove(std::map<std::uint64_t, Flight>::iterator at);

  Verdict late(std::uint64_t id, unsigned code);
  Verdict accepted(const Flight& flight, unsigned code);
  Verdict refused(Flight flight, unsigned code, BootTime now);
  Verdict aside(const Message& message, std::string reason);
  void pause(BootTime now);
  void forget_waiting(std::int64_t sequence);
  void overtake_documents(const std::string& topic);
  void count_losses(BootTime now, BootTime up_at, Loss loss);
  void excuse_waiting();
  void close_topic(const std::string& topic, BootTime now, std::string reason);
  bool drop_of_closed_topic(Queue& from, BootTime now);

  UplinkLimits limits_;
  Link link_ = Link::down;
  BootTime connect_at_{}, since_{};  // since_: of the present state of the link
  Backoff backoff_;
  unsigned failures_ = 0;     // in a row
  BootTime trouble_since_{};  // the first of them
  unsigned receive_max_ = 0;
  unsigned opened_;  // messages; the window since the last loss
  std::size_t max_packet_ = 0;
  std::int64_t newest_at_up_ = 0;
  std::uint64_t answered_ = 0;  // PUBACKs of this epoch, of whatever code
  std::optional<std::pair<std::int64_t, BootTime>> refused_last_;  // in this epoch: its key, when

  std::uint64_t next_id_ = 1, news_ = 0;
  std::map<std::uint64_t, Flight> flight_;  // by id: in the order of sending
  std::size_t flight_bytes_ = 0;
  unsigned backlog_in_flight_ = 0;
  bool alone_in_flight_ = false;
  std::map<std::int64_t, std::uint64_t> older_;  // sequence → id, of ended epochs; bounded
  std::set<std::int64_t> late_;                  // acknowledged late in this epoch

  std::array<Queue, 4> queues_;  // by rank
  std::vector<Retry> retries_;
  std::deque<Outgoing> suspects_;
  TokenBucket bucket_;
  BootTime pause_until_{};
  unsigned refusals_in_row_ = 0, pauses_in_row_ = 0;

  std::map<std::int64_t, Tries> tries_;                 // bounded
  std::map<std::string, std::int64_t> document_keys_;   // topic → a key below 0
  std::map<std::string, std::string> documents_aside_;  // topic → the body that was set aside
  struct Closed {
    BootTime until{};
    std::string reason;
  };
  std::map<std::string, Closed> closed_;        // topics; bounded
  std::map<std::string, int> poisoned_in_row_;  // topic → messages; bounded
  std::map<std::string, int> accused_;          // topic → losses alone in a row; bounded
  std::vector<Verdict> set_aside_;
  Counts counts_;
};

}  // namespace gerbang
