// SPDX-License-Identifier: Apache-2.0
#include "core/topic.hpp"

#include <optional>

namespace gerbang {
namespace {

// The levels of a topic, one after the other. "a//b" has an empty one, and so has "a/" at its end.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (done_) return std::nullopt;
    auto slash = rest_.find('/');
    auto level = rest_.substr(0, slash);
    done_ = slash == std::string_view::npos;
    if (!done_) rest_.remove_prefix(slash + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (filter.empty() || topic.empty()) return false;
  if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
  Levels filters(filter), topics(topic);
  for (;;) {
    auto wanted = filters.next();
    if (wanted == "#") return true;  // "a/#" also means "a"
    auto level = topics.next();
    if (!wanted || !level) return !wanted && !level;
    if (*wanted != "+" && *wanted != *level) return false;
  }
}

bool topic_filter_valid(std::string_view filter) {
  if (filter.empty() || filter.size() > 65535 || filter.find('\0') != std::string_view::npos)
    return false;
  Levels levels(filter);
  bool ended = false;
  while (auto level = levels.next()) {
    if (ended) return false;
    ended = *level == "#";
    if (level->size() > 1 && level->find_first_of("#+") != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace gerbang
