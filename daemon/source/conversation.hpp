// SPDX-License-Identifier: Apache-2.0
//
// One question to one driver host, and the frames that come as its answer. For once.cpp and
// watch.cpp.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "ipc/child.hpp"
#include "source/once.hpp"

namespace gerbang::source {

struct Conversation {
  std::string request;
  std::function<bool(HostFrame&)> on_frame;  // true: the answer is complete
  // Given: the deadline begins again with each frame, and a true answer asks the host to stop.
  std::function<bool()> interrupted;
  std::uint64_t frames = 0;
  Hello hello;
  std::optional<Error> failed;
  bool finished = false;
};

// Reads until the answer is complete, or failed is set. Both outlive it.
boost::asio::awaitable<void> converse(Conversation& talk, ipc::Child& child);

// The frames that every conversation may bring.
void tell(const Listener& listener, const HostFrame& frame);

// The readings and events of a configured driver, with the sensors' indices instead of their
// places; then as tell().
void tell_of(const DriverSpec& spec, const Listener& listener, HostFrame& frame);

}  // namespace gerbang::source
