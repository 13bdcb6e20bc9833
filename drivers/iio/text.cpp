// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace gerbang::iio {
namespace {

constexpr std::int64_t kPowerOn = 85'000;
constexpr std::int64_t kNear = 10'000;  // faster than that no water, air or waste becomes hot

tl::unexpected<Refusal> refused(gerbang_reason reason, std::string why) {
  return tl::unexpected(Refusal{reason, std::move(why)});
}

std::string shown(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 40)) out += c >= ' ' && c < '\x7f' ? c : ' ';
  return '"' + out + '"';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string without_digits(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return !is_digit(c); });
  return out;
}

struct Unit {
  std::string_view kind, text;
};

// Documentation/ABI/testing/sysfs-bus-iio and Documentation/hwmon/sysfs-interface of the kernel.
constexpr Unit kIioUnits[] = {
    {"temp", "milli-°C"},
    {"humidityrelative", "milli-%"},
    {"pressure", "kPa"},
    {"massconcentration", "µg/m³"},
    {"concentration", "%"},
    {"voltage", "mV"},
    {"current", "mA"},
    {"power", "mW"},
    {"resistance", "Ω"},
    {"illuminance", "lx"},
    {"electricalconductivity", "S/m"},
    {"distance", "m"},
    {"angl", "rad"},
    {"velocity", "m/s"},
    {"accel", "m/s²"},
    {"energy", "J"},
};
constexpr Unit kHwmonUnits[] = {
    {"temp", "milli-°C"}, {"humidity", "milli-%"}, {"in", "mV"},     {"curr", "mA"},
    {"power", "µW"},      {"energy", "µJ"},        {"fan", "1/min"}, {"freq", "Hz"},
};

}  // namespace

Value number_of(std::string_view text) {
  const auto end = text.find_first_of(" \n");
  const std::string_view word = text.substr(0, end);
  const char* const last = word.data() + word.size();
  Number out;
  if (auto read = std::from_chars(word.data(), last, out.integer);
      read.ec == std::errc() && read.ptr == last) {
    out.is_integer = true;
    return out;
  }
  out.integer = 0;
  if (auto read = std::from_chars(word.data(), last, out.real);
      read.ec != std::errc() || read.ptr != last)
    return refused(GERBANG_REASON_PROTOCOL, shown(text) + " is no number");
  if (!std::isfinite(out.real))
    return refused(GERBANG_REASON_NOT_A_NUMBER, shown(text) + " is no number");
  return out;
}

Number processed(const Number& raw, const std::optional<Number>& offset,
                 const std::optional<Number>& scale) {
  if (!offset && !scale) return raw;
  const double factor = scale ? scale->value() : 1.0;
  return {false, 0, (raw.value() + (offset ? offset->value() : 0.0)) * factor};
}

Value w1_of(std::string_view text) {
  const auto line_end = text.find('\n');
  const std::string_view check = text.substr(0, line_end);
  if (check.find("crc=") == std::string_view::npos)
    return refused(GERBANG_REASON_PROTOCOL, shown(text) + " is not what the kernel writes");
  if (!check.ends_with("YES"))
    return refused(GERBANG_REASON_CRC, "the checksum of the thermometer's answer is wrong");
  // A bus that is shorted answers zeros, and their checksum is right.
  if (check.starts_with("00 00 00 00 00 00 00 00 00"))
    return refused(GERBANG_REASON_DEVICE_FAULT,
                   "only zeros: the bus is shorted, or has no pull-up");
  const auto at = text.find("t=");
  if (at == std::string_view::npos)
    return refused(GERBANG_REASON_PROTOCOL, shown(text) + " holds no temperature");
  auto number = number_of(text.substr(at + 2));
  if (number && !number->is_integer)
    return refused(GERBANG_REASON_PROTOCOL, shown(text) + " holds no temperature");
  return number;
}

bool looks_like_power_on(std::int64_t millidegrees, std::optional<std::int64_t> before) {
  return millidegrees == kPowerOn && (!before || std::abs(*before - kPowerOn) > kNear);
}

std::string channel_of(std::string_view text) {
  if (text.starts_with("in_")) text.remove_prefix(3);
  for (std::string_view suffix : {"_input", "_raw"})
    if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return std::string(text);
}

std::vector<std::string> owners_of(std::string_view channel) {
  std::vector<std::string> out;
  auto add = [&](std::string name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(std::move(name));
  };
  const std::string_view kind = channel.substr(0, channel.find('_'));  // without its modifier
  add(std::string(channel));
  add(without_digits(channel));
  add(std::string(kind));
  add(without_digits(kind));
  return out;
}

std::string_view unit_of(Bus bus, std::string_view channel) {
  if (bus == Bus::w1) return "milli-°C";
  // "massconcentration" before "concentration": the whole beginning counts.
  if (bus == Bus::iio) {
    for (const Unit& unit : kIioUnits)
      if (channel.starts_with(unit.kind)) return unit.text;
    return {};
  }
  for (const Unit& unit : kHwmonUnits)
    if (channel.starts_with(unit.kind) && channel.size() > unit.kind.size() &&
        is_digit(channel[unit.kind.size()]))
      return unit.text;
  return {};
}

gerbang_reason reason_of(int error) {
  switch (error) {
    case ENOENT:  // it was unplugged while it was read
    case ENODEV:
    case ENXIO:
    case ENOTDIR:
    case EACCES:
    case EPERM:
      return GERBANG_REASON_NO_CONNECTION;
    case EAGAIN:  // no sample yet
    case EBUSY:
    case ETIMEDOUT:
    case ETIME:
      return GERBANG_REASON_TIMEOUT;
    case EBADMSG:  // what drivers say of a wrong checksum
    case EILSEQ:
      return GERBANG_REASON_CRC;
    default:  // EIO, EREMOTEIO, ENODATA, EINVAL …
      return GERBANG_REASON_DEVICE_FAULT;
  }
}

}  // namespace gerbang::iio
