// SPDX-License-Identifier: Apache-2.0
#include "pipeline/published.hpp"

#include <charconv>

#include "core/aggregate.hpp"

namespace gerbang::pipeline {
namespace {

// FNV-1a: tells contents apart, and proves nothing against an attacker.
std::uint64_t digest(std::string_view content) {
  std::uint64_t hash = 14695981039346656037ull;
  for (char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

template <class Number>
bool take(std::string_view& text, char until, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || used >= text.size() || *end != until) return false;
  text.remove_prefix(used + 1);
  return true;
}

}  // namespace

std::optional<std::uint32_t> Published::next(std::int64_t end_ms, std::string_view content) {
  const std::uint64_t now = digest(content);
  const auto [found, fresh] = known_.try_emplace(end_ms, Said{0, now});
  if (!fresh && found->second.content == now) return std::nullopt;
  if (!fresh) found->second = Said{found->second.revision + 1, now};
  const std::uint32_t revision = found->second.revision;
  const std::int64_t newest = known_.rbegin()->first;
  while (known_.begin()->first + days_ * kDayMs <= newest && known_.begin()->first != end_ms)
    known_.erase(known_.begin());
  return revision;
}

bool Published::newest(std::int64_t end_ms) const {
  return known_.empty() || end_ms >= known_.rbegin()->first;
}

unsigned Published::slot(std::int64_t end_ms) const {
  return static_cast<unsigned>(end_ms / kDayMs % days_);
}

std::string Published::text(std::int64_t end_ms) const {
  const std::int64_t day = end_ms / kDayMs * kDayMs;
  std::string out;
  for (auto it = known_.lower_bound(day); it != known_.end() && it->first < day + kDayMs; ++it)
    out += std::to_string(it->first) + ' ' + std::to_string(it->second.revision) + ' ' +
           std::to_string(it->second.content) + '\n';
  return out;
}

bool Published::load(std::string_view text) {
  while (!text.empty()) {
    std::int64_t end = 0;
    Said said;
    if (!take(text, ' ', end) || !take(text, ' ', said.revision) || !take(text, '\n', said.content))
      return false;
    known_[end] = said;
  }
  return true;
}

}  // namespace gerbang::pipeline
