// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Plausible numbers of water works, landfills and air stations. Pure: a value is a function of the
// signal, its parameters, a key and the time, so that whoever knows these knows the value.
namespace gerbang::simulator {

enum class Shape : std::uint8_t {
  constant,   // base
  sine,       // base + amplitude × sin(2π t / period)
  daily,      // highest at 14:00 (for a period of a day)
  demand,     // water use: peaks at 7:00 and 18:00, low at night
  solar,      // nothing at night, amplitude at noon
  wander,     // slow and irregular
  pulses,     // now and then a steep rise that decays: rain in a river, a gas pocket
  tank,       // fills for base of the cycle, then empties
  pump,       // 1 while the tank of the same period fills
  direction,  // degrees, wanders around base
  dust,       // fine and coarse dust of one air: PM2.5 is never above PM10
  total,      // litres, the integral of a demand in m³/h
  counter,    // whole milliseconds of t divided by the period: 0, 1, 2 …
};

struct Parameters {
  double base = 0;
  double amplitude = 0;
  double noise = 0;   // standard deviation of what is added to each reading, at most 3.5 of them
  double period = 1;  // seconds
};

struct Signal {
  std::string_view name;
  Shape shape;
  std::string_view unit;
  Parameters parameters;
  double low, high;  // what the instrument can show
  int decimals;      // its resolution
};

inline constexpr double kDay = 86'400, kHour = 3'600;

// By domain: name, shape, unit, {base, amplitude, noise, period}, low, high, decimals
inline constexpr std::array kSignals = {
    // Water works
    Signal{"raw_turbidity", Shape::pulses, "NTU", {14, 180, 0.6, kDay}, 0, 1000, 2},
    Signal{"treated_turbidity", Shape::wander, "NTU", {0.42, 0.2, 0.01, 6 * kHour}, 0, 20, 3},
    Signal{"ph", Shape::wander, "pH", {7.2, 0.25, 0.01, 8 * kHour}, 0, 14, 2},
    Signal{"free_chlorine", Shape::demand, "mg/L", {0.6, -0.15, 0.01, kDay}, 0, 5, 3},
    Signal{"flow", Shape::demand, "m3/h", {120, 60, 1.5, kDay}, 0, 500, 2},
    Signal{"total", Shape::total, "L", {120, 60, 0, kDay}, 0, 1e15, 0},
    Signal{"pump", Shape::pump, "", {0.6, 0, 0, 1200}, 0, 1, 0},
    Signal{"level", Shape::tank, "m", {0.6, 1.8, 0.01, 1200}, 0, 10, 3},
    Signal{"water_temperature", Shape::daily, "degC", {27, 1.5, 0.03, kDay}, 0, 60, 2},
    Signal{"conductivity", Shape::wander, "uS/cm", {310, 40, 1, 12 * kHour}, 0, 20000, 1},
    // Landfill
    Signal{"leachate_flow", Shape::pulses, "m3/h", {6, 14, 0.1, 2 * kDay}, 0, 100, 2},
    Signal{"leachate_ph", Shape::wander, "pH", {7.8, 0.4, 0.01, kDay}, 0, 14, 2},
    Signal{"leachate_conductivity", Shape::wander, "uS/cm", {11'500, 2000, 20, kDay}, 0, 20000, 0},
    Signal{"methane_lel", Shape::pulses, "%LEL", {3, 25, 0.2, kDay}, 0, 100, 1},
    Signal{"hydrogen_sulfide", Shape::pulses, "ppm", {0.4, 8, 0.05, kDay}, 0, 100, 1},
    // Air station
    Signal{"pm2_5", Shape::dust, "ug/m3", {28, 20, 1, kDay}, 0, 1000, 1},
    Signal{"pm10",
           Shape::dust,
           "ug/m3",
           {46, 32.857142857142854, 1.6428571428571428, kDay},
           0,
           1000,
           1},
    Signal{"no2", Shape::demand, "ug/m3", {32, 22, 0.8, kDay}, 0, 500, 1},
    Signal{"o3", Shape::solar, "ug/m3", {18, 95, 1.2, kDay}, 0, 500, 1},
    Signal{"so2", Shape::wander, "ug/m3", {12, 7, 0.4, 6 * kHour}, 0, 500, 1},
    Signal{"co", Shape::demand, "ug/m3", {900, 500, 15, kDay}, 0, 50000, 0},
    Signal{"wind_direction", Shape::direction, "deg", {120, 90, 6, 6 * kHour}, 0, 360, 0},
    Signal{"wind_speed", Shape::wander, "m/s", {2.4, 1.9, 0.25, 3 * kHour}, 0, 60, 1},
    Signal{"air_temperature", Shape::daily, "degC", {28, 4.5, 0.05, kDay}, -40, 60, 1},
    Signal{"humidity", Shape::daily, "%", {76, -16, 0.4, kDay}, 0, 100, 1},
    // For tests
    Signal{"constant", Shape::constant, "", {1, 0, 0, 1}, -1e15, 1e15, 9},
    Signal{"sine", Shape::sine, "", {0, 1, 0, 60}, -1e15, 1e15, 9},
    Signal{"counter", Shape::counter, "", {0, 0, 0, 1}, 0, 9e15, 0},
};

const Signal* find_signal(std::string_view name);

// "raw_turbidity|treated_turbidity|…" with a zero byte at the end, as driver.h wants its choices.
inline constexpr auto kSignalNames = [] {
  constexpr std::size_t size = [] {
    std::size_t sum = 0;
    for (const Signal& signal : kSignals) sum += signal.name.size() + 1;
    return sum;
  }();
  std::array<char, size> names{};
  std::size_t at = 0;
  for (const Signal& signal : kSignals) {
    if (at > 0) names[at++] = '|';
    for (char c : signal.name) names[at++] = c;
  }
  return names;
}();

struct Value {
  bool is_integer = false;
  std::int64_t integer = 0;
  double number = 0;
};

// `key` tells apart sensors of one signal and seeds the noise. `time_ms`: milliseconds since 1970
// (or since boot); `local_ms` is added for the time of day.
Value value_at(const Signal& signal, const Parameters& parameters, std::uint64_t key,
               std::int64_t time_ms, std::int64_t local_ms);

// The key of a sensor. Dust of all channels has one key, for it is one air.
std::uint64_t key_of(std::uint64_t seed, const Signal& signal, std::int64_t channel);

}  // namespace gerbang::simulator
