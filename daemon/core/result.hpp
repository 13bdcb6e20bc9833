// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace gerbang {

// An expected failure: a stable code, and a sentence for the operator. Each layer that knows more
// adds its context in front: "uplink regional: connect broker:8883: certificate expired".
struct Error {
  std::error_code code;
  std::string what;

  Error(std::error_code c, std::string text) : code(c), what(std::move(text)) {}

  Error within(const std::string& context) && {
    what.insert(0, context + ": ");
    return std::move(*this);
  }
};

// A value, or why there is none. Ignoring one is a compiler error; write (void) and a reason where
// ignoring is right.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Base&& base) : Base(std::move(base)) {}  // so that transform() and friends convert back
};

[[nodiscard]] inline tl::unexpected<Error> fail(std::error_code code, std::string what) {
  return tl::unexpected<Error>(Error(code, std::move(what)));
}
[[nodiscard]] inline tl::unexpected<Error> fail(std::errc code, std::string what) {
  return fail(std::make_error_code(code), std::move(what));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace gerbang
