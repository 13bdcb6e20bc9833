// SPDX-License-Identifier: Apache-2.0
//
// What callers do; when it becomes durable is in group_commit.cpp.
#include "store/store.hpp"

#include <algorithm>
#include <iterator>

#include "store/check.hpp"
#include "store/impl.hpp"
#include "store/migrations.hpp"
#include "store/pack.hpp"

namespace gerbang::store {
namespace {

constexpr int kStepsOfAPage = 64;  // each is bounded; then the caller gets what there is

Result<ReadingPage> step(File& file, const ReadingQuery& query) {
  return file.readings(query);
}
Result<AggregatePage> step(File& file, const AggregateQuery& query) {
  return file.aggregates(query);
}
Result<EventPage> step(File& file, const EventQuery& query) {
  return file.events(query);
}
std::vector<StoredReading>& rows_of(ReadingPage& page) {
  return page.readings;
}
std::vector<Aggregate>& rows_of(AggregatePage& page) {
  return page.rows;
}
std::vector<EventRow>& rows_of(EventPage& page) {
  return page.events;
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

template <class Page, class Query>
Result<Page> whole(File& file, Query query) {
  Page out;
  for (;;) {
    auto page = step(file, query);
    if (!page) return page;
    if (append_page(out, std::move(*page), query)) return out;
  }
}

}  // namespace

asio::awaitable<Result<BatchId>> Store::Impl::append(Batch batch) {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store is stopping");
  const std::size_t count = readings_in(batch.readings);
  if (batch.readings.empty()) {
    take_rejects(batch);
    co_return snapshot_.identity.last_batch;
  }
  if (batch.readings.size() > kMaxPacked)
    co_return fail(std::errc::value_too_large,
                   "a batch holds at most " + std::to_string(kMaxPacked) + " readings");
  std::uint64_t waiting = waiting_readings();
  if (waiting > 0 && waiting + count > options_.max_waiting)
    co_return fail(errc::busy, std::to_string(waiting) + " readings wait to be written");
  take_rejects(batch);
  auto append = std::make_shared<Append>(std::move(batch));
  auto gate = join();
  current_.group.appends.push_back(append);
  current_.group.readings += count;
  current_.group.taken += count;
  request(Hurry::wait);
  commit_if_crowded();
  co_await gate->wait();
  if (!append->finished)
    co_return fail(errc::stopped, "the store stopped before they were written");
  co_return append->id;
}

void Store::Impl::take_rejects(const Batch& batch) {
  current_.group.journal = std::max(current_.group.journal, batch.journal);
  for (const auto& [reason, counts] : batch.rejected)
    for (const auto& [series, count] : counts) reject(reason, count, series);
}

asio::awaitable<Result<Sequence>> Store::Impl::commit(Fold fold) {
  if (life_ != Life::running) co_return fail(errc::stopped, "the store is stopping");
  auto closing = std::make_shared<Closing>(std::move(fold));
  for (auto& [key, value] : closing->fold.items) current_.group.items[key] = std::move(value);
  auto gate = join();
  current_.group.closings.push_back(closing);
  request(closing->fold.urgent ? Hurry::at_once : Hurry::wait);
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
  if (failures_ > 0 || flight_ || stuck_)
    co_return fail(errc::busy, "readings wait that cannot be written now; try again later");
  held_ = true;
  auto job = [series = std::move(series)](File& file) { return file.declare(series); };
  auto ids = co_await worker_->hop<std::vector<std::int32_t>>(std::move(job));
  held_ = false;
  if (overdue_) start_commit();
  co_return ids;
}

asio::awaitable<Result<std::vector<int>>> Store::Impl::declare_uplinks(
    std::vector<std::string> names) {
  // A commit under way still speaks of the bits of before.
  if (flight_) co_await settled_.wait();
  auto job = [names = std::move(names)](File& file) { return file.declare_uplinks(names); };
  co_return co_await hop_and_look<std::vector<int>>(std::move(job));
}

asio::awaitable<Result<std::vector<Restamped>>> Store::Impl::restamp(RestampQuery query) {
  auto job = [query = std::move(query)](File& file) { return file.restamp(query); };
  co_return co_await worker_->hop<std::vector<Restamped>>(std::move(job));
}

asio::awaitable<Result<std::vector<EventRow>>> Store::Impl::doubtful_events(std::string boot_id) {
  auto job = [boot_id = std::move(boot_id)](File& file) { return file.doubtful_events(boot_id); };
  co_return co_await worker_->hop<std::vector<EventRow>>(std::move(job));
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
    auto pulled = co_await worker_->hop<std::vector<Message>>(std::move(job), std::move(arrived));
    if (!pulled || !pulled->empty() || *above == 0) co_return pulled;
    what.above = *above;
  }
}

template <class Page, class Query>
asio::awaitable<Result<Page>> Store::Impl::pages(Query query) {
  Page out;
  for (int n = 0; n < kStepsOfAPage; ++n) {
    auto job = [query](File& file) { return step(file, query); };
    auto page = co_await worker_->hop<Page>(std::move(job));
    if (!page) co_return page;
    if (append_page(out, std::move(*page), query)) break;
  }
  co_return out;
}

void Store::Impl::reject(const std::string& reason, std::uint64_t count, std::int32_t series) {
  if (life_ == Life::stopped || count == 0) return;
  current_.group.reject(reason, series, count);
  request(Hurry::with_others);
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
  std::uint64_t sum = 0;
  for (const Group* group : waiting_groups()) sum += group->readings;
  return sum;
}

std::vector<const Group*> Store::Impl::waiting_groups() const {
  std::vector<const Group*> groups = {&current_.group};
  if (stuck_) groups.push_back(&stuck_->group);
  if (flight_) groups.push_back(&flight_->group);
  return groups;
}

Status Store::Impl::status() const {
  Status s = status_;
  s.bytes = snapshot_.bytes;
  s.oldest_reading_ms = snapshot_.oldest_reading_ms;
  s.complete_from_ms = snapshot_.complete_from_ms;
  s.waiting_readings = waiting_readings();
  s.stored = snapshot_.totals.stored;
  s.folded = snapshot_.totals.folded;
  const Account total = snapshot_.ledger->total();
  s.not_folded = total.not_folded;
  s.removed = snapshot_.removed;
  s.unreadable_batches = snapshot_.unreadable_batches;
  s.salvaged = snapshot_.salvaged;
  s.reopened = snapshot_.reopened;
  s.compacted = snapshot_.compacted;
  s.expired = snapshot_.expired;
  s.upkeep = upkeep_;
  s.taken = snapshot_.totals.taken;
  s.rejected = total.rejected;
  for (const Group* group : waiting_groups()) {
    s.taken += group->taken;
    for (const auto& [reason, counts] : group->rejects) s.rejected[reason] += sum(counts);
  }
  s.journal = journal_status_;
  s.journal.bytes = journal_ ? journal_->used() : 0;
  return s;
}

std::vector<SeriesLedger> Store::Impl::ledger() const {
  Ledger now = *snapshot_.ledger;
  for (const Group* group : waiting_groups()) now.reject(group->rejects);
  Counts waits = waiting();
  for (const auto& [series, count] : waits) now.of(series);
  const std::size_t declared = snapshot_.series ? snapshot_.series->size() : 0;
  for (std::size_t n = 1; n <= declared; ++n) now.of(static_cast<std::int32_t>(n));
  std::vector<SeriesLedger> out;
  for (const auto& [series, account] : now.accounts()) {
    SeriesLedger& one = out.emplace_back();
    one.series = series;
    const auto place = static_cast<std::size_t>(series) - 1;
    if (series > 0 && place < declared) one.name = (*snapshot_.series)[place];
    one.account = account;
    if (auto found = waits.find(series); found != waits.end()) one.waiting = found->second;
  }
  return out;
}

Counts Store::Impl::waiting() const {
  Counts out;
  for (const Group* group : waiting_groups())
    for (const auto& append : group->appends)
      for (const Reading& reading : append->batch.readings)
        if (!reading.verdict) ++out[static_cast<std::int32_t>(reading.sensor)];
  return out;
}

Counts Store::Impl::closing() const {
  Counts out;
  for (const Group* group : waiting_groups())
    for (const auto& closing : group->closings) {
      add(out, closing->fold.folded);
      for (const auto& [series, count] : closing->fold.unfolded) out[series] -= count;
      for (const auto& [reason, counts] : closing->fold.not_folded) add(out, counts);
    }
  return out;
}

Result<void> Store::Impl::reconcile(const Counts& to_fold) {
  if (!snapshot_.needs_reconciling) return {};
  return blocking<void>([&](File& file) { return file.reconcile(to_fold); });
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
std::uint64_t Store::record(const Epoch& epoch, std::span<const Reading> readings,
                            const Reasons& rejected) {
  return impl_->record(epoch, readings, rejected);
}
std::vector<Batch> Store::take_unsaved() {
  return impl_->take_unsaved();
}
void Store::reject(const std::string& reason, std::uint64_t count, std::int32_t series) {
  impl_->reject(reason, count, series);
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
void Store::on_stream(std::function<void()> changed) {
  impl_->on_stream = std::move(changed);
}

asio::awaitable<Result<ReadingPage>> Store::readings(ReadingQuery query) {
  return impl_->pages<ReadingPage>(std::move(query));
}
asio::awaitable<Result<std::vector<Restamped>>> Store::restamp(RestampQuery query) {
  return impl_->restamp(std::move(query));
}
Result<bool> Store::vouched(const std::string& boot_id) {
  return impl_->blocking<bool>([&](File& file) { return file.vouched(boot_id); });
}
asio::awaitable<Result<AggregatePage>> Store::aggregates(AggregateQuery query) {
  return impl_->pages<AggregatePage>(std::move(query));
}
asio::awaitable<Result<EventPage>> Store::events(EventQuery query) {
  return impl_->pages<EventPage>(std::move(query));
}
asio::awaitable<Result<std::vector<EventRow>>> Store::doubtful_events(std::string boot_id) {
  return impl_->doubtful_events(std::move(boot_id));
}
Result<ReadingPage> Store::readings_now(const ReadingQuery& query) {
  return impl_->blocking<ReadingPage>([&](File& file) { return whole<ReadingPage>(file, query); });
}
Result<AggregatePage> Store::aggregates_now(const AggregateQuery& query) {
  return impl_->blocking<AggregatePage>(
      [&](File& file) { return whole<AggregatePage>(file, query); });
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
std::int64_t Store::complete_from_ms() const {
  return impl_->snapshot().complete_from_ms;
}
std::vector<SeriesLedger> Store::ledger() const {
  return impl_->ledger();
}
Counts Store::waiting() const {
  return impl_->waiting();
}
Counts Store::closing() const {
  return impl_->closing();
}
Result<void> Store::reconcile(const Counts& to_fold) {
  return impl_->reconcile(to_fold);
}
bool Store::degraded() const {
  return impl_->degraded();
}
bool Store::alive(std::chrono::nanoseconds within) const {
  return impl_->alive(within);
}
asio::awaitable<Result<void>> Store::stop() {
  return impl_->stop();
}

}  // namespace gerbang::store
