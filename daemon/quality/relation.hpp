// SPDX-License-Identifier: Apache-2.0
//
// What two sensors must agree about. A pair of readings that does not makes both suspect: which of
// the two is wrong nobody knows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quality/tests.hpp"

namespace gerbang::quality {

// `one` and `other` are places in a list of sensors; numbers are in their quantities' units.
struct Relation {
  enum class Kind : std::uint8_t {
    at_most,     // one <= other + tolerance
    ratio,       // low <= one / other <= high
    saturation,  // one (oxygen, mg/L) <= high % of what water of the temperature `other` holds
  };
  Kind kind = Kind::at_most;
  std::uint32_t one = 0, other = 0;
  double tolerance = 0, low = 0, high = 0;
  friend bool operator==(const Relation&, const Relation&) = default;
};

// False: the two cannot both be right. nullopt: they say nothing of each other.
std::optional<bool> agree(const Relation& relation, double one, double other);

// Oxygen that fresh water holds at 1 atm, mg/L (Benson and Krause); temperature in °C.
double oxygen_saturation(double celsius);

// The relations of a list of sensors, with the newest reading of each that has one.
class Relations {
 public:
  Relations() = default;
  // `intervals_ms`: of the sensors, 0 where not polled.
  Relations(std::vector<Relation> relations, std::vector<std::int64_t> intervals_ms);

  struct Finding {
    std::uint32_t sensor = 0;
    Point reading;  // whose reading; with the mark it was given
  };
  struct Outcome {
    std::vector<Finding> findings;  // what does not agree; none twice
    bool held = false;              // a relation of this reading was judged, and held
  };
  // A reading with its mark. It belongs to the newest one of the other sensor if less than half an
  // interval (the longer of the two) lies between them. Finds this one, and others that were taken
  // before.
  Outcome take(std::uint32_t sensor, const Point& point);
  void forget();

 private:
  std::vector<Relation> relations_;
  std::vector<std::int64_t> intervals_ms_;
  std::vector<std::vector<std::uint32_t>> of_;  // sensor → relations
  std::vector<std::optional<Point>> newest_;
};

}  // namespace gerbang::quality
