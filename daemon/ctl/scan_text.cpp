// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_text.hpp"

#include <cmath>

namespace gerbang::ctl {
namespace {

constexpr double kEarly = 2;  // seconds in which nothing is foretold

const char* either(std::string_view language, const char* ind, const char* eng) {
  return language == "ind" ? ind : eng;
}

}  // namespace

std::string time_left(std::chrono::milliseconds elapsed, double done, std::string_view language) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (!(done > 0) || done > 1 || seconds < kEarly) return {};
  const double left = seconds * (1 - done) / done;
  if (left >= 24 * 3600) return {};
  const bool minutes = left >= 120;
  const auto number = std::lround(std::ceil(minutes ? left / 60 : left));
  return either(language, "kira-kira ", "about ") + std::to_string(number) +
         (minutes ? either(language, " menit lagi", " min left")
                  : either(language, " detik lagi", " s left"));
}

std::string busy_port(const std::string& device, const std::string& driver,
                      const std::string& holder, std::string_view language) {
  const bool gateway = !driver.empty() || holder.find("(gerbang") != std::string::npos;
  const std::string who =
      !driver.empty()
          ? either(language, "gateway yang sedang berjalan memegang jalur ini (driver \"",
                   "the running gateway holds this line (driver \"") +
                driver + "\")"
          : device + either(language, " sedang dipegang ", " is held by ") + holder;
  if (gateway)
    return who + either(language,
                        "; hentikan dulu (sudo systemctl stop gerbang), cari, lalu jalankan lagi "
                        "(sudo systemctl start gerbang)",
                        "; stop it (sudo systemctl stop gerbang), search, and start it again (sudo "
                        "systemctl start gerbang)");
  return who + either(language,
                      "; dua program di satu jalur saling mengganggu: hentikan yang itu dulu",
                      "; two programs on one line garble each other: stop that one first");
}

std::string shared_host(const std::string& host, const std::string& driver,
                        std::string_view language) {
  return either(language, "gateway yang sedang berjalan juga membaca ",
                "the running gateway reads ") +
         host + either(language, " (driver \"", " as well (driver \"") + driver +
         either(language,
                "\"): pembacaannya bisa tertunda selama pencarian, dan alat yang hanya menerima "
                "satu sambungan menolak salah satu; jika demikian: sudo systemctl stop gerbang, "
                "cari, sudo systemctl start gerbang",
                "\"): its readings may be late while this search lasts, and a device that allows "
                "one connection refuses one of the two; then: sudo systemctl stop gerbang, search, "
                "sudo systemctl start gerbang");
}

std::string lonely_host(std::string_view language) {
  return either(language,
                "banyak alat hanya menerima satu sambungan: jika gateway yang berjalan membacanya, "
                "sudo systemctl stop gerbang, cari, sudo systemctl start gerbang",
                "many devices allow one connection only: if the running gateway reads it, sudo "
                "systemctl stop gerbang, search, sudo systemctl start gerbang");
}

std::string conclusion(const Outcome& outcome, std::string_view language) {
  if (outcome.found == 0)
    return either(language,
                  "Tidak ada yang ditemukan. Periksa catu daya, kabel A dan B, alamat, baud dan "
                  "paritas di buku petunjuk alat.\n",
                  "Nothing was found. Check the supply, wires A and B, the address, and the baud "
                  "rate and parity in the device's manual.\n");
  std::string out = std::to_string(outcome.found);
  out += either(language, " ditemukan. Tempel ke berkas konfigurasi, lalu: ",
                " found. Paste it into the configuration, then: ");
  out += "sudo gerbangctl check && sudo gerbangctl read --watch\n";
  if (outcome.unknown)
    out += either(language,
                  "Isi besaran, satuan dan skala; untuk alat yang dikenal (gerbangctl profiles) "
                  "ulangi dengan --profile NAMA.\n",
                  "Say what it measures; for a device that is known (gerbangctl profiles) search "
                  "again with --profile NAME, which knows its registers.\n");
  if (outcome.left)
    out +=
        either(language,
               "Sebelum check: isi kunci yang bertanda # di bawah [device.override...]; hanya di "
               "lokasi diketahui.\n",
               "Before check: write the keys marked # below [device.override...]; only the site "
               "knows them.\n");
  return out;
}

}  // namespace gerbang::ctl
