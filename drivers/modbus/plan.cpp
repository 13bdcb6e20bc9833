// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace gerbang::modbus {
namespace {

Request request_for(std::span<const std::size_t> points, std::span<const Want> wants) {
  const Want& head = wants[points.front()];
  std::uint32_t end = 0;
  for (std::size_t p : points) end = std::max(end, wants[p].point.end());
  return {head.point.unit,    head.point.table,
          head.point.address, static_cast<std::uint16_t>(end - head.point.address),
          head.interval,      {points.begin(), points.end()}};
}

}  // namespace

std::vector<Request> plan(std::span<const Want> wants, const PlanLimits& limits) {
  std::vector<std::size_t> sorted(wants.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  auto stream = [&](std::size_t i) {
    return std::tuple(wants[i].point.unit, wants[i].point.table, wants[i].interval);
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(stream(a), wants[a].point.address) <
           std::tuple(stream(b), wants[b].point.address);
  });

  std::vector<Request> requests;
  for (std::size_t i : sorted) {
    const Point& point = wants[i].point;
    if (!requests.empty() && !limits.one_request_per_sensor) {
      Request& last = requests.back();
      const bool bits = holds_bits(point.table);
      const std::uint32_t gap = bits ? 16u * limits.max_gap : limits.max_gap;
      const std::uint32_t longest = bits ? limits.max_bits : limits.max_registers;
      const std::uint32_t end = std::uint32_t{last.first} + last.count;
      const std::uint32_t new_end = std::max(end, point.end());
      if (stream(last.points.front()) == stream(i) && point.address <= end + gap &&
          new_end - last.first <= longest) {
        last.count = static_cast<std::uint16_t>(new_end - last.first);
        last.points.push_back(i);
        continue;
      }
    }
    requests.push_back(request_for(std::span(&i, 1), wants));
  }
  return requests;
}

std::vector<Request> split(const Request& request, std::span<const Want> wants) {
  const std::span points(request.points);
  std::vector<Request> parts;

  std::size_t begin = 0;
  std::uint32_t end = request.first;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = wants[points[i]].point;
    if (point.address > end) {
      parts.push_back(request_for(points.subspan(begin, i - begin), wants));
      begin = i;
    }
    end = std::max(end, point.end());
  }
  parts.push_back(request_for(points.subspan(begin), wants));
  if (parts.size() > 1) return parts;
  parts.clear();

  // Two halves, cut where another register begins, as near to the middle as can be.
  const std::size_t middle = points.size() / 2;
  std::size_t cut = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point &left = wants[points[i - 1]].point, &right = wants[points[i]].point;
    if (left.address == right.address && left.end() == right.end()) continue;
    auto distance = [&](std::size_t at) { return at > middle ? at - middle : middle - at; };
    if (cut == 0 || distance(i) < distance(cut)) cut = i;
  }
  if (cut == 0) return parts;
  parts.push_back(request_for(points.first(cut), wants));
  parts.push_back(request_for(points.subspan(cut), wants));
  return parts;
}

}  // namespace gerbang::modbus
