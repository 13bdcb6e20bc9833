// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <cstdio>

#include "ctl/commands.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/ledger_text.hpp"
#include "ctl/running.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

std::int64_t number_of(const json::object& o, const char* key) {
  const json::value* v = o.if_contains(key);
  return v && v->is_number() ? v->to_number<std::int64_t>() : 0;
}

std::vector<json::object> rows_of(const json::object& o, const char* key) {
  std::vector<json::object> out;
  const json::value* v = o.if_contains(key);
  if (v && v->is_array())
    for (const json::value& row : v->as_array())
      if (row.is_object()) out.push_back(row.as_object());
  return out;
}

std::string duration(std::int64_t ms) {
  std::int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  if (s < 172'800) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86'400) + " d";
}

// The two equations, and the sensors that do not satisfy them: there should be none.
void print_ledger(const json::object& ledger) {
  const auto print_one = [](const std::string& title, const json::object& o) {
    std::fputs(ledger_text(title, o).c_str(), stdout);
  };
  if (const json::value* readings = ledger.if_contains("readings");
      readings && readings->is_object())
    print_one("ledger", readings->as_object());
  for (const json::object& sensor : rows_of(ledger, "sensors"))
    if (number_of(sensor, "difference") != 0 || number_of(sensor, "foldingDifference") != 0)
      print_one("  DOES NOT BALANCE " + text_of(sensor, "sensor"), sensor);
  const json::value* journal = ledger.if_contains("journal");
  if (journal == nullptr || !journal->is_object()) return;
  const json::object& j = journal->as_object();
  const std::string trouble = text_of(j, "trouble");
  if (!is_true(j, "on") || !trouble.empty())
    std::printf("journal: a killed gateway loses what waits for a commit%s%s\n",
                trouble.empty() ? "" : ": ", trouble.c_str());
}

void print(const json::object& status, const char* text_key) {
  std::int64_t now = number_of(status, "nowMs");
  std::printf("%s  %s/%s  version %s  up %s  clock %s\n", text_of(status, "gateway").c_str(),
              text_of(status, "region").c_str(), text_of(status, "site").c_str(),
              text_of(status, "version").c_str(),
              duration(now - number_of(status, "startedAtMs")).c_str(),
              text_of(status, "clock").c_str());
  std::printf("state: %s\n", text_of(status, "status").c_str());
  for (const json::object& check : rows_of(status, "checks"))
    if (text_of(check, "status") != "pass")
      std::printf("  %s: %s: %s\n", text_of(check, "status").c_str(),
                  text_of(check, "name").c_str(), text_of(check, "text").c_str());
  std::puts("drivers:");
  for (const json::object& driver : rows_of(status, "drivers")) {
    std::string error = text_of(driver, "lastError");
    std::printf("  %-16s %-10s %-12s %lld restarts%s%s\n", text_of(driver, "name").c_str(),
                text_of(driver, "plugin").c_str(), text_of(driver, "state").c_str(),
                static_cast<long long>(number_of(driver, "restarts")), error.empty() ? "" : "  ",
                error.c_str());
  }
  std::puts("uplinks:");
  for (const json::object& uplink : rows_of(status, "uplinks")) {
    std::string reason = text_of(uplink, "reason");
    std::printf("  %-16s %s for %s, %lld waiting, acknowledged to #%lld%s%s\n",
                text_of(uplink, "name").c_str(),
                is_true(uplink, "connected") ? "connected" : "NOT connected",
                duration(now - number_of(uplink, "sinceMs")).c_str(),
                static_cast<long long>(number_of(uplink, "waiting")),
                static_cast<long long>(number_of(uplink, "acknowledgedSequence")),
                reason.empty() ? "" : "  ", reason.c_str());
    if (number_of(uplink, "unheard") > 0)
      std::printf("  %-16s nobody listened to %lld messages\n", "",
                  static_cast<long long>(number_of(uplink, "unheard")));
    if (number_of(uplink, "refused") > 0)
      std::printf("  %-16s %lld messages refused by the broker\n", "",
                  static_cast<long long>(number_of(uplink, "refused")));
  }
  const json::value* alarms = status.if_contains("alarms");
  if (alarms != nullptr && alarms->is_object()) {
    const json::object& all = alarms->as_object();
    if (number_of(all, "active") == 0) std::puts("alarms: none is active");
    for (const json::object& alarm : rows_of(all, "alarms")) {
      if (text_of(alarm, "state") == "CLEARED") continue;
      std::printf("alarm: %-8s %s  %s  for %s\n", text_of(alarm, "severity").c_str(),
                  text_of(alarm, "id").c_str(), text_of(alarm, text_key).c_str(),
                  duration(now - number_of(alarm, "sinceMs")).c_str());
    }
  }
  if (const json::value* s = status.if_contains("store"); s && s->is_object()) {
    const json::object& store = s->as_object();
    std::printf("store: %.1f of %.0f MiB%s%s  last commit %.1f ms  ledger difference %lld\n",
                static_cast<double>(number_of(store, "bytes")) / 1048576.0,
                static_cast<double>(number_of(store, "cap")) / 1048576.0,
                is_true(store, "degraded") ? "  DEGRADED " : "", text_of(store, "trouble").c_str(),
                store.contains("lastCommitSeconds")
                    ? store.at("lastCommitSeconds").to_number<double>() * 1000
                    : 0.0,
                static_cast<long long>(number_of(status, "ledgerDifference")));
  }
}

}  // namespace

int status(const Common& common, const StatusOptions& options) {
  auto endpoint = find_gateway(common, options.url, options.token_file);
  if (!endpoint) {
    std::fprintf(stderr, "gerbangctl: %s\n", endpoint.error().what.c_str());
    return kUnavailable;
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
  const bool known = ledger && ledger->is_object();
  if (common.json) {
    if (known) status["ledger"] = *ledger;
    std::puts(json::serialize(status).c_str());
  } else {
    print(status, common.language == "ind" ? "textInd" : "textEng");
    if (known) print_ledger(ledger->as_object());
  }
  return text_of(status, "status") == "pass" ? kOk : kBad;
}

}  // namespace gerbang::ctl
