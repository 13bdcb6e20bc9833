// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "moment/moment.hpp"

namespace gerbang::mqtt {
namespace {

namespace json = boost::json;

constexpr std::size_t kShown = 40;

std::string shown(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kShown)) out += c >= ' ' && c != '\x7f' ? c : '?';
  return '"' + out + (text.size() > kShown ? "…" : "") + '"';
}

std::string_view text_at(const json::value& root, std::string_view pointer) {
  const json::value* found = find(root, pointer);
  return found != nullptr && found->is_string() ? std::string_view(found->get_string())
                                                : std::string_view();
}

std::optional<std::int64_t> integer_at(const json::value& root, std::string_view pointer) {
  const json::value* found = find(root, pointer);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

// The same numbers that JSON has: no blanks, no hexadecimal.
Value number_in_text(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t integer = 0;
  if (auto read = std::from_chars(digits.data(), end, integer);
      read.ec == std::errc() && read.ptr == end)
    return Found::of(integer);
  double number = 0;
  if (auto read = std::from_chars(digits.data(), end, number);
      read.ec == std::errc() && read.ptr == end) {
    if (std::isfinite(number)) return Found::of(number);
    return refused(GERBANG_REASON_NOT_A_NUMBER, shown(text) + " is no number");
  }
  return refused(GERBANG_REASON_PROTOCOL, "the text " + shown(text) + " is no number");
}

// As a part of a pointer (RFC 6901, 4).
std::string escaped(std::string_view key) {
  std::string out;
  for (char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

void collect(const json::value& value, const std::string& at, std::size_t limit,
             std::vector<std::pair<std::string, Found>>& out) {
  if (out.size() >= limit) return;
  if (value.is_object()) {
    for (const auto& member : value.get_object())
      collect(member.value(), at + "/" + escaped(member.key()), limit, out);
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const json::value& element : value.get_array())
      collect(element, at + "/" + std::to_string(i++), limit, out);
  } else if (auto number = number_of(value, false)) {
    out.emplace_back(at, *number);
  }
}

}  // namespace

tl::expected<json::value, std::string> parse(std::string_view payload) {
  json::stream_parser parser;
  json::error_code error;
  const std::size_t used = parser.write_some(payload.data(), payload.size(), error);
  const bool blank_rest =
      payload.substr(used).find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (error || !blank_rest)
    return tl::unexpected("the payload is no JSON: " + (error ? error.message() : "extra text") +
                          " at character " + std::to_string(used) + " of " +
                          std::to_string(payload.size()));
  parser.finish(error);
  if (error)
    return tl::unexpected("the payload is no JSON: it ends too early, after " +
                          std::to_string(payload.size()) + " characters");
  return parser.release();
}

std::string pointer_fault(std::string_view pointer) {
  if (!pointer.empty() && pointer.front() != '/')
    return "a JSON pointer begins with a slash: /" + std::string(pointer);
  for (std::size_t i = 0; i < pointer.size(); ++i)
    if (pointer[i] == '~' &&
        (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')))
      return "in a JSON pointer ~ is written ~0";
  return "";
}

const json::value* find(const json::value& root, std::string_view pointer) {
  json::error_code error;
  const json::value* found = root.find_pointer(json::string_view(pointer), error);
  return error ? nullptr : found;
}

Value number_of(const json::value& value, bool from_text) {
  switch (value.kind()) {
    case json::kind::int64:
      return Found::of(value.get_int64());
    case json::kind::uint64:  // only above the largest int64
      return Found::of(static_cast<double>(value.get_uint64()));
    case json::kind::double_:
      if (!std::isfinite(value.get_double()))
        return refused(GERBANG_REASON_NOT_A_NUMBER, "the number is too large");
      return Found::of(value.get_double());
    case json::kind::bool_:
      return Found::of(std::int64_t{value.get_bool() ? 1 : 0});
    case json::kind::null:
      return refused(GERBANG_REASON_NOT_A_NUMBER, "it is null: the device has no value");
    case json::kind::string:
      if (from_text) return number_in_text(std::string_view(value.get_string()));
      return refused(GERBANG_REASON_PROTOCOL, "it is the text " +
                                                  shown(std::string_view(value.get_string())) +
                                                  "; text_numbers = true takes numbers in texts");
    case json::kind::array:
      return refused(GERBANG_REASON_PROTOCOL, "it is an array: add the index, as in /name/0");
    case json::kind::object:
      return refused(GERBANG_REASON_PROTOCOL, "it is an object: add the name of one of its fields");
  }
  return refused(GERBANG_REASON_PROTOCOL, "it is no number");
}

std::optional<std::int64_t> time_of(const json::value& value) {
  if (value.is_string()) return moment::of_text(std::string_view(value.get_string()));
  if (value.is_int64())
    return moment::of_count(value.get_int64(),
                            moment::likely_unit(static_cast<double>(value.get_int64())));
  if (value.is_double())
    return moment::of_count(value.get_double(), moment::likely_unit(value.get_double()));
  return std::nullopt;
}

std::vector<std::pair<std::string, Found>> numbers_in(const json::value& root, std::size_t limit) {
  std::vector<std::pair<std::string, Found>> out;
  collect(root, "", limit, out);
  return out;
}

std::optional<Uplink> uplink_of(const json::value& root) {
  if (!root.is_object()) return std::nullopt;
  Uplink uplink;
  uplink.dev_eui = eui_of(text_at(root, "/deviceInfo/devEui"));
  if (uplink.dev_eui.empty()) return std::nullopt;
  uplink.dev_addr = text_at(root, "/devAddr");
  uplink.deduplication_id = text_at(root, "/deduplicationId");
  if (auto count = integer_at(root, "/fCnt"); count && *count >= 0)
    uplink.f_cnt = static_cast<std::uint64_t>(*count);
  uplink.f_port = integer_at(root, "/fPort");
  if (const json::value* object = find(root, "/object"); object != nullptr && !object->is_null())
    uplink.object = object;
  if (const json::value* data = find(root, "/data"); data != nullptr && data->is_string())
    uplink.data = std::string_view(data->get_string());
  return uplink;
}

std::string eui_of(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ':' || c == '-') continue;
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return "";
    out += c;
  }
  return out.size() == 16 ? out : "";
}

}  // namespace gerbang::mqtt
