// SPDX-License-Identifier: Apache-2.0
//
// What stands on an SDI-12 line: answers to a command that the first byte chooses, in pieces with
// pauses between. Every measurement must end, and only with values that were on the line.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "../../drivers/sdi12/bus.hpp"

using namespace gerbang::sdi12;
using namespace std::chrono_literals;

namespace {

constexpr const char* kNames[] = {"M", "MC", "C", "CC", "R0", "RC0", "V", "M9"};

void check(const Bus::Outcome& outcome) {
  if ((outcome.reason == GERBANG_REASON_NONE) == outcome.values.empty()) std::abort();
  if ((outcome.reason == GERBANG_REASON_NONE) != outcome.why.empty()) std::abort();
  for (const double value : outcome.values)
    if (!std::isfinite(value)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Bus bus{{}};
  Bus::Time now = 1s;
  const auto a = bus.add('0', *command_of(kNames[data[0] % 8]));
  const auto b = bus.add('1', *command_of(kNames[data[1] % 8]));
  bus.want(a, now);
  bus.want(b, now);
  // 0xFF is a pause, and the line is asked for its next command there; the rest are bytes.
  for (std::size_t i = 2; i < size; ++i) {
    if (data[i] == 0xFF) now += 130ms;
    if (bus.next_command(now)) bus.sent(now);
    if (data[i] != 0xFF) bus.take({&data[i], 1}, now);
    bus.advance(now);
    for (const auto& outcome : bus.take_outcomes()) check(outcome);
  }
  // Silence ends whatever is left, within a bounded number of steps.
  for (int steps = 0; bus.under_way(a) || bus.under_way(b); ++steps) {
    if (steps > 1000) std::abort();
    if (bus.next_command(now)) bus.sent(now);
    const Bus::Time next = bus.wake(now);
    if (next == Bus::Time::max()) std::abort();
    now = std::max(now + 1us, next);
    bus.advance(now);
    for (const auto& outcome : bus.take_outcomes()) check(outcome);
  }
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)parse_identity(text);
  (void)parse_values(text);
  return 0;
}
