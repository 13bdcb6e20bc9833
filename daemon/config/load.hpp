// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "core/driver_schema.hpp"
#include "core/result.hpp"

namespace gerbang::config {

enum class KeyPair {
  fits,
  differs,         // the key is that of another certificate
  no_certificate,  // there is none, or it is not PEM
  no_key,          // the same
  locked,          // the key wants a passphrase
};

// What a driver has against its part of a configuration.
struct Refusal {
  std::string driver;                 // Driver::name
  std::optional<std::size_t> sensor;  // index in Config::sensors; nullopt: against its options
  std::string text;                   // "what is wrong; what to write instead"

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// What checking needs from outside.
struct Context {
  // What a plugin understands; its error text is shown to the operator. Asked once a plugin.
  std::function<Result<DriverSchema>(const std::string& plugin)> schema;
  // What the drivers have against their parts, which are right in all that their schemas tell.
  // Asked once, of the whole configuration, if nothing is wrong with it; else of a rest of which
  // only `drivers` and `sensors` mean anything, and again of each line with a wrong option (see
  // doubts.hpp). Empty: the drivers are not asked.
  std::function<std::vector<Refusal>(const Config& config)> ask;
  // Where quantities.toml, units.toml and profiles/ are.
  std::filesystem::path data;
  // Device profiles; empty: those of `data`.
  std::filesystem::path profiles;
  // STATE_DIRECTORY and CREDENTIALS_DIRECTORY; nullopt when not set.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // A check by hand, outside of the service: credentials that only the service is given are a
  // warning and not an error, and stay empty.
  bool by_hand = false;
  // A gateway that starts or goes on: a driver that crashes or hangs when it is asked is a fault of
  // that driver, to be supervised and shown, and not a mistake in the file. Its options stay
  // unchecked, with a warning. The same with a disk that is not there yet.
  bool starts = false;
  // A reload that is checked beside the gateway, as its user: systemd may not show it the
  // credentials that the gateway has. All else is judged as the gateway will.
  bool beside = false;
  // The store will not be opened: a folder of it that is not there is a warning.
  bool store_unused = false;
  // What a certificate and a private key, both PEM, are to each other; empty: not looked at.
  std::function<KeyPair(const std::string& certificate, const std::string& key)> key_pair;
};

// $GERBANG_DATA, else the installed folder.
std::filesystem::path default_data_directory();
// The process environment and default_data_directory(), with this schema lookup.
Context system_context(std::function<Result<DriverSchema>(const std::string& plugin)> schema);

struct LoadResult {
  std::optional<Config> config;  // only if there are no errors
  Diagnostics errors;            // every mistake, sorted by place
  Diagnostics warnings;          // allowed, and probably not meant
};

// Reads and checks the file and what it includes. Blocks (files, look-ups and questions that driver
// hosts answer); changes nothing.
LoadResult load(const std::filesystem::path& path, const Context& context);

// "1 driver, 12 sensors, 2 uplinks"
std::string summary(const Config& config);

}  // namespace gerbang::config
