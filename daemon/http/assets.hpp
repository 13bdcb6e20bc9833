// SPDX-License-Identifier: Apache-2.0
//
// Files that are compiled in (page/embed.py makes the definitions from page/ and openapi.json).
#pragma once

#include <string_view>

namespace gerbang::http {

struct Asset {
  std::string_view body;
  std::string_view etag;  // with its quotes
};

extern const Asset kStatusPage;
extern const Asset kOpenApi;
extern const std::string_view kPagePolicy;  // Content-Security-Policy of the status page

}  // namespace gerbang::http
