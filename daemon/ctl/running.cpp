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

void print_mistakes(const config::LoadResult& loaded, const Common& common) {
  if (!common.json) {
    for (const config::Diagnostic& d : loaded.errors) std::puts(config::text(d).c_str());
    const std::string warning = common.language == "ind" ? "peringatan: " : "warning: ";
    for (const config::Diagnostic& d : loaded.warnings)
      std::puts((warning + config::text(d)).c_str());
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

// Where the daemon of this configuration may have its control socket.
std::vector<Endpoint> control_sockets(const config::Config& config) {
  std::vector<Endpoint> places{service_socket()};
  const std::string by_hand = config.store.path.parent_path().string() + "/control.sock";
  if (by_hand != places.front().url) places.push_back({by_hand, ""});
  return places;
}

// Why it is not the gateway of this configuration that answers there; nullopt: it is.
std::optional<std::string> fault_of(const Endpoint& place, const config::Config& config) {
  auto status = get_json(place, "/api/v1/status");
  if (!status) return status.error().what;
  const json::value* id =
      status->is_object() ? status->as_object().if_contains("gateway") : nullptr;
  if (id != nullptr && id->is_string() && id->as_string() == config.gateway.id) return std::nullopt;
  return place.url + ": it is not this gateway that answers";
}

Result<Endpoint> on_control_socket(const config::Config& config) {
  std::string faults;
  for (const Endpoint& place : control_sockets(config)) {
    auto fault = fault_of(place, config);
    if (!fault) return place;
    faults += (faults.empty() ? "" : "; ") + *fault;
  }
  return fail(std::errc::not_connected,
              "the control socket of gateway \"" + config.gateway.id + "\" is not found (" +
                  faults +
                  "). It is for root and the group gerbang; if the service runs with another "
                  "folder, say RUNTIME_DIRECTORY=FOLDER, or --url FOLDER/control.sock");
}

}  // namespace

std::optional<Endpoint> running_gateway(const config::Config& config) {
  std::vector<Endpoint> places = control_sockets(config);
  if (config.http.port != 0) {
    bool ipv6 = config.http.address.find(':') != std::string::npos;
    std::string host = ipv6 ? "[" + config.http.address + "]" : config.http.address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "[::]") host = "[::1]";
    places.push_back({"http://" + host + ":" + std::to_string(config.http.port),
                      config.http.token ? config.http.token->value : ""});
  }
  for (const Endpoint& place : places)
    if (!fault_of(place, config)) return place;
  return std::nullopt;
}

Result<Endpoint> find_gateway(const Common& common, const std::string& url,
                              const std::string& token_file, bool on_socket) {
  if (!url.empty() && !is_endpoint(url))
    return fail(
        std::errc::invalid_argument,
        "--url " + url +
            ": not an address; write http://HOST:PORT, or the full path of a control socket");
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
    return fail(std::errc::not_connected,
                mistake + " (gerbangctl check tells all mistakes); or give --url");
  }
  if (on_socket) return on_control_socket(*loaded.config);
  auto running = running_gateway(*loaded.config);
  if (!running)
    return fail(std::errc::not_connected, "no gateway \"" + loaded.config->gateway.id +
                                              "\" answers here; is the service running? "
                                              "(systemctl status gerbang)");
  return *running;
}

int exit_of(const Error& error) {
  if (error.code == std::errc::invalid_argument) return kUsage;
  return error.code == std::errc::no_such_file_or_directory ? kNoInput : kUnavailable;
}

}  // namespace gerbang::ctl
