// SPDX-License-Identifier: Apache-2.0
#include "captured.hpp"

#include <algorithm>

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

// What is wrong with the first thing that looks like a frame.
std::string explain(Bytes b) {
  for (; !b.empty(); b = b.subspan(1)) {
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
      if (inside->size() < 5) return "this is a question to an SPS30, not its answer";
      const auto computed = shdlc_checksum(Bytes(*inside).first(inside->size() - 1));
      if (computed != inside->back()) return checksums(inside->back(), computed, 2);
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
