// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "uplink/mqtt_port.hpp"

namespace gerbang::uplink {

// The MQTT client in gerbang-uplink-host. Started again 100 ms after it ended, then ever later up
// to 2 s, never given up.
class HostPort final : public MqttPort {
 public:
  // name: of the uplink, for log lines.
  HostPort(asio::any_io_executor executor, std::string name);
  ~HostPort() override;

  asio::awaitable<void> run(MqttEvents& events) override;
  void connect(const Connection& connection) override;
  void publish(Publication publication) override;
  void flush() override;
  void drop() override;
  asio::awaitable<void> stop() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::uplink
