// SPDX-License-Identifier: Apache-2.0
#include "source/drivers.hpp"

#include <algorithm>

namespace gerbang::source {
namespace {

// It can go on as it is.
bool fits(const Supervisor& running, const DriverSpec& spec) {
  return running.runs(spec) && running.status().state != DriverState::config_error;
}

}  // namespace

Drivers::Drivers(Environment environment)
    : environment_(std::move(environment)), idle_(environment_.executor) {
  idle_.open();
}

asio::awaitable<void> Drivers::apply(std::vector<DriverSpec> specs) {
  while (!idle_.is_open()) co_await idle_.wait();
  idle_.close();
  std::vector<std::shared_ptr<Supervisor>> kept(specs.size());
  std::vector<std::shared_ptr<Supervisor>> leaving;
  for (auto& running : running_) {
    auto same = [&running](const DriverSpec& spec) { return fits(*running, spec); };
    auto found = std::find_if(specs.begin(), specs.end(), same);
    if (found == specs.end()) {
      running->request_stop();
      leaving.push_back(running);
      continue;
    }
    running->renumber(*found);
    kept[static_cast<std::size_t>(found - specs.begin())] = running;
  }
  // Before anything starts: a successor may need the same serial port.
  for (auto& supervisor : leaving) co_await supervisor->stop();
  if (!stopped_) {
    for (std::size_t i = 0; i < specs.size(); ++i)
      if (!kept[i]) kept[i] = start(specs[i]);
    running_ = std::move(kept);
  }
  idle_.open();
}

std::shared_ptr<Supervisor> Drivers::start(const DriverSpec& spec) {
  auto supervisor = std::make_shared<Supervisor>(environment_, spec);
  spawn_critical(environment_.executor, "driver", supervisor->run());
  return supervisor;
}

std::vector<DriverStatus> Drivers::statuses() const {
  std::vector<DriverStatus> out;
  for (auto& supervisor : running_) out.push_back(supervisor->status());
  return out;
}

asio::awaitable<void> Drivers::stop_all() {
  stopped_ = true;
  auto leaving = running_;
  for (auto& supervisor : leaving) supervisor->request_stop();
  for (auto& supervisor : leaving) co_await supervisor->stop();
  while (!idle_.is_open()) co_await idle_.wait();
}

}  // namespace gerbang::source
