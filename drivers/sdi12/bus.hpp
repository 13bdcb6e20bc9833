// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"

namespace gerbang::sdi12 {

// Decides what goes over an SDI-12 line next and what the answers mean. Pure: bytes and time
// (nanoseconds of CLOCK_BOOTTIME) are arguments.
//
// A measurement is one command of one device. While an M or V is under way the line is its own,
// because a break would end it; a C leaves the line free until its time is over. A device is never
// given a second command while one of its measurements is under way.
//
// An answer counts only with the address that was asked, of the form that was asked for, and with
// its CRC where one was asked for. After a failure the same command is sent again, `retries` times;
// after that the device is left alone until what may still come has come (four time-outs, or seven
// seconds if one was not answered at all), so that no late answer is taken for the one to the next
// command. A device that failed altogether is then asked once a turn until it answers.
class Bus {
 public:
  using Time = std::chrono::nanoseconds;

  struct Settings {
    int retries = 3;
    // Until the first character of an answer, and between two of them.
    Time timeout = std::chrono::milliseconds(500);
    // The adapter passes an answer on only when it is whole.
    bool whole_answers = false;
  };
  // How a measurement ended: reason NONE with values, or the reason why there are none.
  struct Outcome {
    std::size_t measurement;
    gerbang_reason reason;
    std::vector<double> values;
    std::string why;
  };
  // How one command ended.
  struct Exchange {
    char address;
    gerbang_reason result;
    Time took;
  };

  explicit Bus(const Settings& settings) : settings_(settings) {}

  // The number of the measurement; the same for the same address and command.
  std::size_t add(char address, const Command& command);
  char address(std::size_t m) const { return measurements_[m].address; }
  const Command& command(std::size_t m) const { return measurements_[m].command; }

  // A turn: it is to be measured. Nothing happens when it is under way.
  void want(std::size_t m, Time now);
  bool under_way(std::size_t m) const { return measurements_[m].phase != Phase::idle; }

  // The command to send now, after a break. Say sent() when its last byte is with the port.
  std::optional<std::string> next_command(Time now);
  void sent(Time now);
  void take(std::span<const std::uint8_t> bytes, Time now);
  // Time-outs and measurements that are ready.
  void advance(Time now);
  // Nothing happens before this unless bytes come.
  Time wake(Time now) const;
  // The port is gone: whatever is under way ended.
  void line_lost();

  std::vector<Outcome> take_outcomes() { return std::exchange(outcomes_, {}); }
  std::vector<Exchange> take_exchanges() { return std::exchange(exchanges_, {}); }
  // Answers with another address than the one that was asked, since the beginning.
  std::uint64_t foreign() const { return foreign_; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    queued,     // to be started
    started,    // holds the line: its command is sent, or to be sent again
    waiting,    // M, V: holds the line until its service request or its time
    measuring,  // C: does not hold the line
    ready,      // C: its values are to be fetched
    fetching,   // holds the line
  };
  struct Measurement {
    char address;
    Command command;
    Phase phase = Phase::idle;
    Time since{};  // queued: since when; waiting, measuring: until when
    int promised = 0, next_data = 0;
    std::vector<double> values;
  };

  Measurement& active() { return measurements_[*active_]; }
  const Measurement& active() const { return measurements_[*active_]; }
  void choose(Time now);
  bool device_is_busy(const Measurement& m) const;
  void line(std::string_view text, Time now);
  void promise(std::string_view text, Time now);
  void data(std::string_view text, Time now);
  void begin_fetching();
  void answered(Time now);
  void failed(gerbang_reason reason, const std::string& why, Time now);
  void finish(gerbang_reason reason, std::string why);
  // Until when after a question answers to it and to those before may still come.
  Time latest() const;
  // The command of this measurement is not sent before.
  Time rests_until(const Measurement& m) const {
    return std::max(not_before_, devices_[slot(m.address)].quiet_until);
  }
  static std::size_t slot(char address) { return static_cast<unsigned char>(address) & 0x7Fu; }

  Settings settings_;
  std::vector<Measurement> measurements_;
  std::optional<std::size_t> active_;  // that holds the line
  bool awaiting_ = false;              // an answer to the command that was sent
  int attempt_ = 0;
  bool unheard_ = false;                  // an attempt had no answer at all
  Time asked_{}, deadline_{}, latest_{};  // of the answer
  Time not_before_{};                     // the line rests
  Lines lines_;
  // What was heard instead of the answer.
  gerbang_reason heard_ = GERBANG_REASON_NONE;
  std::string heard_why_;
  struct Device {
    bool silent = false;  // it failed altogether and has not answered since
    Time quiet_until{};   // answers to earlier attempts may still come
  };
  std::array<Device, 128> devices_{};  // by address
  std::uint64_t foreign_ = 0;
  std::vector<Outcome> outcomes_;
  std::vector<Exchange> exchanges_;
};

}  // namespace gerbang::sdi12
