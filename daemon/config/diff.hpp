// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/held.hpp"

namespace gerbang::config {

// What a reload would do. Pure values.
struct Change {
  struct Entry {
    std::string key;            // "sensor[raw-ph].unit"
    std::string before, after;  // canonical; empty: not there
  };
  std::vector<Entry> entries;  // by key; secrets show no content
  // Those of them that a person is told: what was written before or is now, and not the defaults
  // and what follows. Of an element that nobody wrote (a sensor of a device) what became different;
  // where it came or went, its device. Never empty where `entries` is not.
  std::vector<Entry> told;
  // Keys of [gateway] [store] [windows] [http] among those told: a reload with any applies nothing.
  std::vector<std::string> needs_restart;
  // Names whose process has to be configured anew, started or stopped. A driver counts when its own
  // keys or the id, address or interval of one of its sensors changed.
  std::set<std::string> drivers, uplinks;

  bool empty() const { return entries.empty(); }
};

Change diff(const Held& before, const Config& after);

// One line for a log: "sensor[raw-ph].unit: \"1\" → \"pH\"".
std::string text(const Change::Entry& entry);

}  // namespace gerbang::config
