// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include <MQTTAsync.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace gerbang::mqtt {
namespace {

constexpr int kQos = 1;
constexpr std::size_t kMaxMessages = 4096;
constexpr std::size_t kMaxBytes = 8 << 20;
constexpr int kMaxPacket = 1 << 20;  // the broker keeps longer messages to itself (MQTT 5)

std::chrono::nanoseconds boottime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::string uri_of(const BrokerSettings& s) {
  const bool bare_ipv6 = s.host.find(':') != std::string::npos;
  return (s.tls ? "ssl://" : "tcp://") + (bare_ipv6 ? "[" + s.host + "]" : s.host) + ":" +
         std::to_string(s.port);
}

std::string text_of_code(int code) {
  const char* text = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(code));
  return text != nullptr ? text : "reason code " + std::to_string(code);
}

std::string refusal_text(bool v5, int code) {
  constexpr int kOld[] = {0x84, 0x85, 0x88, 0x86, 0x87};  // of MQTT 3.1.1, from 1
  if (!v5 && code >= 1 && code <= 5) code = kOld[code - 1];
  return text_of_code(code);
}

// A name without a slash is a systemd credential.
std::string path_of(const std::string& file) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (file.find('/') != std::string::npos || folder == nullptr) return file;
  return std::string(folder) + "/" + file;
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(const BrokerSettings& settings)
      : settings_(settings), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    static const bool quiet = [] {
      MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);  // by default it notes each call
      return true;
    }();
    (void)quiet;
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = settings.v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    if (int code = MQTTAsync_createWithOptions(&handle_, uri_of(settings).c_str(),
                                               settings.client_id.c_str(),
                                               MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options);
        code != MQTTASYNC_SUCCESS)
      throw std::runtime_error("the MQTT library refuses " + uri_of(settings) + ": " +
                               std::to_string(code));
    MQTTAsync_setCallbacks(handle_, this, on_lost, on_message, nullptr);
    for (std::uint32_t i = 0; i < settings.filters.size(); ++i) asked_.push_back({this, i});
  }

  int event() const { return event_; }

  void acquire() {
    std::lock_guard lock(mutex_);
    used_ = true;
    happened_ = {};
    bytes_ = 0;
    if (link_ == Link::up) happened_.up = true, wake();
  }

  void release() {
    bool disconnect = false;
    {
      std::lock_guard lock(mutex_);
      used_ = false;
      happened_ = {};
      bytes_ = 0;
      disconnect = link_ == Link::up;
      if (disconnect) link_ = Link::down;
    }
    if (!disconnect) return;
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions options5 = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnect(handle_, settings_.v5 ? &options5 : &options);
  }

  Happened take() {
    std::uint64_t ignored = 0;
    (void)!read(event_, &ignored, sizeof ignored);
    Happened out;
    {
      std::lock_guard lock(mutex_);
      woken_ = false;
      bytes_ = 0;
      out = std::exchange(happened_, {});
    }
    if (out.up && !out.down)
      for (std::uint32_t i = 0; i < settings_.filters.size(); ++i) subscribe(i);
    return out;
  }

  bool connect() {
    const auto now = boottime();
    if (now < next_attempt_) return false;
    next_attempt_ = now + std::chrono::seconds(1);
    // Takes the library's mutex, and so waits until its receiver is through with the last loss.
    if (MQTTAsync_isConnected(handle_)) return false;
    std::string password;
    std::string fault = unreadable();
    if (fault.empty() && !settings_.password_file.empty()) fault = read_password(password);
    {
      std::lock_guard lock(mutex_);
      if (link_ == Link::up) return false;
      link_ = Link::connecting;
    }
    if (!fault.empty()) {
      down(fault);
      return true;
    }
    MQTTAsync_connectOptions v3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions v5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions& options = settings_.v5 ? v5 : v3;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    const bool clean = settings_.keep_session.count() == 0;
    if (settings_.v5) {
      options.cleanstart = clean ? 1 : 0;
      add(properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
          static_cast<unsigned>(settings_.keep_session.count()));
      add(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, kMaxPacket);
      options.connectProperties = &properties;
      options.onSuccess5 = [](void* me, MQTTAsync_successData5*) { self(me).connected(); };
      options.onFailure5 = [](void* me, MQTTAsync_failureData5* data) {
        if (data == nullptr) return self(me).down("");
        // The broker's code stands in either, by the way in which it came.
        const int code = std::max(static_cast<int>(data->reasonCode), data->code);
        self(me).refused(code >= 0x80 ? code : 0, data->message);
      };
    } else {
      options.cleansession = clean ? 1 : 0;
      options.MQTTVersion = MQTTVERSION_3_1_1;  // without it, it tries 3.1 too
      options.onSuccess = [](void* me, MQTTAsync_successData*) { self(me).connected(); };
      options.onFailure = [](void* me, MQTTAsync_failureData* data) {
        if (data == nullptr) return self(me).down("");
        self(me).refused(std::max(data->code, 0), data->message);
      };
    }
    options.context = this;
    options.automaticReconnect = 0;
    options.keepAliveInterval = static_cast<int>(settings_.keepalive.count());
    options.connectTimeout = static_cast<int>(settings_.connect_timeout.count());
    if (!settings_.username.empty()) options.username = settings_.username.c_str();
    if (!settings_.password_file.empty()) {
      options.binarypwd.data = password.data();
      options.binarypwd.len = static_cast<int>(password.size());
    }
    const std::string ca = path_of(settings_.ca_file);
    const std::string certificate = path_of(settings_.certificate_file);
    const std::string key = path_of(settings_.key_file);
    if (settings_.tls) {
      tls.verify = 1;  // the host name; not the library's default
      tls.enableServerCertAuth = 1;
      if (!ca.empty()) tls.trustStore = ca.c_str();
      if (!certificate.empty()) tls.keyStore = certificate.c_str();
      if (!key.empty()) tls.privateKey = key.c_str();
      options.ssl = &tls;
    }
    const int code = MQTTAsync_connect(handle_, &options);
    MQTTProperties_free(&properties);
    if (code != MQTTASYNC_SUCCESS) down("the MQTT library refuses: " + std::to_string(code));
    return true;
  }

  void subscribe(std::uint32_t filter) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = &asked_[filter];
    MQTTProperties properties = MQTTProperties_initializer;
    if (settings_.v5) {
      // So that a message that two filters match is told once for each.
      add(properties, MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, filter + 1);
      response.properties = properties;
      response.onSuccess5 = [](void* asked, MQTTAsync_successData5* data) {
        const int code = data != nullptr ? static_cast<int>(data->reasonCode) : 0;
        Asked::of(asked).answered(code >= 0x80 ? text_of_code(code) : "");
      };
      response.onFailure5 = [](void* asked, MQTTAsync_failureData5* data) {
        const int code = data != nullptr ? static_cast<int>(data->reasonCode) : 0;
        Asked::of(asked).answered(code >= 0x80 ? text_of_code(code) : "no answer");
      };
    } else {
      response.onSuccess = [](void* asked, MQTTAsync_successData*) {
        Asked::of(asked).answered("");
      };
      response.onFailure = [](void* asked, MQTTAsync_failureData*) {
        Asked::of(asked).answered("refused");
      };
    }
    // Without a connection it fails at once, and the loss is told by itself.
    MQTTAsync_subscribe(handle_, settings_.filters[filter].c_str(), kQos, &response);
    MQTTProperties_free(&properties);
  }

 private:
  enum class Link { down, connecting, up };

  // Context of a subscription: lives as long as this.
  struct Asked {
    Impl* owner;
    std::uint32_t filter;
    static Asked& of(void* pointer) { return *static_cast<Asked*>(pointer); }
    void answered(std::string refusal) const {
      std::lock_guard lock(owner->mutex_);
      if (!owner->used_) return;
      owner->happened_.subscribed.push_back({filter, std::move(refusal)});
      owner->wake();
    }
  };

  static Impl& self(void* context) { return *static_cast<Impl*>(context); }

  static void add(MQTTProperties& to, MQTTPropertyCodes code, unsigned value) {
    MQTTProperty property{};
    property.identifier = code;
    property.value.integer4 = value;
    MQTTProperties_add(&to, &property);
  }

  // What can be seen of the files before the library looks at them and says nothing.
  std::string unreadable() const {
    const std::pair<const char*, const std::string&> files[] = {
        {"ca_file", settings_.ca_file},
        {"certificate_file", settings_.certificate_file},
        {"key_file", settings_.key_file},
    };
    for (const auto& [key, file] : files)
      if (!file.empty() && access(path_of(file).c_str(), R_OK) != 0)
        return std::string("cannot read ") + key + " " + path_of(file) + ": " +
               std::generic_category().message(errno);
    return "";
  }

  std::string read_password(std::string& out) const {
    std::ifstream in(path_of(settings_.password_file));
    if (!std::getline(in, out))
      return "cannot read password_file " + path_of(settings_.password_file) + ", or it is empty";
    if (out.ends_with('\r')) out.pop_back();
    return "";
  }

  // ---- from the library's threads, its mutex held -----------------------------------------------

  static void on_lost(void* context, char*) { self(context).down("the connection was lost"); }

  static int on_message(void* context, char* topic, int length, MQTTAsync_message* message) {
    const auto size = length > 0 ? static_cast<std::size_t>(length) : std::strlen(topic);
    self(context).arrived({topic, size}, *message);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
  }

  void arrived(std::string_view topic, MQTTAsync_message& message) {
    const auto size = static_cast<std::size_t>(std::max(message.payloadlen, 0));
    std::lock_guard lock(mutex_);
    if (!used_) return;
    wake();
    if (happened_.received.size() >= kMaxMessages || bytes_ + size > kMaxBytes) {
      ++happened_.dropped;
      return;
    }
    bytes_ += size;
    Happened::Received received;
    received.topic = topic;
    received.payload.assign(static_cast<const char*>(message.payload), size);
    received.retained = message.retained != 0;
    received.arrived = boottime();
    const int ids = MQTTProperties_propertyCount(&message.properties,
                                                 MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER);
    for (int i = 0; settings_.v5 && i < ids; ++i) {
      const int id = MQTTProperties_getNumericValueAt(&message.properties,
                                                      MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, i);
      if (id > 0) received.filters.push_back(static_cast<std::uint32_t>(id - 1));
    }
    happened_.received.push_back(std::move(received));
  }

  void connected() {
    std::lock_guard lock(mutex_);
    if (link_ != Link::connecting) return;
    link_ = Link::up;
    happened_.up = true;
    wake();
  }

  void refused(int code, const char* message) {
    if (code != 0) return down("the broker refuses: " + refusal_text(settings_.v5, code));
    const std::string_view said = message != nullptr ? message : "";
    down(said.find("connect failure") == std::string_view::npos ? std::string(said) : no_way());
  }

  // The library has one text for all that may happen before the broker says a word.
  std::string no_way() const {
    if (!settings_.tls) return "nobody answers there: is the broker running, and is that its port?";
    return "no encrypted connection: is the broker running with TLS at this port, is its "
           "certificate "
           "signed by one of ca_file, and made for this host?";
  }

  // Once for each attempt or connection: the library may report a failure twice.
  void down(std::string reason) {
    std::lock_guard lock(mutex_);
    if (link_ == Link::down) return;
    link_ = Link::down;
    happened_.down = std::move(reason);
    wake();
  }

  void wake() {
    std::uint64_t one = 1;
    if (!std::exchange(woken_, true)) (void)!write(event_, &one, sizeof one);
  }

  const BrokerSettings settings_;
  const int event_;
  MQTTAsync handle_ = nullptr;
  std::deque<Asked> asked_;
  std::chrono::nanoseconds next_attempt_{};

  std::mutex mutex_;  // of what follows
  Link link_ = Link::down;
  bool used_ = false;
  Happened happened_;
  std::size_t bytes_ = 0;
  bool woken_ = false;
};

namespace {

// Never destroyed, the abandoned ones neither: the library's threads run until the process ends.
struct Clients {
  std::vector<Client*> all;
  Client* current = nullptr;
};
Clients& clients() {
  static auto* const out = new Clients;
  return *out;
}

}  // namespace

Client::Client(const BrokerSettings& settings)
    : settings_(settings), impl_(std::make_unique<Impl>(settings)) {}

Client& Client::shared(const BrokerSettings& settings) {
  Clients& known = clients();
  if (known.current == nullptr || known.current->settings_ != settings)
    known.current = known.all.emplace_back(new Client(settings));
  known.current->impl_->acquire();
  return *known.current;
}

void Client::release() {
  impl_->release();
}
void Client::abandon() {
  if (clients().current == this) clients().current = nullptr;
}
int Client::ready_fd() const {
  return impl_->event();
}
Happened Client::take() {
  return impl_->take();
}
bool Client::connect() {
  return impl_->connect();
}
void Client::subscribe(std::uint32_t filter) {
  impl_->subscribe(filter);
}

}  // namespace gerbang::mqtt
