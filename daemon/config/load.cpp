// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows toml++ (without exceptions, header-only, so that the packaged library's
// ABI does not matter). Turns its tree into Node and its one error into a Diagnostic.
//
// toml++ 3.3 asserts on some malformed input ("[[[a]]]"), and with NDEBUG tells the optimiser that
// it cannot happen. Here a failed assertion is a mistake of the file, in every kind of build.
#undef NDEBUG
namespace {
struct BrokenInvariant {};
[[noreturn]] void broken_invariant() {
  throw BrokenInvariant{};
}
}  // namespace
#define TOML_ASSERT(condition) (static_cast<bool>(condition) ? void() : broken_invariant())
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "config/keys.hpp"
#include "config/node.hpp"

namespace gerbang::config {
namespace {

// "a.b.c" makes a table a part, and deep trees are destroyed recursively: bounded before parsing.
constexpr unsigned kMaxKeyParts = 16;

std::uint32_t narrow(toml::source_index i) {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(i));
}

struct Converter {
  std::uint32_t file;

  Node place(const toml::node& node, Node::Kind kind) const {
    Node out;
    out.kind = kind;
    out.file = file;
    out.line = narrow(node.source().begin.line);
    out.column = narrow(node.source().begin.column);
    return out;
  }

  Node convert(const toml::node& node) const {
    if (auto table = node.as_table()) {
      Node out = place(node, Node::Kind::table);
      out.members.reserve(table->size());
      for (auto&& [key, value] : *table)
        out.members.push_back(Member{std::string(key.str()), file, narrow(key.source().begin.line),
                                     narrow(key.source().begin.column), convert(value)});
      std::sort(out.members.begin(), out.members.end(), [](const Member& a, const Member& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
      });
      return out;
    }
    if (auto array = node.as_array()) {
      Node out = place(node, Node::Kind::array);
      out.items.reserve(array->size());
      for (auto&& item : *array) out.items.push_back(convert(item));
      // An array of tables has no place of its own: it stands where its first table stands.
      if (!out.items.empty() && node.source().begin.line == 0) {
        out.line = out.items.front().line;
        out.column = out.items.front().column;
      }
      return out;
    }
    if (auto v = node.as_string()) {
      Node out = place(node, Node::Kind::string);
      out.text = v->get();
      return out;
    }
    if (auto v = node.as_integer()) {
      Node out = place(node, Node::Kind::integer);
      out.integer = v->get();
      out.number = static_cast<double>(v->get());
      return out;
    }
    if (auto v = node.as_floating_point()) {
      Node out = place(node, Node::Kind::number);
      out.number = v->get();
      return out;
    }
    if (auto v = node.as_boolean()) {
      Node out = place(node, Node::Kind::boolean);
      out.boolean = v->get();
      return out;
    }
    Node out = place(node, Node::Kind::datetime);
    if (auto v = node.as_date()) {
      std::array<char, 48> text{};
      std::snprintf(text.data(), text.size(), "%04u-%02u-%02u", unsigned{v->get().year},
                    unsigned{v->get().month}, unsigned{v->get().day});
      out.text = text.data();
    }
    return out;
  }
};

// The line whose key, outside of strings and comments, has too many parts; 0: none. A number such
// as 1.5 counts as parts too, which costs nothing at this bound.
unsigned too_deep(std::string_view content) {
  unsigned line = 1, dots = 0;
  char quote = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (c == '\n') {
      ++line;
      dots = 0;
      quote = 0;  // one-line strings end here; the parser refuses the rest
    } else if (quote != 0) {
      if (c == '\\' && quote == '"')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'') {
      if (content.substr(i, 3) == std::string(3, c)) {
        const std::size_t end = content.find(std::string(3, c), i + 3);
        if (end == std::string_view::npos) return 0;
        line += static_cast<unsigned>(std::count(content.begin() + static_cast<std::ptrdiff_t>(i),
                                                 content.begin() + static_cast<std::ptrdiff_t>(end),
                                                 '\n'));
        i = end + 2;
      } else {
        quote = c;
      }
    } else if (c == '#') {
      i = std::min(content.find('\n', i), content.size()) - 1;
    } else if (c == '.') {
      if (++dots > kMaxKeyParts) return line;
    } else if (c == ',' || c == '=' || c == '[' || c == '{') {
      dots = 0;
    }
  }
  return 0;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// What a line declares: "[store]" or the key before "="; empty: nothing.
std::string_view declared(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return {};
  if (line.front() == '[') return line.substr(0, line.find_last_of(']') + 1);
  const auto equals = line.find('=');
  return equals == std::string_view::npos ? std::string_view{} : trim(line.substr(0, equals));
}

// The line above `number` that declares the same; 0: none is seen.
unsigned first_declared(std::string_view content, unsigned number) {
  std::vector<std::string_view> lines;
  while (lines.size() < number && !content.empty()) {
    const auto end = std::min(content.find('\n'), content.size());
    lines.push_back(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  if (lines.size() < number) return 0;
  const std::string_view wanted = declared(lines[number - 1]);
  if (wanted.empty()) return 0;
  for (unsigned i = number - 1; i > 0; --i) {
    const std::string_view here = declared(lines[i - 1]);
    if (here == wanted) return i;
    if (wanted.front() != '[' && !here.empty() && here.front() == '[') return 0;
  }
  return 0;
}

// A line "[NAME]" or "[[NAME]]"; no name: it is none.
struct Header {
  unsigned line = 0, column = 0;
  std::string_view name;
  bool repeated = false;  // in double brackets
};

Header header_of(std::string_view text, unsigned line) {
  const std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string_view::npos || text[at] != '[') return {};
  Header out{line, static_cast<unsigned>(at + 1), text.substr(at + 1), false};
  out.repeated = out.name.starts_with('[');
  if (out.repeated) out.name.remove_prefix(1);
  out.name = trim(out.name.substr(0, out.name.find(']')));
  return out;
}

// A table of ours in single brackets on one line and in double ones on another, the last of them
// line `number`: said of the one that is wrong.
std::optional<Diagnostic> explain_brackets(std::string_view content, unsigned number,
                                           const std::string& name) {
  std::vector<Header> headers;
  for (unsigned line = 1; line <= number && !content.empty(); ++line) {
    const auto end = std::min(content.find('\n'), content.size());
    headers.push_back(header_of(content.substr(0, end), line));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  if (headers.size() < number) return std::nullopt;
  const Header last = headers.back();
  const Section* section = last.name.empty() ? nullptr : find_section(last.name);
  const auto other = std::find_if(headers.begin(), headers.end(), [&](const Header& header) {
    return header.name == last.name && header.repeated != last.repeated;
  });
  if (section == nullptr || other == headers.end()) return std::nullopt;
  const Header& wrong = last.repeated == section->repeated ? *other : last;
  const Header& right = last.repeated == section->repeated ? last : *other;
  const std::string key(last.name);
  return Diagnostic{name,
                    wrong.line,
                    wrong.column,
                    key,
                    std::string(section->repeated ? "in single brackets here, in double ones at "
                                                  : "in double brackets here, in single ones at ") +
                        name + ":" + std::to_string(right.line),
                    section->repeated
                        ? "each needs double brackets: [[" + key + "]]"
                        : "there is one only: write its keys below one [" + key + "]"};
}

bool at_end_of_line(std::string_view content, unsigned line, unsigned column) {
  for (; line > 1; --line)
    content.remove_prefix(std::min(content.find('\n'), content.size() - 1) + 1);
  std::string_view text = content.substr(0, content.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  // Columns count characters: bytes that do not continue a UTF-8 sequence.
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return static_cast<unsigned>(characters) < column;
}

// The number in the library's complaint that is no mistake of writing, but too large; else empty.
std::string beyond_counting(const std::string& what) {
  const auto from = what.find('\''), to = what.rfind('\'');
  if (from == to) return {};
  std::string number = what.substr(from + 1, to - from - 1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  const bool beyond = what.find("not representable in 64 bits") != std::string::npos ||
                      error == std::errc::result_out_of_range;
  return beyond ? number : std::string();
}

Diagnostic explain(const toml::parse_error& error, std::string_view content,
                   const std::string& name) {
  Diagnostic out{name,   narrow(error.source().begin.line), narrow(error.source().begin.column),
                 "toml", std::string(error.description()),  ""};
  if (out.what.find("cannot redefine") != std::string::npos) {
    if (auto brackets = explain_brackets(content, out.line, name)) return *brackets;
    const unsigned first = first_declared(content, out.line);
    out.what = "written twice" +
               (first != 0 ? ", first at " + name + ":" + std::to_string(first) : std::string()) +
               " (" + out.what + ")";
    out.remedy = "keep one of the two";
  } else if (out.what.find("parsing string") != std::string::npos &&
             at_end_of_line(content, out.line, out.column)) {
    out.what = "a text is not closed before the end of its line";
    out.remedy = "add the missing quote";
  } else if (const auto number = beyond_counting(out.what); !number.empty()) {
    const bool whole = number.find_first_of(".eE") == std::string::npos;
    out.what = in_quotes(number) + (whole ? " is too large" : " is too large or too small");
    out.remedy = std::string(whole ? "whole numbers go to 9223372036854775807"
                                   : "numbers go to 1.7e308, the smallest is 2.3e-308") +
                 ": config/README.md has the bounds of each key";
  } else {
    // The library shows the character as it is: no control character may reach a terminal.
    for (char& c : out.what)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    out.remedy = "this line is not TOML 1.0: see config/README.md for how keys are written";
  }
  return out;
}

// What the library stumbled over without saying where.
Diagnostic explain_broken(std::string_view content, const std::string& name) {
  Diagnostic out{name, 1, 1, "toml", "this file cannot be read as TOML", "look at its brackets"};
  for (unsigned line = 1; !content.empty(); ++line) {
    const auto end = std::min(content.find('\n'), content.size());
    const std::string_view text = trim(content.substr(0, end));
    if (text.starts_with("[[") && trim(text.substr(2)).starts_with("[")) {
      out.line = line;
      out.what = "a bracket too many";
      out.remedy = "write [table], or [[table]] for one of a list";
      break;
    }
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return out;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view content, const std::string& name,
                               std::uint32_t file, Diagnostics& errors) try {
  if (content.size() > kMaxFileBytes) {
    errors.push_back({name, 1, 1, "file", "larger than 1 MiB",
                      "split it and name the parts in include = [\"conf.d/*.toml\"]"});
    return std::nullopt;
  }
  if (const unsigned line = too_deep(content); line != 0) {
    errors.push_back({name, line, 1, "toml",
                      "a key of more than " + std::to_string(kMaxKeyParts) + " parts",
                      "no setting is nested as deeply as this"});
    return std::nullopt;
  }
  const toml::parse_result result = toml::parse(content, std::string_view(name));
  if (!result) {
    errors.push_back(explain(result.error(), content, name));
    return std::nullopt;
  }
  return Converter{file}.convert(result.table());
} catch (const BrokenInvariant&) {
  errors.push_back(explain_broken(content, name));
  return std::nullopt;
}

}  // namespace gerbang::config
