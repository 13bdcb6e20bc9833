// SPDX-License-Identifier: Apache-2.0
#include "config/alarm_texts.hpp"

#include <algorithm>

#include "config/node.hpp"
#include "core/text.hpp"

namespace gerbang::config {
namespace {

constexpr const char* kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";

std::string text_of(const Node* node) {
  return node != nullptr && node->kind == Node::Kind::string ? node->text : std::string();
}

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
  const std::string path = (folder / "alarms.toml").string();
  std::string why;
  auto content = read_file(path, kMaxFileBytes, why);
  if (!content) {
    errors.push_back({path, 1, 1, "file", "cannot be read: " + why, kReinstall});
    return out;
  }
  const auto root = parse_toml(*content, path, 0, errors);
  if (!root) return out;
  auto wrong = [&](const Member& member, const char* what) {
    errors.push_back({path, member.line, member.column, member.key, what, kReinstall});
  };
  if (const Node* watches = root->get("watch"))
    for (const Member& member : watches->members) {
      AlarmText words = words_of(member.value);
      if (!complete(words.text) || !complete(words.advice)) wrong(member, "a language is missing");
      out.watches.emplace(member.key, std::move(words));
    }
  if (const Node* conditions = root->get("condition"))
    for (const Member& member : conditions->members) {
      AlarmCondition condition;
      condition.words = words_of(member.value);
      condition.severity = text_of(member.value.get("severity"));
      const auto hold = parse_duration(text_of(member.value.get("hold")));
      if (!complete(condition.words.text) || !complete(condition.words.advice))
        wrong(member, "a language is missing");
      else if (!hold)
        wrong(member, "hold is no duration");
      else
        condition.hold = *hold;
      out.conditions.emplace(member.key, std::move(condition));
    }
  if (const Node* flapping = root->get("flapping")) out.flapping = label_of(flapping->get("text"));
  if (!complete(out.flapping))
    errors.push_back({path, 1, 1, "flapping", "a text is missing", kReinstall});
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
