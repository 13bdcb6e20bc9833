// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <gerbang/driver.hpp>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "descriptor.hpp"
#include "options.hpp"

namespace gerbang::serial {

// When a port that cannot be opened is tried again: 1 s, 2 s … 30 s. One that had worked is tried
// at once. Pure.
class BackOff {
 public:
  void failed(Clock::time_point now) {
    pause_ = std::clamp<Clock::duration>(pause_ * 2, kFirst, kLongest);
    until_ = now + pause_;
  }
  void worked() {
    pause_ = {};
    until_ = {};
  }
  Clock::time_point until() const { return until_; }

 private:
  static constexpr Clock::duration kFirst = std::chrono::seconds(1);
  static constexpr Clock::duration kLongest = std::chrono::seconds(30);
  Clock::duration pause_{};
  Clock::time_point until_{};
};

// A serial port that opens itself, and opens itself again when the adapter was unplugged: it is
// asked for bytes for ever. One program at a time may hold it. Says in the log when the port goes
// and when it is back, and shows all bytes to `gerbangctl read`. One thread; only during calls
// from the host.
class Line {
 public:
  // `name`: of the device, for traces.
  Line(driver::Host host, Settings settings, std::string name);
  ~Line() { close(); }

  // Waits for bytes until the deadline and returns those that are there, at most 4096; they are
  // valid until the next call. Empty: none came, or there is no port; is_open() tells. Opens the
  // port when it is closed and the back-off is over.
  Bytes read_some(Clock::time_point deadline);

  // Opens the port if it is closed and the back-off is over; whether it is open.
  bool open();

  // All bytes are handed to the port before the deadline, or the answer is false. Opens the port
  // like read_some.
  bool write(Bytes bytes, Clock::time_point deadline);

  // Waits until what was written is on the wire (as far as the adapter tells); false: not before
  // the deadline.
  bool wait_sent(Clock::time_point deadline);

  // Forgets what was received and not yet read.
  void flush_input();

  // A break on the line: begins, or ends. A pseudo-terminal ignores it.
  bool set_break(bool on);

  // A frame was understood: this is the right port, and losing it is worth another try at once.
  void understood() { understood_ = true; }

  // Another speed or format; takes effect at once.
  void change(const Settings& settings);

  void close();
  bool is_open() const { return static_cast<bool>(port_); }
  // How often the port was opened: when it changes, an incomplete frame is void.
  std::uint64_t openings() const { return openings_; }
  // Why the port is not open.
  const std::string& why() const { return why_; }
  const Settings& settings() const { return settings_; }

 private:
  bool failed(const std::string& why);
  void lost(const std::string& why);

  driver::Host host_;
  Settings settings_;
  std::string name_;
  Descriptor port_;
  BackOff back_off_;
  std::uint64_t openings_ = 0;
  bool understood_ = false;  // since the port was opened
  std::string why_, told_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace gerbang::serial
