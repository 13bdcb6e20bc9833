// SPDX-License-Identifier: Apache-2.0
#include "config/node.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <system_error>
#include <tuple>

namespace gerbang::config {

const Member* Node::find(std::string_view key) const {
  for (const Member& member : members)
    if (member.key == key) return &member;
  return nullptr;
}

const Node* Node::get(std::string_view key) const {
  const Member* member = find(key);
  return member == nullptr ? nullptr : &member->value;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::size_t end = std::min(text.size(), kShown);
  // Not in the middle of a UTF-8 character.
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string out = "\"";
  for (char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out + (end < text.size() ? "…\"" : "\"");
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::table:
      return "a table";
    case Node::Kind::array:
      return "a list";
    case Node::Kind::string:
      return "the text " + in_quotes(node.text);
    case Node::Kind::integer:
      return "the integer " + std::to_string(node.integer);
    case Node::Kind::number:
      return "the number " + format_number(node.number);
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::datetime:
      return "a date or time";
  }
  return "something else";
}

std::string written(const Node& node) {
  switch (node.kind) {
    case Node::Kind::string:
      return toml_text(node.text);
    case Node::Kind::integer:
      return std::to_string(node.integer);
    case Node::Kind::number:
      return format_number(node.number);
    case Node::Kind::boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::datetime:
      return node.text;
    case Node::Kind::table:
    case Node::Kind::array:
      break;
  }
  return {};
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string format_number(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::optional<std::string> read_file(const std::string& path, std::size_t limit, std::string& why) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    why = std::generic_category().message(errno);
    return std::nullopt;
  }
  std::string content;
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    why = std::generic_category().message(errno);
  } else if (!S_ISREG(status.st_mode)) {
    why = S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file";
  } else {
    std::array<char, 16384> buffer;
    for (;;) {
      const ssize_t count = ::read(fd, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) why = std::generic_category().message(errno);
      if (count <= 0) break;
      content.append(buffer.data(), static_cast<std::size_t>(count));
      if (content.size() > limit) {
        why = "is larger than " + std::to_string(limit) + " bytes";
        break;
      }
    }
  }
  ::close(fd);
  if (!why.empty()) return std::nullopt;
  return content;
}

std::string text(const Diagnostic& d) {
  return d.file + ":" + std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + d.key +
         ": " + d.what + (d.remedy.empty() ? "" : "; " + d.remedy);
}

void sort_by_place(Diagnostics& diagnostics, const std::vector<std::string>& files) {
  auto rank = [&](const Diagnostic& d) {
    const auto file = std::find(files.begin(), files.end(), d.file) - files.begin();
    return std::tuple(file, std::string_view(d.file), d.line, d.column);
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
}

}  // namespace gerbang::config
