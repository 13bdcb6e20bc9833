// SPDX-License-Identifier: Apache-2.0
//
// Corrected values: a sensor whose readings are computed from those of others. The others stay as
// they are. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/reading.hpp"
#include "quality/tests.hpp"

namespace gerbang::quality {

// Numbers are in the canonical units of the quantities.
struct Formula {
  enum class Kind : std::uint8_t {
    conductivity_25,   // µS/cm and °C: at 25 °C, linear in the temperature
    ppb_to_ug_m3,      // a gas, by its molar mass, at 25 °C and 1 atm
    do_saturation,     // mg/L and °C: % of what fresh water holds at 1 atm
    totaliser_volume,  // a counter that wraps or is replaced: one that only grows
    flow_integral,     // a flow an hour: the amount, over gaps that are short enough
    wind_vector,       // m/s and degrees: of the mean vector of the last while
    table,             // between points that were measured; beyond three or more it is suspect
  };
  enum class Wind : std::uint8_t { direction, speed, u, v };

  Kind kind = Kind::table;
  double coefficient = 0.019;         // conductivity_25: per °C
  double molar_mass = 0;              // ppb_to_ug_m3: g/mol
  double factor = 1;                  // totaliser_volume: amount in one raw count
  std::optional<std::uint64_t> wrap;  // totaliser_volume: counts in a turn
  std::optional<double> fastest;      // totaliser_volume: amount in an hour, at most
  std::int64_t max_gap_ms = 0;        // flow_integral: longer ones are not integrated
  bool reverse = false;         // flow_integral: what flows backwards, else what flows forwards
  std::int64_t period_ms = 0;   // wind_vector; 0: of the one reading
  Wind wind = Wind::direction;  // wind_vector
  std::vector<std::pair<double, double>> points;  // table: ascending; between them linear

  friend bool operator==(const Formula&, const Formula&) = default;
};

// How many inputs a formula takes.
std::size_t inputs_of(Formula::Kind kind);
// True for one that adds up: what it has must survive a restart.
bool adds_up(Formula::Kind kind);

class Corrector {
 public:
  explicit Corrector(Formula formula) : formula_(std::move(formula)) {}

  struct Input {
    Point point;  // with the mark it was given
    Raw raw;
  };
  struct Result {
    double value = 0;  // meaningless when the mark says missing
    Mark mark;         // as bad as the worst input, or worse
  };
  // A reading of the first input, with those of the others that belong to it. In a sum or a mean of
  // time one that is ahead of the clock takes no part: missing, CONVERSION.
  Result take(std::span<const Input> inputs);

  // From the boot time of what was saved to that of now.
  struct Axis {
    std::optional<std::int64_t> shift_ns;  // nullopt: another boot's, and nobody knows
    std::int64_t now_ns = 0;               // what is later has not been
    std::int64_t wall_ns = 0;              // the same of what devices stamped
  };

  const Formula& formula() const { return formula_; }

  // ---- of one that adds up: what survives a restart ----

  // The sum and the reading that it reaches to. Where nothing says when that was, the sum goes on
  // without what came between it and the next one. load: false, and unchanged, for anything that
  // save() did not write.
  std::string save() const;
  bool load(std::string_view text, const Axis& axis);
  // What is stored, in the order in which it was: an input with the mark that it was given, what
  // was found of one later, and the reading that was computed from the input of the same time.
  void replay_input(const Input& input);
  void replay_verdict(const Point& point);
  void replay_computed(const Point& point, bool timed);

 private:
  bool is_out_of_time(const Input& input, Result& out);
  void count(const Input& input, Result& out);
  void integrate(const Input& input, Result& out);
  void blow(const Input& speed, const Input& direction, Result& out);
  bool beyond_points(double x) const;
  double interpolate(double x) const;
  double flow_of(double value) const;
  void forget_last();

  struct Gust {
    std::int64_t time_ns;
    double u, v;
  };
  Formula formula_;
  double sum_ = 0;
  bool any_ = false;          // last_ is known
  Raw last_raw_;              // totaliser_volume
  double last_value_ = 0;     // flow_integral
  std::int64_t last_ns_ = 0;  // 0: not known
  bool last_device_time_ = false;
  std::deque<Input> waiting_;  // replayed: nothing was computed from them yet; the newest ones
  static constexpr std::size_t kMostWaiting = 4096;
  std::deque<Gust> gusts_;  // at most kMostGusts
  static constexpr std::size_t kMostGusts = 4096;
};

}  // namespace gerbang::quality
