// SPDX-License-Identifier: Apache-2.0
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "core/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/running.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

constexpr double kMsPerMinute = 60'000;

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "gerbangctl: %s\n", what.c_str());
  return code;
}

}  // namespace

int maintenance(const Common& common, const MaintenanceOptions& options) {
  auto endpoint = find_gateway(common, options.url, "", true);
  if (!endpoint) return complain(endpoint.error().what, exit_of(endpoint.error()));
  json::object body;
  body["minutes"] = static_cast<double>(options.duration.count()) / kMsPerMinute;
  if (!options.person.empty()) body["person"] = options.person;
  if (!options.note.empty()) body["note"] = options.note;
  auto answer = http_post(*endpoint, "/api/v1/sensors/" + options.sensor + "/maintenance",
                          json::serialize(body));
  if (!answer)
    return complain(answer.error().what + "; the control socket is for root and the group gerbang",
                    kUnavailable);
  boost::system::error_code error;
  const json::value value = json::parse(answer->body, error);
  if (error || !value.is_object())
    return complain(endpoint->url + ": answered " + std::to_string(answer->status), kUnavailable);
  const json::object& object = value.as_object();
  if (answer->status != 200) {
    const bool usage = answer->status == 400 || answer->status == 404;
    return complain(text_of(object, "detail"), usage ? kData : kUnavailable);
  }
  if (common.json) {
    std::puts(answer->body.c_str());
    return kOk;
  }
  const bool ind = common.language == "ind";
  const json::value* work = object.if_contains("maintenance");
  if (work != nullptr && work->is_object())
    std::printf(ind ? "%s: pemeliharaan sampai %s; pembacaannya disimpan dan tidak dihitung\n"
                    : "%s: maintenance until %s; its readings are kept and do not count\n",
                options.sensor.c_str(), text_of(work->as_object(), "until").c_str());
  else
    std::printf(ind ? "%s: tidak dalam pemeliharaan\n" : "%s: not under maintenance\n",
                options.sensor.c_str());
  return kOk;
}

}  // namespace gerbang::ctl
