// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/driver_schema.hpp"
#include "core/result.hpp"
#include "source/once.hpp"

namespace gerbang::source {

// Where drivers are looked for, first hit wins: the folders of GERBANG_DRIVER_PATH (separated by
// colons) if it is set; else ../drivers of the running program (a build tree) and the install
// directory.
std::vector<std::filesystem::path> driver_folders();

// The drivers that are installed. Blocks where it runs a host (milliseconds; 5 s if the driver
// hangs): for start-up, reload and command line tools. One thread.
class Catalogue {
 public:
  // host: path of gerbang-driver-host (ipc::host_program).
  explicit Catalogue(std::string host,
                     std::vector<std::filesystem::path> folders = driver_folders());

  struct Entry {
    std::string plugin;  // "modbus", the file's name without .so
    std::string path;
  };
  // By name.
  std::vector<Entry> list() const;

  // The driver's file. Error: what was looked for and where, and the nearest name that exists.
  Result<std::string> find(const std::string& plugin) const;

  // Remembered until the file changes.
  Result<DriverSchema> schema(const std::string& plugin);

  // options: checked against the schema.
  Result<Decoded> decode(const std::string& plugin, const OptionValues& options,
                         std::string_view bytes) const;

  const std::string& host() const { return host_; }

 private:
  struct Known {
    std::filesystem::file_time_type written;
    DriverSchema schema;
  };
  std::string host_;
  std::vector<std::filesystem::path> folders_;
  std::map<std::string, Known> known_;  // by path
};

}  // namespace gerbang::source
