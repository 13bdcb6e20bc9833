// SPDX-License-Identifier: Apache-2.0
//
// From a request to what is to be done, without a connection, a clock or a file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/history.hpp"
#include "http/maintenance.hpp"
#include "http/message.hpp"
#include "http/snapshot.hpp"

namespace gerbang::http {

enum class Page {
  status_page,
  health,
  ready,
  metrics,
  status,
  ledger,
  sensors,
  sensor,
  maintenance,
  readings,
  aggregates,
  alarms,
  events,
  indicators,
  stream,
  openapi,
};

struct Route {
  std::string_view path;  // "{id}" stands for one segment
  Page page;
  bool open;                    // needs no token
  Method method = Method::get;  // post: on the control socket only
};
std::span<const Route> routes();

struct Policy {
  std::string token;               // empty: anonymous
  std::vector<std::string> names;  // that Host may carry, besides localhost and addresses
};

// A request that may be answered.
struct Admitted {
  Page page = Page::status_page;
  std::string id;  // what stood for "{id}"
  Parameters parameters;
};

// Needs nothing of the gateway's state, so that a refusal costs nothing.
std::variant<Admitted, Response> admit(const Request& request, const Policy& policy);

struct StreamCall {};

// What to do: send a response, ask the store, or open a stream of events.
using Outcome =
    std::variant<Response, ReadingsCall, AggregatesCall, EventsCall, StreamCall, MaintenanceCall>;
Outcome answer(const Request& request, const Admitted& admitted, const Snapshot& now);

}  // namespace gerbang::http
