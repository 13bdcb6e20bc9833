// SPDX-License-Identifier: Apache-2.0
#include "source/catalogue.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/text.hpp"

namespace gerbang::source {
namespace {

namespace fs = std::filesystem;

// A name, not a path: it comes from a configuration and becomes part of one.
bool is_plugin_name(std::string_view name) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

std::string joined(const std::vector<fs::path>& folders) {
  std::string out;
  for (const fs::path& folder : folders) out += (out.empty() ? "" : ", ") + folder.string();
  return out.empty() ? "no folder" : out;
}

}  // namespace

std::vector<fs::path> driver_folders() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("GERBANG_DRIVER_PATH"); path != nullptr && *path != '\0') {
    for (std::string_view rest = path; !rest.empty();) {
      auto colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) folders.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return folders;
  }
  std::error_code ignored;
  fs::path build =
      fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "drivers";
  if (fs::is_directory(build, ignored)) folders.push_back(std::move(build));
  folders.emplace_back(GERBANG_INSTALL_DRIVERS);
  return folders;
}

Catalogue::Catalogue(std::string host, std::vector<fs::path> folders)
    : host_(std::move(host)), folders_(std::move(folders)) {}

std::vector<Catalogue::Entry> Catalogue::list() const {
  std::map<std::string, std::string> found;
  for (const fs::path& folder : folders_) {
    std::error_code ignored;
    for (fs::directory_iterator file(folder, ignored), end; file != end; file.increment(ignored)) {
      if (file->path().extension() != ".so" || !file->is_regular_file(ignored)) continue;
      std::string plugin = file->path().stem().string();
      if (is_plugin_name(plugin)) found.try_emplace(std::move(plugin), file->path().string());
    }
  }
  std::vector<Entry> out;
  for (auto& [plugin, path] : found) out.push_back(Entry{plugin, path});
  return out;
}

Result<std::string> Catalogue::find(const std::string& plugin) const {
  const std::vector<Entry> all = list();
  std::vector<std::string_view> names;
  std::string installed;
  for (const Entry& entry : all) {
    if (entry.plugin == plugin) return entry.path;
    names.push_back(entry.plugin);
    installed += (installed.empty() ? "" : ", ") + entry.plugin;
  }
  std::string what = "no driver \"" + plugin + "\" in " + joined(folders_);
  if (auto close = nearest(plugin, names))
    what += "; did you mean \"" + std::string(*close) + "\"?";
  else if (!names.empty())
    what += "; installed: " + installed;
  else
    what += "; no drivers are installed there";
  return fail(std::errc::no_such_file_or_directory, std::move(what));
}

Result<DriverSchema> Catalogue::schema(const std::string& plugin) {
  auto path = find(plugin);
  if (!path) return fail(std::move(path).error());
  std::error_code ignored;
  const auto written = fs::last_write_time(*path, ignored);
  if (auto known = known_.find(*path); known != known_.end() && known->second.written == written)
    return known->second.schema;
  auto schema = describe(host_, *path);
  if (!schema) {
    const bool named = schema.error().what.find(*path) != std::string::npos;
    const std::string context = "driver \"" + plugin + "\"" + (named ? "" : " (" + *path + ")");
    return fail(std::move(schema).error().within(context));
  }
  known_.insert_or_assign(*path, Known{written, *schema});
  return schema;
}

Result<Decoded> Catalogue::decode(const std::string& plugin, const OptionValues& options,
                                  std::string_view bytes) const {
  auto path = find(plugin);
  if (!path) return fail(std::move(path).error());
  auto decoded = source::decode(host_, *path, options, bytes);
  if (!decoded) return fail(std::move(decoded).error().within("driver \"" + plugin + "\""));
  return decoded;
}

}  // namespace gerbang::source
