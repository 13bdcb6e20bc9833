// SPDX-License-Identifier: Apache-2.0
#include "core/aggregate.hpp"

#include <algorithm>
#include <cmath>

namespace gerbang {

void Statistics::add(double value) {
  if (count == 0) {
    minimum = maximum = value;
  } else {
    minimum = std::min(minimum, value);
    maximum = std::max(maximum, value);
  }
  ++count;
  double difference = value - mean;
  mean += difference / count;
  m2 += difference * (value - mean);
}

void Statistics::merge(const Statistics& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  double n = count, k = other.count, total = n + k;
  double difference = other.mean - mean;
  mean += difference * k / total;
  m2 += other.m2 + difference * difference * n * k / total;
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  count += other.count;
}

double Statistics::stddev() const {
  return count < 2 ? 0 : std::sqrt(m2 / count);
}

}  // namespace gerbang
