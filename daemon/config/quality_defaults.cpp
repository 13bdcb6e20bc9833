// SPDX-License-Identifier: Apache-2.0
#include "config/quality_defaults.hpp"

#include "config/node.hpp"

namespace gerbang::config {
namespace {

constexpr const char* kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";

class Reader {
 public:
  Reader(std::string file, Diagnostics& errors) : file_(std::move(file)), errors_(errors) {}

  QualityDefaults read() {
    std::string why;
    auto content = read_file(file_, kMaxFileBytes, why);
    if (!content) {
      errors_.push_back({file_, 1, 1, "file", "cannot be read: " + why, kReinstall});
      return {};
    }
    auto root = parse_toml(*content, file_, 0, errors_);
    if (!root) return {};
    if (const Node* silence = root->get("silence")) {
      out_.silence_intervals = static_cast<std::int64_t>(number(*silence, "intervals"));
      out_.silence_least_ms = static_cast<std::int64_t>(number(*silence, "least_s") * 1000);
    }
    if (const Node* quantities = root->get("quantity"))
      for (const Member& member : quantities->members) {
        QualityDefaults::Quantity& one = out_.quantities[member.key];
        one.range = range(member.value.get("range"));
        one.expected = range(member.value.get("expected"));
      }
    if (const Node* related = root->get("related"))
      for (const Node& item : related->items) {
        QualityDefaults::Related one;
        one.one = text(item, "one");
        one.at_most = text(item, "at_most");
        one.tolerance = number(item, "tolerance");
        out_.related.push_back(std::move(one));
      }
    if (const Node* masses = root->get("molar_mass"))
      for (const Member& member : masses->members)
        out_.molar_masses[member.key] = number(*masses, member.key);
    return std::move(out_);
  }

 private:
  void wrong(const Node& at, std::string_view key, std::string what) {
    errors_.push_back({file_, at.line, at.column, std::string(key), std::move(what), kReinstall});
  }
  double number(const Node& table, std::string_view key) {
    const Node* node = table.get(key);
    if (node != nullptr && node->kind == Node::Kind::integer)
      return static_cast<double>(node->integer);
    if (node != nullptr && node->kind == Node::Kind::number) return node->number;
    wrong(node != nullptr ? *node : table, key, "is no number");
    return 0;
  }
  std::string text(const Node& table, std::string_view key) {
    const Node* node = table.get(key);
    if (node != nullptr && node->kind == Node::Kind::string) return node->text;
    wrong(node != nullptr ? *node : table, key, "is no text");
    return {};
  }
  std::optional<quality::Range> range(const Node* node) {
    if (node == nullptr) return std::nullopt;
    quality::Range out;
    if (node->get("low") != nullptr) out.low = number(*node, "low");
    if (node->get("high") != nullptr) out.high = number(*node, "high");
    if (!out.low && !out.high) wrong(*node, "range", "neither low nor high");
    return out;
  }

  std::string file_;
  Diagnostics& errors_;
  QualityDefaults out_;
};

}  // namespace

QualityDefaults read_quality_defaults(const std::filesystem::path& folder, Diagnostics& errors) {
  return Reader((folder / "quality.toml").string(), errors).read();
}

}  // namespace gerbang::config
