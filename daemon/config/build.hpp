// SPDX-License-Identifier: Apache-2.0
//
// From a checked document to a Config: what depends on more than one key, on files, drivers or
// units. Each function reports what it finds and fills in what it can; a Config with errors is
// thrown away.
#pragma once

#include "config/check.hpp"
#include "config/config.hpp"
#include "config/devices.hpp"
#include "config/load.hpp"
#include "config/quantities.hpp"

namespace gerbang::config {

// What its driver can judge, whatever is wrong elsewhere: a line whose driver is known, a sensor
// whose address is right in all that the schema tells. By their places in Config.
struct Sound {
  std::vector<bool> drivers, sensors;
};

void build_gateway(const Document& document, Report& report, Config& config);
void build_store(const Document& document, const Context& context, Report& report, Config& config);
void build_http(const Document& document, const Context& context, Report& report, Config& config);
void build_windows(const Document& document, Report& report, Config& config);
void build_uplinks(const Document& document, const Context& context, Report& report,
                   Config& config);
// Drivers before sensors; windows before both.
void build_drivers(const Document& document, const Context& context, Report& report, Config& config,
                   Sound& sound);
void build_sensors(const Document& document, const std::vector<Part>& parts,
                   const Catalogue& catalogue, Report& report, Config& config, Sound& sound);
// The tables of Config::sensors, in that order: those of the file, then those of devices.
std::vector<Table> sensor_tables(const Document& document, const std::vector<Part>& parts);

// After sensors. Reads the standards if any indicator is configured.
void build_indicators(const Document& document, const Context& context, const Catalogue& catalogue,
                      Report& report, Diagnostics& errors, Config& config);
// After all of them.
void build_alarms(const Document& document, const Catalogue& catalogue, const Context& context,
                  Report& report, Diagnostics& errors, Config& config);

// The secret of a key, read; nullopt: not given, or reported.
std::optional<Secret> secret_of(const Table& table, std::string_view key, const Context& context,
                                Report& report);

// Reports the second of two equal names with both places.
class Unique {
 public:
  // `what` for people: "sensor". False: it was there.
  bool add(const std::string& name, const Place& place, const std::string& key,
           const std::string& what, Report& report);

 private:
  std::map<std::string, Place> seen_;
};

}  // namespace gerbang::config
