// SPDX-License-Identifier: Apache-2.0
#include "source/supervisor.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <csignal>
#include <random>

#include "core/text.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;

constexpr int kExitConfig = 78;
constexpr std::size_t kMaxLogLine = 500;
constexpr auto kNever = BootTime::max();

std::int64_t milliseconds(BootTime t) {
  return nanoseconds(t) / 1'000'000;
}

std::string text_of(std::chrono::nanoseconds d) {
  return format_duration(std::chrono::ceil<std::chrono::milliseconds>(d));
}

// What a driver says, fit for one line of a log.
std::string one_line(std::string_view text) {
  std::string out(text.substr(0, kMaxLogLine));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

std::function<double()> random_unit() {
  auto engine = std::make_shared<std::minstd_rand>(std::random_device()());
  return [engine] { return std::uniform_real_distribution<double>()(*engine); };
}

std::vector<std::uint32_t> indices_of(const DriverSpec& spec) {
  std::vector<std::uint32_t> out;
  out.reserve(spec.sensors.size());
  for (const SensorSpec& sensor : spec.sensors) out.push_back(sensor.index);
  return out;
}

}  // namespace

Environment::Environment(asio::any_io_executor e, Sink& s, const Clock& c, std::string h)
    : executor(std::move(e)), sink(s), clock(c), host(std::move(h)), random(random_unit()) {}

Supervisor::Supervisor(Environment environment, const DriverSpec& spec)
    : environment_(std::move(environment)),
      name_(spec.name),
      plugin_(spec.plugin),
      plugin_path_(spec.plugin_path),
      max_block_ms_(spec.max_block_ms),
      told_(encode_configure(spec, false, false)),
      indices_(indices_of(spec)),
      policy_(environment_.limits.restart),
      log_limit_(environment_.limits.log_burst, environment_.limits.log_line),
      stop_asked_(environment_.executor),
      finished_(environment_.executor) {
  status_.name = name_;
  status_.plugin = plugin_;
  status_.since_boot_ms = milliseconds(now());
}

asio::awaitable<void> Supervisor::run() {
  return live(shared_from_this());
}

asio::awaitable<void> Supervisor::live(Self self) {
  while (!self->stopping_) {
    const bool config = co_await run_host(self);
    if (self->stopping_) break;
    const BootTime until = self->after_the_end(config);
    co_await stay_down(self, until);
  }
  self->set_state(DriverState::stopped);
  self->finished_.open();
}

// When the next process may start.
BootTime Supervisor::after_the_end(bool config) {
  const auto next = policy_.ended(now(), config, environment_.random());
  const auto wait = text_of(next.wait);
  const std::string& error = status_.last_error;
  switch (next.next) {
    case RestartPolicy::Next::restart:
      set_state(DriverState::backing_off);
      spdlog::warn("driver {}: {}; starting it again in {} driver={} restarts={}", name_, error,
                   wait, name_, starts_);
      break;
    case RestartPolicy::Next::quarantine:
      set_state(DriverState::quarantined);
      spdlog::error("driver {}: {}; ended too often, next attempt in {} driver={} restarts={}",
                    name_, error, wait, name_, starts_);
      break;
    case RestartPolicy::Next::never:
      set_state(DriverState::config_error);
      spdlog::error("driver {}: {}; correct the configuration and reload driver={}", name_, error,
                    name_);
      return kNever;
  }
  return now() + next.wait;
}

// One life of the host process. True: it must not be started again before the configuration is
// changed.
asio::awaitable<bool> Supervisor::run_host(Self self) {
  if (!self->start_host()) co_return false;
  std::shared_ptr<ipc::Child> child = self->child_;
  spawn_session(self->environment_.executor, "driver watch", watch(self, child));
  co_await read_frames(self, child);
  const ipc::Exit exit = co_await see_off(child);
  self->child_.reset();
  self->status_.pid = 0;

  const bool config =
      self->killed_because_.empty() && (self->session_->state() == DriverState::config_error ||
                                        (!exit.signalled && exit.code == kExitConfig));
  if (!self->stopping_) self->fail_with(self->reason_of(exit, config));
  co_return config;
}

std::string Supervisor::reason_of(const ipc::Exit& exit, bool config) const {
  if (!killed_because_.empty()) return killed_because_;
  if (config && !session_->trouble().empty()) return session_->trouble();
  return (exit.signalled ? "its host was " : "its host ") + exit.text();
}

bool Supervisor::start_host() {
  set_state(DriverState::starting);
  killed_because_.clear();
  std::vector<std::string> arguments = {"--driver", plugin_path_};
  auto child = ipc::Child::spawn(environment_.executor,
                                 ipc::ChildOptions(environment_.host, std::move(arguments)));
  if (!child) {
    fail_with(child.error().what);
    return false;
  }
  child_ = std::move(*child);
  session_.emplace(environment_.limits, indices_.size(), std::chrono::milliseconds(max_block_ms_),
                   now());
  account_.process_started();
  ++starts_;
  status_.pid = child_->pid();
  return true;
}

asio::awaitable<void> Supervisor::read_frames(Self self, std::shared_ptr<ipc::Child> child) {
  for (;;) {
    auto payload = co_await child->read();
    if (!payload) {
      if (payload.error().code == std::errc::message_size)
        self->kill(*child, "the driver host sent a " + payload.error().what);
      co_return;
    }
    auto frame = decode_frame(*payload);
    if (!frame) {
      self->kill(*child, "the driver host sent " + frame.error().what);
      co_return;
    }
    auto step = self->session_->on_frame(std::move(*frame), self->now());
    if (!step) {
      self->kill(*child, step.error().what);
      co_return;
    }
    self->on_step(*child, *step);
    if (step->readings.empty()) continue;
    self->missing_said_.reset();
    self->status_.last_reading_boot_ns = step->readings.back().boot_ns;
    self->session_->pause(self->now());
    co_await deliver(self, std::move(step->readings));
    self->session_->resume(self->now());
  }
}

// After the stream has ended: the process has a moment to end by itself.
asio::awaitable<ipc::Exit> Supervisor::see_off(std::shared_ptr<ipc::Child> child) {
  auto ended = co_await (child->exited() || sleep_for(1s));
  if (ended.index() == 1) child->kill(SIGKILL);
  co_return co_await child->exited();
}

asio::awaitable<void> Supervisor::watch(Self self, std::shared_ptr<ipc::Child> child) {
  while (self->child_ == child && !self->stopping_) {
    auto now = self->now();
    auto wait = std::max<std::chrono::nanoseconds>(self->session_->next_look(now) - now, 1ms);
    (void)co_await (self->stop_asked_.wait() || child->exited() || sleep_for(wait));
    if (self->child_ != child || self->stopping_) co_return;
    auto in_time = self->session_->tick(self->now());
    if (in_time) continue;
    self->kill(*child, in_time.error().what);
    co_return;
  }
}

asio::awaitable<void> Supervisor::deliver(Self self, std::vector<Reading> readings) {
  self->status_.readings += readings.size();
  for (Reading& reading : readings) reading.sensor = self->indices_[reading.sensor];
  co_await self->environment_.sink.take(std::move(readings));
}

// Without a process: says that the sensors are missing, at once and then now and again, so that
// every window knows why.
asio::awaitable<void> Supervisor::stay_down(Self self, BootTime until) {
  const auto again = self->environment_.limits.missing;
  while (!self->stopping_ && self->now() < until) {
    if (!self->missing_said_ || self->now() - *self->missing_said_ >= again) {
      self->missing_said_ = self->now();
      auto readings = self->all_missing();
      co_await deliver(self, std::move(readings));
      continue;
    }
    auto next = std::min(until, *self->missing_said_ + again);
    auto wait = std::max<std::chrono::nanoseconds>(next - self->now(), 1ms);
    (void)co_await (self->stop_asked_.wait() || sleep_for(wait));
  }
}

std::vector<Reading> Supervisor::all_missing() const {
  std::vector<Reading> out(indices_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].sensor = static_cast<std::uint32_t>(i);
    out[i].flag = Flag::missing;
    out[i].reason = Reason::driver;
    out[i].boot_ns = nanoseconds(now());
  }
  return out;
}

void Supervisor::on_step(ipc::Child& child, Step& step) {
  if (step.configure) {
    status_.version = session_->version();
    child.send(told_);
  }
  if (step.ready) policy_.ready(now());
  if (step.heartbeat) {
    policy_.alive(now());
    account_.heartbeat(*step.heartbeat, nanoseconds(now()));
    for (auto& [reason, count] : step.heartbeat->refused) reject(reason, count);
  }
  reject("unknown_sensor", step.unknown_sensor);
  reject("time", step.bad_time);
  if (step.event) {
    step.event->sensor = indices_[step.event->sensor];
    environment_.sink.on_event(std::move(*step.event));
  }
  if (step.log) relay(*step.log);
  follow_session();
}

void Supervisor::reject(const std::string& reason, std::uint64_t count) {
  if (count == 0) return;
  environment_.sink.on_rejected(account_.rejected(reason, count), count);
}

// A state of the process becomes the driver's.
void Supervisor::follow_session() {
  const DriverState state = session_->state();
  const bool trouble = state == DriverState::trouble;
  const bool news =
      state != status_.state || (trouble && one_line(session_->trouble()) != status_.last_error);
  if (stopping_ || !news) return;
  set_state(state);
  if (trouble) fail_with(session_->trouble());
  if (state == DriverState::config_error || !log_limit_.admit(now())) return;
  if (trouble)
    spdlog::warn("driver {}: {} driver={}", name_, status_.last_error, name_);
  else
    spdlog::info("driver {}: {} driver={} plugin={} version={} pid={}", name_, name(state), name_,
                 plugin_, status_.version, status_.pid);
}

void Supervisor::relay(const LogLine& line) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn, spdlog::level::err};
  auto level = kLevels[std::min<std::size_t>(line.level, 3)];
  if (!spdlog::should_log(level) || !log_limit_.admit(now())) return;
  if (auto dropped = log_limit_.take_unreported())
    spdlog::warn("driver {}: {} lines of its log were dropped driver={}", name_, dropped, name_);
  spdlog::log(level, "driver {}: {} driver={}", name_, one_line(line.text), name_);
}

void Supervisor::kill(ipc::Child& child, const std::string& why) {
  if (killed_because_.empty()) killed_because_ = why + "; killed";
  child.kill(SIGKILL);
}

void Supervisor::set_state(DriverState state) {
  if (state == status_.state) return;
  status_.state = state;
  status_.since_boot_ms = milliseconds(now());
}

void Supervisor::fail_with(const std::string& error) {
  status_.last_error = one_line(error);
  status_.last_error_boot_ms = milliseconds(now());
}

bool Supervisor::runs(const DriverSpec& spec) const {
  return spec.plugin == plugin_ && spec.plugin_path == plugin_path_ &&
         spec.max_block_ms == max_block_ms_ && encode_configure(spec, false, false) == told_;
}

void Supervisor::renumber(const DriverSpec& spec) {
  indices_ = indices_of(spec);
}

DriverStatus Supervisor::status() const {
  DriverStatus out = status_;
  out.restarts = starts_ > 0 ? starts_ - 1 : 0;
  out.log_lines_dropped = log_limit_.dropped();
  account_.report(out);
  return out;
}

void Supervisor::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  stop_asked_.open();
  spawn_session(environment_.executor, "driver stop", end_host(shared_from_this()));
}

asio::awaitable<void> Supervisor::stop() {
  request_stop();
  return wait_until_stopped(shared_from_this());
}

asio::awaitable<void> Supervisor::end_host(Self self) {
  std::shared_ptr<ipc::Child> child = self->child_;
  if (!child) co_return;
  const auto patience = self->environment_.limits.stop;
  child->send(encode_stop());
  auto stopped = co_await (child->exited() || sleep_for(patience));
  if (stopped.index() == 0) co_return;
  spdlog::warn("driver {}: does not stop; SIGTERM driver={}", self->name_, self->name_);
  child->kill(SIGTERM);
  auto terminated = co_await (child->exited() || sleep_for(patience));
  if (terminated.index() == 0) co_return;
  spdlog::warn("driver {}: does not stop; SIGKILL driver={}", self->name_, self->name_);
  child->kill(SIGKILL);
}

asio::awaitable<void> Supervisor::wait_until_stopped(Self self) {
  // The sink may stand still for ever; the process must not.
  const auto longest = 2 * self->environment_.limits.stop + 1s;
  (void)co_await (self->finished_.wait() || sleep_for(longest));
}

}  // namespace gerbang::source
