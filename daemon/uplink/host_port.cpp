// SPDX-License-Identifier: Apache-2.0
#include "uplink/host_port.hpp"

#include <host/v1/uplink.pb.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <csignal>
#include <utility>
#include <vector>

#include "async/spawn.hpp"
#include "ipc/child.hpp"

namespace gerbang::uplink {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr auto kFirstWait = 100ms, kLongestWait = 2000ms;
constexpr auto kGoodbye = 3s;              // for MQTT DISCONNECT and the end of the process
constexpr std::size_t kFrame = 64u << 10;  // publications are put together up to this size

host::v1::ToUplinkHost frame_of(const Connection& from) {
  host::v1::ToUplinkHost frame;
  auto& to = *frame.mutable_configure()->mutable_connect();
  to.set_name(from.name);
  to.set_host(from.host);
  to.set_port(from.port);
  to.set_tls(from.tls);
  to.set_mqtt_version(from.mqtt_version);
  to.set_client_id(from.client_id);
  to.set_username(from.username);
  to.set_password(from.password);
  to.set_has_password(from.has_password);
  to.set_ca_file(from.ca_file);
  to.set_certificate_file(from.certificate_file);
  to.set_key_file(from.key_file);
  to.set_keepalive_s(from.keepalive_s);
  to.set_connect_timeout_ms(from.connect_timeout_ms);
  to.set_will_topic(from.will_topic);
  to.set_will_payload(from.will_payload);
  to.set_will_delay_s(from.will_delay_s);
  to.set_will_content_type(from.will_content_type);
  for (const std::string& topic : from.subscribe) to.add_subscribe(topic);
  to.set_in_flight(from.in_flight);
  to.set_never_connected(from.never_connected);
  return frame;
}

}  // namespace

class HostPort::Impl {
 public:
  Impl(asio::any_io_executor executor, std::string name)
      : executor_(executor), name_(std::move(name)), stop_(executor), ended_(executor) {}

  asio::awaitable<void> run(MqttEvents& events) {
    auto wait = kFirstWait;
    while (!stop_.is_open()) {
      useful_ = false;
      std::string how = co_await run_once(events);
      if (stop_.is_open()) break;
      if (useful_ || how.empty()) wait = kFirstWait;
      events.on_host_ended(how);
      co_await (sleep_for(wait) || stop_.wait());
      wait = std::min<std::chrono::milliseconds>(wait * 2, kLongestWait);
    }
    ended_.open();
  }

  void connect(const Connection& connection) {
    auto frame = frame_of(connection);
    frame.mutable_connect();
    send(frame);
  }

  void publish(Publication publication) {
    pending_bytes_ += publication.payload.size() + publication.topic.size();
    auto& to = *pending_.add_publish();
    to.set_id(publication.id);
    to.set_topic(std::move(publication.topic));
    to.set_payload(std::move(publication.payload));
    to.set_retain(publication.retain);
    to.set_content_type(std::move(publication.content_type));
    to.set_historical(publication.historical);
    if (pending_bytes_ >= kFrame) flush();
  }

  void flush() {
    if (pending_.publish_size() == 0) return;
    send(pending_);
    pending_.clear_publish();
    pending_bytes_ = 0;
  }

  void drop() {
    if (child_) child_->kill(SIGKILL);
  }

  asio::awaitable<void> stop() {
    stop_.open();
    if (child_) {
      host::v1::ToUplinkHost frame;
      frame.mutable_disconnect();
      send(frame);
    }
    // run() ends when the host did; without a host it ended, or never began.
    if (running_) co_await (ended_.wait() || sleep_for(kGoodbye));
    if (child_) child_->kill(SIGKILL);
    if (running_) co_await ended_.wait();
  }

  bool running_ = false;

 private:
  // One life of the host. Returns how it ended.
  asio::awaitable<std::string> run_once(MqttEvents& events) {
    auto program = ipc::host_program("gerbang-uplink-host");
    if (!program) co_return program.error().what;
    ipc::ChildOptions options(*program, {"--run"});
    auto spawned = ipc::Child::spawn(executor_, std::move(options));
    if (!spawned) co_return spawned.error().what;
    child_ = std::move(*spawned);
    pending_.clear_publish();
    pending_bytes_ = 0;
    events.on_ready();
    for (;;) {
      auto payload = co_await child_->read();
      if (!payload) break;
      if (!handle(*payload, events)) {
        spdlog::error("uplink {}: the host sent what is no frame", name_);
        child_->kill(SIGKILL);
        break;
      }
    }
    co_await (child_->exited() || sleep_for(kGoodbye));
    child_->kill(SIGKILL);
    ipc::Exit exit = co_await child_->exited();
    child_.reset();
    co_return !exit.signalled && exit.code == 0 ? "" : exit.text();
  }

  bool handle(const std::string& payload, MqttEvents& events) {
    host::v1::FromUplinkHost frame;
    if (!frame.ParseFromString(payload)) return false;
    if (frame.has_hello()) spdlog::debug("uplink {}: host with {}", name_, frame.hello().library());
    if (frame.has_up()) events.on_up(frame.up().receive_max(), frame.up().max_packet());
    if (frame.acked_size() > 0) {
      useful_ = true;
      acknowledgements_.clear();
      for (const auto& each : frame.acked()) {
        Acknowledgement acknowledgement;
        acknowledgement.id = each.id();
        acknowledgement.code = each.code();
        acknowledgements_.push_back(acknowledgement);
      }
      events.on_acknowledged(acknowledgements_);
    }
    if (frame.has_received())
      events.on_received(frame.received().topic(), frame.received().payload(),
                         frame.received().retained());
    if (frame.has_log()) spdlog::info("uplink {}: {}", name_, frame.log().text());
    if (frame.has_down()) events.on_down(frame.down().reason(), frame.down().code());
    return true;
  }

  void send(const host::v1::ToUplinkHost& frame) {
    if (!child_) return;
    // A host that takes nothing any more is no use: what it was to send is unsent then.
    if (!child_->send(frame.SerializeAsString())) child_->kill(SIGKILL);
  }

  asio::any_io_executor executor_;
  std::string name_;
  Gate stop_, ended_;
  std::unique_ptr<ipc::Child> child_;
  host::v1::ToUplinkHost pending_;
  std::size_t pending_bytes_ = 0;
  bool useful_ = false;  // this life of the host brought something to the broker
  std::vector<Acknowledgement> acknowledgements_;  // kept for its capacity
};

HostPort::HostPort(asio::any_io_executor executor, std::string name)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(name))) {}
HostPort::~HostPort() = default;

asio::awaitable<void> HostPort::run(MqttEvents& events) {
  impl_->running_ = true;
  return impl_->run(events);
}
void HostPort::connect(const Connection& connection) {
  impl_->connect(connection);
}
void HostPort::publish(Publication publication) {
  impl_->publish(std::move(publication));
}
void HostPort::flush() {
  impl_->flush();
}
void HostPort::drop() {
  impl_->drop();
}
asio::awaitable<void> HostPort::stop() {
  return impl_->stop();
}

}  // namespace gerbang::uplink
