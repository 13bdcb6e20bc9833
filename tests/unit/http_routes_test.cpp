// SPDX-License-Identifier: Apache-2.0
#include "http/feed.hpp"
#include "http/routes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "core/spoken.hpp"
#include "http/assets.hpp"
#include "http/judge.hpp"
#include "support/http_example.hpp"
#include "wire/encode.hpp"

namespace gerbang::http {
namespace {

namespace json = boost::json;
using test::example_snapshot;
using test::give;

Request get(std::string target) {
  Request request;
  request.target = std::move(target);
  request.host = "127.0.0.1:8080";
  return request;
}

Outcome ask(const Request& request, const Policy& policy, const Snapshot& now) {
  auto admission = admit(request, policy);
  if (auto* refusal = std::get_if<Response>(&admission)) return std::move(*refusal);
  return answer(request, std::get<Admitted>(admission), now);
}

Response response_to(const std::string& target, const Snapshot& now = example_snapshot()) {
  Outcome outcome = ask(get(target), Policy(), now);
  if (auto* response = std::get_if<Response>(&outcome)) return std::move(*response);
  ADD_FAILURE() << target << " gave no response of its own";
  return {};
}

json::object body_of(const Response& response) {
  return json::parse(std::string(response.content())).as_object();
}

const std::string* header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return &value;
  return nullptr;
}

struct RefusalCase {
  const char* target;
  unsigned status;
};

TEST(Admission, MalformedAndUnknownTargetsGetAProblemDocument) {
  const RefusalCase kCases[] = {
      {"*", 400},
      {"/%zz", 400},
      {"/nothing", 404},
      {"/healthz/", 404},
      {"/api/v1", 404},
      {"/api/v1/sensors/", 404},
      {"/../etc", 404},
      {"//", 404},
      {"/api/v1/sensors/a/b", 404},
      {"/page.js", 404},
      {"/api/v1/sensors/nobody", 404},
  };
  for (const RefusalCase& c : kCases) {
    Response response = response_to(c.target);
    EXPECT_EQ(response.status, c.status) << c.target;
    EXPECT_EQ(response.content_type, "application/problem+json");
    json::object problem = body_of(response);
    EXPECT_EQ(problem.at("status").as_int64(), c.status);
    EXPECT_EQ(problem.at("title").as_string(), std::string(phrase(c.status)));
    EXPECT_FALSE(problem.at("detail").as_string().empty());
  }
}

TEST(Admission, ALongTargetIs414AtTheLimitAndNotBelow) {
  std::string target = "/healthz?";
  target.resize(kMaxTarget, 'x');
  EXPECT_EQ(response_to(target).status, 200u);
  EXPECT_EQ(response_to(target + "x").status, 414u);
}

TEST(Admission, OtherMethodsAre405AndNameTheAllowedOnes) {
  Request request = get("/api/v1/status");
  request.method = Method::other;
  Outcome outcome = ask(request, Policy(), example_snapshot());
  const auto& response = std::get<Response>(outcome);
  EXPECT_EQ(response.status, 405u);
  ASSERT_NE(header_of(response, "Allow"), nullptr);
  EXPECT_EQ(*header_of(response, "Allow"), "GET, HEAD");
}

TEST(Admission, AForeignHostIs403EverywhereButOnTheControlSocket) {
  for (const Route& route : routes()) {
    std::string path(route.path.substr(0, route.path.find('{')));
    if (path != route.path) path += "raw-ph";
    Request request = get(path);
    request.host = "evil.example";
    Outcome refused = ask(request, Policy(), example_snapshot());
    ASSERT_TRUE(std::holds_alternative<Response>(refused)) << path;
    EXPECT_EQ(std::get<Response>(refused).status, 403u) << path;
    EXPECT_EQ(std::get<Response>(refused).body.find("settings"), std::string::npos)
        << "there is no setting for names";
    request.origin = Origin::control;
    Outcome allowed = ask(request, Policy(), example_snapshot());
    auto* response = std::get_if<Response>(&allowed);
    EXPECT_TRUE(response == nullptr || response->status == 200) << path;
  }
}

TEST(Admission, HostMustBeThereOnceExceptWithHttp10) {
  Request request = get("/healthz");
  request.host.reset();
  EXPECT_EQ(std::get<Response>(ask(request, Policy(), example_snapshot())).status, 400u);
  request.http10 = true;
  EXPECT_EQ(std::get<Response>(ask(request, Policy(), example_snapshot())).status, 200u);
  request = get("/healthz");
  request.many_hosts = true;
  EXPECT_EQ(std::get<Response>(ask(request, Policy(), example_snapshot())).status, 400u);
  request = get("http://evil.example/healthz");
  EXPECT_EQ(std::get<Response>(ask(request, Policy(), example_snapshot())).status, 403u);
}

TEST(Admission, WithATokenOnlyTheOpenRoutesAnswerWithoutIt) {
  Policy policy;
  policy.token = "0123456789abcdef";
  std::set<std::string> open;
  for (const Route& route : routes()) {
    std::string path(route.path.substr(0, route.path.find('{')));
    if (path != route.path) path += "raw-ph";
    Request request = get(path);
    auto without = admit(request, policy);
    auto* refusal = std::get_if<Response>(&without);
    if (refusal == nullptr) {
      open.insert(path);
      continue;
    }
    EXPECT_EQ(refusal->status, 401u);
    EXPECT_NE(header_of(*refusal, "WWW-Authenticate"), nullptr);
    request.authorization = "Bearer 0123456789abcdeX";
    EXPECT_TRUE(std::holds_alternative<Response>(admit(request, policy))) << path;
    request.authorization = "Bearer 0123456789abcdef";
    EXPECT_TRUE(std::holds_alternative<Admitted>(admit(request, policy))) << path;
    request.authorization.clear();
    request.origin = Origin::control;
    EXPECT_TRUE(std::holds_alternative<Admitted>(admit(request, policy))) << path;
  }
  EXPECT_EQ(open, (std::set<std::string>{"/", "/healthz", "/readyz", "/openapi.json"}));
}

TEST(Assets, ThePageIsSmallSelfContainedAndCached) {
  Response page = response_to("/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_LT(page.content().size(), 40'000u);
  EXPECT_EQ(page.content().find("@"), page.content().find("@media")) << "a placeholder is left";
  EXPECT_EQ(page.content().find("src="), std::string_view::npos);
  const std::string* policy = header_of(page, "Content-Security-Policy");
  ASSERT_NE(policy, nullptr);
  EXPECT_NE(policy->find("default-src 'self'"), std::string::npos);
  EXPECT_EQ(policy->find("unsafe"), std::string::npos);
  Request again = get("/");
  again.if_none_match = *header_of(page, "ETag");
  EXPECT_EQ(std::get<Response>(ask(again, Policy(), example_snapshot())).status, 304u);
}

TEST(Assets, BothLanguagesHaveTheSameTexts) {
  std::string page(kStatusPage.body);
  std::size_t from = page.find("var TEXTS = ") + 12;
  json::object texts = json::parse(page.substr(from, page.find(";\n", from) - from)).as_object();
  // The shape of a value: its keys, recursively; texts count as one shape.
  struct Shape {
    static std::string of(const json::value& value) {
      std::string out;
      if (value.is_array()) return "[" + std::to_string(value.as_array().size()) + "]";
      if (!value.is_object()) return value.as_string().empty() ? "empty" : "text";
      for (const auto& member : value.as_object())
        out += std::string(member.key()) + ":" + of(member.value()) + ",";
      return "{" + out + "}";
    }
  };
  EXPECT_EQ(Shape::of(texts.at("ind")), Shape::of(texts.at("eng")));
  for (unsigned i = 1; i < kReasonCount; ++i) {
    std::string reason(name(*reason_of(i)));
    EXPECT_TRUE(texts.at("ind").at("reason").as_object().contains(reason)) << reason;
  }
}

TEST(OpenApi, EveryRouteIsDescribedAndNothingElse) {
  constexpr std::string_view kReference = "#/components/responses/";
  json::object document = json::parse(std::string(kOpenApi.body)).as_object();
  std::set<std::string> described, routed;
  for (const auto& path : document.at("paths").as_object())
    described.insert(std::string(path.key()));
  for (const Route& route : routes()) routed.insert(std::string(route.path));
  EXPECT_EQ(described, routed);
  for (const Route& route : routes()) {
    const json::object& get_operation = document.at("paths")
                                            .as_object()
                                            .at(route.path)
                                            .as_object()
                                            .at(route.method == Method::post ? "post" : "get")
                                            .as_object();
    EXPECT_EQ(get_operation.contains("security"), route.open) << route.path;
    const json::object& responses = get_operation.at("responses").as_object();
    EXPECT_TRUE(responses.contains("200")) << route.path;
    // What the server says before it knows the route.
    for (const char* status : {"400", "403", "405", "413", "414", "431"}) {
      ASSERT_TRUE(responses.contains(status)) << route.path << " " << status;
      const json::value* reference = responses.at(status).as_object().if_contains("$ref");
      if (reference == nullptr) continue;  // described in its place
      const std::string_view name = reference->as_string().subview(kReference.size());
      EXPECT_TRUE(document.at("components").at("responses").as_object().contains(name)) << name;
    }
  }
}

Request post(const std::string& body, const std::string& sensor = "raw-ph") {
  Request request = get("/api/v1/sensors/" + sensor + "/maintenance");
  request.method = Method::post;
  request.origin = Origin::control;
  request.body = body;
  return request;
}

TEST(MaintenanceRoute, IsForTheControlSocketOnly) {
  Request request = post(R"({"minutes": 120, "person": "Sari", "note": "pH 7"})");
  Outcome outcome = ask(request, Policy(), example_snapshot());
  auto* call = std::get_if<MaintenanceCall>(&outcome);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->sensor, "raw-ph");
  EXPECT_EQ(call->for_ms, 7'200'000);
  EXPECT_EQ(call->person, "Sari");
  EXPECT_EQ(call->note, "pH 7");

  request.origin = Origin::tcp;
  Outcome refused = ask(request, Policy(), example_snapshot());
  EXPECT_EQ(std::get<Response>(refused).status, 403u);
  EXPECT_NE(std::get<Response>(refused).body.find("gerbangctl maintenance"), std::string::npos);

  request.origin = Origin::control;
  request.method = Method::get;
  Outcome wrong = ask(request, Policy(), example_snapshot());
  EXPECT_EQ(std::get<Response>(wrong).status, 405u);
  EXPECT_EQ(*header_of(std::get<Response>(wrong), "Allow"), "POST");
}

TEST(MaintenanceRoute, SaysWhatIsWrongWithABody) {
  const std::pair<const char*, const char*> bodies[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "minutes is missing"},
      {R"({"minutes": "2h"})", "minutes is missing or no number"},
      {R"({"minutes": -1})", "minutes has to be 0"},
      {R"({"minutes": 43201})", "minutes has to be 0"},
      {R"({"minutes": 1, "person": 7})", "person is not a text"},
      {R"({"minutes": 1, "hours": 7})", "not known"},
  };
  for (auto [body, what] : bodies) {
    Outcome outcome = ask(post(body), Policy(), example_snapshot());
    ASSERT_TRUE(std::holds_alternative<Response>(outcome)) << body;
    EXPECT_EQ(std::get<Response>(outcome).status, 400u) << body;
    EXPECT_NE(std::get<Response>(outcome).body.find(what), std::string::npos) << body;
  }
  Outcome unknown = ask(post(R"({"minutes": 1})", "raw-hp"), Policy(), example_snapshot());
  EXPECT_EQ(std::get<Response>(unknown).status, 404u);
  EXPECT_NE(std::get<Response>(unknown).body.find("raw-ph"), std::string::npos);
  Outcome ends = ask(post(R"({"minutes": 0})"), Policy(), example_snapshot());
  EXPECT_EQ(std::get<MaintenanceCall>(ends).for_ms, 0);
}

// Follows "#/components/…".
const json::object& resolve(const json::object& document, const json::object& schema) {
  auto ref = schema.if_contains("$ref");
  if (ref == nullptr) return schema;
  std::string name(
      std::string_view(ref->as_string()).substr(std::string_view("#/components/schemas/").size()));
  return document.at("components").at("schemas").at(name).as_object();
}

// Every member is described with its type, and every required member is there.
void conforms(const json::object& document, const json::object& described, const json::value& value,
              const std::string& where) {
  const json::object& schema = resolve(document, described);
  auto type = schema.if_contains("type");
  std::string kind = type && type->is_string() ? std::string(type->as_string()) : "";
  if (kind == "array") {
    ASSERT_TRUE(value.is_array()) << where;
    for (const auto& one : value.as_array())
      conforms(document, schema.at("items").as_object(), one, where + "[]");
  } else if (kind == "object") {
    ASSERT_TRUE(value.is_object()) << where;
    auto properties = schema.if_contains("properties");
    auto additional = schema.if_contains("additionalProperties");
    for (const auto& member : value.as_object()) {
      std::string path = where + "." + std::string(member.key());
      auto known = properties ? properties->as_object().if_contains(member.key()) : nullptr;
      ASSERT_TRUE(known || additional) << path << " is not described";
      conforms(document, known ? known->as_object() : additional->as_object(), member.value(),
               path);
    }
    if (auto required = schema.if_contains("required")) {
      for (const auto& key : required->as_array())
        EXPECT_TRUE(value.as_object().contains(key.as_string())) << where << "." << key;
    }
  } else if (kind == "string") {
    ASSERT_TRUE(value.is_string()) << where;
    if (auto allowed = schema.if_contains("enum")) {
      const json::array& texts = allowed->as_array();
      EXPECT_NE(std::find(texts.begin(), texts.end(), value), texts.end()) << where << value;
    }
  } else if (kind == "integer") {
    ASSERT_TRUE(value.is_int64() || value.is_uint64()) << where;
  } else if (kind == "number") {
    ASSERT_TRUE(value.is_number()) << where;
  } else if (kind == "boolean") {
    ASSERT_TRUE(value.is_bool()) << where;
  }
}

std::string example_indicator() {
  wire::Indicator out;
  out.id = "air";
  out.standard = "ispu";
  out.standard_version = "PermenLHK P.14/2020";
  out.value = 70;
  out.category = "Sedang";
  out.label = Label{"Sedang", "Moderate"};
  out.critical = {"pm2_5", "o3"};
  out.capture = 0.875;
  out.start_ms = 1'767'139'200'000;
  out.end_ms = 1'767'225'600'000;
  out.timezone = "Asia/Makassar";
  out.local_date = "2026-01-01";
  out.inputs = {{"pm2_5", "station-pm2-5", "µg/m³", 31.48, 0.875}, {"hc", "hc", "µg/m³", {}, 0.0}};
  out.smart_dimension = "Smart Environment, proteksi lingkungan";
  out.iso = "ISO 37120:2018 8.1";
  out.confidence = "A";
  out.clock = ClockTrust::estimated;
  return wire::encode(out);
}

TEST(Indicators, AreTheMessagesOfTheirNewestWindows) {
  Snapshot now = example_snapshot();
  now.indicators = {example_indicator(), ""};
  const auto all = body_of(response_to("/api/v1/indicators", now)).at("indicators").as_array();
  ASSERT_EQ(all.size(), 1u) << "one has said nothing yet";
  EXPECT_EQ(all[0].at("category").as_string(), "Sedang");
  EXPECT_EQ(all[0].at("critical").as_array().size(), 2u);
  EXPECT_FALSE(all[0].as_object().contains("source"));
  EXPECT_FALSE(all[0].at("inputs").at(1).as_object().contains("value"));
}

TEST(OpenApi, TheDocumentsOfNowAreAsDescribed) {
  Snapshot now = example_snapshot();
  now.indicators = {example_indicator()};
  json::object document = json::parse(std::string(kOpenApi.body)).as_object();
  for (const char* path :
       {"/healthz", "/readyz", "/api/v1/status", "/api/v1/ledger", "/api/v1/sensors",
        "/api/v1/sensors/{id}", "/api/v1/alarms", "/api/v1/indicators"}) {
    std::string target(path);
    if (target.ends_with("{id}")) target = "/api/v1/sensors/raw-turbidity";
    const json::object& ok =
        document.at("paths").at(path).at("get").at("responses").at("200").as_object();
    conforms(document, ok.at("content").at("application/json").at("schema").as_object(),
             body_of(response_to(target, now)), path);
  }
}

TEST(Alarms, StandWithTheWorstAndNewestActiveFirst) {
  json::object document = body_of(response_to("/api/v1/alarms"));
  EXPECT_EQ(document.at("active").as_int64(), 3);
  std::vector<std::string> ids;
  for (const auto& one : document.at("alarms").as_array())
    ids.emplace_back(one.as_object().at("id").as_string());
  EXPECT_EQ(ids, (std::vector<std::string>{"worst", "new", "old", "never"}));
  const auto& suppressed = document.at("alarms").as_array()[1].as_object();
  EXPECT_EQ(suppressed.at("textEng").as_string(), "flaps");
  EXPECT_EQ(suppressed.at("adviceInd").as_string(), "periksa");
  const auto& never = document.at("alarms").as_array()[3].as_object();
  EXPECT_EQ(never.at("state").as_string(), "CLEARED");
  EXPECT_FALSE(never.contains("sinceMs"));
}

TEST(Alarms, AStreamTellsTheActiveOnesAndThenEachChange) {
  auto now = std::make_shared<Snapshot>(example_snapshot());
  Feed::Time start{};
  Feed feed(std::chrono::seconds(15), start);
  auto told = [&](std::shared_ptr<const Snapshot> snapshot, std::uint64_t version) {
    feed.look(std::move(snapshot), version, start);
    std::string all, piece;
    while (!(piece = feed.next(1 << 20)).empty()) all += piece;
    std::vector<std::string> out;
    for (std::size_t at = 0; (at = all.find("event: alarm\ndata: ", at)) != std::string::npos;) {
      at += 19;
      json::object one = json::parse(all.substr(at, all.find('\n', at) - at)).as_object();
      out.push_back(std::string(one.at("id").as_string()) + " " +
                    std::string(one.at("state").as_string()));
    }
    return out;
  };
  EXPECT_EQ(told(now, 1),
            (std::vector<std::string>{"old RAISED", "new SUPPRESSED", "worst RAISED"}));
  EXPECT_EQ(told(now, 2), std::vector<std::string>{});
  auto later = std::make_shared<Snapshot>(*now);
  later->alarms[1].state = "CLEARED";
  later->alarms[0].state = "RAISED";
  later->alarms[0].occurrence = 1;
  EXPECT_EQ(told(later, 3), (std::vector<std::string>{"never RAISED", "old CLEARED"}));
}

TEST(Readiness, ABrokenDriverAndAnAbsentBrokerWarnAndStayReady) {
  Response response = response_to("/readyz");
  EXPECT_EQ(response.status, 200u);
  json::object body = body_of(response);
  EXPECT_EQ(body.at("status").as_string(), "warn");
  std::string text = json::serialize(body);
  EXPECT_NE(text.find("driver:rs485-a"), std::string::npos);
  EXPECT_NE(text.find("killed by signal 11"), std::string::npos);
  EXPECT_NE(text.find("uplink:ministry"), std::string::npos);
}

TEST(Readiness, AllWellIsPass) {
  Snapshot now = example_snapshot();
  now.drivers.pop_back();
  now.uplinks.pop_back();
  Readiness ready = readiness(now);
  EXPECT_EQ(ready.verdict, Verdict::pass);
  for (const Check& check : ready.checks) EXPECT_EQ(check.verdict, Verdict::pass) << check.name;
}

TEST(Readiness, ADeviceThatDoesNotAnswerIsNamedWithSinceWhenAndWhy) {
  Snapshot now = example_snapshot();
  now.drivers.pop_back();
  now.uplinks.pop_back();
  DeviceCounts silent;
  silent.device = "unit 2";
  silent.results = {{"timeout", 30}};
  silent.silent_since_ms = test::kExampleNow - 60'000;
  silent.silent_reason = Reason::timeout;
  now.drivers[0].devices.push_back(silent);
  const Readiness ready = readiness(now);
  EXPECT_EQ(ready.verdict, Verdict::warn);
  const auto told = std::find_if(ready.checks.begin(), ready.checks.end(),
                                 [](const Check& c) { return c.name == "device:wtp-plc/unit 2"; });
  ASSERT_NE(told, ready.checks.end());
  const std::string since = format_local(silent.silent_since_ms, now.gateway.zone);
  EXPECT_EQ(told->ind, "Tidak menjawab sejak " + since + ": alat tidak menjawab");
  EXPECT_EQ(told->eng, "No answer since " + since + ": the device does not answer");
  now.drivers[0].devices.back().silent_since_ms = now.now_ms - 1'000;
  EXPECT_EQ(readiness(now).verdict, Verdict::pass) << "one answer was lost";
}

TEST(Readiness, ReasonsAreInTheLanguageOfTheText) {
  json::object body = body_of(response_to("/readyz"));
  const std::string text = json::serialize(body);
  EXPECT_NE(text.find("Terputus: sambungan ditolak"), std::string::npos) << text;
  EXPECT_NE(text.find("Disconnected: connection refused"), std::string::npos) << text;
}

TEST(Page, SaysTheReasonsOfReadingsInTheWordsOfTheTable) {
  for (const char* language : {"ind", "eng"})
    for (unsigned i = 1; i < kReasonCount; ++i) {
      const Reason reason = *reason_of(i);
      const std::string entry = "\"" + std::string(gerbang::name(reason)) + "\":\"" +
                                std::string(spoken(reason, language)) + "\"";
      EXPECT_NE(kStatusPage.body.find(entry), std::string_view::npos) << entry;
    }
}

TEST(Readiness, AStoreThatCannotWriteIs503AndSaysWhy) {
  Snapshot now = example_snapshot();
  now.store.degraded = true;
  now.store.trouble = "no space left on device";
  Response response = response_to("/readyz", now);
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(body_of(response).at("status").as_string(), "fail");
  EXPECT_NE(response.body.find("no space left on device"), std::string::npos);
  now.gateway.language = "eng";
  EXPECT_NE(response_to("/readyz", now).body.find("Readings cannot be stored"), std::string::npos);
}

TEST(Readiness, NoDriverThatDeliversIs503) {
  Snapshot now = example_snapshot();
  now.drivers[0].state = "backing_off";
  EXPECT_EQ(response_to("/readyz", now).status, 503u);
}

TEST(Readiness, ADriverDeliversOnlyWithAFreshValue) {
  Snapshot now = example_snapshot();
  EXPECT_TRUE(delivers(now, now.drivers[0]));
  for (SensorNow& sensor : now.sensors) give(sensor, 0, Flag::missing, Reason::timeout, 100);
  EXPECT_FALSE(delivers(now, now.drivers[0]));
  give(now.sensors[0], 7, Flag::good, Reason::none, 40'000);
  EXPECT_FALSE(delivers(now, now.drivers[0])) << "a value of 40 s ago at an interval of 1 s";
  give(now.sensors[0], 7, Flag::bad, Reason::range, 1'000);
  EXPECT_TRUE(delivers(now, now.drivers[0])) << "a bad value is data that arrives";
  now.sensors.clear();
  EXPECT_TRUE(delivers(now, now.drivers[0]));
}

TEST(Readiness, AStateOfADriverIsSaidInTheLanguageOfTheGateway) {
  Snapshot now = example_snapshot();
  EXPECT_NE(response_to("/readyz", now).body.find("\"text\":\"Dihentikan sementara: dihentikan"),
            std::string::npos);
  now.gateway.language = "eng";
  EXPECT_NE(response_to("/readyz", now).body.find("\"text\":\"Paused after crashes: killed"),
            std::string::npos);
  now.drivers[1].state = "unheard_of";
  EXPECT_NE(response_to("/readyz", now).body.find("unheard_of: killed"), std::string::npos);
}

TEST(Readiness, WithoutDriversItWarns) {
  Snapshot now = example_snapshot();
  now.drivers.clear();
  now.sensors.clear();
  EXPECT_EQ(readiness(now).verdict, Verdict::warn);
}

TEST(Readiness, AnUnsetClockWarns) {
  Snapshot now = example_snapshot();
  now.drivers.pop_back();
  now.uplinks.pop_back();
  now.clock = ClockTrust::untrusted;
  EXPECT_EQ(readiness(now).verdict, Verdict::warn);
}

TEST(Ledger, TheExampleBalancesAndALostReadingShows) {
  Snapshot now = example_snapshot();
  EXPECT_EQ(balance(now).difference(), 0);
  ++now.store.taken;
  ++now.ledger[0].taken;
  now.ledger[0].to_fold = 21;
  now.store.to_fold = 21;
  now.uplinks[0].made += 5;
  Balance sheet = balance(now);
  EXPECT_EQ(sheet.readings, 1);
  EXPECT_EQ(sheet.folding, -2);
  EXPECT_EQ(sheet.messages[0], 5);
  EXPECT_EQ(sheet.sensors[0].readings, 1);
  EXPECT_EQ(sheet.sensors[0].folding, -2);
  EXPECT_EQ(sheet.sensors[1].readings, 0);
  EXPECT_EQ(sheet.difference(), 8 + 3);
  json::object ledger = body_of(response_to("/api/v1/ledger", now));
  EXPECT_EQ(ledger.at("difference").as_int64(), 11);
  json::object ph = ledger.at("sensors").as_array().at(0).as_object();
  EXPECT_EQ(ph.at("sensor").as_string(), "raw-ph");
  EXPECT_EQ(ph.at("difference").as_int64(), 1);
  EXPECT_EQ(ph.at("foldingDifference").as_int64(), -2);
  EXPECT_EQ(ph.at("waitingForCommit").as_int64(), 6);
  json::object gone = ledger.at("sensors").as_array().at(1).as_object();
  EXPECT_FALSE(gone.at("configured").as_bool());
  EXPECT_EQ(gone.at("notFolded").at("too_old").as_int64(), 1);
  EXPECT_EQ(ledger.at("journal").at("on").as_bool(), true);
  EXPECT_EQ(ledger.at("readings").at("rejected").at("repeated").as_int64(), 4);
  EXPECT_EQ(ledger.at("messages").at("ministry").at("filtered").as_int64(), 12);
}

TEST(Ledger, AReadingOfOneSensorThatIsCountedForAnotherShows) {
  Snapshot now = example_snapshot();
  ++now.ledger[0].stored;
  --now.ledger[1].stored;
  Balance sheet = balance(now);
  EXPECT_EQ(sheet.readings, 0);
  EXPECT_EQ(sheet.difference(), 4);
}

TEST(Ledger, SensorsThatDoNotAddUpToTheTotalShow) {
  Snapshot now = example_snapshot();
  now.ledger.pop_back();
  EXPECT_EQ(balance(now).sum, 404 + 400 + 399);
  EXPECT_EQ(body_of(response_to("/api/v1/ledger", now)).at("sumDifference").as_int64(), 1203);
  now.ledger.clear();
  EXPECT_EQ(balance(now).difference(), 0) << "they are not known";
}

TEST(Ledger, WithoutACountOfItsOwnWhatWaitsIsTheRest) {
  Snapshot now = example_snapshot();
  now.store.to_fold.reset();
  Balance sheet = balance(now);
  EXPECT_EQ(sheet.to_fold, 19u);
  EXPECT_EQ(sheet.difference(), 0);
}

TEST(Sensors, ShowValueAgeAndQuality) {
  json::object ph = body_of(response_to("/api/v1/sensors/raw-ph"));
  EXPECT_EQ(ph.at("newest").at("value").as_double(), 7.214);
  EXPECT_EQ(ph.at("newest").at("ageMs").as_int64(), 400);
  EXPECT_EQ(ph.at("newest").at("quality").as_string(), "good");
  EXPECT_EQ(ph.at("newest").at("time").as_string(), "2026-01-01T14:02:59.600+08:00");
  EXPECT_EQ(ph.at("labelInd").as_string(), "pH air baku");
  json::object total = body_of(response_to("/api/v1/sensors/total"));
  EXPECT_FALSE(total.at("newest").as_object().contains("value"));
  EXPECT_EQ(total.at("newest").at("reason").as_string(), "TIMEOUT");
  EXPECT_EQ(total.at("newest").at("flag").as_int64(), 9);
  EXPECT_TRUE(body_of(response_to("/api/v1/sensors/rain")).at("newest").at("stale").as_bool());
}

TEST(Sensors, AgeFollowsTheBootClockWhenTheWallClockJumps) {
  Snapshot now = example_snapshot();
  now.now_ms += 10 * 365 * 86'400'000ll;
  EXPECT_EQ(age_ms(now, now.sensors[0]), 400);
}

TEST(Sensors, ASensorWithoutAReadingHasNoNewest) {
  Snapshot now = example_snapshot();
  now.sensors[0].newest.reset();
  EXPECT_FALSE(body_of(response_to("/api/v1/sensors/raw-ph", now)).contains("newest"));
}

TEST(Status, AnIntegerRegisterStaysAnInteger) {
  Snapshot now = example_snapshot();
  now.sensors[0].newest->raw = Raw::of(std::int64_t{9'007'199'254'740'993});
  Response response = response_to("/api/v1/sensors/raw-ph", now);
  EXPECT_NE(response.body.find("\"raw\":9007199254740993"), std::string::npos);
}

TEST(Status, HostileTextsStayJson) {
  Snapshot now = example_snapshot();
  now.drivers[0].last_error = "\"},{\n\xFF</script>";
  now.uplinks[0].reason = std::string("\0\x1b[31m", 6);
  json::object status = body_of(response_to("/api/v1/status", now));
  EXPECT_EQ(status.at("drivers").at(0).at("lastError").as_string(), "\"},{\n\xEF\xBF\xBD</script>");
}

TEST(HistoryRoutes, AskTheStoreAndTheStreamIsAStream) {
  Snapshot now = example_snapshot();
  EXPECT_TRUE(std::holds_alternative<ReadingsCall>(
      ask(get("/api/v1/readings?sensor=raw-ph"), Policy(), now)));
  EXPECT_TRUE(std::holds_alternative<AggregatesCall>(
      ask(get("/api/v1/aggregates?window=15m"), Policy(), now)));
  EXPECT_TRUE(std::holds_alternative<StreamCall>(ask(get("/api/v1/stream"), Policy(), now)));
}

}  // namespace
}  // namespace gerbang::http
