// SPDX-License-Identifier: Apache-2.0
#include "captured.hpp"

#include <algorithm>
#include <array>

namespace gerbang::particulate {
namespace {

std::string hexadecimal(std::uint32_t number, int digits) {
  std::string out;
  for (int i = digits - 1; i >= 0; --i) out += "0123456789ABCDEF"[number >> (4 * i) & 15];
  return "0x" + out;
}

std::string checksums(std::uint32_t sent, std::uint32_t computed, int digits) {
  return "the checksum is wrong: the frame says " + hexadecimal(sent, digits) +
         ", its bytes give " + hexadecimal(computed, digits);
}

std::string cut(std::size_t have, std::size_t need) {
  return "the frame is cut: " + std::to_string(have) + " of " + std::to_string(need) + " bytes";
}

// What a whole command to a sensor is, if one stands here.
std::string command_in(Bytes b) {
  constexpr const char* kNot = ", not its answer";
  if (b.size() >= 7 && b[0] == 0x42 && b[1] == 0x4D &&
      (serial::sum(b.first(5)) & 0xFFFF) == serial::big16(b, 5)) {
    const char* what = b[2] == 0xE1   ? (b[4] == 0 ? "be passive" : "be active")
                       : b[2] == 0xE2 ? "measure"
                       : b[2] == 0xE4 ? (b[4] == 0 ? "sleep" : "wake up")
                                      : nullptr;
    if (what != nullptr) return "this tells a Plantower sensor to " + std::string(what) + kNot;
  }
  if (b.size() >= 19 && b[0] == 0xAA && b[1] == 0xB4 && b[18] == 0xAB)
    return std::string("this is a question or a setting for an SDS011") + kNot;
  return {};
}

// Of a sound SHDLC frame.
std::string shdlc_meaning(Bytes inside) {
  struct Command {
    std::uint8_t code;
    const char* name;
  };
  constexpr std::array kCommands{Command{0x00, "start measuring"},
                                 Command{0x01, "stop measuring"},
                                 Command{0x03, "read values"},
                                 Command{0x10, "sleep"},
                                 Command{0x11, "wake up"},
                                 Command{0x56, "clean the fan"},
                                 Command{0x80, "auto-clean"},
                                 Command{0xD0, "device information"},
                                 Command{0xD1, "version"},
                                 Command{0xD2, "device status"},
                                 Command{0xD3, "reset"}};
  const auto* known = std::find_if(kCommands.begin(), kCommands.end(),
                                   [&](const Command& c) { return c.code == inside[1]; });
  if (known == kCommands.end()) return {};
  const std::string name = std::string(" \"") + known->name + "\"";
  if (inside.size() == std::size_t{4} + inside[2])
    return "this is the command" + name + " to an SPS30, not its answer";
  return "this is an SPS30's answer to the command" + name +
         "; only that to \"read values\" holds any";
}

// What is wrong with the first thing that looks like a frame.
std::string explain(Bytes b) {
  for (; !b.empty(); b = b.subspan(1)) {
    if (const std::string command = command_in(b); !command.empty()) return command;
    if (b.size() >= 4 && b[0] == 0x42 && b[1] == 0x4D) {
      const std::size_t size = 4u + serial::big16(b, 2);
      if (size < 8 || size > 64)
        return "a Plantower frame cannot have " + std::to_string(size) + " bytes";
      if (b.size() < size) return cut(b.size(), size);
      return checksums(serial::big16(b, size - 2), serial::sum(b.first(size - 2)) & 0xFFFF, 4);
    }
    if (b.size() >= 2 && b[0] == 0xAA && b[1] == 0xC0) {
      if (b.size() < 10) return cut(b.size(), 10);
      if (b[9] != 0xAB) return "the SDS011 frame does not end with AB";
      return checksums(b[8], serial::sum(b.subspan(2, 6)) & 0xFF, 2);
    }
    if (b.size() >= 2 && b[0] == 0x7E && b[1] != 0x7E) {
      const auto end = std::find(b.begin() + 1, b.end(), 0x7E);
      if (end == b.end()) return "the SHDLC frame does not end with 7E";
      const auto inside = unstuff(b.subspan(1, static_cast<std::size_t>(end - b.begin()) - 1));
      if (!inside) return "the byte stuffing is wrong: after 7D come 5E, 5D, 31 or 33 only";
      if (inside->size() < 4) return cut(inside->size() + 2, 6);
      const auto computed = shdlc_checksum(Bytes(*inside).first(inside->size() - 1));
      if (computed != inside->back()) return checksums(inside->back(), computed, 2);
      const bool command = inside->size() == std::size_t{4} + (*inside)[2];
      const std::string meaning = shdlc_meaning(*inside);
      if (!meaning.empty() && (command || (*inside)[1] != 0x03)) return meaning;
      if (inside->size() < 5) return "this is a question to an SPS30, not its answer";
      if (inside->size() != std::size_t{5} + (*inside)[3])
        return "the SHDLC frame holds " + std::to_string(inside->size() - 5) +
               " bytes of data, but says " + std::to_string((*inside)[3]);
    }
  }
  return "no frame begins in these bytes (42 4D: Plantower, AA C0: SDS011, 7E: SPS30)";
}

std::string why_not(const Event& event) {
  switch (event.kind) {
    case Event::Kind::fault:
      return std::string(name_of(event.model)) + " says that it cannot measure, code " +
             hexadecimal(event.code, 2);
    case Event::Kind::no_new_data:
      return "the SPS30 says that it has no new data: it was asked twice within a second, or does "
             "not measure";
    case Event::Kind::idle:
      return "the SPS30 has not been told to measure";
    case Event::Kind::started:
      return "the SPS30 has begun to measure; this frame holds no value";
    default:
      return event.text;
  }
}

}  // namespace

Captured decode_captured(Bytes bytes, std::optional<Model> model) {
  Codec codec(model);
  Captured out;
  auto look_through = [&](std::span<const Event> events) {
    for (const Event& event : events) {
      if (event.kind == Event::Kind::broken)
        ++out.broken;
      else if (event.kind != Event::Kind::measurement)
        out.why = why_not(event);
      else if (out.event)
        ++out.more;
      else
        out.event = event;
    }
  };
  look_through(codec.feed(bytes));
  look_through(codec.silence());
  if (out.event || !out.why.empty()) return out;
  if (model) {
    // Said only if it is the model that is wrong.
    const Captured other = decode_captured(bytes, std::nullopt);
    if (other.event) {
      out.why = "this frame is of model " + std::string(name_of(other.event->model)) + ", not " +
                std::string(name_of(*model));
      return out;
    }
  }
  out.why = explain(bytes);
  return out;
}

}  // namespace gerbang::particulate
