// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <optional>
#include <string>

// A 4-20 mA loop: what the current means, and when it means that something is broken. Shared by the
// drivers whose channels measure currents; they have these keys in their addresses and options.
namespace gerbang::analog {

// NAMUR NE 43, in mA. The measuring range is 3.8 to 20.5: a transmitter that is saturated stays
// there. A current below 3.6 or above 21 is how a transmitter, or a broken wire, says that there is
// no measurement. What lies between is neither.
struct Limits {
  double fault_low = 3.6, suspect_low = 3.8, suspect_high = 20.5, fault_high = 21.0;
};

struct Loop {
  double low = 0, high = 0;  // the value at 4 and at 20 mA
  // Milliamperes = number of the channel × scale + offset.
  double scale = 1, offset = 0;
  Limits limits;
};

struct Measured {
  gerbang_quality quality = GERBANG_NOT_EVALUATED;
  gerbang_reason reason = GERBANG_REASON_NONE;
  double value = 0;  // no value when missing
};

// Values beyond 4 and 20 mA go on in a straight line, within the measuring range.
Measured measure(const Loop& loop, double number);

void emit(driver::Emitter& emitter, std::uint32_t sensor, const Measured& measured);

// ---- keys
// -----------------------------------------------------------------------------------------
inline constexpr driver::Spec kLow =
    driver::number("low", "4-20 mA: the value at 4 mA; the reading is then in the sensor's unit");
inline constexpr driver::Spec kHigh = driver::number("high", "4-20 mA: the value at 20 mA");

inline constexpr driver::Spec kFaultLow =
    driver::number("loop_fault_low", "4-20 mA: below so many mA the loop is broken (NE 43)")
        .range(0, 4)
        .otherwise("3.6");
inline constexpr driver::Spec kSuspectLow =
    driver::number("loop_suspect_low", "4-20 mA: below so many mA a reading is suspect (NE 43)")
        .range(0, 4)
        .otherwise("3.8");
inline constexpr driver::Spec kSuspectHigh =
    driver::number("loop_suspect_high", "4-20 mA: above so many mA a reading is suspect (NE 43)")
        .range(20, 30)
        .otherwise("20.5");
inline constexpr driver::Spec kFaultHigh =
    driver::number("loop_fault_high", "4-20 mA: above so many mA the loop is broken (NE 43)")
        .range(20, 30)
        .otherwise("21");

// Nothing when the address has neither low nor high. Failure(CONFIG) that begins with `where` when
// one is missing, or both are the same.
std::optional<Loop> loop_of(const driver::Values& address, const driver::Values& options,
                            const std::string& where);

}  // namespace gerbang::analog
