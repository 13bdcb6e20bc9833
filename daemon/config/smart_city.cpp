// SPDX-License-Identifier: Apache-2.0
#include "config/smart_city.hpp"

#include <array>

#include "config/check.hpp"
#include "config/data_file.hpp"

namespace gerbang::config {
namespace {

using indicator::Confidence;
using indicator::Standard;

constexpr std::array<DataKey, 4> kFile = {
    {{"version"}, {"source"}, {"valid_from", DataType::date}, {"place", DataType::table}}};
constexpr std::array<DataKey, 4> kPlace = {
    {{"dimension"}, {"sub_dimension"}, {"tag", DataType::tag}, {"iso", DataType::rows}}};
constexpr std::array<DataKey, 4> kIso = {
    {{"edition"}, {"number"}, {"quantity"}, {"tag", DataType::tag}}};

void take_place(DataFile& file, const Member& member, const Catalogue& catalogue,
                std::vector<Standard>& all) {
  const std::string prefix = "place." + member.key;
  file.check(member.value, prefix, kPlace);
  indicator::Place place;
  place.dimension = text_of(member.value.get("dimension"));
  place.sub_dimension = text_of(member.value.get("sub_dimension"));
  place.tag = tag_of(member.value.get("tag")).value_or(Confidence::m);
  if (const Node* list = member.value.get("iso"))
    for (const Node& row : list->items) {
      file.check(row, prefix + ".iso", kIso);
      const std::string quantity = text_of(row.get("quantity"));
      if (!quantity.empty() && !catalogue.quantities.empty() && catalogue.find(quantity) == nullptr)
        file.error(*row.get("quantity"), prefix + ".iso.quantity",
                   "there is no quantity " + in_quotes(quantity), catalogue.suggestion(quantity));
      place.iso.push_back({text_of(row.get("edition")), text_of(row.get("number")), quantity,
                           tag_of(row.get("tag")).value_or(Confidence::m)});
    }
  bool used = false;
  for (Standard& standard : all)
    if (standard.family == member.key) {
      standard.place = place;
      used = true;
    }
  if (used || all.empty()) return;
  std::vector<std::string_view> families;
  for (const Standard& standard : all)
    if (standard.is_default) families.push_back(standard.family);
  file.error(member, prefix, "there is no such standard", did_you_mean(member.key, families));
}

}  // namespace

std::optional<Confidence> tag_of(const Node* node) {
  const std::string text = text_of(node);
  for (Confidence tag : {Confidence::a, Confidence::b, Confidence::c, Confidence::m})
    if (text == indicator::name(tag)) return tag;
  return std::nullopt;
}

void read_places(const std::filesystem::path& path, const Catalogue& catalogue,
                 std::vector<Standard>& all, Diagnostics& errors) {
  DataFile file(path.string(), kCorrectTable, errors);
  const auto root = file.read();
  if (!root) return;
  file.check(*root, "", kFile);
  if (const Node* places = root->get("place"))
    for (const Member& member : places->members) take_place(file, member, catalogue, all);
}

}  // namespace gerbang::config
