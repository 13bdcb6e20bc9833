// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "app/gateway.hpp"
#include "app/settings.hpp"
#include "app/version.hpp"
#include "config/load.hpp"
#include "core/text.hpp"
#include "ipc/memory.hpp"
#include "observe/log.hpp"
#include "store/store.hpp"

namespace gerbang::app {
namespace {

constexpr int kOk = 0, kUsage = 64, kConfig = 78;

// Every mistake on a line of its own, so that one look at the file mends them all.
int check(const std::string& file, Purpose purpose) {
  config::LoadResult loaded = load_settings(file, purpose);
  for (const config::Diagnostic& d : loaded.errors) std::puts(config::text(d).c_str());
  for (const config::Diagnostic& d : loaded.warnings)
    std::puts(("warning: " + config::text(d)).c_str());
  if (!loaded.config) {
    std::printf("%s: %s\n", file.c_str(), counted(loaded.errors.size(), "mistake").c_str());
    return kConfig;
  }
  std::printf("%s: valid: %s\n", file.c_str(), config::summary(*loaded.config).c_str());
  return kOk;
}

// Until the gateway catches signals itself nothing was begun that would have to be ended.
void leave(int) {
  std::_Exit(kOk);
}

int run(const std::string& file, bool debug) {
  std::signal(SIGTERM, leave);
  std::signal(SIGINT, leave);
  observe::start_log("gerbangd", debug ? spdlog::level::debug : spdlog::level::info);
  config::LoadResult loaded = load_settings(file, Purpose::run);
  for (const config::Diagnostic& d : loaded.errors) spdlog::error("{}", config::text(d));
  for (const config::Diagnostic& d : loaded.warnings) spdlog::warn("{}", config::text(d));
  if (!loaded.config) {
    spdlog::error("the configuration has {}; nothing was started",
                  counted(loaded.errors.size(), "mistake"));
    return kConfig;
  }
  return run_gateway(file, std::move(*loaded.config));
}

}  // namespace
}  // namespace gerbang::app

int main(int argc, char** argv) {
  gerbang::ipc::use_one_heap(256 << 10);
  CLI::App cli("Gerbang: reads sensors, keeps every reading, forwards aggregates over MQTT.");
  std::string config, check, check_reload;
  bool version = false, debug = false;
  cli.add_option("--config", config, "Run the gateway with this configuration file")
      ->default_str("/etc/gerbang/gerbang.toml");
  cli.add_option("--check-config", check, "Print every mistake in FILE and exit (0 valid, 78 not)");
  cli.add_option("--check-reload", check_reload,
                 "The same as a running gateway would judge FILE: what may pass is a warning");
  cli.add_flag("--debug", debug, "Log more");
  cli.add_flag("--version", version, "Version, commit, driver ABI, store schema");
  cli.footer(
      "Examples:\n"
      "  gerbangd --check-config /etc/gerbang/gerbang.toml\n"
      "  gerbangd --config /etc/gerbang/gerbang.toml\n"
      "SIGHUP reads the configuration again: all of it is applied, or nothing. SIGTERM stops.");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    int code = cli.exit(e);
    return code == 0 ? 0 : gerbang::app::kUsage;
  }
  if (version) {
    std::puts(gerbang::app::version_text().c_str());
    return 0;
  }
  try {
    using gerbang::app::Purpose;
    if (!check.empty()) return gerbang::app::check(check, Purpose::check);
    if (!check_reload.empty()) return gerbang::app::check(check_reload, Purpose::check_reload);
    return gerbang::app::run(config.empty() ? "/etc/gerbang/gerbang.toml" : config, debug);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gerbangd: %s\n", e.what());
    return 70;
  }
}
