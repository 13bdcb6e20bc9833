// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "driver_host/intake.hpp"
#include "driver_host/link.hpp"
#include "driver_host/rhythm.hpp"
#include "driver_host/tally.hpp"

namespace gerbang::driver_host {

Nanoseconds boottime();

// The number in an enum that a driver made: it may be none of its values, and then must not be
// looked at as one.
template <class Enum>
int plain(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(int));
  int number;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

// What stands behind gerbang_host: every function that a driver may call ends here and becomes
// frames. Readings wait for the end of the call, or for 1,024 of them, or for 20 ms, so that a poll
// of many small answers is one frame.
//
// Calls that come outside a call of the host, or from another thread, touch nothing but a counter.
class Desk {
 public:
  explicit Desk(Link& link);
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  const gerbang_host* host() const { return &host_; }

  // A new instance, decoding or scan: which sensors are known, whether raw bytes are asked for, and
  // how many log lines pass before their rate is limited (what is decoded is named line by line).
  void start(Intake intake, bool trace, std::uint32_t free_lines = 0);
  Intake& intake() { return intake_; }

  // Runs one call of the driver; what it returned (0 for close).
  template <class Call>
  int during(Call&& call) {
    begin();
    int status = 0;
    if constexpr (std::is_void_v<decltype(call())>)
      call();
    else
      status = plain(call());
    end();
    return status;
  }
  // Of the last call: the newest warning or error that the driver logged in it, and whether it
  // emitted anything.
  const std::string& complaint() const { return complaint_; }
  bool emitted() const { return emitted_; }

  // What a scan reports to: the functions of driver.h whose context is a Desk. Candidates beyond
  // kMaxFound and progress that comes faster than ten a second are not passed on; the first is
  // said.
  static constexpr std::uint32_t kMaxFound = 1000;
  static void found(void* desk, const char* toml, const char* note);
  static void progress(void* desk, double done, const char* what);

  // A reading of the host's own: the sensor is missing.
  void missing(std::uint32_t sensor, gerbang_reason reason);
  // A line of the host's own, not limited in number.
  void say(int level, const std::string& text);
  void flush();
  // Exchanges and refusals since the last time.
  void report(host::v1::Heartbeat& out);

 private:
  static Desk& of(const gerbang_host* host) { return *static_cast<Desk*>(host->context); }
  static void emit(const gerbang_host*, const gerbang_reading*, size_t);
  static void emit_event(const gerbang_host*, const gerbang_event*);
  static void trace(const gerbang_host*, const char*, int, const void*, size_t);
  static void log(const gerbang_host*, gerbang_log_level, const char*);
  static void exchange(const gerbang_host*, const char*, gerbang_reason, uint32_t);
  static int64_t boottime_ns(const gerbang_host*);
  static int stopping(const gerbang_host*);

  void begin();
  void end();
  bool inside();
  void flush_if_old();
  void send_notices();

  Link& link_;
  const pthread_t thread_ = pthread_self();
  gerbang_host host_;
  std::atomic<bool> in_call_ = false;
  std::atomic<std::uint64_t> outside_ = 0;
  Intake intake_;
  Tally tally_;
  LogLimit lines_;
  std::uint32_t free_lines_ = 0;
  std::uint32_t found_ = 0;
  Nanoseconds progress_at_{};       // not before
  host::v1::FromDriverHost frame_;  // Readings; kept for its capacity
  Nanoseconds oldest_{};            // when the first of the waiting readings came
  std::string complaint_;
  bool emitted_ = false;
  bool trace_ = false;
};

}  // namespace gerbang::driver_host
