// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gerbang {

// "500ms" "1s" "15m" "24h" "30d"; a whole number and one unit. nullopt: not a duration, or beyond
// 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The canonical form: the largest unit that divides ("60s" → "1m").
std::string format_duration(std::chrono::milliseconds d);

// "512" "64KiB" "64MiB" "2GiB" "1TiB" in bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// "1 mistake", "2 mistakes", "0 mistakes": for sentences; `one` takes an s.
std::string counted(std::size_t count, std::string_view one);

// The candidate with the smallest edit distance, if it is close enough to be a likely typing error.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// The same as one word of a saved state, whose words are divided by spaces: white space becomes
// '-', and so does an empty text.
std::string one_word(std::string_view text);

}  // namespace gerbang
