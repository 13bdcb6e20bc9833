// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "ipc/frame.hpp"
#include "uplink_host/paho_client.hpp"

namespace gerbang::host::v1 {
class ToUplinkHost;
class FromUplinkHost;
}  // namespace gerbang::host::v1

namespace gerbang::uplink_host {

// Frames on one side, the MQTT client on the other; nothing is kept between them. One thread.
class Session {
 public:
  explicit Session(int socket);
  ~Session();

  // Serves until the daemon says Disconnect or is gone, or until a connection was lost and the
  // library keeps messages of it. Returns the exit code; the caller leaves by _exit, because the
  // library may have work in flight.
  int run();

 private:
  bool read_frames();  // false: the end
  bool serve(const host::v1::ToUplinkHost& frame);
  void report();
  void send(const host::v1::FromUplinkHost& frame);

  int socket_;
  int exit_code_ = 0;
  bool lost_ = false;  // a connection, just now
  ipc::FrameReader reader_;
  std::unique_ptr<host::v1::ToUplinkHost> configured_;
  std::unique_ptr<PahoClient> client_;  // from the first Configure on
  std::string out_;                     // kept for its capacity
};

}  // namespace gerbang::uplink_host
