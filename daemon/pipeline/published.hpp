// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gerbang::pipeline {

// What an indicator said of its recent windows, so that late data makes a revision where it changed
// something, and none where it did not. Kept in the store by day, a ring of `days` items.
class Published {
 public:
  explicit Published(unsigned days = 34) : days_(days) {}

  // The revision under which this content is published; nullopt: it was said before. `content` is
  // the message without its revision.
  std::optional<std::uint32_t> next(std::int64_t end_ms, std::string_view content);
  // No later window was published.
  bool newest(std::int64_t end_ms) const;
  bool empty() const { return known_.empty(); }

  unsigned days() const { return days_; }
  unsigned slot(std::int64_t end_ms) const;
  std::string text(std::int64_t end_ms) const;  // of the day's slot
  // False: the text cannot be read, and is left out.
  bool load(std::string_view text);

 private:
  struct Said {
    std::uint32_t revision = 0;
    std::uint64_t content = 0;
  };
  unsigned days_;
  std::map<std::int64_t, Said> known_;  // by end of the window
};

}  // namespace gerbang::pipeline
