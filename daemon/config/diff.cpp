// SPDX-License-Identifier: Apache-2.0
#include "config/diff.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "config/settings.hpp"

namespace gerbang::config {
namespace {

constexpr std::array<std::string_view, 4> kRestart = {"gateway.", "store.", "windows.", "http."};
constexpr std::string_view kNewContent = "(new content)";

// "driver[wtp-plc].interval" → "wtp-plc".
std::string element(std::string_view key) {
  const auto open = key.find('['), close = key.find(']');
  return close == std::string_view::npos ? std::string()
                                         : std::string(key.substr(open + 1, close - open - 1));
}

// Keys that a driver's process is told.
bool told_to_driver(std::string_view key) {
  const auto name = key.substr(std::min(key.find("]."), key.size()));
  return name == "].driver" || name == "].interval" || name.starts_with("].address.");
}

using Settings = std::map<std::string, std::string>;

void add_driver_of(const Settings& settings, const std::string& sensor,
                   std::set<std::string>& out) {
  const auto found = settings.find("sensor[" + sensor + "].driver");
  if (found == settings.end()) return;
  const std::string name = found->second.substr(1, found->second.size() - 2);  // it is quoted
  if (!name.empty()) out.insert(name);  // else it is computed
}

}  // namespace

Change diff(const Held& before, const Config& after) {
  Change out;
  const Settings old_settings = before.settings(), new_settings = settings_of(after);
  auto a = old_settings.begin(), b = new_settings.begin();
  while (a != old_settings.end() || b != new_settings.end()) {
    if (b == new_settings.end() || (a != old_settings.end() && a->first < b->first)) {
      out.entries.push_back({a->first, a->second, ""});
      ++a;
    } else if (a == old_settings.end() || b->first < a->first) {
      out.entries.push_back({b->first, "", b->second});
      ++b;
    } else {
      if (a->second != b->second) out.entries.push_back({a->first, a->second, b->second});
      ++a;
      ++b;
    }
  }
  // A new password in the same file.
  const Settings& old_secrets = before.secrets();
  for (const auto& [key, value] : secrets_of(after))
    if (auto old = old_secrets.find(key); old != old_secrets.end() && old->second != value &&
                                          old_settings.at(key) == new_settings.at(key))
      out.entries.push_back(
          {key, old_settings.at(key), new_settings.at(key) + " " + std::string(kNewContent)});
  std::sort(out.entries.begin(), out.entries.end(),
            [](const auto& x, const auto& y) { return x.key < y.key; });

  for (const Change::Entry& entry : out.entries) {
    const std::string_view key = entry.key;
    if (std::any_of(kRestart.begin(), kRestart.end(),
                    [&](std::string_view prefix) { return key.starts_with(prefix); }))
      out.needs_restart.push_back(entry.key);
    if (key.starts_with("uplink[")) out.uplinks.insert(element(key));
    if (key.starts_with("driver[")) out.drivers.insert(element(key));
    if (key.starts_with("sensor[") && told_to_driver(key)) {
      add_driver_of(old_settings, element(key), out.drivers);
      add_driver_of(new_settings, element(key), out.drivers);
    }
  }
  return out;
}

std::string text(const Change::Entry& entry) {
  if (entry.before.empty()) return entry.key + ": new, " + entry.after;
  if (entry.after.empty()) return entry.key + ": removed, was " + entry.before;
  return entry.key + ": " + entry.before + " → " + entry.after;
}

}  // namespace gerbang::config
