// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "driver_host/session.hpp"
#include "ipc/memory.hpp"

namespace gerbang::driver_host {
namespace {

constexpr Nanoseconds kBudget = kSecond;      // of one poll
constexpr Nanoseconds kStart = 15 * kSecond;  // then it is steady
constexpr Nanoseconds kOnce = 8 * kSecond;    // so that Done is said before the daemon gives up

std::vector<std::uint32_t> indices(const DriverConfig& config) {
  std::vector<std::uint32_t> out;
  for (const gerbang_sensor& sensor : config.sensors()) out.push_back(sensor.index);
  return out;
}

Nanoseconds shortest_interval(const DriverConfig& config) {
  Nanoseconds shortest = kSecond;
  for (const gerbang_sensor& sensor : config.sensors())
    if (sensor.interval_ns > 0) shortest = std::min(shortest, Nanoseconds(sensor.interval_ns));
  return shortest;
}

std::string names(const DriverConfig& config, const std::vector<std::uint32_t>& wanted) {
  std::string out;
  for (const gerbang_sensor& sensor : config.sensors()) {
    if (std::find(wanted.begin(), wanted.end(), sensor.index) == wanted.end()) continue;
    out += std::string(out.empty() ? "" : ", ") + sensor.id;
  }
  return out;
}

}  // namespace

Line::Line(Session& session, const host::v1::Configure& frame)
    : session_(session),
      link_(session.link_),
      desk_(session.desk_),
      table_(session.plugin_.table),
      config_(frame),
      once_(frame.once()),
      check_(frame.check()),
      shortest_interval_(shortest_interval(config_)),
      once_deadline_(boottime() + kOnce +
                     session.plugin_.description.max_block_ms() * kMillisecond),
      steady_at_(boottime() + kStart),
      reopen_(kSecond, 60 * kSecond),
      retry_(100 * kMillisecond, kSecond),
      idle_(shortest_interval_) {
  for (const gerbang_sensor& sensor : config_.sensors())
    absence_.add(sensor.index, Nanoseconds(sensor.interval_ns));
  desk_.start(Intake(indices(config_)), frame.trace());
}

Line::~Line() {
  close();
}

std::optional<int> Line::run() {
  open();
  if (check_) {
    close();
    // A line that is away is no mistake of the configuration.
    session_.done(final_ ? GERBANG_CONFIG : GERBANG_OK, trouble_);
    return std::nullopt;
  }
  while (!final_ && !link_.stopping()) {
    if (once_ && finish_once()) return std::nullopt;
    attend(Nanoseconds(0));
    if (open_)
      poll();
    else
      stay_closed();
  }
  close();
  heartbeat(boottime());  // the last counts
  if (final_ && once_) session_.done(GERBANG_CONFIG, trouble_);
  if (final_) return kExitConfig;
  return link_.broken() ? kExitSoftware : kExitOk;
}

void Line::open() {
  instance_ = nullptr;
  int status = desk_.during([&] { return table_.open(desk_.host(), config_.get(), &instance_); });
  desk_.intake().forget_numbers();
  open_ = status == GERBANG_OK;
  if (open_) {
    ready();
    return;
  }
  // Nothing was opened, so there is nothing to keep: RETRY means the same as GONE.
  settle(status == GERBANG_RETRY ? GERBANG_GONE : status, "open");
}

void Line::close() {
  if (!std::exchange(open_, false)) return;
  desk_.during([&] { table_.close(std::exchange(instance_, nullptr)); });
}

void Line::poll() {
  const Nanoseconds began = boottime();
  Nanoseconds most = kBudget;
  if (once_) most = std::clamp(once_deadline_ - began, Nanoseconds(0), kBudget);
  const auto budget = std::chrono::ceil<std::chrono::milliseconds>(most);
  int status = desk_.during(
      [&] { return table_.poll(instance_, static_cast<std::uint32_t>(budget.count())); });
  const Nanoseconds now = boottime();
  const Nanoseconds rest = flow_.after(desk_.intake().in_call(), now);
  ++polls_;
  // Called at least every second: each further second in which it was not is an overrun.
  overruns_ += static_cast<std::uint64_t>(std::max((now - began) / kBudget - 1, std::int64_t{0}));
  if (desk_.intake().saw_number()) reopen_.reset();
  if (status == GERBANG_OK && !trouble_.empty()) ready();
  if (status != GERBANG_OK) settle(status, "poll");
  if (beat_.may(now)) heartbeat(now);

  if (status == GERBANG_OK) retry_.reset();
  Nanoseconds pause = idle_.after(now - began, desk_.emitted());
  if (status == GERBANG_RETRY) pause = std::max(retry_.next(1) - (now - began), Nanoseconds(0));
  if (open_ && pause > Nanoseconds(0)) attend(pause);
  if (open_ && rest > Nanoseconds(0) && !once_) let_rest(now + rest);
}

void Line::let_rest(Nanoseconds until) {
  if (!std::exchange(flood_told_, true))
    desk_.say(GERBANG_LOG_WARNING, "it brings more than " + std::to_string(Flow::kPerSecond) +
                                       " readings a second, so it is called less often");
  for (Nanoseconds now = boottime(); now < until && !link_.stopping(); now = boottime()) {
    if (now >= beat_.due()) heartbeat(now);
    attend(std::min(until, beat_.due()) - now);
  }
}

void Line::settle(int status, const char* function) {
  std::string text = desk_.complaint();
  const bool known = status == GERBANG_RETRY || status == GERBANG_GONE || status == GERBANG_CONFIG;
  if (!known) {
    text = std::string(function) + " returned " + std::to_string(status) + ", which is no status";
    status = GERBANG_GONE;
  } else if (text.empty()) {
    const char* name = status == GERBANG_RETRY  ? "RETRY"
                       : status == GERBANG_GONE ? "GONE"
                                                : "CONFIG";
    text = std::string(function) + " returned " + name + " and logged no reason";
  }
  trouble(status, text);
  if (status == GERBANG_RETRY) return;
  close();
  if (status == GERBANG_CONFIG) {
    final_ = true;
    return;
  }
  const Nanoseconds now = boottime();
  reopen_at_ = now + reopen_.next(1);
  absence_.begin(now);
}

void Line::stay_closed() {
  const Nanoseconds now = boottime();
  for (std::uint32_t sensor : absence_.take(now))
    desk_.missing(sensor, GERBANG_REASON_NO_CONNECTION);
  desk_.flush();
  if (now >= beat_.due()) heartbeat(now);
  if (now >= reopen_at_)
    open();
  else
    attend(std::min({reopen_at_, absence_.next(), beat_.due()}) - now);
}

void Line::attend(Nanoseconds timeout) {
  auto frame = link_.receive(timeout);
  if (frame && !session_.answer(*frame))
    desk_.say(GERBANG_LOG_ERROR, "already configured; a new configuration needs a new host");
}

void Line::trouble(int status, const std::string& text) {
  // A line that stays in the same trouble has said so.
  if (status == GERBANG_RETRY && trouble_status_ == status && text == trouble_) return;
  trouble_ = text;
  trouble_status_ = status;
  host::v1::FromDriverHost frame;
  frame.mutable_trouble()->set_status(static_cast<std::uint32_t>(status));
  frame.mutable_trouble()->set_text(text);
  link_.send(frame);
}

void Line::ready() {
  trouble_.clear();
  trouble_status_ = GERBANG_OK;
  host::v1::FromDriverHost frame;
  frame.mutable_ready();
  link_.send(frame);
}

void Line::heartbeat(Nanoseconds now) {
  host::v1::FromDriverHost frame;
  host::v1::Heartbeat& heartbeat = *frame.mutable_heartbeat();
  heartbeat.set_polls(polls_);
  heartbeat.set_overruns(overruns_);
  desk_.report(heartbeat);
  link_.send(frame);
  beat_.sent(now);
  if (starting_ && now >= steady_at_) {
    starting_ = false;
    ipc::forget_startup();
  }
}

bool Line::finish_once() {
  if (desk_.intake().all_answered()) {
    close();
    heartbeat(boottime());
    session_.done(trouble_status_, trouble_);
    return true;
  }
  if (boottime() < once_deadline_) return false;
  close();
  heartbeat(boottime());
  session_.done(GERBANG_RETRY, "no answer of " + names(config_, desk_.intake().unanswered()));
  return true;
}

}  // namespace gerbang::driver_host
