// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "config/load.hpp"

namespace gerbang::test {

inline OptionSpec option(std::string name, OptionType type) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  return spec;
}

// Drivers as they describe themselves: with bounds, choices and an identity of two keys, with a
// single text, with devices that speak by themselves.
inline Result<DriverSchema> schema_of(const std::string& plugin) {
  DriverSchema out;
  out.name = plugin;
  if (plugin == "simulator") {
    OptionSpec seed = option("seed", OptionType::integer);
    seed.fallback = "1";
    out.options = {seed};
    OptionSpec signal = option("signal", OptionType::string);
    signal.required = signal.identity = true;
    out.address = {signal};
    return out;
  }
  if (plugin == "post") {  // devices that speak by themselves
    OptionSpec topic = option("topic", OptionType::string);
    topic.required = topic.identity = true;
    out.address = {topic};
    out.pushes = true;
    return out;
  }
  if (plugin == "probe") {  // a serial line
    OptionSpec device = option("device", OptionType::string);
    device.required = true;
    OptionSpec transport = option("transport", OptionType::choice);
    transport.fallback = "rtu";
    transport.choices = {"tcp", "rtu"};
    OptionSpec baud = option("baud", OptionType::integer);
    baud.fallback = "9600";
    OptionSpec parity = option("parity", OptionType::choice);
    parity.fallback = "none";
    parity.choices = {"none", "even", "odd"};
    out.options = {device, transport, baud, parity};
    OptionSpec unit = option("unit", OptionType::integer);
    unit.required = unit.identity = true;
    OptionSpec reg = option("register", OptionType::integer);
    reg.required = reg.identity = true;
    OptionSpec order = option("order", OptionType::choice);
    order.fallback = "abcd";
    order.choices = {"abcd", "cdab"};
    out.address = {unit, reg, order};
    return out;
  }
  if (plugin != "modbus")
    return fail(std::errc::no_such_file_or_directory,
                "there is no driver \"" + plugin + "\"; did you mean \"modbus\"?");
  OptionSpec transport = option("transport", OptionType::choice);
  transport.required = true;
  transport.choices = {"tcp", "rtu"};
  OptionSpec host = option("host", OptionType::string);
  host.help = "name or address of the server";
  OptionSpec port = option("port", OptionType::integer);
  port.fallback = "502";
  port.minimum = 1;
  port.maximum = 65535;
  port.help = "TCP port";
  OptionSpec timeout = option("timeout", OptionType::duration);
  timeout.fallback = "500ms";
  timeout.minimum = 10;
  timeout.maximum = 60'000;
  timeout.help = "how long to wait for an answer";
  OptionSpec pause = option("pause", OptionType::duration);
  pause.fallback = "\"0ms\"";
  pause.help = "silence between requests, such as \"5ms\"";
  OptionSpec retries = option("retries", OptionType::integer);
  retries.fallback = "1";
  retries.help = "a whole number";
  out.options = {transport, host, port, timeout, pause, retries};

  OptionSpec unit = option("unit", OptionType::integer);
  unit.required = unit.identity = true;
  unit.minimum = 1;
  unit.maximum = 247;
  unit.help = "the device's number on the line, 1 to 247";
  OptionSpec table = option("table", OptionType::choice);
  table.identity = true;
  table.fallback = "holding";
  table.choices = {"holding", "input", "coil", "discrete"};
  OptionSpec reg = option("register", OptionType::integer);
  reg.required = reg.identity = true;
  reg.maximum = 65535;
  reg.help = "wire address, 0 to 65535";
  OptionSpec type = option("type", OptionType::choice);
  type.fallback = "\"uint16\"";
  type.choices = {"uint16", "float32"};
  OptionSpec gain = option("gain", OptionType::number);
  gain.help = "a finite number";
  OptionSpec swap = option("swap", OptionType::boolean);
  swap.help = "true or false";
  out.address = {unit, table, reg, type, gain, swap};
  return out;
}

inline config::Context context(std::map<std::string, std::string> environment = {}) {
  config::Context out;
  out.schema = schema_of;
  out.data = std::filesystem::path(GERBANG_SOURCE_DIR) / "config";
  out.profiles = std::filesystem::path(GERBANG_SOURCE_DIR) / "tests/data/config/profiles";
  out.environment = [environment = std::move(environment)](
                        const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return out;
}

}  // namespace gerbang::test
