// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

namespace gerbang {

// A value that never changes; copies share it. For what stands in the configuration of a thousand
// sensors, in their pipeline and on their page, and is the same for many of them.
template <class T>
class Shared {
 public:
  Shared() = default;  // T()
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return value_ ? *value_ : nothing(); }
  const T* operator->() const { return &**this; }

  friend bool operator==(const Shared& a, const Shared& b) {
    return a.value_ == b.value_ || *a == *b;
  }

 private:
  static const T& nothing() {
    static const T empty;
    return empty;
  }

  std::shared_ptr<const T> value_;
};

}  // namespace gerbang
