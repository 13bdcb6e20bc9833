// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>

#include "ctl/audit.hpp"
#include "ctl/commands.hpp"
#include "ctl/filter.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/mqtt_reader.hpp"
#include "ctl/printer.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) {
  g_interrupted = 1;
}

std::string random_id() {
  std::random_device random;
  char text[32];
  std::snprintf(text, sizeof text, "gerbangctl-%08x%08x", random(), random());
  return text;
}

Result<std::string> first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line))
    return fail(std::errc::no_such_file_or_directory, file + ": cannot be read, or is empty");
  return line;
}

Result<ReaderOptions> reader_options(const SubscribeOptions& o) {
  auto filter = filter_below(o.root, o.topic);
  if (!filter) return fail(std::move(filter.error()));
  auto url = boost::urls::parse_uri(o.url);
  if (!url || (url->scheme() != "mqtt" && url->scheme() != "mqtts") || url->host().empty())
    return fail(std::errc::invalid_argument,
                o.url + ": not an address; write mqtt://HOST:PORT or mqtts://HOST:PORT");
  ReaderOptions reader;
  reader.tls = url->scheme() == "mqtts";
  reader.host = std::string(url->encoded_host());
  reader.port = url->has_port() ? url->port_number() : reader.tls ? 8883u : 1883u;
  reader.username = o.username.empty() ? url->user() : o.username;
  if (!o.password_file.empty()) {
    auto password = first_line(o.password_file);
    if (!password) return fail(std::move(password.error()));
    reader.password = *password;
  }
  reader.ca_file = o.ca_file;
  reader.certificate_file = o.certificate_file;
  reader.key_file = o.key_file;
  reader.client_id = random_id();
  reader.topic = std::move(*filter);
  return reader;
}

// The topic below the gateway: ROOT/REGION/SITE/GATEWAY/… without the first parts.
std::optional<std::string> below_gateway(const std::string& topic, const std::string& root) {
  if (!topic.starts_with(root + "/")) return std::nullopt;
  std::size_t at = root.size();
  for (int part = 0; part < 3; ++part) {
    at = topic.find('/', at + 1);
    if (at == std::string::npos) return std::nullopt;
  }
  return topic.substr(at + 1);
}

// JSON begins with a brace; a protobuf message of ours begins with field 1, a byte 0x0a.
wire::Format format_of(const Arrived& arrived) {
  if (arrived.content_type.starts_with("application/json")) return wire::Format::json;
  if (arrived.content_type.starts_with("application/x-protobuf")) return wire::Format::protobuf;
  return arrived.payload.starts_with('{') ? wire::Format::json : wire::Format::protobuf;
}

// What must be the same in every delivery of one message.
std::string content_of(json::object message) {
  if (auto* source = message.if_contains("source"); source && source->is_object()) {
    source->as_object().erase("publishedAtMs");
    source->as_object().erase("historical");
  }
  return json::serialize(message);
}

class Session {
 public:
  Session(const Common& common, const SubscribeOptions& options)
      : options_(options),
        printer_(common.json, common.language),
        audit_(options.topic.empty() ? Audit::Rule::sequence : Audit::Rule::previous) {}

  void arrived(const Arrived& message) {
    if (message.payload.empty()) return;  // an emptied retained topic
    auto suffix = below_gateway(message.topic, options_.root);
    auto kind = suffix ? wire::kind_of_topic(*suffix) : std::nullopt;
    if (!kind) return refused(message, "not a topic of a gateway");
    wire::Format format = format_of(message);
    std::string text = message.payload;
    if (format == wire::Format::protobuf) {
      auto decoded = wire::to_json(*kind, message.payload);
      if (!decoded) return refused(message, decoded.error().what);
      text = std::move(*decoded);
    }
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) return refused(message, "not JSON: " + error.message());
    auto source = wire::read_source(*kind, message.payload, format);
    if (!source) return refused(message, source.error().what);

    judge(message, *kind, *source, value.as_object());
    if (!options_.quiet)
      printer_.message(message.topic, *suffix, message.retained, value.as_object());
  }

  // connected: to the broker, at the end.
  Audit::Report report(bool connected) {
    if (!connected) audit_.cut_off();
    return audit_.report();
  }
  std::uint64_t undecodable() const { return undecodable_; }
  Printer& printer() { return printer_; }

 private:
  void judge(const Arrived& message, MessageKind kind, const wire::Source& source,
             const json::object& value) {
    if (!options_.audit) return;
    audit_.heard();
    if (kind == MessageKind::gateway_state)
      audit_.state(source, is_true(value, "online"), text_of(value, "reason"),
                   integer_of(value, "lastSequence"));
    if (message.retained) return;  // the copy that the broker kept
    audit_.received(message.topic, source, content_of(value));
    if (kind != MessageKind::gap) return;
    const std::string lost = text_of(value, "lostStream");
    audit_.given_up(lost.empty() ? source.stream : lost, integer_of(value, "first"),
                    integer_of(value, "last"));
  }

  void refused(const Arrived& message, const std::string& why) {
    ++undecodable_;
    printer_.note(message.topic + ": cannot be decoded: " + why);
  }

  const SubscribeOptions& options_;
  Printer printer_;
  Audit audit_;
  std::uint64_t undecodable_ = 0;
};

}  // namespace

int subscribe(const Common& common, const SubscribeOptions& options) {
  auto reader_of = reader_options(options);
  if (!reader_of) {
    std::fprintf(stderr, "gerbangctl: %s\n", reader_of.error().what.c_str());
    return kUsage;
  }
  Session session(common, options);
  auto on_message = [&](const Arrived& message) { session.arrived(message); };
  auto on_state = [&](const std::string& text) {
    session.printer().note(options.url + ": " + text);
  };
  MqttReader reader(*reader_of, on_message, on_state);
  if (auto connected = reader.connect(); !connected) {
    std::fprintf(stderr, "gerbangctl: %s: %s\n", options.url.c_str(),
                 connected.error().what.c_str());
    return kUnavailable;
  }
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  auto end =
      std::chrono::steady_clock::now() + options.duration.value_or(std::chrono::hours(876'000));
  while (g_interrupted == 0 && std::chrono::steady_clock::now() < end)
    reader.turn(std::chrono::milliseconds(100));
  if (!options.audit) return session.undecodable() == 0 ? kOk : kData;
  auto report = session.report(reader.connected());
  session.printer().report(report, reader_of->topic);
  if (!report.flawless()) return kBad;
  return report.complete() ? kOk : kUnavailable;
}

}  // namespace gerbang::ctl
