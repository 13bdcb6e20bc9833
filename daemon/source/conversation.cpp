// SPDX-License-Identifier: Apache-2.0
#include "source/conversation.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "async/spawn.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;

void break_off(Conversation& talk, std::string what) {
  talk.failed = Error(std::make_error_code(std::errc::protocol_error), std::move(what));
}

// The process has a moment to say how it ended.
asio::awaitable<std::string> how_it_ended(ipc::Child& child) {
  auto ended = co_await (child.exited() || sleep_for(1s));
  if (ended.index() == 1) co_return "the driver host closed its socket";
  const ipc::Exit& exit = std::get<0>(ended);
  co_return (exit.signalled ? "the driver host was " : "the driver host ") + exit.text();
}

}  // namespace

asio::awaitable<void> converse(Conversation& talk, ipc::Child& child) {
  for (bool greeted = false;;) {
    auto payload = co_await child.read();
    if (!payload) {
      // connection_reset tells a crash from an answer that we refuse.
      Error failed = payload.error();
      if (failed.code == std::errc::connection_reset) failed.what = co_await how_it_ended(child);
      talk.failed = std::move(failed);
      co_return;
    }
    auto frame = decode_frame(*payload);
    if (!frame) {
      break_off(talk, "the driver host sent " + frame.error().what);
      co_return;
    }
    ++talk.frames;
    if (greeted) {
      if (talk.on_frame(*frame)) co_return;
      continue;
    }
    auto* hello = std::get_if<Hello>(&*frame);
    if (hello == nullptr || !hello->load_error.empty()) {
      break_off(talk, hello == nullptr ? "the driver host sent something before its hello"
                                       : hello->load_error);
      co_return;
    }
    greeted = true;
    talk.hello = std::move(*hello);
    child.send(talk.request);
  }
}

void tell(const Listener& listener, const HostFrame& frame) {
  if (auto* event = std::get_if<Event>(&frame); event != nullptr && listener.event)
    listener.event(*event);
  if (auto* trace = std::get_if<Trace>(&frame); trace != nullptr && listener.trace)
    listener.trace(*trace);
  if (auto* line = std::get_if<LogLine>(&frame); line != nullptr && listener.log)
    listener.log(*line);
  if (auto* beat = std::get_if<Heartbeat>(&frame); beat != nullptr && listener.heartbeat)
    listener.heartbeat(*beat);
  if (auto* found = std::get_if<Found>(&frame); found != nullptr && listener.found)
    listener.found(*found);
  if (auto* progress = std::get_if<Progress>(&frame); progress != nullptr && listener.progress)
    listener.progress(*progress);
}

void tell_of(const DriverSpec& spec, const Listener& listener, HostFrame& frame) {
  if (auto* readings = std::get_if<Readings>(&frame); readings != nullptr && listener.reading) {
    for (Reading& reading : readings->all) {
      if (reading.sensor >= spec.sensors.size()) continue;
      reading.sensor = spec.sensors[reading.sensor].index;
      listener.reading(reading);
    }
  }
  if (auto* event = std::get_if<Event>(&frame)) {
    if (event->sensor >= spec.sensors.size()) return;
    event->sensor = spec.sensors[event->sensor].index;
  }
  tell(listener, frame);
}

}  // namespace gerbang::source
