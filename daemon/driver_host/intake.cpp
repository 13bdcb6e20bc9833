// SPDX-License-Identifier: Apache-2.0
#include "driver_host/intake.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/reading.hpp"
#include "driver_host/text.hpp"

namespace gerbang::driver_host {
namespace {

constexpr std::int64_t kAhead = 1'000'000'000;  // a stamp may be this far ahead of now
constexpr std::uint32_t kIntegerBit = 1u << 4;
constexpr std::size_t kMaxText = 1024;

// Fields of a struct of the driver, as far as its size covers ours.
template <class T>
T copy_of(const void* at, std::uint32_t size) {
  T out{};
  std::memcpy(&out, at, std::min<std::size_t>(size, sizeof out));
  return out;
}

}  // namespace

const char* name(Fault fault) {
  switch (fault) {
    case Fault::struct_size:
      return "struct_size";
    case Fault::unknown_sensor:
      return "unknown_sensor";
    case Fault::quality:
      return "quality";
    case Fault::flood:
      return "flood";
    case Fault::outside_call:
      return "outside_call";
    case Fault::event:
      return "event";
    case Fault::time:
      return "time";
    case Fault::reason:
      return "reason";
  }
  return "unknown";
}

Intake::Intake(const std::vector<std::uint32_t>& sensors) {
  for (std::uint32_t index : sensors) sensors_.push_back({index, false});
  std::sort(sensors_.begin(), sensors_.end(),
            [](const Slot& a, const Slot& b) { return a.index < b.index; });
}

bool Intake::known(std::uint32_t sensor, bool answers) {
  if (any_sensor_) return sensor < kMaxDecoded;
  auto slot = std::lower_bound(sensors_.begin(), sensors_.end(), sensor,
                               [](const Slot& s, std::uint32_t index) { return s.index < index; });
  if (slot == sensors_.end() || slot->index != sensor) return false;
  if (answers && !std::exchange(slot->answered, true)) ++answered_;
  return true;
}

void Intake::refuse(Fault fault, std::uint64_t count, const std::string& detail) {
  auto i = static_cast<std::size_t>(fault);
  if (refuses(fault)) refused_[i] += count;
  if (std::exchange(noticed_[i], true)) return;
  std::string notice = refuses(fault) ? "refused from the driver: " : "corrected: ";
  notice += name(fault);
  if (!detail.empty()) notice += " (" + detail + ")";
  notices_.push_back(notice + "; further ones are only counted");
}

std::int64_t Intake::stamp(std::int64_t boottime_ns, std::int64_t now) {
  if (boottime_ns == 0) return now;
  if (boottime_ns > 0 && boottime_ns <= now + kAhead) return boottime_ns;
  refuse(Fault::time, 1,
         "stamped " + std::to_string(boottime_ns) + " ns at " + std::to_string(now) + " ns");
  return now;
}

std::size_t Intake::take(const gerbang_reading* first, std::size_t count, std::int64_t now) {
  if (count == 0) return 0;
  if (first == nullptr || first->size < sizeof(gerbang_reading)) {
    refuse(Fault::struct_size, count,
           first == nullptr ? "no readings behind a count of " + std::to_string(count)
                            : "readings of " + std::to_string(first->size) + " bytes");
    return count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (full()) return i;
    if (left_ == 0) {
      refuse(Fault::flood, count - i,
             "more than " + std::to_string(kMaxPerCall) + " readings in one call");
      return count;
    }
    --left_;
    auto* at = reinterpret_cast<const std::byte*>(first) + i * first->size;
    take_one(copy_of<gerbang_reading>(at, first->size), now);
  }
  return count;
}

void Intake::take_one(gerbang_reading reading, std::int64_t now) {
  auto flag = flag_of(reading.quality);
  if (!flag) {
    refuse(Fault::quality, 1, "quality " + std::to_string(reading.quality));
    return;
  }
  if (!known(reading.sensor, true)) {
    refuse(Fault::unknown_sensor, 1, "sensor " + std::to_string(reading.sensor));
    return;
  }
  bool is_integer = (reading.flags & GERBANG_HAS_INTEGER) != 0;
  auto reason = reason_of(reading.reason);
  if (!reason) {
    refuse(Fault::reason, 1, "reason " + std::to_string(reading.reason));
    reason = Reason::driver;
  }
  if (flag != Flag::missing && !is_integer && !std::isfinite(reading.number)) {
    flag = Flag::missing;
    reason = Reason::not_a_number;
  }
  if (flag == Flag::missing && reason == Reason::none) reason = Reason::driver;

  auto quality = static_cast<std::uint32_t>(*flag) | static_cast<std::uint32_t>(*reason) << 8;
  if (flag != Flag::missing) {
    saw_number_ = true;
    if (is_integer) {
      quality |= kIntegerBit;
      columns_.add_integer(reading.integer);
    } else {
      columns_.add_number(reading.number);
    }
  }
  columns_.add_sensor(reading.sensor);
  columns_.add_quality(quality);
  std::int64_t boot = stamp(reading.boottime_ns, now);
  columns_.add_boot_ns(boot - last_boot_);
  last_boot_ = boot;
  // The column stays away as long as no device stamps anything.
  std::int64_t unix_ns = std::max<std::int64_t>(reading.unix_ns, 0);
  if (unix_ns != 0 || columns_.unix_ns_size() > 0) {
    columns_.mutable_unix_ns()->Resize(columns_.sensor_size() - 1, 0);
    columns_.add_unix_ns(unix_ns);
  }
}

bool Intake::take(const gerbang_event* event, std::int64_t now, host::v1::Event& out) {
  if (event == nullptr || event->size < sizeof(gerbang_event)) {
    refuse(Fault::struct_size, 1, "event");
    return false;
  }
  if (left_ == 0) {
    refuse(Fault::flood, 1, "events");
    return false;
  }
  --left_;
  auto in = copy_of<gerbang_event>(event, event->size);
  if (!known(in.sensor, true)) {
    refuse(Fault::unknown_sensor, 1, "event of sensor " + std::to_string(in.sensor));
    return false;
  }
  bool fields_fit = in.field_count == 0 || (in.fields != nullptr && in.field_count <= kMaxFields &&
                                            in.fields->size >= sizeof(gerbang_field));
  if (in.kind == nullptr || !fields_fit) {
    refuse(Fault::event, 1,
           in.kind == nullptr
               ? "no kind"
               : "fields missing, too short, or more than " + std::to_string(kMaxFields));
    return false;
  }
  saw_number_ = true;
  out.set_sensor(in.sensor);
  out.set_kind(clean_text(in.kind, 64));
  out.set_text(clean_text(in.text, kMaxText));
  out.set_boot_ns(stamp(in.boottime_ns, now));
  out.set_unix_ns(std::max<std::int64_t>(in.unix_ns, 0));
  for (std::size_t i = 0; i < in.field_count; ++i) {
    auto* at = reinterpret_cast<const std::byte*>(in.fields) + i * in.fields->size;
    auto field = copy_of<gerbang_field>(at, in.fields->size);
    if (field.name == nullptr || !std::isfinite(field.value)) {
      refuse(Fault::event, 1, "a field without a name or a finite value");
      continue;
    }
    host::v1::EventField& copy = *out.add_fields();
    copy.set_name(clean_text(field.name, 64));
    copy.set_unit(clean_text(field.unit, 64));
    copy.set_value(field.value);
  }
  return true;
}

void Intake::clear() {
  columns_.Clear();
  last_boot_ = 0;
}

std::vector<std::uint32_t> Intake::unanswered() const {
  std::vector<std::uint32_t> out;
  for (const Slot& slot : sensors_)
    if (!slot.answered) out.push_back(slot.index);
  return out;
}

void Intake::report(host::v1::Heartbeat& out) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (refused_[i] == 0) continue;
    host::v1::Refused& entry = *out.add_refused();
    entry.set_reason(name(static_cast<Fault>(i)));
    entry.set_count(std::exchange(refused_[i], 0));
  }
}

}  // namespace gerbang::driver_host
