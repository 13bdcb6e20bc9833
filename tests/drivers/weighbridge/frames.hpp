// SPDX-License-Identifier: Apache-2.0
//
// Frames as the indicators' manuals describe them, made independently of the driver's code.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/pty.hpp"

namespace gerbang::test {

using FrameBytes = std::vector<std::uint8_t>;

inline FrameBytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}
inline FrameBytes join(FrameBytes a, const FrameBytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
[[gnu::format(printf, 1, 2)]] inline std::string print(const char* format, ...) {
  char out[100];
  va_list values;
  va_start(values, format);
  std::vsnprintf(out, sizeof out, format, values);
  va_end(values);
  return out;
}

// ST,GS,+0001234kg
inline FrameBytes st_gs(int kg, bool at_rest = true, const char* basis = "GS") {
  return bytes_of(print("%s,%s,%+08dkg\r\n", at_rest ? "ST" : "US", basis, kg));
}

// 18 bytes, whole kilograms.
inline FrameBytes toledo(int shown, bool at_rest = true, int tare = 0, bool checksum = true) {
  const bool net = tare != 0;
  const int status = 0x30 | (net ? 1 : 0) | (shown < 0 ? 2 : 0) | (at_rest ? 0 : 8);
  FrameBytes frame =
      bytes_of(print("\x02\x32%c %06d%06d\r", status, shown < 0 ? -shown : shown, tare));
  if (!checksum) return frame;
  unsigned sum = 0;
  for (const auto c : frame) sum += c;
  frame.push_back(static_cast<std::uint8_t>((0x80 - (sum & 0x7F)) & 0x7F));
  return frame;
}

// One kilogram weight in the format of that name (as in the option).
inline FrameBytes frame_of(const std::string& format, int kg) {
  if (format == "toledo") return toledo(kg);
  if (format == "and") return bytes_of(print("ST,%+09d kg\r\n", kg));
  if (format == "st-gs") return st_gs(kg);
  if (format == "cas-22") {
    FrameBytes frame = bytes_of(print("ST,GS,xx,%8d kg\r\n", kg));
    frame[6] = 0x01;
    frame[7] = 0x0D;  // lamps that look like the end of a line
    return frame;
  }
  if (format == "yaohua-a9") {
    FrameBytes frame = bytes_of(print("\x02%+07d0", kg));
    unsigned all = 0;
    for (std::size_t i = 1; i < frame.size(); ++i) all ^= frame[i];
    return join(frame, bytes_of(print("%02X\x03", all)));
  }
  if (format == "yaohua-equals") {
    const std::string text = print("%08.1f", static_cast<double>(kg));
    return bytes_of("=" + std::string(text.rbegin(), text.rend()));
  }
  if (format == "a12e") return bytes_of(print("ww%07d.00kg\r\n", kg));
  if (format == "mt-sics") return bytes_of(print("S S %10d.0 kg\r\n", kg));
  if (format == "rinstrum-a") return bytes_of(print("\x02%c%7dG\x03", kg < 0 ? '-' : ' ', kg));
  throw std::runtime_error("no such format: " + format);
}

}  // namespace gerbang::test
