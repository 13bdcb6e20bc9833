// SPDX-License-Identifier: Apache-2.0
#include "config/standards.hpp"

#include <boost/json.hpp>
#include <cstdio>

#include "core/number_text.hpp"
#include "ctl/commands.hpp"
#include "ctl/table.hpp"
#include "ctl/tables.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using indicator::Standard;

json::object row_json(const std::string& quantity, const std::string& unit, std::string rule,
                      indicator::Confidence tag, const std::string& note) {
  return {{"quantity", quantity},
          {"unit", unit},
          {"rule", std::move(rule)},
          {"tag", indicator::name(tag)},
          {"note", note}};
}

std::string rule_of(const indicator::Breakpoints& row) {
  std::string out;
  for (double bound : row.bounds) out += (out.empty() ? "" : " ") + number_text(bound);
  return out;
}

std::string rule_of(const indicator::Level& row) {
  const char* sign =
      row.falling ? (row.itself ? "at most " : "below ") : (row.itself ? "from " : "above ");
  return sign + number_text(row.bound);
}

// One entry for each row of its tables, whatever the method.
json::array rows_of(const Standard& standard) {
  json::array out;
  for (const auto& row : standard.breakpoints)
    out.push_back(row_json(row.quantity, row.unit, rule_of(row), row.tag, row.note));
  for (const auto& row : standard.limits)
    out.push_back(row_json(row.quantity, row.unit, indicator::text(row), row.tag, row.note));
  for (const auto& row : standard.levels) {
    auto o = row_json(row.quantity, row.unit, rule_of(row), row.tag, row.note);
    if (row.category < standard.categories.size())
      o["category"] = standard.categories[row.category].name;
    out.push_back(std::move(o));
  }
  for (const auto& row : standard.conversions)
    out.push_back(row_json(row.from, "", "× " + number_text(row.factor) + " is " + row.to, row.tag,
                           row.note));
  return out;
}

json::object json_of(const Standard& standard) {
  json::object out{{"id", standard.id},
                   {"title", {{"ind", standard.title.ind}, {"eng", standard.title.eng}}},
                   {"version", standard.version},
                   {"source", standard.source},
                   {"valid_from", standard.valid_from},
                   {"method", indicator::name(standard.method)},
                   {"window", indicator::text(standard.averaging)},
                   {"unit", standard.unit},
                   {"note", standard.note},
                   {"file", standard.file}};
  out["aliases"] = json::array(standard.aliases.begin(), standard.aliases.end());
  json::array categories, iso;
  for (const auto& category : standard.categories) {
    json::object o{
        {"name", category.name}, {"ind", category.label.ind}, {"eng", category.label.eng}};
    if (category.upto < std::numeric_limits<double>::infinity()) o["upto"] = category.upto;
    if (!category.colour.empty()) o["colour"] = category.colour;
    categories.push_back(std::move(o));
  }
  for (const auto& row : standard.place.iso) {
    json::object o{
        {"edition", row.edition}, {"number", row.number}, {"tag", indicator::name(row.tag)}};
    if (!row.quantity.empty()) o["quantity"] = row.quantity;
    iso.push_back(std::move(o));
  }
  out["categories"] = std::move(categories);
  if (!standard.steps.empty())
    out["steps"] = json::array(standard.steps.begin(), standard.steps.end());
  out["rows"] = rows_of(standard);
  if (!standard.witness.empty()) out["witness"] = standard.witness;
  out["smart_dimension"] = standard.place.dimension;
  out["smart_sub_dimension"] = standard.place.sub_dimension;
  out["iso"] = std::move(iso);
  return out;
}

void print(const Standard& s, bool ind) {
  std::printf("%s: %s\n", s.id.c_str(), (ind ? s.title.ind : s.title.eng).c_str());
  Table head;
  head.add({ind ? "versi" : "version", s.version});
  head.add({ind ? "sumber" : "source", s.source});
  head.add({ind ? "berlaku sejak" : "valid from", s.valid_from});
  head.add({ind ? "jendela" : "window", indicator::text(s.averaging)});
  if (!s.note.empty()) head.add({ind ? "catatan" : "note", s.note});
  if (!s.place.dimension.empty()) {
    std::string iso;
    for (const auto& row : s.place.iso)
      iso += (iso.empty() ? "" : ", ") + row.edition + " " + row.number + " [" +
             std::string(indicator::name(row.tag)) + "]";
    head.add({"smart city", s.place.dimension + ", " + s.place.sub_dimension + " [" +
                                std::string(indicator::name(s.place.tag)) + "]"});
    if (!iso.empty()) head.add({"ISO", iso});
  }
  head.add({ind ? "berkas" : "file", s.file});
  head.print();
  if (!s.categories.empty()) std::printf("\n%s\n", ind ? "kategori" : "categories");
  Table categories;
  for (const auto& category : s.categories)
    categories.add({"  " + category.name, ind ? category.label.ind : category.label.eng,
                    category.upto < std::numeric_limits<double>::infinity()
                        ? (ind ? "sampai " : "up to ") + number_text(category.upto)
                        : ""});
  categories.print();
  std::printf("\n%s\n", ind ? "tabel (keyakinan: A diperiksa, B dua sumber, C satu, M ingatan)"
                            : "table (tags: A checked, B two sources, C one, M from memory)");
  Table table;
  for (const json::value& value : rows_of(s)) {
    const json::object& row = value.as_object();
    const auto text = [&](const char* key) { return std::string(row.at(key).as_string()); };
    const std::string category = row.contains("category") ? text("category") : "";
    table.add({"  [" + text("tag") + "]", text("quantity"), text("rule"), text("unit"), category,
               text("note")});
  }
  for (const std::string& quantity : s.quantities) table.add({"", quantity});
  if (!s.witness.empty())
    table.add({"", s.witness,
               ind ? "saksi: pembacaannya menunjukkan alatnya hidup"
                   : "witness: while it is read the device is alive"});
  table.print();
}

}  // namespace

int standards(const Common& common, const std::string& name, const std::string& variant) {
  const Tables tables = read_tables();
  const auto& all = tables.standards;
  const bool ind = common.language == "ind";
  if (!name.empty()) {
    const Standard* standard = indicator::find(all, name, variant);
    if (!usable(tables, standard)) return kConfig;
    if (standard == nullptr) {
      std::fprintf(stderr, "gerbangctl: there is no standard %s; %s\n",
                   config::in_quotes(name + (variant.empty() ? "" : " " + variant)).c_str(),
                   config::suggest_standard(all, name).c_str());
      return kNoInput;
    }
    if (common.json)
      std::puts(json::serialize(json_of(*standard)).c_str());
    else
      print(*standard, ind);
    return kOk;
  }
  const bool good = usable(tables, nullptr);
  if (common.json) {
    json::array out;
    for (const Standard& standard : all)
      if (standard.sound) out.push_back(json_of(standard));
    std::puts(json::serialize(out).c_str());
  } else {
    Table table;
    for (const Standard& s : all)
      if (s.sound) table.add({s.id, s.version, ind ? s.title.ind : s.title.eng});
    table.print();
  }
  return good ? kOk : kConfig;
}

}  // namespace gerbang::ctl
