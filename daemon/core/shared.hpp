// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

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

// Makes equal values one, as far as they come near each other: the newest few are remembered.
template <class T>
class Sharing {
 public:
  Shared<T> share(T value) {
    const auto known = std::find_if(newest_.begin(), newest_.end(),
                                    [&](const Shared<T>& each) { return *each == value; });
    if (known != newest_.end()) return *known;
    if (newest_.size() == kRemembered) newest_.erase(newest_.begin());
    return newest_.emplace_back(std::move(value));
  }

 private:
  static constexpr std::size_t kRemembered = 32;
  std::vector<Shared<T>> newest_;
};

}  // namespace gerbang
