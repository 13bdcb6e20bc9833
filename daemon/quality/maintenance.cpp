// SPDX-License-Identifier: Apache-2.0
#include "quality/maintenance.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace gerbang::quality {
namespace {

constexpr char kSeparator = '\t';

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, Maintenance::kMostText));
  // Never half a character.
  if (out.size() < text.size())
    while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xC0) == 0x80)
      out.pop_back();
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

bool number(std::string_view text, std::int64_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::chrono::milliseconds Work::length() const {
  using namespace std::chrono_literals;
  const std::chrono::milliseconds all(std::max<std::int64_t>(until_ms - from_ms, 0));
  return all < 10min ? std::chrono::ceil<std::chrono::seconds>(all)
                     : std::chrono::round<std::chrono::minutes>(all);
}

void Maintenance::begin(const std::string& sensor, Work work) {
  work.person = one_line(work.person);
  work.note = one_line(work.note);
  works_.insert_or_assign(sensor, std::move(work));
}

std::optional<Work> Maintenance::end(const std::string& sensor) {
  auto node = works_.extract(sensor);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

const Work* Maintenance::at(const std::string& sensor, std::int64_t time_ms) const {
  auto found = works_.find(sensor);
  if (found == works_.end()) return nullptr;
  const Work& work = found->second;
  return time_ms >= work.from_ms && time_ms < work.until_ms ? &work : nullptr;
}

std::map<std::string, Work> Maintenance::take_over(std::int64_t now_ms) {
  std::map<std::string, Work> out;
  for (auto it = works_.begin(); it != works_.end();) {
    auto next = std::next(it);
    if (it->second.until_ms <= now_ms) out.insert(works_.extract(it));
    it = next;
  }
  return out;
}

void Maintenance::shift(std::int64_t by_ms) {
  for (auto& [sensor, work] : works_) {
    work.from_ms += by_ms;
    work.until_ms += by_ms;
  }
}

void Maintenance::begun_by(std::int64_t now_ms) {
  for (auto& [sensor, work] : works_) {
    const std::int64_t early = std::max<std::int64_t>(work.from_ms - now_ms, 0);
    work.from_ms -= early;
    work.until_ms -= early;
  }
}

std::string Maintenance::text() const {
  std::string out;
  for (const auto& [sensor, work] : works_) {
    out += sensor + kSeparator + std::to_string(work.from_ms) + kSeparator +
           std::to_string(work.until_ms) + kSeparator + work.person + kSeparator + work.note + '\n';
  }
  return out;
}

bool Maintenance::load(std::string_view text) {
  std::map<std::string, Work> works;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    std::array<std::string_view, 5> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const auto stop = i + 1 < fields.size() ? line.find(kSeparator) : line.size();
      if (stop == std::string_view::npos) return false;
      fields[i] = line.substr(0, stop);
      line.remove_prefix(std::min(line.size(), stop + 1));
    }
    Work work;
    if (fields[0].empty() || !number(fields[1], work.from_ms) || !number(fields[2], work.until_ms))
      return false;
    work.person = fields[3];
    work.note = fields[4];
    works.insert_or_assign(std::string(fields[0]), std::move(work));
  }
  works_ = std::move(works);
  return true;
}

}  // namespace gerbang::quality
