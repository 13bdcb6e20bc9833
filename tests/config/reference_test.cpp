// SPDX-License-Identifier: Apache-2.0
#include "config/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/check.hpp"
#include "config/fixture.hpp"
#include "config/load.hpp"
#include "config/profiles.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

const std::filesystem::path kConfig = std::filesystem::path(GERBANG_SOURCE_DIR) / "config";

std::string content(const std::filesystem::path& path) {
  std::string why;
  return read_file(path.string(), kMaxFileBytes, why).value_or("cannot be read: " + why);
}

TEST(Reference, PageIsWhatTheKeyTableRenders) {
  Diagnostics errors;
  EXPECT_EQ(content(kConfig / "README.md"), reference_page(read_catalogue(kConfig, errors)))
      << "write it anew: GERBANG_DATA=config build/dev/bin/gerbang_config_reference page > "
         "config/README.md";
  EXPECT_TRUE(errors.empty());
}

TEST(Reference, DefaultFileIsWhatTheKeyTableRenders) {
  EXPECT_EQ(content(kConfig / "gerbang.toml"), default_file())
      << "write it anew: build/dev/bin/gerbang_config_reference file > config/gerbang.toml";
}

TEST(Reference, DefaultFileIsValidAsItStands) {
  const auto result = load(kConfig / "gerbang.toml", test::context());

  for (const Diagnostic& error : result.errors) ADD_FAILURE() << text(error);
  EXPECT_TRUE(result.warnings.empty());
}

// What a technician gets by removing a "#".
TEST(Reference, EverySettingOfTheDefaultFileIsValidByItself) {
  const std::string file = default_file();
  std::string section;
  std::size_t checked = 0;
  for (std::size_t at = 0; at < file.size();) {
    std::string line = file.substr(at, file.find('\n', at) - at);
    at += line.size() + 1;
    if (line.starts_with("# ") || line.empty()) continue;
    if (line.starts_with("#")) line.erase(0, 1);
    if (line.front() == '[') {
      section = line.substr(line.find_last_of('[') + 1);
      section.erase(section.find(']'));
      continue;
    }
    Diagnostics errors;
    const auto root = parse_toml(line, "line", 0, errors);
    ASSERT_TRUE(root.has_value()) << line;
    const Member& member = root->members.at(0);
    if (find_section(section) != nullptr && find_section(section)->open) continue;
    const Key* key = find_key(section, member.key);
    ASSERT_NE(key, nullptr) << section << ": " << line;
    const bool table = key->type == Type::table || key->type == Type::label;
    if (!table) {
      EXPECT_TRUE(std::holds_alternative<Value>(parse_value(*key, member.value))) << line;
    } else {
      EXPECT_EQ(member.value.kind, Node::Kind::table) << line;
    }
    ++checked;
  }
  EXPECT_GE(checked, 50u);
}

TEST(KeyTable, IsConsistent) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Key& key : keys()) {
    const std::string name = std::string(key.section) + "." + std::string(key.name);
    EXPECT_TRUE(seen.emplace(key.section, key.name).second) << name;
    EXPECT_NE(find_section(key.section), nullptr) << name;
    EXPECT_FALSE(key.doc.empty()) << name;
    EXPECT_FALSE(key.doc.ends_with('.')) << name;
    EXPECT_FALSE(key.required && !key.fallback.empty()) << name;
    EXPECT_EQ(key.type == Type::choice, !key.choices.empty()) << name;
    if (!key.fallback.empty() && key.type != Type::table) {
      EXPECT_TRUE(fallback_value(key).has_value()) << name;
    }
    if (key.type == Type::table) {
      EXPECT_NE(find_section(name), nullptr) << name;
    }
  }
}

// tests/config/fixture.hpp speaks for the drivers; the end-to-end tests run these with the real
// ones.
TEST(Examples, AreTomlAndNameQuantitiesThatExist) {
  Diagnostics errors;
  const Catalogue catalogue = read_catalogue(kConfig, errors);
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfig / "examples")) {
    const auto root = parse_toml(content(entry.path()), entry.path().string(), 0, errors);
    ASSERT_TRUE(root.has_value()) << entry.path();
    const Node *sensors = root->get("sensor"), *devices = root->get("device");
    ASSERT_TRUE(sensors != nullptr || devices != nullptr) << entry.path();
    for (const Node& sensor : sensors != nullptr ? sensors->items : std::vector<Node>{})
      EXPECT_NE(catalogue.find(sensor.get("quantity")->text), nullptr) << entry.path();
    const auto profiles = profile_names(kConfig / "profiles");
    for (const Node& device : devices != nullptr ? devices->items : std::vector<Node>{})
      EXPECT_THAT(profiles, testing::Contains(device.get("profile")->text)) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 2u);
  EXPECT_TRUE(errors.empty());
}

}  // namespace
}  // namespace gerbang::config
