// SPDX-License-Identifier: Apache-2.0
#include "poller.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "address.hpp"

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstBackOff = std::chrono::nanoseconds(1s);
constexpr auto kLongestBackOff = std::chrono::nanoseconds(30s);

std::vector<Want> wants_of(const std::vector<Sensor>& sensors) {
  std::vector<Want> wants;
  for (const Sensor& sensor : sensors) wants.push_back(sensor.want);
  return wants;
}

std::string device_name(std::uint8_t unit) {
  return "unit-" + std::to_string(unit);
}

// The codes with which a unit, or a gateway for it, says "not now": worth asking again.
bool passes(std::uint8_t exception) {
  return exception == 5 || exception == 6 || exception == 10 || exception == 11;
}
// What an exchange says of the unit. A gateway's word that nobody answered there is silence.
gerbang_reason said_of_unit(const Outcome& outcome, bool probe) {
  const bool refused = outcome.kind == Outcome::Kind::exception;
  if (refused && (outcome.exception == 10 || outcome.exception == 11))
    return GERBANG_REASON_TIMEOUT;
  const bool answered = outcome.kind != Outcome::Kind::failure;
  return probe && answered ? GERBANG_REASON_NONE : outcome.reason;
}
// The codes that one address or the number of registers may have caused.
bool about_address(std::uint8_t exception) {
  return exception == 2 || exception == 3;
}

std::string text_of(const Request& request) {
  return "unit " + std::to_string(request.unit) + " " + std::string(name_of(request.table)) + " " +
         std::to_string(request.first) + " to " + std::to_string(request.first + request.count - 1);
}

constexpr auto kHostWaits = 25ms;  // for more readings before it sends them; it needs to be called

void sleep_until(std::chrono::nanoseconds now, std::chrono::nanoseconds then) {
  if (then > now) std::this_thread::sleep_for(then - now);
}

}  // namespace

void emit(driver::Emitter& emitter, std::uint32_t sensor, const Value& value,
          const std::optional<analog::Loop>& loop) {
  switch (value.kind) {
    case Value::Kind::integer:
      if (!loop) return emitter.integer(sensor, value.integer);
      return analog::emit(emitter, sensor,
                          analog::measure(*loop, static_cast<double>(value.integer)));
    case Value::Kind::number:
      if (!loop) return emitter.number(sensor, value.number);
      return analog::emit(emitter, sensor, analog::measure(*loop, value.number));
    case Value::Kind::not_a_number:
      return emitter.missing(sensor, GERBANG_REASON_NOT_A_NUMBER);
    case Value::Kind::not_decimal:
      return emitter.missing(sensor, GERBANG_REASON_CONVERSION);
  }
}

Poller::Poller(driver::Host host, std::unique_ptr<Line> line, std::vector<Sensor> sensors,
               const PollerSettings& settings)
    : host_(host),
      line_(std::move(line)),
      sensors_(std::move(sensors)),
      wants_(wants_of(sensors_)),
      settings_(settings),
      dispatcher_(plan(wants_, settings.limits), settings.dispatch, host.boottime()) {
  line_->set_tracer([host](std::uint8_t unit, bool sent, Bytes bytes) {
    host.trace(device_name(unit).c_str(), sent, std::as_bytes(bytes));
  });
}

gerbang_status Poller::poll(std::chrono::milliseconds budget) {
  const Time deadline = host_.boottime() + budget;
  Time now;
  do {
    now = host_.boottime();
    step(now, deadline);
    now = host_.boottime();
  } while (now < deadline && !host_.stopping());
  return GERBANG_OK;
}

// One thing: a question, a try to open the line, or a wait for either.
void Poller::step(Time now, Time deadline) {
  dispatcher_.advance(now);
  if (line_down_) dispatcher_.line_lost(GERBANG_REASON_NO_CONNECTION);
  emit_missing();
  skipped_.count = dispatcher_.skipped();
  tell_rarely(skipped_, now, "turns skipped: the line is too slow for these intervals");

  Time until = std::min(deadline, dispatcher_.wake(now));
  const auto next = dispatcher_.pick(now);
  if (!line_->is_open()) {
    if (line_down_ ? now >= open_at_ : next.has_value()) {
      open_line(now, std::min(deadline, dispatcher_.next_turn()));
      return;
    }
    if (line_down_) until = std::min(until, open_at_);
  } else if (next && now >= not_before_) {
    ask(*next);
    return;
  } else if (next) {
    until = std::min(deadline, not_before_);
  } else if (settings_.idle_close > 0ms && dispatcher_.wake(now) - now > settings_.idle_close) {
    line_->close();
  }
  // The host sends what it was given when it is called again: soon, not at the next turn.
  if (now < hand_over_at_) until = std::min(until, hand_over_at_);
  sleep_until(now, until);
}

void Poller::open_line(Time now, Time until) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, Time(1ms)));
  const Line::Opening opening = line_->open(wait);
  now = host_.boottime();
  if (opening == Line::Opening::failed) line_failed(line_->why(), now);
  if (opening != Line::Opening::done) return;
  answers_ = 0;
  not_before_ = now + settings_.pause_after_connect;
  if (std::exchange(line_down_, false)) dispatcher_.line_back();
}

void Poller::line_failed(const std::string& why, Time now) {
  back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLongestBackOff);
  open_at_ = now + back_off_;
  line_down_ = true;
  if (std::exchange(line_told_, why) != why)
    host_.warning("no connection: " + why + "; trying again for ever");
}

void Poller::ask(std::size_t index) {
  const Request& request = dispatcher_.request(index);
  const Time begin = host_.boottime();
  const bool probe = dispatcher_.is_probe(index);
  Question question{request.unit, request.table, request.first, request.count};
  if (probe)
    question.patience =
        std::chrono::duration_cast<std::chrono::milliseconds>(dispatcher_.patience(index, begin));
  question.alone = !probe && dispatcher_.doubted(index, begin);
  const Outcome outcome = line_->ask(question);
  const Time now = host_.boottime();
  dispatcher_.overheard(outcome.late, now);
  not_before_ = now + settings_.pause_between;
  hand_over_at_ = now + kHostWaits;
  strays_.count += outcome.strays;
  tell_rarely(strays_, now, "late answers thrown away");

  const bool answered = outcome.kind != Outcome::Kind::failure;
  if (!outcome.line_lost || outcome.sent)
    host_.exchange(device_name(request.unit).c_str(), said_of_unit(outcome, probe),
                   std::chrono::duration_cast<std::chrono::microseconds>(now - begin));
  if (answered) {
    ++answers_;
    back_off_ = Time{};
    if (!std::exchange(line_told_, {}).empty()) host_.info("connected again");
  }
  if (answered && probe) return dispatcher_.answered(index, now);
  if (answered && dispatcher_.stale(index, now)) {
    ++strays_.count;
    return dispatcher_.late(index, now);
  }
  switch (outcome.kind) {
    case Outcome::Kind::answer:
      take_answer(request, outcome.data);
      dispatcher_.answered(index, now);
      if (unit_told_.erase(request.unit) != 0)
        host_.info("unit " + std::to_string(request.unit) + " answers again");
      if (request_told_.erase(index) != 0) host_.info(text_of(request) + " is answered again");
      break;
    case Outcome::Kind::exception:
      take_exception(index, outcome, begin, now);
      break;
    case Outcome::Kind::failure:
      if (outcome.sent) take_failure(index, outcome.reason, outcome.why, begin, now);
      if (outcome.line_lost && answers_ == 0) line_failed(outcome.why, now);
      break;
  }
}

void Poller::take_answer(const Request& request, Bytes data) {
  driver::Emitter emitter(host_);
  for (std::size_t p : request.points) {
    const Sensor& sensor = sensors_[p];
    emit(emitter, sensor.index, decode(sensor.want.point, request.first, data), sensor.loop);
  }
}

void Poller::take_exception(std::size_t index, const Outcome& outcome, Time asked, Time now) {
  const Request request = dispatcher_.request(index);  // a copy: replace() moves them
  const std::string refusal = "exception " + std::to_string(outcome.exception) + ", " + outcome.why;
  if (passes(outcome.exception)) {
    take_failure(index, GERBANG_REASON_EXCEPTION, refusal, asked, now);
    return;
  }
  if (about_address(outcome.exception)) {
    auto parts = split(request, wants_);
    if (!parts.empty()) {
      host_.info(text_of(request) + ": " + refusal + "; from now on read in " +
                 std::to_string(parts.size()) + " requests");
      dispatcher_.replace(index, std::move(parts), now);
      return;
    }
  }
  dispatcher_.refused(index, now);
  if (std::exchange(request_told_[index], refusal) != refusal)
    host_.warning("sensor " + sensors_[request.points.front()].id + ": " + text_of(request) + ": " +
                  refusal);
}

void Poller::take_failure(std::size_t index, gerbang_reason reason, const std::string& why,
                          Time asked, Time now) {
  dispatcher_.failed(index, reason, asked, now);
  const std::uint8_t unit = dispatcher_.request(index).unit;
  const std::string text = "unit " + std::to_string(unit) + ": " + why;
  host_.debug(text);
  if (dispatcher_.unit_given_up(index)) {
    if (std::exchange(unit_told_[unit], text) != text)
      host_.warning(text + "; it is asked ever more rarely until it answers");
  } else if (dispatcher_.given_up(index)) {
    if (std::exchange(request_told_[index], text) != text)
      host_.warning(text + " to the request for " + text_of(dispatcher_.request(index)) +
                    "; this one is asked ever more rarely");
  }
}

void Poller::emit_missing() {
  const auto missing = dispatcher_.take_missing();
  if (missing.empty()) return;
  driver::Emitter emitter(host_);
  for (const auto& [index, reason] : missing)
    for (std::size_t p : dispatcher_.request(index).points)
      emitter.missing(sensors_[p].index, reason);
}

void Poller::tell_rarely(Rare& what, Time now, const std::string& text) {
  if (what.count == what.told || now < what.next) return;
  host_.warning(std::to_string(what.count - what.told) + " " + text);
  what.told = what.count;
  what.next = now + 1min;
}

}  // namespace gerbang::modbus
