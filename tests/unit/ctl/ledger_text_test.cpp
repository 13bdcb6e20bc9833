// SPDX-License-Identifier: Apache-2.0
#include "ctl/ledger_text.hpp"

#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

TEST(LedgerText, ASilentDeviceIsNotCalledRejected) {
  const json::object readings{{"taken", 50},
                              {"stored", 12},
                              {"rejected", json::object{{"repeated", 33}, {"no_room", 2}}},
                              {"waitingForCommit", 3},
                              {"folded", 9},
                              {"waitingToBeFolded", 2},
                              {"notFolded", json::object{{"too_old", 1}}}};
  EXPECT_EQ(ledger_text("ledger", readings),
            "ledger: taken 50 = stored 12 + still missing 33 + rejected 2 + waiting for commit 3\n"
            "        stored 12 = folded 9 + to fold 2 + not folded 1\n");
}

TEST(LedgerText, WhatIsAbsentIsZero) {
  EXPECT_EQ(ledger_text("a", {}),
            "a: taken 0 = stored 0 + still missing 0 + rejected 0 + waiting for commit 0\n"
            "   stored 0 = folded 0 + to fold 0 + not folded 0\n");
}

}  // namespace
}  // namespace gerbang::ctl
