// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>
#include <host/v1/driver.pb.h>

#include <set>
#include <span>
#include <string>
#include <vector>

namespace gerbang::driver_host {

// A Configure, Decode or Scan frame as the C structs of driver.h. Owns everything that get() points
// at; lives until the driver is closed. The frame itself is not kept: a thousand addresses say the
// same few words, which stand here once.
class DriverConfig {
 public:
  explicit DriverConfig(const host::v1::Configure& frame);
  using Values = google::protobuf::RepeatedPtrField<host::v1::Value>;
  explicit DriverConfig(const Values& options);  // no sensors: for decode and scan
  DriverConfig(const DriverConfig&) = delete;
  DriverConfig& operator=(const DriverConfig&) = delete;

  const gerbang_config* get() const { return &config_; }
  std::span<const gerbang_sensor> sensors() const { return sensors_; }

 private:
  void append(const Values& values);
  const char* kept(const std::string& text) { return texts_.insert(text).first->c_str(); }

  std::set<std::string> texts_;
  std::vector<gerbang_value> values_;  // of all options, then of all addresses
  std::vector<gerbang_sensor> sensors_;
  gerbang_config config_{};
};

}  // namespace gerbang::driver_host
