// SPDX-License-Identifier: Apache-2.0
#include "config/lines.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

namespace gerbang::config {
namespace {

namespace fs = std::filesystem;

Node* options_of(Document& document, const std::string& driver) {
  for (Member& top : document.root.members) {
    if (top.key != "driver") continue;
    for (Node& item : top.value.items) {
      const Node* name = item.get("name");
      if (name == nullptr || name->text != driver) continue;
      for (Member& member : item.members)
        if (member.key == "options") return &member.value;
      return nullptr;
    }
  }
  return nullptr;
}

bool same(const Node& a, const Node& b) {
  return a.kind == b.kind && a.text == b.text && a.integer == b.integer && a.number == b.number &&
         a.boolean == b.boolean;
}

std::string place_text(const Place& place) {
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

const std::string* text_in(const OptionValues& options, std::string_view name) {
  for (const OptionValue& option : options)
    if (option.name == name && !option.text.empty()) return &option.text;
  return nullptr;
}

}  // namespace

void fill_in(const Line& line, Document& document, Report& report) {
  Node* options = options_of(document, line.driver);
  // Over the network a serial server knows the line.
  if (options == nullptr || options->get(kPortOption) == nullptr) return;
  struct Origin {
    const Line::Member* device;
    const Node* value;
  };
  std::map<std::string, Origin> said;
  std::vector<Member> added;
  for (const Line::Member& device : line.devices)
    for (const Member& option : device.options.members) {
      if (options->get(option.key) != nullptr) continue;
      const auto [first, fresh] = said.emplace(option.key, Origin{&device, &option.value});
      if (fresh) {
        added.push_back(option);
      } else if (!same(*first->second.value, option.value)) {
        report.error(device.place, device.prefix + ".profile",
                     "it speaks with " + option.key + " = " + written(option.value) + ", and " +
                         first->second.device->prefix + " at " +
                         place_text(first->second.device->place) + " with " +
                         written(*first->second.value) + "; one line has one",
                     "set both devices alike and write it below [driver.options] of " +
                         in_quotes(line.driver) + ", or give one a line of its own");
      }
    }
  for (Member& member : added) options->members.push_back(std::move(member));
}

std::string port_path(const std::string& written) {
  constexpr int kMostLinks = 40;  // as the kernel
  fs::path here;
  std::vector<fs::path> ahead;  // names to be followed, the next one last
  auto follow = [&](const fs::path& path) {
    if (path.is_absolute()) here = path.root_path();
    const fs::path names = path.relative_path();
    std::vector<fs::path> next(names.begin(), names.end());
    ahead.insert(ahead.end(), next.rbegin(), next.rend());
  };
  std::error_code failure;
  follow(fs::absolute(written, failure));
  if (failure) return written;
  for (int links = 0; !ahead.empty();) {
    const fs::path name = std::move(ahead.back());
    ahead.pop_back();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      here = here.parent_path();
      continue;
    }
    const fs::path next = here / name, target = fs::read_symlink(next, failure);
    if (failure)
      here = next;  // no link
    else if (++links > kMostLinks)
      return written;
    else
      follow(target);
  }
  return here.string();
}

void check_ports(const Document& document, Report& report, const Config& config) {
  const auto tables = section_tables(document, "driver");
  struct Port {
    const Driver* driver;
    std::string written;
    Place place;
  };
  std::map<std::string, Port> seen;
  for (std::size_t i = 0; i < config.drivers.size() && i < tables.size(); ++i) {
    const Driver& driver = config.drivers[i];
    const std::string* path = text_in(driver.options, kPortOption);
    if (path == nullptr || path->front() != '/') continue;
    // A line that is reached over the network has no port here.
    const std::string* transport = text_in(driver.options, "transport");
    if (transport != nullptr && *transport == "tcp") continue;
    const Table options = tables[i].table("options");
    const Node* node = options.node() == nullptr ? nullptr : options.node()->get(kPortOption);
    const Place at = node != nullptr ? document.place(*node) : tables[i].place();
    const auto [first, fresh] = seen.emplace(port_path(*path), Port{&driver, *path, at});
    if (fresh) continue;
    const Port& other = first->second;
    const std::string key = tables[i].key("options") + "." + std::string(kPortOption);
    const std::string same_port =
        other.written == *path ? "" : " (written " + in_quotes(other.written) + " there)";
    report.error(at, key,
                 in_quotes(*path) + " is the port of driver " + in_quotes(other.driver->name) +
                     " at " + place_text(other.place) + same_port +
                     ", and two programs on one line disturb each other",
                 driver.plugin == other.driver->plugin
                     ? "let the devices of both share one [[driver]]"
                     : "give each its own port");
  }
}

}  // namespace gerbang::config
