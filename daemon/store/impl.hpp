// SPDX-License-Identifier: Apache-2.0
//
// The loop's side of the store: what the next transaction carries, when it goes, who waits for it.
// Everything here belongs to the loop thread; File is reached through Worker only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/spawn.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"
#include "store/worker.hpp"

namespace gerbang::store {

class Store::Impl : public std::enable_shared_from_this<Impl> {
 public:
  using Steady = std::chrono::steady_clock;

  Impl(Options options, asio::any_io_executor loop);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open();

  // Worker::blocking and Worker::hop, after which snapshot() shows what the work changed.
  template <class T, class F>
  Result<T> blocking(F work);
  template <class T, class F>
  asio::awaitable<Result<T>> hop_and_look(F work);

  asio::awaitable<Result<BatchId>> append(Batch batch);
  asio::awaitable<Result<Sequence>> commit(Fold fold);
  asio::awaitable<Result<std::vector<std::int32_t>>> declare(std::vector<SeriesSpec> series);
  asio::awaitable<Result<std::vector<int>>> declare_uplinks(std::vector<std::string> names);
  asio::awaitable<Result<std::vector<Message>>> pull(Pull what);
  asio::awaitable<Result<std::vector<Restamped>>> restamp(RestampQuery query);
  asio::awaitable<Result<std::vector<EventRow>>> doubtful_events(std::string boot_id);
  // Steps until the page is full; commits come in between.
  template <class Page, class Query>
  asio::awaitable<Result<Page>> pages(Query query);
  asio::awaitable<Result<void>> stop();

  std::uint64_t record(const Epoch& epoch, std::span<const Reading> readings,
                       const Reasons& rejected);
  std::vector<Batch> take_unsaved() { return std::exchange(unsaved_, {}); }
  void reject(const std::string& reason, std::uint64_t count, std::int32_t series);
  void done(int bit, Sequence sequence, Outcome outcome, const std::string& reason);
  void put(const std::string& key, const std::string& value);
  Result<std::optional<std::string>> get(const std::string& key);
  Status status() const;
  std::vector<SeriesLedger> ledger() const;
  Counts waiting() const;
  Counts closing() const;
  Result<void> reconcile(const Counts& to_fold);
  bool degraded() const { return status_.degraded; }
  bool alive(std::chrono::nanoseconds within) { return worker_->alive(within); }

  const Snapshot& snapshot() const { return snapshot_; }
  std::function<void()> notify, on_stream;

 private:
  // A group on its way, and those who wait for it.
  struct Flight {
    Group group;
    std::vector<std::shared_ptr<Gate>> gates;
  };
  enum class Hurry { at_once, wait, may_wait_longer, with_others };
  enum class Life { running, stopping, stopped };

  void take_rejects(const Batch& batch);
  void commit_if_crowded();
  void open_journal();
  bool restore(Journal::Found found);

  std::shared_ptr<Gate> join();
  void request(Hurry hurry);
  void arm(Steady::time_point due);
  void on_timer();
  void start_commit();
  void keep_up();
  void committed(Result<Snapshot> result);
  void look(Snapshot snapshot);
  void succeeded(const Flight& flight, Snapshot snapshot);
  void failed(Error error);
  void abandon();
  void forget(std::vector<Message>& messages, int bit) const;
  std::uint64_t waiting_readings() const;
  std::vector<const Group*> waiting_groups() const;  // newest first

  const Options options_;
  const Clock& clock_;
  asio::any_io_executor loop_;

  Life life_ = Life::running;
  Flight current_;                  // what the next transaction will carry
  std::shared_ptr<Flight> flight_;  // what the running one carries; empty: none is running
  std::shared_ptr<Flight> stuck_;   // what failed: goes again, alone and before anything else
  std::uint64_t flights_ = 0;
  std::shared_ptr<Gate> gate_;  // of current_
  asio::steady_timer timer_;
  std::optional<Steady::time_point> due_;  // of current_
  bool overdue_ = false;                   // it fell due while a transaction was running
  bool upkeep_ = false;                    // a piece of it is under way
  bool held_ = false;                      // a declaration must come first
  unsigned failures_ = 0;                  // in a row
  Gate settled_;                           // no transaction is running

  Snapshot snapshot_;
  Status status_;
  // Outcomes that are not durable: sequence → bits.
  std::unordered_map<Sequence, std::uint64_t> done_;
  std::shared_ptr<Worker> worker_;

  std::optional<Journal> journal_;
  JournalStatus journal_status_;
  std::vector<Batch> unsaved_;  // restored from the journal, and the database did not take them
};

template <class T, class F>
Result<T> Store::Impl::blocking(F work) {
  // The thread writes `after`, and this one waits for it.
  Result<Snapshot> after = fail(errc::stopped, "");
  auto job = [&](File& file) {
    Result<T> result = work(file);
    after = file.snapshot();
    return result;
  };
  Result<T> result = worker_->blocking<T>(job);
  if (after) look(std::move(*after));
  return result;
}

template <class T, class F>
asio::awaitable<Result<T>> Store::Impl::hop_and_look(F work) {
  auto after = std::make_shared<std::optional<Snapshot>>();
  auto job = [work = std::move(work), after](File& file) {
    Result<T> result = work(file);
    if (auto now = file.snapshot()) *after = std::move(*now);
    return result;
  };
  auto arrived = [this, after](Result<T>&) {
    if (*after) look(std::move(**after));
  };
  return worker_->hop<T>(std::move(job), std::move(arrived));
}

}  // namespace gerbang::store
