// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"

namespace gerbang::ctl {

struct ReaderOptions {
  std::string host;
  unsigned port = 1883;
  bool tls = false;
  std::string username, password;
  std::string ca_file, certificate_file, key_file;
  std::string client_id;
  std::string topic;  // filter
};

struct Arrived {
  std::string topic, payload, content_type;
  bool retained = false;  // a copy that the broker kept, not a delivery
};

// A subscriber with a session that the broker keeps while the connection is away, so that a restart
// of the broker loses nothing of what it had stored. The two callbacks run on the caller's thread,
// within turn().
class MqttReader {
 public:
  MqttReader(ReaderOptions options, std::function<void(const Arrived&)> on_message,
             std::function<void(const std::string&)> on_state);
  ~MqttReader();
  MqttReader(const MqttReader&) = delete;
  MqttReader& operator=(const MqttReader&) = delete;

  // The first connection; fails with a sentence, also where the broker refuses the subscription.
  // Later losses are repaired within turn().
  Result<void> connect();

  // False: the connection is lost, and no attempt to repair it has succeeded.
  bool connected() const;

  // Waits up to d for messages and hands over what came; reconnects when the connection is lost.
  void turn(std::chrono::milliseconds d);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::ctl
