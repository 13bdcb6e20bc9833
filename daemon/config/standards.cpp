// SPDX-License-Identifier: Apache-2.0
#include "config/standards.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include "config/check.hpp"
#include "config/data_file.hpp"
#include "config/smart_city.hpp"
#include "config/standard_keys.hpp"

namespace gerbang::config {
namespace {

using namespace indicator;
using Node = config::Node;

// One file, once for each of its variants.
class Reader {
 public:
  Reader(const Node& root, std::string file, std::string variant, const Catalogue& catalogue,
         Diagnostics& errors)
      : root_(root),
        file_(std::move(file)),
        variant_(std::move(variant)),
        catalogue_(catalogue),
        errors_(errors) {}

  Standard read() {
    head();
    categories();
    if (const Node* list = root_.get("steps")) {
      out_.steps = numbers_of(*list);
      if (!ascends(out_.steps)) error(*list, "steps", "do not ascend from above 0");
    }
    each("breakpoint", [this](const Node& row) { breakpoint(row); });
    each("limit", [this](const Node& row) { limit(row); });
    each("level", [this](const Node& row) { level(row); });
    each("convert", [this](const Node& row) { convert(row); });
    if (const Node* list = root_.get("quantities"))
      for (const Node& item : list->items) {
        out_.quantities.push_back(item.text);
        known(item, "quantities", item.text);
      }
    out_.witness = named(root_, "witness");
    complete();
    return std::move(out_);
  }

 private:
  void error(const Node& at, std::string key, std::string what,
             std::string remedy = std::string(kCorrectTable)) {
    errors_.push_back(
        {file_, at.line, at.column, std::move(key), std::move(what), std::move(remedy)});
  }

  static bool ascends(const std::vector<double>& numbers) {
    double before = 0;
    for (double number : numbers)
      if (number <= std::exchange(before, number)) return false;
    return true;
  }

  void each(std::string_view key, const std::function<void(const Node&)>& take) {
    if (const Node* list = root_.get(key))
      for (const Node& row : list->items) take(row);
  }

  // The value of a key; a table of variants gives that of the variant.
  const Node* get(const Node& row, std::string_view key) const {
    const Node* node = row.get(key);
    if (node == nullptr || variant_.empty() || node->kind != Node::Kind::table) return node;
    return node->get(variant_);
  }

  bool known(const Node& at, std::string key, const std::string& quantity) {
    if (catalogue_.find(quantity) != nullptr) return true;
    if (!catalogue_.quantities.empty())
      error(at, std::move(key), "there is no quantity " + in_quotes(quantity),
            catalogue_.suggestion(quantity));
    return false;
  }
  // The quantity under a key that need not be there.
  std::string named(const Node& row, const std::string& key) {
    const Node* node = row.get(key);
    if (node != nullptr) known(*node, key, text_of(node));
    return text_of(node);
  }

  // Rows are in the canonical unit, so that nobody has to convert a limit in the head.
  void unit(const Node& row, const std::string& quantity, const std::string& unit) {
    const Node* name = row.get("quantity");
    if (!known(name != nullptr ? *name : row, "quantity", quantity)) return;
    const std::string& canonical = catalogue_.find(quantity)->quantity->unit;
    if (unit != canonical)
      error(row, "unit",
            in_quotes(unit) + " is not the unit of " + quantity + ", " + in_quotes(canonical));
  }

  Confidence tag(const Node& row) {
    const auto found = tag_of(get(row, "tag"));
    if (!found) error(row, "tag", "no tag of confidence: A, B, C or M");
    return found.value_or(Confidence::m);
  }

  Label label(const Node& row, const std::string& key) {
    Label out;
    const Node* node = row.get(key);
    if (node != nullptr) out = Label{text_of(node->get("ind")), text_of(node->get("eng"))};
    if (out.ind.empty() || out.eng.empty())
      error(node != nullptr ? *node : row, key, "a language is missing");
    return out;
  }

  void head() {
    out_.file = file_;
    out_.family = text_of(root_.get("id"));
    if (!valid_id(out_.family)) error(root_, "id", "is not an id");
    out_.id = out_.family;
    out_.aliases = texts_of(root_.get("aliases"));
    out_.title = label(root_, "title");
    out_.version = text_of(root_.get("version"));
    out_.source = text_of(root_.get("source"));
    out_.valid_from = text_of(root_.get("valid_from"));
    out_.note = text_of(root_.get("note"));
    for (const auto& [key, text] :
         {std::pair("version", &out_.version), std::pair("source", &out_.source),
          std::pair("valid_from", &out_.valid_from)})
      if (text->empty()) error(root_, key, "is missing");
    if (const auto method = method_of(text_of(root_.get("method"))))
      out_.method = *method;
    else
      error(root_, "method", "no such method");
    std::string window = text_of(get(root_, "window"));
    if (!variant_.empty()) {
      const Node& variants = *root_.get("variants");
      out_.variant = variant_;
      out_.variant_key = text_of(variants.get("key"));
      out_.id += "-" + text_of(variants.get("prefix")) + variant_;
      out_.is_default = text_of(variants.get("default")) == variant_;
      if (variants.get("window") != nullptr) window = text_of(get(variants, "window"));
    }
    if (const auto averaging = averaging_of(window))
      out_.averaging = *averaging;
    else
      error(root_, "window", "has to be hours such as \"24h\" or local days such as \"1d\"");
    if (const Node* statistic = root_.get("statistic")) {
      if (const auto known = statistic_of(text_of(statistic)))
        out_.statistic = *known;
      else
        error(*statistic, "statistic", "no such statistic");
    }
    out_.unit = text_of(root_.get("unit"));
    if (const Node* decimals = root_.get("decimals"))
      out_.decimals = static_cast<unsigned>(std::clamp<std::int64_t>(decimals->integer, 0, 9));
    out_.factor = number_of(root_.get("factor")).value_or(1);
  }

  void categories() {
    each("category", [this](const Node& row) {
      Category out;
      out.name = text_of(row.get("name"));
      out.label = label(row, "label");
      out.colour = text_of(row.get("colour"));
      if (const auto upto = number_of(row.get("upto"))) out.upto = *upto;
      if (out.name.empty()) error(row, "name", "is missing");
      if (!out_.categories.empty() && out.upto < out_.categories.back().upto)
        error(row, "upto", "does not come after that of the category before");
      out_.categories.push_back(std::move(out));
    });
  }

  void breakpoint(const Node& row) {
    Breakpoints out;
    out.quantity = text_of(row.get("quantity"));
    out.unit = text_of(row.get("unit"));
    unit(row, out.quantity, out.unit);
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    if (const Node* list = row.get("bounds")) out.bounds = numbers_of(*list);
    if (!ascends(out.bounds)) error(row, "bounds", "do not ascend from above 0");
    if (out.bounds.empty() || out.bounds.size() != out_.steps.size())
      error(row, "bounds", "have to be as many as steps");
    else
      out_.breakpoints.push_back(std::move(out));
  }

  // The number under one of two keys: that includes the bound itself, and that does not.
  std::optional<double> bound(const Node& row, std::string_view with, std::string_view without,
                              bool& itself) {
    const auto a = number_of(get(row, with)), b = number_of(get(row, without));
    if (a && b)
      error(row, std::string(with), "stands beside " + std::string(without) + "; keep one");
    itself = a.has_value();
    return a ? a : b;
  }

  void limit(const Node& row) {
    Limit out;
    out.quantity = text_of(row.get("quantity"));
    out.unit = text_of(row.get("unit"));
    out.low = bound(row, "low", "over", out.low_itself);
    out.high = bound(row, "high", "below", out.high_itself);
    unit(row, out.quantity, out.unit);
    if (!out.low && !out.high) {
      // No limit in this class.
      if (variant_.empty()) error(row, "high", "no limit: write high, below, low or over");
      return;
    }
    if (out.low && out.high && *out.low >= *out.high) error(row, "low", "is not below high");
    out.relative_to = named(row, "relative_to");
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    out_.limits.push_back(std::move(out));
  }

  void level(const Node& row) {
    Level out;
    out.quantity = text_of(row.get("quantity"));
    out.unit = text_of(row.get("unit"));
    if (out_.method != Method::difference || out.unit != out_.unit)
      unit(row, out.quantity, out.unit);
    else
      named(row, "quantity");
    auto value = bound(row, "from", "above", out.itself);
    if (!value) {
      value = bound(row, "upto", "below", out.itself);
      out.falling = true;
    }
    for (const char* key : {"upto", "below"})
      if (value && !out.falling && row.get(key) != nullptr)
        error(*row.get(key), key, "stands beside from or above; write a level of its own");
    if (!value) error(row, "from", "no bound: write from, above, upto or below");
    out.bound = value.value_or(0);
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    const std::string name = text_of(row.get("category"));
    for (std::size_t i = 0; i < out_.categories.size(); ++i)
      if (out_.categories[i].name == name) out.category = i;
    if (out.category == 0 && out_.method == Method::levels)
      error(row, "category", in_quotes(name) + " is not a category above the first");
    for (const Level& before : out_.levels)
      if (!in_order(before, out)) {
        error(row, "category", "is not in the order of the bounds of " + out.quantity,
              "bounds rise with the categories, or fall where upto or below is written");
        break;
      }
    out_.levels.push_back(std::move(out));
  }

  // Of one quantity a worse category begins farther out; a bound that is met only beyond itself
  // begins after one that includes itself.
  static bool in_order(const Level& a, const Level& b) {
    if (a.quantity != b.quantity || a.falling != b.falling || a.category == b.category) return true;
    const Level& mild = a.category < b.category ? a : b;
    const Level& worse = a.category < b.category ? b : a;
    if (mild.bound == worse.bound) return mild.itself && !worse.itself;
    return (worse.bound > mild.bound) != a.falling;
  }

  void convert(const Node& row) {
    Conversion out;
    out.from = text_of(row.get("from"));
    out.to = text_of(row.get("to"));
    out.factor = number_of(row.get("factor")).value_or(0);
    if (out.factor == 0) error(row, "factor", "is missing");
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    if (known(row, "from", out.from) && known(row, "to", out.to))
      out_.conversions.push_back(std::move(out));
  }

  void complete() {
    const bool judges = from_values(out_.method);
    if (judges && out_.categories.size() < 2) error(root_, "category", "fewer than two");
    if (out_.method == Method::breakpoints && out_.breakpoints.empty())
      error(root_, "breakpoint", "none");
    if ((out_.method == Method::limits || out_.method == Method::hours_outside) &&
        out_.limits.empty())
      error(root_, "limit", "none");
    if ((out_.method == Method::levels || out_.method == Method::count_over) && out_.levels.empty())
      error(root_, "level", "none");
    if ((out_.method == Method::amount || out_.method == Method::average) &&
        out_.quantities.empty())
      error(root_, "quantities", "none");
    if (out_.method == Method::difference &&
        (out_.quantities.size() != 2 || out_.categories.size() != 2 || out_.levels.size() != 1))
      error(root_, "quantities", "a difference is of a counter and a flow, with one level");
  }

  const Node& root_;
  std::string file_, variant_;
  const Catalogue& catalogue_;
  Diagnostics& errors_;
  Standard out_;
};

// Limits of another standard: of the same variant where both have one, else of its default.
// How it treats a lower side may be less sure than the limit.
struct Against {
  std::string name;
  unsigned line = 1, column = 1;
  std::optional<Confidence> rule_tag;
};
void borrow(std::vector<Standard>& all, const std::vector<Against>& against, Diagnostics& errors) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (against[i].name.empty()) continue;
    const Standard* lender = nullptr;
    if (!all[i].variant.empty()) lender = find(all, against[i].name, all[i].variant);
    if (lender == nullptr) lender = find(all, against[i].name);
    if (lender != nullptr && !lender->sound) {
      all[i].sound = false;
      continue;
    }
    if (lender == nullptr || lender->limits.empty()) {
      errors.push_back({all[i].file, against[i].line, against[i].column, "against",
                        in_quotes(against[i].name) + " is not a standard with limits",
                        suggest_standard(all, against[i].name)});
      all[i].sound = false;
      continue;
    }
    std::vector<Limit> limits = lender->limits;
    for (Limit& limit : limits)
      if (limit.low && against[i].rule_tag) limit.tag = std::max(limit.tag, *against[i].rule_tag);
    all[i].limits = std::move(limits);
  }
}

// A standard for each of its variants.
void read_table(const Node& root, DataFile& file, const Catalogue& catalogue,
                std::vector<Standard>& all, std::vector<Against>& against, Diagnostics& errors) {
  std::vector<std::string> variants;
  if (const Node* table = root.get("variants")) variants = texts_of(table->get("names"));
  const bool clean = check_standard_keys(root, variants, file);
  if (root.get("variants") == nullptr) variants = {""};
  Diagnostics found;
  const std::size_t first = all.size();
  for (const std::string& variant : variants) {
    Standard standard = Reader(root, file.name(), variant, catalogue, found).read();
    if (find(all, standard.id) != nullptr)
      found.push_back({file.name(), 1, 1, "id", "a second standard " + in_quotes(standard.id),
                       std::string(kCorrectTable)});
    all.push_back(std::move(standard));
    Against borrowed{text_of(root.get("against")), 1, 1, tag_of(root.get("rule_tag"))};
    if (const Node* node = root.get("against")) {
      borrowed.line = node->line;
      borrowed.column = node->column;
    }
    against.push_back(std::move(borrowed));
  }
  for (std::size_t i = first; i < all.size(); ++i) all[i].sound = clean && found.empty();
  // What a misspelt key leaves out is no second mistake, nor is one in each variant.
  if (!clean) return;
  std::set<std::string> said;
  for (Diagnostic& one : found)
    if (said.insert(text(one)).second) errors.push_back(std::move(one));
}

}  // namespace

std::vector<Standard> read_standards(const std::filesystem::path& folder,
                                     const Catalogue& catalogue, Diagnostics& errors) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "standards", failed))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  if (failed)
    errors.push_back({(folder / "standards").string(), 1, 1, "folder",
                      "cannot be read: " + failed.message(), std::string(kCorrectTable)});
  std::sort(files.begin(), files.end());
  std::vector<Standard> out;
  std::vector<Against> against;
  for (const std::filesystem::path& path : files) {
    DataFile file(path.string(), kCorrectTable, errors);
    const auto root = file.read();
    if (root) read_table(*root, file, catalogue, out, against, errors);
  }
  borrow(out, against, errors);
  read_places(folder / "smart-city.toml", catalogue, out, errors);
  return out;
}

std::string suggest_standard(const std::vector<Standard>& all, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Standard& standard : all) {
    names.push_back(standard.id);
    if (!standard.variant.empty() && standard.is_default) names.push_back(standard.family);
    for (const std::string& alias : standard.aliases)
      if (standard.is_default) names.push_back(alias);
  }
  return did_you_mean(name, names);
}

}  // namespace gerbang::config
