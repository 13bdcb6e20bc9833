// SPDX-License-Identifier: Apache-2.0
#include "ctl/status_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

std::string screen(const char* document, std::string_view language) {
  std::string out;
  for (const std::string& line : status_lines(json::parse(document).as_object(), language))
    out += line + "\n";
  return out;
}

constexpr const char* kStatus = R"({
  "gateway": "ipa-1", "region": "maros", "site": "ipa", "version": "0.1.0",
  "nowMs": 1000000000, "startedAtMs": 996400000, "clock": "TRUSTED", "status": "warn",
  "checks": [
    {"name": "store", "status": "pass", "text": "x", "textInd": "x", "textEng": "x"},
    {"name": "uplink:room", "status": "warn", "text": "Terputus", "textInd": "Terputus",
     "textEng": "Disconnected"}],
  "drivers": [{"name": "rs485", "plugin": "modbus", "state": "running", "restarts": 2,
    "lastError": "", "devices": [
      {"name": "unit-1", "id": "probe", "requests": {"ok": 9}, "lastAnswerMs": 999999000},
      {"name": "unit-2", "requests": {"ok": 5, "timeout": 7}, "lastAnswerMs": 999399000,
       "silentSinceMs": 999400000, "silentReason": "TIMEOUT"},
      {"name": "unit-3", "id": "flow", "requests": {"crc": 7},
       "silentSinceMs": 999400000, "silentReason": "CRC"}]}],
  "uplinks": [{"name": "room", "connected": false, "sinceMs": 999990000, "waiting": 4,
    "reason": "connection refused", "acknowledgedSequence": 12, "unheard": 1, "refused": 0}],
  "alarms": {"active": 1, "alarms": [{"id": "ph-low", "state": "RAISED", "severity": "HIGH",
    "textInd": "pH rendah", "textEng": "pH is low", "sinceMs": 999990000}]},
  "store": {"bytes": 1048576, "cap": 10485760, "degraded": false, "trouble": "",
    "lastCommitSeconds": 0.0125},
  "ledgerDifference": 0,
  "ledger": {"readings": {"taken": 42, "stored": 7, "rejected": {"removed": 1, "repeated": 33},
    "waitingForCommit": 1, "folded": 6, "waitingToBeFolded": 1, "notFolded": {}},
    "sensors": [], "journal": {"on": true, "trouble": ""}}
})";

TEST(StatusText, IsEnglishThroughout) {
  EXPECT_EQ(screen(kStatus, "eng"),
            "ipa-1  maros/ipa  version 0.1.0  up 60 min  clock TRUSTED\n"
            "state: warn\n"
            "  warn: uplink:room: Disconnected\n"
            "drivers:\n"
            "  rs485            modbus     running      2 restarts\n"
            "    unit-2: does NOT answer for 10 min: the device does not answer; last answer 10 "
            "min ago\n"
            "    flow (unit-3): does NOT answer for 10 min: damaged answer (CRC); never answered\n"
            "uplinks:\n"
            "  room             NOT connected for 10 s, 4 waiting, acknowledged to #12  connection "
            "refused\n"
            "                   nobody listened to 1 messages\n"
            "alarm: HIGH     ph-low  pH is low  for 10 s\n"
            "store: 1.0 of 10 MiB  last commit 12.5 ms  ledger difference 0\n"
            "ledger: taken 42 = stored 7 + still missing 33 + rejected 1 + waiting for commit 1\n"
            "        stored 7 = folded 6 + to fold 1 + not folded 0\n");
}

TEST(StatusText, IsIndonesianThroughout) {
  const std::string text = screen(kStatus, "ind");
  for (const char* said :
       {"keadaan: perlu perhatian", "perlu perhatian: uplink:room: Terputus", "berjalan 60 menit",
        "2 kali dimulai ulang", "unit-2: TIDAK menjawab selama 10 menit: alat tidak menjawab",
        "TIDAK tersambung selama 10 detik, 4 menunggu", "sambungan ditolak", "pH rendah",
        "buku besar: diambil 42 = tersimpan 7 + masih hilang 33 + ditolak 1",
        "1 pesan tanpa pendengar"})
    EXPECT_THAT(text, HasSubstr(said));
  for (const char* english : {"connected", "refused", "running", "waiting", "state:", "stored",
                              "Disconnected", "answer", "for "})
    EXPECT_THAT(text, Not(HasSubstr(english)));
}

TEST(StatusText, SaysWhatItKnowsOfADocumentThatLacksParts) {
  EXPECT_THAT(screen("{}", "eng"), HasSubstr("state: "));
  EXPECT_THAT(screen(R"({"drivers": 7, "uplinks": [1], "store": [], "ledger": 1})", "eng"),
              HasSubstr("uplinks:"));
}

}  // namespace
}  // namespace gerbang::ctl
