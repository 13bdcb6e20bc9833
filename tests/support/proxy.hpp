// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>

namespace gerbang::test {

// A line between a client and a port of the loopback address that can go bad: it swallows what goes
// in, in both directions, and nobody is told; or it is cut.
class Proxy {
 public:
  explicit Proxy(int target);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  int port() const { return port_; }
  void swallow(bool on) { swallow_ = on; }
  void cut() { cut_ = true; }  // the connections of now
  std::size_t swallowed() const { return swallowed_; }

 private:
  void serve();

  int target_, listener_, port_;
  std::atomic<bool> swallow_{false}, cut_{false}, over_{false};
  std::atomic<std::size_t> swallowed_{0};
  std::thread thread_;
};

}  // namespace gerbang::test
