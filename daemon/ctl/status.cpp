// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <cstdio>

#include "ctl/commands.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/running.hpp"
#include "ctl/status_text.hpp"

namespace gerbang::ctl {
namespace json = boost::json;

int status(const Common& common, const StatusOptions& options) {
  auto endpoint = find_gateway(common, options.url, options.token_file);
  if (!endpoint) {
    std::fprintf(stderr, "gerbangctl: %s\n", endpoint.error().what.c_str());
    return exit_of(endpoint.error());
  }
  auto answer = get_json(*endpoint, "/api/v1/status");
  if (!answer || !answer->is_object()) {
    std::fprintf(stderr, "gerbangctl: %s\n",
                 answer ? "not the answer of a gateway" : answer.error().what.c_str());
    return kUnavailable;
  }
  json::object& status = answer->as_object();
  if (auto alarms = get_json(*endpoint, "/api/v1/alarms"); alarms && alarms->is_object())
    status["alarms"] = *alarms;
  auto ledger = get_json(*endpoint, "/api/v1/ledger");
  if (ledger && ledger->is_object()) status["ledger"] = *ledger;
  if (common.json)
    std::puts(json::serialize(status).c_str());
  else
    for (const std::string& line : status_lines(status, common.language)) std::puts(line.c_str());
  return text_of(status, "status") == "pass" ? kOk : kBad;
}

}  // namespace gerbang::ctl
