// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "core/shared.hpp"
#include "core/tally.hpp"
#include "quality/formula.hpp"
#include "quality/relation.hpp"
#include "quality/rules.hpp"

namespace gerbang::pipeline {

// A sensor of the running configuration. Reading::sensor is its place in the list.
struct Sensor {
  std::string id;
  Shared<Quantity> quantity;  // name, domain, unit and kind
  std::int32_t series = 0;    // the store's number
  Calibration calibration;
  Shared<quality::Rules> rules;
  std::vector<quality::Relation> relations;  // of this one to others, by their places in the list
  std::shared_ptr<const quality::Formula> formula;  // computed, from the sensors at these places
  std::vector<std::uint32_t> from;
  std::int64_t interval_ms = 0;       // 0: not polled
  std::optional<std::uint64_t> wrap;  // totaliser: the raw count at which it starts again at 0
  bool count_suspect = false;
};

// What a sensor said last, and how often what, since the daemon started.
struct Live {
  bool any = false;  // false: nothing yet, the rest is meaningless
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  Raw raw;           // meaningless when flag is missing, and so is value
  double value = 0;  // in the quantity's unit
  std::int64_t time_ms = 0, boot_ns = 0;
  bool ahead = false;  // by the device's clock; what comes next is newer, whatever it says
  std::uint64_t good = 0, not_evaluated = 0, suspect = 0, bad = 0, missing = 0;
  std::uint64_t reflagged = 0;  // of those, what a later test said something worse of
};

// What folding knows of a sensor, and what its messages say. Kept in the store, so that the open
// windows of a sensor that is no longer configured can close as they are.
struct Member {
  std::string id, quantity, unit, domain;
  SeriesPlan plan;
};
Member member(const Sensor& sensor);

// What was written down of when they came; those that are not in `before` come now.
void remember_since(std::vector<Member>& members, const std::vector<Member>& before,
                    std::int64_t now_ms);

// One line for each member. parse: nullopt for anything else.
std::string text_of(const std::vector<Member>& members);
std::optional<std::vector<Member>> parse_members(std::string_view text);

// Those of `before` that are not in `now`, with the time they left: their open windows have to be
// closed beside those of the configuration.
std::vector<Member> leaving(const std::vector<Member>& before, const std::vector<Member>& now,
                            std::int64_t left_ms);

// Which records of missing readings are worth keeping: the first of a sensor in each finest window,
// and each with another reason than the record before.
class Thinning {
 public:
  bool keep(Reason reason, std::int64_t window_start_ms) {
    if (any_ && reason == reason_ && window_start_ms == window_) return false;
    any_ = true;
    reason_ = reason;
    window_ = window_start_ms;
    return true;
  }

 private:
  bool any_ = false;
  Reason reason_ = Reason::none;
  std::int64_t window_ = 0;
};

}  // namespace gerbang::pipeline
