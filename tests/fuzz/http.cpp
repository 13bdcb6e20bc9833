// SPDX-License-Identifier: Apache-2.0
//
// Request targets, Host headers and queries. (Framing is Beast's; http_server_test is hostile to
// it.)
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/time_text.hpp"
#include "http/history.hpp"
#include "http/message.hpp"

using namespace gerbang::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto target = parse_target(text);
  if (!target) return 0;
  if (target->path.empty() || target->parameters.size() > kMaxParameters) std::abort();
  Snapshot now;
  now.now_ms = 1'767'225'600'000;
  (void)parse_readings(target->parameters, now);
  (void)parse_aggregates(target->parameters, now);
  return 0;
}
