// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <gerbang/schedule.hpp>
#include <optional>
#include <string>
#include <vector>

#include "decoder.hpp"
#include "serial/dialogue.hpp"
#include "serial/line.hpp"
#include "weighing.hpp"

namespace gerbang::weighbridge {

enum class Channel : std::uint8_t { weight, weighing, gross, tare };
constexpr const char* kChannelNames = "weight|weighing|gross|tare";

struct Sensor {
  std::uint32_t index;
  Channel channel;
  std::chrono::nanoseconds interval;
  std::optional<double> stored_tare;  // kg
};

struct Settings {
  std::optional<Format> format;  // nothing: to be recognised
  Dialect dialect;
  std::chrono::milliseconds timeout{2000};
  int equal_readings = 5;
  WeighingFinder::Settings weighing;
  std::string request;  // bytes that ask for one weight; empty: the indicator sends by itself
  std::chrono::milliseconds request_interval{200};
};

// Listens to one indicator and serves its sensors. One thread, only during calls from the host.
class Platform {
 public:
  Platform(driver::Host host, serial::Settings line, std::vector<Sensor> sensors,
           const Settings& settings);

  gerbang_status poll(std::chrono::milliseconds budget);

 private:
  struct Turn {
    bool waiting = false;  // due and not served yet
    Time given{};          // time of the newest weight that this sensor was given
  };

  void note_opening(Time now);
  bool asks() const { return !settings_.request.empty(); }
  Time next_question(Time now) const { return std::max(ask_at_, dialogue_.next(now)); }
  void ask(Time now);
  void listen(Time until);
  void feed(Bytes bytes, Time now);
  bool use(Time now);
  void recognise(Bytes bytes, Time now);
  void take(const Item& item, Time now);
  bool shows(const Weight& weight, Time now);
  void report(Weighing weighing);
  void serve(Time now);
  bool serve(const Sensor& sensor, Turn& turn, Time now, driver::Emitter& out);
  gerbang_reason trouble() const;
  void tell_refused(Time now);

  driver::Host host_;
  std::vector<Sensor> sensors_;
  Settings settings_;
  serial::Line line_;
  driver::Schedule schedule_;
  std::vector<Turn> turns_;  // as sensors_

  std::optional<Decoder> decoder_;
  serial::Dialogue dialogue_;  // where the indicator is asked
  std::size_t heard_ = 0;      // bytes since it was asked
  Time unused_at_{};           // newest answer that nobody may use
  Recogniser recogniser_;
  Steadiness steadiness_;
  Turns kinds_;  // of the lines, for the channel `weight`
  WeighingFinder finder_;
  std::optional<std::uint32_t> event_sensor_;
  std::optional<double> event_tare_;

  // What the indicator said last that is shown, and whether it was at rest.
  Item newest_;
  bool at_rest_ = false;
  Time newest_at_{};  // 0: nothing since the port was opened
  Time opened_at_{}, bytes_at_{}, ask_at_{}, unknown_since_{};
  gerbang_reason damaged_ = GERBANG_REASON_NONE;  // newest_ is older than this damaged frame
  std::uint64_t openings_ = 0;
  bool silent_ = true, served_ = false, told_no_net_ = false, told_unknown_ = false;

  std::uint64_t refused_ = 0, refused_told_ = 0, unweighed_told_ = 0;
  std::string refused_why_;
  Time tell_at_{};
};

}  // namespace gerbang::weighbridge
