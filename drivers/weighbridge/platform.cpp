// SPDX-License-Identifier: Apache-2.0
#include "platform.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gerbang::weighbridge {
namespace {

using namespace std::chrono_literals;
using serial::Clock;

constexpr auto kGather = 20ms;
constexpr Time kSilence = 500ms;  // no indicator pauses so long within a frame
constexpr Time kUnknown = 3s;     // a stream that is not recognised by then will not be
constexpr Time kTellEvery = 1min;
// An indicator answers within 100 ms; 20 characters with 1200 baud need 200 ms, adapters add some.
constexpr Time kAnswers = 500ms;
constexpr Time kLatest = 7s;  // an answer that is later is not reckoned with

serial::Settings gathering(serial::Settings settings) {
  settings.gather = kGather;
  return settings;
}

std::string kilograms(std::optional<double> kg) {
  if (!kg) return "not known";
  std::string text = std::to_string(*kg);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " kg";
}

}  // namespace

Platform::Platform(driver::Host host, serial::Settings line, std::vector<Sensor> sensors,
                   const Settings& settings)
    : host_(host),
      sensors_(std::move(sensors)),
      settings_(settings),
      line_(host, gathering(std::move(line)), "indicator"),
      turns_(sensors_.size()),
      dialogue_(kAnswers, kLatest),
      recogniser_(settings.dialect),
      steadiness_(settings.equal_readings),
      finder_(settings.weighing) {
  if (settings_.format) decoder_.emplace(*settings_.format, settings_.dialect);
  const Time now = host_.boottime();
  for (const Sensor& sensor : sensors_) schedule_.add(sensor.interval, now);
  for (const Channel channel : {Channel::tare, Channel::gross, Channel::weighing})
    for (const Sensor& sensor : sensors_)
      if (sensor.channel == channel) {
        event_sensor_ = sensor.index;
        event_tare_ = sensor.stored_tare;
      }
}

gerbang_status Platform::poll(std::chrono::milliseconds budget) {
  const Time deadline = host_.boottime() + budget;
  served_ = false;
  Time now;
  do {
    now = host_.boottime();
    line_.open();
    note_opening(now);
    for (const std::size_t due : schedule_.take(now)) turns_[due].waiting = true;
    serve(now);
    if (served_) break;  // readings travel when poll returns
    ask(now);
    Time until = std::min(deadline, schedule_.next());
    if (asks()) until = std::min(until, next_question(now));
    for (const Turn& turn : turns_)
      if (turn.waiting)
        until = std::min(until, std::max(newest_at_, opened_at_) + settings_.timeout + 1ms);
    listen(until);
    now = host_.boottime();
    tell_refused(now);
  } while (now < deadline && !host_.stopping());
  return GERBANG_OK;
}

void Platform::ask(Time now) {
  if (!asks() || now < next_question(now)) return;
  ask_at_ = now + settings_.request_interval;
  dialogue_.asked(now);
  heard_ = 0;
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(settings_.request.data()),
                    settings_.request.size());
  line_.write(bytes, Clock::now() + 200ms);
}

void Platform::note_opening(Time now) {
  if (line_.openings() == openings_) return;
  openings_ = line_.openings();  // another beginning, perhaps another indicator
  opened_at_ = now;
  newest_at_ = bytes_at_ = unused_at_ = {};
  if (dialogue_.waits()) dialogue_.doubt();
  damaged_ = GERBANG_REASON_NONE;
  steadiness_.interrupt();
  kinds_ = {};
  recogniser_.reset();
  if (decoder_) decoder_->reset();
}

void Platform::listen(Time until) {
  const Bytes bytes = line_.read_some(Clock::now() + std::max(until - host_.boottime(), Time(0)));
  const Time now = host_.boottime();
  note_opening(now);
  if (!bytes.empty()) {
    bytes_at_ = now;
    silent_ = false;
    heard_ += bytes.size();
    if (heard_ > settings_.request.size()) dialogue_.garbled();  // more than an echo
    decoder_ ? feed(bytes, now) : recognise(bytes, now);
  } else if (!silent_ && now - bytes_at_ > kSilence) {
    silent_ = true;
    if (decoder_)
      for (const Item& item : decoder_->silence()) take(item, now);
  }
}

void Platform::recognise(Bytes bytes, Time now) {
  const auto format = recogniser_.feed(bytes);
  if (!format) {
    if (unknown_since_ == Time{}) unknown_since_ = now;
    if (now - unknown_since_ > kUnknown && !std::exchange(told_unknown_, true))
      host_.warning(
          "the indicator sends something, but no format is recognised in it: is the line of other "
          "speed or parity (" +
          serial::text_of(line_.settings()) +
          " now)? gerbangctl scan serial listens at all usual ones");
    return;
  }
  const std::string name(name_of(*format));
  host_.info("the indicator sends the format " + name + "; write format = \"" + name +
             "\" so that nothing has to be recognised at the next start");
  decoder_.emplace(*format, settings_.dialect);
  dialogue_.doubt();
  feed(bytes, now);
}

void Platform::feed(Bytes bytes, Time now) {
  const bool knew = decoder_->knows_a_length();
  const std::vector<Item>& items = decoder_->feed(bytes);
  if (asks() && !knew && decoder_->knows_a_length()) use(now);
  for (const Item& item : items)
    if (!asks() || !item.whole || use(now)) take(item, now);
}

// Whether an answer that has come may be used.
bool Platform::use(Time now) {
  const auto answer = dialogue_.answered(now);
  if (answer == serial::Dialogue::Answer::right) return true;
  unused_at_ = now;
  if (answer == serial::Dialogue::Answer::late) {
    ++refused_;
    refused_why_ =
        "an answer came when none was due: it may be a late one to an earlier question, so its "
        "weight is not used; if the indicator sends by itself, leave request away";
  }
  return false;
}

void Platform::take(const Item& item, Time now) {
  if (!item.good()) {
    ++refused_;
    refused_why_ = item.why;
    if (item.refusal == Refusal::above_range || item.refusal == Refusal::other)
      steadiness_.interrupt();
    if (item.refusal == Refusal::above_range) finder_.above_range(now);
    if (item.refusal == Refusal::below_range)
      if (const auto weighing = finder_.below_range(now)) report(*weighing);
    if (!item.stated()) {
      damaged_ = item.reason;
      return;
    }
  } else {
    line_.understood();
    const bool at_rest = steadiness_.take(item.weight);
    if (event_sensor_)
      if (const auto weighing = finder_.take(item.weight, at_rest, now)) report(*weighing);
    if (!shows(item.weight, now)) return;
    at_rest_ = at_rest;
  }
  newest_ = item;
  newest_at_ = now;
  damaged_ = GERBANG_REASON_NONE;
}

// Whether the channel `weight` gives it: never the tare, and a net weight only where gross ones do
// not come as well (Turns), or have not come for longer than they are good for.
bool Platform::shows(const Weight& weight, Time now) {
  kinds_.take(weight.basis);
  if (weight.basis == Basis::tare) return false;
  return weight.basis != Basis::net || weight.tare || kinds_.alone() ||
         now - std::max(newest_at_, opened_at_) > settings_.timeout;
}

void Platform::report(Weighing weighing) {
  if (!event_sensor_) return;
  served_ = true;
  const double minimum = settings_.weighing.minimum;
  const Weighing told = event_tare_ ? with_stored_tare(weighing, *event_tare_, minimum) : weighing;
  const bool stored = told.tare && !weighing.tare;
  std::array<gerbang_field, 4> fields{};
  std::size_t used = 0;
  auto field = [&](const char* name, const char* unit, std::optional<double> value) {
    if (value) fields[used++] = {sizeof(gerbang_field), 0, name, unit, *value};
  };
  field("gross", "kg", told.gross);
  field("tare", "kg", told.tare);
  field("net", "kg", told.net);
  field("ticket", "", static_cast<double>(told.number));
  std::string text = "weighing " + std::to_string(told.number) + " since the driver was started";
  if (stored) text += "; stored tare";
  if (told.interrupted) text += "; the line was lost before the vehicle left";
  host_.emit(gerbang_event{sizeof(gerbang_event), *event_sensor_, "weighing", text.c_str(),
                           fields.data(), used, told.at.count(), 0});
  host_.info("gross " + kilograms(told.gross) + ", tare " + kilograms(told.tare) + ", net " +
             kilograms(told.net) + ": " + text);

  driver::Emitter out(host_, told.at);
  for (const Sensor& sensor : sensors_) {
    const Weighing own =
        sensor.stored_tare ? with_stored_tare(weighing, *sensor.stored_tare, minimum) : weighing;
    // A device's net weight near zero is that of a vehicle that was tared, not of a load.
    if (sensor.channel == Channel::weighing && own.net && *own.net >= minimum)
      out.number(sensor.index, *own.net);
    if (sensor.channel == Channel::gross && own.gross) out.number(sensor.index, *own.gross);
    if (sensor.channel == Channel::tare && own.tare) out.number(sensor.index, *own.tare);
  }
  if (!told.net && !told.tare && !std::exchange(told_no_net_, true))
    host_.warning(
        "a weighing has no net weight, because the indicator gives none and the sensor "
        "has no tare in its address; it counts as gross weight only");
}

void Platform::serve(Time now) {
  driver::Emitter out(host_, now);
  bool done = false;
  for (std::size_t i = 0; i < sensors_.size(); ++i)
    if (turns_[i].waiting && serve(sensors_[i], turns_[i], now, out)) {
      turns_[i].waiting = false;
      done = true;
    }
  if (!done) return;
  const gerbang_reason reason = trouble();
  host_.exchange("indicator", newest_at_ + settings_.timeout > now ? newest_.reason : reason, {});
  served_ = true;
}

// Whether its turn is over.
bool Platform::serve(const Sensor& sensor, Turn& turn, Time now, driver::Emitter& out) {
  const bool fresh = newest_at_ != Time{} && now - newest_at_ <= settings_.timeout;
  if (fresh && sensor.channel != Channel::weight) return true;  // nothing happened: nothing to say
  if (fresh && turn.given != newest_at_) {
    turn.given = newest_at_;
    const Decimal& shown = newest_.weight.shown;
    const auto quality = at_rest_ ? GERBANG_NOT_EVALUATED : GERBANG_SUSPECT;
    if (!newest_.good())
      out.missing(sensor.index, newest_.reason);
    else if (shown.whole())
      out.integer(sensor.index, static_cast<std::int64_t>(shown.value()), quality);
    else
      out.number(sensor.index, shown.value(), quality);
    return true;
  }
  const bool over = !line_.is_open() || now - std::max(newest_at_, opened_at_) > settings_.timeout;
  if (over) out.missing(sensor.index, trouble());
  return over;
}

// Why there is no weight, when there is none.
gerbang_reason Platform::trouble() const {
  if (!line_.is_open()) return GERBANG_REASON_NO_CONNECTION;
  if (damaged_ != GERBANG_REASON_NONE) return damaged_;
  const bool speaks =
      bytes_at_ != Time{} && bytes_at_ > std::max(newest_at_, unused_at_) && !silent_;
  return speaks ? GERBANG_REASON_PROTOCOL : GERBANG_REASON_TIMEOUT;
}

void Platform::tell_refused(Time now) {
  if (now < tell_at_) return;
  if (refused_ != refused_told_) {
    host_.warning(std::to_string(refused_ - refused_told_) +
                  " frame(s) gave no weight; the last: " + refused_why_);
    refused_told_ = refused_;
    tell_at_ = now + kTellEvery;
  }
  if (finder_.unweighed() != unweighed_told_) {
    host_.warning(std::to_string(finder_.unweighed() - unweighed_told_) +
                  " times something heavier than minimum left before it came to rest, or was above "
                  "the indicator's range: not counted");
    unweighed_told_ = finder_.unweighed();
    tell_at_ = now + kTellEvery;
  }
}

}  // namespace gerbang::weighbridge
