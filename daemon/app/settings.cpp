// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <gerbang/driver.h>

#include <optional>
#include <set>

#include "app/translate.hpp"
#include "app/version.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"
#include "source/complaints.hpp"
#include "store/store.hpp"

namespace gerbang::app {

namespace {

// What the schemas do not tell: each driver takes its part, or says why not.
std::vector<config::Refusal> ask_drivers(const config::Config& config,
                                         source::Catalogue& catalogue) {
  std::vector<config::Refusal> refusals;
  auto specs = drivers_of(config, catalogue);
  if (!specs) return refusals;    // whoever runs it says so
  std::set<std::string> unknown;  // that crashed when it was asked for its schema
  for (const config::Driver& driver : config.drivers)
    if (driver.schema.name.empty()) unknown.insert(driver.name);
  std::erase_if(*specs, [&](const source::DriverSpec& s) { return unknown.contains(s.name); });
  for (source::Complaint& one : source::complaints(catalogue.host(), *specs))
    refusals.push_back({std::move(one.driver), one.sensor, std::move(one.text)});
  return refusals;
}

}  // namespace

config::LoadResult load_settings(const std::string& file, Purpose purpose,
                                 source::Catalogue* catalogue) {
  std::optional<source::Catalogue> own;
  Result<std::string> host =
      catalogue ? catalogue->host() : ipc::host_program("gerbang-driver-host");
  if (!catalogue && host) catalogue = &own.emplace(*host);
  auto schema = [&](const std::string& plugin) -> Result<DriverSchema> {
    if (!catalogue) return fail(host.error());
    return catalogue->schema(plugin);
  };
  config::Context context = config::system_context(schema);
  context.by_hand = purpose == Purpose::check;
  context.starts = purpose != Purpose::check;
  context.beside = purpose == Purpose::check_reload;
  if (catalogue)
    context.ask = [catalogue](const config::Config& config) {
      return ask_drivers(config, *catalogue);
    };
  return config::load(file, context);
}

std::string version_text() {
  return std::string("gerbangd ") + GERBANG_VERSION + " (commit " + GERBANG_COMMIT +
         "), driver ABI " + std::to_string(GERBANG_ABI_MAJOR) + "." +
         std::to_string(GERBANG_ABI_MINOR) + ", store schema " +
         std::to_string(store::schema_version());
}

}  // namespace gerbang::app
