// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/spawn.hpp"
#include "core/clock.hpp"
#include "core/reading.hpp"
#include "core/restart_policy.hpp"
#include "ipc/child.hpp"
#include "source/account.hpp"
#include "source/frames.hpp"
#include "source/limits.hpp"
#include "source/session.hpp"
#include "source/spec.hpp"
#include "source/status.hpp"

namespace gerbang::source {

// Where readings go. Owned by the composition root and outlives every driver.
class Sink {
 public:
  virtual ~Sink() = default;
  // May suspend as long as it has no room: the driver's host is not read meanwhile, and waits.
  virtual asio::awaitable<void> take(std::vector<Reading> readings) = 0;
  virtual void on_event(Event event) = 0;
  // Readings that came from a driver and were not given to take(): "unknown_sensor", "time", and
  // what the host refused ("flood", "quality" …).
  virtual void on_rejected(std::string_view reason, std::uint64_t count) = 0;
};

// What every supervisor shares. sink and clock outlive them.
struct Environment {
  asio::any_io_executor executor;
  Sink& sink;
  const Clock& clock;
  std::string host;                // path of gerbang-driver-host (ipc::host_program)
  std::function<double()> random;  // in [0, 1], for jitter
  Limits limits;

  Environment(asio::any_io_executor e, Sink& s, const Clock& c, std::string h);
};

// Keeps one driver's host process running. All functions on the loop thread. Owned by shared_ptr:
// its coroutines hold it until they have ended.
class Supervisor : public std::enable_shared_from_this<Supervisor> {
 public:
  Supervisor(Environment environment, const DriverSpec& spec);

  // Runs the driver until stop(). Never fails; call once.
  asio::awaitable<void> run();

  // Stop frame, then SIGTERM, then SIGKILL, two seconds each. What the host had sent by then is
  // delivered. Completes when the process has ended and run() is done (or its sink stands still).
  // Any number of callers.
  asio::awaitable<void> stop();
  // The same without waiting.
  void request_stop();

  // Nothing that the driver itself sees differs: it may go on running. Indices may differ.
  bool runs(const DriverSpec& spec) const;
  // The same driver after a reload that gave its sensors other indices. runs(spec).
  void renumber(const DriverSpec& spec);
  DriverStatus status() const;

 private:
  using Self = std::shared_ptr<Supervisor>;
  static asio::awaitable<void> live(Self self);
  static asio::awaitable<bool> run_host(Self self);
  static asio::awaitable<void> read_frames(Self self, std::shared_ptr<ipc::Child> child);
  static asio::awaitable<ipc::Exit> see_off(std::shared_ptr<ipc::Child> child);
  static asio::awaitable<void> watch(Self self, std::shared_ptr<ipc::Child> child);
  static asio::awaitable<void> deliver(Self self, std::vector<Reading> readings);
  static asio::awaitable<void> stay_down(Self self, BootTime until);
  static asio::awaitable<void> end_host(Self self);
  static asio::awaitable<void> wait_until_stopped(Self self);

  BootTime now() const { return environment_.clock.boot(); }
  bool start_host();
  BootTime after_the_end(bool config);
  std::string reason_of(const ipc::Exit& exit, bool config) const;
  void on_step(ipc::Child& child, Step& step);
  void kill(ipc::Child& child, const std::string& why);
  void set_state(DriverState state);
  void follow_session();
  void fail_with(const std::string& error);
  void relay(const LogLine& line);
  void reject(const std::string& reason, std::uint64_t count);
  std::vector<Reading> all_missing() const;

  const Environment environment_;
  const std::string name_, plugin_, plugin_path_;
  const std::uint32_t max_block_ms_;
  const std::string told_;  // the frame that configures a host: the addresses stand there only
  std::vector<std::uint32_t> indices_;  // of the sensors, in the running configuration
  RestartPolicy policy_;
  LogLimit log_limit_;
  Account account_;
  DriverStatus status_;

  std::shared_ptr<ipc::Child> child_;     // while a process runs
  std::optional<Session> session_;        // of child_
  std::string killed_because_;            // why we killed it, empty if it ended by itself
  std::optional<BootTime> missing_said_;  // since no reading came
  std::uint64_t starts_ = 0;
  bool stopping_ = false;
  Gate stop_asked_;
  Gate finished_;
};

}  // namespace gerbang::source
