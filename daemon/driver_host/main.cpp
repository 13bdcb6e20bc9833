// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gerbang/driver.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "driver_host/confine.hpp"
#include "driver_host/link.hpp"
#include "driver_host/plugin.hpp"
#include "driver_host/session.hpp"
#include "driver_host/table.hpp"
#include "ipc/memory.hpp"

namespace {

using namespace gerbang::driver_host;

constexpr int kSocket = 3;
constexpr std::string_view kUsage =
    "gerbang-driver-host --describe DRIVER.so   print what a driver says of itself\n"
    "gerbang-driver-host --driver DRIVER.so     run it for gerbangd (socket on descriptor 3)\n"
    "gerbang-driver-host --version | --help\n"
    "\n"
    "Runs one sensor driver in a process of its own. gerbangd starts it; by hand only --describe\n"
    "is of use. Ends with 0, 64 (usage), 70 (broken frames) or 78 (driver or configuration).\n";

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "gerbang-driver-host: %s\n", what.c_str());
  return code;
}

int describe_driver(const std::string& path) {
  if (auto confined = confine(false); !confined)
    return complain(confined.error().what, kExitConfig);
  auto plugin = load_plugin(path);
  if (!plugin) return complain(plugin.error().what, kExitConfig);
  std::fputs(describe(plugin->table, plugin->description).c_str(), stdout);
  return kExitOk;
}

int run_driver(const std::string& path) {
  struct stat status {};
  if (fstat(kSocket, &status) != 0 || !S_ISSOCK(status.st_mode))
    return complain("descriptor 3 is no socket: gerbangd starts this program", kExitUsage);
  fcntl(kSocket, F_SETFD, FD_CLOEXEC);  // not for what a driver might start
  gerbang::ipc::use_one_heap(64 << 10);

  // Never destroyed: a thread or an exit handler of the driver may still call the host.
  static Link& link = *new Link(kSocket);
  auto refuse = [](const std::string& why) {
    gerbang::host::v1::FromDriverHost frame;
    frame.mutable_hello()->set_load_error(why);
    link.send(frame);
    return complain(why, kExitConfig);
  };
  if (auto confined = confine(true); !confined) return refuse(confined.error().what);
  auto plugin = load_plugin(path);
  if (!plugin) return refuse(plugin.error().what);
  static Session& session = *new Session(std::move(*plugin), link);
  return session.run();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (option == "--version" && argc == 2) {
    std::printf("gerbang-driver-host %s (%s), driver ABI %u.%u\n", GERBANG_VERSION, GERBANG_COMMIT,
                GERBANG_ABI_MAJOR, GERBANG_ABI_MINOR);
    return kExitOk;
  }
  if (option == "--help" && argc == 2) {
    std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
    return kExitOk;
  }
  if (option == "--describe" && argc == 3) return describe_driver(argv[2]);
  if (option == "--driver" && argc == 3) return run_driver(argv[2]);
  std::fwrite(kUsage.data(), 1, kUsage.size(), stderr);
  return kExitUsage;
}
