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

// A display rounds each of the three to its division, so they agree within one. It is not sent: it
// is at most the largest usual one of which all three are multiples, else one of the last place.
bool agree(const Weight& gross, const Weight& net, const Weight& tare) {
  auto multiples = [&](double of) {
    return std::fmod(gross.kg(), of) == 0 && std::fmod(net.kg(), of) == 0 &&
           std::fmod(tare.kg(), of) == 0;
  };
  double division =
      std::pow(10, -std::max({gross.shown.decimals, net.shown.decimals, tare.shown.decimals}));
  for (const double usual : {1., 2., 5., 10., 20., 50.})
    if (multiples(usual)) division = std::max(division, usual);
  constexpr double kNoise = 1e-6;  // of the subtraction
  return std::abs(gross.kg() - tare.kg() - net.kg()) <= division + kNoise;
}

}  // namespace

void Turns::take(Basis basis) {
  if (basis != Basis::gross && basis != Basis::net) return;
  run_ = kind_ == basis ? std::min(run_ + 1, kAlone) : 1;
  kind_ = basis;
}

bool Steadiness::take(const Weight& weight) {
  if (weight.basis == Basis::tare) return false;
  if (weight.motion != Motion::unknown) return weight.motion == Motion::at_rest;
  const bool is_net = weight.basis == Basis::net;
  Run& own = is_net ? net_ : gross_;
  turns_.take(weight.basis);
  if (turns_.alone()) (is_net ? gross_ : net_).times = 0;  // it is of another time
  const double kg = weight.kg();
  own.times = own.times > 0 && kg == own.kg ? std::min(own.times + 1, equal_) : 1;
  own.kg = kg;
  return own.times == equal_;
}

Weighing with_stored_tare(Weighing weighing, double tare, double minimum) {
  if (weighing.net || !weighing.gross) return weighing;
  weighing.tare = tare;
  // Both are decimal numbers of at most six places.
  const double net = std::round((*weighing.gross - tare) * 1e6) / 1e6;
  if (net >= minimum) weighing.net = net;
  return weighing;
}

void WeighingFinder::Repeated::take(const Weight& next) {
  times = times > 0 && weight.kg() == next.kg() ? std::min(times + 1, kConfirm) : 1;
  weight = next;
}

// Where rest was told by equal readings, it is confirmed by them.
bool WeighingFinder::Repeated::confirmed() const {
  return times >= kConfirm || (times > 0 && weight.motion == Motion::unknown);
}

std::optional<Weighing> WeighingFinder::take(const Weight& weight, bool at_rest, Time now) {
  if (weight.basis == Basis::tare) {  // a display of the tare, not of a load
    if (weight.motion != Motion::moving) tare_.take(weight);
    return std::nullopt;
  }
  if (last_at_ != Time{} && now - last_at_ > settings_.gap) {
    interrupt();
    was_silent_ = true;
  }
  last_at_ = now;

  const bool is_net = weight.basis == Basis::net;
  Repeated& own = is_net ? net_ : gross_;
  turns_.take(weight.basis);
  if (turns_.alone()) (is_net ? gross_ : net_).times = 0;  // it is of another time
  if (at_rest)
    own.take(weight);
  else
    gross_.times = net_.times = 0;
  if (!is_net && own.times == 1) net_.times = 0;  // it was beside another gross weight
  if (is_net && !weight.tare && !turns_.alone()) return std::nullopt;

  std::optional<Weighing> found;
  if (std::exchange(was_silent_, false) && is_another(weight)) found = leave(true);
  const double load = weight.load();
  if (auto left = empty(load <= settings_.near_zero)) return left;
  if (stand_) stand_->above_since = {};
  if (load > settings_.minimum && !stand_) stand_.emplace();
  if (own.confirmed() && stand_ && load > settings_.minimum) note(weight, now);
  return found;
}

void WeighingFinder::interrupt() {
  gross_.times = net_.times = 0;
  empty_run_ = 0;
}

// Than what stood there before a silence.
bool WeighingFinder::is_another(const Weight& weight) const {
  if (!stand_ || weight.load() <= settings_.minimum) return false;
  const bool is_net = weight.basis == Basis::net;
  const auto& own = is_net ? stand_->net : stand_->gross;
  const auto& known = own ? own : is_net ? stand_->gross : stand_->net;
  return known && std::abs(weight.load() - known->weight.load()) > settings_.near_zero;
}

void WeighingFinder::note(const Weight& weight, Time now) {
  const bool is_net = weight.basis == Basis::net;
  Rest rest{weight, now};
  const Weight& net = net_.weight;
  if (!is_net && turns_.turned() && net_.confirmed() && is_tared(weight, net)) {
    rest.net = net.kg();
    if (tare_.times >= kConfirm && agree(weight, net, tare_.weight)) rest.tare = tare_.weight.kg();
  }
  auto& kept = is_net ? stand_->net : stand_->gross;
  if (kept && !better(rest, *kept)) return;
  if (kept && kept->weight.kg() == weight.kg()) rest.at = kept->at;
  kept = rest;
}

// A net weight that is the gross one is none: nobody has tared, or only what an empty platform
// carries as well.
bool WeighingFinder::is_tared(const Weight& gross, const Weight& net) const {
  return net.tare || std::abs(gross.kg() - net.kg()) > settings_.near_zero;
}

// The heavier one; but of two that are nearly equal the one with a net weight that is one, and of
// equal ones the newest with any: a driver who gets in or out does not cost the net weight, and a
// tare may be entered late.
bool WeighingFinder::better(const Rest& rest, const Rest& kept) const {
  auto is_loaded = [&](const Rest& one) { return one.net && *one.net > settings_.minimum; };
  const double more = rest.weight.load() - kept.weight.load();
  if (std::abs(more) <= settings_.near_zero && is_loaded(rest) != is_loaded(kept))
    return is_loaded(rest);
  return more > 0 || (more == 0 && rest.net);
}

void WeighingFinder::above_range(Time now) {
  interrupt();
  last_at_ = now;
  if (!stand_) stand_.emplace();
  stand_->gross.reset();
  stand_->net.reset();
  if (stand_->above_since == Time{}) stand_->above_since = now;
  if (now - stand_->above_since > kImpact) stand_->is_void = true;
}

std::optional<Weighing> WeighingFinder::below_range(Time now) {
  gross_.times = net_.times = 0;
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
    out.net = stand.gross->net;
    out.tare = stand.gross->tare;
    out.at = stand.gross->at;
  }
  const bool is_net =
      stand.net && (!stand.gross || is_tared(stand.gross->weight, stand.net->weight));
  if (is_net && !out.net) {
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
