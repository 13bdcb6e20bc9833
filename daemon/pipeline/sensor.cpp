// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sensor.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace gerbang::pipeline {
namespace {

constexpr std::size_t kFields = 13, kOldest = 10;
constexpr char kSeparator = '\t';

template <class Number>
void append(std::string& line, Number value) {
  std::array<char, 32> text;
  auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  line.append(text.data(), end.ptr);
  line += kSeparator;
}

// Tabs and line ends are the file's own; none of these texts has a use for one.
void append_text(std::string& line, std::string_view text) {
  for (char c : text) line += c == kSeparator || c == '\n' ? ' ' : c;
  line += kSeparator;
}

template <class Number>
bool number(std::string_view text, Number& value) {
  auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

std::optional<Member> parse_member(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    if (i >= kOldest && line.empty()) break;  // written before there was one
    auto end = line.find(kSeparator);
    if (end == std::string_view::npos) return std::nullopt;
    fields[i] = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  if (!line.empty()) return std::nullopt;
  Member out;
  out.id = fields[0];
  out.quantity = fields[1];
  out.unit = fields[2];
  out.domain = fields[3];
  unsigned kind = 0;
  std::uint64_t wrap = 0;
  if (!number(fields[4], out.plan.series) || !number(fields[5], kind) ||
      kind > static_cast<unsigned>(QuantityKind::event) ||
      !number(fields[6], out.plan.interval_ms) || !number(fields[7], out.plan.factor) ||
      !number(fields[8], wrap) || !number(fields[9], out.plan.left_ms))
    return std::nullopt;
  out.plan.kind = static_cast<QuantityKind>(kind);
  if (wrap != 0) out.plan.wrap = wrap;
  double limit = 0;
  if (!fields[10].empty()) {
    if (!number(fields[10], limit)) return std::nullopt;
    out.plan.detection_limit = limit;
  }
  if (!fields[11].empty()) {
    if (fields[11] != "1") return std::nullopt;
    out.plan.count_suspect = true;
  }
  if (!fields[12].empty() && !number(fields[12], out.plan.since_ms)) return std::nullopt;
  return out;
}

}  // namespace

Member member(const Sensor& sensor) {
  Member out;
  out.id = sensor.id;
  out.quantity = sensor.quantity->name;
  out.unit = sensor.quantity->unit;
  out.domain = sensor.quantity->domain;
  out.plan.series = sensor.series;
  out.plan.kind = sensor.quantity->kind;
  out.plan.interval_ms = sensor.quantity->kind == QuantityKind::event ? 0 : sensor.interval_ms;
  out.plan.factor = sensor.calibration.scale * sensor.calibration.slope;
  out.plan.wrap = sensor.wrap;
  out.plan.detection_limit = sensor.rules->detection_limit;
  out.plan.count_suspect = sensor.count_suspect;
  return out;
}

void remember_since(std::vector<Member>& members, const std::vector<Member>& before,
                    std::int64_t now_ms) {
  std::map<std::int32_t, std::int64_t> known;
  for (const Member& m : before) known[m.plan.series] = m.plan.since_ms;
  for (Member& m : members) {
    const auto found = known.find(m.plan.series);
    m.plan.since_ms = found != known.end() ? found->second : now_ms;
  }
}

std::string text_of(const std::vector<Member>& members) {
  std::string out;
  for (const Member& m : members) {
    append_text(out, m.id);
    append_text(out, m.quantity);
    append_text(out, m.unit);
    append_text(out, m.domain);
    append(out, m.plan.series);
    append(out, static_cast<unsigned>(m.plan.kind));
    append(out, m.plan.interval_ms);
    append(out, m.plan.factor);
    append(out, m.plan.wrap.value_or(0));
    append(out, m.plan.left_ms);
    if (m.plan.detection_limit)
      append(out, *m.plan.detection_limit);
    else
      out += kSeparator;
    if (m.plan.count_suspect)
      append(out, 1);
    else if (m.plan.since_ms != 0)
      out += kSeparator;
    if (m.plan.since_ms != 0) append(out, m.plan.since_ms);
    out += '\n';
  }
  return out;
}

std::optional<std::vector<Member>> parse_members(std::string_view text) {
  std::vector<Member> out;
  while (!text.empty()) {
    auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto one = parse_member(text.substr(0, end));
    if (!one) return std::nullopt;
    out.push_back(std::move(*one));
    text.remove_prefix(end + 1);
  }
  return out;
}

std::vector<Member> leaving(const std::vector<Member>& before, const std::vector<Member>& now,
                            std::int64_t left_ms) {
  std::set<std::int32_t> stays;
  for (const Member& m : now) stays.insert(m.plan.series);
  std::vector<Member> out;
  for (const Member& m : before) {
    if (stays.contains(m.plan.series)) continue;
    out.push_back(m);
    if (m.plan.left_ms == 0) out.back().plan.left_ms = left_ms;
  }
  return out;
}

}  // namespace gerbang::pipeline
