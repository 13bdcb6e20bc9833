// SPDX-License-Identifier: Apache-2.0
//
// Messages that some uplink still has to send, their topics, and what each uplink is done with.
// Runs on the store's thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "store/group.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store {

class Outbox {
 public:
  static constexpr int kMaxUplinks = 32;

  Result<void> prepare(sql::Database& db);
  Result<void> load(Sequence last_sequence);

  // ---- within a transaction; after a failure load() again ----

  // Gives the message the next sequence number. Without a wanting uplink there is no row, but the
  // number is used: a sequence has no holes that depend on the configuration.
  Result<Sequence> add(const NewMessage& message);
  // Clears bits; reports that name no waiting message are ignored (an acknowledgement came twice).
  // Returns the numbers that some uplink's broker refused, in order, without announcements: one
  // that cannot be said is not said again.
  Result<std::vector<Sequence>> apply(const std::vector<Done>& dones);
  // Writes what add and apply changed in the tables of uplinks and topics.
  Result<void> save();
  Result<std::vector<int>> declare(const std::vector<std::string>& names);
  // In an empty outbox: the same uplinks with the same bits, and nothing waits.
  Result<void> adopt(const std::map<int, std::string>& uplinks);
  // A new stream: rows that wait are numbered from 1 again.
  Result<void> renumber();

  // Gives up at most `most` of the oldest messages, urgent ones last, and announces each run of
  // them by a message on the topic `gap`, which says what earlier announcements said that go with
  // them. Returns how many went.
  struct Drop {
    std::size_t most = 0;
    std::string stream, reason;
    std::int64_t now_ms = 0;
    const std::function<std::string(const Lost&)>& gap_body;
  };
  Result<std::size_t> drop_oldest(const Drop& how);

  // Announces messages of this stream that an uplink gave up, as drop_oldest() does; another
  // uplink may have delivered them, or will.
  Result<void> give_up(std::vector<Sequence> lost, const Drop& how);

  // The message of this number announces that.
  Result<void> remember(Sequence sequence, const Lost& lost);
  // Tells everybody that these will never come.
  Result<void> announce(const Lost& lost, std::int64_t now_ms, const std::string& body);

  // ---- at any time ----

  Sequence last_sequence() const { return last_sequence_; }
  std::map<int, UplinkCounts> counts() const;
  std::map<int, std::string> names() const;
  // Messages that waited for uplinks which left the configuration, by their name.
  const std::map<std::string, std::uint64_t>& removed() const { return removed_; }
  Result<std::vector<Message>> pull(const Pull& what);

 private:
  struct Topic {
    std::int64_t id = 0;
    std::string name;
    Sequence last = 0, last_retainable = 0;
    bool changed = false;
  };
  struct Uplink {
    std::string name;
    UplinkCounts counts;
    Sequence oldest = 0;  // the oldest waiting message; 0: none
    bool changed = false;
  };

  struct Row {
    Sequence sequence = 0;
    std::uint64_t pending = 0;
    std::int64_t made_ms = 0;
  };

  Result<void> prepare_drop(sql::Database& db);
  Result<void> load_gaps();
  Topic& topic(const std::string& name);
  Result<void> find_oldest(int bit, Uplink& uplink, Sequence above);
  Result<void> remove(int bit);
  // True: a broker refused it.
  Result<bool> finish(Sequence sequence, const std::vector<const Done*>& reports);
  void count(int bit, Uplink& uplink, Outcome outcome, const std::string& reason);
  Result<void> erase(Sequence sequence);
  Result<void> find_oldest_again();
  Result<void> drop(const Row& row, const std::string& reason);
  Result<void> announce_all(const std::vector<Lost>& runs, const Drop& how);
  Result<std::vector<Lost>> runs_of(std::vector<Lost> lost, const std::string& stream);

  std::vector<Topic> topics_;  // by id, which is 1, 2, 3 …
  std::unordered_map<std::string, std::size_t> topic_index_;
  std::map<int, Uplink> uplinks_;
  std::map<std::string, std::uint64_t> changed_counters_, removed_;
  std::map<Sequence, Lost> gaps_;  // announcements that wait, by their own number
  Sequence last_sequence_ = 0;

  sql::Statement all_gaps_, put_gap_, delete_gap_, clean_gaps_, oldest_live_, oldest_any_, between_;
  sql::Statement insert_, pending_, clear_, delete_, all_, urgent_, other_, oldest_;
  sql::Statement drop_only_, drop_bit_, count_bit_, every_, move_;
  sql::Statement all_topics_, put_topic_, all_uplinks_, put_uplink_, delete_uplink_;
  sql::Statement all_counters_, put_counter_, delete_counters_;
};

}  // namespace gerbang::store
