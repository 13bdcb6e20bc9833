// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <algorithm>

namespace gerbang::particulate {
namespace {

using serial::big16;
using serial::Look;

constexpr const char* kMass = "µg/m³";
constexpr const char* kPerDecilitre = "1/dL";  // Plantower counts in 0.1 L
constexpr const char* kPerCubicCentimetre = "1/cm³";

constexpr Channel kPms5003[] = {{"pm1", kMass},
                                {"pm2_5", kMass},
                                {"pm10", kMass},
                                {"pm1_cf1", kMass},
                                {"pm2_5_cf1", kMass},
                                {"pm10_cf1", kMass},
                                {"count_0_3", kPerDecilitre},
                                {"count_0_5", kPerDecilitre},
                                {"count_1", kPerDecilitre},
                                {"count_2_5", kPerDecilitre},
                                {"count_5", kPerDecilitre},
                                {"count_10", kPerDecilitre}};
constexpr Channel kSds011[] = {{"pm2_5", kMass}, {"pm10", kMass}};
constexpr Channel kSps30[] = {{"pm1", kMass},
                              {"pm2_5", kMass},
                              {"pm4", kMass},
                              {"pm10", kMass},
                              {"number_0_5", kPerCubicCentimetre},
                              {"number_1", kPerCubicCentimetre},
                              {"number_2_5", kPerCubicCentimetre},
                              {"number_4", kPerCubicCentimetre},
                              {"number_10", kPerCubicCentimetre},
                              {"typical_size", "µm"}};

constexpr std::uint8_t kFlag = 0x7E;
constexpr std::size_t kPmsAround = 4;    // header and length
constexpr std::size_t kPmsLongest = 64;  // of the family the longest have 40 bytes

bool is_pms(Model model) {
  return model == Model::pms5003 || model == Model::pms7003 || model == Model::pms3003;
}

Look look_pms(Bytes b) {
  if (b.size() >= 2 && b[1] != 0x4D) return Look::noise();
  if (b.size() < kPmsAround) return Look::incomplete();
  const std::size_t size = kPmsAround + big16(b, 2);
  if (size > kPmsLongest || size % 2 != 0 || size < kPmsAround + 4) return Look::noise();
  if (b.size() < size) return Look::incomplete();
  return (serial::sum(b.first(size - 2)) & 0xFFFF) == big16(b, size - 2) ? Look::frame(size)
                                                                         : Look::broken();
}

Look look_sds(Bytes b) {
  constexpr std::size_t kSize = 10;
  if (b.size() >= 2 && b[1] != 0xC0) return Look::noise();
  if (b.size() < kSize) return Look::incomplete();
  if (b[9] != 0xAB) return Look::noise();
  return (serial::sum(b.subspan(2, 6)) & 0xFF) == b[8] ? Look::frame(kSize) : Look::broken();
}

// Address, command, state, length, data, checksum. What we ask is no answer: it has no state.
Look look_sps(Bytes b) {
  const auto end = std::find(b.begin() + 1, b.end(), kFlag);
  if (end == b.end()) return Look::incomplete();
  const auto size = static_cast<std::size_t>(end - b.begin()) + 1;
  if (size == 2) return Look::noise();  // the end of one frame and the begin of the next
  const auto inside = unstuff(b.subspan(1, size - 2));
  if (!inside || inside->size() < 4) return Look::noise();
  const std::size_t n = inside->size();
  const bool right = shdlc_checksum(Bytes(*inside).first(n - 1)) == inside->back();
  if ((*inside)[2] == n - 4 && right) return Look::noise(size);  // the echo of a question
  if (n < 5 || (*inside)[3] != n - 5) return Look::noise();
  return right ? Look::frame(size) : Look::broken();
}

Event measurement(Model model, bool whole) {
  Event event;
  event.kind = Event::Kind::measurement;
  event.model = model;
  event.whole = whole;
  return event;
}

std::optional<Event> decode_pms(Bytes f, std::optional<Model> wanted) {
  const std::size_t length = big16(f, 2);
  if (length == 4) return std::nullopt;  // the answer to a command
  if (length != 0x1C && length != 0x14) {
    Event event;
    event.kind = Event::Kind::refused;
    event.text =
        "Plantower frames of " + std::to_string(f.size()) +
        " bytes are of no model that this driver knows (32: pms5003, pms7003; 24: pms3003)";
    return event;
  }
  const bool small = length == 0x14;
  if (wanted && (*wanted == Model::pms3003) != small) {
    Event event;
    event.kind = Event::Kind::refused;
    event.text = "frames of " + std::to_string(f.size()) + " bytes are not those of a " +
                 std::string(name_of(*wanted)) + "; is it a " + (small ? "pms3003" : "pms5003") +
                 "?";
    return event;
  }
  Event event = measurement(small ? Model::pms3003 : wanted.value_or(Model::pms5003), true);
  for (std::size_t i = 0; i < 3; ++i) {
    event.values[i] = big16(f, 10 + 2 * i);     // atmospheric
    event.values[3 + i] = big16(f, 4 + 2 * i);  // CF = 1
  }
  if (small) return event;
  for (std::size_t i = 0; i < 6; ++i) event.values[6 + i] = big16(f, 16 + 2 * i);
  event.code = f[29];
  if (event.code != 0) event.kind = Event::Kind::fault;
  return event;
}

Event decode_sds(Bytes f) {
  Event event = measurement(Model::sds011, false);
  event.values[0] = serial::little16(f, 2) / 10.0;
  event.values[1] = serial::little16(f, 4) / 10.0;
  return event;
}

std::optional<Event> decode_sps(Bytes f) {
  constexpr std::uint8_t kStart = 0x00, kRead = 0x03;
  constexpr std::uint8_t kNotNow = 0x43;       // not allowed in this state
  constexpr std::uint8_t kDeviceError = 0x80;  // a flag of the device status register is set
  const std::vector<std::uint8_t> inside = *unstuff(f.subspan(1, f.size() - 2));
  const std::uint8_t command = inside[1], state = inside[2], length = inside[3];
  Event event = measurement(Model::sps30, false);
  event.code = state;
  if (command == kStart) {
    if (state != 0) return std::nullopt;  // it measures already
    event.kind = Event::Kind::started;
    return event;
  }
  if (command != kRead) return std::nullopt;
  if ((state & 0x7F) == kNotNow) {
    event.kind = Event::Kind::idle;
  } else if (state != 0) {
    event.kind = Event::Kind::fault;
    event.code = (state & kDeviceError) != 0 ? kDeviceError : state;
  } else if (length == 0) {
    event.kind = Event::Kind::no_new_data;
  } else if (length != 40) {
    event.kind = Event::Kind::refused;
    event.text = "an answer with " + std::to_string(length) +
                 " bytes instead of 40: another program has started it with integers; switch the "
                 "sensor off and on";
  } else {
    for (std::size_t i = 0; i < 10; ++i)
      event.values[i] = static_cast<double>(serial::big_float(inside, 4 + 4 * i));
  }
  return event;
}

}  // namespace

std::string_view name_of(Model model) {
  switch (model) {
    case Model::pms5003:
      return "pms5003";
    case Model::pms7003:
      return "pms7003";
    case Model::pms3003:
      return "pms3003";
    case Model::sds011:
      return "sds011";
    case Model::sps30:
      return "sps30";
  }
  return "";
}

std::span<const Channel> channels_of(Model model) {
  switch (model) {
    case Model::pms5003:
    case Model::pms7003:
      return kPms5003;
    case Model::pms3003:
      return std::span(kPms5003).first(6);
    case Model::sds011:
      return kSds011;
    case Model::sps30:
      return kSps30;
  }
  return {};
}

Look Codec::look(Bytes b) const {
  if (b[0] == 0x42 && (!model_ || is_pms(*model_))) return look_pms(b);
  if (b[0] == 0xAA && (!model_ || *model_ == Model::sds011)) return look_sds(b);
  if (b[0] == kFlag && (!model_ || *model_ == Model::sps30)) return look_sps(b);
  return Look::noise();
}

void Codec::took(Bytes frame) {
  std::optional<Event> event = frame[0] == 0x42   ? decode_pms(frame, model_)
                               : frame[0] == 0xAA ? decode_sds(frame)
                                                  : decode_sps(frame);
  if (event) events_.push_back(std::move(*event));
}

std::span<const Event> Codec::feed(Bytes bytes) {
  events_.clear();
  finder_.feed(
      bytes, [this](Bytes b) { return look(b); }, [this](Bytes b) { took(b); },
      [this](Bytes) { events_.emplace_back(); });
  return events_;
}

std::span<const Event> Codec::silence() {
  events_.clear();
  finder_.silence([this](Bytes b) { return look(b); }, [this](Bytes b) { took(b); },
                  [this](Bytes) { events_.emplace_back(); });
  return events_;
}

}  // namespace gerbang::particulate
