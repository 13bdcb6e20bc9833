// SPDX-License-Identifier: Apache-2.0
//
// What is done when the disk says no.
#include <utility>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/file.hpp"

namespace gerbang::store {
namespace {

constexpr int kStrikes = 3;  // then the caller keeps what it has and tries again later

}  // namespace

File::Mark File::mark() const {
  const Totals& totals = open_->state.totals;
  Mark m;
  m.batch = open_->history.last_batch();
  m.sequence = open_->outbox.last_sequence();
  m.taken = totals.taken;
  m.folded = totals.folded;
  m.journal = totals.journal;
  return m;
}

// A group whose commit failed may stand in the file all the same. Before anything else is written
// the file is opened again and asked; only then it is known whether to write it.
Result<void> File::heal(const Group& group, const Work& work) {
  for (int strike = 1;; ++strike) {
    Result<void> done = open_ ? Result<void>() : reopen();
    if (done && damage_)
      done = fail(*std::exchange(damage_, std::nullopt));
    else if (done && doubt_ && doubt_->stored) {
      bool stored = *doubt_->stored && doubt_->group == group.number && group.number != 0;
      doubt_.reset();
      if (stored) return {};
    }
    const bool was_open = done.has_value();
    if (done) done = transact(work);
    if (!done && was_open && done.error().code == errc::full) done = on_full_disk(group, work);
    if (done) {
      remember();
      return done;
    }
    const auto code = done.error().code;
    if (code == errc::damaged) {
      // What a new file does not take either is no damage.
      if (group.number != 0 && std::exchange(replaced_for_, group.number) == group.number)
        return done;
      WallTime at = group.at;
      if (at == WallTime() && open_) at += std::chrono::milliseconds(open_->history.now_ms());
      if (auto begun = begin_anew(done.error(), at); !begun) return begun;
    } else if (code == errc::io || code == errc::locked) {
      if (was_open && group.number != 0) doubt_ = Doubt{group.number, mark_, std::nullopt};
      open_.reset();
    } else {
      return done;
    }
    if (strike < kStrikes) continue;
    // Whoever repairs the disk can take it away and bring it back.
    if (!open_) lock_.release();
    return done;
  }
}

Result<void> File::reopen() {
  ++reopened_;
  open_.reset();
  if (successor_) {
    STORE_TRY(lock_.renew(options_.path));
    return succeed();
  }
  auto found = inspect(options_.path);
  STORE_TRY(found);
  if (*found == Found::nothing || *found == Found::foreign)
    return fail(errc::io, "the file is not at " + options_.path.string() + " any more");
  STORE_TRY(lock_.renew(options_.path));
  if (*found == Found::damaged) return fail(errc::damaged, "it is not a database any more");
  STORE_TRY(write_log_again(options_.path));
  if (auto opened = open_existing(); !opened) {
    open_.reset();
    return opened;
  }
  if (open_->state.stream != stream_) {
    open_.reset();
    return fail(errc::io, "another store is at " + options_.path.string() + " now");
  }
  spdlog::warn("store: opened again after an error");
  const Mark now = mark();
  if (doubt_) doubt_->stored = now != doubt_->before;
  mark_ = now;
  return {};
}

}  // namespace gerbang::store
