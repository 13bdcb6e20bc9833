// SPDX-License-Identifier: Apache-2.0
#include "config/secret.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace gerbang::config {
namespace {

constexpr std::string_view kCredential = "credential:";
constexpr std::size_t kMaxSecretBytes = 64 * 1024;

bool denied(const std::string& why) {
  return why == std::generic_category().message(EACCES);
}

}  // namespace

Resolved resolve_file(const std::string& written, const std::string& in_file,
                      const Environment& environment) {
  if (!std::string_view(written).starts_with(kCredential))
    return {(std::filesystem::path(in_file).parent_path() / written).lexically_normal(), {}};
  const std::string name = written.substr(kCredential.size());
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    return {{}, Fault{in_quotes(written) + " names no credential", "write \"credential:NAME\""}};
  const auto folder = environment("CREDENTIALS_DIRECTORY");
  if (!folder || folder->empty())
    return {
        {},
        Fault{"this process was given no credentials, so " + in_quotes(written) + " cannot be read",
              "add LoadCredential=" + name +
                  ":/path/of/the/file to the service (systemctl edit gerbang), or write a path"},
        true,
        true};
  return {std::filesystem::path(*folder) / name, {}, true};
}

FileText read_secret(const std::filesystem::path& path) {
  const std::string file = path.string();
  std::string why;
  auto content = read_file(file, kMaxSecretBytes, why);
  if (!content)
    return {{},
            Fault{file + " cannot be read: " + why,
                  "make it, and let only the service's user read it: chown gerbang: " + file +
                      " && chmod 400 " + file},
            denied(why)};
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
    return {{},
            Fault{file + " can be read by everybody on this machine",
                  "chown gerbang: " + file + " && chmod 400 " + file}};
  if (content->find_first_not_of(" \t\r\n") == std::string::npos)
    return {{}, Fault{file + " is empty", "write the secret into it"}};
  return {std::move(*content), {}};
}

FileText read_public(const std::filesystem::path& path) {
  std::string why;
  auto content = read_file(path.string(), kMaxFileBytes, why);
  if (!content)
    return {{},
            Fault{path.string() + " cannot be read: " + why,
                  "correct the path, or let the service's user read it"},
            denied(why)};
  if (content->empty())
    return {{}, Fault{path.string() + " is empty", "write the certificate into it"}};
  return {std::move(*content), {}};
}

std::optional<Fault> one_line(std::string& content, const std::filesystem::path& path) {
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  if (content.find('\n') != std::string::npos || content.find('\0') != std::string::npos)
    return Fault{path.string() + " has more than one line", "write the secret alone into it"};
  return std::nullopt;
}

Fault not_looked_at(const std::filesystem::path& path) {
  return {path.string() + " was not looked at: this user may not read it",
          "sudo gerbangctl check looks at it"};
}

}  // namespace gerbang::config
