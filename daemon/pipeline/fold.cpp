// SPDX-License-Identifier: Apache-2.0
//
// From windows that close to rows and messages, in one transaction with the state of the fold.
#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostRows = 20'000;  // in one transaction, before the last window's
constexpr auto kRevisePeriod = 60s;
constexpr auto kQuiet = 3s;  // what comes late mostly comes in bulk: nothing is made of half of it

}  // namespace

asio::awaitable<void> Pipeline::work() {
  if (folding_ || stopping_) co_return;
  follow_clock();
  end_maintenance_in_time();
  complain_of_silence();
  const std::int64_t now = now_ms();
  engine_->advance(now);
  engine_->set_horizon(std::max(now - fold_back_ms(), store_.complete_from_ms()));
  if (behind()) co_return;
  folding_ = true;
  folded_.close();
  if (restamp_due_) co_await restamp();
  if (restamp_events_due_) co_await restamp_events();
  if (!restamp_due_ || clock_.boot() - restamp_since_ > kLongestRestamp) co_await close_windows();
  if (!restamping_.spans.empty()) co_await revise_restamped();
  if (engine_->has_dirty() && revision_due() && !held()) {
    late_since_.reset();
    co_await revise();
    revise_at_ = clock_.boot() + kRevisePeriod;
  }
  if (state_changed_ || !forward_.empty()) {
    store::Fold fold;
    co_await commit(std::move(fold));
  }
  folding_ = false;
  folded_.open();
}

void Pipeline::on_late() {
  late_at_ = clock_.boot();
  if (!late_since_) late_since_ = late_at_;
}

bool Pipeline::revision_due() const {
  const BootTime now = clock_.boot();
  if (now < revise_at_) return false;
  return !late_since_ || now >= std::min(late_at_ + kQuiet, *late_since_ + kRevisePeriod);
}

// While nobody vouches for the wall clock, the windows of this boot wait until `hold` after the
// boot; from then on they close in their time, as UNTRUSTED.
bool Pipeline::held() const {
  return clock_trust() == ClockTrust::untrusted && clock_.boot().time_since_epoch() < options_.hold;
}

// Windows close by this clock.
std::int64_t Pipeline::closing_ms() const {
  return held() ? tracker_.epoch().offset_ns / 1'000'000 : now_ms();
}

// How far back a window can be recounted: its readings must be there, its row and those of the
// windows beside it. The margin is what retention may take in the meantime.
std::int64_t Pipeline::fold_back_ms() const {
  std::int64_t keep = options_.keep_readings.count();
  for (std::size_t l = 0; l + 1 < options_.windows_ms.size(); ++l)
    if (auto found = options_.keep_aggregates.find(options_.windows_ms[l]);
        found != options_.keep_aggregates.end())
      keep = std::min<std::int64_t>(keep, found->second.count());
  return keep - std::min(kDayMs, keep / 2);
}

asio::awaitable<void> Pipeline::close_windows() {
  for (bool more = true; more && !stopping_ && !behind();) {
    co_await recount_due();
    store::Fold fold;
    std::size_t windows = 0;
    more = false;
    while (auto closed = engine_->close(closing_ms(), clock_trust())) {
      ++windows;
      add_window(fold, closed->level, closed->span, closed->sensors, closed->rows, true);
      for (std::size_t i = 0; i < closed->rows.size(); ++i)
        alarms_.on_window(closed->rows[i], members_[closed->sensors[i]].plan.kind,
                          alarm::Came::in_time);
      if (alarms_.has_said()) ++alarm_version_;
      co_await add_indicators(fold, closed->level, closed->span);
      more = fold.aggregates.size() >= kMostRows;
      if (more) break;
    }
    if (windows == 0) break;
    co_await commit(std::move(fold));
  }
  prune();
}

// Windows that are due and whose readings got other flags are counted again before they close.
asio::awaitable<void> Pipeline::recount_due() {
  const std::vector<DirtyWindow> due = engine_->dirty_due(closing_ms());
  for (const DirtyWindow& window : due) {
    Indices all;
    for (const DirtyWindow::Sensor& sensor : window.sensors) all.push_back(sensor.index);
    for (const Indices& indices : groups(all)) {
      auto samples = co_await readings(window.span, indices);
      if (!samples) {
        spdlog::error("pipeline: flags that changed are revised later: {}", samples.error().what);
        co_return;
      }
      for (std::uint32_t index : indices) {
        std::vector<Sample> own;
        for (const Sample& sample : *samples)
          if (sample.index == index) own.push_back(sample);
        (void)engine_->replace(index, window.level, window.span.start_ms, own);
      }
    }
  }
}

asio::awaitable<void> Pipeline::commit(store::Fold fold) {
  complete(fold);
  state_changed_ = false;
  auto done = co_await store_.commit(std::move(fold));
  if (!done && done.error().code != store::errc::stopped)
    spdlog::critical("pipeline: closed windows are not stored: {}", done.error().what);
}

// The state that goes with what is folded by now.
void Pipeline::complete(store::Fold& fold) {
  add_forwarded(fold);
  add(fold.folded, engine_->take_folded());
  add(fold.not_folded, engine_->take_refused());
  fold.replay_from = engine_->replay_from();
  fold.items[kWindowsKey] = engine_->save();
  for (auto& [series, text] : engine_->save_slow()) fold.items[slow_key(series)] = std::move(text);
  add_alarms(fold);
  std::string restamping = restamping_text(restamping_);
  if (restamping != stored_restamping_)
    fold.items[kRestampKey] = stored_restamping_ = std::move(restamping);
  if (auto events = events_.changed_text()) fold.items[kEventsKey] = std::move(*events);
  auto sums = inspector_.save();
  if (std::string clock = sum_clock(); !sums.empty() && clock != stored_sum_clock_)
    fold.items[kSumClockKey] = stored_sum_clock_ = std::move(clock);
  for (auto& [sensor, sum] : sums) {
    std::string& known = stored_sums_[sensor];
    if (sum != known) fold.items[sum_key(sensor)] = known = std::move(sum);
  }
  std::string members = text_of(members_);
  if (members != stored_members_) fold.items[kMembersKey] = stored_members_ = std::move(members);
}

// Rows, and a message for each domain that has one.
void Pipeline::add_window(store::Fold& fold, std::size_t level, const TimeSpan& span,
                          const std::vector<std::uint32_t>& members,
                          const std::vector<Aggregate>& rows, bool newest) {
  const std::int64_t length = options_.windows_ms[level];
  wire::AggregateHead head;
  head.window = format_duration(std::chrono::milliseconds(length));
  head.start_ms = span.start_ms;
  head.end_ms = span.end_ms;
  head.timezone = options_.timezone;
  if (length >= kDayMs) head.local_date = engine_->options().calendar.date(span.start_ms);

  std::vector<const Aggregate*> row_of(members_.size());
  for (std::size_t i = 0; i < members.size(); ++i) row_of[members[i]] = &rows[i];
  for (const Domain& domain : domains_) {
    std::vector<wire::AggregateRow> batch;
    for (std::uint32_t index : domain.members) {
      if (row_of[index] == nullptr) continue;
      const Member& m = members_[index];
      wire::AggregateRow row;
      row.sensor = m.id;
      row.quantity = m.quantity;
      row.unit = m.unit;
      row.kind = m.plan.kind;
      row.aggregate = row_of[index];
      batch.push_back(row);
    }
    head.domain = domain.name;
    auto bodies = wire::encode_aggregates(head, batch, wire::kMaxBody, measure());
    for (std::string& body : bodies)
      add_message(fold, MessageKind::aggregate_batch,
                  "aggregate/" + domain.name + "/" + head.window, std::move(body),
                  newest && bodies.size() == 1);
  }
  fold.aggregates.insert(fold.aggregates.end(), rows.begin(), rows.end());
}

wire::Measure Pipeline::measure() const {
  return speaks_json && speaks_json() ? wire::Measure::both : wire::Measure::protobuf;
}

void Pipeline::add_forwarded(store::Fold& fold) {
  if (forward_.empty()) return;
  std::vector<std::vector<wire::ReadingRow>> rows(domains_.size());
  for (const Sample& sample : forward_) {
    auto series = sample.index;
    auto place = series < places_.size() ? places_[series] : UINT32_MAX;
    if (place == UINT32_MAX) continue;
    const Member& m = members_[place];
    wire::ReadingRow row;
    row.sensor = m.id;
    row.unit = m.unit;
    row.time_ms = sample.time_ms;
    row.flag = sample.flag;
    row.reason = sample.reason;
    row.clock = sample.clock;
    row.value = sample.value;
    row.raw = sample.raw.value();
    rows[domain_of_[place]].push_back(row);
  }
  for (std::size_t d = 0; d < domains_.size(); ++d)
    for (std::string& body :
         wire::encode_readings(domains_[d].name, rows[d], wire::kMaxBody, measure()))
      add_message(fold, MessageKind::reading_batch, "reading/" + domains_[d].name, std::move(body),
                  false);
  forward_.clear();
}

void Pipeline::add_message(store::Fold& fold, MessageKind kind, std::string topic, std::string body,
                           bool retainable, Lane lane) {
  NewMessage message;
  message.kind = kind;
  message.lane = lane;
  message.made_ms = now_ms();
  message.retainable = retainable;
  message.uplinks = wanted_by ? wanted_by(topic) : 0;
  message.topic = std::move(topic);
  message.body = std::move(body);
  fold.messages.push_back(std::move(message));
}

// ---- members ------------------------------------------------------------------------------------

void Pipeline::set_members(std::vector<Member> members) {
  members_ = std::move(members);
  std::vector<SeriesPlan> plan;
  std::set<std::string> names;
  places_.clear();
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const Member& m = members_[i];
    plan.push_back(m.plan);
    names.insert(m.domain);
    auto series = static_cast<std::size_t>(m.plan.series);
    if (places_.size() <= series) places_.resize(series + 1, UINT32_MAX);
    places_[series] = i;
  }
  domains_.clear();
  for (const std::string& domain : names) domains_.emplace_back().name = domain;
  unlooked_.clear();  // their places are others now
  domain_of_.assign(members_.size(), 0);
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    for (std::size_t d = 0; d < domains_.size(); ++d)
      if (domains_[d].name == members_[i].domain) {
        domains_[d].members.push_back(i);
        domain_of_[i] = d;
      }
  bridge_.reset();  // made again from the new plan
  if (engine_) {
    engine_->reconfigure(std::move(plan));
    return;
  }
  WindowOptions windows;
  windows.lengths_ms = options_.windows_ms;
  windows.grace_ms = options_.grace.count();
  windows.calendar = Calendar(options_.zone);
  engine_ = std::make_unique<WindowEngine>(std::move(windows), std::move(plan), now_ms());
}

// Sensors that left go when their last window has closed.
void Pipeline::prune() {
  std::vector<Member> stay;
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    if (!engine_->finished(i)) stay.push_back(members_[i]);
  if (stay.size() == members_.size()) return;
  set_members(std::move(stay));
  state_changed_ = true;
}

}  // namespace gerbang::pipeline
