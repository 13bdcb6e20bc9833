// SPDX-License-Identifier: Apache-2.0
//
// A file that never outgrows its cap, and that lives on when the disk is full.
#include <algorithm>
#include <charconv>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/file.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint64_t kReserve = 64;  // pages that stay free for the next commit
constexpr std::uint64_t kAtOnce = 256;  // pages that are made free beyond the need
constexpr int kChunksAtOnce = 16;
constexpr BatchId kBatchesAtOnce = 64;
constexpr int kRowsAtOnce = 500;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::size_t kMessagesAtOnce = 256;
constexpr const char* kCompleteKey = "store/complete_from";
constexpr const char* kUnfoldedGoneKey = "store/unfolded_gone";
constexpr auto kBallastInterval = std::chrono::minutes(1);

}  // namespace

Result<void> File::Open::load_items() {
  auto item = state.item(kCompleteKey);
  STORE_TRY(item);
  complete_from_ms = 0;
  if (*item) {
    const char* end = (*item)->data() + (*item)->size();
    (void)std::from_chars((*item)->data(), end, complete_from_ms);  // else 0
  }
  auto gone = state.item(kUnfoldedGoneKey);
  STORE_TRY(gone);
  unfolded_gone = gone->value_or("") == "1";
  auto before = state.item(Heritage::kHeirKey);
  STORE_TRY(before);
  heir_of = before->value_or("");
  return {};
}

// A generous guess: what is free beyond it is not lost.
std::uint64_t pages_for(const Group& group, std::uint64_t page_size) {
  std::uint64_t bytes = group.readings * 12, rows = group.appends.size() + group.items.size();
  for (const auto& [key, value] : group.items) bytes += key.size() + value.size();
  for (const auto& closing : group.closings) {
    const Fold& fold = closing->fold;
    bytes += fold.aggregates.size() * 256;
    rows += fold.aggregates.size() / 8 + fold.messages.size();
    for (const auto& message : fold.messages) bytes += message.body.size() + 128;
    for (const EventRow& event : fold.events) bytes += event.body.size() + 256;
  }
  return bytes * 3 / 2 / page_size + rows + 8;
}

Usage File::usage() {
  Usage u;
  u.volume = options_.volume ? options_.volume() : volume_of(options_.path.parent_path());
  u.cap = cap_on(options_.max_size, u.volume);
  u.min_free = options_.min_free;
  u.file = bytes_of(options_.path);
  u.log = bytes_with_log(options_.path) - u.file;
  u.others = ballast_.bytes();
  for (const auto& aside : files_aside(options_.path)) u.others += bytes_with_log(aside);
  return u;
}

Result<File::Pages> File::pages() {
  Pages out;
  auto into = [](std::uint64_t& to) {
    return [&to](const sql::Row& row) {
      to = static_cast<std::uint64_t>(row.integer(0));
      return false;
    };
  };
  std::uint64_t count = 0, unused = 0;
  STORE_TRY(open_->page_count.rows(into(count)));
  STORE_TRY(open_->free_count.rows(into(unused)));
  Usage u = usage();
  u.page_size = open_->page_size;
  u.pages = count;
  std::uint64_t by_both = allowed_pages(u);
  u.volume.reset();
  out.allowed = allowed_pages(u);
  out.reason = "max_size";
  if (by_both < out.allowed) {
    out.allowed = by_both;
    out.reason = "min_free";
  }
  if (disk_full_) {
    out.allowed = std::min(out.allowed, count);
    out.reason = "disk_full";
  }
  out.used = count - unused;
  out.free = std::max(out.allowed, count) - out.used;
  if (open_->max_pages != out.allowed) {
    STORE_TRY(open_->db.run("PRAGMA max_page_count = " +
                            std::to_string(std::min<std::uint64_t>(out.allowed, 0xfffffffe))));
    open_->max_pages = out.allowed;
  }
  return out;
}

// Messages go only for what cannot be done without; of the rest some more, so that this is not done
// in each commit.
Result<void> File::make_room(std::uint64_t need) {
  auto now = pages();
  STORE_TRY(now);
  if (now->free >= need + kReserve) return {};
  const std::uint64_t goal = need + kReserve + std::min(kAtOnce, now->allowed / 64);
  while (now->free < goal) {
    auto gave = give_up_history(now->reason);
    STORE_TRY(gave);
    if (!*gave) {
      if (now->free >= need) break;
      if (space_again()) {
        now = pages();
        STORE_TRY(now);
        continue;
      }
      gave = give_up_messages(now->reason);
      if (gave && !*gave) gave = give_up_unfolded();
      STORE_TRY(gave);
      if (!*gave) break;  // SQLite will say whether it is enough
    }
    now = pages();
    STORE_TRY(now);
  }
  return {};
}

// Least missed first: what was set aside, raw readings, rows.
Result<bool> File::give_up_history(const char* reason) {
  if (auto asides = files_aside(options_.path); !asides.empty()) {
    spdlog::warn("store: {} makes room ({})", asides.front().filename().string(), reason);
    salvage_.reset();  // an open file keeps its blocks
    remove_with_log(asides.front());
    return true;
  }
  std::int64_t gone_to = 0;
  std::uint64_t readings = 0, rows = 0;
  auto oldest = open_->chunks.oldest_ms();
  STORE_TRY(oldest);
  auto chunks =
      open_->chunks.expire(*oldest == 0 ? INT64_MAX : *oldest + kHourMs + 1, kChunksAtOnce);
  STORE_TRY(chunks);
  bool some = chunks->readings > 0;
  if (some) {
    readings = chunks->readings;
    if (*oldest != 0) gone_to = *oldest + kHourMs;
  } else {
    auto batches = open_->history.drop_oldest(settled(), kBatchesAtOnce);
    STORE_TRY(batches);
    some = batches->batches > 0;
    readings = batches->readings;
    gone_to = batches->end_ms;
  }
  if (!some) {
    auto dropped = open_->aggregates.drop_oldest(kRowsAtOnce);
    STORE_TRY(dropped);
    some = dropped->rows > 0;
    rows = dropped->rows;
    gone_to = dropped->end_ms;
  }
  if (readings > 0) STORE_TRY(open_->state.expired("readings_for_room", readings));
  if (rows > 0) STORE_TRY(open_->state.expired("aggregates_for_room", rows));
  if (gone_to > open_->complete_from_ms) {
    open_->complete_from_ms = gone_to;
    STORE_TRY(open_->state.put_item(kCompleteKey, std::to_string(gone_to)));
  }
  return some;
}

// Of windows that are open: this process has what it needs of them, a restart would not. Else a
// file that is full of them could never be written again.
Result<bool> File::give_up_unfolded() {
  // At a start nothing is counted again from what is gone.
  STORE_TRY(open_->ledger.save(open_->state, open_->history.last_batch()));
  auto batches = open_->history.drop_oldest(INT64_MAX, kBatchesAtOnce);
  STORE_TRY(batches);
  if (batches->batches == 0) return false;
  if (!open_->unfolded_gone)
    spdlog::warn("store: readings of open windows make room: max_size is too small for them");
  open_->unfolded_gone = true;
  STORE_TRY(open_->state.put_item(kUnfoldedGoneKey, "1"));
  STORE_TRY(open_->state.expired("readings_for_room", batches->readings));
  if (batches->end_ms > open_->complete_from_ms) {
    open_->complete_from_ms = batches->end_ms;
    STORE_TRY(open_->state.put_item(kCompleteKey, std::to_string(batches->end_ms)));
  }
  return true;
}

Result<void> File::forget_unfolded_gone() {
  if (!std::exchange(open_->unfolded_gone, false)) return {};
  return open_->state.put_item(kUnfoldedGoneKey, "");
}

Result<bool> File::give_up_messages(const char* reason) {
  Outbox::Drop drop{kMessagesAtOnce, open_->state.stream, reason, open_->history.now_ms(),
                    options_.gap_body};
  auto dropped = open_->outbox.drop_oldest(drop);
  STORE_TRY(dropped);
  if (*dropped == 0) return false;
  // The announcement has a number.
  STORE_TRY(open_->outbox.save());
  open_->state.last_sequence = open_->outbox.last_sequence();
  STORE_TRY(open_->state.save());
  return true;
}

// SQLite says the same of both.
bool File::at_the_cap() {
  const Usage u = usage();
  return u.volume &&
         u.volume->available > floor_of(u.min_free, u.volume->size) + log_allowance(u.cap);
}

// No message goes for a disk that was full a moment ago.
bool File::space_again() {
  if (!disk_full_) return false;
  const Usage u = usage();
  if (!u.volume) return false;
  disk_full_ = u.volume->available < floor_of(u.min_free, u.volume->size) + log_allowance(u.cap);
  return !disk_full_;
}

// To delete is to write. So the ballast goes first, and the log is brought back so that it begins
// anew; then old readings make room within the file.
Result<void> File::on_full_disk(const Group& group, const Work& again) {
  const char* what = at_the_cap() ? "max_size is reached" : "the disk is full";
  if (ballast_.release()) spdlog::warn("store: {}; the ballast was given back", what);
  STORE_TRY(ready());
  if (auto copied = open_->db.checkpoint(sql::Database::Log::keep); !copied)
    spdlog::warn("store: {}", copied.error().what);
  auto done = transact(again);
  if (done || done.error().code != errc::full) return done;
  if (!disk_full_) spdlog::error("store: {}; old readings make room", what);
  disk_full_ = true;
  auto make = [&] { return make_room(pages_for(group, open_->page_size)); };
  STORE_TRY(transact(make));
  return transact(again);
}

void File::keep_ballast(BootTime now) {
  if (last_ballast_ && now - *last_ballast_ < kBallastInterval) return;
  last_ballast_ = now;
  Usage u = usage();
  if (!u.volume) return;
  const std::uint64_t size = ballast_size(u.cap, u.volume->size);
  const std::uint64_t keep = floor_of(u.min_free, u.volume->size);
  // A file that may grow again needs room to do so, else the next commit finds the disk full again.
  if (u.volume->available + ballast_.bytes() < keep + size + log_allowance(u.cap)) return;
  if (disk_full_) spdlog::info("store: there is free space again");
  disk_full_ = false;
  (void)ballast_.take(size);  // none is no error: it is tried again
}

}  // namespace gerbang::store
