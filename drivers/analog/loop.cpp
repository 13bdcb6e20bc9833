// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <cmath>

namespace gerbang::analog {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw driver::Failure(GERBANG_CONFIG, text);
}

Limits limits_of(const driver::Values& options) {
  const Limits limits{options.number("loop_fault_low"), options.number("loop_suspect_low"),
                      options.number("loop_suspect_high"), options.number("loop_fault_high")};
  if (limits.fault_low > limits.suspect_low || limits.suspect_high > limits.fault_high)
    refuse("loop_fault_low, loop_suspect_low, loop_suspect_high and loop_fault_high must not fall");
  return limits;
}

// A share of the limit. Modules send float32, which is off by up to 6e-8 of the value: 3.6 mA
// arrives as 3.5999999, and is meant to be on the limit.
constexpr double kRounding = 1e-6;

bool is_below(double current, double limit) {
  return current < limit - limit * kRounding;
}
bool is_above(double current, double limit) {
  return current > limit + limit * kRounding;
}

}  // namespace

Measured measure(const Loop& loop, double number) {
  const double current = number * loop.scale + loop.offset;
  const Limits& limits = loop.limits;
  if (!std::isfinite(current)) return {GERBANG_MISSING, GERBANG_REASON_NOT_A_NUMBER, 0};
  if (is_below(current, limits.fault_low) || is_above(current, limits.fault_high))
    return {GERBANG_MISSING, GERBANG_REASON_DEVICE_FAULT, 0};
  const double value = loop.low + (current - 4) / 16 * (loop.high - loop.low);
  if (is_below(current, limits.suspect_low) || is_above(current, limits.suspect_high))
    return {GERBANG_SUSPECT, GERBANG_REASON_RANGE, value};
  return {GERBANG_NOT_EVALUATED, GERBANG_REASON_NONE, value};
}

void emit(driver::Emitter& emitter, std::uint32_t sensor, const Measured& measured) {
  if (measured.quality == GERBANG_MISSING)
    emitter.missing(sensor, measured.reason);
  else
    emitter.number(sensor, measured.value, measured.quality, measured.reason);
}

std::optional<Loop> loop_of(const driver::Values& address, const driver::Values& options,
                            const std::string& where) {
  if (!address.has("low") && !address.has("high")) return std::nullopt;
  if (!address.has("low") || !address.has("high"))
    refuse(where + "low and high belong together: the values at 4 and at 20 mA");
  Loop loop;
  loop.low = address.number("low");
  loop.high = address.number("high");
  if (!(loop.low != loop.high)) refuse(where + "low and high are the same");
  loop.limits = limits_of(options);
  return loop;
}

}  // namespace gerbang::analog
