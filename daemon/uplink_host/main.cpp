// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "ipc/memory.hpp"
#include "uplink_host/paho_client.hpp"
#include "uplink_host/session.hpp"

namespace {

constexpr int kSocket = 3;
constexpr int kUsage = 64, kUnavailable = 69;  // sysexits
constexpr char kHelp[] =
    "gerbang-uplink-host --run                runs one connection to a broker for gerbangd, which\n"
    "                                         starts it (socket on descriptor 3)\n"
    "gerbang-uplink-host --version | --help\n";

int complain(const char* what, int code) {
  std::fprintf(stderr, "gerbang-uplink-host: %s\n", what);
  return code;
}

// Dies with the daemon, gains no rights, leaves no core with keys in it. SIGTERM and SIGINT to the
// whole group are the daemon's to act on: it still has a state to publish through us.
bool confine() {
  const pid_t parent = getppid();
  rlimit none{0, 0};
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (setrlimit(RLIMIT_CORE, &none) != 0) return false;
  for (int ignored : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) std::signal(ignored, SIG_IGN);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc == 2 ? argv[1] : "";
  if (option == "--version") {
    std::printf("gerbang-uplink-host %s (%s), %s\n", GERBANG_VERSION, GERBANG_COMMIT,
                gerbang::uplink_host::PahoClient::library().c_str());
    return 0;
  }
  if (option == "--help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (option != "--run") {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  struct stat status {};
  if (fstat(kSocket, &status) != 0 || !S_ISSOCK(status.st_mode))
    return complain("descriptor 3 is no socket: gerbangd starts this program", kUsage);
  if (!confine()) return complain("cannot confine itself, or its parent has ended", kUnavailable);
  gerbang::ipc::use_one_heap(256 << 10);
  gerbang::uplink_host::Session session(kSocket);
  _exit(session.run());
}
