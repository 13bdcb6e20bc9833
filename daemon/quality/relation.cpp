// SPDX-License-Identifier: Apache-2.0
#include "quality/relation.hpp"

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"

namespace gerbang::quality {
namespace {

constexpr std::int64_t kPushedApartMs = 60'000;  // of sensors that are not polled

bool comparable(const Mark& mark) {
  return mark.flag != Flag::missing && mark.flag != Flag::bad;
}

}  // namespace

double oxygen_saturation(double celsius) {
  const double t = celsius + 273.15;
  return std::exp(-139.34411 + 1.575701e5 / t - 6.642308e7 / (t * t) + 1.243800e10 / (t * t * t) -
                  8.621949e11 / (t * t * t * t));
}

std::optional<bool> agree(const Relation& relation, double one, double other) {
  switch (relation.kind) {
    case Relation::Kind::at_most:
      return one <= other + relation.tolerance;
    case Relation::Kind::ratio: {
      if (other == 0) return std::nullopt;
      const double ratio = one / other;
      return ratio >= relation.low && ratio <= relation.high;
    }
    case Relation::Kind::saturation:
      return one <= relation.high / 100 * oxygen_saturation(other);
  }
  return std::nullopt;
}

Relations::Relations(std::vector<Relation> relations, std::vector<std::int64_t> intervals_ms)
    : relations_(std::move(relations)),
      intervals_ms_(std::move(intervals_ms)),
      of_(intervals_ms_.size()),
      newest_(intervals_ms_.size()) {
  for (std::uint32_t i = 0; i < relations_.size(); ++i) {
    of_[relations_[i].one].push_back(i);
    of_[relations_[i].other].push_back(i);
  }
}

void Relations::forget() {
  for (auto& point : newest_) point.reset();
}

Relations::Outcome Relations::take(std::uint32_t sensor, const Point& point) {
  Outcome out;
  if (sensor >= of_.size() || of_[sensor].empty()) return out;
  if (!comparable(point.mark) || point.ahead) return out;
  if (newest_[sensor] && newest_[sensor]->device_time == point.device_time &&
      point.time_ns < newest_[sensor]->time_ns)
    return out;
  auto find = [&](std::uint32_t of, Point& reading) {
    for (const Finding& one : out.findings)
      if (one.sensor == of) return;
    Finding finding;
    finding.sensor = of;
    finding.reading = reading;
    out.findings.push_back(finding);
    // It is known of this reading now, whatever other relations say.
    reading.mark = worse(reading.mark, Mark{Flag::suspect, Reason::related});
  };
  newest_[sensor] = point;
  for (std::uint32_t i : of_[sensor]) {
    const Relation& relation = relations_[i];
    const std::uint32_t peer = relation.one == sensor ? relation.other : relation.one;
    auto& theirs = newest_[peer];
    if (!theirs || theirs->device_time != point.device_time) continue;
    std::int64_t apart = std::max(intervals_ms_[sensor], intervals_ms_[peer]) * kNsPerMs / 2;
    if (apart == 0) apart = kPushedApartMs * kNsPerMs;
    if (std::abs(point.time_ns - theirs->time_ns) >= apart) continue;
    const bool first = relation.one == sensor;
    const auto agreed =
        agree(relation, first ? point.value : theirs->value, first ? theirs->value : point.value);
    out.held = out.held || agreed == true;
    if (agreed != false) continue;
    find(sensor, *newest_[sensor]);
    if (is_worse(Flag::suspect, theirs->mark.flag)) find(peer, *theirs);
  }
  return out;
}

}  // namespace gerbang::quality
