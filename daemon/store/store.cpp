// SPDX-License-Identifier: Apache-2.0
//
// Group commit, and the hop between the loop and the store's thread. Everything of Impl belongs to
// the loop thread but `file_`, which belongs to the store's. The two meet in post() only.
#include "store/store.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <iterator>
#include <thread>
#include <unordered_map>
#include <utility>

#include "async/spawn.hpp"
#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/file.hpp"
#include "store/migrations.hpp"
#include "store/pack.hpp"

namespace gerbang::store {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kCommitAtOnce = 32'768;  // waiting readings
constexpr auto kLongestRetry = std::chrono::seconds(10);
constexpr int kStepsOfAPage = 64;  // each is bounded; then the caller gets what there is
constexpr int kTriesAtStop = 2;

const Clock& machine_clock() {
  static const SystemClock kClock;
  return kClock;
}

Result<ReadingPage> step(File& file, const ReadingQuery& query) {
  return file.readings(query);
}
Result<AggregatePage> step(File& file, const AggregateQuery& query) {
  return file.aggregates(query);
}
std::vector<StoredReading>& rows_of(ReadingPage& page) {
  return page.readings;
}
std::vector<Aggregate>& rows_of(AggregatePage& page) {
  return page.rows;
}

// Puts one step behind the others and moves the query on; true: the page is complete.
template <class Page, class Query>
bool append_page(Page& to, Page step, Query& query) {
  auto& rows = rows_of(step);
  query.limit -= std::min(query.limit, rows.size());
  std::move(rows.begin(), rows.end(), std::back_inserter(rows_of(to)));
  to.next = query.after = std::move(step.next);
  return to.next.empty() || query.limit == 0;
}

// Signals are for the loop thread.
std::thread quiet_thread(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "store");
  return thread;
}

}  // namespace

class Store::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Options options, asio::any_io_executor loop)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : machine_clock()),
        loop_(std::move(loop)),
        timer_(loop_),
        settled_(loop_),
        work_(asio::make_work_guard(thread_io_)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open();

  // Runs work(File&) on the store's thread while the caller waits.
  template <class T, class F>
  Result<T> blocking(F work);
  // The same without blocking the loop. `arrived` is called with the result on the loop thread, in
  // the same turn in which later commits are not known yet.
  template <class T, class F, class A>
  asio::awaitable<Result<T>> hop(F work, A arrived);
  template <class T, class F>
  asio::awaitable<Result<T>> hop(F work);

  asio::awaitable<Result<BatchId>> append(Batch batch);
  asio::awaitable<Result<Sequence>> commit(Fold fold);
  asio::awaitable<Result<std::vector<std::int32_t>>> declare(std::vector<SeriesSpec> series);
  asio::awaitable<Result<std::vector<int>>> declare_uplinks(std::vector<std::string> names);
  asio::awaitable<Result<std::vector<Message>>> pull(Pull what);
  // Steps until the page is full; commits come in between.
  template <class Page, class Query>
  asio::awaitable<Result<Page>> pages(Query query);
  asio::awaitable<Result<void>> stop();

  void reject(const std::string& reason, std::uint64_t count);
  void done(int bit, Sequence sequence, Outcome outcome, const std::string& reason);
  void put(const std::string& key, const std::string& value);
  Result<std::optional<std::string>> get(const std::string& key);
  Status status() const;
  bool alive(std::chrono::nanoseconds within);

  const Snapshot& snapshot() const { return snapshot_; }
  std::function<void()> notify;

 private:
  // A group on its way, and those who wait for it.
  struct Flight {
    Group group;
    std::vector<std::shared_ptr<Gate>> gates;
  };
  enum class Hurry { wait, may_wait_longer };
  enum class Life { running, stopping, stopped };

  std::shared_ptr<Gate> join();
  void request(Hurry hurry);
  void arm(Steady::time_point due);
  void on_timer();
  void start_commit();
  void committed(Result<Snapshot> result);
  void succeeded(const Flight& flight, Snapshot snapshot);
  void failed(Error error);
  void abandon();
  void answered();
  void forget(std::vector<Message>& messages, int bit) const;
  std::uint64_t waiting_readings() const;
  std::vector<const Group*> waiting_groups() const;  // newest first

  const Options options_;
  const Clock& clock_;
  asio::any_io_executor loop_;

  Life life_ = Life::running;
  Flight current_;                  // what the next transaction will carry
  std::shared_ptr<Flight> flight_;  // what the running one carries; empty: none is running
  std::shared_ptr<Gate> gate_;      // of current_
  asio::steady_timer timer_;
  std::optional<Steady::time_point> due_;  // of current_
  bool overdue_ = false;                   // it fell due while a transaction was running
  bool held_ = false;                      // a declaration must come first
  unsigned failures_ = 0;                  // in a row
  Gate settled_;                           // no transaction is running

  Snapshot snapshot_;
  Status status_;
  std::string aside_;  // File::aside
  // Outcomes that are not durable: sequence → bits.
  std::unordered_map<Sequence, std::uint64_t> done_;
  Steady::time_point answered_ = Steady::now();
  std::optional<Steady::time_point> asked_;

  asio::io_context thread_io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<File> file_;
  std::thread thread_;
};

// ---- life ---------------------------------------------------------------------------------------

Result<void> Store::Impl::open() {
  Board board = options_.board ? *options_.board : this_board();
  auto file = File::open(options_, board, clock_.wall());
  STORE_TRY(file);
  file_ = std::move(*file);
  auto now = file_->snapshot();
  STORE_TRY(now);
  snapshot_ = std::move(*now);
  status_.cap = options_.max_size;
  status_.damaged = !file_->aside().empty();
  status_.trouble = aside_ = file_->aside();
  settled_.open();
  thread_ = quiet_thread([this] { thread_io_.run(); });
  return {};
}

// Without stop() this is a crash: what waits is lost, what was acknowledged is on disk.
Store::Impl::~Impl() {
  work_.reset();
  thread_io_.stop();
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<Result<void>> Store::Impl::stop() {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store was stopped before");
  life_ = Life::stopping;
  int tries = 0;
  while (flight_ || !current_.group.empty()) {
    if (!flight_) {
      if (tries++ == kTriesAtStop) break;
      start_commit();
    }
    co_await settled_.wait();
  }
  timer_.cancel();
  Result<void> outcome;
  if (!current_.group.empty())
    outcome = fail(errc::io, "the store cannot be written (" + status_.trouble + "); " +
                                 std::to_string(current_.group.readings) + " readings are lost");
  auto close = [](File& file) { return file.close(); };
  auto closed = co_await hop<void>(std::move(close));
  life_ = Life::stopped;
  abandon();
  if (outcome && !closed) outcome = fail(std::move(closed).error());
  co_return outcome;
}

void Store::Impl::abandon() {
  for (const auto& gate : current_.gates) gate->open();
  current_.gates.clear();
  gate_.reset();
}

// ---- the two threads ----------------------------------------------------------------------------

template <class T, class F>
Result<T> Store::Impl::blocking(F work) {
  std::promise<Result<T>> promise;
  auto future = promise.get_future();
  asio::post(thread_io_, [&] {
    Result<T> result = work(*file_);
    if (auto now = file_->snapshot()) snapshot_ = std::move(*now);  // the loop thread waits below
    promise.set_value(std::move(result));
  });
  return future.get();
}

template <class T, class F, class A>
asio::awaitable<Result<T>> Store::Impl::hop(F work, A arrived) {
  struct Trip {
    explicit Trip(const asio::any_io_executor& loop) : gate(loop) {}
    std::optional<Result<T>> result;
    Gate gate;
  };
  auto trip = std::make_shared<Trip>(loop_);
  auto there = [this, trip, work = std::move(work), arrived = std::move(arrived),
                weak = weak_from_this()]() mutable {
    Result<T> result = work(*file_);
    auto back = [trip = std::move(trip), result = std::move(result), arrived = std::move(arrived),
                 weak = std::move(weak)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      self->answered();
      arrived(result);
      trip->result.emplace(std::move(result));
      trip->gate.open();
    };
    asio::post(loop_, std::move(back));
  };
  asio::post(thread_io_, std::move(there));
  co_await trip->gate.wait();
  if (!trip->result) co_return fail(std::errc::operation_canceled, "cancelled");
  co_return std::move(*trip->result);
}

template <class T, class F>
asio::awaitable<Result<T>> Store::Impl::hop(F work) {
  auto nothing = [](Result<T>&) {};
  return hop<T>(std::move(work), nothing);
}

void Store::Impl::answered() {
  answered_ = Steady::now();
  asked_.reset();
}

bool Store::Impl::alive(std::chrono::nanoseconds within) {
  auto now = Steady::now();
  if (asked_) return now - *asked_ <= within;
  if (now - answered_ <= within / 2) return true;
  asked_ = now;
  auto there = [this, weak = weak_from_this()] {
    asio::post(loop_, [weak] {
      if (auto self = weak.lock()) self->answered();
    });
  };
  asio::post(thread_io_, std::move(there));
  return true;
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
  auto due = Steady::now() + options_.commit_interval * (hurry == Hurry::wait ? 1 : 2);
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
  if (flight_ || current_.group.empty()) return;
  if (held_ && life_ == Life::running) return;
  overdue_ = false;
  due_.reset();
  timer_.cancel();
  settled_.close();
  flight_ = std::make_shared<Flight>(std::exchange(current_, Flight()));
  gate_.reset();
  // The flight stays with the loop thread; only the group in it is lent.
  auto there = [this, &group = std::as_const(flight_->group), lent = flight_, now = clock_.boot(),
                weak = weak_from_this()]() mutable {
    auto result = file_->commit(group, now);
    auto back = [weak = std::move(weak), lent = std::move(lent),
                 result = std::move(result)]() mutable {
      if (auto self = weak.lock()) self->committed(std::move(result));
    };
    asio::post(loop_, std::move(back));
    // The callers do not wait for it; what it could not do it will do after the next commit.
    if (auto tidied = file_->tidy(); !tidied) spdlog::warn("store: {}", tidied.error().what);
  };
  asio::post(thread_io_, std::move(there));
}

void Store::Impl::committed(Result<Snapshot> result) {
  answered();
  auto flight = std::exchange(flight_, nullptr);
  if (result) {
    succeeded(*flight, std::move(*result));
  } else {
    flight->group.add(std::exchange(current_.group, Group()));
    for (auto& gate : current_.gates) flight->gates.push_back(std::move(gate));
    current_ = std::move(*flight);
    failed(std::move(result).error());
  }
  settled_.open();
  if (life_ == Life::running && failures_ == 0 &&
      (overdue_ || current_.group.readings >= kCommitAtOnce))
    start_commit();
}

void Store::Impl::succeeded(const Flight& flight, Snapshot snapshot) {
  if (failures_ > 0) {
    spdlog::info("store: can be written again failures={}", failures_);
    // What came meanwhile had no time of its own.
    if (!current_.group.empty()) overdue_ = true;
  }
  failures_ = 0;
  snapshot_ = std::move(snapshot);
  status_.degraded = false;
  status_.trouble = aside_;
  ++status_.commits;
  status_.last_commit_seconds = snapshot_.seconds;
  status_.commit_seconds_sum += snapshot_.seconds;
  status_.commit_seconds_max = std::max(status_.commit_seconds_max, snapshot_.seconds);
  status_.last_commit_boot_ns = nanoseconds(clock_.boot());

  for (const auto& done : flight.group.dones) {
    auto it = done_.find(done.sequence);
    if (it == done_.end()) continue;
    it->second &= ~(std::uint64_t{1} << done.bit);
    if (it->second == 0) done_.erase(it);
  }
  bool messages = false;
  for (const auto& append : flight.group.appends) append->finished = true;
  for (const auto& closing : flight.group.closings) {
    closing->finished = true;
    messages = messages || !closing->fold.messages.empty();
  }
  for (const auto& gate : flight.gates) gate->open();
  if (messages && notify) notify();
}

// Reopening after errors, room made on a full disk and the ring are not here yet; trying the same
// group again is right for all of them, because nothing of it was acknowledged.
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

// ---- what callers do ----------------------------------------------------------------------------

asio::awaitable<Result<BatchId>> Store::Impl::append(Batch batch) {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store is stopping");
  std::size_t count = batch.readings.size();
  if (count == 0) co_return snapshot_.identity.last_batch;
  if (count > kMaxPacked)
    co_return fail(std::errc::value_too_large,
                   "a batch holds at most " + std::to_string(kMaxPacked) + " readings");
  std::uint64_t waiting = waiting_readings();
  if (waiting > 0 && waiting + count > options_.max_waiting)
    co_return fail(errc::busy, std::to_string(waiting) + " readings wait to be written");
  auto append = std::make_shared<Append>(std::move(batch));
  auto gate = join();
  current_.group.appends.push_back(append);
  current_.group.readings += count;
  current_.group.taken += count;
  request(Hurry::wait);
  co_await gate->wait();
  if (!append->finished)
    co_return fail(errc::stopped, "the store stopped before they were written");
  co_return append->id;
}

asio::awaitable<Result<Sequence>> Store::Impl::commit(Fold fold) {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store is stopping");
  auto closing = std::make_shared<Closing>(std::move(fold));
  auto gate = join();
  current_.group.closings.push_back(closing);
  request(Hurry::wait);
  co_await gate->wait();
  if (!closing->finished) co_return fail(errc::stopped, "the store stopped before it was written");
  co_return closing->last;
}

asio::awaitable<Result<std::vector<std::int32_t>>> Store::Impl::declare(
    std::vector<SeriesSpec> series) {
  if (held_) co_return fail(errc::busy, "another declaration is under way");
  // What waits now belongs to the calibrations of before.
  if (flight_) co_await settled_.wait();
  if (!current_.group.empty() && failures_ == 0) {
    start_commit();
    co_await settled_.wait();
  }
  if (failures_ > 0 || flight_)
    co_return fail(errc::busy, "readings wait that cannot be written now; try again later");
  held_ = true;
  auto job = [series = std::move(series)](File& file) { return file.declare(series); };
  auto ids = co_await hop<std::vector<std::int32_t>>(std::move(job));
  held_ = false;
  if (overdue_) start_commit();
  co_return ids;
}

asio::awaitable<Result<std::vector<int>>> Store::Impl::declare_uplinks(
    std::vector<std::string> names) {
  // A commit under way still speaks of the bits of before.
  if (flight_) co_await settled_.wait();
  auto job = [names = std::move(names)](File& file) { return file.declare_uplinks(names); };
  co_return co_await hop<std::vector<int>>(std::move(job));
}

void Store::Impl::forget(std::vector<Message>& messages, int bit) const {
  std::erase_if(messages, [&](const Message& m) {
    auto it = done_.find(m.sequence);
    return it != done_.end() && (it->second >> bit & 1) != 0;
  });
}

asio::awaitable<Result<std::vector<Message>>> Store::Impl::pull(Pull what) {
  if (what.bit < 0 || what.bit >= Outbox::kMaxUplinks)
    co_return fail(std::errc::invalid_argument, "no such uplink");
  for (;;) {
    auto job = [what](File& file) { return file.pull(what); };
    // Before the loop learns of commits that came after the pull, so none is returned that was
    // done.
    auto above = std::make_shared<Sequence>(0);
    auto arrived = [this, above, bit = what.bit](Result<std::vector<Message>>& pulled) {
      if (!pulled || pulled->empty()) return;
      *above = pulled->back().sequence;
      forget(*pulled, bit);
    };
    auto pulled = co_await hop<std::vector<Message>>(std::move(job), std::move(arrived));
    if (!pulled || !pulled->empty() || *above == 0) co_return pulled;
    what.above = *above;
  }
}

template <class Page, class Query>
asio::awaitable<Result<Page>> Store::Impl::pages(Query query) {
  Page out;
  for (int n = 0; n < kStepsOfAPage; ++n) {
    auto job = [query](File& file) { return step(file, query); };
    auto page = co_await hop<Page>(std::move(job));
    if (!page) co_return page;
    if (append_page(out, std::move(*page), query)) break;
  }
  co_return out;
}

void Store::Impl::reject(const std::string& reason, std::uint64_t count) {
  if (life_ == Life::stopped || count == 0) return;
  current_.group.rejects[reason] += count;
  current_.group.taken += count;
  request(Hurry::may_wait_longer);
}

void Store::Impl::done(int bit, Sequence sequence, Outcome outcome, const std::string& reason) {
  if (life_ == Life::stopped || bit < 0 || bit >= Outbox::kMaxUplinks) return;
  std::uint64_t& bits = done_[sequence];
  std::uint64_t mask = std::uint64_t{1} << bit;
  if ((bits & mask) != 0) return;
  bits |= mask;
  current_.group.dones.push_back(Done{bit, sequence, outcome, reason});
  request(Hurry::may_wait_longer);
}

void Store::Impl::put(const std::string& key, const std::string& value) {
  if (life_ == Life::stopped) return;
  current_.group.items[key] = value;
  request(Hurry::may_wait_longer);
}

Result<std::optional<std::string>> Store::Impl::get(const std::string& key) {
  for (const Group* group : waiting_groups()) {
    if (auto it = group->items.find(key); it != group->items.end())
      return std::optional<std::string>(it->second);
  }
  return blocking<std::optional<std::string>>([&](File& file) { return file.item(key); });
}

std::uint64_t Store::Impl::waiting_readings() const {
  return current_.group.readings + (flight_ ? flight_->group.readings : 0);
}

std::vector<const Group*> Store::Impl::waiting_groups() const {
  std::vector<const Group*> groups = {&current_.group};
  if (flight_) groups.push_back(&flight_->group);
  return groups;
}

Status Store::Impl::status() const {
  Status s = status_;
  s.bytes = snapshot_.bytes;
  s.oldest_reading_ms = snapshot_.oldest_reading_ms;
  s.waiting_readings = waiting_readings();
  s.stored = snapshot_.totals.stored;
  s.folded = snapshot_.totals.folded;
  s.not_folded = snapshot_.not_folded;
  s.removed = snapshot_.removed;
  s.unreadable_batches = snapshot_.unreadable_batches;
  s.taken = snapshot_.totals.taken;
  s.rejected = snapshot_.rejected;
  for (const Group* group : waiting_groups()) {
    s.taken += group->taken;
    for (const auto& [reason, count] : group->rejects) s.rejected[reason] += count;
  }
  return s;
}

int schema_version() {
  return static_cast<int>(migrations().size());
}

// ---- the public face ----------------------------------------------------------------------------

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const Options& options, asio::any_io_executor loop) {
  auto impl = std::make_shared<Impl>(options, std::move(loop));
  STORE_TRY(impl->open());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

const Identity& Store::identity() const {
  return impl_->snapshot().identity;
}

Result<std::vector<std::int32_t>> Store::declare(const std::vector<SeriesSpec>& series) {
  return impl_->blocking<std::vector<std::int32_t>>(
      [&](File& file) { return file.declare(series); });
}
asio::awaitable<Result<std::vector<std::int32_t>>> Store::declare_async(
    std::vector<SeriesSpec> series) {
  return impl_->declare(std::move(series));
}
Result<std::vector<int>> Store::declare_uplinks(const std::vector<std::string>& names) {
  return impl_->blocking<std::vector<int>>([&](File& file) { return file.declare_uplinks(names); });
}
asio::awaitable<Result<std::vector<int>>> Store::declare_uplinks_async(
    std::vector<std::string> names) {
  return impl_->declare_uplinks(std::move(names));
}
Result<void> Store::replay(BatchId from, const std::function<void(const StoredReading&)>& each) {
  return impl_->blocking<void>([&](File& file) { return file.replay(from, each); });
}

asio::awaitable<Result<BatchId>> Store::append(Batch batch) {
  return impl_->append(std::move(batch));
}
void Store::reject(const std::string& reason, std::uint64_t count) {
  impl_->reject(reason, count);
}
asio::awaitable<Result<Sequence>> Store::commit(Fold fold) {
  return impl_->commit(std::move(fold));
}

asio::awaitable<Result<std::vector<Message>>> Store::pull(Pull what) {
  return impl_->pull(what);
}
void Store::done(int bit, Sequence sequence, Outcome outcome, const std::string& reason) {
  impl_->done(bit, sequence, outcome, reason);
}
UplinkCounts Store::uplink_counts(int bit) const {
  auto it = impl_->snapshot().uplinks.find(bit);
  return it == impl_->snapshot().uplinks.end() ? UplinkCounts() : it->second;
}
void Store::on_messages(std::function<void()> notify) {
  impl_->notify = std::move(notify);
}

asio::awaitable<Result<ReadingPage>> Store::readings(ReadingQuery query) {
  return impl_->pages<ReadingPage>(std::move(query));
}
asio::awaitable<Result<AggregatePage>> Store::aggregates(AggregateQuery query) {
  return impl_->pages<AggregatePage>(std::move(query));
}
Result<AggregatePage> Store::aggregates_now(const AggregateQuery& query) {
  return impl_->blocking<AggregatePage>([&](File& file) -> Result<AggregatePage> {
    AggregatePage out;
    for (AggregateQuery rest = query;;) {
      auto page = step(file, rest);
      if (!page) return page;
      if (append_page(out, std::move(*page), rest)) return out;
    }
  });
}

void Store::put(const std::string& key, const std::string& value) {
  impl_->put(key, value);
}
Result<std::optional<std::string>> Store::get(const std::string& key) {
  return impl_->get(key);
}
Status Store::status() const {
  return impl_->status();
}
bool Store::alive(std::chrono::nanoseconds within) const {
  return impl_->alive(within);
}
asio::awaitable<Result<void>> Store::stop() {
  return impl_->stop();
}

}  // namespace gerbang::store
