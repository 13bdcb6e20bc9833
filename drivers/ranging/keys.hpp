// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <optional>
#include <span>
#include <string>

#include "codec.hpp"

namespace gerbang::ranging {

// What a sensor's address asks for: the distance, or with both distances a fill level.
struct Wanted {
  bool fill = false;
  double empty = 0, full = 0;  // mm
};
// Throws Failure(CONFIG); `where` begins its text.
Wanted wanted_of(const driver::Values& address, const std::string& where);

std::optional<Model> model_of(const driver::Values& options);
std::optional<int> no_target_of(const driver::Values& options);

// The reading of a frame.
void emit(driver::Emitter& out, std::uint32_t sensor, const Wanted& wanted, Model model,
          const Event& event);

// ---- by hand: gerbangctl decode and gerbangctl scan; driver.h says what they have to do ----
gerbang_status decode_by_hand(driver::Host host, const driver::Config& config,
                              std::span<const std::byte> data);
gerbang_status scan_by_hand(driver::Host host, const driver::Config& config,
                            const driver::Scan& scan);

}  // namespace gerbang::ranging
