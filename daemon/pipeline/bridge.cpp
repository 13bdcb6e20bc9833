// SPDX-License-Identifier: Apache-2.0
//
// The bridge over a store that cannot be written: readings wait in a ring, and a copy of the open
// windows folds what is not durable, so that what they say goes out all the same. Nothing of the
// copy is kept: when the store is back, what waits is stored and the windows close as always.
#include <algorithm>

#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"

namespace gerbang::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto kPeriod = 250ms;

}  // namespace

asio::awaitable<void> Pipeline::bridging() {
  while (!stopping_) {
    bridge();
    co_await sleep_for(kPeriod);
  }
}

void Pipeline::bridge() {
  if (!store_.degraded()) {
    if (bridge_) spdlog::info("pipeline: what waited is stored now");
    bridge_.reset();
    bridge_alarms_.reset();
    if (!held_.empty() && !blocked_) hand_over();
    if (held_readings_ >= kMostHeld) room_.close();
    return;
  }
  behind_until_ = pieces_;
  room_.open();  // no driver waits for a disk
  follow_clock();
  if (!bridge_ || !bridge_alarms_) begin_bridge();
  bridge_->advance(now_ms());
  while (auto closed = bridge_->close(closing_ms(), clock_trust())) {
    store::Fold fold;
    add_window(fold, closed->level, closed->span, closed->sensors, closed->rows, true);
    for (std::size_t i = 0; i < closed->rows.size(); ++i)
      bridge_alarms_->on_window(closed->rows[i], members_[closed->sensors[i]].plan.kind,
                                alarm::Came::in_time);
    if (!on_volatile) continue;
    for (const NewMessage& message : fold.messages)
      on_volatile(message.kind, message.topic, message.body);
  }
  tell_alarms();
  (void)bridge_->take_folded();
  (void)bridge_->take_refused();
}

void Pipeline::begin_bridge() {
  spdlog::warn("pipeline: the store cannot be written; what windows say goes out from memory");
  bridge_ = std::make_unique<WindowEngine>(*engine_);
  bridge_alarms_ = std::make_unique<AlarmDesk>(alarms_);
  for (const auto& piece : durable_) bridge(piece->samples);
  for (const Piece* piece : handed_) bridge(piece->samples);
  for (const auto& piece : held_) bridge(piece->samples);
  if (pending_) bridge(pending_->samples);
}

void Pipeline::bridge(const std::vector<Sample>& samples) {
  for (Sample sample : samples) {
    if (sample.verdict) continue;
    auto series = sample.index;
    auto place = series < places_.size() ? places_[series] : UINT32_MAX;
    if (place == UINT32_MAX) continue;
    bridge_alarms_->on_reading(sample, static_cast<std::int32_t>(series), 0, true);
    sample.index = place;
    sample.batch = INT64_MAX;  // none yet
    bridge_->add(sample);
  }
}

bool Pipeline::behind() const {
  if (store_.degraded()) return true;
  if (behind_until_ == 0) return false;
  auto waits = [this](const Piece& piece) { return piece.number <= behind_until_; };
  if (pending_ && waits(*pending_)) return true;
  if (!held_.empty() && waits(*held_.front())) return true;
  if (!durable_.empty()) return true;
  return std::any_of(handed_.begin(), handed_.end(), [&](const Piece* p) { return waits(*p); });
}

// The oldest go: what is newest tells most of what happens now. That they went is told with the
// next piece that is stored: until then the journal has them still, and a process that is killed
// takes them from there. It is not written there a second time.
void Pipeline::make_room_in_ring() {
  if (!store_.degraded() || held_readings_ < kMostHeld) return;
  std::size_t gone = 0;
  Reasons told;
  while (held_readings_ >= kMostHeld - kMostHeld / 16 && !held_.empty() && starting_ == 0) {
    auto piece = std::move(held_.front());
    held_.pop_front();
    for (const Sample& sample : piece->samples)
      if (!sample.verdict) ++told["no_room"][static_cast<std::int32_t>(sample.index)];
    for (const auto& [reason, counts] : piece->batch.rejected) add(told[reason], counts);
    gone += piece->samples.size();
    held_readings_ -= piece->samples.size();
  }
  if (gone == 0) return;
  Piece& next = held_.empty() ? pending() : *held_.front();
  for (const auto& [reason, counts] : told) add(next.batch.rejected[reason], counts);
  fallen_ += gone;
  spdlog::warn("pipeline: {} readings that could not be stored gave way to newer ones; {} so far",
               gone, fallen_);
}

}  // namespace gerbang::pipeline
