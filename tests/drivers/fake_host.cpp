// SPDX-License-Identifier: Apache-2.0
//
// A driver host that behaves as its driver's path says: "/dev/null/hang", …
#include <host/v1/driver.pb.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "ipc/frame.hpp"

namespace {

namespace pb = gerbang::host::v1;

constexpr int kSocket = 3;
gerbang::ipc::FrameReader frames;

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(kSocket, bytes.data(), bytes.size());
    if (n <= 0) ::_exit(3);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void send(const pb::FromDriverHost& frame) {
  std::string out;
  gerbang::ipc::append_frame(out, frame.SerializeAsString());
  write_all(out);
}

void raw(std::string_view payload) {
  std::string out;
  gerbang::ipc::append_frame(out, payload);
  write_all(out);
}

// The next frame within this time; ends the process with the stream.
bool receive(pb::ToDriverHost& frame, int timeout_ms) {
  for (;;) {
    auto next = frames.next();
    if (next && *next)
      return frame.ParseFromArray((*next)->data(), static_cast<int>((*next)->size()));
    pollfd in{kSocket, POLLIN, 0};
    if (::poll(&in, 1, timeout_ms) == 0) return false;
    char buffer[4096];
    ssize_t n = ::read(kSocket, buffer, sizeof buffer);
    if (n <= 0) ::_exit(0);
    frames.feed(std::string_view(buffer, static_cast<std::size_t>(n)));
  }
}

std::int64_t boot_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

pb::FromDriverHost readings(int sensors, std::int64_t value) {
  pb::FromDriverHost frame;
  pb::Readings& out = *frame.mutable_readings();
  for (int i = 0; i < sensors; ++i) {
    out.add_sensor(static_cast<std::uint32_t>(i));
    out.add_boot_ns(i == 0 ? boot_ns() : 0);
    out.add_quality(2 | 0x10);
    out.add_integer(value);
  }
  return frame;
}

void heartbeat(std::uint64_t polls) {
  pb::FromDriverHost frame;
  pb::Heartbeat& beat = *frame.mutable_heartbeat();
  beat.set_polls(polls);
  pb::Exchanges& exchanges = *beat.add_exchanges();
  exchanges.set_device("unit 1");
  exchanges.set_requests(1);
  exchanges.add_result(0);
  exchanges.add_count(1);
  exchanges.set_microseconds(250);
  exchanges.set_slowest_us(250);
  send(frame);
}

void log(const std::string& text) {
  pb::FromDriverHost frame;
  frame.mutable_log()->set_level(2);
  frame.mutable_log()->set_text(text);
  send(frame);
}

void crash() {
  ::signal(SIGSEGV, SIG_DFL);  // not the sanitizer's
  ::raise(SIGSEGV);
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--driver") return 64;
  std::string mode = argv[2];
  mode.erase(0, mode.rfind('/') + 1);
  if (mode.ends_with(".so")) mode.resize(mode.size() - 3);
  ::alarm(60);  // whatever a test forgets

  if (mode == "never-hello") hang();
  if (mode == "crash-on-load") crash();
  if (mode == "early") {
    heartbeat(1);
    hang();
  }
  pb::FromDriverHost hello;
  hello.mutable_hello()->set_abi_major(1);
  hello.mutable_hello()->set_name(mode);
  hello.mutable_hello()->set_version("9.8");
  if (mode == "load-error") hello.mutable_hello()->set_load_error("fake.so: no such symbol");
  send(hello);
  if (mode == "load-error") return 78;
  if (mode == "exit-78") return 78;
  if (mode == "ignore-stop") ::signal(SIGTERM, SIG_IGN);

  pb::ToDriverHost asked;
  while (!receive(asked, 10'000)) {
  }
  if (asked.has_describe()) {
    if (mode == "silent") hang();
    pb::FromDriverHost description;
    description.mutable_description()->set_summary("a fake");
    send(description);
  }
  const int sensors = asked.configure().sensors_size();
  pb::FromDriverHost ready;
  ready.mutable_ready();
  if (mode == "config") {
    pb::FromDriverHost trouble;
    trouble.mutable_trouble()->set_status(3);
    trouble.mutable_trouble()->set_text("unit 300 is not possible");
    send(trouble);
    return 78;
  }
  if (!asked.has_describe()) send(ready);

  if (mode == "hang") hang();
  if (mode == "crash") crash();
  if (mode == "exit-0") return 0;
  if (mode == "garbage") {
    write_all("\xff\xff\xff\xffgarbage");
    hang();
  }
  if (mode == "unparsable") {
    raw("\xff\xff\xff\xff");
    hang();
  }
  if (mode == "unknown-frame") {
    raw(std::string_view("\xf8\x07\x01", 3));
    hang();
  }
  if (mode == "bad-index") {
    pb::FromDriverHost bad = readings(sensors, 1);
    bad.mutable_readings()->set_sensor(0, 99);
    send(bad);
  }
  if (mode == "event") {
    pb::FromDriverHost event;
    event.mutable_event()->set_sensor(1);
    event.mutable_event()->set_kind("weighing");
    send(event);
  }
  if (mode == "trouble") {
    pb::FromDriverHost trouble;
    trouble.mutable_trouble()->set_status(2);
    trouble.mutable_trouble()->set_text("connection refused\n\x1b[31m");
    send(trouble);
  }
  if (mode == "log-flood")
    for (int i = 0; i < 5000; ++i) log("line " + std::to_string(i));

  for (std::int64_t n = 1;; ++n) {
    send(readings(sensors, n));
    if (mode == "flood" && n % 1000 != 0) continue;
    heartbeat(static_cast<std::uint64_t>(n));
    pb::ToDriverHost frame;
    if (receive(frame, mode == "flood" ? 0 : 20) && frame.has_stop() && mode != "ignore-stop") {
      send(readings(sensors, -1));  // its last words
      return 0;
    }
  }
}
