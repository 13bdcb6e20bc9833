// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "config/config.hpp"

namespace gerbang::config {

// Contents, by the full key of the setting that names them.
std::map<std::string, std::string> secrets_of(const Config& config);

// What a configuration said, for the reload that compares it with the next one. It is read so
// seldom that it is kept packed, in a few bytes a sensor. Secrets are kept as they are.
class Held {
 public:
  explicit Held(const Config& config);

  std::map<std::string, std::string> settings() const;  // settings_of() of it
  std::set<std::string> written() const;                // those of them that were written
  const std::map<std::string, std::string>& secrets() const { return secrets_; }

 private:
  std::string unpacked() const;

  std::string packed_;
  std::size_t size_ = 0;
  std::map<std::string, std::string> secrets_;
};

}  // namespace gerbang::config
