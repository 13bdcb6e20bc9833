// SPDX-License-Identifier: Apache-2.0
//
// Group commit: everything that must become durable waits for one transaction.
#include <algorithm>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/impl.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint64_t kCommitAtOnce = 32'768;  // waiting readings
constexpr auto kLongestRetry = std::chrono::seconds(10);
constexpr auto kCountsAlone = std::chrono::seconds(60);  // of refused readings
constexpr auto kAlmostAtOnce = std::chrono::milliseconds(100);
constexpr int kTriesAtStop = 2;

const Clock& machine_clock() {
  static const SystemClock kClock;
  return kClock;
}

}  // namespace

// ---- life ---------------------------------------------------------------------------------------

Store::Impl::Impl(Options options, asio::any_io_executor loop)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : machine_clock()),
      loop_(std::move(loop)),
      timer_(loop_),
      settled_(loop_) {}

Result<void> Store::Impl::open() {
  Board board = options_.board ? *options_.board : this_board();
  auto file = File::open(options_, board, clock_.wall());
  STORE_TRY(file);
  auto now = (*file)->snapshot();
  STORE_TRY(now);
  snapshot_ = std::move(*now);
  status_.cap = options_.max_size;
  status_.damaged = !snapshot_.aside.empty();
  status_.trouble = snapshot_.aside;
  settled_.open();
  worker_ = std::make_shared<Worker>(std::move(*file), loop_);
  if (!options_.journal.empty()) open_journal();
  return {};
}

asio::awaitable<Result<void>> Store::Impl::stop() {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store was stopped before");
  life_ = Life::stopping;
  int tries = 0;
  while (flight_ || stuck_ || !current_.group.empty()) {
    if (!flight_) {
      if (tries++ == kTriesAtStop) break;
      start_commit();
    }
    co_await settled_.wait();
  }
  timer_.cancel();
  Result<void> outcome;
  if (stuck_ || !current_.group.empty())
    outcome = fail(errc::io, "the store cannot be written (" + status_.trouble + "); " +
                                 std::to_string(waiting_readings()) + " readings " +
                                 (journal_ ? "stay in " + journal_->path().string()
                                           : std::string("are lost")));
  auto close = [](File& file) { return file.close(); };
  auto closed = co_await worker_->hop<void>(std::move(close));
  life_ = Life::stopped;
  if (journal_ && journal_->used() == 0) journal_->remove();
  abandon();
  if (outcome && !closed) outcome = fail(std::move(closed).error());
  co_return outcome;
}

void Store::Impl::abandon() {
  for (const auto& gate : current_.gates) gate->open();
  if (stuck_)
    for (const auto& gate : stuck_->gates) gate->open();
  stuck_.reset();
  current_.gates.clear();
  gate_.reset();
}

// ---- group commit -------------------------------------------------------------------------------

std::shared_ptr<Gate> Store::Impl::join() {
  if (!gate_) {
    gate_ = std::make_shared<Gate>(loop_);
    current_.gates.push_back(gate_);
  }
  return gate_;
}

void Store::Impl::request(Hurry hurry) {
  if (failures_ > 0) return;  // the next try has its time
  if (current_.group.readings >= kCommitAtOnce) return start_commit();
  Steady::duration wait = options_.commit_interval * (hurry == Hurry::wait ? 1 : 2);
  // Not without any: what happens at the same time goes together, and a flood costs ten a second.
  if (hurry == Hurry::at_once)
    wait = std::min<Steady::duration>(options_.commit_interval, kAlmostAtOnce);
  if (hurry == Hurry::with_others) wait = std::max<Steady::duration>(wait, kCountsAlone);
  auto due = Steady::now() + wait;
  if (!due_ || due < *due_) arm(due);
}

void Store::Impl::arm(Steady::time_point due) {
  due_ = due;
  timer_.expires_at(due);
  timer_.async_wait([weak = weak_from_this(), due](const boost::system::error_code& cancelled) {
    auto self = weak.lock();
    if (self && !cancelled && self->due_ == due) self->on_timer();
  });
}

void Store::Impl::on_timer() {
  due_.reset();
  overdue_ = true;
  start_commit();
}

void Store::Impl::start_commit() {
  if (flight_ || (!stuck_ && current_.group.empty())) return;
  if (held_ && life_ == Life::running) return;
  overdue_ = false;
  due_.reset();
  timer_.cancel();
  settled_.close();
  if (stuck_) {
    flight_ = std::exchange(stuck_, nullptr);
  } else {
    flight_ = std::make_shared<Flight>(std::exchange(current_, Flight()));
    flight_->group.number = ++flights_;
    flight_->group.stream = snapshot_.identity.stream;
    gate_.reset();
  }
  flight_->group.at = clock_.wall();
  // Lent to the thread, which changes only what the waiting callers will read.
  auto work = [lent = flight_](File& file) { return file.commit(lent->group); };
  auto back = [weak = weak_from_this()](Result<Snapshot> result) {
    if (auto self = weak.lock()) self->committed(std::move(result));
  };
  worker_->run(std::move(work), std::move(back));
  // Nobody waits for it; what it could not do it will do after the next commit.
  auto tidy = [](File& file) {
    if (auto tidied = file.tidy(); !tidied) spdlog::warn("store: {}", tidied.error().what);
  };
  worker_->then(tidy);
  if (!upkeep_) keep_up();
}

// One piece after the other, with what came meanwhile in between.
void Store::Impl::keep_up() {
  upkeep_ = true;
  auto work = [now = clock_.boot()](File& file) { return file.upkeep(now); };
  auto back = [weak = weak_from_this()](Result<Upkeep> result) {
    auto self = weak.lock();
    if (!self) return;
    self->upkeep_ = false;
    if (!result) {
      spdlog::warn("store: {}", result.error().what);
      return;
    }
    if (result->after) self->look(std::move(*result->after));
    if (result->more && self->life_ == Life::running) self->keep_up();
  };
  worker_->run(std::move(work), std::move(back));
}

void Store::Impl::committed(Result<Snapshot> result) {
  auto flight = std::exchange(flight_, nullptr);
  if (result) {
    succeeded(*flight, std::move(*result));
  } else {
    stuck_ = std::move(flight);
    failed(std::move(result).error());
  }
  settled_.open();
  if (life_ == Life::running && failures_ == 0 &&
      (overdue_ || current_.group.readings >= kCommitAtOnce))
    start_commit();
}

// A file that was damaged under way has given place to another, with a stream of its own: what is
// said of messages of the one before means nothing any more.
void Store::Impl::look(Snapshot snapshot) {
  const bool other = snapshot.identity.stream != snapshot_.identity.stream;
  snapshot_ = std::move(snapshot);
  if (!other) return;
  done_.clear();
  current_.group.dones.clear();
  status_.damaged = !snapshot_.aside.empty();
  if (!status_.degraded) status_.trouble = snapshot_.aside;
  if (on_stream) on_stream();
}

void Store::Impl::succeeded(const Flight& flight, Snapshot snapshot) {
  const bool recovered = failures_ > 0;
  if (recovered) {
    spdlog::info("store: can be written again failures={}", failures_);
    // What came meanwhile had no time of its own.
    if (!current_.group.empty()) overdue_ = true;
  }
  failures_ = 0;
  bool messages = false;
  for (const auto& done : flight.group.dones) {
    messages = messages || done.outcome == Outcome::refused;  // announced by a message of its own
    auto it = done_.find(done.sequence);
    if (it == done_.end()) continue;
    it->second &= ~(std::uint64_t{1} << done.bit);
    if (it->second == 0) done_.erase(it);
  }
  look(std::move(snapshot));
  if (journal_) journal_->release(snapshot_.totals.journal);
  status_.degraded = false;
  status_.trouble = snapshot_.aside;
  ++status_.commits;
  status_.last_commit_seconds = snapshot_.seconds;
  status_.commit_seconds_sum += snapshot_.seconds;
  status_.commit_seconds_max = std::max(status_.commit_seconds_max, snapshot_.seconds);
  status_.last_commit_boot_ns = nanoseconds(clock_.boot());
  for (const auto& append : flight.group.appends) append->finished = true;
  for (const auto& closing : flight.group.closings) {
    closing->finished = true;
    messages = messages || !closing->fold.messages.empty();
  }
  for (const auto& gate : flight.gates) gate->open();
  if ((messages || recovered) && notify) notify();
}

// The file did what it could. Nothing of the group was acknowledged; it goes again, as it is.
void Store::Impl::failed(Error error) {
  ++failures_;
  if (!status_.degraded || status_.trouble != error.what)
    spdlog::error("store: cannot be written; readings wait in memory: {}", error.what);
  status_.degraded = true;
  status_.trouble = std::move(error.what);
  if (life_ != Life::running) return;
  auto delay = options_.commit_interval * (1 << std::min(failures_, 8u));
  arm(Steady::now() + std::min<Steady::duration>(delay, kLongestRetry));
}

}  // namespace gerbang::store
