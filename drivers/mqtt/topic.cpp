// SPDX-License-Identifier: Apache-2.0
#include "topic.hpp"

namespace gerbang::mqtt {
namespace {

// The part up to the next slash, which is taken off; `more` says whether there was one.
std::string_view next_level(std::string_view& rest, bool& more) {
  const auto slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest = more ? rest.substr(slash + 1) : std::string_view();
  return level;
}

}  // namespace

std::string filter_fault(std::string_view filter) {
  if (filter.empty()) return "it is empty";
  if (filter.size() > 65'535) return "it is longer than MQTT allows";
  if (filter.find('\0') != std::string_view::npos) return "it holds a zero byte";
  for (bool more = true; more;) {
    const std::string_view level = next_level(filter, more);
    if (level.find('#') != std::string_view::npos && (level != "#" || more))
      return "# stands alone, behind the last slash";
    if (level.find('+') != std::string_view::npos && level != "+")
      return "+ stands alone between slashes";
  }
  return "";
}

bool matches(std::string_view filter, std::string_view topic) {
  if (filter.starts_with("$share/")) {  // $share/NAME/FILTER: one of a group gets each message
    bool more = true;
    next_level(filter, more);
    next_level(filter, more);
  }
  const bool wild = filter.starts_with('+') || filter.starts_with('#');
  if (topic.starts_with('$') && wild) return false;
  bool more_filter = true, more_topic = true;
  while (more_filter) {
    const std::string_view wanted = next_level(filter, more_filter);
    if (wanted == "#") return true;  // also of the level above: "a/#" is "a" too
    if (!more_topic) return false;
    const std::string_view level = next_level(topic, more_topic);
    if (wanted != "+" && wanted != level) return false;
  }
  return !more_topic;
}

}  // namespace gerbang::mqtt
