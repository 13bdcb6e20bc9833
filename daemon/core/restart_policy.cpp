// SPDX-License-Identifier: Apache-2.0
#include "core/restart_policy.hpp"

namespace gerbang {

RestartPolicy::RestartPolicy(RestartLimits limits)
    : limits_(limits), backoff_(limits.first_wait, limits.longest_wait) {}

void RestartPolicy::ready(BootTime now) {
  ready_since_ = now;
}

void RestartPolicy::alive(BootTime now) {
  if (!ready_since_ || now - *ready_since_ < limits_.healthy) return;
  backoff_.reset();
  crashes_.clear();
  quarantined_ = false;
}

RestartPolicy::Decision RestartPolicy::ended(BootTime now, bool config, double unit) {
  ready_since_.reset();
  if (config) return Decision{Next::never, {}};
  crashes_.push_back(now);
  while (now - crashes_.front() > limits_.within) crashes_.pop_front();
  quarantined_ |= crashes_.size() >= limits_.crashes;
  if (quarantined_) return Decision{Next::quarantine, limits_.quarantine};
  return Decision{Next::restart, backoff_.next(unit)};
}

}  // namespace gerbang
