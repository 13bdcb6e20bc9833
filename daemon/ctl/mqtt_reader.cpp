// SPDX-License-Identifier: Apache-2.0
#include "ctl/mqtt_reader.hpp"

#include <mqtt/async_client.h>

#include <utility>

#include "core/mqtt_code.hpp"

namespace gerbang::ctl {
namespace {

constexpr auto kConnectLimit = std::chrono::seconds(5);
constexpr auto kReconnectPause = std::chrono::milliseconds(200);

mqtt::connect_options connect_options(const ReaderOptions& o) {
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_5);
  // Never a clean start, although the name is new: mosquitto 2.0.11 does not keep such a session
  // over its own restart, whatever its expiry, and what is on its way then never arrives.
  options.set_clean_start(false);
  mqtt::properties properties;
  properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, 3600));
  properties.add(mqtt::property(mqtt::property::RECEIVE_MAXIMUM, 1000));
  options.set_properties(properties);
  options.set_keep_alive_interval(20);
  options.set_connect_timeout(kConnectLimit);
  options.set_automatic_reconnect(false);
  if (!o.username.empty()) options.set_user_name(o.username);
  if (!o.password.empty()) options.set_password(o.password);
  if (o.tls) {
    mqtt::ssl_options ssl;
    if (!o.ca_file.empty()) ssl.set_trust_store(o.ca_file);
    if (!o.certificate_file.empty()) ssl.set_key_store(o.certificate_file);
    if (!o.key_file.empty()) ssl.set_private_key(o.key_file);
    ssl.set_verify(true);
    ssl.set_enable_server_cert_auth(true);
    options.set_ssl(ssl);
  }
  return options;
}

std::string content_type(const mqtt::message& message) {
  const auto& properties = message.get_properties();
  if (!properties.contains(mqtt::property::CONTENT_TYPE)) return "";
  return mqtt::get<std::string>(properties, mqtt::property::CONTENT_TYPE);
}

}  // namespace

class MqttReader::Impl {
 public:
  Impl(ReaderOptions o, std::function<void(const Arrived&)> on_message,
       std::function<void(const std::string&)> on_state)
      : options(std::move(o)),
        message(std::move(on_message)),
        state(std::move(on_state)),
        client(
            (options.tls ? "ssl://" : "tcp://") + options.host + ":" + std::to_string(options.port),
            options.client_id, mqtt::create_options(MQTTVERSION_5)) {
    client.start_consuming();
  }

  Result<void> connect() {
    try {
      auto answer = client.connect(connect_options(options));
      if (!answer->wait_for(kConnectLimit)) return fail(std::errc::timed_out, "no answer in time");
      bool kept = answer->get_connect_response().is_session_present();
      if (!kept && lost)
        state("the broker has forgotten this session; what was on its way to us then is missing");
      if (kept && subscribed) return {};
    } catch (const mqtt::exception& e) {
      return fail(std::errc::connection_refused, e.to_string());
    }
    auto done = subscribe();
    subscribed = done.has_value();
    if (!done) disconnect();  // so that the next attempt begins anew
    return done;
  }

  // Fails when the broker refuses; a subscriber who does not look at that hears nothing, for ever.
  Result<void> subscribe() {
    const std::string filter = "the subscription to " + options.topic;
    try {
      auto answer = client.subscribe(options.topic, 1);
      if (!answer->wait_for(kConnectLimit))
        return fail(std::errc::timed_out, "the broker does not answer " + filter);
      const mqtt::subscribe_response response = answer->get_subscribe_response();
      for (auto code : response.get_reason_codes())
        if (code >= mqtt::ReasonCode::UNSPECIFIED_ERROR)
          return fail(std::errc::permission_denied,
                      "the broker refuses " + filter + ": " + mqtt_code_text(code));
      return {};
    } catch (const mqtt::exception& e) {
      return fail(std::errc::permission_denied,
                  "the broker refuses " + filter + ": " + e.to_string());
    }
  }

  void disconnect() {
    try {
      if (client.is_connected()) client.disconnect(1000)->wait_for(2000);
    } catch (const mqtt::exception&) {
      // The connection is gone; there is nothing left to end.
    }
  }

  ReaderOptions options;
  std::function<void(const Arrived&)> message;
  std::function<void(const std::string&)> state;
  mqtt::async_client client;
  bool lost = false, subscribed = false;
};

MqttReader::MqttReader(ReaderOptions options, std::function<void(const Arrived&)> on_message,
                       std::function<void(const std::string&)> on_state)
    : impl_(
          std::make_unique<Impl>(std::move(options), std::move(on_message), std::move(on_state))) {}

MqttReader::~MqttReader() {
  impl_->disconnect();
}

Result<void> MqttReader::connect() {
  return impl_->connect();
}

bool MqttReader::connected() const {
  return !impl_->lost;
}

void MqttReader::turn(std::chrono::milliseconds d) {
  auto end = std::chrono::steady_clock::now() + d;
  mqtt::const_message_ptr message;
  while (impl_->client.try_consume_message_until(&message, end)) {
    if (!message) {  // the library's sign that the connection is lost
      if (!std::exchange(impl_->lost, true)) impl_->state("disconnected");
      break;
    }
    Arrived arrived;
    arrived.topic = message->get_topic();
    arrived.payload = message->to_string();
    arrived.content_type = content_type(*message);
    arrived.retained = message->is_retained();
    impl_->message(arrived);
  }
  if (impl_->lost && impl_->connect()) {
    impl_->lost = false;
    impl_->state("connected again");
  } else if (impl_->lost) {
    std::this_thread::sleep_for(kReconnectPause);
  }
}

}  // namespace gerbang::ctl
