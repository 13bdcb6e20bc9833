// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace gerbang::ctl {

// The folder that systemd gives the service with this configuration file (an absolute path) as
// STATE_DIRECTORY: a relative store.path belongs to it, also for a command by hand, which is given
// none. Empty: the configuration of no service. As in systemd/gerbang.service.
inline std::filesystem::path service_state(const std::filesystem::path& configuration) {
  const bool service = configuration.lexically_normal().parent_path() == "/etc/gerbang";
  return service ? "/var/lib/gerbang" : "";
}

}  // namespace gerbang::ctl
