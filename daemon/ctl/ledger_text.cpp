// SPDX-License-Identifier: Apache-2.0
#include "ctl/ledger_text.hpp"

#include "ctl/json_fields.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

std::int64_t sum_of(const json::object& counts) {
  std::int64_t out = 0;
  for (const auto& [reason, count] : counts) out += integer_of(counts, reason);
  return out;
}

json::object counts_of(const json::object& o, const char* key) {
  const json::value* value = o.if_contains(key);
  return value && value->is_object() ? value->as_object() : json::object();
}

}  // namespace

std::string ledger_text(const std::string& title, const json::object& readings) {
  const auto n = [&](const char* key) { return std::to_string(integer_of(readings, key)); };
  const json::object rejected = counts_of(readings, "rejected");
  const std::int64_t repeated = integer_of(rejected, "repeated");
  return title + ": taken " + n("taken") + " = stored " + n("stored") + " + still missing " +
         std::to_string(repeated) + " + rejected " + std::to_string(sum_of(rejected) - repeated) +
         " + waiting for commit " + n("waitingForCommit") + "\n" +
         std::string(title.size() + 2, ' ') + "stored " + n("stored") + " = folded " + n("folded") +
         " + to fold " + n("waitingToBeFolded") + " + not folded " +
         std::to_string(sum_of(counts_of(readings, "notFolded"))) + "\n";
}

}  // namespace gerbang::ctl
