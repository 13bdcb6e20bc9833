// SPDX-License-Identifier: Apache-2.0
#include "http/routes.hpp"

#include "http/access.hpp"
#include "http/assets.hpp"
#include "http/documents.hpp"
#include "http/judge.hpp"
#include "http/metrics.hpp"

namespace gerbang::http {
namespace {

constexpr Route kRoutes[] = {
    {"/", Page::status_page, true},
    {"/healthz", Page::health, true},
    {"/readyz", Page::ready, true},
    {"/metrics", Page::metrics, false},
    {"/openapi.json", Page::openapi, true},
    {"/api/v1/status", Page::status, false},
    {"/api/v1/ledger", Page::ledger, false},
    {"/api/v1/sensors", Page::sensors, false},
    {"/api/v1/sensors/{id}", Page::sensor, false},
    {"/api/v1/sensors/{id}/maintenance", Page::maintenance, false, Method::post},
    {"/api/v1/readings", Page::readings, false},
    {"/api/v1/aggregates", Page::aggregates, false},
    {"/api/v1/alarms", Page::alarms, false},
    {"/api/v1/events", Page::events, false},
    {"/api/v1/indicators", Page::indicators, false},
    {"/api/v1/stream", Page::stream, false},
};

// The route of a path; `id` gets what stood for "{id}".
const Route* find_route(std::string_view path, std::string& id) {
  constexpr std::string_view kId = "{id}";
  for (const Route& route : kRoutes) {
    if (route.path == path) return &route;
    const std::size_t at = route.path.find(kId);
    if (at == route.path.npos) continue;
    const std::string_view prefix = route.path.substr(0, at);
    const std::string_view suffix = route.path.substr(at + kId.size());
    if (!path.starts_with(prefix) || !path.ends_with(suffix) ||
        path.size() < prefix.size() + suffix.size())
      continue;
    std::string_view rest = path.substr(prefix.size());
    rest.remove_suffix(suffix.size());
    if (rest.empty() || rest.find('/') != rest.npos) continue;
    id = rest;
    return &route;
  }
  return nullptr;
}

// Empty: the Host is right.
std::string host_fault(const Request& request, const Target& target, unsigned& status,
                       const Policy& policy) {
  status = 400;
  if (request.many_hosts) return "more than one Host header";
  if (request.origin == Origin::control) return "";
  if (!request.host && !request.http10) return "a Host header is needed";
  std::string_view host = target.authority;
  if (host.empty() && request.host) host = *request.host;
  if (host.empty() && request.http10) return "";
  status = 403;
  if (host_allowed(host, policy.names)) return "";
  return "this gateway is not called that way; use its IP address, its host name or that with "
         ".local, or on the gateway itself localhost";
}

Response json_response(std::string body) {
  Response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response asset_response(const Request& request, const Asset& asset, std::string_view type) {
  Response response;
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("ETag", asset.etag);
  if (!request.if_none_match.empty() &&
      (request.if_none_match == "*" ||
       request.if_none_match.find(asset.etag) != std::string::npos)) {
    response.status = 304;
    return response;
  }
  response.content_type = type;
  response.fixed = asset.body;
  return response;
}

template <class Call>
Outcome either(std::variant<Call, Response> parsed) {
  return std::visit([](auto&& one) { return Outcome(std::move(one)); }, std::move(parsed));
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

std::variant<Admitted, Response> admit(const Request& request, const Policy& policy) {
  if (request.target.size() > kMaxTarget)
    return problem(414, "the target is longer than " + std::to_string(kMaxTarget) + " bytes");
  auto target = parse_target(request.target);
  if (!target) return problem(400, "the request target is malformed");
  unsigned status = 0;
  if (std::string fault = host_fault(request, *target, status, policy); !fault.empty())
    return problem(status, fault);
  Admitted admitted;
  const Route* route = find_route(target->path, admitted.id);
  if (route == nullptr) return problem(404, "there is no such route; /openapi.json lists them");
  const bool changes = route->method == Method::post;
  if (changes ? request.method != Method::post
              : request.method != Method::get && request.method != Method::head) {
    Response response =
        problem(405, changes ? "only POST is allowed here" : "only GET and HEAD are allowed here");
    response.headers.emplace_back("Allow", changes ? "POST" : "GET, HEAD");
    return response;
  }
  if (changes && request.origin == Origin::tcp)
    return problem(403,
                   "nothing is changed over the network; on the gateway itself: gerbangctl "
                   "maintenance SENSOR --for 2h, or the same request on its control socket");
  bool needs_token = request.origin == Origin::tcp && !route->open && !policy.token.empty();
  if (needs_token && !token_matches(bearer(request.authorization), policy.token)) {
    Response response = problem(401, "send the gateway's token: Authorization: Bearer …");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"gerbang\"");
    return response;
  }
  admitted.page = route->page;
  admitted.parameters = std::move(target->parameters);
  return admitted;
}

Outcome answer(const Request& request, const Admitted& admitted, const Snapshot& now) {
  switch (admitted.page) {
    case Page::status_page: {
      Response response = asset_response(request, kStatusPage, "text/html; charset=utf-8");
      response.headers.emplace_back("Content-Security-Policy", kPagePolicy);
      return response;
    }
    case Page::openapi:
      return asset_response(request, kOpenApi, "application/json");
    case Page::health:
      return json_response(health_document());
    case Page::ready: {
      Response response = json_response(readiness_document(now));
      if (readiness(now).verdict == Verdict::fail) response.status = 503;
      return response;
    }
    case Page::metrics: {
      Response response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = metrics_text(now);
      return response;
    }
    case Page::status:
      return json_response(status_document(now));
    case Page::ledger:
      return json_response(ledger_document(now));
    case Page::sensors:
      return json_response(sensors_document(now));
    case Page::sensor: {
      const SensorNow* sensor = find_sensor(now, admitted.id);
      if (sensor == nullptr)
        return problem(404, "there is no sensor of that id; /api/v1/sensors lists them");
      return json_response(sensor_document(now, *sensor));
    }
    case Page::maintenance:
      return either(parse_maintenance(admitted.id, request.body, now));
    case Page::readings:
      return either(parse_readings(admitted.parameters, now));
    case Page::aggregates:
      return either(parse_aggregates(admitted.parameters, now));
    case Page::alarms:
      return json_response(alarms_document(now));
    case Page::events:
      return either(parse_events(admitted.parameters, now));
    case Page::indicators:
      return json_response(indicators_document(now));
    case Page::stream:
      return StreamCall();
  }
  return problem(500, "no handler");
}

}  // namespace gerbang::http
