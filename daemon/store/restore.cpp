// SPDX-License-Identifier: Apache-2.0
//
// The journal on the loop's side: what a killed process left is stored before anybody asks, and
// what is taken now is recorded.
#include <algorithm>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/impl.hpp"
#include "store/pack.hpp"

namespace gerbang::store {
namespace {

// Records of one epoch in a row become one append, as they would have been.
Group group_of(std::vector<Batch> records) {
  Group out;
  for (Batch& record : records) {
    out.journal = std::max(out.journal, record.journal);
    for (const auto& [reason, counts] : record.rejected)
      for (const auto& [series, count] : counts) out.reject(reason, series, count);
    const std::size_t count = readings_in(record.readings);
    if (record.readings.empty()) continue;
    out.readings += count;
    out.taken += count;
    if (!out.appends.empty()) {
      auto& last = out.appends.back()->batch;
      if (last.epoch == record.epoch &&
          last.readings.size() + record.readings.size() <= kMaxPacked) {
        last.readings.insert(last.readings.end(), record.readings.begin(), record.readings.end());
        continue;
      }
    }
    out.appends.push_back(std::make_shared<Append>(std::move(record)));
  }
  return out;
}

std::uint64_t readings_of(const std::vector<Batch>& records) {
  std::uint64_t sum = 0;
  for (const Batch& record : records) sum += readings_in(record.readings);
  return sum;
}

}  // namespace

void Store::Impl::open_journal() {
  const std::string place = options_.journal.string();
  auto off = [&](const std::string& why) {
    journal_.reset();
    journal_status_.trouble = why;
    spdlog::warn("journal: {}; a killed process loses what waits for a commit", why);
  };
  auto journal = Journal::open(options_.journal);
  if (!journal) return off(journal.error().what);
  journal_.emplace(std::move(*journal));
  const std::string& stream = snapshot_.identity.stream;
  Journal::Found found = journal_->look(stream, snapshot_.totals.journal);
  using Left = Journal::Found::State;
  // What was taken while the file before this one was damaged: numbers go on from there.
  if (found.state == Left::foreign && found.header.stream == snapshot_.heir_of)
    found = journal_->look(snapshot_.heir_of, snapshot_.totals.journal);
  if (found.state == Left::foreign) {
    journal_status_.foreign = readings_of(found.scan.records);
    spdlog::warn("journal: {} readings in {} are of stream {}, which this store is not; left out",
                 journal_status_.foreign, place, found.header.stream);
  } else if (found.state == Left::unreadable) {
    journal_status_.damaged = 1;
    spdlog::error("journal: {} has no header of ours; what it held is lost", place);
  }
  std::uint64_t newest = std::max(snapshot_.totals.journal, found.scan.newest);
  if (found.state == Left::ours && !restore(std::move(found)))
    return off("what a killed process left in " + place + " cannot be stored now");
  JournalHeader header;
  header.stream = stream;
  header.boot_id = options_.boot_id;
  if (auto begun = journal_->begin(header, newest + 1); !begun) return off(begun.error().what);
  journal_status_.on = true;
}

// True when nothing of it is needed any more.
bool Store::Impl::restore(Journal::Found found) {
  journal_status_.damaged = found.scan.damaged;
  if (found.scan.damaged > 0)
    spdlog::error("journal: {} records cannot be read; their readings are lost",
                  found.scan.damaged);
  if (found.scan.records.empty()) return true;
  journal_status_.restored = readings_of(found.scan.records);
  Group group = group_of(found.scan.records);
  auto work = [&](File& file) { return file.commit(group); };
  auto committed = worker_->blocking<Snapshot>(work);
  if (!committed) {
    spdlog::error("store: cannot be written: {}", committed.error().what);
    unsaved_ = std::move(found.scan.records);
    return false;
  }
  look(std::move(*committed));
  spdlog::info("journal: {} readings that were taken and not committed are stored now{}",
               journal_status_.restored,
               found.header.boot_id == options_.boot_id ? "" : "; they are of another boot");
  return true;
}

std::uint64_t Store::Impl::record(const Epoch& epoch, std::span<const Reading> readings,
                                  const Reasons& rejected) {
  Journal::Written written;
  if (journal_) written = journal_->write(epoch, readings, rejected);
  const bool covered = written.readings == readings.size();
  journal_status_.uncovered += readings.size() - written.readings;
  if (journal_ && covered != journal_status_.trouble.empty()) {
    journal_status_.trouble = covered ? "" : "the journal is full or cannot be written";
    if (covered)
      spdlog::info("journal: what waits for a commit is in it again");
    else
      spdlog::error("journal: {}; a killed process loses what is not in it",
                    journal_status_.trouble);
  }
  return written.number;
}

// Room in the journal is made by committing, not by leaving something out.
void Store::Impl::commit_if_crowded() {
  if (!journal_ || !journal_->crowded() || failures_ > 0) return;
  overdue_ = true;  // goes when the transaction under way is done
  start_commit();
}

}  // namespace gerbang::store
