// SPDX-License-Identifier: Apache-2.0
#include "config/reference.hpp"

#include <array>

#include "config/keys.hpp"

namespace gerbang::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- Rendered from daemon/config/keys.cpp and quantities.toml: not to be edited by hand.
     Write it anew with: GERBANG_DATA=config build/dev/bin/gerbang_config_reference page > config/README.md -->
# Configuration

One TOML 1.0 file, `/etc/gerbang/gerbang.toml`. `gerbangd --check-config FILE` and `gerbangctl check` print **every**
mistake at once, each as `FILE:LINE:COLUMN: key: what is wrong; what to write instead`. Examples are in `examples/`.

## How values are written

| | |
|---|---|
| id | 1 to 63 of `a`–`z`, `0`–`9` and hyphen, beginning with a letter or digit |
| duration | a whole number and a unit, in quotes: `"500ms"` `"10s"` `"15m"` `"24h"` `"30d"` |
| size | the same: `"64KiB"` `"64MiB"` `"2GiB"` |
| file | relative to the file in which it stands, or absolute |
| secret file | a file with the secret alone, not readable by everybody, or `"credential:NAME"`: what the service got with `LoadCredential=NAME:/path` (see `systemd/README.md`). Secrets are never values |
| number or text with unit | `0.2` in the quantity's unit, or `"200 ug/L"` |

## Several files

`include = ["conf.d/*.toml"]` at the top of the file reads more of them: relative to it, in byte order of their names, one
level deep, wildcards in the file name only. Any table may stand in any file. `[[uplink]]`, `[[driver]]`, `[[device]]`,
`[[sensor]]` and `[[alarm]]` add up; the same key twice is an error that names both places. A name without wildcards has to exist; a pattern may match
nothing. So a hundred gateways share all files but a small one that says who they are.

## Changing a running gateway

`systemctl reload gerbang` checks the file first and fails with its mistakes; then SIGHUP reads everything again and applies
all of it, or nothing. A change of `[gateway]`, `[store]`, `[windows]` or `[http]` needs a restart; a reload that touches
them applies nothing and names the keys. What the log names is what was written, added or removed, and not what follows
from it. A new scale, range, label or interval keeps the open windows; a new quantity begins a new series; `formerly`
keeps the history of a renamed sensor.

## Keys
)";

constexpr std::string_view kQuantities = R"(
## Quantities

What `quantity` of a sensor may name. `unit` of a sensor may be any unit that converts into the quantity's (UDUNITS-2 and
`units.toml`); a quantity without dimension accepts only the spellings listed in `quantities.toml`. A conversion that would
need more than a factor and an offset is refused: ppb into µg/m³ depends on gas, temperature and pressure.

| quantity | domain | unit | kind | Indonesian | English |
|---|---|---|---|---|---|
)";

constexpr std::string_view kHead =
    R"(# Gerbang: every setting. Those that begin with # show what is in force without them, or an example where
# there is nothing. Remove the # to change one. Then look whether all is right, and apply it:
#   gerbangd --check-config /etc/gerbang/gerbang.toml && systemctl restart gerbang

)";

constexpr std::array<std::string_view, 5> kKinds = {"gauge", "totaliser", "state", "direction",
                                                    "event"};

// In a table cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}
std::string code(std::string_view text) {
  return text.empty() ? std::string() : "`" + cell(text) + "`";
}
std::string spaced(std::string_view text, std::string_view separator, std::string_view with) {
  std::string out(text);
  for (std::size_t at = 0; (at = out.find(separator, at)) != std::string::npos; at += with.size())
    out.replace(at, separator.size(), with);
  return out;
}
std::string limits(const Key& key) {
  if (!key.choices.empty()) return spaced(key.choices, "|", ", ");
  return spaced(key.bounds, "..", " to ");
}

std::string heading(const Section& section) {
  const std::string path(section.path);
  if (path.empty()) return "At the top of the file";
  if (section.repeated) return "`[[" + path + "]]`";
  return path.find('.') == std::string::npos || section.path == "driver.options"
             ? "`[" + path + "]`"
             : "`" + path + "`";
}

// A comment of at most 100 columns.
std::string comment(std::string_view text) {
  constexpr std::size_t kWidth = 98;
  std::string out;
  while (text.size() > kWidth) {
    const std::size_t space = text.rfind(' ', kWidth);
    if (space == std::string_view::npos) break;
    out += "# " + std::string(text.substr(0, space)) + "\n";
    text.remove_prefix(space + 1);
  }
  return out + "# " + std::string(text) + "\n";
}

std::string explained(const Key& key) {
  std::string out(key.doc);
  if (const std::string between = limits(key); !between.empty())
    out += key.choices.empty() ? " (" + between + ")" : ". One of: " + between;
  if (key.fallback.empty() && !key.required) out += ". An example:";
  return out;
}

}  // namespace

std::string reference_page(const Catalogue& catalogue) {
  std::string out(kIntroduction);
  for (const Section& section : sections()) {
    out += "\n### " + heading(section) + "\n\n" + std::string(section.doc) + ".";
    if (section.at_most != 0) out += " At most " + std::to_string(section.at_most) + ".";
    out += "\n";
    if (section.open) continue;
    out += "\n| key | type | default | allowed | meaning | since |\n|---|---|---|---|---|---|\n";
    for (const Key& key : keys()) {
      if (key.section != section.path) continue;
      const std::string fallback = key.required ? "required" : code(key.fallback);
      out += "| `" + std::string(key.name) + "` | " + std::string(name(key.type)) + " | " +
             fallback + " | " + limits(key) + " | " + cell(key.doc) + " | " +
             std::string(key.since) + " |\n";
    }
  }
  out += kQuantities;
  for (const auto& [id, row] : catalogue.quantities) {
    const Quantity& quantity = *row.quantity;
    out += "| `" + id + "` | " + quantity.domain + " | " + quantity.unit + " | " +
           std::string(kKinds[static_cast<std::size_t>(quantity.kind)]) + " | " +
           quantity.label.ind + " | " + quantity.label.eng + " |\n";
  }
  return out;
}

std::string default_file() {
  std::string out(kHead);
  for (const Section& section : sections()) {
    const bool inner = section.path.find('.') != std::string_view::npos;
    if (inner && section.example.empty()) continue;  // shown as the value of its key
    const std::string off = section.repeated || inner ? "#" : "";
    if (!section.path.empty()) {
      const std::string path(section.path);
      out += "\n" + comment(section.doc) + off + (section.repeated ? "[[" : "[") + path +
             (section.repeated ? "]]" : "]") + "\n";
    }
    if (!section.example.empty()) out += "#" + spaced(section.example, "\n", "\n#") + "\n";
    for (const Key& key : keys()) {
      if (key.section != section.path) continue;
      if (key.type == Type::table &&
          find_section(std::string(key.section) + "." + std::string(key.name))->example.size() != 0)
        continue;  // a table of its own below
      const std::string_view value = key.fallback.empty() ? key.example : key.fallback;
      out += comment(explained(key)) + (key.required && off.empty() ? "" : "#") +
             std::string(key.name) + " = " + std::string(value) + "\n";
    }
  }
  return out;
}

}  // namespace gerbang::config
