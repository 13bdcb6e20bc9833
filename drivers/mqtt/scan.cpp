// SPDX-License-Identifier: Apache-2.0
//
// Listens to a broker, and writes sensors for what is heard.
#include <poll.h>

#include <algorithm>
#include <memory>

#include "client.hpp"
#include "keys.hpp"
#include "sketch.hpp"

namespace gerbang::mqtt {
namespace {

using namespace std::chrono_literals;
using driver::Host;
using driver::Scan;

constexpr auto kListen = Time(60s);
constexpr auto kConnect = Time(15s);
constexpr auto kStep = 500ms;

struct Releaser {
  void operator()(Client* client) const { client->release(); }
};

class Listener {
 public:
  Listener(Host host, const Scan& scan, const driver::Values& options)
      : host_(host), scan_(scan), options_(options) {}

  void take(const Happened::Received& received) {
    ++heard_;
    auto sketch = sketch_of(received.topic, received.payload, written_);
    if (!sketch) return;
    std::string toml = sketch->sensors;
    if (found() == 1)
      toml.insert(0,
                  "[[driver]]\nname = \"broker\"\nplugin = \"mqtt\"\n"
                  "# interval = \"15m\"   # how often the devices send, if they do so "
                  "regularly\n[driver.options]\nhost = \"" +
                      options_.text("host") +
                      "\"\nport = " + std::to_string(options_.integer("port")) + "\n\n");
    scan_.found(toml, sketch->note);
  }
  std::uint64_t heard() const { return heard_; }
  std::size_t found() const { return written_.devices.size(); }

 private:
  Host host_;
  Scan scan_;
  const driver::Values& options_;
  Written written_;
  std::uint64_t heard_ = 0;
};

}  // namespace

gerbang_status scan_broker(Host host, const driver::Config& config, const Scan& scan) {
  const driver::Values options = config.options();
  const std::unique_ptr<Client, Releaser> client(&Client::shared(broker_of(config, {"#"})));
  Listener listener(host, scan, options);
  const Time begin = host.boottime();
  bool up = false, trying = false;
  for (Time now = begin; now < begin + kListen && !host.stopping(); now = host.boottime()) {
    scan.progress(std::chrono::duration<double>(now - begin) / kListen,
                  std::to_string(listener.heard()) + " messages of " +
                      std::to_string(listener.found()) + " devices and topics");
    trying = trying || client->connect();
    pollfd entry{client->ready_fd(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(kStep.count()));
    const Happened happened = client->take();
    up = up || happened.up;
    for (const auto& received : happened.received) listener.take(received);
    for (const auto& answer : happened.subscribed)
      if (!answer.refusal.empty())
        host.warning("the broker refuses the topic #: " + answer.refusal +
                     "; scan with a user who may read everything");
    if (happened.down || (!up && now > begin + kConnect))
      throw driver::Failure(GERBANG_GONE, options.text("host") + ":" +
                                              std::to_string(options.integer("port")) + ": " +
                                              happened.down.value_or("no answer"));
  }
  if (up && listener.heard() == 0) host.warning("the broker is there, but nothing was published");
  return GERBANG_OK;
}

}  // namespace gerbang::mqtt
