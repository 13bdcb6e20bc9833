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

// Most indicators send one kind of line, gross or net, and the other one alone once somebody has
// pressed the tare key. Some send both in turns, with the tare between. Which it is only the stream
// tells: after `kAlone` lines of one kind in a row the other one does not come any more. Lines of
// the tare, and those that do not say what they are, change nothing.
class Turns {
 public:
  void take(Basis basis);
  // The newest line is of the other kind than the one before it.
  bool turned() const { return run_ == 1; }
  bool alone() const { return run_ == kAlone; }

 private:
  // So many, because lines get lost: where each kind comes once, two of the other one in a row may.
  static constexpr int kAlone = 4;
  Basis kind_ = Basis::display;  // none yet
  int run_ = 0;
};

// Whether the platform is at rest: as the indicator says, or where it says nothing, when so many
// readings of one kind in a row are equal. A line of the tare is none, and interrupts nothing.
class Steadiness {
 public:
  explicit Steadiness(int equal) : equal_(equal) {}
  bool take(const Weight& weight);
  // A frame that gave no weight stood between.
  void interrupt() { gross_.times = net_.times = 0; }

 private:
  struct Run {
    double kg = 0;
    int times = 0;
  };
  int equal_;
  Turns turns_;
  Run gross_, net_;
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

// A weight at rest.
struct Rest {
  Weight weight;
  Time at{};
  // Of a gross weight whose line comes in turns with others: what those said meanwhile, in kg.
  std::optional<double> net{}, tare{};
};
// What stands on the platform. Not within the class: clang 14 could not tell there that it can be
// made from nothing.
struct Stand {
  std::optional<Rest> gross, net;  // the best of each
  Time above_since{};              // above the range since; 0: it is not
  bool is_void = false;
};

// Finds weighings in the stream: something heavier than `minimum` comes to rest, and the platform
// returns to near zero. Until then it is one vehicle, however often it comes to rest: the heaviest
// rest counts, because a vehicle that is driving on or off, and halts with one axle on the
// platform, weighs less than it does.
//
// What stands on the platform is told by gross lines, by net ones that carry their tare, and by
// those that do not say what they are. A net line without tare tells it only where net lines come
// alone (Turns): beside a gross weight of 20 t a net weight of 0 is a lorry that was tared, not an
// empty platform. After the tare key of an indicator that sends one kind the first three net lines
// are not counted, then they tell it as if they were gross: a lorry that was tared there has left.
class WeighingFinder {
 public:
  struct Settings {
    double minimum = 200;                 // kg; a vehicle is heavier
    double near_zero = 100;               // kg; an empty platform is not heavier. Below minimum.
    Time gap = std::chrono::seconds(10);  // a longer silence is no proof of anything
  };
  explicit WeighingFinder(const Settings& settings) : settings_(settings) {}

  // The next weight, lines of the tare among them, with the verdict of Steadiness. A weighing when
  // the vehicle has left with it.
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
  // A weight at rest, and how often it came in a row.
  struct Repeated {
    Weight weight;
    int times = 0;
    void take(const Weight& next);
    bool confirmed() const;
  };

  void interrupt();
  bool is_another(const Weight& weight) const;
  std::optional<Weighing> empty(bool is_empty);
  void note(const Weight& weight, Time now);
  bool is_tared(const Weight& gross, const Weight& net) const;
  bool better(const Rest& rest, const Rest& kept) const;
  std::optional<Weighing> leave(bool interrupted);

  Settings settings_;
  std::optional<Stand> stand_;
  Turns turns_;
  Repeated gross_, net_, tare_;  // gross_: also of lines that do not say what they are
  int empty_run_ = 0;
  Time last_at_{};
  bool was_silent_ = false;  // and since then nothing told what stands on the platform
  std::uint64_t numbers_ = 0, unweighed_ = 0;
};

}  // namespace gerbang::weighbridge
