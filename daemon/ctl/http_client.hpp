// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "core/result.hpp"

namespace gerbang::ctl {

// Where a gateway answers: "http://host:port" or the path of its control socket.
struct Endpoint {
  std::string url;    // http://127.0.0.1:8080
  std::string token;  // Authorization: Bearer, may be empty
};

// Whether `text` is such a place, by its looks.
bool is_endpoint(const std::string& text);

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

// One POST of a JSON body, or one GET; blocking. Fails with a sentence when nobody answers within
// the limit.
Result<HttpAnswer> http_post(const Endpoint& endpoint, const std::string& target,
                             const std::string& body,
                             std::chrono::milliseconds limit = std::chrono::seconds(5));
Result<HttpAnswer> http_get(const Endpoint& endpoint, const std::string& target,
                            std::chrono::milliseconds limit = std::chrono::seconds(5));

}  // namespace gerbang::ctl
