// SPDX-License-Identifier: Apache-2.0
#include "pipeline/event_desk.hpp"

#include <sstream>
#include <utility>

#include "core/clock.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {
namespace {

constexpr std::int64_t kFutureNs = 1'000'000'000;

std::int64_t floor_ms(std::int64_t ns) {
  return ns / kNsPerMs - (ns % kNsPerMs < 0 ? 1 : 0);
}

}  // namespace

const store::EventRow* EventDesk::take(Event event, bool from_driver, const Now& now,
                                       std::string id) {
  ++ledger_.taken;
  auto refused = [&](const char* reason) -> const store::EventRow* {
    ++ledger_.refused[reason];
    return nullptr;
  };
  if (!valid_event_kind(event.kind)) return refused("kind");
  if (from_driver) {
    if (own_event_kind(event.kind)) return refused("own_kind");
    if (!kinds_.contains(event.kind) && kinds_.size() >= kMostKinds) return refused("kinds");
    if (event.boot_ns < 0 || event.boot_ns > now.boot_ns + kFutureNs) return refused("time");
    kinds_.insert(event.kind);
  }
  if (event.values.size() > kMostValues) event.values.resize(kMostValues);
  if (event.text.size() > kMostText) event.text.resize(kMostText);
  if (event.boot_ns == 0) event.boot_ns = now.boot_ns;
  const bool device_time = event.unix_ns != 0;

  store::EventRow row;
  row.time_ms = floor_ms(device_time ? event.unix_ns : event.boot_ns + now.epoch.offset_ns);
  row.kind = event.kind;
  row.sensor = event.sensor;
  row.boot_ns = event.boot_ns;
  if (!device_time && now.epoch.trust == ClockTrust::untrusted) row.boot_id = now.epoch.boot_id;
  row.body = wire::encode(event, id, row.time_ms, now.epoch.trust);
  if (waiting_.size() >= kMostWaiting) {
    waiting_.pop_front();
    ++ledger_.refused["no_room"];
  }
  waiting_.push_back(std::move(row));
  return &waiting_.back();
}

void EventDesk::refuse(const std::string& reason) {
  ++ledger_.taken;
  ++ledger_.refused[reason];
}

std::vector<store::EventRow> EventDesk::hand_over() {
  std::vector<store::EventRow> out(std::make_move_iterator(waiting_.begin()),
                                   std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  handed_ += out.size();
  ledger_.stored += out.size();
  return out;
}

EventLedger EventDesk::ledger() const {
  EventLedger out = ledger_;
  out.stored -= handed_;
  return out;
}

void EventDesk::put_back(std::vector<store::EventRow> rows) {
  handed_ -= rows.size();
  ledger_.stored -= rows.size();
  waiting_.insert(waiting_.begin(), std::make_move_iterator(rows.begin()),
                  std::make_move_iterator(rows.end()));
}

// Events that wait are not durable: after a crash nobody has taken them.
std::optional<std::string> EventDesk::changed_text() {
  std::string text = "taken " + std::to_string(ledger_.taken - waiting_.size()) + "\nstored " +
                     std::to_string(ledger_.stored) + "\n";
  for (const auto& [reason, count] : ledger_.refused)
    text += "refused " + reason + " " + std::to_string(count) + "\n";
  for (const std::string& kind : kinds_) text += "kind " + kind + "\n";
  if (text == text_) return std::nullopt;
  text_ = text;
  return text;
}

bool EventDesk::load(std::string_view text) {
  EventLedger ledger;
  std::set<std::string, std::less<>> kinds;
  std::istringstream in{std::string(text)};
  for (std::string word, name; in >> word;) {
    std::uint64_t count = 0;
    if (word == "taken" && in >> count)
      ledger.taken = count;
    else if (word == "stored" && in >> count)
      ledger.stored = count;
    else if (word == "refused" && in >> name >> count)
      ledger.refused[name] = count;
    else if (word == "kind" && in >> name)
      kinds.insert(name);
    else
      return false;
  }
  ledger_ = std::move(ledger);
  kinds_ = std::move(kinds);
  text_ = text;
  return true;
}

}  // namespace gerbang::pipeline
