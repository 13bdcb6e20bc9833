// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gerbang::config {
namespace {

Fault expected(std::string_view what, const Node& found, std::string remedy) {
  return {"expected " + std::string(what) + ", found " + describe(found), std::move(remedy)};
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + separator.size());
  }
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string example_of(const Key& key) {
  const std::string_view shown = key.example.empty() ? key.fallback : key.example;
  return "write " + std::string(key.name) + " = " + std::string(shown.empty() ? "…" : shown);
}

// "LOW..HIGH" of a key, in the numbers that `parse` makes of them.
Fault beyond(const Key& key, std::string_view shown) {
  const auto ends = split(key.bounds, "..");
  return Fault{
      std::string(shown) + " is outside of " + std::string(ends[0]) + " to " + std::string(ends[1]),
      "choose a value between them"};
}
template <class Number, class Parse>
std::optional<Fault> outside(const Key& key, Number value, Parse parse, std::string_view shown) {
  if (key.bounds.empty()) return std::nullopt;
  const auto ends = split(key.bounds, "..");
  if (value >= parse(ends[0]) && value <= parse(ends[1])) return std::nullopt;
  return beyond(key, shown);
}

// A number that stands alone, with the first of these units that the key allows.
struct Unit {
  const char *sign, *name;
};
template <class Parse>
std::string with_unit(const Key& key, std::int64_t number, Parse parse,
                      std::initializer_list<Unit> units, std::string form) {
  const auto known = [&](std::string_view text) { return *parse(text); };
  for (const Unit& unit : units) {
    const std::string text = std::to_string(number) + unit.sign;
    if (const auto value = parse(text); value && !outside(key, *value, known, text))
      return "write \"" + text + "\" if " + unit.name + " are meant";
  }
  if (key.bounds.empty()) return form;
  const auto ends = split(key.bounds, "..");
  return "write one from \"" + std::string(ends[0]) + "\" to \"" + std::string(ends[1]) + "\"";
}

// What its parser refuses: well written but more than it can count, or not of that form at all.
// `largest`: what it can count.
template <class Parse>
Fault refused(const Key& key, const std::string& text, Parse parse, const std::string& largest,
              Fault form) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || !parse("1" + text.substr(digits))) return form;
  if (!key.bounds.empty()) return beyond(key, in_quotes(text));
  return {in_quotes(text) + " is too large", "write at most \"" + largest + "\""};
}

double to_number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
std::int64_t to_integer(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
std::int64_t to_ms(std::string_view text) {
  return parse_duration(text).value_or(std::chrono::milliseconds{}).count();
}

using Parsed = std::variant<Value, Fault>;

Parsed parse_text(const Key& key, const Node& node) {
  if (node.kind != Node::Kind::string) return expected("a text in quotes", node, example_of(key));
  if (has_control(node.text))
    return Fault{"a control character in the text", "write it in one line, without tabs"};
  if (node.text.empty() && key.type != Type::optional_text)
    return Fault{"the text is empty", example_of(key)};
  Value out;
  out.text = node.text;
  if (key.type == Type::id && !valid_id(node.text))
    return Fault{in_quotes(node.text) + " is not an id",
                 "use 1 to 63 of a-z, 0-9 and hyphen, beginning with a letter or digit"};
  if (key.type == Type::choice) {
    const auto choices = split(key.choices, "|");
    if (std::find(choices.begin(), choices.end(), node.text) == choices.end())
      return Fault{in_quotes(node.text) + " is not a choice", did_you_mean(node.text, choices)};
  }
  return out;
}

Parsed parse_duration_node(const Key& key, const Node& node) {
  const std::string form = "write one such as \"500ms\" \"10s\" \"15m\" \"24h\" \"30d\"";
  if (node.kind == Node::Kind::integer && node.integer >= 0)
    return expected("a duration with its unit", node,
                    with_unit(key, node.integer, parse_duration,
                              {{"s", "seconds"},
                               {"ms", "milliseconds"},
                               {"m", "minutes"},
                               {"h", "hours"},
                               {"d", "days"}},
                              form));
  if (node.kind != Node::Kind::string) return expected("a duration", node, form);
  const auto ms = parse_duration(node.text);
  if (!ms)
    return refused(key, node.text, parse_duration, "36525d",
                   {in_quotes(node.text) + " is not a duration",
                    "write a whole number and one of ms, s, m, h, d: \"500ms\" \"10s\" \"15m\""});
  if (auto fault = outside(key, ms->count(), to_ms, in_quotes(node.text))) return *fault;
  Value out;
  out.integer = ms->count();
  return out;
}

Parsed parse_size_node(const Key& key, const Node& node) {
  const std::string form = "write one such as \"64MiB\" \"2GiB\"";
  if (node.kind == Node::Kind::integer && node.integer >= 0)
    return expected("a size with its unit", node,
                    node.integer >= 1 << 20
                        ? "write \"" + format_size(static_cast<std::uint64_t>(node.integer)) + "\""
                        : with_unit(key, node.integer, parse_size,
                                    {{"MiB", "MiB"}, {"GiB", "GiB"}, {"KiB", "KiB"}}, form));
  if (node.kind != Node::Kind::string) return expected("a size", node, form);
  const auto bytes = parse_size(node.text);
  if (!bytes || *bytes > INT64_MAX)
    return refused(key, node.text, parse_size, "8388607TiB",
                   {in_quotes(node.text) + " is not a size",
                    "write a whole number and one of B, KiB, MiB, GiB, TiB: \"64MiB\""});
  const auto parse = [](std::string_view t) { return parse_size(t).value_or(0); };
  if (auto fault = outside(key, *bytes, parse, in_quotes(node.text))) return *fault;
  Value out;
  out.integer = static_cast<std::int64_t>(*bytes);
  return out;
}

Parsed parse_number_node(const Key& key, const Node& node) {
  if (node.kind != Node::Kind::number && node.kind != Node::Kind::integer)
    return expected("a number", node, example_of(key));
  if (!std::isfinite(node.number)) return expected("a finite number", node, example_of(key));
  if (auto fault = outside(key, node.number, to_number, format_number(node.number))) return *fault;
  Value out;
  out.number = node.number;
  out.is_number = true;
  return out;
}

Key item_of(const Key& list) {
  Key item = list;
  item.type = list.type == Type::durations ? Type::duration
              : list.type == Type::texts   ? Type::text
                                           : Type::number;
  return item;
}

Parsed parse_list(const Key& key, const Node& node) {
  if (node.kind != Node::Kind::array) return expected("a list", node, example_of(key));
  if (node.items.empty()) return Fault{"the list is empty", example_of(key)};
  Value out;
  for (const Node& item : node.items) {
    Parsed parsed = parse_value(item_of(key), item);
    if (auto fault = std::get_if<Fault>(&parsed)) return *fault;
    const Value& value = std::get<Value>(parsed);
    out.texts.push_back(value.text);
    out.integers.push_back(value.integer);
    out.numbers.push_back(value.number);
  }
  if (key.type == Type::pair && (out.numbers.size() != 2 || out.numbers[0] == out.numbers[1]))
    return Fault{"expected two different numbers", example_of(key)};
  return out;
}

bool is_list(Type type) {
  return type == Type::texts || type == Type::durations || type == Type::pair ||
         type == Type::numbers;
}

// "include" is read with the files; everything else is checked here.
class Checker {
 public:
  explicit Checker(Report& report) : report_(report) {}

  void run() {
    const Document& document = report_.document();
    for (const Member& member : document.root.members) {
      const Section* section = find_section(member.key);
      if (section == nullptr)
        unknown("", "", member);
      else if (section->repeated)
        repeated(*section, member);
      else
        one(*section, member.value, member.key, form_of(*section));
    }
    for (const Section& section : sections())
      if (!section.path.empty() && section.path.find('.') == std::string_view::npos &&
          !section.repeated && document.root.find(section.path) == nullptr)
        required(section, nullptr, std::string(section.path));
  }

  void members(const Section& section, std::string_view without, const Node& node,
               const std::string& prefix) {
    const auto barred = split(without, "|");
    for (const Member& member : node.members) {
      const Key* key = find_key(section.path, member.key);
      if (key == nullptr) {
        unknown(section.path, prefix, member);
        continue;
      }
      if (std::find(barred.begin(), barred.end(), key->name) != barred.end()) {
        report_.error(report_.document().place(member), prefix + "." + member.key,
                      "cannot be changed here", "remove it");
        continue;
      }
      const std::string full = prefix + "." + member.key;
      const Section* inner = find_section(full_path(*key));
      if (key->type == Type::table ||
          (key->type == Type::label && member.value.kind == Node::Kind::table)) {
        one(*inner, member.value, full, example_of(*key));
        continue;
      }
      if (!items(*key, member.value, full)) continue;
      auto parsed = parse_value(*key, member.value);
      if (auto fault = std::get_if<Fault>(&parsed))
        report_.error(member.value, full, fault->what, fault->remedy);
    }
  }

 private:
  void repeated(const Section& section, const Member& member) {
    const std::string name(section.path);
    const bool tables = member.value.kind == Node::Kind::array &&
                        std::all_of(member.value.items.begin(), member.value.items.end(),
                                    [](const Node& n) { return n.kind == Node::Kind::table; });
    if (!tables) {
      report_.error(report_.document().place(member), name,
                    "expected a list of tables, found " + describe(member.value),
                    "write [[" + name + "]] in double brackets");
      return;
    }
    if (member.value.items.size() > section.at_most)
      report_.error(member.value.items[section.at_most], name,
                    "more than " + std::to_string(section.at_most), "use several gateways");
    const auto all = section_tables(report_.document(), section.path);
    for (std::size_t i = 0; i < all.size(); ++i)
      one(section, member.value.items[i], all[i].prefix(), form_of(section));
  }

  static std::string form_of(const Section& section) {
    return "write [" + std::string(section.path) + "] and its keys below";
  }

  // `prefix` names this table for people; `form` says how it is written.
  void one(const Section& section, const Node& node, const std::string& prefix,
           const std::string& form) {
    if (node.kind != Node::Kind::table) {
      report_.error(node, prefix, "expected a table, found " + describe(node), form);
      return;
    }
    if (section.open) {
      if (!section.each.empty()) each(section, node, prefix);
      return;
    }
    members(section, {}, node, prefix);
    required(section, &node, prefix);
  }

  void each(const Section& section, const Node& node, const std::string& prefix) {
    for (const Member& member : node.members) {
      const std::string full = prefix + "." + key_shown(member.key);
      if (member.value.kind == Node::Kind::table)
        members(*find_section(section.each), section.without, member.value, full);
      else
        report_.error(member.value, full, "expected a table, found " + describe(member.value),
                      "write " + key_shown(member.key) + " = { KEY = … }");
    }
  }

  // Each wrong item of a list has its own place. False: reported.
  bool items(const Key& key, const Node& node, const std::string& full) {
    if (!is_list(key.type) || node.kind != Node::Kind::array) return true;
    bool good = true;
    for (const Node& each : node.items) {
      const auto parsed = parse_value(item_of(key), each);
      if (auto fault = std::get_if<Fault>(&parsed)) {
        report_.error(each, full, fault->what, fault->remedy);
        good = false;
      }
    }
    return good;
  }

  void required(const Section& section, const Node* node, const std::string& prefix) {
    const Document& document = report_.document();
    // A file that could not be read may have what is missing here.
    if (node == nullptr && !document.complete) return;
    for (const Key& key : keys()) {
      if (key.section != section.path || !key.required) continue;
      if (node != nullptr && node->find(key.name) != nullptr) continue;
      if (!section.repeated && !document.complete) continue;
      const Place at =
          node != nullptr ? document.place(*node) : Place{document.names.front(), 1, 1};
      report_.error(
          at, prefix + "." + std::string(key.name), "is missing",
          example_of(key) + (node != nullptr ? "" : " below [" + std::string(section.path) + "]"));
    }
  }

  static std::string full_path(const Key& key) {
    return std::string(key.section) + "." + std::string(key.name);
  }

  void unknown(std::string_view section, const std::string& prefix, const Member& member) {
    std::vector<std::string_view> known;
    for (const Key& key : keys())
      if (key.section == section) known.push_back(key.name);
    if (section.empty())
      for (const Section& table : sections())
        if (!table.path.empty() && table.path.find('.') == std::string_view::npos)
          known.push_back(table.path);
    // A key without its table: "id" at the top of a file, or one that stands below the wrong
    // header.
    std::string remedy = did_you_mean(member.key, known);
    for (const Section& table : sections()) {
      if (remedy.starts_with("did you mean") || find_key(table.path, member.key) == nullptr)
        continue;
      if (table.path.find('.') != std::string_view::npos || table.path.empty()) continue;
      remedy = "it belongs below " + std::string(table.repeated ? "[[" : "[") +
               std::string(table.path) + std::string(table.repeated ? "]]" : "]");
      break;
    }
    report_.error(report_.document().place(member),
                  prefix.empty() ? key_shown(member.key) : prefix + "." + key_shown(member.key),
                  "unknown key", remedy);
  }

  static std::string key_shown(const std::string& key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    });
    return bare && key.size() <= 60 ? key : in_quotes(key);
  }

  Report& report_;
};

}  // namespace

bool valid_id(std::string_view text) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && plain(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t kListed = 24;
  // A long word is no typing error, and comparing it would cost its length squared.
  std::string lower(word.substr(0, 100));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (word.size() <= 100)
    if (auto best = nearest(lower, known)) return "did you mean \"" + std::string(*best) + "\"?";
  if (known.empty()) return "remove it";
  std::string out = "known here: ";
  for (std::size_t i = 0; i < known.size() && i < kListed; ++i)
    out += std::string(i == 0 ? "" : ", ") + std::string(known[i]);
  return out + (known.size() > kListed ? ", …" : "");
}

std::pair<std::string, std::string> halves(const std::string& text) {
  const auto at = text.find("; ");
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 2)};
}

std::variant<Value, Fault> parse_value(const Key& key, const Node& node) {
  switch (key.type) {
    case Type::text:
    case Type::optional_text:
    case Type::id:
    case Type::choice:
    case Type::path:
    case Type::secret:
    case Type::label:
      return parse_text(key, node);
    case Type::integer: {
      if (node.kind != Node::Kind::integer) return expected("an integer", node, example_of(key));
      if (auto fault = outside(key, node.integer, to_integer, std::to_string(node.integer)))
        return *fault;
      Value out;
      out.integer = node.integer;
      return out;
    }
    case Type::number:
      return parse_number_node(key, node);
    case Type::boolean: {
      if (node.kind != Node::Kind::boolean)
        return expected("true or false", node, "write it without quotes");
      Value out;
      out.boolean = node.boolean;
      return out;
    }
    case Type::duration:
      return parse_duration_node(key, node);
    case Type::size:
      return parse_size_node(key, node);
    case Type::texts:
    case Type::durations:
    case Type::pair:
    case Type::numbers:
      return parse_list(key, node);
    case Type::amount:
      return node.kind == Node::Kind::string ? parse_text(key, node) : parse_number_node(key, node);
    case Type::table:
      break;
  }
  if (node.kind != Node::Kind::table) return expected("a table", node, example_of(key));
  return Value{};
}

std::optional<Value> fallback_value(const Key& key) {
  if (key.fallback.empty()) return std::nullopt;
  Diagnostics ignored;
  const auto root = parse_toml("x = " + std::string(key.fallback), "", 0, ignored);
  if (!root) return std::nullopt;
  auto parsed = parse_value(key, *root->get("x"));
  if (std::holds_alternative<Fault>(parsed)) return std::nullopt;
  return std::get<Value>(std::move(parsed));
}

void check(Report& report) {
  Checker(report).run();
}

void check_parts(Report& report, std::string_view section, std::string_view without,
                 const Node& node, const std::string& prefix) {
  Checker(report).members(*find_section(section), without, node, prefix);
}

Table::Table(const Document& document, std::string_view section, const Node* node,
             std::string prefix)
    : document_(document),
      section_(section),
      node_(node != nullptr && node->kind == Node::Kind::table ? node : nullptr),
      prefix_(std::move(prefix)),
      place_(node_ != nullptr ? document.place(*node_) : Place{document.names.front(), 1, 1}) {}

std::optional<Value> Table::given(std::string_view name) const {
  const Key* key = find_key(section_, name);
  const Node* found = node(name);
  if (key == nullptr || found == nullptr) return std::nullopt;
  auto parsed = parse_value(*key, *found);
  if (std::holds_alternative<Fault>(parsed)) return std::nullopt;
  return std::get<Value>(std::move(parsed));
}

std::optional<Value> Table::value(std::string_view name) const {
  if (has(name)) return given(name);
  const Key* key = find_key(section_, name);
  return key == nullptr ? std::nullopt : fallback_value(*key);
}

Table Table::table(std::string_view name) const {
  const Key* row = find_key(section_, name);
  const Section* section =
      row == nullptr ? nullptr : find_section(std::string(section_) + "." + std::string(row->name));
  Table out(document_, section == nullptr ? std::string_view{} : section->path, node(name),
            key(name));
  if (out.node_ == nullptr) out.place_ = place(name);
  return out;
}

Place Table::place(std::string_view name) const {
  const Node* found = node(name);
  return found == nullptr ? place_ : document_.place(*found);
}

std::string Table::key(std::string_view name) const {
  return prefix_ + "." + std::string(name);
}

Table section_table(const Document& document, std::string_view section) {
  return {document, section, document.root.get(section), std::string(section)};
}

std::vector<Table> section_tables(const Document& document, std::string_view section) {
  std::vector<Table> out;
  const Node* list = document.root.get(section);
  if (list == nullptr || list->kind != Node::Kind::array) return out;
  const std::string_view id = find_key(section, "id") != nullptr ? "id" : "name";
  const std::size_t count =
      std::min<std::size_t>(list->items.size(), find_section(section)->at_most);
  for (std::size_t i = 0; i < count; ++i) {
    const Node* name = list->items[i].get(id);
    const bool named = name != nullptr && name->kind == Node::Kind::string && valid_id(name->text);
    out.emplace_back(
        document, section, &list->items[i],
        std::string(section) + "[" + (named ? name->text : "#" + std::to_string(i + 1)) + "]");
  }
  return out;
}

}  // namespace gerbang::config
