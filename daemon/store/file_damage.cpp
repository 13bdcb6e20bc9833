// SPDX-License-Identifier: Apache-2.0
//
// A file that cannot be used is set aside, and a new one goes on where it stood.
#include <algorithm>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/file.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint64_t kSalvagePages = 1024;  // that one step may need

}  // namespace

// With what the running process knows, or at the start with what can be read of the file.
Result<void> File::begin_anew(const Error& why, WallTime at) {
  const bool running = !stream_.empty();
  Heritage heritage;
  if (running) heritage = heritage_of_running();
  open_.reset();
  salvage_.reset();
  doubt_.reset();
  if (auto damaged = open_to_read(options_.path, options_.vfs)) {
    if (running) {
      heritage.read_items(*damaged, true);
      heritage.read_tail(*damaged);
    } else {
      heritage = Heritage::of(*damaged);
    }
  }
  return replace(why, at, std::move(heritage));
}

Heritage File::heritage_of_running() const {
  Heritage out;
  out.stream = stream_;
  out.first_waiting = first_waiting_;
  out.last_sequence = mark_.sequence;
  out.last_batch = mark_.batch;
  out.journal = mark_.journal;
  if (ledger_) out.ledger = *ledger_;
  out.replay_from = replay_from_;
  out.uplinks = uplinks_;
  out.series = series_;
  return out;
}

Result<void> File::replace(const Error& why, WallTime at, Heritage heritage) {
  auto name = set_aside(options_.path, at);
  STORE_TRY(name);
  aside_ = "the store could not be used (" + why.what + "); it was set aside as " +
           name->filename().string() + " and a new one begun";
  spdlog::error("{}", aside_);
  successor_ = std::make_unique<Successor>(Successor{std::move(heritage), *name});
  return succeed();
}

// May have to be tried again: the disk may be full.
Result<void> File::succeed() {
  const Heritage& heritage = successor_->heritage;
  Salvage::Plan plan;
  plan.from = successor_->from;
  plan.with_readings = heritage.series != nullptr;
  plan.lost.stream = heritage.stream;
  plan.lost.first = heritage.first_waiting;
  plan.lost.last = heritage.last_sequence;
  if (!heritage.tail.empty()) {
    plan.has_from = heritage.tail.front().id;
    plan.has_to = heritage.tail.back().id;
  }
  auto fill = [&](sql::Database& fresh) -> Result<void> {
    auto transaction = sql::Transaction::begin(fresh);
    STORE_TRY(transaction);
    STORE_TRY(heritage.put(fresh));
    State state;
    STORE_TRY(state.prepare(fresh));
    STORE_TRY(Salvage::put(state, plan));
    return transaction->commit();
  };
  if (ballast_.release()) last_ballast_.reset();
  STORE_TRY(create_database(options_, board_, heritage.stream, fill));
  successor_.reset();
  STORE_TRY(open_existing());
  remember();
  salvage_ = Salvage::resume(open_->state, options_.path.parent_path(), options_.vfs);
  return {};
}

// The file that is set aside may go when it has to make room; then there is nothing left to
// salvage.
Result<bool> File::salvage() {
  if (!salvage_) return false;
  auto room = pages();
  STORE_TRY(room);
  if (room->free < kSalvagePages) {
    spdlog::warn("store: there is no room to salvage more of {}",
                 salvage_->from().filename().string());
    salvage_.reset();
    return false;
  }
  auto in_transaction = [this](const Work& work) { return transact(work); };
  Salvage::Target target{open_->state,      open_->series, open_->chunks,
                         open_->aggregates, open_->outbox, open_->history.now_ms(),
                         options_.gap_body, in_transaction};
  auto more = salvage_->step(target);
  if (more) {
    mark_ = mark();
    if (*more) return true;
    std::string figures;
    for (const auto& [what, count] : open_->state.salvages)
      figures += " " + what + "=" + std::to_string(count);
    spdlog::info("store: salvage of {} is done:{}", salvage_->from().filename().string(),
                 figures.empty() ? " nothing" : figures);
    salvage_.reset();
    return true;
  }
  return more;
}

}  // namespace gerbang::store
