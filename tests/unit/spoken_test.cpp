// SPDX-License-Identifier: Apache-2.0
#include "core/spoken.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/mqtt_code.hpp"

namespace gerbang {
namespace {

TEST(Spoken, EveryReasonHasASentenceOfItsOwnInBothLanguages) {
  for (const char* language : {"ind", "eng"}) {
    std::set<std::string_view> texts;
    for (unsigned i = 1; i < kReasonCount; ++i) {
      const auto text = spoken(*reason_of(i), language);
      EXPECT_NE(text, "") << i;
      EXPECT_TRUE(texts.insert(text).second) << text;
    }
  }
  EXPECT_EQ(spoken(Reason::none, "ind"), "");
  EXPECT_EQ(spoken(Reason::no_connection, "ind"), "tidak tersambung ke alat");
}

TEST(Spoken, TroubleIsSaidInIndonesianAndNamesStay) {
  EXPECT_EQ(spoken("connection refused", "ind"), "sambungan ditolak");
  EXPECT_EQ(spoken("no connection: 10.0.0.1:502: Connection refused; trying again for ever", "ind"),
            "tidak ada sambungan: 10.0.0.1:502: sambungan ditolak; terus dicoba lagi");
  EXPECT_EQ(spoken("host name no-connection.example: name or service not known", "ind"),
            "nama host no-connection.example: nama tidak dikenal");
  EXPECT_EQ(spoken(mqtt_code_text(0x87), "ind"), "tidak diberi izin (kode MQTT 0x87)");
  EXPECT_EQ(spoken("unsuccessful", "ind"), "unsuccessful");
  EXPECT_EQ(spoken("successor", "ind"), "successor");
}

TEST(Spoken, EnglishAndWhatNobodyKnowsStayAsTheyAre) {
  EXPECT_EQ(spoken("connection refused", "eng"), "connection refused");
  EXPECT_EQ(spoken("something odd", "ind"), "something odd");
  EXPECT_EQ(spoken("", "ind"), "");
}

}  // namespace
}  // namespace gerbang
