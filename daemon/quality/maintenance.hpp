// SPDX-License-Identifier: Apache-2.0
//
// Which sensors people work on. Their readings are kept and marked, and ends by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gerbang::quality {

struct Work {
  std::int64_t from_ms = 0, until_ms = 0;  // UTC, [from, until)
  std::string person, note;                // one line each, may be empty
  // As people say it: seconds begun, from ten minutes on whole minutes. Never below 0.
  std::chrono::milliseconds length() const;
  friend bool operator==(const Work&, const Work&) = default;
};

// By sensor id. Pure: every time is an argument.
class Maintenance {
 public:
  static constexpr std::size_t kMostText = 200;                  // bytes of a person or note
  static constexpr std::int64_t kLongestMs = 30ll * 86'400'000;  // so that nobody forgets it

  void begin(const std::string& sensor, Work work);
  // What was under way; nullopt: nothing was.
  std::optional<Work> end(const std::string& sensor);
  // At this time; nullptr: nobody works on it. It is over when the clock says so, and also while
  // the clock says that it has not begun.
  const Work* at(const std::string& sensor, std::int64_t time_ms) const;
  // Takes out what is over at `now`.
  std::map<std::string, Work> take_over(std::int64_t now_ms);
  // The wall clock was set by so much: what is under way began as long ago as before, and goes on
  // as long.
  void shift(std::int64_t by_ms);
  // After a start of the board: what has not begun by the clock begins now, so that it ends.
  void begun_by(std::int64_t now_ms);
  bool empty() const { return works_.empty(); }
  const std::map<std::string, Work>& all() const { return works_; }

  std::string text() const;
  // False, and unchanged, for anything that text() did not write.
  bool load(std::string_view text);

 private:
  std::map<std::string, Work> works_;
};

}  // namespace gerbang::quality
