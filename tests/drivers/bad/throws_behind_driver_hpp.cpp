// SPDX-License-Identifier: Apache-2.0
// What driver.hpp makes of an exception that its author did not expect.
#include <gerbang/driver.hpp>

#include <vector>

namespace {

using namespace gerbang::driver;

class Thrower {
 public:
  static constexpr const char* kName = "bad";
  static constexpr const char* kVersion = "0";
  static constexpr const char* kSummary = "For tests.";

  Thrower(Host, Config) {}
  gerbang_status poll(std::chrono::milliseconds) {
    return static_cast<gerbang_status>(std::vector<int>{}.at(5));
  }
};

}  // namespace

GERBANG_DRIVER(Thrower)
