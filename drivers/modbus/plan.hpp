// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "point.hpp"

namespace gerbang::modbus {

// A point and how often it is read.
struct Want {
  Point point;
  std::chrono::nanoseconds interval{};
};

// One question that reads the points of one unit, table and interval.
struct Request {
  std::uint8_t unit = 0;
  Table table = Table::holding;
  std::uint16_t first = 0;
  std::uint16_t count = 0;  // registers, or bits
  std::chrono::nanoseconds interval{};
  std::vector<std::size_t> points;  // positions in the list of wants, by address
};

struct PlanLimits {
  std::uint16_t max_gap = 8;          // unused registers worth reading to save a request
  std::uint16_t max_registers = 125;  // the standard's own limits
  std::uint16_t max_bits = 2000;
  bool one_request_per_sensor = false;
};

// Covers every point wholly by exactly one request, within the limits. Neighbours are read
// together, and small gaps with them: one round trip costs more than a few registers. A gap of bits
// may be as long as the registers that carry as many. Precondition: no point is wider than
// max_registers.
std::vector<Request> plan(std::span<const Want> wants, const PlanLimits& limits);

// The same points in smaller requests, for a unit that refuses an address somewhere in this one:
// first without gaps, then in halves. Empty if there is nothing left to split.
std::vector<Request> split(const Request& request, std::span<const Want> wants);

}  // namespace gerbang::modbus
