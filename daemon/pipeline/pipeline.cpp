// SPDX-License-Identifier: Apache-2.0
//
// Taking readings, and the life of the pipeline. Folding, revising and recovering have files of
// their own.
#include "pipeline/pipeline.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include "observe/log.hpp"

namespace gerbang::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSlice = 8'192;  // readings handed over at once
constexpr auto kLongestSlice = 50ms;   // what a slice adds to commit_interval at a power cut
constexpr auto kTryAgain = 100ms;
constexpr auto kClockPeriod = 1s;

std::int64_t to_ms(std::int64_t ns) {
  return ns / 1'000'000 - (ns % 1'000'000 < 0 ? 1 : 0);
}

void count_readings(const std::vector<Sample>& samples, Counts& out) {
  for (const Sample& sample : samples)
    if (!sample.verdict) ++out[static_cast<std::int32_t>(sample.index)];
}

void count(Live& live, Flag flag) {
  switch (flag) {
    case Flag::good:
      ++live.good;
      break;
    case Flag::not_evaluated:
      ++live.not_evaluated;
      break;
    case Flag::suspect:
      ++live.suspect;
      break;
    case Flag::bad:
      ++live.bad;
      break;
    case Flag::missing:
      ++live.missing;
      break;
  }
}

}  // namespace

Pipeline::Pipeline(asio::any_io_executor executor, store::Store& store, const Clock& clock,
                   Options options, std::vector<Sensor> sensors)
    : executor_(executor),
      store_(store),
      clock_(clock),
      options_(std::move(options)),
      sensors_(std::move(sensors)),
      live_(sensors_.size()),
      inspector_(sensors_),
      thinning_(sensors_.size()),
      tracker_(options_.boot_id, options_.trust_rtc),
      taken_(sensors_.size(), 0),
      room_(executor),
      folded_(executor),
      timer_(executor) {
  room_.open();
  folded_.open();
  follow_clock();
}

Pipeline::~Pipeline() = default;

Counts Pipeline::to_fold() const {
  Counts out = store_.closing();
  if (engine_) add(out, engine_->waiting());
  add(out, taken_out_);
  // What was handed over and waits no more is stored, though its task was not told yet.
  for (const auto& piece : durable_) count_readings(piece->samples, out);
  for (const Piece* piece : handed_) count_readings(piece->samples, out);
  for (const auto& [series, count] : store_.waiting()) out[series] -= count;
  std::erase_if(out, [](const auto& entry) { return entry.second == 0; });
  return out;
}

Counts Pipeline::taken() const {
  Counts out = taken_before_;
  for (std::size_t i = 0; i < taken_.size(); ++i)
    if (taken_[i] > 0) out[sensors_[i].series] += taken_[i];
  return out;
}

Pipeline::Underway Pipeline::underway() const {
  Underway out;
  auto count = [&](const Piece& piece) {
    count_readings(piece.samples, out.readings);
    add(out.rejected, piece.batch.rejected);
  };
  for (const auto& piece : held_) count(*piece);
  if (pending_) count(*pending_);
  return out;
}

// ---- life ---------------------------------------------------------------------------------------

asio::awaitable<void> Pipeline::run() {
  auto token = asio::as_tuple(asio::use_awaitable);
  spawn_critical(executor_, "bridge", bridging());
  while (!stopping_) {
    co_await work();
    if (stopping_) break;
    std::chrono::milliseconds until_due(engine_->next_due_ms() - closing_ms());
    auto wait = std::clamp<std::chrono::milliseconds>(until_due, 1ms, kClockPeriod);
    timer_.expires_after(wait);
    co_await timer_.async_wait(token);
  }
}

asio::awaitable<void> Pipeline::stop() {
  stopping_ = true;
  timer_.cancel();
  room_.open();
  flush();
  // What was handed over is in the store's next commit once its task has begun.
  if (events_.any_waiting() || alarms_.has_said()) write_events_soon();
  while (starting_ > 0 || starting_events_ > 0) co_await asio::post(executor_, asio::use_awaitable);
}

// ---- taking -------------------------------------------------------------------------------------

void Pipeline::follow_clock() {
  const ClockTrust before = clock_trust();
  // Asked before the time: what is called synchronised now stays so, a time read before may be the
  // one that was set right.
  const ClockSync sync = clock_.sync();
  const BootTime boot = clock_.boot();
  ClockTracker::Change change = tracker_.sample(boot, clock_.wall(), sync);
  if (change.epoch) {
    alarms_.follow(tracker_.epoch().offset_ns);
    flush();  // a piece never mixes epochs; it keeps the one it began with
    inspector_.forget();
  }
  if (clock_trust() != before) {
    spdlog::info("clock: {}", name(clock_trust()));
    if (clock_trust() == ClockTrust::trusted) {
      restamp_due_ = restamp_events_due_ = true;
      restamp_since_ = clock_.boot();
      begin_restamping();
    }
  }
  if (change.step != 0ns) {
    follow_maintenance(change.step);
    record_step(change.step);
  }
  if (change.absence && engine_) {
    engine_->absent(change.absence->start_ms, change.absence->end_ms);
    spdlog::warn("clock: {} s passed unseen", change.absence->length_ms() / 1000);
  }
}

asio::awaitable<void> Pipeline::take(std::vector<Reading> readings) {
  // A caller that is cancelled must not wait; what it brought is taken all the same.
  bool cancelled = false;
  make_room_in_ring();
  while (held_readings_ >= kMostHeld && !store_.degraded() && !stopping_ && !cancelled) {
    co_await room_.wait();
    auto state = co_await asio::this_coro::cancellation_state;
    cancelled = state.cancelled() != asio::cancellation_type::none;
  }
  if (tracker_.moved(clock_.boot(), clock_.wall())) follow_clock();
  const std::size_t before = pending_ ? pending_->samples.size() : 0;
  for (const Reading& reading : readings) judge(reading);
  judge_computed();
  journal(before);
  if (held_readings_ >= kMostHeld) room_.close();
  if (on_reading) on_reading();
}

void Pipeline::reject(const std::string& reason, std::uint64_t count) {
  if (count == 0) return;
  rejected_[reason][0] += count;
  taken_before_[0] += count;
  journal(pending_ ? pending_->samples.size() : 0);
}

Pipeline::Piece& Pipeline::pending() {
  if (!pending_) {
    pending_ = std::make_unique<Piece>(tracker_.epoch());
    pending_->number = ++pieces_;
  }
  return *pending_;
}

// From here on the readings from this one on outlive the process; only then may others see them.
void Pipeline::journal(std::size_t from) {
  if (!pending_ && rejected_.empty()) return;
  store::Batch& batch = pending().batch;
  auto fresh = std::span<const Reading>(batch.readings).subspan(from);
  if (fresh.empty() && rejected_.empty()) return;
  std::uint64_t number = store_.record(batch.epoch, fresh, rejected_);
  batch.journal = std::max(batch.journal, number);
  for (const auto& [reason, counts] : rejected_)
    for (const auto& [series, count] : counts) batch.rejected[reason][series] += count;
  rejected_.clear();
  if (batch.readings.size() >= kSlice || stopping_)
    flush();
  else
    flush_soon();
}

void Pipeline::flush_soon() {
  if (flush_due_) return;
  flush_due_ = true;
  spawn_critical(executor_, "flush", flush_later());
}

void Pipeline::judge(const Reading& reading) {
  if (reading.sensor >= sensors_.size()) {
    ++rejected_["unknown_sensor"][0];
    ++taken_before_[0];
    return;
  }
  const Sensor& sensor = sensors_[reading.sensor];
  ++taken_[reading.sensor];
  const store::Epoch& epoch = tracker_.epoch();
  Sample sample;
  sample.index = static_cast<std::uint32_t>(sensor.series);
  sample.time_ms =
      to_ms(reading.unix_ns != 0 ? reading.unix_ns : reading.boot_ns + epoch.offset_ns);
  sample.clock = epoch.trust;
  sample.raw = reading.raw;
  if (reading.flag != Flag::missing) sample.value = sensor.calibration.apply(reading.raw.value());
  const bool device_time = reading.unix_ns != 0;
  const bool ahead = device_time && engine_->is_ahead(reading.sensor, sample.time_ms, now_ms());
  const quality::Mark mark = inspector_.judge(reading, sample.value, sample.time_ms, late_, ahead);
  sample.flag = mark.flag;
  sample.reason = mark.reason;
  count(live_[reading.sensor], sample.flag);
  show(live_[reading.sensor], sample, reading.boot_ns, device_time);
  live_[reading.sensor].ahead = ahead;
  if (sample.flag != Flag::missing) alarms_.on_arrival(sensor.series, reading.boot_ns);
  if (sample.flag == Flag::missing) {
    std::int64_t window = engine_->window(0, sample.time_ms).start_ms;
    if (!thinning_[reading.sensor].keep(sample.reason, window)) {
      ++rejected_["repeated"][sensor.series];
      return;
    }
  }
  Reading stored = reading;
  stored.sensor = static_cast<std::uint32_t>(sensor.series);
  stored.flag = sample.flag;
  stored.reason = sample.reason;
  pending().batch.readings.push_back(stored);
  pending().samples.push_back(sample);
  ++held_readings_;
  if (bridge_) bridge({sample});
  for (const Inspector::Late& late : std::exchange(late_, {})) reflag(late);
}

// The verdict goes where readings go: it is durable with those that it came from.
void Pipeline::reflag(const Inspector::Late& late) {
  const Sensor& sensor = sensors_[late.verdict.sensor];
  const store::Epoch& epoch = tracker_.epoch();
  Reading stored = late.verdict;
  stored.sensor = static_cast<std::uint32_t>(sensor.series);
  Sample sample;
  sample.index = stored.sensor;
  sample.time_ms = to_ms(stored.unix_ns != 0 ? stored.unix_ns : stored.boot_ns + epoch.offset_ns);
  sample.clock = epoch.trust;
  sample.flag = stored.flag;
  sample.reason = stored.reason;
  sample.value = late.value;
  const Calibration& c = sensor.calibration;
  sample.raw = Raw::of(((late.value - c.intercept) / c.slope - c.offset) / c.scale);
  sample.verdict = true;
  Live& live = live_[late.verdict.sensor];
  ++live.reflagged;
  if (live.any && live.time_ms == sample.time_ms && worsens(sample.flag, live.flag)) {
    live.flag = sample.flag;
    live.reason = sample.reason;
  }
  pending().batch.readings.push_back(stored);
  pending().samples.push_back(sample);
  ++held_readings_;
}

// What is computed may be an input in its turn; the configuration has no circles.
void Pipeline::judge_computed() {
  for (auto computed = inspector_.computed(); !computed.empty(); computed = inspector_.computed())
    for (const Reading& reading : computed) judge(reading);
}

void Pipeline::complain_of_silence() {
  const auto silent = inspector_.silent(nanoseconds(clock_.boot()));
  if (silent.empty()) return;
  const std::size_t before = pending_ ? pending_->samples.size() : 0;
  for (const Reading& reading : silent) judge(reading);
  judge_computed();
  journal(before);
  if (on_reading) on_reading();
}

void Pipeline::show(Live& live, const Sample& sample, std::int64_t boot_ns, bool device_time) {
  // What a device kept for itself may be older than what it said since.
  if (live.any && device_time && !live.ahead && sample.time_ms < live.time_ms) return;
  live.any = true;
  live.flag = sample.flag;
  live.reason = sample.reason;
  live.clock = sample.clock;
  live.raw = sample.raw;
  live.value = sample.value;
  live.time_ms = sample.time_ms;
  live.boot_ns = boot_ns;
}

// A moment is waited for more readings: one task of the store for many frames of drivers.
asio::awaitable<void> Pipeline::flush_later() {
  auto slice = std::min<std::chrono::nanoseconds>(kLongestSlice, options_.commit_interval / 20);
  co_await sleep_for(slice);
  flush_due_ = false;
  flush();
}

void Pipeline::flush() {
  if (pending_) held_.push_back(std::exchange(pending_, nullptr));
  if ((!blocked_ && !store_.degraded()) || stopping_) hand_over();
}

// A task for each piece; the store gets them in the order of held_, as it must.
void Pipeline::hand_over() {
  for (std::size_t n = held_.size() - starting_; n > 0; --n) {
    ++starting_;
    spawn_critical(executor_, "append", append());  // may begin at once
  }
}

asio::awaitable<void> Pipeline::append() {
  --starting_;
  if (blocked_ && !stopping_) co_return;  // those behind the first wait with it
  auto piece = std::move(held_.front());
  held_.pop_front();
  const std::size_t count = piece->samples.size();
  store::Batch batch = piece->batch;
  handed_.push_back(piece.get());
  auto stored = co_await store_.append(std::move(batch));
  std::erase(handed_, piece.get());
  if (!stored && stored.error().code == store::errc::busy && !stopping_) {
    if (!std::exchange(no_room_told_, true))
      spdlog::warn("pipeline: the store has no room, readings wait");
    held_.push_front(std::move(piece));
    blocked_ = true;
    co_await sleep_for(kTryAgain);
    blocked_ = false;
    hand_over();
    co_return;
  }
  no_room_told_ = false;
  release(count);
  if (!stored) {
    spdlog::error("pipeline: {} readings are not stored: {}", count, stored.error().what);
    co_return;
  }
  piece->id = *stored;
  // All pieces of one commit complete in a row; they are folded together, so that no fold stands
  // between two pieces of one batch.
  durable_.push_back(std::move(piece));
  if (durable_.size() == 1) asio::post(executor_, [this] { drain(); });
}

void Pipeline::release(std::size_t readings) {
  held_readings_ -= readings;
  if (held_readings_ < kMostHeld) room_.open();
}

void Pipeline::drain() {
  if (stopping_) return;
  engine_->advance(now_ms());
  std::int64_t newest = 0;
  for (const auto& piece : std::exchange(durable_, {})) {
    newest = std::max(newest, piece->id);
    for (std::size_t i = 0; i < piece->samples.size(); ++i) {
      Sample& sample = piece->samples[i];
      const Reading& taken = piece->batch.readings[i];
      sample.batch = piece->id;
      if (!sample.verdict)
        alarms_.on_reading(sample, static_cast<std::int32_t>(sample.index), taken.boot_ns,
                           taken.unix_ns != 0);
      if (options_.forward_readings) forward_.push_back(sample);
      auto series = sample.index;
      auto place = series < places_.size() ? places_[series] : UINT32_MAX;
      if (sample.verdict) {
        if (place != UINT32_MAX && !engine_->reflag(place, sample.time_ms))
          spdlog::warn(
              "pipeline: too many windows wait for flags that changed; {} is left as it is",
              members_[place].id);
        continue;
      }
      if (place == UINT32_MAX) {
        engine_->replay_unknown(static_cast<std::int32_t>(series), sample.time_ms, sample.batch);
        continue;
      }
      sample.index = place;
      if (engine_->add(sample) == WindowEngine::Fate::late) on_late();
    }
  }
  engine_->folded(newest);
  alarms_.looked_at(newest);
  tell_alarms();
  if (!forward_.empty()) timer_.cancel();
}

// ---- reload -------------------------------------------------------------------------------------

asio::awaitable<Result<void>> Pipeline::reconfigure(std::vector<Sensor> sensors, AlarmPlan alarms,
                                                    std::vector<indicator::Plan> indicators) {
  while (folding_) {
    co_await folded_.wait();
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      co_return fail(std::errc::operation_canceled, "cancelled");
  }
  // From here on without a suspension: the caller gives the drivers the new numbers at once.
  std::vector<Live> live(sensors.size());
  std::vector<Thinning> thinning(sensors.size());
  std::vector<Member> next;
  std::unordered_map<std::int32_t, std::size_t> known;
  for (std::size_t old = 0; old < sensors_.size(); ++old) known[sensors_[old].series] = old;
  for (std::size_t i = 0; i < sensors.size(); ++i) {
    next.push_back(member(sensors[i]));
    const auto old = known.find(sensors[i].series);
    if (old == known.end()) continue;
    live[i] = live_[old->second];
    thinning[i] = thinning_[old->second];
  }
  remember_since(next, members_, since_now_ms());
  std::vector<Member> before;
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    if (!engine_->finished(i)) before.push_back(members_[i]);
  for (Member& gone : leaving(before, next, now_ms())) next.push_back(std::move(gone));
  taken_before_ = taken();
  taken_.assign(sensors.size(), 0);
  sensors_ = std::move(sensors);
  live_ = std::move(live);
  thinning_ = std::move(thinning);
  inspector_.reconfigure(sensors_);
  set_members(std::move(next));
  options_.alarms = std::move(alarms);
  alarms_.configure(with_series(options_.alarms), times());
  bridge_alarms_.reset();
  tell_alarms();
  set_indicators(std::move(indicators));
  state_changed_ = true;
  timer_.cancel();
  co_return Result<void>();
}

}  // namespace gerbang::pipeline
