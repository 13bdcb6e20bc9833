// SPDX-License-Identifier: Apache-2.0
#include "ctl/service.hpp"

#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

TEST(ServiceState, IsTheServicesFolderForItsConfigurationOnly) {
  EXPECT_EQ(service_state("/etc/gerbang/gerbang.toml"), "/var/lib/gerbang");
  EXPECT_EQ(service_state("/home/../etc/gerbang/./other.toml"), "/var/lib/gerbang");
  EXPECT_EQ(service_state("/home/me/gerbang.toml"), "");
  EXPECT_EQ(service_state("/etc/gerbang/conf.d/part.toml"), "");
}

}  // namespace
}  // namespace gerbang::ctl
