// SPDX-License-Identifier: Apache-2.0
#include "driver_host/desk.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

#include "driver_host/text.hpp"

namespace gerbang::driver_host {
namespace {

constexpr std::size_t kMaxLine = 2048;
constexpr std::size_t kMaxDevice = 64;
constexpr std::size_t kMaxTrace = 64u << 10;
constexpr std::size_t kMaxToml = 64u << 10;
constexpr Nanoseconds kProgress = 100 * kMillisecond;
constexpr Nanoseconds kMaxWait = 20 * kMillisecond;

}  // namespace

Nanoseconds boottime() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * kSecond + Nanoseconds(t.tv_nsec);
}

Desk::Desk(Link& link)
    : link_(link),
      host_{sizeof host_, GERBANG_ABI_MINOR, this,        emit,    emit_event, trace,
            log,          exchange,          boottime_ns, stopping},
      intake_(std::vector<std::uint32_t>()) {}

void Desk::start(Intake intake, bool trace, std::uint32_t free_lines) {
  intake_ = std::move(intake);
  trace_ = trace;
  free_lines_ = free_lines;
  found_ = 0;
}

void Desk::begin() {
  intake_.begin_call();
  complaint_.clear();
  emitted_ = false;
  in_call_ = true;
}

void Desk::end() {
  in_call_ = false;
  flush();
}

bool Desk::inside() {
  if (pthread_equal(pthread_self(), thread_) != 0 && in_call_) return true;
  ++outside_;
  return false;
}

void Desk::flush() {
  if (intake_.size() > 0) {
    // The columns lend themselves to the frame for the time of sending.
    frame_.unsafe_arena_set_allocated_readings(&intake_.mutable_columns());
    link_.send(frame_);
    (void)frame_.unsafe_arena_release_readings();
    intake_.clear();
  }
  send_notices();
}

void Desk::flush_if_old() {
  if (intake_.size() > 0 && boottime() - oldest_ > kMaxWait) flush();
}

void Desk::send_notices() {
  if (std::uint64_t outside = outside_.exchange(0))
    intake_.refuse(Fault::outside_call, outside,
                   "a host function was called after the call from the host had ended, or from "
                   "another thread");
  for (const std::string& notice : intake_.take_notices()) say(GERBANG_LOG_WARNING, notice);
}

void Desk::missing(std::uint32_t sensor, gerbang_reason reason) {
  gerbang_reading reading{};
  reading.size = sizeof reading;
  reading.sensor = sensor;
  reading.quality = GERBANG_MISSING;
  reading.reason = reason;
  intake_.begin_call();
  if (intake_.full()) flush();
  intake_.take(&reading, 1, boottime().count());
}

void Desk::say(int level, const std::string& text) {
  host::v1::FromDriverHost frame;
  frame.mutable_log()->set_level(static_cast<std::uint32_t>(level));
  frame.mutable_log()->set_text(text);
  link_.send(frame);
}

void Desk::report(host::v1::Heartbeat& out) {
  tally_.report(out);
  intake_.report(out);
}

void Desk::emit(const gerbang_host* host, const gerbang_reading* readings, size_t count) {
  Desk& desk = of(host);
  if (!desk.inside()) return;
  const Nanoseconds now = boottime();
  desk.emitted_ = true;
  while (count > 0) {
    if (desk.intake_.size() == 0) desk.oldest_ = now;
    std::size_t taken = desk.intake_.take(readings, count, now.count());
    count -= taken;
    if (count > 0)
      readings = reinterpret_cast<const gerbang_reading*>(
          reinterpret_cast<const std::byte*>(readings) + taken * readings->size);
    if (desk.intake_.full()) desk.flush();
  }
  if (now - desk.oldest_ > kMaxWait) desk.flush();
}

void Desk::emit_event(const gerbang_host* host, const gerbang_event* event) {
  Desk& desk = of(host);
  if (!desk.inside()) return;
  desk.emitted_ = true;
  host::v1::FromDriverHost frame;
  if (!desk.intake_.take(event, boottime().count(), *frame.mutable_event())) return;
  desk.flush();  // readings stay in order with events
  desk.link_.send(frame);
}

void Desk::trace(const gerbang_host* host, const char* device, int sent, const void* data,
                 size_t size) {
  Desk& desk = of(host);
  if (!desk.inside() || !desk.trace_ || data == nullptr) return;
  host::v1::FromDriverHost frame;
  host::v1::Trace& trace = *frame.mutable_trace();
  trace.set_sent(sent != 0);
  trace.set_data(data, std::min(size, kMaxTrace));
  trace.set_boot_ns(boottime().count());
  trace.set_device(clean_text(device, kMaxDevice));
  desk.flush();
  desk.link_.send(frame);
}

void Desk::log(const gerbang_host* host, gerbang_log_level said, const char* text) {
  Desk& desk = of(host);
  if (!desk.inside()) return;
  const int level = std::clamp<int>(plain(said), GERBANG_LOG_DEBUG, GERBANG_LOG_ERROR);
  std::string line = clean_text(text, kMaxLine);
  if (level >= GERBANG_LOG_WARNING) desk.complaint_ = line;
  if (desk.free_lines_ > 0)
    --desk.free_lines_;
  else if (!desk.lines_.admit(boottime()))
    return;
  if (std::uint64_t lost = desk.lines_.take_suppressed())
    desk.say(GERBANG_LOG_WARNING, std::to_string(lost) + " lines of the driver were dropped");
  desk.say(level, line);
  desk.flush_if_old();
}

void Desk::exchange(const gerbang_host* host, const char* device, gerbang_reason result,
                    uint32_t microseconds) {
  Desk& desk = of(host);
  if (!desk.inside()) return;
  desk.tally_.add(clean_text(device, kMaxDevice), static_cast<unsigned>(plain(result)),
                  microseconds);
  desk.flush_if_old();
}

void Desk::found(void* context, const char* toml, const char* note) {
  Desk& desk = *static_cast<Desk*>(context);
  if (!desk.inside()) return;
  if (++desk.found_ > kMaxFound) {
    if (desk.found_ == kMaxFound + 1)
      desk.say(GERBANG_LOG_WARNING,
               "only the first " + std::to_string(kMaxFound) + " candidates are passed on");
    return;
  }
  host::v1::FromDriverHost frame;
  frame.mutable_found()->set_toml(clean_lines(toml, kMaxToml));
  frame.mutable_found()->set_note(clean_text(note, kMaxLine));
  desk.link_.send(frame);
}

void Desk::progress(void* context, double done, const char* what) {
  Desk& desk = *static_cast<Desk*>(context);
  if (!desk.inside()) return;
  const Nanoseconds now = boottime();
  if (now < desk.progress_at_) return;
  desk.progress_at_ = now + kProgress;
  host::v1::FromDriverHost frame;
  frame.mutable_progress()->set_done(done > 0 ? std::min(done, 1.0) : 0.0);
  frame.mutable_progress()->set_what(clean_text(what, kMaxLine));
  desk.link_.send(frame);
}

int64_t Desk::boottime_ns(const gerbang_host*) {
  return boottime().count();
}

int Desk::stopping(const gerbang_host* host) {
  Desk& desk = of(host);
  if (pthread_equal(pthread_self(), desk.thread_) == 0 || !desk.in_call_)
    return desk.link_.stop_seen() ? 1 : 0;
  desk.flush_if_old();
  return desk.link_.stopping() ? 1 : 0;
}

}  // namespace gerbang::driver_host
