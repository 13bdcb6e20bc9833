// SPDX-License-Identifier: Apache-2.0
#include "config/alarm_texts.hpp"

#include <algorithm>
#include <array>

#include "config/data_file.hpp"
#include "core/text.hpp"

namespace gerbang::config {
namespace {

constexpr std::string_view kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";

constexpr std::array<DataKey, 6> kFile = {{{"version"},
                                           {"source"},
                                           {"valid_from", DataType::date},
                                           {"watch", DataType::table},
                                           {"condition", DataType::table},
                                           {"flapping", DataType::table}}};
constexpr std::array<DataKey, 2> kWatch = {
    {{"text", DataType::label}, {"advice", DataType::label}}};
constexpr std::array<DataKey, 4> kCondition = {
    {{"severity"}, {"hold"}, {"text", DataType::label}, {"advice", DataType::label}}};
constexpr std::array<DataKey, 1> kFlapping = {{{"text", DataType::label}}};
// What build_alarms.cpp asks for.
const std::vector<std::string_view> kWatches = {
    "above",          "below", "outside", "window-above", "window-below",
    "window-outside", "rate",  "stale",   "quality",      "indicator"};
const std::vector<std::string_view> kConditions = {"driver-down",     "uplink-down",
                                                   "store-degraded",  "store-damaged",
                                                   "clock-untrusted", "no-readings"};

Label label_of(const Node* node) {
  if (node == nullptr) return {};
  return Label{text_of(node->get("ind")), text_of(node->get("eng"))};
}

AlarmText words_of(const Node& node) {
  return AlarmText{label_of(node.get("text")), label_of(node.get("advice"))};
}

bool complete(const Label& label) {
  return !label.ind.empty() && !label.eng.empty();
}

std::string with(std::string text, std::string_view name, const std::string& word) {
  const std::string place = "{" + std::string(name) + "}";
  for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += word.size())
    text.replace(at, place.size(), word);
  return text;
}

}  // namespace

AlarmTexts read_alarm_texts(const std::filesystem::path& folder, Diagnostics& errors) {
  AlarmTexts out;
  DataFile file((folder / "alarms.toml").string(), kReinstall, errors);
  const auto root = file.read();
  if (!root) return out;
  file.check(*root, "", kFile);
  if (const Node* watches = root->get("watch")) {
    file.check_names(*watches, "watch", kWatches);
    for (const Member& member : watches->members) {
      AlarmText words = words_of(member.value);
      if (file.check(member.value, "watch." + member.key, kWatch) &&
          (!complete(words.text) || !complete(words.advice)))
        file.error(member, "watch." + member.key, "a language is missing");
      out.watches.emplace(member.key, std::move(words));
    }
  }
  if (const Node* conditions = root->get("condition")) {
    file.check_names(*conditions, "condition", kConditions);
    for (const Member& member : conditions->members) {
      const std::string prefix = "condition." + member.key;
      AlarmCondition condition;
      condition.words = words_of(member.value);
      condition.severity = text_of(member.value.get("severity"));
      const auto hold = parse_duration(text_of(member.value.get("hold")));
      if (hold) condition.hold = *hold;
      if (file.check(member.value, prefix, kCondition)) {
        if (!complete(condition.words.text) || !complete(condition.words.advice))
          file.error(member, prefix, "a language is missing");
        else if (!hold)
          file.error(member, prefix, "hold is no duration");
      }
      out.conditions.emplace(member.key, std::move(condition));
    }
  }
  const Node* flapping = root->get("flapping");
  if (flapping != nullptr) out.flapping = label_of(flapping->get("text"));
  if ((flapping == nullptr || file.check(*flapping, "flapping", kFlapping)) &&
      !complete(out.flapping))
    file.error(flapping != nullptr ? *flapping : *root, "flapping", "a text is missing");
  return out;
}

Label fill_in(const Label& text, const std::vector<Word>& words) {
  Label out = text;
  for (const Word& word : words) {
    out.ind = with(std::move(out.ind), word.name, word.is.ind);
    out.eng = with(std::move(out.eng), word.name, word.is.eng);
  }
  return out;
}

Label both(const std::string& text) {
  return Label{text, text};
}

Label amount_words(double number, const std::string& unit) {
  const std::string plain = format_number(number);
  std::string comma = plain;
  std::replace(comma.begin(), comma.end(), '.', ',');
  const std::string tail = unit.empty() || unit == "1" ? "" : " " + unit;
  return Label{comma + tail, plain + tail};
}

Label statistic_words(std::string_view statistic) {
  if (statistic == "minimum") return {"nilai terendah", "lowest value"};
  if (statistic == "maximum") return {"nilai tertinggi", "highest value"};
  if (statistic == "delta") return {"jumlah", "amount"};
  return {"rata-rata", "mean"};
}

}  // namespace gerbang::config
