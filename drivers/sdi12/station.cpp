// SPDX-License-Identifier: Apache-2.0
#include "station.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace gerbang::sdi12 {
namespace {

using namespace std::chrono_literals;
using serial::Clock;

// At least 12 ms of break and 8.33 ms of marking; a little more, because a UART ends its character
// first.
constexpr auto kBreak = 20ms;
constexpr auto kMarking = 10ms;
constexpr Bus::Time kTellEvery = 1min;

std::string device_name(char address) {
  return std::string("address-") + address;
}

}  // namespace

Talker::Talker(driver::Host host, serial::Settings settings, bool send_break)
    : host_(host), line_(host, std::move(settings), "line"), send_break_(send_break) {}

bool Talker::send(const std::string& command) {
  if (!line_.open()) return false;
  if (send_break_) {
    if (!line_.set_break(true) && !std::exchange(told_, true))
      host_.warning(
          "this port cannot send a break, so devices may sleep on; use an SDI-12 adapter "
          "with break = \"adapter\", or a UART");
    std::this_thread::sleep_for(kBreak);
    line_.set_break(false);
    std::this_thread::sleep_for(kMarking);
  }
  line_.read_some(Clock::now());  // late
  const serial::Bytes bytes(reinterpret_cast<const std::uint8_t*>(command.data()), command.size());
  return line_.is_open() && line_.write(bytes, Clock::now() + 500ms);
}

Station::Station(driver::Host host, serial::Settings line, bool send_break,
                 const Bus::Settings& bus, std::vector<Sensor> sensors)
    : host_(host),
      talker_(host, std::move(line), send_break),
      bus_(bus),
      sensors_(std::move(sensors)) {
  const Time now = host_.boottime();
  for (const Sensor& sensor : sensors_) {
    turns_.push_back({bus_.add(sensor.address, sensor.command)});
    schedule_.add(sensor.interval, now);
  }
}

gerbang_status Station::poll(std::chrono::milliseconds budget) {
  const Time deadline = host_.boottime() + budget;
  Time now;
  do {
    talker_.line().open();
    now = host_.boottime();
    fall_due(now);
    talk(std::min(deadline, schedule_.next()));
    now = host_.boottime();
    tell(now);
    if (report(now)) break;  // readings travel when poll returns
  } while (now < deadline && !host_.stopping());
  return GERBANG_OK;
}

void Station::fall_due(Time now) {
  for (const std::size_t due : schedule_.take(now)) {
    Turn& turn = turns_[due];
    if (std::exchange(turn.waiting, true))
      ++skipped_;
    else
      bus_.want(turn.measurement, now);
  }
}

// One thing: a command, or a wait for an answer or for the next turn.
void Station::talk(Time until) {
  serial::Line& line = talker_.line();
  Time now = host_.boottime();
  if (line.openings() != std::exchange(openings_, line.openings())) {
    // What was under way on the other port is lost; what falls due now goes over this one.
    if (openings_ > 1) bus_.line_lost();
    for (const Turn& turn : turns_)
      if (turn.waiting) bus_.want(turn.measurement, now);
  }
  if (line.is_open()) {
    if (const auto command = bus_.next_command(now)) {
      const bool with_the_port = talker_.send(*command);
      now = host_.boottime();
      if (with_the_port || line.is_open()) bus_.sent(now);
    }
  }
  until = std::min(until, std::max(bus_.wake(now), now));
  const auto bytes = line.read_some(Clock::now() + std::max(until - now, Time(0)));
  now = host_.boottime();
  if (line.is_open()) {
    bus_.take(bytes, now);
    bus_.advance(now);
  } else {
    bus_.line_lost();
  }
}

bool Station::report(Time now) {
  for (const Bus::Exchange& exchange : bus_.take_exchanges()) {
    if (exchange.result == GERBANG_REASON_NONE) talker_.line().understood();
    host_.exchange(device_name(exchange.address).c_str(), exchange.result,
                   std::chrono::duration_cast<std::chrono::microseconds>(exchange.took));
  }
  const auto outcomes = bus_.take_outcomes();
  driver::Emitter out(host_, now);
  for (const Bus::Outcome& outcome : outcomes) report(outcome, out);
  return !outcomes.empty();
}

void Station::report(const Bus::Outcome& outcome, driver::Emitter& out) {
  const std::size_t m = outcome.measurement;
  const std::string name =
      std::string("address ") + bus_.address(m) + ", command " + name_of(bus_.command(m)) + ": ";
  std::string trouble = outcome.why;
  for (std::size_t i = 0; i < sensors_.size(); ++i) {
    Turn& turn = turns_[i];
    if (turn.measurement != m || !std::exchange(turn.waiting, false)) continue;
    const std::size_t parameter = sensors_[i].parameter;
    if (outcome.reason != GERBANG_REASON_NONE) {
      out.missing(sensors_[i].index, outcome.reason);
    } else if (parameter > outcome.values.size()) {
      out.missing(sensors_[i].index, GERBANG_REASON_CONVERSION);
      trouble = "sensor " + sensors_[i].id + " wants parameter " + std::to_string(parameter) +
                ", but the device gives " + std::to_string(outcome.values.size()) + " values";
    } else {
      out.number(sensors_[i].index, outcome.values[parameter - 1]);
    }
  }
  if (outcome.reason == GERBANG_REASON_NO_CONNECTION) return;  // the line says it
  const std::string before = std::exchange(told_[m], trouble);
  if (!trouble.empty() && trouble != before) host_.warning(name + trouble);
  if (trouble.empty() && !before.empty()) host_.info(name + "answered again");
}

void Station::tell(Time now) {
  if (now < tell_at_) return;
  const auto foreign = bus_.foreign() - std::exchange(foreign_told_, bus_.foreign());
  const auto skipped = skipped_ - std::exchange(skipped_told_, skipped_);
  if (foreign > 0)
    host_.warning(std::to_string(foreign) +
                  " answers had another address than the one that was asked and were thrown away");
  if (skipped > 0)
    host_.warning(std::to_string(skipped) +
                  " turns skipped: the line is too slow for these intervals");
  if (foreign > 0 || skipped > 0) tell_at_ = now + kTellEvery;
}

}  // namespace gerbang::sdi12
