// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gerbang::ctl {

// Exit codes of sysexits.h that people script against.
enum Exit : int {
  kOk = 0,
  kBad = 1,
  kUsage = 64,
  kData = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kInternal = 70,
  kIo = 74,
  kConfig = 78,
};

struct Common {
  bool json = false;
  std::string language = "eng";  // ind or eng: texts for people
  std::string config = "/etc/gerbang/gerbang.toml";
};

// Every command prints its result to standard output, complaints to standard error, and returns its
// exit code.
int check(const Common& common);
int drivers(const Common& common, const std::string& name);
int profiles(const Common& common, const std::string& name);

struct ReadOptions {
  std::vector<std::string> sensors;  // empty: all
  bool watch = false;
};
int read(const Common& common, const ReadOptions& options);

struct DecodeOptions {
  std::string driver;
  std::string hex, text;             // captured bytes, one way or the other
  std::vector<std::string> options;  // KEY=VALUE
};
int decode(const Common& common, const DecodeOptions& options);

struct ScanOptions {
  std::string target;                  // modbus, serial, sdi12, or a driver
  std::string host, port, device;      // as the driver's options of the same names
  std::string units, bauds, parities;  // "1-32,40", "9600,19200", "none,even"
  std::string timeout;                 // of one answer
  std::string profile;                 // what the devices are, if that is known
  std::vector<std::string> options;    // KEY=VALUE
};
int scan(const Common& common, const ScanOptions& options);

struct StatusOptions {
  std::string url;  // empty: from the configuration
  std::string token_file;
};
int status(const Common& common, const StatusOptions& options);

struct SubscribeOptions {
  std::string url = "mqtt://127.0.0.1:1883";
  std::string root = "gerbang/v1";
  std::string topic;  // below the root, "#" when empty
  bool audit = false;
  bool quiet = false;
  std::optional<std::chrono::milliseconds> duration;
  std::string username, password_file, ca_file, certificate_file, key_file;
};
int subscribe(const Common& common, const SubscribeOptions& options);

struct ExportOptions {
  std::string url, token_file;       // through the daemon
  std::string store;                 // from a file
  std::vector<std::string> sensors;  // empty: all
  std::string from, to;              // empty: without bound
  std::string window;                // empty: readings
};
int export_data(const Common& common, const ExportOptions& options);

struct MaintenanceOptions {
  std::string sensor, person, note;
  std::string url;                       // a control socket; empty: of the configuration
  std::chrono::milliseconds duration{};  // 0: it ends now
};
int maintenance(const Common& common, const MaintenanceOptions& options);

struct EvaluateOptions {
  std::string standard;
  std::vector<std::string> values;  // "pm2_5=77.44", "free_chlorine=0.2 mg/L"
  std::string variant;              // class or averaging time; empty: the standard's default
};
int evaluate(const Common& common, const EvaluateOptions& options);
// All of them, or the table of one.
int standards(const Common& common, const std::string& name, const std::string& variant);

}  // namespace gerbang::ctl
