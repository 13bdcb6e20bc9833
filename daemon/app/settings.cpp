// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <gerbang/driver.h>

#include "app/version.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"
#include "store/store.hpp"

namespace gerbang::app {

config::LoadResult load_settings(const std::string& file, Purpose purpose,
                                 source::Catalogue* catalogue) {
  auto schema = [catalogue](const std::string& plugin) -> Result<DriverSchema> {
    if (catalogue) return catalogue->schema(plugin);
    auto host = ipc::host_program("gerbang-driver-host");
    if (!host) return fail(std::move(host.error()));
    return source::Catalogue(*host).schema(plugin);
  };
  config::Context context = config::system_context(schema);
  context.by_hand = purpose == Purpose::check;
  context.forgive_crashed_drivers = purpose == Purpose::run;
  return config::load(file, context);
}

std::string version_text() {
  return std::string("gerbangd ") + GERBANG_VERSION + " (commit " + GERBANG_COMMIT +
         "), driver ABI " + std::to_string(GERBANG_ABI_MAJOR) + "." +
         std::to_string(GERBANG_ABI_MINOR) + ", store schema " +
         std::to_string(store::schema_version());
}

}  // namespace gerbang::app
