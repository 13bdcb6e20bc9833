// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/number_text.hpp"

namespace gerbang::http {

// Writes JSON straight into one string: no tree, so a document of a thousand sensors costs its own
// length and nothing else. Numbers are the shortest that read back the same; NaN and infinity
// become null. Bytes that are not UTF-8 become U+FFFD: texts come from drivers and brokers.
class Json {
 public:
  Json& begin_object() { return open('{'); }
  Json& end_object() { return close('}'); }
  Json& begin_array() { return open('['); }
  Json& end_array() { return close(']'); }

  Json& key(std::string_view name);
  Json& value(std::string_view text);
  Json& value(const char* text) { return value(std::string_view(text)); }
  Json& value(const std::string& text) { return value(std::string_view(text)); }
  Json& value(double number);
  template <std::integral T>
  Json& value(T number) {
    if constexpr (std::same_as<T, bool>)
      return raw(number ? "true" : "false");
    else
      return raw(std::to_string(number));
  }
  template <class T>
  Json& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : raw("null");
  }

  template <class T>
  Json& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  // The member only if there is something to say.
  template <class T>
  Json& member_if(std::string_view name, const std::optional<T>& content) {
    return content ? member(name, *content) : *this;
  }
  Json& member_if(std::string_view name, const std::string& text) {
    return text.empty() ? *this : member(name, text);
  }

  // A value that is JSON already.
  Json& document(std::string_view text) { return raw(text); }

  std::string take() { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  Json& open(char bracket);
  Json& close(char bracket);
  Json& raw(std::string_view text);
  void separate();

  std::string text_;
  bool first_ = true;  // nothing stands before in the open object or array
  bool after_key_ = false;
};

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string clean_utf8(std::string_view text);

}  // namespace gerbang::http
