// SPDX-License-Identifier: Apache-2.0
#include "app/uplinks.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "app/translate.hpp"
#include "async/spawn.hpp"
#include "core/text.hpp"
#include "observe/log.hpp"

namespace gerbang::app {
namespace {

uplink::Options options_of(const config::Config& config, const config::Uplink& u, int bit) {
  uplink::Options options;
  options.name = u.name;
  options.bit = bit;
  options.format = u.format == config::Format::json ? wire::Format::json : wire::Format::protobuf;
  options.root = u.root;
  options.region = config.gateway.region;
  options.site = config.gateway.site;
  options.gateway = config.gateway.id;
  options.in_flight = u.in_flight;
  options.backlog_rate = u.backlog_rate;
  uplink::Connection& c = options.connection;
  c.name = u.name;
  c.host = u.host;
  c.port = u.port;
  c.tls = u.tls;
  c.mqtt_version = u.mqtt_version == config::MqttVersion::v5 ? 5 : 4;
  c.client_id = u.client_id;
  c.username = u.username;
  if (u.password) {
    c.password = u.password->value;
    c.has_password = true;
  }
  c.ca_file = u.ca_file.string();
  c.certificate_file = u.certificate_file.string();
  c.key_file = u.key_file.string();
  c.in_flight = u.in_flight;
  return options;
}

// Topics that this configuration keeps retained at a broker.
std::set<std::string> retained_topics(const config::Config& config, const config::Uplink& u) {
  std::set<std::string> out = {"state"};
  std::set<std::string> wanted = {"description"};
  for (const config::Sensor& sensor : config.sensors)
    for (std::int64_t length : config.windows.lengths_ms)
      if (length >= sensor.interval.count())
        wanted.insert("aggregate/" + sensor.quantity->domain + "/" +
                      format_duration(std::chrono::milliseconds(length)));
  for (const config::Indicator& indicator : config.indicators)
    wanted.insert("indicator/" + indicator.id);
  for (const std::string& topic : wanted)
    if (uplink::carries(u.topics, topic)) out.insert(topic);
  for (const config::Alarm& alarm : config.alarms.all)
    if (uplink::carries(u.topics, "alarm/" + alarm.id)) out.insert("alarm/" + alarm.id);
  return out;
}

std::string key_of(const std::string& uplink) {
  return "retained/" + uplink;
}

constexpr const char* kKnownKey = "uplinks/known";
constexpr const char* kIndicator = "indicator/";

std::string untold_key_of(const std::string& uplink) {
  return "untold/" + uplink;
}

// One broker, as far as a configuration can tell.
std::string place_of(const config::Uplink& u) {
  return u.name + "@" + u.host + ":" + std::to_string(u.port) + "/" + u.root;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += word + " ";
  return out;
}

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::set<std::string> out;
  for (std::string word; in >> word;) out.insert(word);
  return out;
}

}  // namespace

Uplinks::Uplinks(asio::any_io_executor executor, const Clock& clock, store::Store& store,
                 Notes& notes)
    : executor_(executor), clock_(clock), store_(store), notes_(notes), idle_(executor) {
  idle_.open();
}

Result<void> Uplinks::declare(const config::Config& config) {
  std::vector<std::string> names;
  for (const config::Uplink& u : config.uplinks) names.push_back(u.name);
  auto bits = store_.declare_uplinks(names);
  if (!bits) return fail(std::move(bits.error()).within("store"));
  description_ = wire::encode(description_of(config));
  if (auto known = store_.get(kKnownKey); known && *known) known_ = words(**known);
  for (std::size_t i = 0; i < names.size(); ++i) add(config, config.uplinks[i], (*bits)[i]);
  know(config);
  store_.on_messages([this] {
    for (auto& one : all_) one->link->notify();
  });
  return {};
}

void Uplinks::add(const config::Config& config, const config::Uplink& wanted, int bit) {
  auto one = std::make_unique<One>();
  one->config = wanted;
  one->bit = bit;
  one->retained = retained_topics(config, wanted);
  one->options = options_of(config, wanted, bit);
  connect(*one);

  // What an earlier configuration left retained and nothing fills any more is emptied.
  auto before = store_.get(key_of(wanted.name));
  const std::set<std::string> held = before && *before ? words(**before) : std::set<std::string>();
  auto untold = store_.get(untold_key_of(wanted.name));
  if (untold && *untold) one->untold = words(**untold);
  for (const std::string& topic : one->retained)
    if ((topic.starts_with("alarm/") || topic.starts_with(kIndicator)) &&
        (!known_.contains(place_of(wanted)) || !held.contains(topic)))
      one->untold.insert(topic);
  for (const std::string& topic : held)
    if (one->retained.insert(topic).second)
      one->leaving[topic].upto = store_.identity().last_sequence;
  remember(*one);
  all_.push_back(std::move(one));
}

void Uplinks::connect(One& one) {
  std::string name = one.config.name;
  uplink::Callbacks callbacks;
  callbacks.documents = [this, name] {
    std::vector<uplink::Unsequenced> out;
    out.emplace_back(MessageKind::gateway_state, "state", wire::encode(state()));
    One* self = find(name);
    if (self && uplink::carries(self->config.topics, "description"))
      out.emplace_back(MessageKind::gateway_description, "description", description_);
    if (self)
      for (uplink::Unsequenced& each : untold(*self)) out.push_back(std::move(each));
    return out;
  };
  auto offline = [this](const char* reason) {
    wire::GatewayState s = state();
    s.online = false;
    s.reason = reason;
    return uplink::Unsequenced(MessageKind::gateway_state, "state", wire::encode(s));
  };
  callbacks.will = [offline] { return std::optional(offline("LOST")); };
  callbacks.farewell = [offline] { return std::optional(offline("STOPPED")); };
  callbacks.told = [this, name](const std::string& topic) { told(name, topic); };
  callbacks.cleared = [this, name](const std::string& topic) { forget(name, topic); };
  callbacks.link_changed = [this, name] {
    if (One* self = find(name)) {
      uplink::Status status = self->link->status();
      if (status.connected)
        notes_.keep("info", "uplink " + name + ": connected", {"uplink", name, "connected", {}});
      else
        notes_.keep("warning", "uplink " + name + ": " + status.reason,
                    {"uplink", name, "disconnected", status.reason});
    }
    if (on_change) on_change();
  };
  one.link.reset();  // before what it uses
  one.outbox = std::make_unique<uplink::StoreOutbox>(store_);
  one.link = std::make_unique<uplink::Uplink>(executor_, clock_, one.options, *one.outbox,
                                              std::move(callbacks));
}

void Uplinks::remember(const One& one) {
  store_.put(key_of(one.config.name), joined(one.retained));
  store_.put(untold_key_of(one.config.name), joined(one.untold));
}

// An alarm that is not raised any more has said so, and will say when it is again; so will an
// indicator that said nothing yet.
std::vector<uplink::Unsequenced> Uplinks::untold(One& one) {
  std::vector<uplink::Unsequenced> out;
  const std::size_t before = one.untold.size();
  for (auto topic = one.untold.begin(); topic != one.untold.end();) {
    auto holds = standing ? standing(*topic) : std::nullopt;
    topic = holds ? std::next(topic) : one.untold.erase(topic);
    if (holds) out.push_back(std::move(*holds));
  }
  if (one.untold.size() != before) remember(one);
  return out;
}

// Who comes back after it was removed has missed what was said meanwhile, and another broker knows
// nothing.
void Uplinks::know(const config::Config& config) {
  known_.clear();
  for (const config::Uplink& u : config.uplinks) known_.insert(place_of(u));
  store_.put(kKnownKey, joined(known_));
}

void Uplinks::follow(const config::Config& config, One& one) {
  const std::set<std::string> wanted = retained_topics(config, one.config);
  const std::set<std::string> before = one.retained;
  for (const std::string& topic : before)
    if (wanted.contains(topic))
      one.leaving.erase(topic);
    else
      one.leaving[topic].since = clock_.boot();
  one.retained.insert(wanted.begin(), wanted.end());
  if (one.retained != before) remember(one);
}

void Uplinks::tick() {
  constexpr std::chrono::seconds kFarewell{2};  // until what is said at the end has its number
  for (auto& one : all_) {
    const store::Sequence done = store_.uplink_counts(one->bit).acknowledged_sequence;
    for (auto entry = one->leaving.begin(); entry != one->leaving.end();) {
      One::Leaving& leaving = entry->second;
      if (!leaving.upto && clock_.boot() - leaving.since >= kFarewell)
        leaving.upto = store_.identity().last_sequence;
      const bool through = leaving.upto && done >= *leaving.upto;
      if (through) one->link->clear(entry->first);
      entry = through ? one->leaving.erase(entry) : std::next(entry);
    }
  }
}

// An indicator stands until its next window, which may be a day: once is enough.
void Uplinks::told(const std::string& name, const std::string& topic) {
  One* one = find(name);
  if (one && topic.starts_with(kIndicator) && one->untold.erase(topic) > 0) remember(*one);
}

void Uplinks::forget(const std::string& name, const std::string& topic) {
  One* one = find(name);
  if (one && one->retained.erase(topic) > 0) remember(*one);
}

Uplinks::One* Uplinks::find(const std::string& name) {
  for (auto& one : all_)
    if (one->config.name == name) return one.get();
  return nullptr;
}

void Uplinks::run(One& one) {
  spawn_critical(executor_, "uplink", one.link->run());
}

void Uplinks::start(const config::Config&) {
  started_ = true;
  for (auto& one : all_) {
    (void)untold(*one);  // what is raised from now on is said to it in its order
    run(*one);
  }
}

// Links are exchanged by one at a time.
asio::awaitable<void> Uplinks::begin() {
  while (!idle_.is_open()) co_await idle_.wait();
  idle_.close();
}

asio::awaitable<void> Uplinks::apply(const config::Config& config, std::set<std::string> changed) {
  co_await begin();
  co_await exchange(config, std::move(changed));
  idle_.open();
}

asio::awaitable<void> Uplinks::exchange(const config::Config& config,
                                        std::set<std::string> changed) {
  description_ = wire::encode(description_of(config));
  for (const std::string& name : changed) {
    One* one = find(name);
    if (!one) continue;
    co_await one->link->stop();
    std::erase_if(all_, [&](const std::unique_ptr<One>& o) { return o->config.name == name; });
  }
  for (auto& one : all_) follow(config, *one);
  if (changed.empty()) co_return;
  std::vector<std::string> names;
  for (const config::Uplink& u : config.uplinks) names.push_back(u.name);
  auto bits = co_await store_.declare_uplinks_async(std::move(names));
  if (!bits) {
    notes_.error("reload: uplinks: " + bits.error().what, {});
    co_return;
  }
  for (std::size_t i = 0; i < config.uplinks.size(); ++i) {
    const config::Uplink& wanted = config.uplinks[i];
    if (find(wanted.name)) continue;
    add(config, wanted, (*bits)[i]);
    (void)untold(*all_.back());
    run(*all_.back());
  }
  know(config);
}

struct Uplinks::Countdown {
  Countdown(std::size_t n, asio::any_io_executor executor) : left(n), none(std::move(executor)) {
    if (left == 0) none.open();
  }
  std::size_t left;
  Gate none;
};

asio::awaitable<void> Uplinks::stop_one(uplink::Uplink& link, std::shared_ptr<Countdown> left) {
  co_await link.stop();
  if (--left->left == 0) left->none.open();
}

asio::awaitable<void> Uplinks::renew() {
  co_await begin();
  if (started_ && !stopping_) co_await stop_all();
  for (auto& one : all_) {
    if (stopping_) break;
    connect(*one);
    if (started_) run(*one);
  }
  idle_.open();
}

void Uplinks::say_now(MessageKind kind, const std::string& topic, const std::string& body) {
  for (auto& one : all_)
    if (uplink::carries(one->config.topics, topic))
      one->link->say_now(uplink::Unsequenced(kind, topic, body));
}

asio::awaitable<void> Uplinks::stop() {
  stopping_ = true;
  co_await begin();
  co_await stop_all();
  idle_.open();
}

// All at once: each may wait for a broker, and the time to stop is one for all.
asio::awaitable<void> Uplinks::stop_all() {
  auto left = std::make_shared<Countdown>(all_.size(), executor_);
  for (auto& one : all_) spawn_critical(executor_, "uplink stop", stop_one(*one->link, left));
  co_await left->none.wait();
}

void Uplinks::republish() {
  for (auto& one : all_) one->link->republish();
}

std::uint64_t Uplinks::wanting(std::string_view topic) const {
  std::uint64_t bits = 0;
  for (const auto& one : all_)
    if (uplink::carries(one->config.topics, topic)) bits |= std::uint64_t{1} << one->bit;
  return bits;
}

bool Uplinks::speak_json() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto& one) { return one->config.format == config::Format::json; });
}

std::vector<uplink::Status> Uplinks::statuses() const {
  std::vector<uplink::Status> out;
  for (const auto& one : all_) out.push_back(one->link->status());
  return out;
}

store::UplinkCounts Uplinks::counts(const std::string& name) const {
  for (const auto& one : all_)
    if (one->config.name == name) return store_.uplink_counts(one->bit);
  return {};
}

}  // namespace gerbang::app
