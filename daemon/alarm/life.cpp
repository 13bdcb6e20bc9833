// SPDX-License-Identifier: Apache-2.0
#include "alarm/life.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/number_text.hpp"

namespace gerbang::alarm {
namespace {

constexpr std::size_t kMostRaises = 1000;

std::string shown(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? number_text(*number) : "-";
}

bool read(std::istream& in, std::optional<double>& number) {
  std::string word;
  if (!(in >> word)) return false;
  if (word == "-") {
    number.reset();
    return true;
  }
  std::istringstream digits(word);
  double value = 0;
  if (!(digits >> value)) return false;
  number = value;
  return true;
}

}  // namespace

std::string_view name(Said said) {
  switch (said) {
    case Said::nothing:
      return "";
    case Said::raised:
      return "RAISED";
    case Said::cleared:
      return "CLEARED";
    case Said::suppressed:
      return "SUPPRESSED";
  }
  return "";
}

bool Life::see(const Seen& seen, const Moment& now, const Timing& timing) {
  if (seen.active != active_) {
    active_ = seen.active;
    changed_at_ = now.at;
    changed_utc_ = now.utc_ms;
  }
  const std::int64_t lasted = now.at - changed_at_;
  if (active_ == raised_ || lasted < (active_ ? timing.hold_ms : timing.release_ms)) return false;
  const bool told = active_ ? raise(now, timing) : clear(now);
  if (told || said_ == Said::suppressed) {
    value_ = seen.value;
    if (seen.threshold) threshold_ = seen.threshold;
  }
  return told;
}

bool Life::raise(const Moment& now, const Timing& timing) {
  raised_ = true;
  quiet_at_ = now.at;
  clock_ = now.clock;
  while (!raises_.empty() &&
         (now.at - raises_.front() >= timing.flapping.period_ms || raises_.size() >= kMostRaises))
    raises_.pop_front();
  raises_.push_back(now.at);
  if (said_ == Said::suppressed) return false;
  ++occurrence_;
  since_ms_ = changed_utc_;
  cleared_ms_ = 0;
  said_ = raises_.size() > timing.flapping.most ? Said::suppressed : Said::raised;
  return true;
}

bool Life::clear(const Moment& now) {
  raised_ = false;
  quiet_at_ = now.at;
  clock_ = now.clock;
  cleared_ms_ = now.utc_ms;
  if (said_ == Said::suppressed) return false;
  said_ = Said::cleared;
  return true;
}

bool Life::pass(const Moment& now, const Timing& timing) {
  if (said_ != Said::suppressed || now.at - quiet_at_ < timing.flapping.period_ms) return false;
  said_ = raised_ ? Said::raised : Said::cleared;
  if (raised_)
    cleared_ms_ = 0;
  else if (cleared_ms_ == 0)
    cleared_ms_ = now.utc_ms;
  return true;
}

bool Life::forget(const Moment& now) {
  const bool told = said_ == Said::raised || said_ == Said::suppressed;
  const std::uint64_t occurrence = occurrence_;
  const std::int64_t since = since_ms_;
  *this = Life();
  occurrence_ = occurrence;
  if (!told) return false;
  said_ = Said::cleared;
  since_ms_ = since;
  cleared_ms_ = now.utc_ms;
  clock_ = now.clock;
  return true;
}

// Of an idle one only what will be said or counted again: so that what passed without a word
// costs no write.
std::string Life::save() const {
  const bool rests = idle();
  std::string out =
      std::to_string(active_) + ' ' + std::to_string(raised_) + ' ' +
      std::to_string(rests ? 0 : changed_at_) + ' ' + std::to_string(rests ? 0 : changed_utc_) +
      ' ' + std::to_string(static_cast<int>(said_)) + ' ' + std::to_string(occurrence_) + ' ' +
      std::to_string(since_ms_) + ' ' + std::to_string(cleared_ms_) + ' ' + shown(value_) + ' ' +
      shown(threshold_) + ' ' + std::to_string(static_cast<int>(clock_)) + ' ' +
      std::to_string(rests ? 0 : quiet_at_) + ' ' + std::to_string(raises_.size());
  for (std::int64_t at : raises_) out += ' ' + std::to_string(at);
  return out;
}

bool Life::load(std::string_view text) {
  Life l;
  int said = 0, clock = 0;
  std::size_t raises = 0;
  std::istringstream in{std::string(text)};
  if (!(in >> l.active_ >> l.raised_ >> l.changed_at_ >> l.changed_utc_ >> said >> l.occurrence_ >>
        l.since_ms_ >> l.cleared_ms_) ||
      !read(in, l.value_) || !read(in, l.threshold_) || !(in >> clock >> l.quiet_at_ >> raises) ||
      said < 0 || said > 3 || clock < 1 || clock > 3 || raises > kMostRaises)
    return false;
  l.said_ = static_cast<Said>(said);
  l.clock_ = static_cast<ClockTrust>(clock);
  for (std::int64_t at = 0; l.raises_.size() < raises; l.raises_.push_back(at))
    if (!(in >> at)) return false;
  *this = std::move(l);
  return true;
}

std::int64_t Life::newest_at() const {
  return std::max({changed_at_, quiet_at_, raises_.empty() ? INT64_MIN : raises_.back()});
}

}  // namespace gerbang::alarm
