// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/notes.hpp"
#include "async/spawn.hpp"
#include "config/config.hpp"
#include "core/clock.hpp"
#include "store/store.hpp"
#include "uplink/uplink.hpp"
#include "wire/encode.hpp"

namespace gerbang::app {

namespace asio = boost::asio;

// All uplinks of the running configuration: their bits, their documents, and the retained topics
// that must be emptied once nothing fills them. Loop thread only.
class Uplinks {
 public:
  Uplinks(asio::any_io_executor executor, const Clock& clock, store::Store& store, Notes& notes);

  std::function<void()> on_change;            // a link came or went
  std::function<wire::GatewayState()> state;  // for the topic `state`
  // What holds of a topic of an alarm or an indicator now; nullopt: the alarm is not raised, the
  // indicator has said nothing yet.
  std::function<std::optional<uplink::Unsequenced>(const std::string& topic)> standing;

  // Blocking, before the loop: gives each uplink its bit.
  Result<void> declare(const config::Config& config);
  void start(const config::Config& config);
  // After a reload: those named in `changed` are stopped and, if still configured, started anew.
  asio::awaitable<void> apply(const config::Config& config, std::set<std::string> changed);
  asio::awaitable<void> stop();

  // The store has begun another stream: all start anew.
  asio::awaitable<void> renew();
  // To all that carry the topic, outside of the proof.
  void say_now(MessageKind kind, const std::string& topic, const std::string& body);

  void republish();
  // About once a second.
  void tick();
  // One bit for each uplink that carries this topic.
  std::uint64_t wanting(std::string_view topic) const;
  bool speak_json() const;  // one of them, or more
  std::vector<uplink::Status> statuses() const;
  store::UplinkCounts counts(const std::string& name) const;

 private:
  struct One {
    config::Uplink config;
    int bit = 0;
    std::set<std::string> retained;  // topics that this broker may hold for us
    // Those of them that nothing fills any more. They are emptied when everything up to a message
    // is done, so that nothing that is on its way fills them again.
    struct Leaving {
      BootTime since{};
      std::optional<store::Sequence> upto;
    };
    std::map<std::string, Leaving> leaving;
    // Topics that were filled before this uplink carried them. They are among its documents: an
    // alarm as long as it is raised, an indicator until the broker has it.
    std::set<std::string> untold;
    uplink::Options options;
    std::unique_ptr<uplink::StoreOutbox> outbox;  // before the link, which uses it
    std::unique_ptr<uplink::Uplink> link;
  };
  struct Countdown;
  asio::awaitable<void> begin();
  asio::awaitable<void> exchange(const config::Config& config, std::set<std::string> changed);
  asio::awaitable<void> stop_all();
  static asio::awaitable<void> stop_one(uplink::Uplink& link, std::shared_ptr<Countdown> left);
  void add(const config::Config& config, const config::Uplink& wanted, int bit);
  void connect(One& one);
  void run(One& one);
  void told(const std::string& name, const std::string& topic);
  void forget(const std::string& name, const std::string& topic);
  void remember(const One& one);
  void know(const config::Config& config);
  std::vector<uplink::Unsequenced> untold(One& one);
  // What the broker holds for us follows a new configuration: topics that nothing fills any more
  // are emptied.
  void follow(const config::Config& config, One& one);
  One* find(const std::string& name);

  asio::any_io_executor executor_;
  const Clock& clock_;
  store::Store& store_;
  Notes& notes_;
  std::set<std::string> known_;  // brokers that the configuration before this one had
  std::vector<std::unique_ptr<One>> all_;
  bool started_ = false, stopping_ = false;
  Gate idle_;                // nobody exchanges links
  std::string description_;  // the body of the topic `description`
};

}  // namespace gerbang::app
