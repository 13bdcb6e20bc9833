// SPDX-License-Identifier: Apache-2.0
#include "store/outbox.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "observe/log.hpp"
#include "store/check.hpp"

namespace gerbang::store {
namespace {

std::uint64_t mask_of(int bit) {
  return std::uint64_t{1} << bit;
}
// Counters of an uplink: uplink/BIT/OUTCOME/REASON.
std::string counter_prefix(int bit) {
  return "uplink/" + std::to_string(bit) + "/";
}
// Messages that waited for an uplink when it left the configuration: removed/NAME.
constexpr std::string_view kRemoved = "removed/";
constexpr std::size_t kMaxReasons = 64;  // of one uplink; further ones count as "other"

}  // namespace

Result<void> Outbox::prepare(sql::Database& db) {
  const std::string row =
      "SELECT sequence, previous, topic, kind, lane, retain, made_ms, body FROM outbox ";
  const std::string between = "sequence > ?1 AND sequence < ?2 AND pending & ?3 ORDER BY sequence";
  STORE_TRY(db.prepare(insert_, "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(pending_, "SELECT pending FROM outbox WHERE sequence = ?"));
  STORE_TRY(db.prepare(clear_, "UPDATE outbox SET pending = ?2 WHERE sequence = ?1"));
  STORE_TRY(db.prepare(delete_, "DELETE FROM outbox WHERE sequence = ?"));
  STORE_TRY(db.prepare(all_, row + "WHERE " + between));
  STORE_TRY(db.prepare(urgent_, row + "INDEXED BY outbox_urgent WHERE lane = 0 AND " + between));
  STORE_TRY(db.prepare(other_, row + "WHERE lane = ?4 AND " + between));
  STORE_TRY(db.prepare(oldest_,
                       "SELECT sequence, made_ms FROM outbox WHERE sequence > ? AND pending & ?"
                       " ORDER BY sequence LIMIT 1"));
  STORE_TRY(db.prepare(count_bit_, "SELECT count(*) FROM outbox WHERE pending & ?"));
  STORE_TRY(db.prepare(drop_only_, "DELETE FROM outbox WHERE pending = ?"));
  STORE_TRY(db.prepare(drop_bit_, "UPDATE outbox SET pending = pending & ~?1 WHERE pending & ?1"));
  STORE_TRY(db.prepare(every_,
                       "SELECT sequence, topic, retain FROM outbox WHERE sequence > ?"
                       " ORDER BY sequence LIMIT 10000"));
  STORE_TRY(
      db.prepare(move_, "UPDATE outbox SET sequence = ?2, previous = ?3 WHERE sequence = ?1"));
  STORE_TRY(
      db.prepare(all_topics_, "SELECT id, name, last, last_retainable FROM topic ORDER BY id"));
  STORE_TRY(db.prepare(put_topic_, "INSERT OR REPLACE INTO topic VALUES (?, ?, ?, ?)"));
  STORE_TRY(db.prepare(all_uplinks_,
                       "SELECT bit, name, made, acknowledged, refused, dropped, filtered, upto"
                       " FROM uplink"));
  STORE_TRY(
      db.prepare(put_uplink_, "INSERT OR REPLACE INTO uplink VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(delete_uplink_, "DELETE FROM uplink WHERE bit = ?"));
  STORE_TRY(db.prepare(all_counters_, "SELECT name, value FROM counter WHERE name GLOB ?"));
  STORE_TRY(db.prepare(put_counter_, "INSERT OR REPLACE INTO counter VALUES (?, ?)"));
  STORE_TRY(db.prepare(delete_counters_, "DELETE FROM counter WHERE name GLOB ? || '*'"));
  return prepare_drop(db);
}

Result<void> Outbox::load(Sequence last_sequence) {
  last_sequence_ = last_sequence;
  topics_.clear();
  topic_index_.clear();
  uplinks_.clear();
  changed_counters_.clear();
  removed_.clear();
  bool dense = true;
  auto take_topic = [&](const sql::Row& row) {
    Topic t;
    t.id = row.integer(0);
    t.name = row.text(1);
    t.last = row.integer(2);
    t.last_retainable = row.integer(3);
    topic_index_[t.name] = topics_.size();
    topics_.push_back(std::move(t));
    return dense = topics_.back().id == static_cast<std::int64_t>(topics_.size());
  };
  STORE_TRY(all_topics_.rows(take_topic));
  if (!dense) return fail(errc::damaged, "topics are not numbered 1, 2, 3 …");

  auto take_uplink = [&](const sql::Row& row) {
    auto bit = static_cast<int>(row.integer(0));
    if (bit < 0 || bit >= kMaxUplinks) return dense = false;
    Uplink& u = uplinks_[bit];
    u.name = row.text(1);
    auto count = [&](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
    u.counts.made = count(2);
    u.counts.acknowledged = count(3);
    u.counts.refused = count(4);
    u.counts.dropped = count(5);
    u.counts.filtered = count(6);
    u.counts.acknowledged_sequence = row.integer(7);
    return true;
  };
  STORE_TRY(all_uplinks_.rows(take_uplink));
  if (!dense) return fail(errc::damaged, "an uplink has an impossible bit");

  auto take_removed = [&](const sql::Row& row) {
    removed_[std::string(row.text(0).substr(kRemoved.size()))] =
        static_cast<std::uint64_t>(row.integer(1));
    return true;
  };
  STORE_TRY(all_counters_.rows(take_removed, "removed/*"));
  auto take_counter = [&](const sql::Row& row) {
    std::string_view name = row.text(0).substr(sizeof("uplink/") - 1);
    int bit = -1;
    auto end = std::from_chars(name.data(), name.data() + name.size(), bit).ptr;
    auto at = static_cast<std::size_t>(end - name.data()) + 1;
    auto found = uplinks_.find(bit);
    if (found != uplinks_.end() && at < name.size())
      found->second.counts.reasons[std::string(name.substr(at))] =
          static_cast<std::uint64_t>(row.integer(1));
    return true;
  };
  STORE_TRY(all_counters_.rows(take_counter, "uplink/*"));
  for (auto& [bit, uplink] : uplinks_)
    STORE_TRY(find_oldest(bit, uplink, uplink.counts.acknowledged_sequence));
  for (auto& [bit, uplink] : uplinks_) uplink.changed = false;
  return load_gaps();
}

Result<void> Outbox::find_oldest(int bit, Uplink& uplink, Sequence above) {
  UplinkCounts& c = uplink.counts;
  c.waiting = c.made - c.acknowledged - c.refused - c.dropped - c.filtered;
  uplink.oldest = 0;
  c.oldest_waiting_ms = 0;
  auto take = [&](const sql::Row& row) {
    uplink.oldest = row.integer(0);
    c.oldest_waiting_ms = row.integer(1);
    return false;
  };
  if (c.waiting > 0) STORE_TRY(oldest_.rows(take, above, mask_of(bit)));
  c.acknowledged_sequence = uplink.oldest != 0 ? uplink.oldest - 1 : last_sequence_;
  uplink.changed = true;
  return {};
}

Outbox::Topic& Outbox::topic(const std::string& name) {
  auto [it, is_new] = topic_index_.emplace(name, topics_.size());
  if (is_new) {
    Topic t;
    t.id = static_cast<std::int64_t>(topics_.size() + 1);
    t.name = name;
    topics_.push_back(std::move(t));
  }
  return topics_[it->second];
}

Result<Sequence> Outbox::add(const NewMessage& m) {
  Sequence sequence = ++last_sequence_;
  Topic& t = topic(m.topic);
  std::uint64_t pending = 0;
  for (auto& [bit, uplink] : uplinks_) {
    UplinkCounts& c = uplink.counts;
    uplink.changed = true;
    ++c.made;
    if ((m.uplinks & mask_of(bit)) == 0) {
      ++c.filtered;
    } else {
      pending |= mask_of(bit);
      ++c.waiting;
      if (uplink.oldest == 0) {
        uplink.oldest = sequence;
        c.oldest_waiting_ms = m.made_ms;
      }
    }
    c.acknowledged_sequence = uplink.oldest != 0 ? uplink.oldest - 1 : sequence;
  }
  if (pending != 0)
    STORE_TRY(insert_.run(sequence, pending, t.last, t.id, m.kind, m.lane, m.retainable, m.made_ms,
                          sql::Blob{m.body}));
  t.last = sequence;
  if (m.retainable) t.last_retainable = sequence;
  t.changed = true;
  return sequence;
}

Result<std::vector<Sequence>> Outbox::apply(const std::vector<Done>& dones) {
  std::vector<Sequence> refused;
  if (dones.empty()) return refused;
  std::map<Sequence, std::vector<const Done*>> by_sequence;
  for (const auto& done : dones) by_sequence[done.sequence].push_back(&done);
  for (const auto& [sequence, reports] : by_sequence) {
    const bool announces = gaps_.contains(sequence);
    auto finished = finish(sequence, reports);
    STORE_TRY(finished);
    if (*finished && !announces) refused.push_back(sequence);
  }
  STORE_TRY(find_oldest_again());
  return refused;
}

// Where oldest was set to -1 because it is gone.
Result<void> Outbox::find_oldest_again() {
  for (auto& [bit, uplink] : uplinks_)
    if (uplink.oldest < 0) STORE_TRY(find_oldest(bit, uplink, uplink.counts.acknowledged_sequence));
  return {};
}

// The uplink is done with one message.
void Outbox::count(int bit, Uplink& uplink, Outcome outcome, const std::string& why) {
  UplinkCounts& c = uplink.counts;
  --c.waiting;
  uplink.changed = true;
  if (outcome == Outcome::acknowledged) {
    ++c.acknowledged;
    return;
  }
  bool refused = outcome == Outcome::refused;
  ++(refused ? c.refused : c.dropped);
  std::string reason = std::string(refused ? "refused/" : "dropped/") + why;
  if (c.reasons.size() >= kMaxReasons && c.reasons.count(reason) == 0)
    reason = refused ? "refused/other" : "dropped/other";
  changed_counters_[counter_prefix(bit) + reason] = ++c.reasons[reason];
}

Result<void> Outbox::erase(Sequence sequence) {
  if (gaps_.erase(sequence) > 0) STORE_TRY(delete_gap_.run(sequence));
  return delete_.run(sequence);
}

Result<bool> Outbox::finish(Sequence sequence, const std::vector<const Done*>& reports) {
  std::uint64_t pending = 0;
  auto take = [&](const sql::Row& row) {
    pending = static_cast<std::uint64_t>(row.integer(0));
    return false;
  };
  STORE_TRY(pending_.rows(take, sequence));
  std::uint64_t left = pending;
  bool refused = false;
  for (const Done* done : reports) {
    auto found = uplinks_.find(done->bit);
    if (found == uplinks_.end() || (left & mask_of(done->bit)) == 0) continue;
    left &= ~mask_of(done->bit);
    if (found->second.oldest == sequence) found->second.oldest = -1;
    count(done->bit, found->second, done->outcome, done->reason);
    refused = refused || done->outcome == Outcome::refused;
  }
  if (left == pending) return false;
  STORE_TRY(left == 0 ? erase(sequence) : clear_.run(sequence, left));
  return refused;
}

Result<void> Outbox::save() {
  for (auto& t : topics_) {
    if (!t.changed) continue;
    STORE_TRY(put_topic_.run(t.id, t.name, t.last, t.last_retainable));
    t.changed = false;
  }
  for (auto& [bit, u] : uplinks_) {
    if (!u.changed) continue;
    const UplinkCounts& c = u.counts;
    STORE_TRY(put_uplink_.run(bit, u.name, c.made, c.acknowledged, c.refused, c.dropped, c.filtered,
                              c.acknowledged_sequence));
    u.changed = false;
  }
  for (const auto& [name, value] : changed_counters_) STORE_TRY(put_counter_.run(name, value));
  changed_counters_.clear();
  return {};
}

Result<void> Outbox::remove(int bit) {
  const Uplink& uplink = uplinks_[bit];
  if (std::uint64_t waiting = uplink.counts.waiting; waiting > 0) {
    spdlog::warn("uplink {} is no longer configured: messages that waited for it are dropped n={}",
                 uplink.name, waiting);
    changed_counters_[std::string(kRemoved) + uplink.name] = removed_[uplink.name] += waiting;
  }
  STORE_TRY(drop_only_.run(mask_of(bit)));
  STORE_TRY(drop_bit_.run(mask_of(bit)));
  STORE_TRY(delete_uplink_.run(bit));
  uplinks_.erase(bit);
  return {};
}

Result<std::vector<int>> Outbox::declare(const std::vector<std::string>& names) {
  std::set<std::string> wanted(names.begin(), names.end());
  if (wanted.size() != names.size())
    return fail(std::errc::invalid_argument, "two uplinks have the same name");
  if (names.size() > static_cast<std::size_t>(kMaxUplinks))
    return fail(std::errc::invalid_argument,
                "at most " + std::to_string(kMaxUplinks) + " uplinks can be configured");
  std::vector<int> gone;
  for (const auto& [bit, uplink] : uplinks_)
    if (wanted.count(uplink.name) == 0) gone.push_back(bit);
  for (int bit : gone) STORE_TRY(remove(bit));
  if (!gone.empty()) {
    STORE_TRY(clean_gaps_.run());
    STORE_TRY(load_gaps());
  }

  std::vector<int> bits;
  for (const auto& name : names) {
    auto has = std::find_if(uplinks_.begin(), uplinks_.end(),
                            [&](const auto& entry) { return entry.second.name == name; });
    int bit = 0;
    if (has != uplinks_.end()) {
      bit = has->first;
    } else {
      while (uplinks_.count(bit) != 0) ++bit;
      STORE_TRY(delete_counters_.run(counter_prefix(bit)));
      Uplink& uplink = uplinks_[bit];
      uplink.name = name;
      uplink.counts.acknowledged_sequence = last_sequence_;
      uplink.changed = true;
    }
    bits.push_back(bit);
  }
  STORE_TRY(save());
  return bits;
}

Result<void> Outbox::adopt(const std::map<int, std::string>& uplinks) {
  for (const auto& [bit, name] : uplinks) {
    uplinks_[bit].name = name;
    uplinks_[bit].changed = true;
  }
  return save();
}

Result<void> Outbox::renumber() {
  struct Waiting {
    Sequence sequence;
    std::int64_t topic;
    bool retain;
  };
  for (auto& t : topics_) {
    t.last = t.last_retainable = 0;
    t.changed = true;
  }
  last_sequence_ = 0;
  std::map<Sequence, Lost> moved;
  std::vector<Waiting> rows;
  Sequence above = 0;
  do {
    rows.clear();
    auto take = [&](const sql::Row& row) {
      rows.push_back({row.integer(0), row.integer(1), row.integer(2) != 0});
      return true;
    };
    STORE_TRY(every_.rows(take, above));
    for (const auto& row : rows) {
      above = row.sequence;
      if (row.topic < 1 || row.topic > static_cast<std::int64_t>(topics_.size()))
        return fail(errc::damaged, "a message of an unknown topic");
      Topic& t = topics_[static_cast<std::size_t>(row.topic - 1)];
      Sequence sequence = ++last_sequence_;  // never above the number it replaces
      STORE_TRY(move_.run(row.sequence, sequence, t.last));
      if (auto gap = gaps_.extract(row.sequence)) {
        STORE_TRY(delete_gap_.run(row.sequence));
        gap.key() = sequence;
        const Lost& lost = gap.mapped();
        STORE_TRY(
            put_gap_.run(sequence, lost.stream, lost.first, lost.last, lost.reason, lost.count));
        moved.insert(std::move(gap));
      }
      t.last = sequence;
      if (row.retain) t.last_retainable = sequence;
    }
  } while (!rows.empty());
  gaps_ = std::move(moved);
  for (auto& [bit, uplink] : uplinks_) {
    std::uint64_t waiting = 0;
    auto take = [&](const sql::Row& row) {
      waiting = static_cast<std::uint64_t>(row.integer(0));
      return false;
    };
    STORE_TRY(count_bit_.rows(take, mask_of(bit)));
    uplink.counts = UplinkCounts();
    uplink.counts.made = waiting;
    STORE_TRY(delete_counters_.run(counter_prefix(bit)));
    STORE_TRY(find_oldest(bit, uplink, 0));
  }
  return save();
}

std::map<int, UplinkCounts> Outbox::counts() const {
  std::map<int, UplinkCounts> out;
  for (const auto& [bit, uplink] : uplinks_) out[bit] = uplink.counts;
  return out;
}

std::map<int, std::string> Outbox::names() const {
  std::map<int, std::string> out;
  for (const auto& [bit, uplink] : uplinks_) out[bit] = uplink.name;
  return out;
}

Result<std::vector<Message>> Outbox::pull(const Pull& what) {
  std::vector<Message> out;
  auto uplink = uplinks_.find(what.bit);
  if (uplink == uplinks_.end() || uplink->second.counts.waiting == 0) return out;
  std::size_t limit = std::max<std::size_t>(what.limit, 1);
  std::size_t bytes = 0;
  auto take = [&](const sql::Row& row) {
    std::string_view body = row.blob(7);
    if (!out.empty() && bytes + body.size() > what.max_bytes) return false;
    bytes += body.size();
    Message m;
    m.sequence = row.integer(0);
    m.previous = row.integer(1);
    auto topic = static_cast<std::size_t>(row.integer(2) - 1);
    if (topic < topics_.size()) {
      m.topic = topics_[topic].name;
      m.retain = row.integer(5) != 0 && topics_[topic].last_retainable == m.sequence;
    }
    m.kind = static_cast<MessageKind>(row.integer(3));
    m.lane = static_cast<Lane>(row.integer(4));
    m.made_ms = row.integer(6);
    m.body = body;
    out.push_back(std::move(m));
    return out.size() < limit && bytes < what.max_bytes;
  };
  // What lies below was done long ago: skipping it keeps the first pull after a start cheap.
  Sequence above = std::max(what.above, uplink->second.counts.acknowledged_sequence);
  std::uint64_t mask = mask_of(what.bit);
  if (!what.lane)
    STORE_TRY(all_.rows(take, above, what.below, mask));
  else if (*what.lane == Lane::urgent)
    STORE_TRY(urgent_.rows(take, above, what.below, mask));
  else
    STORE_TRY(other_.rows(take, above, what.below, mask, *what.lane));
  return out;
}

}  // namespace gerbang::store
