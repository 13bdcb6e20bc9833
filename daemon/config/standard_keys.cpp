// SPDX-License-Identifier: Apache-2.0
#include "config/standard_keys.hpp"

#include <array>

namespace gerbang::config {
namespace {

constexpr std::array<DataKey, 24> kFile = {{
    {"id"},
    {"aliases", DataType::texts},
    {"title", DataType::label},
    {"version"},
    {"source"},
    {"valid_from", DataType::date},
    {"note"},
    {"method"},
    {"window", DataType::text, true},
    {"statistic"},
    {"unit"},
    {"decimals", DataType::integer},
    {"factor", DataType::number},
    {"quantities", DataType::texts},
    {"witness"},
    {"against"},
    {"rule_tag", DataType::tag},
    {"steps", DataType::numbers},
    {"variants", DataType::table},
    {"category", DataType::rows},
    {"breakpoint", DataType::rows},
    {"limit", DataType::rows},
    {"level", DataType::rows},
    {"convert", DataType::rows},
}};
constexpr std::array<DataKey, 5> kVariants = {{{"key"},
                                               {"prefix"},
                                               {"names", DataType::texts},
                                               {"default"},
                                               {"window", DataType::text, true}}};
constexpr std::array<DataKey, 4> kCategory = {
    {{"name"}, {"label", DataType::label}, {"colour"}, {"upto", DataType::number}}};
constexpr std::array<DataKey, 5> kBreakpoint = {{{"quantity"},
                                                 {"unit"},
                                                 {"bounds", DataType::numbers},
                                                 {"tag", DataType::tag, true},
                                                 {"note"}}};
constexpr std::array<DataKey, 9> kLimit = {{{"quantity"},
                                            {"unit"},
                                            {"low", DataType::number, true},
                                            {"high", DataType::number, true},
                                            {"over", DataType::number, true},
                                            {"below", DataType::number, true},
                                            {"relative_to"},
                                            {"tag", DataType::tag, true},
                                            {"note"}}};
constexpr std::array<DataKey, 9> kLevel = {{{"quantity"},
                                            {"unit"},
                                            {"from", DataType::number, true},
                                            {"above", DataType::number, true},
                                            {"upto", DataType::number, true},
                                            {"below", DataType::number, true},
                                            {"category"},
                                            {"tag", DataType::tag, true},
                                            {"note"}}};
constexpr std::array<DataKey, 5> kConvert = {
    {{"from"}, {"to"}, {"factor", DataType::number}, {"tag", DataType::tag, true}, {"note"}}};

}  // namespace

bool check_standard_keys(const Node& root, const std::vector<std::string>& variants,
                         DataFile& file) {
  bool good = file.check(root, "", kFile, variants);
  if (const Node* table = root.get("variants"))
    good = file.check(*table, "variants", kVariants, variants) && good;
  good = file.check_rows(root, "category", kCategory) && good;
  good = file.check_rows(root, "breakpoint", kBreakpoint, variants) && good;
  good = file.check_rows(root, "limit", kLimit, variants) && good;
  good = file.check_rows(root, "level", kLevel, variants) && good;
  return file.check_rows(root, "convert", kConvert, variants) && good;
}

}  // namespace gerbang::config
