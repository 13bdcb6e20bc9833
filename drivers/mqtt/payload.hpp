// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "value.hpp"

namespace gerbang::mqtt {

// Or why it is no JSON, with the place.
tl::expected<boost::json::value, std::string> parse(std::string_view payload);

// RFC 6901: "" is everything, "/a/0" the first of a. Empty: it is one; else what is wrong with it.
std::string pointer_fault(std::string_view pointer);
// Null when nothing stands there.
const boost::json::value* find(const boost::json::value& root, std::string_view pointer);

// Numbers as they are, true and false as 1 and 0; texts only if asked for, and only wholly numeric
// ones. null is NOT_A_NUMBER: the device has no value; anything else is PROTOCOL.
Value number_of(const boost::json::value& json, bool from_text);

// Nanoseconds since 1970: RFC 3339, or a count of seconds, milliseconds, … since 1970.
std::optional<std::int64_t> time_of(const boost::json::value& json);

// Every number in it, by its pointer, in the order in which they stand; at most `limit`.
std::vector<std::pair<std::string, Found>> numbers_in(const boost::json::value& root,
                                                      std::size_t limit);

// An uplink event of ChirpStack 4. Views and pointers are into the JSON.
struct Uplink {
  std::string dev_eui;  // lower case
  std::string_view dev_addr, deduplication_id;
  std::optional<std::uint64_t> f_cnt;
  std::optional<std::int64_t> f_port;
  const boost::json::value* object = nullptr;  // what the server's codec made of it
  std::optional<std::string_view> data;        // base64
};
std::optional<Uplink> uplink_of(const boost::json::value& root);

// 16 hex digits in lower case; separators may stand between pairs. Empty: it is no EUI.
std::string eui_of(std::string_view text);

}  // namespace gerbang::mqtt
