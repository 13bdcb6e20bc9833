// SPDX-License-Identifier: Apache-2.0
#include "config/quality_defaults.hpp"

#include <array>

#include "config/data_file.hpp"
#include "config/quantities.hpp"

namespace gerbang::config {
namespace {

constexpr std::string_view kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";

constexpr std::array<DataKey, 8> kFile = {{{"version"},
                                           {"source"},
                                           {"valid_from", DataType::date},
                                           {"tag", DataType::tag},
                                           {"silence", DataType::table},
                                           {"quantity", DataType::table},
                                           {"related", DataType::rows},
                                           {"molar_mass", DataType::table}}};
constexpr std::array<DataKey, 2> kSilence = {
    {{"intervals", DataType::number}, {"least_s", DataType::number}}};
constexpr std::array<DataKey, 2> kQuantity = {
    {{"range", DataType::table}, {"expected", DataType::table}}};
constexpr std::array<DataKey, 2> kRange = {{{"low", DataType::number}, {"high", DataType::number}}};
constexpr std::array<DataKey, 3> kRelated = {
    {{"one"}, {"at_most"}, {"tolerance", DataType::number}}};

class Reader {
 public:
  Reader(std::string file, const Catalogue& catalogue, Diagnostics& errors)
      : file_(std::move(file), kReinstall, errors), catalogue_(catalogue) {}

  QualityDefaults read() {
    const auto root = file_.read();
    if (!root) return {};
    file_.check(*root, "", kFile);
    const Node* silence = root->get("silence");
    if (silence != nullptr && file_.check(*silence, "silence", kSilence)) {
      out_.silence_intervals = static_cast<std::int64_t>(number(*silence, "silence", "intervals"));
      out_.silence_least_ms =
          static_cast<std::int64_t>(number(*silence, "silence", "least_s") * 1000);
    }
    if (const Node* quantities = root->get("quantity"))
      for (const Member& member : quantities->members) {
        const std::string prefix = "quantity." + member.key;
        known(member, prefix, member.key);
        if (!file_.check(member.value, prefix, kQuantity)) continue;
        QualityDefaults::Quantity& one = out_.quantities[member.key];
        one.range = range(member.value.get("range"), prefix + ".range");
        one.expected = range(member.value.get("expected"), prefix + ".expected");
      }
    if (const Node* related = root->get("related"))
      for (const Node& item : related->items) {
        if (!file_.check(item, "related", kRelated)) continue;
        QualityDefaults::Related one;
        one.one = quantity(item, "one");
        one.at_most = quantity(item, "at_most");
        one.tolerance = number(item, "related", "tolerance");
        out_.related.push_back(std::move(one));
      }
    if (const Node* masses = root->get("molar_mass"))
      for (const Member& member : masses->members) {
        known(member, "molar_mass." + member.key, member.key);
        out_.molar_masses[member.key] = number(*masses, "molar_mass", member.key);
      }
    return std::move(out_);
  }

 private:
  // Of a catalogue that could not be read nothing is asked: that has been said.
  template <class At>
  void known(const At& at, std::string key, const std::string& quantity) {
    if (catalogue_.quantities.empty() || catalogue_.find(quantity) != nullptr) return;
    file_.error(at, std::move(key), "there is no quantity " + in_quotes(quantity),
                catalogue_.suggestion(quantity));
  }
  double number(const Node& table, const std::string& prefix, const std::string& key) {
    const Node* node = table.get(key);
    if (const auto out = number_of(node)) return *out;
    file_.error(node != nullptr ? *node : table, prefix + "." + key, "is no number");
    return 0;
  }
  std::string quantity(const Node& table, const std::string& key) {
    const Node* node = table.get(key);
    if (node == nullptr)
      file_.error(table, "related." + key, "is missing");
    else
      known(*node, "related." + key, node->text);
    return text_of(node);
  }
  std::optional<quality::Range> range(const Node* node, const std::string& prefix) {
    if (node == nullptr || !file_.check(*node, prefix, kRange)) return std::nullopt;
    quality::Range out;
    out.low = number_of(node->get("low"));
    out.high = number_of(node->get("high"));
    if (!out.low && !out.high) file_.error(*node, prefix, "neither low nor high");
    if (out.low && out.high && *out.low >= *out.high)
      file_.error(*node, prefix, "low is not below high", "exchange them");
    return out;
  }

  DataFile file_;
  const Catalogue& catalogue_;
  QualityDefaults out_;
};

}  // namespace

QualityDefaults read_quality_defaults(const std::filesystem::path& folder,
                                      const Catalogue& catalogue, Diagnostics& errors) {
  return Reader((folder / "quality.toml").string(), catalogue, errors).read();
}

}  // namespace gerbang::config
