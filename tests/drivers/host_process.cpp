// SPDX-License-Identifier: Apache-2.0
#include "drivers/host_process.hpp"

#include <fcntl.h>
#include <gerbang/driver.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

extern char** environ;

namespace gerbang::test {

std::vector<Received> unpack(const host::v1::Readings& columns) {
  std::vector<Received> out;
  const int n = columns.sensor_size();
  EXPECT_EQ(columns.boot_ns_size(), n);
  EXPECT_EQ(columns.quality_size(), n);
  EXPECT_TRUE(columns.unix_ns_size() == 0 || columns.unix_ns_size() == n);
  std::int64_t boot = 0;
  int integers = 0, numbers = 0;
  for (int i = 0; i < n; ++i) {
    Received r{};
    r.sensor = columns.sensor(i);
    r.flag = columns.quality(i) & 0xFu;
    r.reason = columns.quality(i) >> 8;
    r.is_integer = (columns.quality(i) & 0x10u) != 0;
    r.boot_ns = boot += columns.boot_ns(i);
    r.unix_ns = columns.unix_ns_size() > 0 ? columns.unix_ns(i) : 0;
    r.number = std::numeric_limits<double>::quiet_NaN();
    if (r.is_integer)
      r.integer = columns.integer(integers++);
    else if (r.flag != GERBANG_MISSING)
      r.number = columns.number(numbers++);
    out.push_back(r);
  }
  EXPECT_EQ(columns.integer_size(), integers);
  EXPECT_EQ(columns.number_size(), numbers);
  return out;
}

void PrintTo(const Ended& e, std::ostream* out) {
  *out << (e.signalled ? "signal " : "exit ") << e.code;
}

std::string host_program() {
  return GERBANG_BINARY_DIR "/bin/gerbang-driver-host";
}

std::string bad_driver(const std::string& name) {
  return GERBANG_BINARY_DIR "/bad_drivers/" + name + ".so";
}

HostProcess::HostProcess(const std::string& driver) {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  socket_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
  std::string program = host_program(), option = "--driver", path = driver;
  std::array<char*, 4> arguments = {program.data(), option.data(), path.data(), nullptr};
  EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
}

HostProcess::~HostProcess() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close_socket();
}

void HostProcess::send(const host::v1::ToDriverHost& frame) {
  std::string bytes;
  ipc::append_frame(bytes, frame.SerializeAsString());
  send_bytes(bytes);
}

void HostProcess::send_bytes(const std::string& bytes) {
  ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
}

void HostProcess::stop() {
  host::v1::ToDriverHost frame;
  frame.mutable_stop();
  std::string bytes;
  ipc::append_frame(bytes, frame.SerializeAsString());
  (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // it may have ended by itself
}

void HostProcess::close_socket() {
  if (socket_ >= 0) close(std::exchange(socket_, -1));
}

void HostProcess::signal(int number) {
  kill(pid_, number);
}

bool HostProcess::read_some(Duration timeout) {
  pollfd wanted{socket_, POLLIN, 0};
  if (socket_ < 0 || poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) return false;
  std::array<char, 65536> bytes;
  ssize_t n = recv(socket_, bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  frames_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
  for (;;) {
    auto payload = frames_.next();
    EXPECT_TRUE(payload) << "the host broke the framing";
    if (!payload || !*payload) return payload.has_value();
    host::v1::FromDriverHost frame;
    EXPECT_TRUE(frame.ParseFromString(std::string(**payload)));
    take(frame);
  }
}

void HostProcess::take(const host::v1::FromDriverHost& frame) {
  if (frame.has_hello()) hello = frame.hello();
  if (frame.has_description()) descriptions.push_back(frame.description());
  if (frame.has_ready()) ++readies;
  if (frame.has_trouble()) troubles.push_back(frame.trouble());
  if (frame.has_event()) events.push_back(frame.event());
  if (frame.has_trace()) traces.push_back(frame.trace());
  if (frame.has_done()) dones.push_back(frame.done());
  if (frame.has_log()) {
    logs.push_back(frame.log());
    longest_log = std::max(longest_log, frame.log().text().size());
  }
  if (frame.has_readings()) {
    ++reading_frames;
    for (const Received& r : unpack(frame.readings())) readings.push_back(r);
  }
  if (frame.has_heartbeat()) {
    heartbeats.push_back(frame.heartbeat());
    for (const auto& entry : frame.heartbeat().refused()) refused[entry.reason()] += entry.count();
  }
}

std::optional<Ended> HostProcess::ended(Duration timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!ended_ && std::chrono::steady_clock::now() < deadline) {
    until([] { return false; }, Duration(20));
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_)
      ended_ =
          WIFSIGNALED(status) ? Ended{true, WTERMSIG(status)} : Ended{false, WEXITSTATUS(status)};
    else if (socket_ < 0)
      std::this_thread::sleep_for(Duration(5));
  }
  if (ended_) until([] { return false; }, Duration(1000));  // what is on the way, to its end
  return ended_;
}

std::int64_t HostProcess::private_bytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
  std::int64_t sum = 0;
  for (std::string word; file >> word;) {
    if (word != "Private_Dirty:" && word != "Private_Clean:") continue;
    std::int64_t kib = 0;
    file >> kib;
    sum += kib * 1024;
  }
  return sum;
}

std::chrono::nanoseconds HostProcess::cpu() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/schedstat");
  std::int64_t ns = 0;
  file >> ns;
  return std::chrono::nanoseconds(ns);
}

bool HostProcess::logged(const std::string& part) const {
  for (const auto& line : logs)
    if (line.text().find(part) != std::string::npos) return true;
  return false;
}

host::v1::ToDriverHost configure() {
  host::v1::ToDriverHost frame;
  host::v1::Configure& configure = *frame.mutable_configure();
  configure.set_instance("line-1");
  for (std::uint32_t index : {7u, 9u}) {
    host::v1::Sensor& sensor = *configure.add_sensors();
    sensor.set_index(index);
    sensor.set_id("sensor-" + std::to_string(index));
    sensor.set_interval_ns(100'000'000);
    host::v1::Value& number = *sensor.add_address();
    number.set_name("number");
    number.set_type(GERBANG_INTEGER);
    number.set_integer(index * 10);
  }
  add_option(frame, "block", 0);
  add_option(frame, "greeting", "hello");
  return frame;
}

namespace {
host::v1::Value& option(host::v1::ToDriverHost& frame, const char* name) {
  auto& options = *frame.mutable_configure()->mutable_options();
  for (host::v1::Value& value : options)
    if (value.name() == name) return value;
  host::v1::Value& value = *options.Add();
  value.set_name(name);
  return value;
}
}  // namespace

void add_option(host::v1::ToDriverHost& frame, const char* name, std::int64_t milliseconds) {
  option(frame, name).set_type(GERBANG_DURATION);
  option(frame, name).set_integer(milliseconds);
}

void add_option(host::v1::ToDriverHost& frame, const char* name, const std::string& text) {
  option(frame, name).set_type(GERBANG_STRING);
  option(frame, name).set_text(text);
}

}  // namespace gerbang::test
