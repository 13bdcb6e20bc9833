// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <algorithm>
#include <utility>

namespace gerbang::serial {
namespace {

using namespace std::chrono_literals;

// What is incomplete after so long will not be completed: a stream has no pauses within a frame,
// and USB adapters deliver every 16 ms.
constexpr auto kQuiet = 250ms;
// A pause that is longer than this is no rhythm.
constexpr auto kRhythm = 10s;

// "2.3 s".
std::string seconds(std::chrono::nanoseconds time) {
  const auto tenths = (time + 50ms) / 100ms;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

Stream::Stream(driver::Host host, Settings settings, std::string device, Times times)
    : host_(host),
      line_(host, std::move(settings), device),
      device_(std::move(device)),
      times_(times),
      turns_(times.timeout),
      warm_up_(times.warm_up) {}

void Stream::add(const driver::Sensor& sensor) {
  sensors_.push_back({sensor.index, sensor.id, sensor.interval});
  turns_.add(sensor.interval, host_.boottime());
}

gerbang_status Stream::poll(std::chrono::milliseconds budget) {
  const Time end = host_.boottime() + budget;
  for (;;) {
    Time now = host_.boottime();
    const Time until = std::min({end, turns_.next(), act_at_, quiet_at_});
    const Bytes bytes = line_.read_some(Clock::now() + std::max(until - now, Time(0)));
    now = host_.boottime();
    if (std::exchange(openings_, line_.openings()) != line_.openings()) reset();
    if (!bytes.empty()) {
      quiet_at_ = now + kQuiet;
      feed(bytes);
    } else if (now >= quiet_at_) {
      quiet_at_ = Time::max();
      silence();
    }
    tell(broken_, now, "frames with a wrong checksum");
    const bool served = serve(now);
    act_at_ = line_.is_open() ? act(now, turns_.waiting()) : Time::max();
    if (served || now >= end || host_.stopping()) return GERBANG_OK;
  }
}

// Answers the turns that can be answered; whether there were any.
bool Stream::serve(Time now) {
  const auto answers = turns_.take(now, line_.is_open());
  if (answers.empty()) return false;
  driver::Emitter fresh(host_, measured_at_), missing(host_, now);
  gerbang_reason failure = GERBANG_REASON_NONE;
  bool answered = false;
  for (const Turns::Answer& a : answers) {
    const Known& sensor = sensors_[a.position];
    if (a.fresh) {
      answer(fresh, sensor.index, a.position);
      answered = true;
      continue;
    }
    failure = reason_of(a.since);
    missing.missing(sensor.index, failure);
    if (failure == GERBANG_REASON_TIMEOUT) missed_ = a.position;
  }
  // Broken frames were counted when they came, and nothing was asked of a port that is gone.
  if (failure == GERBANG_REASON_TIMEOUT || failure == GERBANG_REASON_PROTOCOL)
    host_.exchange(device_.c_str(), failure, std::chrono::microseconds(0));
  // Said only when it costs something: a stream that is heard from its middle begins with noise.
  if (failure == GERBANG_REASON_PROTOCOL)
    tell(noise_, now,
         "another baud rate, another model, or a bad cable? Bytes that are in no frame at " +
             text_of(line_.settings()));
  if (answered) host_.exchange(device_.c_str(), GERBANG_REASON_NONE, took_);
  return true;
}

gerbang_reason Stream::reason_of(Time since) const {
  if (!line_.is_open()) return GERBANG_REASON_NO_CONNECTION;
  if (broken_.last >= since) return GERBANG_REASON_CRC;
  if (noise_.last >= since) return GERBANG_REASON_PROTOCOL;
  return GERBANG_REASON_TIMEOUT;
}

void Stream::measured(std::chrono::microseconds took) {
  const Time now = host_.boottime();
  const Time gap = measured_at_ == Time::min() ? Time(0) : now - measured_at_;
  took_ = took;
  line_.understood();
  if (const auto silent = warm_up_.measured(now, took_.count() == 0))
    say_warm_up(*silent > Time(0) ? "it said nothing for " + seconds(*silent)
                                  : "the board has just started");
  if (missed_ && took_.count() == 0 && !slow_told_ && gap > sensors_[*missed_].interval &&
      gap < kRhythm) {
    slow_told_ = true;
    host_.warning("sensor " + sensors_[*missed_].id + ": the device sends every " + seconds(gap) +
                  ", more rarely than the interval of " + seconds(sensors_[*missed_].interval) +
                  "; choose a longer interval");
  }
  missed_.reset();
  measured_at_ = now;
  turns_.measured(now);
}

void Stream::asked() {
  warm_up_.asked(host_.boottime());
}

void Stream::started() {
  warm_up_.started(host_.boottime());
  if (times_.warm_up > 0ms) say_warm_up("it was told to measure");
}

void Stream::say_warm_up(const std::string& why) {
  host_.info(device_ + ": " + why + "; its values are suspect (WARM_UP) for the first " +
             seconds(times_.warm_up));
}

void Stream::broken(std::size_t frames) {
  broken_.count += frames;
  broken_.last = host_.boottime();
  for (; frames > 0; --frames) host_.exchange(device_.c_str(), GERBANG_REASON_CRC, {});
}

void Stream::noise(std::uint64_t bytes) {
  noise_.count += bytes;
  noise_.last = host_.boottime();
}

void Stream::tell(Rare& what, Time now, const std::string& text) {
  if (what.count == what.told || now < what.next) return;
  host_.warning(device_ + ": " + text + ": " + std::to_string(what.count - what.told));
  what.told = what.count;
  what.next = now + 1min;
}

}  // namespace gerbang::serial
