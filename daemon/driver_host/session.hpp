// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "driver_host/config.hpp"
#include "driver_host/desk.hpp"
#include "driver_host/link.hpp"
#include "driver_host/plugin.hpp"
#include "driver_host/rhythm.hpp"

namespace gerbang::driver_host {

// Exit codes, after sysexits.h.
inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitSoftware = 70;
inline constexpr int kExitConfig = 78;

// Answers the daemon until it says Stop or goes away. Everything on the calling thread.
class Session {
 public:
  Session(Plugin plugin, Link& link) : plugin_(std::move(plugin)), link_(link), desk_(link) {}

  // Says Hello and serves. Returns the exit code.
  int run();

 private:
  // Answers Describe and Decode. False: the frame is something else.
  bool answer(const host::v1::ToDriverHost& frame);
  void decode(const host::v1::Decode& frame);
  void scan(const host::v1::Scan& frame);
  void done(int status, const std::string& text);

  const Plugin plugin_;
  Link& link_;
  Desk desk_;

  friend class Line;
};

// One configured driver: opens, polls and closes it, and opens it again when its line was lost.
class Line {
 public:
  Line(Session& session, const host::v1::Configure& frame);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Until Stop; with Configure.once until every sensor has spoken; with Configure.check until it is
  // known whether the driver takes it. The exit code, or nullopt when the line is done and the host
  // waits for what comes next.
  std::optional<int> run();

 private:
  void open();
  void poll();
  void let_rest(Nanoseconds until);
  void stay_closed();  // waits for the next attempt
  void close();
  void settle(int status, const char* function);  // what a status means
  void trouble(int status, const std::string& text);
  void ready();
  void heartbeat(Nanoseconds now);
  void attend(Nanoseconds timeout);  // to the daemon; a pause that ends early on any frame
  bool finish_once();

  Session& session_;
  Link& link_;
  Desk& desk_;
  const gerbang_driver_table& table_;
  const DriverConfig config_;
  const bool once_;
  const bool check_;
  Nanoseconds shortest_interval_;
  Nanoseconds once_deadline_;
  Nanoseconds steady_at_;  // the start is over
  bool starting_ = true;

  gerbang_instance* instance_ = nullptr;
  bool open_ = false;
  bool final_ = false;   // CONFIG: the operator has to act
  std::string trouble_;  // what was last told; empty: all is well
  int trouble_status_ = GERBANG_OK;
  Nanoseconds reopen_at_{};
  Backoff reopen_;
  Backoff retry_;
  IdlePause idle_;
  Absence absence_;
  Beat beat_;
  Flow flow_;
  bool flood_told_ = false;
  std::uint64_t polls_ = 0, overruns_ = 0;
};

}  // namespace gerbang::driver_host
