// SPDX-License-Identifier: Apache-2.0
//
// What the gateway's state means: ages, readiness, and whether the ledger balances.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/snapshot.hpp"

namespace gerbang::http {

// Milliseconds since the newest reading was taken, by the boot clock where the reading has one.
std::optional<std::int64_t> age_ms(const Snapshot& now, const SensorNow& sensor);

// No reading for three intervals, at least 30 s. Event and push sensors are never stale.
bool stale(const Snapshot& now, const SensorNow& sensor);

// It runs, and at least one of its sensors has a fresh value (any, where it has none or has only
// event and push sensors).
bool delivers(const Snapshot& now, const DriverNow& driver);

enum class Verdict { pass, warn, fail };
std::string_view name(Verdict verdict);

struct Check {
  std::string name;  // "store", "driver:wtp-plc", "device:wtp-plc/unit-3"
  Verdict verdict = Verdict::pass;
  std::string ind, eng;  // what is wrong and what follows from it
};

struct Readiness {
  Verdict verdict = Verdict::pass;  // the worst of the checks
  std::vector<Check> checks;
};

// fail only if readings cannot be made durable or drivers are configured and none delivers.
Readiness readiness(const Snapshot& now);

// The two equations of readings, in total and for each sensor, and one for the messages of each
// uplink. Anything but zero is a defect of ours.
struct Balance {
  struct Sensor {
    std::int64_t readings = 0, folding = 0;
  };
  std::uint64_t rejected = 0, not_folded = 0, to_fold = 0;
  std::int64_t readings = 0;           // taken - stored - rejected - waiting
  std::int64_t folding = 0;            // stored - folded - to fold - not folded
  std::int64_t events = 0;             // taken - stored - refused - waiting
  std::vector<std::int64_t> messages;  // in the order of Snapshot::uplinks
  std::vector<Sensor> sensors;         // in the order of Snapshot::ledger
  std::int64_t sum = 0;                // by how much the sensors do not add up to the total
  std::int64_t difference() const;     // sum of the magnitudes
};
Balance balance(const Snapshot& now);

}  // namespace gerbang::http
