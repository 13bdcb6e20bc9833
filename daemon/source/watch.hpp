// SPDX-License-Identifier: Apache-2.0
//
// Drivers that run as they do under the gateway, for a program that only looks on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "source/once.hpp"

namespace gerbang::source {

struct Watched {
  DriverSpec spec;
  Listener listener;  // as the frames come; all calls on the thread of watch()
  std::function<void(const std::string&)> trouble;  // what is wrong with the line or the host
};

// Runs all of them at once until step(), which is called ten times a second, says false. A host
// that ends is started again after two seconds. Blocks; the hosts are gone when it returns. Nobody
// else may hold the lines.
void watch(const std::string& host, std::vector<Watched>& lines, const std::function<bool()>& step);

}  // namespace gerbang::source
