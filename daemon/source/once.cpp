// SPDX-License-Identifier: Apache-2.0
#include "source/once.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "async/spawn.hpp"
#include "core/text.hpp"
#include "source/conversation.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;

// Until the host has had its time.
asio::awaitable<void> run_out(Conversation& talk, ipc::Child& child,
                              std::chrono::nanoseconds deadline) {
  constexpr std::chrono::nanoseconds kLook = 100ms, kLastWords = 10s;
  if (!talk.interrupted) {
    co_await sleep_for(deadline);
    co_return;
  }
  bool stopping = false;
  std::uint64_t seen = talk.frames;
  for (auto left = deadline; left > 0ns; left -= kLook) {
    co_await sleep_for(kLook);
    if (!stopping && talk.frames != seen) left = deadline;
    seen = talk.frames;
    if (stopping || !talk.interrupted()) continue;
    stopping = true;
    left = kLastWords;
    child.send(encode_stop());
  }
}

asio::awaitable<void> hold(Conversation& talk, std::unique_ptr<ipc::Child> child,
                           std::chrono::nanoseconds deadline) {
  auto outcome = co_await (converse(talk, *child) || run_out(talk, *child, deadline));
  if (outcome.index() == 1) {
    auto patience = std::chrono::ceil<std::chrono::milliseconds>(deadline);
    talk.failed = Error(std::make_error_code(std::errc::timed_out),
                        "the driver did not answer within " + format_duration(patience));
  } else if (!talk.failed) {
    // It releases its line in its own way.
    child->send(encode_stop());
    (void)co_await (child->exited() || sleep_for(1s));
  }
  talk.finished = true;
}

// Runs a loop of its own until the host is gone.
Result<void> run(Conversation& talk, const std::string& host, const std::string& plugin_path,
                 std::chrono::nanoseconds deadline) {
  asio::io_context io(1);
  ipc::ChildOptions options(host, {"--driver", plugin_path});
  auto child = ipc::Child::spawn(io.get_executor(), std::move(options));
  if (!child) return fail(std::move(child).error());
  spawn_critical(io.get_executor(), "driver conversation", hold(talk, std::move(*child), deadline));
  while (!talk.finished) io.run_one();
  if (talk.failed) return fail(std::move(*talk.failed));
  return {};
}

}  // namespace

Result<Done> read_once(const std::string& host, const DriverSpec& spec, const Listener& listener,
                       std::chrono::nanoseconds deadline) {
  Done done;
  Conversation talk;
  talk.request = encode_configure(spec, static_cast<bool>(listener.trace), true);
  talk.on_frame = [&](HostFrame& frame) {
    if (auto* end = std::get_if<Done>(&frame)) {
      done = std::move(*end);
      return true;
    }
    tell_of(spec, listener, frame);
    return false;
  };
  if (auto ran = run(talk, host, spec.plugin_path, deadline); !ran)
    return fail(std::move(ran).error().within("driver " + spec.name));
  return done;
}

Result<std::optional<std::string>> check(const std::string& host, const DriverSpec& spec,
                                         std::chrono::nanoseconds deadline) {
  Done done;
  Conversation talk;
  talk.request = encode_check(spec);
  talk.on_frame = [&done](HostFrame& frame) {
    auto* end = std::get_if<Done>(&frame);
    if (end != nullptr) done = std::move(*end);
    return end != nullptr;
  };
  if (auto ran = run(talk, host, spec.plugin_path, deadline); !ran)
    return fail(std::move(ran).error().within("driver " + spec.name));
  std::optional<std::string> refused;
  if (done.status == Status::config) refused = std::move(done.text);
  return refused;
}

Result<DriverSchema> describe(const std::string& host, const std::string& plugin_path,
                              std::chrono::nanoseconds deadline) {
  DriverSchema schema;
  Conversation talk;
  talk.request = encode_describe();
  talk.on_frame = [&schema](HostFrame& frame) {
    auto* description = std::get_if<DriverSchema>(&frame);
    if (description != nullptr) schema = std::move(*description);
    return description != nullptr;
  };
  if (auto ran = run(talk, host, plugin_path, deadline); !ran) return fail(std::move(ran).error());
  schema.name = talk.hello.name;
  schema.version = talk.hello.version;
  schema.abi_major = talk.hello.abi_major;
  schema.abi_minor = talk.hello.abi_minor;
  return schema;
}

Result<Decoded> decode(const std::string& host, const std::string& plugin_path,
                       const OptionValues& options, std::string_view bytes,
                       std::chrono::nanoseconds deadline) {
  Decoded decoded;
  Listener listener;
  listener.log = [&decoded](const LogLine& line) { decoded.log.push_back(line); };
  listener.event = [&decoded](const Event& event) { decoded.events.push_back(event); };
  Conversation talk;
  talk.request = encode_decode(options, bytes);
  talk.on_frame = [&](HostFrame& frame) {
    if (auto* readings = std::get_if<Readings>(&frame))
      decoded.readings.insert(decoded.readings.end(), readings->all.begin(), readings->all.end());
    tell(listener, frame);
    auto* done = std::get_if<Done>(&frame);
    if (done == nullptr) return false;
    decoded.status = done->status;
    decoded.text = std::move(done->text);
    return true;
  };
  if (auto ran = run(talk, host, plugin_path, deadline); !ran) return fail(std::move(ran).error());
  return decoded;
}

Result<Done> scan(const std::string& host, const std::string& plugin_path,
                  const OptionValues& options, const Listener& listener,
                  const std::function<bool()>& interrupted, std::chrono::nanoseconds silence) {
  Done done;
  Conversation talk;
  talk.request = encode_scan(options);
  talk.interrupted = interrupted;
  talk.on_frame = [&](HostFrame& frame) {
    tell(listener, frame);
    auto* end = std::get_if<Done>(&frame);
    if (end != nullptr) done = std::move(*end);
    return end != nullptr;
  };
  if (auto ran = run(talk, host, plugin_path, silence); !ran) return fail(std::move(ran).error());
  return done;
}

}  // namespace gerbang::source
