// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the MQTT driver: its keys, and how a broker's messages become readings.
#include <poll.h>

#include <algorithm>
#include <gerbang/driver.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "client.hpp"
#include "keys.hpp"
#include "reader.hpp"

namespace gerbang::mqtt {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr auto kFirstBackOff = Time(1s);
constexpr auto kLongestBackOff = Time(30s);
constexpr auto kPatience = Time(60s);  // with an attempt that neither succeeds nor fails
constexpr auto kAskAgain = Time(60s);  // for a filter that the broker refused
constexpr const char* kChirpStack = "application/+/device/{dev_eui}/event/up";

class Mqtt {
 public:
  static constexpr const char* kName = "mqtt";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr bool kPushes = true;
  static constexpr const char* kSummary =
      "Takes readings out of MQTT messages: ChirpStack 4 uplinks, and any JSON or bytes.";
  // Another call of the library may wait behind a name look-up.
  static constexpr std::chrono::milliseconds kMaxBlock{15'000};

  static constexpr gerbang_option_spec kOptions[] = {
      text("host", "Name or address of the broker").otherwise("127.0.0.1"),
      integer("port", "Its port; with TLS usually 8883").range(1, 65'535).otherwise("1883"),
      choice("mqtt_version", "5|3.1.1", "Version of the protocol").otherwise("5"),
      boolean("tls", "Encrypt, and check the broker's certificate and name").otherwise("false"),
      text("ca_file", "TLS: certificates that are trusted; the system's if it is not given"),
      text("certificate_file", "TLS: certificate of this client"),
      text("key_file", "TLS: its private key"),
      text("username", "User name"),
      text("password_file", "File whose first line is the password, or a systemd credential"),
      text("client_id", "Name at the broker; default: one that changes with each start"),
      duration("keepalive", "How long the line may be quiet before the broker is asked")
          .range(5'000, 3'600'000)
          .otherwise("20s"),
      duration("keep_session",
               "How long the broker keeps messages while this driver is away; for messages that "
               "carry their own time; needs client_id")
          .range(0, 30.0 * 86'400e3)
          .otherwise("0s"),
      boolean("retained", "Take the message that the broker kept from before: its value may be old")
          .otherwise("false"),
      text("chirpstack_topic", "Topic of ChirpStack's uplinks; {dev_eui} stands for the device")
          .otherwise(kChirpStack),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      text("topic", "Topic, + and # allowed; default with dev_eui: chirpstack_topic").identity(),
      text("pointer",
           "Where the value stands in JSON: /temperature, /list/0, or \"\" for all of it")
          .identity(),
      text("dev_eui", "ChirpStack: the device, 16 hex digits").identity(),
      text("field", "ChirpStack: name, or JSON pointer, in the decoded object").identity(),
      text("bytes", "Where the value stands in bytes: u16be@0, i8@2, f32le@4, bit@6.0").identity(),
      integer("f_port", "ChirpStack: only uplinks of this port").range(0, 255).identity(),
      text("time_pointer", "Where the device's own time stands; default with dev_eui: /time"),
      boolean("text_numbers", "Take numbers that stand in quotes").otherwise("false"),
      boolean("optional", "Messages without the value are not for this sensor").otherwise("false"),
      duration("silent_after", "Missing after so long; default: 3 intervals; 0s: never")
          .range(0, 366.0 * 86'400e3),
  };

  Mqtt(Host host, const Config& config)
      : host_(host),
        retained_(config.options().boolean("retained")),
        broker_(config.options().text("host") + ":" +
                std::to_string(config.options().integer("port"))),
        reader_(wants_of(config), host.boottime()),
        settings_(broker_of(config, reader_.filters())) {}
  Mqtt(Mqtt&& other) = default;
  ~Mqtt() {
    if (client_) client_.release()->release();
  }

  gerbang_status poll(std::chrono::milliseconds budget) {
    const Time deadline = host_.boottime() + budget;
    if (!client_) client_.reset(&Client::shared(settings_));
    drive(host_.boottime());
    wait(deadline);
    tell(client_->take());
    drive(host_.boottime());
    hand_over(reader_.silent(host_.boottime()), {});
    return GERBANG_OK;
  }

  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data) {
    const auto* first = reinterpret_cast<const char*>(data.data());
    return decode_payload(host, config.options(), {first, data.size()});
  }
  static gerbang_status scan(Host host, const Config& config, const Scan& scan) {
    return scan_broker(host, config, scan);
  }

 private:
  enum class Link { down, connecting, up };
  // The process's, not ours: never deleted.
  struct Keep {
    void operator()(Client*) const {}
  };

  void drive(Time now) {
    if (link_ == Link::down && now >= retry_at_) {
      if (client_->connect()) {
        link_ = Link::connecting;
        attempt_ = now;
      } else {
        retry_at_ = now + 1s;
      }
    }
    if (link_ == Link::connecting && now > attempt_ + kPatience) {
      client_->abandon();
      client_.release();
      throw Failure(GERBANG_GONE, "the MQTT library does not say how the connection went");
    }
    if (link_ != Link::up) return;
    for (auto& [filter, again] : refused_) {
      if (now < again) continue;
      again = now + kAskAgain;
      client_->subscribe(filter);
    }
  }

  void wait(Time deadline) {
    const Time now = host_.boottime();
    Time until = std::min(deadline, reader_.next_silence());
    if (link_ == Link::down) until = std::min(until, retry_at_);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, Time(0)));
    pollfd entry{client_->ready_fd(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(left.count()));
  }

  void tell(Happened happened) {
    const Time now = host_.boottime();
    if (happened.up) {
      link_ = Link::up;
      back_off_ = Time(0);
      refused_.clear();
      reader_.broker_there(now);
      if (!std::exchange(told_, {}).empty()) host_.info("connected to " + broker_ + " again");
    }
    for (const auto& answer : happened.subscribed) answered(answer, now);
    for (const auto& received : happened.received) take(received);
    if (happened.dropped > 0)
      host_.warning(std::to_string(happened.dropped) +
                    " messages dropped: they come faster than the gateway takes them");
    if (happened.down) gone(*happened.down, now);
  }

  void take(const Happened::Received& received) {
    if (received.retained && !retained_) {
      if (!std::exchange(retained_told_, true))
        host_.info(received.topic +
                   ": a retained message is not taken, its value may be old "
                   "(option retained)");
      return;
    }
    Message message{received.topic, received.payload, received.filters, received.arrived};
    hand_over(reader_.take(message, utc_ns()), received.payload, received.arrived);
  }

  void hand_over(const Taken& taken, const std::string& payload, Time arrived = {}) {
    const Time boot = arrived > Time(0) ? arrived : host_.boottime();
    for (const Note& note : taken.notes)
      host_.log(note.warning ? GERBANG_LOG_WARNING : GERBANG_LOG_INFO, note.text);
    for (const Exchange& exchange : taken.exchanges) {
      if (!payload.empty())
        host_.trace(exchange.device.c_str(), false, std::as_bytes(std::span(payload)));
      host_.exchange(exchange.device.c_str(), exchange.result, {});
    }
    for (const Outcome& outcome : taken.outcomes) {
      Emitter out(host_, boot, Time(outcome.unix_ns));
      if (!outcome.value)
        out.missing(outcome.sensor, outcome.value.error().reason);
      else
        emit(out, outcome.sensor, *outcome.value);
    }
  }

  void answered(const Happened::Subscribed& answer, Time now) {
    const std::string& filter = settings_.filters[answer.filter];
    if (answer.refusal.empty()) {
      reader_.set_refused(answer.filter, false, now);
      if (refused_.erase(answer.filter) != 0)
        host_.info("the broker lets us have " + filter + " now");
      return;
    }
    reader_.set_refused(answer.filter, true, now);
    if (refused_.insert_or_assign(answer.filter, now + kAskAgain).second)
      host_.warning("the broker refuses the topic " + filter + ": " + answer.refusal +
                    "; look at its access list");
  }

  void gone(const std::string& why, Time now) {
    link_ = Link::down;
    back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLongestBackOff);
    // So that many gateways do not come back to a broker at one time.
    retry_at_ = now + back_off_ + back_off_ * static_cast<int>(random_() % 256) / 1024;
    reader_.broker_away(now);
    const std::string text = why.empty() ? "no connection" : why;
    if (std::exchange(told_, text) != text)
      host_.warning("broker " + broker_ + ": " + text + "; trying again for ever");
  }

  Host host_;
  bool retained_, retained_told_ = false;
  std::string broker_;
  Reader reader_;
  BrokerSettings settings_;
  std::unique_ptr<Client, Keep> client_;
  Link link_ = Link::down;
  Time retry_at_{}, attempt_{}, back_off_{};
  std::map<std::uint32_t, Time> refused_;  // filter: when it is asked again
  std::string told_;                       // why it is down, as the log knows
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace
}  // namespace gerbang::mqtt

GERBANG_DRIVER(gerbang::mqtt::Mqtt)
