// SPDX-License-Identifier: Apache-2.0
#include "driver_host/plugin.hpp"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include "driver_host/table.hpp"

namespace gerbang::driver_host {
namespace {

Result<Plugin> load(const std::string& path) {
  // dlopen would look for a bare name in the library path.
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr)
    return fail(std::error_code(errno, std::generic_category()), std::strerror(errno));
  void* library = dlopen(resolved, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return fail(std::errc::executable_format_error, why != nullptr ? why : "it cannot be loaded");
  }
  auto entry = reinterpret_cast<decltype(&gerbang_driver)>(dlsym(library, "gerbang_driver"));
  if (entry == nullptr)
    return fail(std::errc::executable_format_error,
                "it exports no gerbang_driver(): it is no driver, or was built without "
                "GERBANG_EXPORT");
  auto table = read_table(entry());
  if (!table) return fail(std::move(table.error()));
  auto description = read_description(table->describe());
  if (!description) return fail(std::move(description.error()));
  return Plugin{*table, std::move(*description)};
}

}  // namespace

Result<Plugin> load_plugin(const std::string& path) {
  auto plugin = load(path);
  if (!plugin) return fail(std::move(plugin.error()).within("driver " + path));
  return plugin;
}

}  // namespace gerbang::driver_host
