// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "source/supervisor.hpp"

namespace gerbang::source {

// All drivers of the running configuration. All functions on the loop thread. Call stop_all()
// before it is destroyed.
class Drivers {
 public:
  explicit Drivers(Environment environment);

  // Makes the running drivers these, at start and after a reload: unchanged ones run on untouched
  // (but for those that wait for a correction of the configuration: they are tried again), changed
  // and removed ones are stopped, then new and changed ones started. Returns when those that had to
  // go have gone; a call while another is under way waits for it.
  asio::awaitable<void> apply(std::vector<DriverSpec> specs);

  // In the order of the configuration.
  std::vector<DriverStatus> statuses() const;

  // All at once. Nothing is started afterwards.
  asio::awaitable<void> stop_all();

 private:
  std::shared_ptr<Supervisor> start(const DriverSpec& spec);

  Environment environment_;
  std::vector<std::shared_ptr<Supervisor>> running_;
  bool stopped_ = false;
  Gate idle_;  // no apply() is under way
};

}  // namespace gerbang::source
