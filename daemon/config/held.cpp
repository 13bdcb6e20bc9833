// SPDX-License-Identifier: Apache-2.0
#include "config/held.hpp"

#include <zstd.h>

#include <new>
#include <string_view>

#include "config/settings.hpp"
#include "config/written.hpp"

namespace gerbang::config {
namespace {

constexpr int kLevel = 3;
constexpr char kEnd = '\0';      // of a key or a value; none has one
constexpr char kWritten = '\1';  // in front of a key

std::string_view take(std::string_view& rest) {
  const std::string_view out = rest.substr(0, rest.find(kEnd));
  rest.remove_prefix(out.size() + 1);
  return out;
}

}  // namespace

std::map<std::string, std::string> secrets_of(const Config& config) {
  std::map<std::string, std::string> out;
  if (config.http.token) out["http.token_file"] = config.http.token->value;
  for (const Uplink& uplink : config.uplinks)
    if (uplink.password) out["uplink[" + uplink.name + "].password_file"] = uplink.password->value;
  return out;
}

Held::Held(const Config& config) : secrets_(secrets_of(config)) {
  std::string text;
  for (const auto& [key, value] : settings_of(config)) {
    if (is_written(config.written, key)) text.push_back(kWritten);
    text.append(key).push_back(kEnd);
    text.append(value).push_back(kEnd);
  }
  size_ = text.size();
  packed_.resize(ZSTD_compressBound(size_));
  const std::size_t size =
      ZSTD_compress(packed_.data(), packed_.size(), text.data(), size_, kLevel);
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();  // there is no other reason
  packed_.resize(size);
  packed_.shrink_to_fit();
}

std::string Held::unpacked() const {
  std::string text(size_, kEnd);
  if (ZSTD_decompress(text.data(), size_, packed_.data(), packed_.size()) != size_)
    throw std::bad_alloc();  // the same
  return text;
}

std::map<std::string, std::string> Held::settings() const {
  const std::string text = unpacked();
  std::map<std::string, std::string> out;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.front() == kWritten) rest.remove_prefix(1);
    const std::string key(take(rest));
    out.emplace_hint(out.end(), key, take(rest));
  }
  return out;
}

std::set<std::string> Held::written() const {
  const std::string text = unpacked();
  std::set<std::string> out;
  for (std::string_view rest = text; !rest.empty(); (void)take(rest)) {
    const std::string_view key = take(rest);
    if (key.front() == kWritten) out.emplace_hint(out.end(), key.substr(1));
  }
  return out;
}

}  // namespace gerbang::config
