// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <gerbang/driver.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "line.hpp"
#include "turns.hpp"
#include "warm_up.hpp"

namespace gerbang::serial {

// A driver of one device on a serial port that sends frames by itself, or is asked for one when a
// turn waits. It keeps the port open, cuts no corners with old frames, and gives each turn that
// gets no value the most telling reason: NO_CONNECTION, CRC, PROTOCOL (bytes that are no frames),
// TIMEOUT. What the bytes mean is the derived class' part.
class Stream {
 public:
  using Time = std::chrono::nanoseconds;  // of CLOCK_BOOTTIME

  struct Times {
    std::chrono::milliseconds timeout{3000};  // how long a turn waits for a frame
    std::chrono::milliseconds warm_up{0};  // after the device was silent or the board was started
  };

  Stream(driver::Host host, Settings settings, std::string device, Times times);
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  gerbang_status poll(std::chrono::milliseconds budget);

 protected:
  void add(const driver::Sensor& sensor);

  // ---- what the derived class does ----
  // Bytes of the stream, and no more of them for a while. Calls measured, broken and noise.
  virtual void feed(Bytes bytes) = 0;
  virtual void silence() = 0;
  // The port was opened: what is incomplete is void.
  virtual void reset() = 0;
  // Emits the newest measurement for a sensor; `position` is its place in the order of add.
  virtual void answer(driver::Emitter& out, std::uint32_t sensor, std::size_t position) = 0;
  // May ask the device; called when it comes to pass that a turn waits, after bytes, and when it
  // wanted to be called again.
  virtual Time act(Time /*now*/, bool /*waiting*/) { return Time::max(); }

  // ---- what it says ----
  // The device measured, or said why it cannot. `took`: since it was asked; 0: it was not.
  void measured(std::chrono::microseconds took = {});
  // It was asked to measure.
  void asked();
  // Frames with a wrong checksum, and bytes that are in no frame.
  void broken(std::size_t frames);
  void noise(std::uint64_t bytes);
  // It begins to measure, because it was told to.
  void started();
  // Whether the newest measurement is of the warm-up.
  bool warming_up() const { return warm_up_.warming(measured_at_); }

  driver::Host host() const { return host_; }
  Line& line() { return line_; }

 private:
  // Something that may happen often and is told once a minute, with how often it happened.
  struct Rare {
    std::uint64_t count = 0, told = 0;
    Time last = Time::min(), next{};
  };

  struct Known {
    std::uint32_t index;
    std::string id;
    Time interval;
  };

  bool serve(Time now);
  gerbang_reason reason_of(Time since) const;
  void say_warm_up(const std::string& why);
  void tell(Rare& what, Time now, const std::string& text);

  driver::Host host_;
  Line line_;
  std::string device_;
  Times times_;
  Turns turns_;
  WarmUp warm_up_;
  std::vector<Known> sensors_;
  std::uint64_t openings_ = 0;
  Time act_at_{}, quiet_at_ = Time::max();
  Time measured_at_ = Time::min();
  std::chrono::microseconds took_{};
  Rare broken_, noise_;
  std::optional<std::size_t> missed_;  // since the last measurement, for want of one
  bool slow_told_ = false;
};

}  // namespace gerbang::serial
