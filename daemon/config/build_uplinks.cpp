// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "config/build.hpp"
#include "config/secret.hpp"

namespace gerbang::config {
namespace {

// First levels below the gateway's topic (contracts of the wire).
constexpr std::array<std::string_view, 8> kTopics = {
    "state", "description", "aggregate", "indicator", "alarm", "event", "gap", "reading"};

std::vector<std::string_view> levels_of(std::string_view filter) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = filter.find('/');
    out.push_back(filter.substr(0, end));
    if (end == std::string_view::npos) return out;
    filter.remove_prefix(end + 1);
  }
}

std::optional<Fault> check_filter(const std::string& filter) {
  const auto levels = levels_of(filter);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::string_view level = levels[i];
    if (level.empty())
      return Fault{in_quotes(filter) + " has an empty level",
                   "write it below the gateway's topic, without a slash in front or behind"};
    if (level == "#" && i + 1 < levels.size())
      return Fault{in_quotes(filter) + " goes on after #",
                   "# stands for all that follows: last only"};
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos)
      return Fault{in_quotes(filter) + " mixes a wildcard with other characters",
                   "+ and # stand for whole levels"};
  }
  if (levels[0] != "+" && levels[0] != "#" &&
      std::find(kTopics.begin(), kTopics.end(), levels[0]) == kTopics.end())
    return Fault{"the gateway has no topic " + in_quotes(levels[0]),
                 did_you_mean(levels[0], {kTopics.begin(), kTopics.end()})};
  return std::nullopt;
}

std::optional<Fault> check_root(const std::string& root) {
  const auto levels = levels_of(root);
  if (std::any_of(levels.begin(), levels.end(), [](std::string_view l) { return l.empty(); }))
    return Fault{in_quotes(root) + " has an empty level",
                 "write it without a slash in front or behind"};
  if (root.find_first_of("+#") != std::string::npos)
    return Fault{in_quotes(root) + " has a wildcard",
                 "messages are published below it: no + and no #"};
  if (root.front() == '$')
    return Fault{in_quotes(root) + " begins with $", "such topics belong to the broker"};
  return std::nullopt;
}

struct Broker {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
};
constexpr std::string_view kUrlForm = "write mqtt://HOST:PORT or mqtts://HOST:PORT";

std::variant<Broker, Fault> parse_broker(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url) return Fault{in_quotes(text) + " is not a URL", std::string(kUrlForm)};
  Broker out;
  const std::string_view scheme(url->scheme().data(), url->scheme().size());
  out.tls = scheme == "mqtts";
  if (scheme != "mqtt" && scheme != "mqtts")
    return Fault{in_quotes(scheme) + " is not a scheme that is spoken", std::string(kUrlForm)};
  if (url->has_userinfo())
    return Fault{"a user name or password in the URL",
                 "write username = \"…\" and password_file = \"…\" instead"};
  const auto path = url->encoded_path();
  if ((!path.empty() && path != "/") || url->has_query() || url->has_fragment())
    return Fault{"the URL goes on after the port", std::string(kUrlForm)};
  out.host = url->host_address();
  if (out.host.empty()) return Fault{in_quotes(text) + " names no host", std::string(kUrlForm)};
  if (url->host_type() == boost::urls::host_type::ipvfuture ||
      std::any_of(out.host.begin(), out.host.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '/' || c == '%';
      }))
    return Fault{in_quotes(out.host) + " is not a host", std::string(kUrlForm)};
  out.port = out.tls ? 8883 : 1883;
  if (url->has_port() && !url->port().empty()) {
    out.port = url->port_number();
    if (out.port == 0)
      return Fault{
          "port " + in_quotes({url->port().data(), url->port().size()}) + " does not exist",
          "write one from 1 to 65535"};
  }
  return out;
}

bool matches(std::string_view filter, std::string_view topic) {
  return filter == "#" || filter == "+" || filter == topic || filter == std::string(topic) + "/#";
}

bool loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class Builder {
 public:
  Builder(const Table& table, const Context& context, Report& report, const Config& config)
      : table_(table), context_(context), report_(report), config_(config) {}

  Uplink build() {
    out_.place = table_.place();
    out_.name = text("name");
    broker();
    out_.format = text("format") == "json" ? Format::json : Format::protobuf;
    out_.root = text("root");
    if (!out_.root.empty()) fault("root", check_root(out_.root));
    topics();
    if (auto value = table_.value("in_flight"))
      out_.in_flight = static_cast<unsigned>(value->integer);
    if (auto value = table_.value("backlog_rate"))
      out_.backlog_rate = static_cast<unsigned>(value->integer);
    out_.mqtt_version = text("mqtt_version") == "3.1.1" ? MqttVersion::v3_1_1 : MqttVersion::v5;
    out_.client_id =
        table_.has("client_id") ? text("client_id") : config_.gateway.id + "-" + out_.name;
    out_.username = table_.has("username") ? text("username") : config_.gateway.id;
    password();
    tls();
    return std::move(out_);
  }

 private:
  std::string text(std::string_view key) const {
    auto value = table_.value(key);
    return value ? std::move(value->text) : std::string();
  }
  void fault(std::string_view key, const std::optional<Fault>& fault) {
    if (fault) report_.error(table_.place(key), table_.key(key), fault->what, fault->remedy);
  }

  void broker() {
    const auto url = table_.value("url");
    if (!url) return;
    auto parsed = parse_broker(url->text);
    if (auto wrong = std::get_if<Fault>(&parsed)) return fault("url", *wrong);
    const Broker& broker = std::get<Broker>(parsed);
    out_.host = broker.host;
    out_.port = broker.port;
    out_.tls = broker.tls;
  }

  void topics() {
    if (const Node* list = table_.node("topics"))
      for (const Node& item : list->items) {
        if (item.kind != Node::Kind::string || item.text.empty()) continue;
        if (auto wrong = check_filter(item.text))
          report_.error(item, table_.key("topics"), wrong->what, wrong->remedy);
        else if (auto odd = check_window(item.text))
          report_.warning(report_.document().place(item), table_.key("topics"), odd->what,
                          odd->remedy);
      }
    auto value = table_.value("topics");
    if (!value) return;
    out_.topics = std::move(value->texts);
    // A receiver needs them to prove that nothing is missing.
    for (const char* always : {"state", "gap"})
      if (std::none_of(out_.topics.begin(), out_.topics.end(),
                       [&](const std::string& filter) { return matches(filter, always); }))
        out_.topics.emplace_back(always);
  }

  // aggregate/DOMAIN/WINDOW, of a window that nobody computes.
  std::optional<Fault> check_window(const std::string& filter) const {
    const auto levels = levels_of(filter);
    if (levels.size() < 3 || levels[0] != "aggregate" || levels[2] == "+" || levels[2] == "#")
      return std::nullopt;
    std::string known;
    for (const std::int64_t ms : config_.windows.lengths_ms) {
      const std::string window = format_duration(Milliseconds(ms));
      if (levels[2] == window) return std::nullopt;
      known += (known.empty() ? "" : ", ") + window;
    }
    if (known.empty()) return std::nullopt;  // reported
    return Fault{in_quotes(filter) + " names a window that is not in windows.default",
                 "write one of " + known + ", or add the window"};
  }

  void password() {
    out_.password = secret_of(table_, "password_file", context_, report_);
    if (out_.password) fault("password_file", one_line(out_.password->value, out_.password->path));
    if (!table_.has("password_file") || out_.host.empty()) return;
    if (!out_.tls && !loopback(out_.host))
      report_.warning(table_.place("url"), table_.key("url"),
                      "the password crosses the network in clear text", "use mqtts://");
    if (out_.username.empty() && out_.mqtt_version == MqttVersion::v3_1_1)
      report_.error(table_.place("password_file"), table_.key("password_file"),
                    "MQTT 3.1.1 has no password without a user name", "write username = \"…\"");
  }

  // Its path goes to `path`. Empty: not given, reported, or not to be read by this user.
  std::string file(std::string_view key, std::filesystem::path& path) {
    const auto value = table_.given(key);
    if (!value) return {};
    const auto place = resolve_file(value->text, table_.place(key).file, context_.environment);
    path = place.path;
    if (place.fault && place.no_credentials && (context_.by_hand || context_.beside)) {
      report_.warning(table_.place(key), table_.key(key), place.fault->what, place.fault->remedy);
      return {};
    }
    FileText text = read_public(path);
    if (text.denied && (context_.by_hand || (context_.beside && place.credential))) {
      const Fault unseen = not_looked_at(path);
      report_.warning(table_.place(key), table_.key(key), unseen.what, unseen.remedy);
    } else {
      fault(key, text.fault);
    }
    return std::move(text.content);
  }

  void pair(const std::string& certificate, const std::string& key) {
    if (!context_.key_pair || certificate.empty() || key.empty()) return;
    const std::string key_path = out_.key_file.string();
    const std::string certificate_path = out_.certificate_file.string();
    switch (context_.key_pair(certificate, key)) {
      case KeyPair::fits:
        return;
      case KeyPair::differs:
        return fault("key_file", Fault{key_path + " is not the key of " + certificate_path,
                                       "name the key that this certificate was made for"});
      case KeyPair::no_certificate:
        return fault("certificate_file",
                     Fault{certificate_path + " has no certificate in PEM",
                           "a certificate begins with -----BEGIN CERTIFICATE-----"});
      case KeyPair::no_key:
        return fault("key_file", Fault{key_path + " has no private key in PEM",
                                       "a key begins with -----BEGIN PRIVATE KEY-----"});
      case KeyPair::locked:
        return fault("key_file",
                     Fault{key_path + " wants a passphrase, and nobody is there to type it",
                           "write it without: openssl pkey -in OLD -out NEW"});
    }
  }

  void tls() {
    (void)file("ca_file", out_.ca_file);
    const std::string pem = file("certificate_file", out_.certificate_file);
    if (auto secret = secret_of(table_, "key_file", context_, report_)) {
      out_.key_file = secret->path;
      pair(pem, secret->value);
    }
    const bool certificate = table_.has("certificate_file"), key = table_.has("key_file");
    if (certificate && !key)
      report_.error(table_.place("certificate_file"), table_.key("certificate_file"),
                    "a certificate without its key", "add key_file = \"…\"");
    if (key && !certificate)
      report_.error(table_.place("key_file"), table_.key("key_file"),
                    "a key without its certificate", "add certificate_file = \"…\"");
    if (out_.tls || out_.host.empty()) return;
    for (const char* name : {"ca_file", "certificate_file", "key_file"})
      if (table_.has(name))
        report_.error(table_.place(name), table_.key(name), "has no meaning with mqtt://",
                      "write url = \"mqtts://…\", or remove it");
  }

  const Table& table_;
  const Context& context_;
  Report& report_;
  const Config& config_;
  Uplink out_;
};

// "broker.example:1883"; names of hosts know no capitals.
std::string broker_of(const Uplink& uplink) {
  std::string host = uplink.host;
  for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return host + ":" + std::to_string(uplink.port);
}

// Two clients of one id push each other off their broker for ever. At fault is what was written,
// and not what follows from a name.
void check_clients(const std::vector<Table>& tables, const std::vector<Uplink>& uplinks,
                   Report& report) {
  std::map<std::string, std::size_t> first;
  for (const bool written : {false, true})
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const Uplink& uplink = uplinks[i];
      if (tables[i].has("client_id") != written || uplink.name.empty() || uplink.host.empty())
        continue;
      const auto [same, fresh] = first.emplace(uplink.client_id + " " + broker_of(uplink), i);
      if (!fresh && written)
        report.error(tables[i].place("client_id"), tables[i].key("client_id"),
                     in_quotes(uplink.client_id) + " is the id of " +
                         tables[same->second].prefix() + " at " + broker_of(uplink) +
                         " too, and each would push the other off",
                     "give each its own, or remove client_id");
    }
}

}  // namespace

void build_uplinks(const Document& document, const Context& context, Report& report,
                   Config& config) {
  Unique names;
  const auto tables = section_tables(document, "uplink");
  for (const Table& table : tables) {
    Uplink uplink = Builder(table, context, report, config).build();
    if (!uplink.name.empty())
      names.add(uplink.name, table.place("name"), table.key("name"), "uplink", report);
    config.uplinks.push_back(std::move(uplink));
  }
  check_clients(tables, config.uplinks, report);
}

}  // namespace gerbang::config
