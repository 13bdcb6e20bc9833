// SPDX-License-Identifier: Apache-2.0
//
// A board without a clock of its own starts somewhere in the past. When the clock becomes
// believable, the store knows the times of what was taken before in this boot; here the windows
// follow: open ones are counted again at once, closed ones revised one after the other.
#include <algorithm>
#include <set>
#include <sstream>

#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"

namespace gerbang::pipeline {
namespace {

constexpr int kWindowsATurn = 8;  // closed windows, so that those that are due do not wait long
constexpr std::size_t kMostBoots = 8;  // that ended in the middle of it, one after the other

}  // namespace

std::string Pipeline::restamping_text(const Restamping& restamping) {
  std::string out;
  if (restamping.epoch == 0 && restamping.boots.empty()) return out;
  out = std::to_string(restamping.epoch);
  for (const TimeSpan& span : restamping.spans)
    out += " " + std::to_string(span.start_ms) + " " + std::to_string(span.end_ms);
  for (const std::string& boot : restamping.boots) out += "\n" + boot;
  return out;
}

std::optional<Pipeline::Restamping> Pipeline::parse_restamping(std::string_view text) {
  Restamping out;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);
  std::istringstream in(line);
  if (!(in >> out.epoch)) return std::nullopt;
  for (TimeSpan span; in >> span.start_ms >> span.end_ms;) out.spans.push_back(span);
  while (std::getline(lines, line)) out.boots.push_back(line);
  return out;
}

// Written down before anything can be stored that tells the times of then: were it the other way
// round, a board that loses its power in between would have right times and wrong windows for ever.
void Pipeline::begin_restamping() {
  if (!engine_) return;  // before recover() knows what is left to do
  std::vector<std::string>& boots = restamping_.boots;
  if (std::find(boots.begin(), boots.end(), options_.boot_id) == boots.end())
    boots.push_back(options_.boot_id);
  if (boots.size() > kMostBoots) boots.erase(boots.begin());
  std::string text = restamping_text(restamping_);
  if (text != stored_restamping_) store_.put(kRestampKey, stored_restamping_ = std::move(text));
}

// Readings with a time of then that the store does not have yet.
bool Pipeline::doubtful_underway() const {
  auto doubtful = [](const Piece& piece) {
    return piece.batch.epoch.trust == ClockTrust::untrusted;
  };
  return std::any_of(held_.begin(), held_.end(), [&](const auto& p) { return doubtful(*p); }) ||
         std::any_of(handed_.begin(), handed_.end(), [&](const auto* p) { return doubtful(*p); });
}

// Open windows lose what counted in them within the span.
std::vector<WindowEngine::Emptied> Pipeline::take_out(const TimeSpan& span) {
  std::vector<std::uint64_t> now(members_.size());
  auto emptied = engine_->take_out(span, now);
  for (std::uint32_t i = 0; i < now.size(); ++i)
    if (now[i] > 0) taken_out_[members_[i].plan.series] += now[i];
  return emptied;
}

// Where the store does not answer, all of it is done again at the next turn, until windows can wait
// no longer.
asio::awaitable<void> Pipeline::restamp() {
  if (doubtful_underway()) co_return;
  const bool last = clock_.boot() - restamp_since_ > kLongestRestamp;
  store::RestampQuery query;
  query.trusted = tracker_.epoch();
  query.boots = restamping_.boots;
  query.since = restamping_.epoch;
  query.key = kRestampKey;
  query.value = stored_restamping_;
  auto found = co_await store_.restamp(std::move(query));
  if (!found) {
    spdlog::error("clock: readings of before it was set keep their times for now: {}",
                  found.error().what);
    co_return;
  }
  if (found->empty()) {
    restamp_due_ = false;
    restamping_.boots.clear();
    co_return;
  }
  drain();

  // What counted at the times of then is taken out; what is rightly there comes back.
  std::int64_t oldest = now_ms(), shift_ms = 0;
  std::int64_t upto = engine_->newest();
  for (const store::Restamped& epoch : *found) {
    TimeSpan was{epoch.was_from_ms, epoch.was_to_ms};
    oldest = std::min(oldest, was.start_ms);
    if (epoch.same_boot) shift_ms = epoch.from_ms - epoch.was_from_ms;
    for (const WindowEngine::Emptied& window : take_out(was))
      attempt_.emptied.emplace(window.level, window.span.start_ms);
  }
  bool complete = true;
  for (const auto& [level, start] : attempt_.emptied) {
    auto added = co_await add_again(engine_->window(level, start), level, upto);
    complete = complete && added;
  }
  if (!complete && !last) co_return;
  attempt_.emptied.clear();
  // Nobody was looking at the times of then, whatever windows were open for them.
  if (unseen_from_ms_ == 0)
    engine_->forget_before(found->front().from_ms);
  else if (!std::exchange(attempt_.absent, true))
    engine_->absent(std::min(oldest, unseen_from_ms_), now_ms());
  co_await close_windows();  // up to the present
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    auto base = engine_->base(i);
    if (!base || members_[i].plan.kind != QuantityKind::totaliser) continue;
    auto anchor = co_await good_before(i, engine_->open_from(*base));
    if (anchor) engine_->set_anchor(i, *anchor);
    complete = complete && anchor;
  }
  if (!complete && !last) co_return;

  upto = engine_->newest();
  for (const store::Restamped& epoch : *found) (void)take_out(TimeSpan{epoch.from_ms, epoch.to_ms});
  // A window is counted once, however many epochs are in it.
  std::set<std::pair<std::size_t, std::int64_t>> open;
  for (std::size_t level = 0; level < options_.windows_ms.size(); ++level)
    for (const store::Restamped& epoch : *found) {
      std::int64_t from = std::max(epoch.from_ms, engine_->open_from(level));
      for (; from < epoch.to_ms; from = engine_->window(level, from).end_ms)
        open.emplace(level, engine_->window(level, from).start_ms);
    }
  for (const auto& [level, start] : open) {
    TimeSpan span = engine_->window(level, start);
    auto added = co_await add_again(span, level, upto);
    complete = complete && added;
  }
  if (!complete && !last) co_return;
  if (!complete)
    spdlog::error("clock: the store did not answer; windows that lack readings are revised later");

  // What is still out lies in closed windows; what came in beyond it had been folded before.
  store::Fold fold;
  fold.restamped = true;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const auto out = static_cast<std::int64_t>(taken_out_[members_[i].plan.series]);
    if (out > 0) engine_->count_as_folded(i, static_cast<std::uint64_t>(out));
    if (out < 0) fold.unfolded[members_[i].plan.series] += static_cast<std::uint64_t>(-out);
  }
  taken_out_.clear();
  for (const store::Restamped& epoch : *found) {
    restamping_.epoch = std::max(restamping_.epoch, epoch.epoch);
    restamping_.spans.push_back(TimeSpan{epoch.was_from_ms, epoch.was_to_ms});
    restamping_.spans.push_back(TimeSpan{epoch.from_ms, epoch.to_ms});
  }
  for (Live& live : live_)
    if (live.any && live.clock == ClockTrust::untrusted) {
      live.time_ms += shift_ms;
      live.clock = ClockTrust::estimated;
    }
  restamp_due_ = false;
  restamping_.boots.clear();
  attempt_ = Attempt();
  spdlog::info("clock: what was taken before it was set moves by {} s", shift_ms / 1000);
  co_await commit(std::move(fold));
}

// The stored readings of an open window, up to a batch, into it. Where they cannot be read the
// window is counted again when it is due, or revised.
asio::awaitable<Result<void>> Pipeline::add_again(TimeSpan span, std::size_t level,
                                                  std::int64_t upto) {
  Indices all;
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    if (engine_->base(i) == level) all.push_back(i);
  for (Indices& some : groups(all)) {
    auto samples = co_await readings(span, std::move(some));
    if (!samples) {
      for (std::uint32_t i : all) (void)engine_->reflag(i, span.start_ms);
      co_return fail(std::move(samples.error()));
    }
    for (const Sample& sample : *samples) {
      if (sample.batch > upto) continue;  // came meanwhile, and is in its window
      --taken_out_[members_[sample.index].plan.series];
      engine_->add(sample);
    }
  }
  co_return Result<void>();
}

// A few of the closed windows that are to be revised. Written down as done when they are.
asio::awaitable<void> Pipeline::revise_restamped() {
  TimeSpan& span = restamping_.spans.front();
  const std::int64_t open_from = engine_->open_from(0);
  std::int64_t until = span.start_ms;
  for (int n = 0; n < kWindowsATurn && until < span.end_ms; ++n)
    until = engine_->window(0, until).end_ms;
  const bool last = until >= span.end_ms;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    auto base = engine_->base(i);
    if (!base) continue;
    for (std::int64_t t = span.start_ms; t < std::min(until, open_from);) {
      TimeSpan window = engine_->window(*base, t);
      if (window.end_ms <= until || last) engine_->touch(i, t);
      t = window.end_ms;
    }
  }
  co_await revise();
  if (engine_->has_dirty()) co_return;  // the store could not: again next time
  span.start_ms = until;
  if (last) restamping_.spans.erase(restamping_.spans.begin());
  state_changed_ = true;
}

}  // namespace gerbang::pipeline
