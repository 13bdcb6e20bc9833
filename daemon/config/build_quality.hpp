// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/build.hpp"

namespace gerbang::config {

// [sensor.quality], [sensor.calibration], correction and what belongs to them, once all sensors are
// known. `tables`: of config.sensors, in their order.
void build_quality(const std::vector<Table>& tables, const Catalogue& catalogue, Report& report,
                   Config& config);

// A number in the quantity's unit, or a text with a unit of its own; nullopt: not given, or
// reported.
std::optional<double> amount_of(const Table& table, std::string_view key, const QuantityRow* row,
                                const Catalogue& catalogue, Report& report);

}  // namespace gerbang::config
