// SPDX-License-Identifier: Apache-2.0
#include "signals.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace gerbang::simulator {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

// SplitMix64 (public domain): every bit of the input matters to every bit of the output.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// 0 ≤ … < 1, for the n-th draw of a key.
double uniform(std::uint64_t key, std::int64_t n) {
  return static_cast<double>(mix(key ^ mix(static_cast<std::uint64_t>(n))) >> 11) * 0x1p-53;
}

// Nearly normal with standard deviation 1: four uniform ones; never beyond 3.47.
double noise(std::uint64_t key, std::int64_t n) {
  double sum = 0;
  for (std::uint64_t i = 0; i < 4; ++i) sum += uniform(key + i, n);
  return (sum - 2) * std::numbers::sqrt3;
}

// Between -1 and 1, smooth, with a turn about every `span` seconds.
double drift(std::uint64_t key, double t, double span) {
  double cell = std::floor(t / span);
  double part = t / span - cell;
  auto n = static_cast<std::int64_t>(cell);
  double from = uniform(key, n), to = uniform(key, n + 1);
  double ease = (1 - std::cos(std::numbers::pi * part)) / 2;
  return 2 * (from + (to - from) * ease) - 1;
}

// Two harmonics, so that the total below is exact: -1 … 1, average 0.
constexpr double kFirst = 0.55, kFirstPeak = 0.54, kSecond = 0.45, kSecondPeak = 0.28;
double demand(double x) {
  return kFirst * std::cos(kTwoPi * (x - kFirstPeak)) +
         kSecond * std::cos(2 * kTwoPi * (x - kSecondPeak));
}
double demand_integral(double x) {  // in periods
  return kFirst * std::sin(kTwoPi * (x - kFirstPeak)) / kTwoPi +
         kSecond * std::sin(2 * kTwoPi * (x - kSecondPeak)) / (2 * kTwoPi);
}

// In about every third period one rise to at most 1, decaying within an eighth of the period.
double pulses(std::uint64_t key, double x) {
  double sum = 0;
  for (double cell : {std::floor(x) - 1, std::floor(x)}) {
    auto n = static_cast<std::int64_t>(cell);
    if (uniform(key, n) > 0.35) continue;
    double since = x - cell - uniform(key + 1, n);
    if (since < 0) continue;
    double rise = std::min(since / 0.01, 1.0);
    sum += (0.3 + 0.7 * uniform(key + 2, n)) * rise * std::exp(-since * 8);
  }
  return sum;
}

double shaped(Shape shape, const Parameters& p, std::uint64_t key, double t, double local) {
  const double x = local / p.period;  // of the period, in local time
  const double part = x - std::floor(x);
  switch (shape) {
    case Shape::sine:
      return p.base + p.amplitude * std::sin(kTwoPi * t / p.period);
    case Shape::daily:
      return p.base + p.amplitude * std::cos(kTwoPi * (x - 14.0 / 24));
    case Shape::demand:
      return p.base + p.amplitude * demand(x);
    case Shape::solar:
      return p.base + p.amplitude * std::max(0.0, -std::cos(kTwoPi * x));
    case Shape::wander:
    case Shape::direction:
      return p.base + p.amplitude * drift(key, t, p.period / 4);
    case Shape::pulses:
      return p.base * (1 + 0.1 * drift(key, t, p.period / 8)) + p.amplitude * pulses(key, x);
    case Shape::tank:
      return 1 + p.amplitude * (part < p.base ? part / p.base : (1 - part) / (1 - p.base));
    case Shape::pump:
      return part < p.base ? 1 : 0;
    case Shape::dust:
      return p.base + p.amplitude * (0.6 * demand(x) + 0.4 * drift(key, t, p.period / 6));
    case Shape::total:
      return std::floor((p.base * t + p.amplitude * p.period * demand_integral(x)) / 3.6);
    case Shape::constant:
    case Shape::counter:
      break;
  }
  return p.base;
}

double wrapped(double degrees) {
  double turn = std::fmod(degrees, 360);
  return turn < 0 ? turn + 360 : turn;
}

}  // namespace

const Signal* find_signal(std::string_view name) {
  auto found = std::find_if(kSignals.begin(), kSignals.end(),
                            [&](const Signal& signal) { return signal.name == name; });
  return found == kSignals.end() ? nullptr : &*found;
}

std::uint64_t key_of(std::uint64_t seed, const Signal& signal, std::int64_t channel) {
  if (signal.shape == Shape::dust) return mix(mix(seed) + 1);
  std::uint64_t key = mix(seed);
  for (char c : signal.name) key = mix(key ^ static_cast<unsigned char>(c));
  return mix(key ^ static_cast<std::uint64_t>(channel));
}

Value value_at(const Signal& signal, const Parameters& p, std::uint64_t key, std::int64_t time_ms,
               std::int64_t local_ms) {
  if (signal.shape == Shape::counter) {
    auto period_ms = std::max<std::int64_t>(std::llround(p.period * 1000), 1);
    return {true, time_ms / period_ms, 0};
  }
  const double t = static_cast<double>(time_ms) / 1000;
  const double local = static_cast<double>(time_ms + local_ms) / 1000;
  double value = shaped(signal.shape, p, key, t, local);
  if (p.noise > 0) value += p.noise * noise(key + 16, time_ms);
  if (signal.shape == Shape::direction) value = wrapped(value);
  if (signal.shape == Shape::total || signal.shape == Shape::pump)
    return {true, std::llround(std::clamp(value, signal.low, signal.high)), 0};
  const double step = std::pow(10, signal.decimals);
  value = std::round(value * step) / step;
  if (signal.shape == Shape::direction) value = wrapped(value);  // 359.6 rounds to 360
  return {false, 0, std::clamp(value, signal.low, signal.high)};
}

}  // namespace gerbang::simulator
