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
  bool credential = false;      // "credential:NAME"
  bool no_credentials = false;  // the fault: this process was not given any
};
Resolved resolve_file(const std::string& written, const std::string& in_file,
                      const Environment& environment);

// The content of a file, or why it is refused.
struct FileText {
  std::string content;
  std::optional<Fault> fault;
  bool denied = false;  // the fault: this process may not read it
};
// A file that others must not read: not empty, not world-readable.
FileText read_secret(const std::filesystem::path& path);
// A file that may be read by everybody, and is not empty: certificates.
FileText read_public(const std::filesystem::path& path);

// The one line of a password or token file, without its line break.
std::optional<Fault> one_line(std::string& content, const std::filesystem::path& path);

// What a check by hand says of a file that its user may not read, and the service may.
Fault not_looked_at(const std::filesystem::path& path);

}  // namespace gerbang::config
