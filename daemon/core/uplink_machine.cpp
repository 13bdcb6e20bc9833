// SPDX-License-Identifier: Apache-2.0
#include "core/uplink_machine.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/mqtt_code.hpp"

namespace gerbang {
namespace {

using std::chrono::seconds;

constexpr std::size_t kSlowestLine = 2048;  // bytes a second that the watchdog still bears with
constexpr std::size_t kMaxRetries = 64;     // refused messages that wait for their next try
constexpr std::size_t kMaxOlder = 4096, kMaxTries = 4096;
constexpr int kPatience = 10;  // tries of a message that is refused while others are taken
constexpr seconds kLongestPause{60};
constexpr int kSuspicious = 2, kPoisonous = 3;
constexpr std::uint64_t kMostAnswers = 64;
constexpr std::size_t kMaxClosed = 256;  // topics
constexpr std::chrono::minutes kClosed{5};
constexpr std::size_t kMaxSuspects = 1024;  // of each rank; more stay where they are
constexpr unsigned kFirstWindow = 4;        // messages, after a loss
constexpr seconds kPoisonActs{5};  // a loss later than this after sending has another cause
constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

std::chrono::nanoseconds growing(int step) {
  return std::min(seconds(1) * (std::int64_t{1} << std::clamp(step, 0, 6)), kLongestPause);
}

}  // namespace

UplinkMachine::UplinkMachine(const UplinkLimits& limits)
    : limits_(limits),
      backoff_(limits.backoff_min * 2, limits.backoff_max),
      opened_(limits.in_flight),
      bucket_(limits.backlog_rate) {}

unsigned UplinkMachine::window() const {
  unsigned most = std::max(1u, std::min(limits_.in_flight, opened_));
  return receive_max_ == 0 ? most : std::min(most, receive_max_);
}

unsigned UplinkMachine::backlog_window() const {
  return window() > 4 ? window() - 4 : 1;
}

// ---- the connection -----------------------------------------------------------------------------

void UplinkMachine::on_connecting(BootTime now) {
  link_ = Link::connecting;
  since_ = now;
}

void UplinkMachine::on_up(BootTime now, unsigned receive_max, std::size_t max_packet,
                          std::int64_t newest) {
  if (link_ == Link::up) return;
  link_ = Link::up;
  since_ = now;
  receive_max_ = receive_max;
  max_packet_ = max_packet;
  newest_at_up_ = newest;
  answered_ = 0;
  refused_last_.reset();
  late_.clear();
  bucket_.reset(now);
  pause_until_ = {};
  refusals_in_row_ = pauses_in_row_ = 0;
  ++counts_.epochs;
  for (Queue& each : queues_) each = Queue();
  queue(Rank::urgent).below = kEnd;
  queue(Rank::live).above = newest;
  queue(Rank::live).below = kEnd;
  queue(Rank::backlog).below = newest + 1;
  queue(Rank::urgent).exhausted = queue(Rank::live).exhausted = false;
  queue(Rank::backlog).exhausted = newest == 0;
}

void UplinkMachine::on_down(BootTime now, Loss loss, double unit) {
  if (link_ == Link::down) return;
  bool was_up = link_ == Link::up;
  // One that was good for something; but two clients that take one session from each other must
  // not do so every second.
  if (was_up && (now - since_ >= limits_.stable || (answered_ > 0 && loss != Loss::replaced))) {
    backoff_.reset();
    failures_ = 0;
  }
  if (failures_ == 0) trouble_since_ = now;
  connect_at_ = now + backoff_.next(unit, now - trouble_since_);
  // A host that died says nothing of the broker.
  if (loss == Loss::host && failures_ == 0 && was_up) connect_at_ = now;
  ++failures_;
  link_ = Link::down;
  const BootTime up_at = std::exchange(since_, now);

  for (auto& [id, flight] : flight_)
    if (flight.out.message.sequence != 0 && !flight.settled)
      older_[flight.out.message.sequence] = id;
  while (older_.size() > kMaxOlder) older_.erase(older_.begin());
  count_losses(now, up_at, loss);
  flight_.clear();
  flight_bytes_ = 0;
  backlog_in_flight_ = 0;
  alone_in_flight_ = false;
  for (Queue& each : queues_) each = Queue();
  retries_.clear();
  suspects_.clear();
}

void UplinkMachine::count_losses(BootTime now, BootTime up_at, Loss loss) {
  // Our own watchdog and a second client say nothing about a message.
  if (loss != Loss::peer && loss != Loss::host) return;
  if (!flight_.empty()) opened_ = kFirstWindow;
  if (!alone_in_flight_) excuse_waiting();
  // It answered and then ended the connection over the same message.
  if (refused_last_ && now - refused_last_->second <= kPoisonActs)
    if (auto known = tries_.find(refused_last_->first); known != tries_.end()) ++known->second.lost;
  for (auto& [id, flight] : flight_) {
    if (flight.settled) continue;
    const Message& message = flight.out.message;
    Tries& counted = tries(key_of(message));
    if (++counted.lost < kSuspicious && !flight.alone) continue;
    if (accused_.size() >= kMaxClosed) accused_.clear();
    int& alone_in_row = accused_[message.topic];
    if (!flight.alone || now - flight.since > kPoisonActs) continue;
    ++alone_in_row;
    counted.after_answers = std::min(answered_ + 1, kMostAnswers);
    counted.after_time = std::min<std::chrono::nanoseconds>(2 * (now - up_at), kLongestPause);
    if (++counted.lost_alone < kPoisonous) continue;
    const char* reason = "the connection ended each time it was sent";
    set_aside_.push_back(aside(message, reason));
    if (poisoned_in_row_.size() >= kMaxClosed) poisoned_in_row_.clear();
    if (++poisoned_in_row_[message.topic] >= kPoisonous) close_topic(message.topic, now, reason);
  }
}

// The line broke without them: a line that never lives until their trial would lock them out.
void UplinkMachine::excuse_waiting() {
  std::set<std::string> topics;
  for (const Outgoing& out : suspects_) topics.insert(out.message.topic);
  for (const std::string& topic : topics)
    if (auto accused = accused_.find(topic); accused != accused_.end() && accused->second > 0)
      --accused->second;
}

void UplinkMachine::close_topic(const std::string& topic, BootTime now, std::string reason) {
  if (closed_.size() >= kMaxClosed) closed_.clear();
  closed_[topic] = Closed{now + kClosed, std::move(reason) + "; its topic is closed for a while"};
}

// True: the first message waiting was of one.
bool UplinkMachine::drop_of_closed_topic(Queue& from, BootTime now) {
  const Message& message = from.waiting.front();
  if (closed_.empty() || message.sequence == 0) return false;
  auto closed = closed_.find(message.topic);
  if (closed == closed_.end() || now >= closed->second.until) return false;
  set_aside_.push_back(aside(message, closed->second.reason));
  from.bytes -= std::min(from.bytes, message.body.size());
  from.waiting.pop_front();
  return true;
}

bool UplinkMachine::stalled(BootTime now) const {
  if (link_ == Link::connecting) return now - since_ >= limits_.connect_timeout;
  return link_ == Link::up && !flight_.empty() && now >= flight_.begin()->second.deadline;
}

// ---- what waits ---------------------------------------------------------------------------------

void UplinkMachine::put_document(Message document) {
  if (link_ != Link::up) return;
  auto aside = documents_aside_.find(document.topic);
  if (aside != documents_aside_.end() && aside->second == document.body) return;
  auto same_topic = [&](const Message& other) { return other.topic == document.topic; };
  std::erase_if(retries_, [&](const Retry& retry) {
    return retry.out.rank == Rank::document && same_topic(retry.out.message);
  });
  std::erase_if(suspects_, [&](const Outgoing& out) {
    return out.rank == Rank::document && same_topic(out.message);
  });
  auto& waiting = queue(Rank::document).waiting;
  auto older = std::find_if(waiting.begin(), waiting.end(), same_topic);
  if (older != waiting.end())
    *older = std::move(document);
  else
    waiting.push_back(std::move(document));
}

void UplinkMachine::on_new_messages() {
  ++news_;
  if (link_ != Link::up) return;
  queue(Rank::urgent).exhausted = queue(Rank::live).exhausted = false;
}

std::optional<UplinkMachine::Want> UplinkMachine::want() const {
  if (link_ != Link::up) return std::nullopt;
  auto wanting = [&](Rank rank) {
    const Queue& from = queue(rank);
    return !from.exhausted && from.waiting.size() <= limits_.ahead_messages / 2 &&
           from.bytes <= limits_.ahead_bytes / 2;
  };
  // News during each pull of a slow disk must not keep the ranks behind waiting for ever: one that
  // had all there was lets them pass once.
  std::optional<Rank> chosen;
  for (Rank rank : {Rank::urgent, Rank::live, Rank::backlog}) {
    if (!wanting(rank)) continue;
    if (!chosen) chosen = rank;
    if (queue(rank).had_all) continue;
    chosen = rank;
    break;
  }
  if (!chosen) return std::nullopt;
  const Queue& from = queue(*chosen);
  Want want;
  want.epoch = counts_.epochs;
  want.news = news_;
  want.rank = *chosen;
  want.lane = *chosen == Rank::urgent ? Lane::urgent : Lane::live;
  want.above = from.above;
  want.below = from.below;
  want.limit = std::max<std::size_t>(1, limits_.ahead_messages - from.waiting.size());
  want.max_bytes = limits_.ahead_bytes - from.bytes;
  return want;
}

void UplinkMachine::offer(const Want& want, std::vector<Message> messages) {
  if (link_ != Link::up || want.epoch != counts_.epochs) return;
  Queue& to = queue(want.rank);
  std::size_t bytes = 0, count = messages.size();
  for (Message& message : messages) {
    bytes += message.body.size();
    if (message.sequence <= to.above) continue;
    to.above = message.sequence;
    if (late_.count(message.sequence) > 0) continue;
    to.bytes += message.body.size();
    to.waiting.push_back(std::move(message));
  }
  // A pull that was far from its bounds has seen all there was. The backlog does not grow and is
  // asked until it is empty; the others are asked again with the next message in any case.
  bool all = count == 0 || (count < want.limit && bytes < want.max_bytes / 2);
  if (want.rank == Rank::backlog)
    queue(Rank::urgent).had_all = queue(Rank::live).had_all = false;
  else
    to.had_all = all;
  if (want.rank == Rank::backlog)
    to.exhausted = count == 0;
  else
    to.exhausted = all && want.news == news_;
}

void UplinkMachine::forget_waiting(std::int64_t sequence) {
  auto is = [&](const Message& message) { return message.sequence == sequence; };
  for (Queue& each : queues_) {
    auto at = std::find_if(each.waiting.begin(), each.waiting.end(), is);
    if (at == each.waiting.end()) continue;
    each.bytes -= at->body.size();
    each.waiting.erase(at);
  }
  std::erase_if(retries_, [&](const Retry& retry) { return is(retry.out.message); });
  std::erase_if(suspects_, [&](const Outgoing& out) { return is(out.message); });
}

// ---- sending ------------------------------------------------------------------------------------

const UplinkMachine::Outgoing* UplinkMachine::next(BootTime now) {
  if (link_ != Link::up || now < pause_until_ || alone_in_flight_) return nullptr;
  if (flight_.size() >= window()) return nullptr;
  if (!flight_.empty() && flight_bytes_ >= limits_.in_flight_bytes) return nullptr;
  // Suspects wait behind the others, but not for ever.
  const bool isolate = answered_ >= kMostAnswers &&
                       std::any_of(suspects_.begin(), suspects_.end(),
                                   [&](const Outgoing& out) { return trial_due(out, now); });
  if (isolate && !flight_.empty()) return nullptr;  // drain, then one alone
  auto picked = isolate ? std::nullopt : pick(now);
  bool alone = !picked && flight_.empty();
  if (alone) picked = take_suspect(now, !isolate);
  if (!picked) return nullptr;
  std::uint64_t id = next_id_++;
  Flight flight;
  flight.out = std::move(*picked);
  flight.out.id = id;
  flight.since = now;
  flight.deadline = now + limits_.ack_timeout;
  flight.alone = alone_in_flight_ = alone;
  backlog_in_flight_ += flight.out.rank == Rank::backlog;
  ++counts_.sent;
  return &flight_.emplace(id, std::move(flight)).first->second.out;
}

std::optional<UplinkMachine::Outgoing> UplinkMachine::pick(BootTime now) {
  for (Rank rank : {Rank::document, Rank::urgent, Rank::live, Rank::backlog})
    if (auto out = pick_of(rank, now)) return out;
  return std::nullopt;
}

std::optional<UplinkMachine::Outgoing> UplinkMachine::pick_of(Rank rank, BootTime now) {
  for (;;) {
    const auto& waiting = queue(rank).waiting;
    if (!waiting.empty() && suspect(waiting.front()) && !room_for_suspects(rank))
      return std::nullopt;
    auto out = take(rank, now);
    if (!out || !suspect(out->message)) return out;
    suspects_.push_back(std::move(*out));
  }
}

bool UplinkMachine::room_for_suspects(Rank rank) const {
  std::size_t count = 0, bytes = 0;
  for (const Outgoing& out : suspects_) {
    if (out.rank != rank) continue;
    ++count;
    bytes += out.message.body.size();
  }
  return count < kMaxSuspects && bytes < limits_.ahead_bytes;
}

// They go as all others do, in their order.
void UplinkMachine::release(const std::string& topic) {
  auto freed = std::stable_partition(suspects_.begin(), suspects_.end(), [&](const Outgoing& out) {
    return out.message.topic != topic || suspect(out.message);
  });
  for (auto out = suspects_.end(); out != freed;) {
    --out;
    Queue& to = queue(out->rank);
    to.bytes += out->message.body.size();
    to.waiting.push_front(std::move(out->message));
  }
  suspects_.erase(freed, suspects_.end());
}

std::optional<UplinkMachine::Outgoing> UplinkMachine::take(Rank rank, BootTime now) {
  if (rank == Rank::backlog && backlog_in_flight_ >= backlog_window()) return std::nullopt;
  // Those that will hardly be taken must not keep the ones behind them waiting.
  bool full = retries_.size() >= kMaxRetries;
  for (auto retry = retries_.begin(); retry != retries_.end(); ++retry) {
    if (retry->out.rank != rank || (retry->at > now && !(full && retry->hopeless))) continue;
    Outgoing out = std::move(retry->out);
    retries_.erase(retry);
    ++counts_.sent_again;
    return out;
  }
  Queue& from = queue(rank);
  while (!from.waiting.empty() && drop_of_closed_topic(from, now)) {
  }
  if (from.waiting.empty() || full) return std::nullopt;
  if (rank == Rank::backlog && !bucket_.take(now)) return std::nullopt;
  Outgoing out;
  out.rank = rank;
  out.message = std::move(from.waiting.front());
  from.waiting.pop_front();
  from.bytes -= std::min(from.bytes, out.message.body.size());
  out.historical = out.message.sequence != 0 && out.message.sequence <= newest_at_up_;
  return out;
}

const UplinkMachine::Tries& UplinkMachine::tried(const Message& message) {
  static const Tries kNever;
  if (tries_.empty()) return kNever;
  auto known = tries_.find(key_of(message));
  return known == tries_.end() ? kNever : known->second;
}

bool UplinkMachine::suspect(const Message& message) {
  return tried(message).lost >= kSuspicious || accused_.count(message.topic) > 0;
}

std::optional<BootTime> UplinkMachine::trial_at(const Outgoing& suspect) {
  const Tries& counted = tried(suspect.message);
  if (counted.lost < kSuspicious && counted.lost_alone == 0) {
    auto accused = accused_.find(suspect.message.topic);
    return accused == accused_.end() ? since_ : since_ + growing(accused->second);
  }
  if (answered_ < counted.after_answers) return std::nullopt;
  return since_ + counted.after_time;
}

bool UplinkMachine::trial_due(const Outgoing& suspect, BootTime now) {
  const auto at = trial_at(suspect);
  return at && now >= *at;
}

std::optional<UplinkMachine::Outgoing> UplinkMachine::take_suspect(BootTime now,
                                                                   bool nothing_else) {
  auto may = [&](const Outgoing& out) {
    const Tries& counted = tried(out.message);
    return trial_due(out, now) ||
           (nothing_else && counted.lost >= kSuspicious && counted.lost_alone == 0);
  };
  auto found = std::find_if(suspects_.begin(), suspects_.end(), may);
  if (found == suspects_.end()) return std::nullopt;
  Outgoing out = std::move(*found);
  suspects_.erase(found);
  return out;
}

void UplinkMachine::sent(std::uint64_t id, std::size_t packet_bytes, BootTime now) {
  auto at = flight_.find(id);
  if (at == flight_.end()) return;
  at->second.bytes = packet_bytes;
  flight_bytes_ += packet_bytes;
  at->second.deadline =
      now + limits_.ack_timeout + seconds(static_cast<std::int64_t>(flight_bytes_ / kSlowestLine));
  const Outgoing& out = at->second.out;
  const bool newest = !out.historical || out.message.lane == Lane::urgent;
  if (out.message.sequence != 0 && out.message.retain && newest)
    overtake_documents(out.message.topic);
}

// A document that was refused and is sent again later must not replace what is newer.
void UplinkMachine::overtake_documents(const std::string& topic) {
  auto is_older = [&](const Outgoing& out) {
    return out.rank == Rank::document && out.message.topic == topic;
  };
  std::erase_if(retries_, [&](const Retry& retry) { return is_older(retry.out); });
  std::erase_if(suspects_, is_older);
  for (auto& [id, flight] : flight_)
    if (is_older(flight.out)) flight.overtaken = true;
}

UplinkMachine::Flight UplinkMachine::remove(std::map<std::uint64_t, Flight>::iterator at) {
  Flight flight = std::move(at->second);
  flight_.erase(at);
  flight_bytes_ -= flight.bytes;
  backlog_in_flight_ -= flight.out.rank == Rank::backlog;
  if (flight.alone) alone_in_flight_ = false;
  return flight;
}

UplinkMachine::Verdict UplinkMachine::unsendable(std::uint64_t id, std::string reason) {
  auto at = flight_.find(id);
  if (at == flight_.end()) return {};
  Flight flight = remove(at);
  if (flight.settled) return {};
  return aside(flight.out.message, std::move(reason));
}

// ---- what the broker said -----------------------------------------------------------------------

UplinkMachine::Verdict UplinkMachine::on_acked(std::uint64_t id, unsigned code, BootTime now) {
  auto at = flight_.find(id);
  if (at == flight_.end()) return late(id, code);
  Flight flight = remove(at);
  ++answered_;
  if (opened_ < limits_.in_flight) ++opened_;
  if (publish_outcome(code) == PublishOutcome::accepted) return accepted(flight, code);
  if (flight.settled) return {};
  return refused(std::move(flight), code, now);
}

UplinkMachine::Verdict UplinkMachine::late(std::uint64_t id, unsigned code) {
  auto known = std::find_if(older_.begin(), older_.end(),
                            [&](const auto& entry) { return entry.second == id; });
  if (known == older_.end() || publish_outcome(code) != PublishOutcome::accepted) return {};
  std::int64_t sequence = known->first;
  older_.erase(known);
  late_.insert(sequence);
  tries_.erase(sequence);
  forget_waiting(sequence);
  for (auto& [other, flight] : flight_)
    if (flight.out.message.sequence == sequence) flight.settled = true;
  ++counts_.acknowledged;
  ++counts_.late;
  Verdict verdict;
  verdict.kind = Verdict::acknowledged;
  verdict.sequence = sequence;
  return verdict;
}

UplinkMachine::Verdict UplinkMachine::accepted(const Flight& flight, unsigned code) {
  refusals_in_row_ = pauses_in_row_ = 0;
  if (flight.settled) return {};
  const Message& message = flight.out.message;
  if (!tries_.empty()) tries_.erase(key_of(message));
  if (!older_.empty()) older_.erase(message.sequence);
  if (message.sequence == 0) documents_aside_.erase(message.topic);
  if (!closed_.empty()) closed_.erase(message.topic);
  if (accused_.erase(message.topic) > 0) release(message.topic);
  if (!poisoned_in_row_.empty()) poisoned_in_row_.erase(message.topic);
  Verdict verdict;
  verdict.kind = Verdict::acknowledged;
  verdict.sequence = message.sequence;
  verdict.unheard = code == mqtt_code::kNoMatchingSubscribers;
  verdict.topic = message.topic;
  if (message.sequence != 0) {
    ++counts_.acknowledged;
    counts_.unheard += verdict.unheard;
  }
  return verdict;
}

UplinkMachine::Verdict UplinkMachine::refused(Flight flight, unsigned code, BootTime now) {
  auto outcome = publish_outcome(code);
  if (flight.overtaken) return {};
  Message& message = flight.out.message;
  auto& documents = queue(Rank::document).waiting;
  if (flight.out.rank == Rank::document &&
      std::any_of(documents.begin(), documents.end(),
                  [&](const Message& newer) { return newer.topic == message.topic; }))
    return {};
  Tries& counted = tries(key_of(message));
  bool others_taken = counts_.acknowledged > counted.accepted_then;
  counted.accepted_then = counts_.acknowledged;
  auto wait = growing(counted.refused);
  if (outcome == PublishOutcome::never) {
    refused_last_.emplace(key_of(message), now);
    if (++counted.refused >= limits_.tries) {
      if (counted.lost > 0 && code == mqtt_code::kNotAuthorised)
        close_topic(message.topic, now, mqtt_code_text(code));
      return aside(message, mqtt_code_text(code));
    }
  } else {
    ++refusals_in_row_;
    if (outcome == PublishOutcome::later && ++counted.refused >= kPatience && others_taken)
      return aside(message, mqtt_code_text(code) + " while others were taken");
    if (outcome == PublishOutcome::slower || refusals_in_row_ >= window()) pause(now);
  }
  Retry retry;
  retry.out = std::move(flight.out);
  retry.at = now + wait;
  retry.hopeless = outcome == PublishOutcome::never;
  retries_.push_back(std::move(retry));
  return {};
}

void UplinkMachine::pause(BootTime now) {
  if (now < pause_until_) return;
  pause_until_ = now + growing(static_cast<int>(pauses_in_row_));
  ++pauses_in_row_;
}

UplinkMachine::Verdict UplinkMachine::aside(const Message& message, std::string reason) {
  Verdict verdict;
  verdict.kind = Verdict::set_aside;
  verdict.sequence = message.sequence;
  verdict.topic = message.topic;
  verdict.reason = std::move(reason);
  if (message.sequence == 0) documents_aside_[message.topic] = message.body;
  tries_.erase(key_of(message));
  older_.erase(message.sequence);
  ++counts_.set_aside;
  return verdict;
}

std::int64_t UplinkMachine::key_of(const Message& message) {
  if (message.sequence != 0) return message.sequence;
  auto next = -static_cast<std::int64_t>(document_keys_.size()) - 1;
  return document_keys_.emplace(message.topic, next).first->second;
}

UplinkMachine::Tries& UplinkMachine::tries(std::int64_t key) {
  auto& counted = tries_[key];
  while (tries_.size() > kMaxTries)
    tries_.erase(tries_.begin()->first == key ? std::next(tries_.begin()) : tries_.begin());
  return counted;
}

std::optional<BootTime> UplinkMachine::wake(BootTime now) {
  if (link_ == Link::down) return connect_at_;
  if (link_ == Link::connecting) return since_ + limits_.connect_timeout;
  std::optional<BootTime> first;
  auto at = [&](BootTime t) { first = first ? std::min(*first, t) : t; };
  if (!flight_.empty()) at(flight_.begin()->second.deadline);
  if (now < pause_until_) at(pause_until_);
  for (const Outgoing& out : suspects_)
    if (const auto trial = trial_at(out); trial && *trial > now) at(*trial);
  for (const Retry& retry : retries_)
    if (retry.at > now) at(retry.at);
  if (!queue(Rank::backlog).waiting.empty() && backlog_in_flight_ < backlog_window()) {
    auto ready = bucket_.ready(now);
    if (ready > now) at(ready);
  }
  return first;
}

}  // namespace gerbang
