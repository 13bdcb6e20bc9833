// SPDX-License-Identifier: Apache-2.0
#include "config/standards.hpp"

#include <algorithm>
#include <functional>
#include <system_error>

#include "config/check.hpp"

namespace gerbang::config {
namespace {

using namespace indicator;
using Node = config::Node;

constexpr std::string_view kReinstall =
    "correct the file if it is yours; else install the package again, or set GERBANG_DATA";

std::string text_of(const Node* node) {
  return node != nullptr && node->kind == Node::Kind::string ? node->text : std::string();
}

std::optional<double> number_of(const Node* node) {
  if (node == nullptr || (node->kind != Node::Kind::integer && node->kind != Node::Kind::number))
    return std::nullopt;
  return node->number;
}

std::vector<std::string> texts_of(const Node* node) {
  std::vector<std::string> out;
  if (node != nullptr)
    for (const Node& item : node->items)
      if (item.kind == Node::Kind::string) out.push_back(item.text);
  return out;
}

std::optional<Confidence> tag_of(const Node* node) {
  const std::string text = text_of(node);
  for (Confidence tag : {Confidence::a, Confidence::b, Confidence::c, Confidence::m})
    if (text == indicator::name(tag)) return tag;
  return std::nullopt;
}

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
    if (const Node* list = root_.get("steps"))
      for (const Node& item : list->items) out_.steps.push_back(number_of(&item).value_or(0));
    each("breakpoint", [this](const Node& row) { breakpoint(row); });
    each("limit", [this](const Node& row) { limit(row); });
    each("level", [this](const Node& row) { level(row); });
    each("convert", [this](const Node& row) { convert(row); });
    for (const std::string& quantity : texts_of(root_.get("quantities"))) {
      out_.quantities.push_back(quantity);
      known(root_, quantity);
    }
    out_.witness = text_of(root_.get("witness"));
    if (!out_.witness.empty()) known(root_, out_.witness);
    complete();
    return std::move(out_);
  }

 private:
  void error(const Node& at, std::string key, std::string what) {
    errors_.push_back(
        {file_, at.line, at.column, std::move(key), std::move(what), std::string(kReinstall)});
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

  bool known(const Node& at, const std::string& quantity) {
    if (catalogue_.find(quantity) != nullptr) return true;
    if (!catalogue_.quantities.empty())
      error(at, "quantity", "there is no quantity " + in_quotes(quantity));
    return false;
  }

  // Rows are in the canonical unit, so that nobody has to convert a limit in the head.
  void unit(const Node& row, const std::string& quantity, const std::string& unit) {
    if (!known(row, quantity)) return;
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

  Label label(const Node& at, const Node* node) {
    Label out;
    if (node != nullptr) out = Label{text_of(node->get("ind")), text_of(node->get("eng"))};
    if (out.ind.empty() || out.eng.empty()) error(at, "label", "a language is missing");
    return out;
  }

  void head() {
    out_.file = file_;
    out_.family = text_of(root_.get("id"));
    if (!valid_id(out_.family)) error(root_, "id", "is not an id");
    out_.id = out_.family;
    out_.aliases = texts_of(root_.get("aliases"));
    out_.title = label(root_, root_.get("title"));
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
      out.label = label(row, row.get("label"));
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
    if (const Node* list = row.get("bounds"))
      for (const Node& item : list->items) out.bounds.push_back(number_of(&item).value_or(0));
    double before = 0;
    for (double bound : out.bounds) {
      if (bound <= before) error(row, "bounds", "do not ascend from above 0");
      before = bound;
    }
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
    out.relative_to = text_of(row.get("relative_to"));
    if (!out.relative_to.empty()) known(row, out.relative_to);
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
    auto value = bound(row, "from", "above", out.itself);
    if (!value) {
      value = bound(row, "upto", "below", out.itself);
      out.falling = true;
    }
    if (!value) error(row, "from", "no bound: write from, above, upto or below");
    out.bound = value.value_or(0);
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    const std::string name = text_of(row.get("category"));
    for (std::size_t i = 0; i < out_.categories.size(); ++i)
      if (out_.categories[i].name == name) out.category = i;
    if (out.category == 0 && out_.method == Method::levels)
      error(row, "category", in_quotes(name) + " is not a category above the first");
    out_.levels.push_back(std::move(out));
  }

  void convert(const Node& row) {
    Conversion out;
    out.from = text_of(row.get("from"));
    out.to = text_of(row.get("to"));
    out.factor = number_of(row.get("factor")).value_or(0);
    if (out.factor == 0) error(row, "factor", "is missing");
    out.tag = tag(row);
    out.note = text_of(row.get("note"));
    if (known(row, out.from) && known(row, out.to)) out_.conversions.push_back(std::move(out));
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

std::optional<Node> parse(const std::filesystem::path& path, Diagnostics& errors) {
  std::string why;
  const auto content = read_file(path.string(), kMaxFileBytes, why);
  if (content) return parse_toml(*content, path.string(), 0, errors);
  errors.push_back(
      {path.string(), 1, 1, "file", "cannot be read: " + why, std::string(kReinstall)});
  return std::nullopt;
}

// Limits of another standard: of the same variant where both have one, else of its default.
// How it treats a lower side may be less sure than the limit.
struct Against {
  std::string name;
  std::optional<Confidence> rule_tag;
};
void borrow(std::vector<Standard>& all, const std::vector<Against>& against, Diagnostics& errors) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (against[i].name.empty()) continue;
    const Standard* lender = nullptr;
    if (!all[i].variant.empty()) lender = find(all, against[i].name, all[i].variant);
    if (lender == nullptr) lender = find(all, against[i].name);
    if (lender == nullptr || lender->limits.empty()) {
      errors.push_back({all[i].file, 1, 1, "against",
                        in_quotes(against[i].name) + " is not a standard with limits",
                        std::string(kReinstall)});
      continue;
    }
    std::vector<Limit> limits = lender->limits;
    for (Limit& limit : limits)
      if (limit.low && against[i].rule_tag) limit.tag = std::max(limit.tag, *against[i].rule_tag);
    all[i].limits = std::move(limits);
  }
}

void read_places(const std::filesystem::path& path, std::vector<Standard>& all,
                 Diagnostics& errors) {
  const auto root = parse(path, errors);
  if (!root) return;
  const Node* places = root->get("place");
  if (places == nullptr) return;
  for (const Member& member : places->members) {
    indicator::Place place;
    place.dimension = text_of(member.value.get("dimension"));
    place.sub_dimension = text_of(member.value.get("sub_dimension"));
    place.tag = tag_of(member.value.get("tag")).value_or(Confidence::m);
    if (const Node* list = member.value.get("iso"))
      for (const Node& row : list->items)
        place.iso.push_back({text_of(row.get("edition")), text_of(row.get("number")),
                             text_of(row.get("quantity")),
                             tag_of(row.get("tag")).value_or(Confidence::m)});
    bool used = false;
    for (Standard& standard : all)
      if (standard.family == member.key) {
        standard.place = place;
        used = true;
      }
    if (!used && !all.empty())
      errors.push_back({path.string(), member.line, member.column, "place." + member.key,
                        "there is no such standard", std::string(kReinstall)});
  }
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
                      "cannot be read: " + failed.message(), std::string(kReinstall)});
  std::sort(files.begin(), files.end());
  std::vector<Standard> out;
  std::vector<Against> against;
  for (const std::filesystem::path& file : files) {
    const auto root = parse(file, errors);
    if (!root) continue;
    std::vector<std::string> variants = {""};
    if (const Node* table = root->get("variants")) variants = texts_of(table->get("names"));
    for (const std::string& variant : variants) {
      Standard standard = Reader(*root, file.string(), variant, catalogue, errors).read();
      if (find(out, standard.id) != nullptr)
        errors.push_back({file.string(), 1, 1, "id", "a second standard " + in_quotes(standard.id),
                          std::string(kReinstall)});
      out.push_back(std::move(standard));
      against.push_back({text_of(root->get("against")), tag_of(root->get("rule_tag"))});
    }
  }
  borrow(out, against, errors);
  read_places(folder / "smart-city.toml", out, errors);
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
