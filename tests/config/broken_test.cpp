// SPDX-License-Identifier: Apache-2.0
//
// Every file of tests/data/config says at its end what must be said of it, line by line:
// "#! LINE:COLUMN: key: what; remedy" for errors and "#~ …" for warnings, in this order.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "config/fixture.hpp"
#include "config/load.hpp"

namespace gerbang::config {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(GERBANG_SOURCE_DIR) / "tests/data/config";

std::vector<std::string> files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    if (entry.path().extension() == ".toml") out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> expected(const std::filesystem::path& file, std::string_view mark) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(mark)) out.push_back(line.substr(mark.size()));
  return out;
}

// Without the folder of the test data, and without the file itself where it is the main file.
std::vector<std::string> said(const Diagnostics& diagnostics, const std::string& name) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::string line = text(diagnostic);
    const std::string folder = kFolder.string() + "/";
    for (std::size_t at; (at = line.find(folder)) != std::string::npos;)
      line.erase(at, folder.size());
    const std::string self = name + ".toml:";
    out.push_back(line.starts_with(self) ? line.substr(self.size()) : line);
  }
  return out;
}

std::string joined(const std::vector<std::string>& lines, const std::string& mark) {
  std::string out;
  for (const std::string& line : lines) out += mark + line + "\n";
  return out;
}

class BrokenFile : public testing::TestWithParam<std::string> {};

TEST_P(BrokenFile, SaysEveryMistakeAtOnceWithItsPlace) {
  const auto file = kFolder / (GetParam() + ".toml");

  const LoadResult result = load(file, test::context());

  EXPECT_EQ(joined(said(result.errors, GetParam()), "#! "), joined(expected(file, "#! "), "#! "));
  EXPECT_EQ(joined(said(result.warnings, GetParam()), "#~ "), joined(expected(file, "#~ "), "#~ "));
  EXPECT_EQ(result.config.has_value(), expected(file, "#! ").empty());
}

INSTANTIATE_TEST_SUITE_P(Table, BrokenFile, testing::ValuesIn(files()), [](const auto& each) {
  std::string name = each.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(BrokenFiles, AreManyAndMostHaveSeveralMistakes) {
  std::size_t mistakes = 0, several = 0;
  for (const std::string& name : files()) {
    const std::size_t count = expected(kFolder / (name + ".toml"), "#! ").size();
    mistakes += count;
    several += count > 1 ? 1 : 0;
  }
  EXPECT_GE(files().size(), 20u);
  EXPECT_GE(several, 18u);
  EXPECT_GE(mistakes, 100u);
}

}  // namespace
}  // namespace gerbang::config
