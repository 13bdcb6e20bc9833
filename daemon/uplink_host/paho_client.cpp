// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/paho_client.hpp"

#include <MQTTAsync.h>
#include <host/v1/uplink.pb.h>
#include <mqtt/async_client.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "core/mqtt_code.hpp"
#include "uplink_host/ack_tap.hpp"
#include "uplink_host/reason.hpp"

namespace gerbang::uplink_host {
namespace {

constexpr int kQos = 1;
constexpr int kSoftwareFault = 70;  // sysexits
constexpr std::size_t kMaxTrace = 64;
// Above every window of ours: with less, acknowledgements do not wake the library's sender and what
// is in excess leaves once a second.
constexpr int kPahoWindow = 60'000;
constexpr auto kDisconnect = std::chrono::seconds(2);

// The telling lines of the library's trace while it connects. The callback runs under the library's
// locks and has no context argument.
class Trace {
 public:
  static void start() {
    {
      std::lock_guard lock(mutex());
      lines().clear();
    }
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_MINIMUM);
  }
  // Also makes the library faster: by default it notes each call of each function.
  static void stop() { MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR); }
  static std::vector<std::string> taken() {
    std::lock_guard lock(mutex());
    return std::exchange(lines(), {});
  }
  static void note(enum MQTTASYNC_TRACE_LEVELS, char* text) {
    if (text == nullptr || !is_telling(text)) return;
    std::lock_guard lock(mutex());
    if (lines().size() < kMaxTrace) lines().emplace_back(text);
  }

 private:
  static std::mutex& mutex() {
    static std::mutex the_mutex;
    return the_mutex;
  }
  static std::vector<std::string>& lines() {
    static std::vector<std::string> the_lines;
    return the_lines;
  }
};

std::string address(const host::v1::ConnectOptions& options) {
  bool bare_ipv6 = options.host().find(':') != std::string::npos;
  return (options.tls() ? "ssl://" : "tcp://") +
         (bare_ipv6 ? "[" + options.host() + "]" : options.host()) + ":" +
         std::to_string(options.port());
}

mqtt::create_options create_options(const host::v1::ConnectOptions& options) {
  // Not the constructor that takes a number of messages: it turns buffering without a connection
  // on.
  mqtt::create_options out(options.mqtt_version() == 4 ? MQTTVERSION_3_1_1 : MQTTVERSION_5);
  out.set_send_while_disconnected(false);
  out.set_max_buffered_messages(kPahoWindow);  // with 0 each publish fails
  return out;
}

// What can be seen of the files before the library looks at them and says nothing.
std::string unreadable(const host::v1::ConnectOptions& options) {
  const std::pair<const char*, const std::string&> files[] = {
      {"ca_file", options.ca_file()},
      {"certificate_file", options.certificate_file()},
      {"key_file", options.key_file()},
  };
  for (const auto& [key, path] : files)
    if (!path.empty() && access(path.c_str(), R_OK) != 0)
      return std::string("cannot read ") + key + " " + path + ": " +
             std::generic_category().message(errno);
  return "";
}

mqtt::ssl_options tls_options(const host::v1::ConnectOptions& options) {
  mqtt::ssl_options out;
  out.set_verify(true);  // the host name; not the library's default
  out.set_enable_server_cert_auth(true);
  if (!options.ca_file().empty()) out.set_trust_store(options.ca_file());
  if (!options.certificate_file().empty()) out.set_key_store(options.certificate_file());
  if (!options.key_file().empty()) out.set_private_key(options.key_file());
  return out;
}

mqtt::will_options will_options(const host::v1::ConnectOptions& options, bool v5) {
  mqtt::properties properties;
  if (v5) {
    properties.add(
        {mqtt::property::WILL_DELAY_INTERVAL, static_cast<std::int32_t>(options.will_delay_s())});
    if (!options.will_content_type().empty())
      properties.add({mqtt::property::CONTENT_TYPE, options.will_content_type()});
  }
  return mqtt::will_options(options.will_topic(), mqtt::binary_ref(options.will_payload()), kQos,
                            /*retained=*/true, properties);
}

std::uint32_t number(const mqtt::properties& properties, mqtt::property::code code) {
  if (!properties.contains(code)) return 0;
  return code == mqtt::property::RECEIVE_MAXIMUM ? mqtt::get<std::uint16_t>(properties, code)
                                                 : mqtt::get<std::uint32_t>(properties, code);
}

}  // namespace

class PahoClient::Impl final : public mqtt::callback {
 public:
  explicit Impl(const host::v1::ConnectOptions& options)
      : v5_(options.mqtt_version() != 4),
        event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        client_(address(options), options.client_id(), create_options(options)),
        attempt_(*this),
        publication_(*this) {
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    // Once, before the first connect: later it takes two locks in the wrong order.
    client_.set_callback(*this);
    client_.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode code) {
      std::lock_guard lock(mutex_);
      said_goodbye_ = static_cast<unsigned>(code);
    });
  }

  int event() const { return event_; }

  Happened take() {
    std::uint64_t ignored = 0;
    (void)!read(event_, &ignored, sizeof ignored);
    Happened out;
    {
      std::lock_guard lock(mutex_);
      woken_ = false;
      out = std::exchange(happened_, {});
    }
    if (out.up) subscribe();
    return out;
  }

  void connect(const host::v1::ConnectOptions& options) {
    // Takes the library's mutex, and so waits until its receiver is through with the last loss.
    if (client_.is_connected()) {
      std::fprintf(stderr, "gerbang-uplink-host: connected without having been asked\n");
      _exit(kSoftwareFault);  // a new process is the cure
    }
    {
      std::lock_guard lock(mutex_);
      link_ = Link::connecting;
      said_goodbye_ = 0;
    }
    way_ = Way{options.tls(), !options.ca_file().empty()};
    subscribe_.assign(options.subscribe().begin(), options.subscribe().end());
    if (auto why = unreadable(options); !why.empty()) return down(std::move(why), 0);
    mqtt::connect_options out;
    out.set_mqtt_version(v5_ ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
    if (v5_) {
      out.set_clean_start(true);
      mqtt::properties properties;
      properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, 0});
      out.set_properties(std::move(properties));
    } else {
      out.set_clean_session(true);
    }
    out.set_automatic_reconnect(false);
    out.set_keep_alive_interval(static_cast<int>(options.keepalive_s()));
    out.set_connect_timeout(static_cast<int>(std::max(1u, options.connect_timeout_ms() / 1000)));
    out.set_max_inflight(kPahoWindow);
    if (!options.username().empty()) out.set_user_name(options.username());
    if (options.has_password()) out.set_password(mqtt::binary_ref(options.password()));
    if (!options.will_topic().empty()) out.set_will(will_options(options, v5_));
    if (options.tls()) out.set_ssl(tls_options(options));
    ack_tap::reset();
    Trace::start();
    try {
      client_.connect(out, nullptr, attempt_);
    } catch (const mqtt::exception& e) {
      Trace::stop();
      down(e.what(), 0);
    }
  }

  void publish(const host::v1::Publish& publish) {
    if (first_id_ == 0) first_id_ = publish.id();
    auto message = mqtt::message::create(publish.topic(), mqtt::binary_ref(publish.payload()), kQos,
                                         publish.retain());
    if (v5_) {
      mqtt::properties properties;
      if (!publish.content_type().empty())
        properties.add({mqtt::property::CONTENT_TYPE, publish.content_type()});
      if (publish.historical()) properties.add({mqtt::property::USER_PROPERTY, "historical", "1"});
      message->set_properties(std::move(properties));
    }
    // The token's context is a pointer: the id as a distance from the first.
    auto context = static_cast<std::uintptr_t>(publish.id() - first_id_);
    open(publish.id());
    try {
      client_.publish(std::move(message), reinterpret_cast<void*>(context), publication_);
    } catch (const mqtt::exception& e) {
      close(publish.id());
      // Without a connection: Down has been said or will be. Else it is silence, and the daemon's
      // watchdog judges it.
      if (e.get_return_code() == MQTTASYNC_BAD_UTF8_STRING)
        acked(publish.id(), mqtt_code::kTopicNameInvalid);
    }
  }

  bool keeps_messages() {
    std::lock_guard lock(mutex_);
    return !open_.empty();
  }

  void disconnect() {
    try {
      if (client_.is_connected()) client_.disconnect(500)->wait_for(kDisconnect);
    } catch (const mqtt::exception&) {
      // The process ends in any case.
    }
  }

 private:
  enum class Link { down, connecting, up };

  struct Attempt final : mqtt::iaction_listener {
    explicit Attempt(Impl& o) : owner(o) {}
    Impl& owner;
    void on_success(const mqtt::token& token) override { owner.connected(token); }
    void on_failure(const mqtt::token& token) override { owner.refused(token); }
  };

  struct Publication final : mqtt::iaction_listener {
    explicit Publication(Impl& o) : owner(o) {}
    Impl& owner;
    std::uint64_t id(const mqtt::token& token) const {
      return owner.first_id_ + reinterpret_cast<std::uintptr_t>(token.get_user_context());
    }
    void on_success(const mqtt::token& token) override {
      // The token has no code here, see ack_tap.hpp.
      owner.close(id(token));
      owner.acked(id(token), owner.v5_ ? ack_tap::take(token.get_message_id()) : 0);
    }
    // A refusal has a reason code and a return code of 0; a lost connection has a return code below
    // 0 and is told by itself.
    void on_failure(const mqtt::token& token) override {
      owner.close(id(token));
      auto code = static_cast<unsigned>(token.get_reason_code());
      if (owner.v5_ && token.get_return_code() >= 0 && code >= 0x80 && code <= 0xFF)
        owner.acked(id(token), code);
    }
  };

  void subscribe() {
    try {
      for (const std::string& topic : subscribe_) client_.subscribe(topic, kQos);
    } catch (const mqtt::exception&) {
      // The connection is gone again; that is told by itself.
    }
  }

  // ---- from the library's threads, its mutex held -----------------------------------------------

  void connected(const mqtt::token& token) {
    Trace::stop();
    Happened::Up up;
    if (v5_) try {
        auto response = token.get_connect_response();
        up.receive_max = number(response.get_properties(), mqtt::property::RECEIVE_MAXIMUM);
        up.max_packet = number(response.get_properties(), mqtt::property::MAXIMUM_PACKET_SIZE);
      } catch (const std::exception&) {
        // No exception may reach the library. Without the two numbers ours hold.
      }
    std::lock_guard lock(mutex_);
    // The library tells the same success twice: the token's, and once more by its "connected".
    if (link_ != Link::connecting) return;
    link_ = Link::up;
    happened_.up = up;
    wake();
  }

  void refused(const mqtt::token& token) {
    Trace::stop();
    int code = token.get_return_code();
    if (code > 0) {
      auto said = static_cast<unsigned>(code);
      if (!v5_) said = mqtt5_code_of_connack3(said);
      return down(mqtt_code_text(said), said);
    }
    // The token gives its message away in an exception only.
    std::string message;
    try {
      (void)token.get_connect_response();
    } catch (const mqtt::exception& e) {
      message = e.get_message();
    } catch (const std::exception&) {
    }
    Explanation why = explain_failure(Trace::taken(), message, way_);
    down(std::move(why.text), 0, why.certain);
  }

  void connection_lost(const std::string&) override {
    unsigned code = 0;
    {
      std::lock_guard lock(mutex_);
      code = said_goodbye_;
    }
    down(code == 0 ? "the connection was lost" : mqtt_code_text(code), code);
  }

  void message_arrived(mqtt::const_message_ptr message) override {
    std::lock_guard lock(mutex_);
    Happened::Received received;
    received.topic = message->get_topic();
    received.payload = message->get_payload_str();
    received.retained = message->is_retained();
    happened_.received.push_back(std::move(received));
    wake();
  }

  // ---- from anywhere ----------------------------------------------------------------------------

  void open(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    open_.insert(id);
  }

  void close(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    open_.erase(id);
  }

  void acked(std::uint64_t id, unsigned code) {
    std::lock_guard lock(mutex_);
    happened_.acked.push_back({id, code});
    wake();
  }

  // Once for each attempt or connection: the library may report a failure twice.
  void down(std::string reason, unsigned code, bool certain = true) {
    std::lock_guard lock(mutex_);
    if (link_ == Link::down) return;
    link_ = Link::down;
    happened_.down = Happened::Down{std::move(reason), code, certain};
    wake();
  }

  void wake() {
    std::uint64_t one = 1;
    if (!std::exchange(woken_, true)) (void)!write(event_, &one, sizeof one);
  }

  const bool v5_;
  const int event_;
  mqtt::async_client client_;
  Attempt attempt_;
  Publication publication_;
  std::uint64_t first_id_ = 0;
  std::vector<std::string> subscribe_;
  Way way_;  // of the attempt, written before it begins

  std::mutex mutex_;  // of what follows
  Link link_ = Link::down;
  Happened happened_;
  std::set<std::uint64_t> open_;  // the library has said neither success nor failure of them
  bool woken_ = false;
  unsigned said_goodbye_ = 0;  // the code of the broker's DISCONNECT
};

PahoClient::PahoClient(const host::v1::ConnectOptions& options) {
  MQTTAsync_setTraceCallback(&Trace::note);
  Trace::stop();
  impl_ = std::make_unique<Impl>(options);
}

PahoClient::~PahoClient() = default;

std::string PahoClient::library() {
  std::string version = "?";
  for (auto* info = MQTTAsync_getVersionInfo(); info != nullptr && info->name != nullptr; ++info)
    if (std::strcmp(info->name, "Version") == 0) version = info->value;
  return "Paho C++ on C " + version;
}

int PahoClient::ready_fd() const {
  return impl_->event();
}
Happened PahoClient::take() {
  return impl_->take();
}
void PahoClient::connect(const host::v1::ConnectOptions& options) {
  impl_->connect(options);
}
void PahoClient::publish(const host::v1::Publish& publish) {
  impl_->publish(publish);
}
bool PahoClient::keeps_messages() {
  return impl_->keeps_messages();
}
void PahoClient::disconnect() {
  impl_->disconnect();
}

}  // namespace gerbang::uplink_host
