// SPDX-License-Identifier: Apache-2.0
//
// What is readable of a file that was set aside is brought over: messages that nobody got first,
// then rows, then readings. Runs on the store's thread, in bounded steps between commits; how far
// it came is written with what was brought.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "store/aggregates.hpp"
#include "store/chunks.hpp"
#include "store/history.hpp"
#include "store/outbox.hpp"
#include "store/series.hpp"
#include "store/sqlite.hpp"
#include "store/state.hpp"

namespace gerbang::store {

class Salvage {
 public:
  // Where it goes.
  struct Target {
    State& state;
    SeriesTable& series;
    Chunks& chunks;
    Aggregates& aggregates;
    Outbox& outbox;
    std::int64_t now_ms = 0;
    const std::function<std::string(const Lost&)>& gap_body;
    std::function<Result<void>(const std::function<Result<void>()>&)> transact;
  };

  struct Plan {
    std::filesystem::path from;
    bool with_readings = false;        // series have the same numbers
    Lost lost;                         // what will not come under its old number
    BatchId has_from = 0, has_to = 0;  // batches that the new file has already
  };
  // In the transaction that begins a new file.
  static Result<void> put(State& state, const Plan& plan);

  // The one that was planned and is not done; nullptr: there is none.
  static std::unique_ptr<Salvage> resume(State& state, const std::filesystem::path& folder,
                                         const std::string& vfs);

  // One bounded piece. False: all that is readable was brought over.
  Result<bool> step(const Target& target);

  const std::filesystem::path& from() const { return plan_.from; }

 private:
  enum class Part { messages, rows, chunks, batches, done };
  struct Source;

  Salvage(Plan plan, std::string vfs);
  ~Salvage();
  friend std::default_delete<Salvage>;

  std::string place() const;
  Result<bool> messages(const Target& target);
  Result<void> tell_loss(const Target& target);
  Result<bool> rows(const Target& target);
  Result<bool> chunks(const Target& target);
  Result<bool> batches(const Target& target);
  // Something could not be read: goes on behind it. False: it has tried far enough.
  bool skip(std::int64_t by);
  void next_part();
  Result<void> save(const Target& target);

  Plan plan_;  // lost without a stream: told
  std::string vfs_;
  Part part_ = Part::messages;
  std::int64_t after_ = 0;   // of the key of this part
  std::int64_t window_ = 0;  // of rows
  std::int64_t stride_ = 1;  // of the next skip
  int skips_ = 0;            // in a row
  std::unique_ptr<Source> source_;
};

}  // namespace gerbang::store
