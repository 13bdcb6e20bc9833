// SPDX-License-Identifier: Apache-2.0
//
// From weights to weighings. Pure: time is an argument, in nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "weight.hpp"

namespace gerbang::weighbridge {

using Time = std::chrono::nanoseconds;

// Whether the platform is at rest: as the indicator says, or where it says nothing, when so many
// readings in a row are equal.
class Steadiness {
 public:
  explicit Steadiness(int equal) : equal_(equal) {}
  bool take(const Weight& weight);
  // A frame that gave no weight stood between.
  void interrupt() { run_ = 0; }

 private:
  int equal_, run_ = 0;
  double last_ = 0;
};

// A vehicle was weighed. A number that nobody measured is absent.
struct Weighing {
  std::optional<double> gross, tare, net;  // kg
  Time at{};                               // when that weight had come to rest
  std::uint64_t number = 0;                // 1, 2, 3 … of this finder
  bool interrupted =
      false;  // the line was lost meanwhile, and another weight stood there afterwards
};

// The same with a stored tare where the indicator gave no net weight. A net weight below `minimum`
// is that of an empty vehicle: there is none then.
Weighing with_stored_tare(Weighing weighing, double tare, double minimum);

// A weight at rest, or what is left of it when it was void.
struct Rest {
  Weight weight;
  Time at{};
};
// What stands on the platform. Not within the class: clang 14 could not tell there that it can be
// made from nothing.
struct Stand {
  std::optional<Rest> gross, net;  // the heaviest of each
  Time above_since{};              // above the range since; 0: it is not
  bool is_void = false;
};

// Finds weighings in the stream: something heavier than `minimum` comes to rest, and the platform
// returns to near zero. Until then it is one vehicle, however often it comes to rest: the heaviest
// rest counts, because a vehicle that is driving on or off, and halts with one axle on the
// platform, weighs less than it does.
class WeighingFinder {
 public:
  struct Settings {
    double minimum = 200;                 // kg; a vehicle is heavier
    double near_zero = 100;               // kg; an empty platform is not heavier. Below minimum.
    Time gap = std::chrono::seconds(10);  // a longer silence is no proof of anything
  };
  explicit WeighingFinder(const Settings& settings) : settings_(settings) {}

  // The next weight, with the verdict of Steadiness. A weighing when the vehicle has left with it.
  std::optional<Weighing> take(const Weight& weight, bool at_rest, Time now);
  // The indicator said that the load is above its range. What was measured before is void: only a
  // part of this vehicle can have stood on the platform. Beyond three seconds all of it is void.
  void above_range(Time now);
  // Or below: the platform is empty.
  std::optional<Weighing> below_range(Time now);

  bool occupied() const { return stand_.has_value(); }
  // Vehicles that left without having been weighed.
  std::uint64_t unweighed() const { return unweighed_; }

 private:
  std::optional<Weighing> empty(bool is_empty);
  void note(const Weight& weight, Time now);
  std::optional<Weighing> leave(bool interrupted);

  Settings settings_;
  std::optional<Stand> stand_;
  std::optional<Weight> last_;  // at rest
  int empty_run_ = 0, equal_run_ = 0;
  Time last_at_{};
  std::uint64_t numbers_ = 0, unweighed_ = 0;
};

}  // namespace gerbang::weighbridge
