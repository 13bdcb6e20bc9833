// SPDX-License-Identifier: Apache-2.0
#include "ctl/filter.hpp"

#include "config/node.hpp"
#include "core/topic.hpp"

namespace gerbang::ctl {
namespace {

bool is_root(const std::string& text) {
  return topic_filter_valid(text) && text.find_first_of("+#") == text.npos &&
         ("/" + text + "/").find("//") == std::string::npos;
}

}  // namespace

Result<std::string> filter_below(const std::string& root, const std::string& topic) {
  if (!is_root(root))
    return fail(std::errc::invalid_argument,
                "--root " + config::in_quotes(root) +
                    ": a root has no wildcard (# or +) and no empty level; write gerbang/v1, and "
                    "what is wanted below it as --topic");
  std::string filter = root + "/" + (topic.empty() ? "#" : topic);
  if (!topic_filter_valid(filter))
    return fail(std::errc::invalid_argument,
                "--topic " + config::in_quotes(topic) +
                    ": not a filter of MQTT: # stands only as the last level, + only as a whole "
                    "level; write +/+/+/aggregate/# or the like");
  return filter;
}

}  // namespace gerbang::ctl
