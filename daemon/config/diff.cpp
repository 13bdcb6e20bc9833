// SPDX-License-Identifier: Apache-2.0
#include "config/diff.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <span>
#include <string_view>

#include "config/settings.hpp"
#include "config/written.hpp"

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

// "sensor[raw-ph]" of a setting of one of a list, else its table: "store".
std::string_view owner(std::string_view key) {
  const auto close = key.find(']');
  return key.substr(0, close == std::string_view::npos ? key.find('.') : close + 1);
}

bool has_owner(const Settings& settings, std::string_view owner) {
  const std::string start = std::string(owner) + ".";
  const auto found = settings.lower_bound(start);
  return found != settings.end() && found->first.starts_with(start);
}

const Change::Entry* find_entry(const std::vector<Change::Entry>& entries, std::string_view key) {
  const auto found = std::lower_bound(entries.begin(), entries.end(), key,
                                      [](const auto& e, std::string_view k) { return e.key < k; });
  return found == entries.end() || found->key != key ? nullptr : &*found;
}

// Whether this changed because another setting did.
bool follows(const Change::Entry& entry, const std::vector<Change::Entry>& entries,
             const Settings& settings) {
  const auto same = [&](const std::string& key) {
    const Change::Entry* other = find_entry(entries, key);
    return other != nullptr && other->before == entry.before && other->after == entry.after;
  };
  if (entry.key.starts_with("store.keep_aggregates."))
    return find_entry(entries, "windows.default") != nullptr || same("store.keep_readings");
  if (entry.key.ends_with("].quality.stale"))
    return find_entry(entries, std::string(owner(entry.key)) + ".interval") != nullptr;
  if (!entry.key.starts_with("sensor[") || !entry.key.ends_with("].interval")) return false;
  const auto driver = settings.find(std::string(owner(entry.key)) + ".driver");
  return driver != settings.end() && driver->second.size() > 2 &&
         same("driver[" + driver->second.substr(1, driver->second.size() - 2) + "].interval");
}

// Of one owner: all of its entries.
void tell(std::span<const Change::Entry> own, const Change& change, const Settings& before,
          const Settings& after, const std::function<bool(const std::string&)>& written,
          std::vector<Change::Entry>& told) {
  const std::size_t had = told.size();
  for (const Change::Entry& entry : own)
    if (written(entry.key)) told.push_back(entry);
  if (told.size() > had) return;
  const std::string name(owner(own.front().key));
  if (has_owner(before, name) && has_owner(after, name)) {
    for (const Change::Entry& entry : own)
      if (!follows(entry, change.entries, after)) told.push_back(entry);
    return;
  }
  const Change::Entry* device = find_entry(change.entries, name + ".device");
  told.push_back(device != nullptr ? *device : own.front());
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

  const auto was_written = before.written();
  const auto written = [&](const std::string& key) {
    return was_written.contains(key) || is_written(after.written, key);
  };
  for (auto from = out.entries.begin(); from != out.entries.end();) {
    const auto to = std::find_if(from, out.entries.end(), [&](const Change::Entry& e) {
      return owner(e.key) != owner(from->key);
    });
    tell({from, to}, out, old_settings, new_settings, written, out.told);
    from = to;
  }

  for (const Change::Entry& entry : out.told)
    if (std::any_of(kRestart.begin(), kRestart.end(), [&](std::string_view prefix) {
          return std::string_view(entry.key).starts_with(prefix);
        }))
      out.needs_restart.push_back(entry.key);
  for (const Change::Entry& entry : out.entries) {
    const std::string_view key = entry.key;
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
