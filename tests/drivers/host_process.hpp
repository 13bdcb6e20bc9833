// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <host/v1/driver.pb.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipc/frame.hpp"

namespace gerbang::test {

// One reading out of the columns of a frame.
struct Received {
  std::uint32_t sensor;
  unsigned flag, reason;
  bool is_integer;
  std::int64_t integer;
  double number;  // NaN if there is none
  std::int64_t boot_ns, unix_ns;
};

// Fails the test when the columns do not fit together.
std::vector<Received> unpack(const host::v1::Readings& columns);

// How a process ended.
struct Ended {
  bool signalled;
  int code;
  friend bool operator==(const Ended&, const Ended&) = default;
  friend void PrintTo(const Ended& e, std::ostream* out);
};

// The real gerbang-driver-host at the other end of a socketpair, and all that it said.
class HostProcess {
 public:
  using Duration = std::chrono::milliseconds;

  explicit HostProcess(const std::string& driver);
  ~HostProcess();  // kills what still runs
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  void send(const host::v1::ToDriverHost& frame);
  void send_bytes(const std::string& bytes);
  void stop();
  void close_socket();
  void signal(int number);

  // Reads until done() or the end of the stream. False: time-out. Keeps what came below.
  template <class Done>
  bool until(Done&& done, Duration timeout = std::chrono::seconds(10)) {
    auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!done()) {
      auto left = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0 || !read_some(left)) return done();
    }
    return true;
  }
  // Waits for the end of the process, reading what it still says. nullopt: it still runs.
  std::optional<Ended> ended(Duration timeout = std::chrono::seconds(10));

  pid_t pid() const { return pid_; }
  std::int64_t private_bytes() const;  // of /proc/PID/smaps_rollup
  std::chrono::nanoseconds cpu() const;

  // What came, in order.
  std::optional<host::v1::Hello> hello;
  std::vector<Received> readings;
  std::size_t reading_frames = 0;
  std::vector<host::v1::Trouble> troubles;
  std::vector<host::v1::Heartbeat> heartbeats;
  std::vector<host::v1::Log> logs;
  std::vector<host::v1::Event> events;
  std::vector<host::v1::Trace> traces;
  std::vector<host::v1::Description> descriptions;
  std::vector<host::v1::Done> dones;
  std::size_t readies = 0;
  std::map<std::string, std::uint64_t> refused;
  std::size_t longest_log = 0;

  bool logged(const std::string& part) const;

 private:
  bool read_some(Duration timeout);  // false: end of the stream, or nothing came
  void take(const host::v1::FromDriverHost& frame);

  int socket_ = -1;
  pid_t pid_ = -1;
  std::optional<Ended> ended_;
  ipc::FrameReader frames_;
};

// Sensors 7 and 9, every 100 ms; the numbers of the probe's address are 70 and 90.
host::v1::ToDriverHost configure();
void add_option(host::v1::ToDriverHost& frame, const char* name, std::int64_t milliseconds);
void add_option(host::v1::ToDriverHost& frame, const char* name, const std::string& text);

std::string bad_driver(const std::string& name);
std::string host_program();

}  // namespace gerbang::test
