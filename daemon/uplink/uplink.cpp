// SPDX-License-Identifier: Apache-2.0
#include "uplink/uplink.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <set>
#include <utility>

#include "async/spawn.hpp"
#include "core/mqtt_code.hpp"
#include "core/topic.hpp"
#include "core/uplink_machine.hpp"
#include "uplink/host_port.hpp"
#include "uplink/packet.hpp"

namespace gerbang::uplink {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr auto kDrain = 3s, kFarewell = 2s;  // of stop()
constexpr auto kRepublishPause = 1s;         // documents at most this often
constexpr auto kPullRetry = 1s;
constexpr std::size_t kRefusedKept = 20;
constexpr std::uint64_t kFarewellId = 0;  // the machine counts from 1

UplinkLimits limits_of(const Options& options) {
  UplinkLimits limits;
  limits.in_flight = options.in_flight;
  limits.backlog_rate = options.backlog_rate;
  return limits;
}

}  // namespace

bool carries(const std::vector<std::string>& filters, std::string_view topic) {
  if (filters.empty() || topic == "state" || topic == "gap") return true;
  return std::any_of(filters.begin(), filters.end(),
                     [&](const std::string& filter) { return topic_matches(filter, topic); });
}

class Uplink::Impl final : public MqttEvents {
 public:
  Impl(asio::any_io_executor executor, const Clock& clock, Options options, Outbox& outbox,
       Callbacks callbacks, std::unique_ptr<MqttPort> port)
      : clock_(clock),
        options_(std::move(options)),
        prefix_(options_.root + "/" + options_.region + "/" + options_.site + "/" +
                options_.gateway + "/"),
        outbox_(outbox),
        callbacks_(std::move(callbacks)),
        port_(port ? std::move(port) : std::make_unique<HostPort>(executor, options_.name)),
        machine_(limits_of(options_)),
        timer_(executor),
        pull_(executor),
        idle_(executor),
        farewell_over_(executor),
        over_(executor),
        finished_(executor) {
    status_.name = options_.name;
    status_.since_ms = unix_ms(clock_.wall());
    status_.reason = "not connected yet";
  }

  bool running = false;

  asio::awaitable<void> run() {
    co_await (port_->run(*this) && pulling() && timing());
    finished_.open();
  }

  asio::awaitable<void> stop() {
    if (stopping_) co_return co_await finished_.wait();
    stopping_ = true;
    if (machine_.link() == UplinkMachine::Link::up) {
      if (machine_.in_flight() > 0) {
        idle_.close();
        co_await (idle_.wait() || sleep_for(kDrain));
      }
      bool said = co_await say_farewell();
      // Without it the broker's retained state says "online": let it publish the will instead.
      if (!said) port_->drop();
    }
    co_await port_->stop();
    over_.open();
    pull_.open();
    timer_.cancel();
    if (running) co_await finished_.wait();
  }

  void notify() {
    machine_.on_new_messages();
    if (!stopping_ && machine_.want()) pull_.open();
  }

  void republish() {
    documents_at_ =
        std::min(documents_at_, std::max(clock_.boot(), documents_put_ + kRepublishPause));
    arm();
  }

  // Sequence 0 and not retained is what tells it from a document.
  void say_now(Unsequenced what) {
    if (machine_.link() != UplinkMachine::Link::up || stopping_) {
      ++status_.volatile_missed;
      return;
    }
    Message message = message_of(std::move(what));
    message.retain = false;
    machine_.put_document(std::move(message));
    ++status_.volatile_sent;
    pump();
  }

  void clear(std::string topic) {
    clears_.insert(topic);
    if (machine_.link() != UplinkMachine::Link::up) return;
    machine_.put_document(clearing(topic));
    pump();
  }

  Status status() const {
    Status out = status_;
    const auto& counts = machine_.counts();
    out.connections = counts.epochs;
    out.sent = counts.sent;
    out.acknowledged = counts.acknowledged;
    out.unheard = counts.unheard;
    out.refused = counts.set_aside;
    out.late = counts.late;
    out.in_flight = machine_.in_flight();
    return out;
  }

  // ---- MqttEvents -------------------------------------------------------------------------------

  void on_ready() override {
    host_ready_ = true;
    tick();
  }

  void on_up(unsigned receive_max, std::size_t max_packet) override {
    if (machine_.link() == UplinkMachine::Link::up) return;
    machine_.on_up(clock_.boot(), receive_max, max_packet, outbox_.last_sequence());
    max_packet_ = max_packet;
    set_connected(true, "");
    put_documents();
    for (const std::string& topic : clears_) machine_.put_document(clearing(topic));
    pump();
  }

  void on_acknowledged(std::span<const Acknowledgement> acknowledgements) override {
    BootTime now = clock_.boot();
    for (const Acknowledgement& each : acknowledgements) {
      if (each.id == kFarewellId) {
        farewell_said_ = true;
        farewell_over_.open();
      } else {
        settle(machine_.on_acked(each.id, each.code, now));
      }
    }
    pump();
  }

  void on_down(const std::string& reason, unsigned code) override {
    lose(code == mqtt_code::kSessionTakenOver ? UplinkMachine::Loss::replaced
                                              : UplinkMachine::Loss::peer,
         reason);
  }

  void on_received(const std::string& topic, const std::string&, bool) override {
    spdlog::debug("uplink {}: message on {}", options_.name, topic);
  }

  void on_host_ended(const std::string& how) override {
    host_ready_ = false;
    if (how.empty() && machine_.link() == UplinkMachine::Link::down) {
      dropped_ = false;
      return;
    }
    ++status_.host_restarts;
    lose(UplinkMachine::Loss::host,
         how.empty() ? "the connection was lost" : "the uplink host " + how);
  }

 private:
  // ---- loops ------------------------------------------------------------------------------------

  asio::awaitable<void> pulling() {
    while (!over_.is_open()) {
      co_await pull_.wait();
      pull_.close();
      while (auto want = machine_.want()) {
        if (stopping_) break;
        store::Pull what;
        what.bit = options_.bit;
        what.lane = want->lane;
        what.above = want->above;
        what.below = want->below;
        what.limit = want->limit;
        what.max_bytes = want->max_bytes;
        auto pulled = co_await outbox_.pull(what);
        if (!pulled) {
          spdlog::warn("uplink {}: the outbox cannot be read: {}", options_.name,
                       pulled.error().what);
          co_await (sleep_for(kPullRetry) || over_.wait());
          continue;
        }
        machine_.offer(*want, std::move(*pulled));
        pump();
      }
    }
  }

  asio::awaitable<void> timing() {
    auto token = asio::as_tuple(asio::use_awaitable);
    while (!over_.is_open()) {
      due_ = next_due();
      timer_.expires_after(std::clamp<std::chrono::nanoseconds>(due_ - clock_.boot(), 1ms, 1h));
      auto waited = co_await timer_.async_wait(token);
      (void)waited;  // cancelled: something is due earlier than it was
      if (!over_.is_open() && clock_.boot() >= due_) tick();
    }
  }

  BootTime next_due() {
    BootTime now = clock_.boot();
    BootTime due = now + 1h;
    if (stopping_) return due;
    bool waits_for_host = machine_.link() == UplinkMachine::Link::down && !host_ready_;
    if (auto wake = machine_.wake(now); wake && !waits_for_host) due = std::min(due, *wake);
    if (machine_.link() == UplinkMachine::Link::up) due = std::min(due, documents_at_);
    return due;
  }

  void arm() {
    if (next_due() < due_) timer_.cancel();
  }

  void tick() {
    if (stopping_) return;
    BootTime now = clock_.boot();
    if (machine_.stalled(now)) {
      bool up = machine_.link() == UplinkMachine::Link::up;
      host_ready_ = false;
      lose(UplinkMachine::Loss::watchdog,
           up ? "the broker acknowledges nothing any more" : "no answer from the broker");
      port_->drop();
    }
    if (host_ready_ && machine_.connect_due(now)) {
      machine_.on_connecting(now);
      port_->connect(connection());
    }
    if (machine_.link() == UplinkMachine::Link::up && now >= documents_at_) put_documents();
    pump();
  }

  // ---- sending ----------------------------------------------------------------------------------

  void pump() {
    if (machine_.in_flight() == 0) idle_.open();
    if (stopping_) return;
    BootTime now = clock_.boot();
    std::int64_t wall_ms = unix_ms(clock_.wall());
    while (const auto* out = machine_.next(now)) send(*out, now, wall_ms);
    for (const auto& verdict : machine_.take_set_aside()) settle(verdict);
    port_->flush();
    if (machine_.want()) pull_.open();
    arm();
  }

  void send(const UplinkMachine::Outgoing& out, BootTime now, std::int64_t wall_ms) {
    const std::uint64_t id = out.id;
    const Message& message = out.message;
    bool document = message.sequence == 0;
    Publication publication;
    publication.id = id;
    publication.topic = prefix_ + message.topic;
    publication.historical = out.historical;
    // The newest of its topic. Of the backlog alarms alone: they are sent in their order, before
    // what is live.
    publication.retain = message.retain && (!out.historical || message.lane == Lane::urgent);
    if (!document || !message.body.empty()) {
      auto finished = finish(message, out.historical, wall_ms);
      if (!finished) return settle(machine_.unsendable(id, finished.error().what));
      publication.payload = std::move(*finished);
      publication.content_type = wire::content_type(message.kind, options_.format);
    }
    std::size_t bytes = packet_bytes(publication);
    if (max_packet_ != 0 && bytes > max_packet_)
      return settle(machine_.unsendable(
          id, "too large: the broker takes " + std::to_string(max_packet_) + " bytes"));
    machine_.sent(id, bytes, now);
    port_->publish(std::move(publication));
  }

  Result<std::string> finish(const Message& message, bool historical, std::int64_t wall_ms) {
    wire::Source source;
    source.region = options_.region;
    source.site = options_.site;
    source.gateway = options_.gateway;
    source.stream = outbox_.stream();
    source.sequence = message.sequence;
    source.previous = message.previous;
    source.published_at_ms = wall_ms;
    source.historical = historical;
    source.volatile_ = message.sequence == 0 && !message.retain;
    return wire::finish(message.kind, message.body, source, options_.format);
  }

  void settle(const UplinkMachine::Verdict& verdict) {
    using Verdict = UplinkMachine::Verdict;
    if (verdict.kind == Verdict::acknowledged) {
      if (verdict.sequence != 0)
        outbox_.done(options_.bit, verdict.sequence, store::Outcome::acknowledged, "");
      else if (const auto& tell =
                   clears_.erase(verdict.topic) > 0 ? callbacks_.cleared : callbacks_.told)
        tell(verdict.topic);
    } else if (verdict.kind == Verdict::set_aside) {
      note_refused(verdict);
      if (verdict.sequence != 0)
        outbox_.done(options_.bit, verdict.sequence, store::Outcome::refused, verdict.reason);
    }
  }

  void note_refused(const UplinkMachine::Verdict& verdict) {
    Refused refused;
    refused.sequence = verdict.sequence;
    refused.at_ms = unix_ms(clock_.wall());
    refused.topic = verdict.topic;
    refused.reason = verdict.reason;
    // The first of a run is news; the rest is a count.
    auto& last = status_.refused_last;
    bool known =
        !last.empty() && last.back().topic == refused.topic && last.back().reason == refused.reason;
    spdlog::log(known ? spdlog::level::debug : spdlog::level::warn,
                "uplink {}: a message was set aside: {} topic={} sequence={} so_far={}",
                options_.name, refused.reason, refused.topic, refused.sequence,
                machine_.counts().set_aside);
    last.push_back(std::move(refused));
    if (last.size() > kRefusedKept) last.pop_front();
  }

  // ---- the connection ---------------------------------------------------------------------------

  Connection connection() {
    Connection out = options_.connection;
    out.name = options_.name;
    out.in_flight = options_.in_flight;
    out.never_connected = machine_.counts().epochs == 0;
    auto will = callbacks_.will ? callbacks_.will() : std::nullopt;
    if (!will) return out;
    Message message = message_of(std::move(*will));
    auto payload = finish(message, false, unix_ms(clock_.wall()));
    if (!payload) return out;
    out.will_topic = prefix_ + message.topic;
    out.will_payload = std::move(*payload);
    out.will_content_type = wire::content_type(message.kind, options_.format);
    return out;
  }

  void lose(UplinkMachine::Loss loss, const std::string& reason) {
    bool was_down = machine_.link() == UplinkMachine::Link::down;
    // A host that ends because we dropped it says nothing new.
    if (was_down && loss == UplinkMachine::Loss::host && dropped_) {
      dropped_ = false;
      return;
    }
    dropped_ = loss == UplinkMachine::Loss::watchdog;
    machine_.on_down(clock_.boot(), loss, unit_(random_));
    for (const auto& verdict : machine_.take_set_aside()) settle(verdict);
    set_connected(false, reason);
    idle_.open();
    farewell_over_.open();
    arm();
  }

  void set_connected(bool connected, const std::string& reason) {
    bool changed = status_.connected != connected;
    if (connected)
      spdlog::info("uplink {}: connected broker={}:{}", options_.name, options_.connection.host,
                   options_.connection.port);
    else if (changed || status_.reason != reason)
      spdlog::warn("uplink {}: not connected: {} broker={}:{}", options_.name, reason,
                   options_.connection.host, options_.connection.port);
    status_.connected = connected;
    status_.reason = reason;
    if (!changed) return;
    status_.since_ms = unix_ms(clock_.wall());
    if (callbacks_.link_changed) callbacks_.link_changed();
  }

  // ---- outside the proof ------------------------------------------------------------------------

  static Message message_of(Unsequenced document) {
    Message message;
    message.kind = document.kind;
    message.topic = std::move(document.topic);
    message.body = std::move(document.body);
    message.retain = true;
    return message;
  }
  static Message clearing(const std::string& topic) {
    Message message;
    message.topic = topic;
    message.retain = true;
    return message;
  }

  void put_documents() {
    documents_put_ = clock_.boot();
    documents_at_ = documents_put_ + options_.republish;
    if (!callbacks_.documents) return;
    for (Unsequenced& each : callbacks_.documents()) {
      clears_.erase(each.topic);
      machine_.put_document(message_of(std::move(each)));
    }
  }

  // False: there is one, and the broker did not take it in time.
  asio::awaitable<bool> say_farewell() {
    auto last = callbacks_.farewell ? callbacks_.farewell() : std::nullopt;
    if (!last) co_return true;
    if (machine_.link() != UplinkMachine::Link::up) co_return false;
    Message message = message_of(std::move(*last));
    auto payload = finish(message, false, unix_ms(clock_.wall()));
    if (!payload) co_return false;
    Publication publication;
    publication.id = kFarewellId;
    publication.topic = prefix_ + message.topic;
    publication.payload = std::move(*payload);
    publication.content_type = wire::content_type(message.kind, options_.format);
    publication.retain = true;
    farewell_over_.close();
    port_->publish(std::move(publication));
    port_->flush();
    co_await (farewell_over_.wait() || sleep_for(kFarewell));
    co_return farewell_said_;
  }

  const Clock& clock_;
  Options options_;
  std::string prefix_;
  Outbox& outbox_;
  Callbacks callbacks_;
  std::unique_ptr<MqttPort> port_;
  UplinkMachine machine_;
  std::size_t max_packet_ = 0;
  Status status_;
  bool host_ready_ = false, dropped_ = false, stopping_ = false, farewell_said_ = false;
  std::set<std::string> clears_;  // retained topics to empty
  BootTime documents_put_{}, documents_at_ = BootTime::max();
  BootTime due_ = BootTime::max();  // what the timer waits for

  asio::steady_timer timer_;
  Gate pull_;           // the machine wants messages
  Gate idle_;           // nothing is in flight
  Gate farewell_over_;  // it was acknowledged, or cannot be any more
  Gate over_;           // the loops shall end
  Gate finished_;       // they have
  std::mt19937 random_{std::random_device()()};
  std::uniform_real_distribution<double> unit_{0, 1};
};

Uplink::Uplink(asio::any_io_executor executor, const Clock& clock, Options options, Outbox& outbox,
               Callbacks callbacks, std::unique_ptr<MqttPort> port)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, std::move(options), outbox,
                                   std::move(callbacks), std::move(port))) {}
Uplink::~Uplink() = default;

asio::awaitable<void> Uplink::run() {
  impl_->running = true;
  return impl_->run();
}
asio::awaitable<void> Uplink::stop() {
  return impl_->stop();
}
void Uplink::notify() {
  impl_->notify();
}
void Uplink::republish() {
  impl_->republish();
}
void Uplink::say_now(Unsequenced what) {
  impl_->say_now(std::move(what));
}
void Uplink::clear(std::string topic) {
  impl_->clear(std::move(topic));
}
Status Uplink::status() const {
  return impl_->status();
}

}  // namespace gerbang::uplink
