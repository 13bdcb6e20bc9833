// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <gerbang/driver.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analog/loop.hpp"
#include "codec.hpp"
#include "dispatcher.hpp"
#include "line.hpp"

namespace gerbang::modbus {

struct Sensor {
  std::uint32_t index = 0;  // of the host
  std::string id;
  Want want;
  std::optional<analog::Loop> loop = std::nullopt;  // the register holds the current of a loop
};

struct PollerSettings {
  PlanLimits limits;
  Dispatcher::Settings dispatch;
  std::chrono::milliseconds pause_between{0};  // after an answer, before the next question
  std::chrono::milliseconds pause_after_connect{0};
  std::chrono::milliseconds idle_close{0};  // 0: the line stays open
};

// The reading that a decoded value is, or why there is none.
void emit(driver::Emitter& emitter, std::uint32_t sensor, const Value& value,
          const std::optional<analog::Loop>& loop);

// Keeps one line asked: opens it, asks what the dispatcher picks, emits what is answered or
// missing, and says in the log what changes (never the same thing twice in a row).
class Poller {
 public:
  Poller(driver::Host host, std::unique_ptr<Line> line, std::vector<Sensor> sensors,
         const PollerSettings& settings);

  gerbang_status poll(std::chrono::milliseconds budget);

 private:
  using Time = std::chrono::nanoseconds;

  // Something that may happen often and is told once a minute, with how often it happened.
  struct Rare {
    std::uint64_t count = 0, told = 0;
    Time next{};
  };

  void step(Time now, Time deadline);
  void open_line(Time now, Time until);
  void line_failed(const std::string& why, Time now);
  void ask(std::size_t index);
  void take_answer(const Request& request, Bytes data);
  void take_exception(std::size_t index, const Outcome& outcome, Time asked, Time now);
  void take_failure(std::size_t index, gerbang_reason reason, const std::string& why, Time asked,
                    Time now);
  void emit_missing();
  void tell_rarely(Rare& what, Time now, const std::string& text);

  driver::Host host_;
  std::unique_ptr<Line> line_;
  std::vector<Sensor> sensors_;
  std::vector<Want> wants_;  // as sensors_
  PollerSettings settings_;
  Dispatcher dispatcher_;

  // After a failure the line is opened again after 1 s, 2 s … 30 s. After a loss that followed good
  // answers it is opened at once: the device has closed an idle connection, or restarted.
  bool line_down_ = false;
  Time open_at_{};
  Time back_off_{};
  std::uint64_t answers_ = 0;  // since the line was opened
  Time not_before_{};          // pause before the next question
  Time hand_over_at_{};        // when the host has to be called, at the latest

  // What the log said last, so that it says only what changes.
  std::string line_told_;
  std::map<std::size_t, std::string> request_told_;
  std::map<std::uint8_t, std::string> unit_told_;
  Rare skipped_, strays_;
};

}  // namespace gerbang::modbus
