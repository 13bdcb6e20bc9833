// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {

// mosquitto on the loopback address. Every start uses the same port and the same stored sessions.
class Broker {
 public:
  struct Setup {
    std::string extra;  // configuration text of the listener and below
    bool anonymous = true;
    std::string certificate, key;  // both: TLS
    std::string client_ca;         // clients need a certificate of this authority
    // max_queued_messages 0: with it, mosquitto 2.0.11 ends the connection of a client whose
    // publication it refuses.
    bool queues_everything = false;
    bool saves_each_change = false;  // so that kill() loses next to nothing
  };

  Broker() : Broker(Setup()) {}
  explicit Broker(const Setup& setup);

  void start();  // returns when the port is open
  void stop();   // SIGTERM: it keeps what it has
  void kill();
  void signal(int number) { process_->signal(number); }  // SIGSTOP: a broker that hangs
  int port() const { return port_; }
  const TempDir& folder() const { return folder_; }
  std::string log() const { return read_file(folder_ / "mosquitto.log"); }

 private:
  TempDir folder_, memory_;  // memory_: for what it stores, where saving costs nothing
  int port_;
  std::filesystem::path configuration_;
  std::unique_ptr<Process> process_;
};

// What mosquitto_sub printed of one message.
struct Arrived {
  std::string topic, payload, content_type;
  bool retained = false;    // the broker kept it; else it came as it was published
  bool historical = false;  // user property
};

// mosquitto_sub, QoS 1, with a session that outlives the broker. Receives from the constructor's
// return on.
class Subscriber {
 public:
  // arguments: more for mosquitto_sub.
  Subscriber(const Broker& broker, const std::string& topic,
             const std::vector<std::string>& arguments = {});

  // All so far, in the order of arrival.
  const std::vector<Arrived>& arrived();

 private:
  void read_more();
  TempDir folder_;
  std::filesystem::path output_;
  std::size_t read_ = 0;
  std::vector<Arrived> arrived_;
  std::unique_ptr<Process> process_;
};

// An authority and what it signed, made anew with openssl.
class Certificates {
 public:
  Certificates();
  std::string ca() const { return path("ca.crt"); }
  std::string certificate(const std::string& name) const { return path(name + ".crt"); }
  std::string key(const std::string& name) const { return path(name + ".key"); }
  // Signed for 127.0.0.1 and localhost ("good"), for another name ("elsewhere"), in the past
  // ("expired"), for a client ("client").

 private:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void sign(const std::string& name, const std::string& alternative_name, const std::string& from,
            const std::string& until);
  TempDir folder_;
};

}  // namespace gerbang::test
