// SPDX-License-Identifier: Apache-2.0
#include "store/types.hpp"

namespace gerbang::store {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "store"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::busy:
        return "too much waits to be written";
      case errc::locked:
        return "in use by another process";
      case errc::foreign:
        return "the file of another program";
      case errc::newer:
        return "made by a newer version";
      case errc::damaged:
        return "damaged";
      case errc::full:
        return "no room";
      case errc::io:
        return "cannot be read or written";
      case errc::stopped:
        return "stopped";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& category() {
  static const Category kCategory;
  return kCategory;
}

}  // namespace gerbang::store
