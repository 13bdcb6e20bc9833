// SPDX-License-Identifier: Apache-2.0
#include "ctl/printer.hpp"

#include <boost/json/serialize.hpp>
#include <cstdio>

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

std::string words(const std::vector<Audit::Range>& ranges) {
  std::string out;
  for (const Audit::Range& range : ranges) {
    out += (out.empty() ? "" : ", ") + std::to_string(range.first);
    if (range.last != range.first) out += "-" + std::to_string(range.last);
  }
  return out.empty() ? "none" : out;
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

void Printer::report(const Audit::Report& report) {
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
    json::object out{{"complete", report.complete()}, {"missing", report.missing()}};
    out["streams"] = std::move(streams);
    std::puts(json::serialize(out).c_str());
  } else {
    for (const Audit::Stream& s : report.streams) {
      std::printf("%s stream %s: %llu messages, #%lld to #%lld, %llu duplicates\n",
                  s.gateway.c_str(), s.stream.c_str(), static_cast<unsigned long long>(s.messages),
                  static_cast<long long>(s.first), static_cast<long long>(s.last),
                  static_cast<unsigned long long>(s.duplicates));
      std::printf("  missing: %s\n  given up by the gateway: %s\n", words(s.missing).c_str(),
                  words(s.gaps).c_str());
      if (!s.conflicts.empty())
        std::printf("  %zu numbers came with two contents, first #%lld\n", s.conflicts.size(),
                    static_cast<long long>(s.conflicts.front()));
    }
    std::printf("%llu gaps in %zu streams\n", static_cast<unsigned long long>(report.missing()),
                report.streams.size());
  }
  std::fflush(stdout);
}

}  // namespace gerbang::ctl
