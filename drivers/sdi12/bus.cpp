// SPDX-License-Identifier: Apache-2.0
#include "bus.hpp"

#include <algorithm>

namespace gerbang::sdi12 {
namespace {

using namespace std::chrono_literals;

// One character at 1200 baud, 7E1: start, data, parity, stop.
constexpr Bus::Time kCharacter = 8'333us;
constexpr long kLongestAnswer = 85;  // characters: address, 75 of values, CRC, CR, LF, and some
constexpr int kLastData = 9;
// After a failure: what else was on its way has come, and the device has seen silence.
constexpr Bus::Time kRest = 100ms;
// After so many time-outs the rest of an answer that was heard has come.
constexpr int kLatest = 4;
// An answer that was not heard at all is not reckoned with after so long.
constexpr Bus::Time kUnheard = 7s;

}  // namespace

std::size_t Bus::add(char address, const Command& command) {
  for (std::size_t i = 0; i < measurements_.size(); ++i)
    if (measurements_[i].address == address && measurements_[i].command == command) return i;
  Measurement m;
  m.address = address;
  m.command = command;
  measurements_.push_back(std::move(m));
  return measurements_.size() - 1;
}

void Bus::want(std::size_t index, Time now) {
  Measurement& m = measurements_[index];
  if (m.phase != Phase::idle) return;
  m.phase = Phase::queued;
  m.since = now;
  m.values.clear();
  m.next_data = m.promised = 0;
}

bool Bus::device_is_busy(const Measurement& wanted) const {
  return std::any_of(measurements_.begin(), measurements_.end(), [&](const Measurement& m) {
    return &m != &wanted && m.address == wanted.address &&
           (m.phase == Phase::measuring || m.phase == Phase::ready);
  });
}

// Values that are ready go first, because the device keeps them only until its next command; then
// whatever has waited longest.
void Bus::choose(Time now) {
  if (active_) return;
  for (std::size_t i = 0; i < measurements_.size(); ++i) {
    const Measurement& m = measurements_[i];
    if (now < rests_until(m)) continue;
    if (m.phase == Phase::ready) {
      active_ = i;
      begin_fetching();
      return;
    }
    if (m.phase == Phase::queued && !device_is_busy(m) && (!active_ || m.since < active().since))
      active_ = i;
  }
  if (!active_) return;
  active().phase = Phase::started;
  attempt_ = 0;
}

std::optional<std::string> Bus::next_command(Time now) {
  advance(now);
  choose(now);
  if (!active_ || awaiting_ || now < rests_until(active())) return std::nullopt;
  const Measurement& m = active();
  if (m.phase == Phase::started) return start_text(m.address, m.command);
  if (m.phase == Phase::fetching) return data_text(m.address, m.next_data);
  return std::nullopt;
}

void Bus::sent(Time now) {
  const Measurement& m = active();
  const std::string text = m.phase == Phase::fetching ? data_text(m.address, m.next_data)
                                                      : start_text(m.address, m.command);
  lines_.sent(text);
  heard_ = GERBANG_REASON_NONE;
  awaiting_ = true;
  asked_ = now;
  const Time on_the_wire = kCharacter * static_cast<long>(text.size());
  const Time whole = kCharacter * kLongestAnswer;
  deadline_ = now + on_the_wire + settings_.timeout + (settings_.whole_answers ? whole : Time{});
  latest_ = deadline_ + whole + settings_.timeout;
}

void Bus::take(std::span<const std::uint8_t> bytes, Time now) {
  for (const std::uint8_t byte : bytes) {
    const auto text = lines_.take(byte);
    if (text) line(*text, now);
  }
  if (awaiting_ && !bytes.empty())
    deadline_ = std::min(latest_, std::max(deadline_, now + settings_.timeout));
}

void Bus::line(std::string_view text, Time now) {
  if (!active_ || (!awaiting_ && active().phase != Phase::waiting)) return;  // late
  const Measurement& m = active();
  if (!is_clean(text)) {
    heard_ = GERBANG_REASON_PROTOCOL;
    heard_why_ = "garbage instead of an answer: baud rate, parity, or two devices at once";
    return;
  }
  if (text[0] != m.address) {
    ++foreign_;
    heard_ = GERBANG_REASON_PROTOCOL;
    heard_why_ = std::string("an answer with the address ") + text[0];
    return;
  }
  if (m.phase == Phase::waiting) {
    if (text.size() == 1) begin_fetching();  // the service request
    return;
  }
  if (m.phase == Phase::started && m.command.kind != Command::Kind::continuous)
    promise(text, now);
  else
    data(text, now);
}

void Bus::promise(std::string_view text, Time now) {
  Measurement& m = active();
  const auto promised = parse_promise(m.command, text);
  if (!promised) return failed(GERBANG_REASON_PROTOCOL, promised.error(), now);
  answered(now);
  if (promised->values == 0)
    return finish(GERBANG_REASON_EXCEPTION, "the device has no values for " + name_of(m.command));
  m.promised = promised->values;
  m.values.clear();
  m.next_data = 0;
  m.since = now + std::chrono::seconds(promised->seconds);
  if (m.command.kind == Command::Kind::concurrent) {
    m.phase = Phase::measuring;
    active_.reset();
  } else if (promised->seconds == 0) {
    begin_fetching();
  } else {
    m.phase = Phase::waiting;
    m.since += settings_.timeout;  // a service request that is a little late
  }
}

void Bus::begin_fetching() {
  active().phase = Phase::fetching;
  attempt_ = 0;
}

void Bus::data(std::string_view text, Time now) {
  Measurement& m = active();
  std::string_view body = text;
  if (m.command.checked) {
    const auto right = without_crc(text);
    if (!right) return failed(GERBANG_REASON_CRC, "the CRC is wrong: " + std::string(text), now);
    body = *right;
  }
  const auto values = parse_values(body.substr(1));
  if (!values)
    return failed(GERBANG_REASON_PROTOCOL, values.error() + ": " + std::string(text), now);
  if (values->empty())
    return failed(GERBANG_REASON_PROTOCOL, "no values: the measurement was broken off", now);
  answered(now);
  m.values.insert(m.values.end(), values->begin(), values->end());
  const auto promised = static_cast<std::size_t>(m.promised);
  if (m.command.kind == Command::Kind::continuous || m.values.size() == promised)
    return finish(GERBANG_REASON_NONE, {});
  if (m.values.size() > promised || m.next_data == kLastData)
    return finish(GERBANG_REASON_PROTOCOL, std::to_string(m.values.size()) + " values came, but " +
                                               std::to_string(promised) + " were promised");
  ++m.next_data;
}

void Bus::answered(Time now) {
  exchanges_.push_back({active().address, GERBANG_REASON_NONE, now - asked_});
  Device& device = devices_[slot(active().address)];
  // An answer to another attempt may still come, and must not be taken for one to what is next.
  if (attempt_ > 0) device.quiet_until = asked_ + latest();
  device.silent = unheard_ = false;
  awaiting_ = false;
  attempt_ = 0;
}

void Bus::failed(gerbang_reason reason, const std::string& why, Time now) {
  exchanges_.push_back({active().address, reason, now - asked_});
  awaiting_ = false;
  unheard_ = unheard_ || reason == GERBANG_REASON_TIMEOUT;
  lines_.clear();
  not_before_ = now + kRest;
  Device& device = devices_[slot(active().address)];
  if (attempt_ < (device.silent ? 0 : settings_.retries)) {
    ++attempt_;
    return;
  }
  device.silent = true;
  device.quiet_until = asked_ + latest();
  finish(reason, why);
}

Bus::Time Bus::latest() const {
  const Time rest = kLatest * settings_.timeout;
  return unheard_ ? std::max(rest, kUnheard) : rest;
}

void Bus::finish(gerbang_reason reason, std::string why) {
  Measurement& m = active();
  outcomes_.push_back({*active_, reason, {}, std::move(why)});
  if (reason == GERBANG_REASON_NONE) outcomes_.back().values = std::move(m.values);
  m.phase = Phase::idle;
  m.values.clear();
  active_.reset();
  attempt_ = 0;
  unheard_ = false;
}

void Bus::advance(Time now) {
  for (Measurement& m : measurements_)
    if (m.phase == Phase::measuring && now >= m.since) m.phase = Phase::ready;
  if (!active_) return;
  if (awaiting_ && now >= deadline_) {
    if (heard_ != GERBANG_REASON_NONE)
      failed(heard_, heard_why_, now);
    else if (!lines_.empty())
      failed(GERBANG_REASON_PROTOCOL, "half an answer", now);
    else
      failed(GERBANG_REASON_TIMEOUT, "no answer", now);
  } else if (active().phase == Phase::waiting && now >= active().since) {
    begin_fetching();  // the service request was lost; the values may be there
  }
}

Bus::Time Bus::wake(Time now) const {
  Time next = Time::max();
  for (const Measurement& m : measurements_) {
    if (m.phase == Phase::measuring || m.phase == Phase::waiting) next = std::min(next, m.since);
    const bool next_in_line =
        m.phase == Phase::ready || (m.phase == Phase::queued && !device_is_busy(m));
    if (next_in_line && !active_) next = std::min(next, std::max(now, rests_until(m)));
  }
  if (!active_) return next;
  if (awaiting_) return std::min(next, deadline_);
  if (active().phase != Phase::waiting) next = std::min(next, std::max(now, rests_until(active())));
  return next;
}

void Bus::line_lost() {
  for (std::size_t i = 0; i < measurements_.size(); ++i) {
    Measurement& m = measurements_[i];
    if (m.phase == Phase::idle) continue;
    outcomes_.push_back({i, GERBANG_REASON_NO_CONNECTION, {}, "the port is gone"});
    m.phase = Phase::idle;
    m.values.clear();
  }
  active_.reset();
  awaiting_ = false;
  attempt_ = 0;
  not_before_ = {};
  lines_.clear();
  devices_.fill({});
}

}  // namespace gerbang::sdi12
