// SPDX-License-Identifier: Apache-2.0
#include "source/session.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gerbang::source {
namespace {

// The clocks of two processes are one; this is for the time between stamping and looking.
constexpr std::chrono::seconds kFuture{1};

auto broken(const std::string& what) {
  return fail(std::errc::protocol_error, "the driver host sent " + what);
}

}  // namespace

Session::Session(const Limits& limits, std::size_t sensors, std::chrono::milliseconds max_block,
                 BootTime now)
    : limits_(limits),
      sensors_(sensors),
      allowance_(limits.heartbeat + max_block),
      deadline_(now + limits.hello),
      looked_(now) {}

Result<Step> Session::on_frame(HostFrame frame, BootTime now) {
  look(now);
  if (auto* hello = std::get_if<Hello>(&frame)) return on_hello(std::move(*hello), now);
  if (!greeted_) return broken("something before its hello");
  Step step;
  if (auto* readings = std::get_if<Readings>(&frame))
    return on_readings(std::move(readings->all), now);
  if (auto* beat = std::get_if<Heartbeat>(&frame)) {
    alive(now);
    step.heartbeat = std::move(*beat);
  } else if (std::get_if<Ready>(&frame) != nullptr) {
    alive(now);
    state_ = DriverState::running;
    trouble_.clear();
    step.ready = true;
  } else if (auto* trouble = std::get_if<Trouble>(&frame)) {
    alive(now);
    state_ = trouble->status == Status::config ? DriverState::config_error : DriverState::trouble;
    trouble_ = std::move(trouble->text);
  } else if (auto* event = std::get_if<Event>(&frame)) {
    if (event->sensor < sensors_)
      step.event = std::move(*event);
    else
      step.unknown_sensor = 1;
  } else if (auto* line = std::get_if<LogLine>(&frame)) {
    step.log = std::move(*line);
  } else {
    return broken("what it was not asked for");
  }
  return step;
}

Result<Step> Session::on_hello(Hello hello, BootTime now) {
  if (greeted_) return broken("a second hello");
  greeted_ = true;
  alive(now);
  version_ = std::move(hello.version);
  Step step;
  if (hello.load_error.empty()) {
    step.configure = true;
  } else {
    state_ = DriverState::config_error;
    trouble_ = std::move(hello.load_error);
  }
  return step;
}

Step Session::on_readings(std::vector<Reading> readings, BootTime now) const {
  Step step;
  const std::int64_t latest = nanoseconds(now + kFuture);
  auto refused = [&](const Reading& reading) {
    if (reading.sensor >= sensors_) return ++step.unknown_sensor > 0;
    if (reading.boot_ns <= 0 || reading.boot_ns > latest) return ++step.bad_time > 0;
    return false;
  };
  readings.erase(std::remove_if(readings.begin(), readings.end(), refused), readings.end());
  step.readings = std::move(readings);
  return step;
}

void Session::look(BootTime now) {
  auto unseen = now - looked_;
  looked_ = now;
  if (!paused_ && unseen > 2 * limits_.tick) deadline_ += unseen;
}

Result<void> Session::tick(BootTime now) {
  look(now);
  if (paused_ || now < deadline_) return {};
  if (!greeted_)
    return fail(std::errc::timed_out,
                "no hello within " +
                    format_duration(std::chrono::ceil<std::chrono::milliseconds>(limits_.hello)));
  return fail(std::errc::timed_out,
              "no heartbeat for " +
                  format_duration(std::chrono::ceil<std::chrono::milliseconds>(allowance_)));
}

BootTime Session::next_look(BootTime now) const {
  return paused_ ? now + limits_.tick : std::min(deadline_, now + limits_.tick);
}

void Session::pause(BootTime now) {
  look(now);
  paused_ = true;
  paused_at_ = now;
}

void Session::resume(BootTime now) {
  deadline_ += now - paused_at_;
  looked_ = now;
  paused_ = false;
}

}  // namespace gerbang::source
