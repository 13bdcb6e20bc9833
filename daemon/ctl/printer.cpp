// SPDX-License-Identifier: Apache-2.0
#include "ctl/printer.hpp"

#include <boost/json/serialize.hpp>
#include <cstdio>

#include "ctl/audit_text.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/message_text.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

json::array ranges(const std::vector<Audit::Range>& ranges) {
  json::array out;
  for (const Audit::Range& range : ranges) out.push_back(json::array{range.first, range.last});
  return out;
}

}  // namespace

void Printer::message(const std::string& topic, const std::string& suffix, bool retained,
                      const json::object& message) {
  if (json_) {
    json::object line{{"topic", topic}, {"retained", retained}, {"message", message}};
    std::puts(json::serialize(line).c_str());
    std::fflush(stdout);
    return;
  }
  json::object source;
  if (const json::value* s = message.if_contains("source"); s && s->is_object())
    source = s->as_object();
  std::printf("%s %s%s%s  #%lld\n", utc(integer_of(source, "publishedAtMs")).c_str(), topic.c_str(),
              retained ? " (kept by the broker)" : "",
              is_true(source, "historical") ? " (historical)" : "",
              static_cast<long long>(integer_of(source, "sequence")));
  for (const std::string& line : message_lines(suffix, message, language_))
    std::printf("  %s\n", line.c_str());
  std::fflush(stdout);
}

void Printer::note(const std::string& text) {
  std::fprintf(stderr, "gerbangctl: %s\n", text.c_str());
}

void Printer::report(const Audit::Report& report, const std::string& filter) {
  if (json_) {
    json::array streams;
    for (const Audit::Stream& s : report.streams) {
      json::array conflicts(s.conflicts.begin(), s.conflicts.end());
      streams.push_back(json::object{{"gateway", s.gateway},
                                     {"stream", s.stream},
                                     {"first", s.first},
                                     {"last", s.last},
                                     {"messages", s.messages},
                                     {"duplicates", s.duplicates},
                                     {"missing", ranges(s.missing)},
                                     {"gaps", ranges(s.gaps)},
                                     {"conflicts", conflicts}});
    }
    json::array away;
    for (const Audit::Away& a : report.away)
      away.push_back(
          json::object{{"gateway", a.gateway}, {"reason", a.reason}, {"allAlong", a.all_along}});
    json::object out{{"complete", report.complete()},
                     {"missing", report.missing()},
                     {"filter", filter},
                     {"heard", report.heard},
                     {"cutOff", report.cut_off}};
    out["streams"] = std::move(streams);
    out["away"] = std::move(away);
    std::puts(json::serialize(out).c_str());
  } else {
    for (const std::string& line : report_lines(report, filter, language_)) std::puts(line.c_str());
  }
  std::fflush(stdout);
}

}  // namespace gerbang::ctl
