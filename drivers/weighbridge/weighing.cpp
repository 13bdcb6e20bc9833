// SPDX-License-Identifier: Apache-2.0
#include "weighing.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gerbang::weighbridge {
namespace {

// One frame may be damaged in a way that no format notices; two equal ones are not.
constexpr int kConfirm = 2;
constexpr Time kImpact = std::chrono::seconds(3);  // of a vehicle that drives on

bool heavier(const Weight& a, const Weight& b) {
  return a.load() > b.load();
}

}  // namespace

bool Steadiness::take(const Weight& weight) {
  if (weight.motion != Motion::unknown) return weight.motion == Motion::at_rest;
  const double kg = weight.kg();
  run_ = run_ > 0 && kg == last_ ? run_ + 1 : 1;
  last_ = kg;
  if (run_ > equal_) run_ = equal_;
  return run_ == equal_;
}

Weighing with_stored_tare(Weighing weighing, double tare, double minimum) {
  if (weighing.net || !weighing.gross) return weighing;
  weighing.tare = tare;
  // Both are decimal numbers of at most six places.
  const double net = std::round((*weighing.gross - tare) * 1e6) / 1e6;
  if (net >= minimum) weighing.net = net;
  return weighing;
}

std::optional<Weighing> WeighingFinder::take(const Weight& weight, bool at_rest, Time now) {
  if (weight.basis == Basis::tare) return std::nullopt;  // a display of the tare, not of a load
  std::optional<Weighing> found;
  const double load = weight.load();
  const bool gap = last_at_ != Time{} && now - last_at_ > settings_.gap;
  last_at_ = now;
  if (gap) {
    last_.reset();
    empty_run_ = equal_run_ = 0;
    const auto known = !stand_         ? std::nullopt
                       : stand_->net   ? std::optional(stand_->net->weight.load())
                       : stand_->gross ? std::optional(stand_->gross->weight.load())
                                       : std::nullopt;
    if (known && load > settings_.minimum && std::abs(load - *known) > settings_.near_zero)
      found = leave(true);
  }

  if (auto left = empty(load <= settings_.near_zero)) return left;
  if (stand_) stand_->above_since = {};
  if (load > settings_.minimum && !stand_) stand_.emplace();

  const bool same = last_ && last_->kg() == weight.kg() && last_->basis == weight.basis;
  equal_run_ = !at_rest ? 0 : same ? std::min(equal_run_ + 1, kConfirm) : 1;
  last_ = at_rest ? std::optional(weight) : std::nullopt;
  // Where rest was told by equal readings, it is confirmed by them.
  const bool confirmed = equal_run_ >= kConfirm || (at_rest && weight.motion == Motion::unknown);
  if (confirmed && stand_ && load > settings_.minimum) note(weight, now);
  return found;
}

void WeighingFinder::note(const Weight& weight, Time now) {
  auto& kept = weight.basis == Basis::net ? stand_->net : stand_->gross;
  if (!kept || heavier(weight, kept->weight)) kept = Rest{weight, now};
}

void WeighingFinder::above_range(Time now) {
  last_.reset();
  empty_run_ = equal_run_ = 0;
  last_at_ = now;
  if (!stand_) stand_.emplace();
  stand_->gross.reset();
  stand_->net.reset();
  if (stand_->above_since == Time{}) stand_->above_since = now;
  if (now - stand_->above_since > kImpact) stand_->is_void = true;
}

std::optional<Weighing> WeighingFinder::below_range(Time now) {
  last_.reset();
  equal_run_ = 0;
  last_at_ = now;
  return empty(true);
}

std::optional<Weighing> WeighingFinder::empty(bool is_empty) {
  empty_run_ = is_empty ? std::min(empty_run_ + 1, kConfirm) : 0;
  if (!stand_ || empty_run_ < kConfirm) return std::nullopt;
  return leave(false);
}

std::optional<Weighing> WeighingFinder::leave(bool interrupted) {
  const Stand stand = *std::exchange(stand_, std::nullopt);
  if (stand.is_void || (!stand.gross && !stand.net)) {
    ++unweighed_;
    return std::nullopt;
  }
  Weighing out;
  out.number = ++numbers_;
  out.interrupted = interrupted;
  if (stand.gross) {
    out.gross = stand.gross->weight.kg();
    out.at = stand.gross->at;
  }
  if (stand.net) {
    const Weight& net = stand.net->weight;
    out.net = net.kg();
    out.at = stand.net->at;
    if (net.tare) {
      out.tare = net.tare->value();
      out.gross = net.load();
    }
  }
  return out;
}

}  // namespace gerbang::weighbridge
