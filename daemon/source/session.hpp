// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "source/frames.hpp"
#include "source/limits.hpp"
#include "source/status.hpp"

namespace gerbang::source {

// What the supervisor does about one frame.
struct Step {
  bool configure = false;                          // send Configure now
  bool ready = false;                              // the driver is open (again)
  std::vector<Reading> readings;                   // checked; still numbered by place
  std::uint64_t unknown_sensor = 0, bad_time = 0;  // readings refused
  std::optional<Event> event;
  std::optional<LogLine> log;
  std::optional<Heartbeat> heartbeat;
};

// The life of one driver host process, from start to end: which frames may come when, and by when
// something has to. Pure: no process, no clock.
class Session {
 public:
  Session(const Limits& limits, std::size_t sensors, std::chrono::milliseconds max_block,
          BootTime now);

  // Error: the host breaks the protocol and has to be killed.
  Result<Step> on_frame(HostFrame frame, BootTime now);

  // Looks at the deadline. Error: what did not come in time; kill the host. Time in which nobody
  // looked (the daemon was stopped or suspended, the loop stood still) does not count: the host
  // cannot have been heard then.
  Result<void> tick(BootTime now);
  // When to look next.
  BootTime next_look(BootTime now) const;

  // While the daemon does not read, a blocked host is not a hung one: the deadline stands still.
  void pause(BootTime now);
  void resume(BootTime now);

  DriverState state() const { return state_; }  // starting, running, trouble or config_error
  const std::string& trouble() const { return trouble_; }  // why, while not running
  const std::string& version() const { return version_; }

 private:
  void alive(BootTime now) { deadline_ = now + allowance_; }
  void look(BootTime now);
  Result<Step> on_hello(Hello hello, BootTime now);
  Step on_readings(std::vector<Reading> readings, BootTime now) const;

  const Limits limits_;
  const std::size_t sensors_;
  const std::chrono::nanoseconds allowance_;  // between two signs of life
  DriverState state_ = DriverState::starting;
  bool greeted_ = false;
  bool paused_ = false;
  BootTime deadline_;
  BootTime looked_, paused_at_{};
  std::string trouble_, version_;
};

}  // namespace gerbang::source
