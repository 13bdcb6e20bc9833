// SPDX-License-Identifier: Apache-2.0
#include "ctl/running.hpp"

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "ctl/key_pair.hpp"
#include "ctl/service.hpp"
#include "ctl/specs.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"

namespace gerbang::ctl {
namespace json = boost::json;

config::LoadResult load_configuration(const Common& common, bool ask) {
  std::shared_ptr<source::Catalogue> catalogue;
  auto host = ipc::host_program("gerbang-driver-host");
  if (host) catalogue = std::make_shared<source::Catalogue>(*host);
  auto schema = [catalogue, host](const std::string& plugin) -> Result<DriverSchema> {
    if (!catalogue) return fail(host.error());
    return catalogue->schema(plugin);
  };
  config::Context context = config::system_context(schema);
  context.by_hand = true;
  if (ask) context.key_pair = key_pair;
  context.store_unused = !ask;
  const auto state = service_state(std::filesystem::absolute(common.config)).string();
  if (!state.empty())
    context.environment = [state, given = context.environment](const std::string& name) {
      auto value = given(name);
      return !value && name == "STATE_DIRECTORY" ? std::optional(state) : value;
    };
  if (ask && catalogue)
    context.ask = [catalogue](const config::Config& config) {
      return ask_drivers(config, *catalogue);
    };
  return config::load(common.config, context);
}

void print_mistakes(const config::LoadResult& loaded, bool as_json) {
  if (!as_json) {
    for (const config::Diagnostic& d : loaded.errors) std::puts(config::text(d).c_str());
    for (const config::Diagnostic& d : loaded.warnings)
      std::puts(("warning: " + config::text(d)).c_str());
    return;
  }
  auto list = [](const config::Diagnostics& diagnostics) {
    json::array out;
    for (const config::Diagnostic& d : diagnostics)
      out.push_back(json::object{{"file", d.file},
                                 {"line", d.line},
                                 {"column", d.column},
                                 {"key", d.key},
                                 {"what", d.what},
                                 {"remedy", d.remedy}});
    return out;
  };
  json::object out;
  out["valid"] = loaded.config.has_value();
  out["errors"] = list(loaded.errors);
  out["warnings"] = list(loaded.warnings);
  std::puts(json::serialize(out).c_str());
}

Result<json::value> get_json(const Endpoint& endpoint, const std::string& target) {
  auto answer = http_get(endpoint, target);
  if (!answer) return fail(std::move(answer.error()));
  boost::system::error_code error;
  json::value value = json::parse(answer->body, error);
  if (answer->status == 401)
    return fail(std::errc::permission_denied,
                endpoint.url + ": wants a token; give --token-file, or be in the group gerbang");
  if (error || answer->status >= 500)
    return fail(std::errc::protocol_error,
                endpoint.url + target + ": answered " + std::to_string(answer->status));
  return value;
}

namespace {

// Where the service listens, whatever its configuration says.
Endpoint service_socket() {
  const char* runtime = std::getenv("RUNTIME_DIRECTORY");
  return {(runtime ? std::string(runtime) : "/run/gerbang") + "/control.sock", ""};
}

}  // namespace

std::optional<Endpoint> running_gateway(const config::Config& config) {
  std::vector<Endpoint> places;
  places.push_back(service_socket());
  places.push_back({config.store.path.parent_path().string() + "/control.sock", ""});
  if (config.http.port != 0) {
    bool ipv6 = config.http.address.find(':') != std::string::npos;
    std::string host = ipv6 ? "[" + config.http.address + "]" : config.http.address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "[::]") host = "[::1]";
    places.push_back({"http://" + host + ":" + std::to_string(config.http.port),
                      config.http.token ? config.http.token->value : ""});
  }
  for (const Endpoint& place : places) {
    auto status = get_json(place, "/api/v1/status");
    if (!status || !status->is_object()) continue;
    const json::value* id = status->as_object().if_contains("gateway");
    if (id && id->is_string() && id->as_string() == config.gateway.id) return place;
  }
  return std::nullopt;
}

Result<Endpoint> find_gateway(const Common& common, const std::string& url,
                              const std::string& token_file) {
  Endpoint endpoint;
  if (!token_file.empty()) {
    std::ifstream in(token_file);
    if (!std::getline(in, endpoint.token))
      return fail(std::errc::no_such_file_or_directory,
                  token_file + ": cannot be read, or is empty");
  }
  endpoint.url = url;
  if (!endpoint.url.empty()) return endpoint;
  auto loaded = load_configuration(common);
  if (!loaded.config) {  // what runs goes on with the one it has
    if (get_json(service_socket(), "/api/v1/status")) return service_socket();
    const std::string mistake = loaded.errors.empty() ? "" : config::text(loaded.errors.front());
    return fail(std::errc::invalid_argument,
                mistake + " (gerbangctl check tells all mistakes); or give --url");
  }
  auto running = running_gateway(*loaded.config);
  if (!running)
    return fail(std::errc::not_connected, "no gateway \"" + loaded.config->gateway.id +
                                              "\" answers here; is the service running? "
                                              "(systemctl status gerbang)");
  return *running;
}

}  // namespace gerbang::ctl
