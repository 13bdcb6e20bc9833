// SPDX-License-Identifier: Apache-2.0
//
// The status page in a real browser: what a person reads after the script has run.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/http_client.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::http {
namespace {

using test::HttpServer;
using test::run_command;

// The page's text as the browser shows it, without tags, style and script.
std::string text_of_page(HttpServer& server, const std::string& query) {
  server.freeze();  // ages do not depend on how fast the browser starts
  test::TempDir home;
  auto dom = run_command(
      "timeout 50 chromium --headless --no-sandbox --disable-gpu --disable-background-networking "
      "--disable-component-update --disable-sync --no-first-run --disable-dev-shm-usage "
      "--user-data-dir=" +
      home.path().string() +
      " --window-size=390,844 --virtual-time-budget=3000 --dump-dom 'http://127.0.0.1:" +
      std::to_string(server.port()) + "/" + query + "' 2>/dev/null");
  EXPECT_EQ(dom.status, 0);
  std::string out;
  bool in_tag = false;
  std::size_t from = dom.out.find("<body"), to = dom.out.find("<noscript");
  for (char c : dom.out.substr(std::min(from, dom.out.size()), to - from)) {
    if (c == '<') out += ' ';
    if (c == '<' || c == '>')
      in_tag = c == '<';
    else if (!in_tag)
      out += c == '\n' ? ' ' : c;
  }
  auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };
  out.erase(std::unique(out.begin(), out.end(), both_blank), out.end());
  return out;
}

void expect_texts(const std::string& page, std::initializer_list<const char*> texts) {
  for (const char* text : texts)
    EXPECT_NE(page.find(text), std::string::npos) << "missing: " << text << "\n" << page;
}

TEST(StatusPage, ShowsIndonesianLabelsValuesUnitsAgesAndQuality) {
  HttpServer server{Options()};
  std::string page = text_of_page(server, "");
  expect_texts(
      page, {"ipa-bantimurung", "Instalasi pengolahan air", "Langsung", "14.03 WITA",
             "pH air baku 7,21", "Kekeruhan air baku 1.234,50 NTU", "meragukan: lonjakan",
             "buruk: di luar rentang", "Pompa 1 Hidup", "tidak ada data: alat tidak menjawab",
             "1 menit lalu", "detik lalu", "data lama", "waktu belum pasti", "2 baik", "1 buruk"});
}

TEST(StatusPage, SaysWhatHappenedToDriversAndUplinks) {
  HttpServer server{Options()};
  std::string page = text_of_page(server, "");
  expect_texts(
      page, {"Keadaan gerbang", "Perlu perhatian", "pembacaan tersimpan", "dihentikan sementara",
             "dihentikan oleh sinyal 11", "5 kali dimulai ulang", "terputus", "sambungan ditolak",
             "400 pesan menunggu", "tersambung", "tepercaya",
             "Driver rs485-a dihentikan sementara: five crashes", "something of no kind",
             "Perawatan pH air baku dimulai, selama 2 jam: Sari: buffer 7",
             "Perawatan unknown selesai, setelah 1 menit"});
}

TEST(StatusPage, SpeaksEnglishWhenAsked) {
  HttpServer server{Options()};
  std::string page = text_of_page(server, "?lang=eng");
  expect_texts(page, {"Live", "14:03 WITA", "Raw water turbidity 1,234.50 NTU", "suspect: spike",
                      "no data: the device does not answer", "400 messages wait",
                      "Driver rs485-a paused after crashes: five crashes",
                      "Maintenance of Raw water pH begins, for 2 hours: Sari: buffer 7",
                      "Maintenance of unknown has ended, after 1 minute"});
}

TEST(StatusPage, ExplainsEveryMarkInWords) {
  HttpServer server{Options()};
  server.with([](Snapshot& now) { now.sensors[0].newest->reason = Reason::maintenance; });
  expect_texts(
      text_of_page(server, ""),
      {"pH air baku 7,21 ⚙ perawatan", "1 perawatan", "Arti tanda mutu", "✓ baik Lulus semua uji",
       "! meragukan Tersimpan, tetapi diragukan",
       "Uji: di luar rentang, berubah terlalu cepat, lonjakan", "✕ buruk Tidak mungkin benar",
       "– tidak ada data Tidak ada angka. Sebab: alat tidak menjawab", "◷ data lama Angka terakhir",
       "⚙ perawatan Ada pekerjaan"});
  expect_texts(text_of_page(server, "?lang=eng"),
               {"What the marks mean", "✓ good Passed every test", "! suspect Stored, but doubted",
                "Tests: out of range", "✕ bad It cannot be true", "– no data There is no number.",
                "⚙ maintenance Somebody works"});
}

TEST(StatusPage, AsksForTheTokenAndShowsNothingWithoutIt) {
  Options options;
  options.token = "0123456789abcdef";
  HttpServer server{options};
  std::string page = text_of_page(server, "");
  expect_texts(page, {"English Kode akses Kode akses Gerbang ini meminta kode akses"});
  EXPECT_EQ(page.find("7,21"), std::string::npos);
}

TEST(StatusPage, KeepsTheLastDataAndSaysSoWhenTheGatewayIsGone) {
  HttpServer server{Options()};
  server.break_after(4);  // after the page, status, sensors, and the head of the stream
  std::string page = text_of_page(server, "");
  expect_texts(page, {"Terputus — data terakhir pukul 14.03 WITA", "pH air baku 7,21"});
}

TEST(StatusPage, FallsBackToPollingWhenAllStreamsAreTaken) {
  Options options;
  options.limits.streams = 0;
  HttpServer server{options};
  std::string page = text_of_page(server, "");
  expect_texts(page, {"Diperbarui tiap 5 detik", "pH air baku 7,21"});
}

}  // namespace
}  // namespace gerbang::http
