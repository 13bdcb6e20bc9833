// SPDX-License-Identifier: Apache-2.0
#include "config/quantities.hpp"

#include <array>

#include "config/check.hpp"
#include "config/data_file.hpp"

namespace gerbang::config {
namespace {

constexpr std::array<std::pair<std::string_view, QuantityKind>, 5> kKinds = {
    {{"gauge", QuantityKind::gauge},
     {"totaliser", QuantityKind::totaliser},
     {"state", QuantityKind::state},
     {"direction", QuantityKind::direction},
     {"event", QuantityKind::event}}};
constexpr std::array<std::string_view, 6> kDomains = {"water",   "waste",  "air",
                                                      "weather", "energy", "system"};
constexpr std::string_view kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";

constexpr std::array<DataKey, 4> kFile = {
    {{"version"}, {"source"}, {"valid_from", DataType::date}, {"quantity", DataType::table}}};
constexpr std::array<DataKey, 9> kRow = {{{"domain"},
                                          {"unit"},
                                          {"spellings", DataType::texts},
                                          {"decimals", DataType::integer},
                                          {"kind"},
                                          {"label", DataType::label},
                                          {"share"},
                                          {"tag", DataType::tag},
                                          {"note"}}};

// Empty: the row is good.
std::string fill(const Member& member, const Units& units, QuantityRow& row) {
  const Node& node = member.value;
  Quantity quantity;
  quantity.name = member.key;
  quantity.domain = text_of(node.get("domain"));
  if (std::find(kDomains.begin(), kDomains.end(), quantity.domain) == kDomains.end())
    return "no such domain";
  const Node* unit = node.get("unit");
  if (unit == nullptr || unit->kind != Node::Kind::string || !units.known(unit->text))
    return "no such unit";
  quantity.unit = unit->text;
  const Node* decimals = node.get("decimals");
  if (decimals == nullptr || decimals->kind != Node::Kind::integer || decimals->integer < 0 ||
      decimals->integer > 9)
    return "decimals have to be 0 to 9";
  quantity.decimals = static_cast<unsigned>(decimals->integer);
  const std::string kind = node.get("kind") == nullptr ? "gauge" : text_of(node.get("kind"));
  const auto known = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const auto& entry) { return entry.first == kind; });
  if (known == kKinds.end()) return "no such kind";
  quantity.kind = known->second;
  const Node* label = node.get("label");
  if (label == nullptr) return "no label";
  quantity.label = Label{text_of(label->get("ind")), text_of(label->get("eng"))};
  if (quantity.label.ind.empty() || quantity.label.eng.empty()) return "a language is missing";
  row.label = quantity.label;
  row.quantity = std::move(quantity);
  if (const Node* spellings = node.get("spellings"))
    for (const Node& spelling : spellings->items) {
      if (spelling.kind != Node::Kind::string || !units.known(spelling.text))
        return "a spelling that is no unit: " + in_quotes(spelling.text);
      row.spellings.push_back(spelling.text);
    }
  row.share = text_of(node.get("share"));
  return {};
}

void read_quantities(const std::string& path, Catalogue& out, Diagnostics& errors) {
  DataFile file(path, kReinstall, errors);
  const auto root = file.read();
  if (!root) return;
  file.check(*root, "", kFile);
  const Node* table = root->get("quantity");
  if (table == nullptr) return;
  for (const Member& member : table->members) {
    const std::string prefix = "quantity." + member.key;
    const bool clean = file.check(member.value, prefix, kRow);
    QuantityRow row;
    const std::string wrong = fill(member, out.units, row);
    if (wrong.empty())
      out.quantities.emplace(member.key, std::move(row));
    else if (clean)
      file.error(member, prefix, wrong);
  }
  for (const Member& member : table->members)
    if (const Node* share = member.value.get("share");
        share != nullptr && share->kind == Node::Kind::string && table->get(share->text) == nullptr)
      file.error(*share, "quantity." + member.key + ".share",
                 "there is no quantity " + in_quotes(share->text), out.suggestion(share->text));
}

}  // namespace

const QuantityRow* Catalogue::find(std::string_view name) const {
  const auto found = quantities.find(name);
  return found == quantities.end() ? nullptr : &found->second;
}

std::string Catalogue::suggestion(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& [key, row] : quantities) names.push_back(key);
  // "temperature" is not near to any name by letters, and clear to a person.
  std::string containing;
  for (std::string_view known : names)
    if (name.size() >= 3 && known.find(name) != std::string_view::npos)
      containing += (containing.empty() ? "" : ", ") + std::string(known);
  if (!containing.empty()) return "choose one of: " + containing;
  return did_you_mean(name, names);
}

Catalogue read_catalogue(const std::filesystem::path& folder, Diagnostics& errors) {
  Catalogue out;
  DataFile units((folder / "units.toml").string(), kReinstall, errors);
  if (const auto root = units.read()) out.units.add(*root, units.name(), errors);
  read_quantities((folder / "quantities.toml").string(), out, errors);
  out.quality = read_quality_defaults(folder, out, errors);
  return out;
}

}  // namespace gerbang::config
