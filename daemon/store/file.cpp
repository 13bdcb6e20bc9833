// SPDX-License-Identifier: Apache-2.0
#include "store/file.hpp"

#include <algorithm>
#include <system_error>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/reasons_code.hpp"

namespace gerbang::store {
namespace {

constexpr auto kUpkeepInterval = std::chrono::minutes(1);
// What one step of expiry may delete.
constexpr int kExpiryRows = 2'000;  // of each window
constexpr int kExpiryChunks = 256;
constexpr BatchId kExpiryBatches = 1024;
constexpr std::uint64_t kUpkeepPages = 256;  // that a step of compaction may need

std::string rejects_of(const Group& group) {
  if (group.rejects.empty()) return {};
  ByteWriter out;
  write(out, group.rejects);
  return std::move(out.bytes());
}

// Both known and different: a component that is not readable here tells nothing.
bool differs(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && a != b;
}

}  // namespace

File::File(const Options& options, FileLock lock)
    : options_(options), lock_(std::move(lock)), ballast_(options.path) {}

Result<std::unique_ptr<File>> File::open(const Options& options, const Board& board, WallTime now) {
  auto folder =
      options.path.has_parent_path() ? options.path.parent_path() : std::filesystem::path(".");
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none))
    return fail(errc::io, "store: folder " + folder.string() +
                              " does not exist; create it, or set store.path");
  if (std::filesystem::is_directory(options.path, none))
    return fail(errc::foreign, "store: " + options.path.string() +
                                   " is a folder; set store.path to a file in it, such as " +
                                   (options.path / "gerbang.db").string());
  auto lock = FileLock::take(options.path);
  STORE_TRY(lock);
  std::unique_ptr<File> file(new File(options, std::move(*lock)));
  if (auto begun = file->begin(board, now); !begun)
    return fail(std::move(begun).error().within("store " + options.path.string()));
  return file;
}

Result<void> File::begin(const Board& board, WallTime now) {
  board_ = board;
  auto found = inspect(options_.path);
  STORE_TRY(found);
  if (*found == Found::foreign)
    return fail(errc::foreign,
                "the file belongs to another program and is left as it is; set store.path to a "
                "place of its own");
  if (*found == Found::nothing) STORE_TRY(create_database(options_, board, ""));

  Result<void> opened = fail(errc::damaged, "it is not a database");
  if (*found != Found::damaged) opened = open_existing();
  if (opened && unclean_) opened = check_structure();
  if (!opened) {
    if (opened.error().code != errc::damaged && opened.error().code != errc::newer) return opened;
    STORE_TRY(begin_anew(opened.error(), now));
  }
  STORE_TRY(check_board(board));
  remember();
  salvage_ = Salvage::resume(open_->state, options_.path.parent_path(), options_.vfs);
  if (salvage_ && aside_.empty())
    spdlog::info("store: going on with the salvage of {}", salvage_->from().filename().string());
  return {};
}

void File::remember() {
  stream_ = open_->state.stream;
  mark_ = mark();
  replay_from_ = open_->state.replay_from;
  first_waiting_ = mark_.sequence + 1;
  for (const auto& [bit, counts] : open_->outbox.counts())
    first_waiting_ = std::min(first_waiting_, counts.acknowledged_sequence + 1);
}

// Damage that a query meets is dealt with before the next commit.
template <class T>
Result<T> File::noted(Result<T> answer) {
  if (!answer && answer.error().code == errc::damaged && !damage_) damage_ = answer.error();
  return answer;
}

Result<void> File::open_existing() {
  // A clean stop leaves an empty log.
  unclean_ = bytes_with_log(options_.path) > bytes_of(options_.path);
  auto db = open_database(options_);
  STORE_TRY(db);
  open_ = std::make_unique<Open>(std::move(*db), options_);
  STORE_TRY(open_->prepare());
  return open_->load();
}

// What is small and needed first, then the whole file as far as time allows; batches and chunks
// have checksums of their own.
Result<void> File::check_structure() {
  const auto until = std::chrono::steady_clock::now() + options_.check_budget;
  for (const char* table : {"state", "counter", "item", "series", "calibration", "epoch", "segment",
                            "topic", "uplink", "gap", "compaction", ""}) {
    auto whole = open_->db.check(table, until);
    if (!whole)
      return fail(std::move(whole).error().within("the structure of the file is not sound"));
    if (!*whole) {
      spdlog::warn("store: it was not closed, and is too large to be looked at as a whole in {} ms",
                   options_.check_budget.count());
      return {};
    }
  }
  spdlog::info("store: it was not closed; its structure is sound");
  return {};
}

Result<void> File::Open::prepare() {
  auto size = db.integer("PRAGMA page_size");
  STORE_TRY(size);
  page_size = static_cast<std::uint64_t>(*size);
  STORE_TRY(db.prepare(page_count, "PRAGMA page_count"));
  STORE_TRY(db.prepare(free_count, "PRAGMA freelist_count"));
  STORE_TRY(state.prepare(db));
  STORE_TRY(ledger.prepare(db));
  STORE_TRY(series.prepare(db));
  STORE_TRY(history.prepare(db));
  STORE_TRY(chunks.prepare(db));
  STORE_TRY(compactor.prepare(db));
  STORE_TRY(aggregates.prepare(db));
  STORE_TRY(events.prepare(db));
  return outbox.prepare(db);
}

// Events stay as long as the longest windows.
std::chrono::milliseconds File::Open::longest_kept(const Options& options) {
  auto out = options.keep_readings;
  for (const auto& [window, keep] : options.keep_aggregates) out = std::max(out, keep);
  return out;
}

Result<void> File::Open::load() {
  loaded = false;
  STORE_TRY(state.load());
  STORE_TRY(series.load());
  chunks.load();
  STORE_TRY(history.load(state.last_batch));
  STORE_TRY(compactor.load());
  STORE_TRY(events.load());
  STORE_TRY(outbox.load(state.last_sequence));
  Totals newest = history.stored_totals();
  state.totals.taken = std::max(state.totals.taken, newest.taken);
  state.totals.stored = std::max(state.totals.stored, newest.stored);
  state.totals.journal = std::max(state.totals.journal, newest.journal);
  STORE_TRY(load_items());
  STORE_TRY(ledger.load(state, history.last_batch()));
  loaded = true;
  return {};
}

Result<void> File::ready() {
  if (closed_) return fail(errc::stopped, "the store is closed");
  if (!open_) return fail(errc::io, "the store is closed after an error");
  if (!open_->loaded) STORE_TRY(open_->load());
  return {};
}

Result<void> File::check_board(const Board& board) {
  State& state = open_->state;
  bool other =
      differs(board.machine, state.board.machine) || differs(board.serial, state.board.serial);
  if (other) {
    spdlog::warn("the store comes from another board: a new stream begins after {}", state.stream);
    auto renew = [&]() -> Result<void> {
      STORE_TRY(open_->ledger.renew(state, open_->history.last_batch()));
      std::uint64_t open = open_->ledger.ledger().total().stored;
      STORE_TRY(state.renew(board, Totals{open, open, 0, state.totals.journal}));
      STORE_TRY(open_->outbox.renumber());
      state.last_sequence = open_->outbox.last_sequence();
      state.last_batch = open_->history.last_batch();
      STORE_TRY(open_->history.restart(state.totals));
      return state.save();
    };
    return transact(renew);
  }
  bool learns = (state.board.machine.empty() && !board.machine.empty()) ||
                (state.board.serial.empty() && !board.serial.empty());
  if (!learns) return {};
  auto learn = [&] {
    if (state.board.machine.empty()) state.board.machine = board.machine;
    if (state.board.serial.empty()) state.board.serial = board.serial;
    return state.save();
  };
  return transact(learn);
}

Result<void> File::transact(const std::function<Result<void>()>& work) {
  STORE_TRY(ready());
  auto attempt = [&]() -> Result<void> {
    auto transaction = sql::Transaction::begin(open_->db);
    STORE_TRY(transaction);
    STORE_TRY(work());
    return transaction->commit();
  };
  auto done = attempt();
  if (!done) open_->loaded = false;
  return done;
}

Result<Snapshot> File::commit(const Group& group) {
  auto begun = std::chrono::steady_clock::now();
  auto work = [&] { return write(group); };
  STORE_TRY(heal(group, work));
  auto out = snapshot();
  STORE_TRY(out);
  out->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return out;
}

Result<void> File::write(const Group& group) {
  STORE_TRY(make_room(pages_for(group, open_->page_size)));
  State& state = open_->state;
  state.totals.taken += group.taken;
  state.totals.journal = std::max(state.totals.journal, group.journal);
  bool state_changes = group.appends.empty() && group.taken > 0;
  STORE_TRY(open_->history.write(group.appends, state.totals, rejects_of(group)));
  for (const auto& closing : group.closings) {
    const Fold& fold = closing->fold;
    for (const auto& aggregate : fold.aggregates) STORE_TRY(open_->aggregates.put(aggregate));
    for (const EventRow& event : fold.events) {
      auto gone = open_->events.put(event);
      STORE_TRY(gone);
      STORE_TRY(state.expired("events", *gone));
    }
    closing->last = 0;
    for (const auto& message : fold.messages) {
      auto sequence = open_->outbox.add(message);
      STORE_TRY(sequence);
      closing->last = *sequence;
    }
    state.replay_from =
        fold.restamped ? fold.replay_from : std::max(state.replay_from, fold.replay_from);
    state.totals.folded += sum(fold.folded);
    state.totals.folded -= std::min(state.totals.folded, sum(fold.unfolded));
    state_changes = true;
  }
  // Numbers of another stream are of other messages.
  if (group.stream.empty() || group.stream == state.stream) {
    auto refused = open_->outbox.apply(group.dones);
    STORE_TRY(refused);
    Outbox::Drop how{refused->size(), state.stream, "refused", open_->history.now_ms(),
                     options_.gap_body};
    state_changes = state_changes || !refused->empty();
    STORE_TRY(open_->outbox.give_up(std::move(*refused), how));
  }
  STORE_TRY(open_->outbox.save());
  STORE_TRY(open_->ledger.write(group, state, open_->history.last_batch()));
  for (const auto& [key, value] : group.items) STORE_TRY(state.put_item(key, value));
  if (!state_changes) return {};
  state.last_sequence = open_->outbox.last_sequence();
  state.last_batch = open_->history.last_batch();
  return state.save();
}

Result<Upkeep> File::upkeep(BootTime now) {
  if (!open_ || doubt_) return Upkeep();  // the next commit comes first
  STORE_TRY(ready());
  Upkeep out;
  auto more = keep_up(now);
  if (more && !*more) more = salvage();
  if (!more && more.error().code == errc::io) open_.reset();  // opened again by the next commit
  more = noted(std::move(more));
  STORE_TRY(more);
  out.more = *more;
  if (out.more) {
    STORE_TRY(tidy());
    auto after = snapshot();
    STORE_TRY(after);
    out.after = std::move(*after);
  }
  return out;
}

Result<bool> File::keep_up(BootTime now) {
  keep_ballast(now);
  if (open_->history.now_ms() != 0 && now - last_expiry_ >= kUpkeepInterval) {
    auto more = expire();
    if (!more || !*more) last_expiry_ = now;
    return more ? Result<bool>(true) : more;
  }
  if (now - last_look_ < kUpkeepInterval) return false;
  auto in_transaction = [this](const std::function<Result<void>()>& work) {
    auto with_room = [&]() -> Result<void> {
      STORE_TRY(make_room(kUpkeepPages));
      return work();
    };
    return transact(with_room);
  };
  auto more = open_->compactor.step(settled(), in_transaction);
  if (!more || !*more) {
    last_look_ = now;
    open_->chunks.forget_scans();
  }
  return more;
}

// Measured against the newest believable batch: the wall clock may be years off.
Result<bool> File::expire() {
  std::int64_t now_ms = open_->history.now_ms();
  bool more = false;
  auto work = [&]() -> Result<void> {
    auto chunks = open_->chunks.expire(now_ms - options_.keep_readings.count(), kExpiryChunks);
    STORE_TRY(chunks);
    auto batches = open_->history.expire(settled(), kExpiryBatches);
    STORE_TRY(batches);
    auto rows = open_->aggregates.expire(now_ms, kExpiryRows);
    STORE_TRY(rows);
    auto events = open_->events.expire(now_ms, kExpiryRows);
    STORE_TRY(events);
    STORE_TRY(open_->state.expired("events", *events));
    more = chunks->more || rows->more;
    STORE_TRY(open_->state.expired("readings", chunks->readings + *batches));
    return open_->state.expired("aggregates", rows->rows);
  };
  STORE_TRY(transact(work));
  return more;
}

// Batches below this are in the windows and in the written ledger: nobody counts them again.
BatchId File::settled() const {
  return std::min(open_->state.replay_from, open_->ledger.upto() + 1);
}

Result<void> File::tidy() {
  if (!open_) return {};
  const Usage now = usage();
  const auto frames = static_cast<std::uint64_t>(open_->db.wal_frames());
  // The log keeps its size, unless a huge transaction made it larger than it may be.
  if (now.log > log_allowance(now.cap)) return open_->db.checkpoint(sql::Database::Log::empty);
  const std::uint64_t limit = disk_full_ ? 1 : log_limit(now.cap);
  if (frames * open_->page_size < limit) return {};
  return open_->db.checkpoint(sql::Database::Log::keep);
}

Result<std::vector<std::int32_t>> File::declare(const std::vector<SeriesSpec>& specs) {
  std::vector<std::int32_t> ids;
  auto work = [&]() -> Result<void> {
    auto declared = open_->series.declare(specs, open_->history.last_batch() + 1);
    STORE_TRY(declared);
    ids = std::move(*declared);
    return {};
  };
  STORE_TRY(heal(Group(), work));
  series_ = open_->series.known();
  return ids;
}

Result<std::vector<int>> File::declare_uplinks(const std::vector<std::string>& names) {
  std::vector<int> bits;
  auto work = [&]() -> Result<void> {
    auto declared = open_->outbox.declare(names);
    STORE_TRY(declared);
    bits = std::move(*declared);
    return {};
  };
  STORE_TRY(heal(Group(), work));
  uplinks_ = open_->outbox.names();
  return bits;
}

Result<void> File::reconcile(const Counts& to_fold) {
  auto work = [&]() -> Result<void> {
    STORE_TRY(open_->ledger.reconcile(to_fold, open_->state, open_->history.last_batch()));
    return forget_unfolded_gone();
  };
  return transact(work);
}

Result<std::vector<Restamped>> File::restamp(const RestampQuery& query) {
  STORE_TRY(ready());
  auto work = [&]() -> Result<void> {
    if (!query.key.empty()) STORE_TRY(open_->state.put_item(query.key, query.value));
    return open_->history.learn(query.trusted);
  };
  STORE_TRY(transact(work));
  return open_->history.restamped(query);
}

Result<bool> File::vouched(const std::string& boot_id) {
  STORE_TRY(ready());
  return open_->history.vouched(boot_id);
}

Result<void> File::replay(BatchId from, const std::function<void(const StoredReading&)>& each) {
  STORE_TRY(ready());
  return noted(open_->history.replay(from, each));
}
Result<std::vector<Message>> File::pull(const Pull& what) {
  STORE_TRY(ready());
  return noted(open_->outbox.pull(what));
}
Result<ReadingPage> File::readings(const ReadingQuery& query) {
  STORE_TRY(ready());
  return noted(open_->history.page(query));
}
Result<AggregatePage> File::aggregates(const AggregateQuery& query) {
  STORE_TRY(ready());
  return noted(open_->aggregates.page(query));
}
Result<EventPage> File::events(const EventQuery& query) {
  STORE_TRY(ready());
  return noted(open_->events.page(query));
}
Result<std::vector<EventRow>> File::doubtful_events(const std::string& boot_id) {
  STORE_TRY(ready());
  return noted(open_->events.doubtful(boot_id));
}
Result<std::optional<std::string>> File::item(const std::string& key) {
  STORE_TRY(ready());
  return noted(open_->state.item(key));
}

Result<Snapshot> File::snapshot() {
  STORE_TRY(ready());
  Snapshot s;
  s.identity =
      Identity{open_->state.stream, open_->state.previous_stream, open_->outbox.last_sequence(),
               open_->history.last_batch(), open_->state.replay_from};
  s.uplinks = open_->outbox.counts();
  s.totals = open_->state.totals;
  s.ledger = ledger_ = std::make_shared<const Ledger>(open_->ledger.ledger());
  // The fold knows what is gone of a file that was damaged.
  s.needs_reconciling = open_->ledger.needs_reconciling() || open_->history.unreadable() > 0 ||
                        !open_->heir_of.empty() || open_->unfolded_gone;
  s.series = open_->series.names();
  s.removed = open_->outbox.removed();
  s.bytes = bytes_with_log(options_.path) + usage().others;
  s.complete_from_ms = open_->complete_from_ms;
  s.oldest_reading_ms = open_->history.oldest_ms();
  auto at_rest = noted(open_->chunks.oldest_ms());
  if (at_rest && *at_rest != 0 && (s.oldest_reading_ms == 0 || *at_rest < s.oldest_reading_ms))
    s.oldest_reading_ms = *at_rest;
  s.expired = open_->state.expiries;
  s.compacted = open_->compactor.compacted();
  s.salvaged = open_->state.salvages;
  s.reopened = reopened_;
  s.aside = aside_;
  s.heir_of = open_->heir_of;
  s.unreadable_batches = open_->history.unreadable();
  return s;
}

Result<void> File::close() {
  closed_ = true;
  if (!open_) return {};
  auto copied = open_->db.checkpoint(sql::Database::Log::empty);
  open_.reset();
  return copied;
}

}  // namespace gerbang::store
