// SPDX-License-Identifier: Apache-2.0
#include "app/revision.hpp"

#include <gtest/gtest.h>

namespace gerbang::app {
namespace {

TEST(Revision, CountsConfigurationsThatDiffer) {
  const Revision first = revision_of("aa", std::nullopt);
  EXPECT_EQ(first.number, 1u);
  EXPECT_EQ(revision_of("aa", first.text()).number, 1u) << "the same after a restart";
  const Revision second = revision_of("bb", first.text());
  EXPECT_EQ(second.number, 2u);
  EXPECT_EQ(revision_of("aa", second.text()).number, 3u) << "back is another change";
}

TEST(Revision, BeginsAgainWhereNothingUsableWasKept) {
  for (const char* kept : {"", "7", "x aa", "-1 aa", "99999999999 aa"})
    EXPECT_EQ(revision_of("aa", kept).number, 1u) << kept;
}

}  // namespace
}  // namespace gerbang::app
