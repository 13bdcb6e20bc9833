// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "config/check.hpp"

namespace gerbang::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// `written` relative to the file that it stands in; "credential:NAME" in CREDENTIALS_DIRECTORY.
// nullopt with a fault: there is no such folder, or the name is no name.
struct Resolved {
  std::filesystem::path path;
  std::optional<Fault> fault;
  bool no_credentials = false;  // the fault: this process was not given any
};
Resolved resolve_file(const std::string& written, const std::string& in_file,
                      const Environment& environment);

// A file that others must not read: not empty, not world-readable. The content, or why it is
// refused.
struct SecretFile {
  std::string content;
  std::optional<Fault> fault;
};
SecretFile read_secret(const std::filesystem::path& path);

// The one line of a password or token file, without its line break.
std::optional<Fault> one_line(std::string& content, const std::filesystem::path& path);

// A file that only has to be there: certificates.
std::optional<Fault> check_readable(const std::filesystem::path& path);

}  // namespace gerbang::config
