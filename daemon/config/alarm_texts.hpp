// SPDX-License-Identifier: Apache-2.0
//
// config/alarms.toml: what alarms say where the configuration says nothing, and the alarms that a
// gateway has of itself.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/diagnostic.hpp"

namespace gerbang::config {

struct AlarmText {
  Label text, advice;
};

struct AlarmCondition {
  AlarmText words;
  std::string severity;
  Milliseconds hold{};
};

struct AlarmTexts {
  std::map<std::string, AlarmText, std::less<>> watches;          // "above", "stale" …
  std::map<std::string, AlarmCondition, std::less<>> conditions;  // "driver-down" …
  Label flapping;
};

// Mistakes in the file become diagnostics: it belongs to the installation.
AlarmTexts read_alarm_texts(const std::filesystem::path& folder, Diagnostics& errors);

// "{sensor}" → words, in both languages. Unknown names stay as they are.
struct Word {
  std::string_view name;
  Label is;
};
Label fill_in(const Label& text, const std::vector<Word>& words);
Label both(const std::string& text);
// As people of each language write it: 0,2 mg/L and 0.2 mg/L.
Label amount_words(double number, const std::string& unit);
// "mean" → rata-rata, mean.
Label statistic_words(std::string_view statistic);

}  // namespace gerbang::config
