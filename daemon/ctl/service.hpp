// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gerbang::ctl {

// The folder that systemd gives the service with this configuration file (an absolute path) as
// STATE_DIRECTORY: a relative store.path belongs to it, also for a command by hand, which is given
// none. Empty: the configuration of no service. As in systemd/gerbang.service.
inline std::filesystem::path service_state(const std::filesystem::path& configuration) {
  const bool service = configuration.lexically_normal().parent_path() == "/etc/gerbang";
  return service ? "/var/lib/gerbang" : "";
}

// The language of texts for people where --lang does not say: "ind" where the locale of messages
// (LC_ALL, LC_MESSAGES, LANG: the first that is not empty) is Indonesian, else "eng". environment:
// the value of a variable, null when it is not set.
template <class Environment>
std::string language_of(Environment environment) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = environment(name);
    const std::string_view locale = value == nullptr ? "" : value;
    if (locale.empty()) continue;
    const std::string_view language = locale.substr(0, locale.find_first_of("_.@"));
    return language == "id" ? "ind" : "eng";
  }
  return "eng";
}

}  // namespace gerbang::ctl
