// SPDX-License-Identifier: Apache-2.0
#include "ctl/service.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gerbang::ctl {
namespace {

TEST(ServiceState, IsTheServicesFolderForItsConfigurationOnly) {
  EXPECT_EQ(service_state("/etc/gerbang/gerbang.toml"), "/var/lib/gerbang");
  EXPECT_EQ(service_state("/home/../etc/gerbang/./other.toml"), "/var/lib/gerbang");
  EXPECT_EQ(service_state("/home/me/gerbang.toml"), "");
  EXPECT_EQ(service_state("/etc/gerbang/conf.d/part.toml"), "");
}

TEST(LanguageOf, IsIndonesianWhereTheLocaleOfMessagesIs) {
  using Values = std::map<std::string, const char*>;
  const auto of = [](Values values) {
    return language_of([&](const char* name) { return values[name]; });
  };
  EXPECT_EQ(of({}), "eng");
  EXPECT_EQ(of({{"LANG", "id_ID.UTF-8"}}), "ind");
  EXPECT_EQ(of({{"LANG", "id"}}), "ind");
  EXPECT_EQ(of({{"LANG", "C.UTF-8"}}), "eng");
  EXPECT_EQ(of({{"LC_ALL", ""}, {"LC_MESSAGES", "en_GB.UTF-8"}, {"LANG", "id_ID"}}), "eng");
  EXPECT_EQ(of({{"LC_ALL", "id_ID"}, {"LANG", "en_GB"}}), "ind");
}

}  // namespace
}  // namespace gerbang::ctl
