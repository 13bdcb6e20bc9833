// SPDX-License-Identifier: Apache-2.0
#include "core/spoken.hpp"

#include <array>
#include <cctype>

namespace gerbang {
namespace {

struct Text {
  std::string_view eng, ind;
};

// By the number of the reason.
constexpr std::array kReasonTexts{
    Text{},
    Text{"the device does not answer", "alat tidak menjawab"},
    Text{"damaged answer (CRC)", "jawaban rusak (CRC)"},
    Text{"the device refuses", "alat menolak permintaan"},
    Text{"out of range", "di luar rentang"},
    Text{"has not changed for too long", "tidak berubah terlalu lama"},
    Text{"maintenance", "perawatan"},
    Text{"no connection to the device", "tidak tersambung ke alat"},
    Text{"answer does not fit", "jawaban tidak cocok"},
    Text{"not a number", "bukan angka"},
    Text{"the driver is not running", "driver tidak berjalan"},
    Text{"spike", "lonjakan"},
    Text{"changes too fast", "berubah terlalu cepat"},
    Text{"old data", "data lama"},
    Text{"contradicts another sensor", "bertentangan dengan sensor lain"},
    Text{"warming up", "pemanasan"},
    Text{"the device reports a fault", "alat melaporkan gangguan"},
    Text{"no target", "tidak ada sasaran"},
    Text{"waiting for the device to answer again", "menunggu alat menjawab kembali"},
    Text{"cannot be converted", "angka tidak dapat diubah"},
    Text{"beyond the points of its calibration", "di luar titik kalibrasi"},
};
static_assert(kReasonTexts.size() == kReasonCount);

constexpr std::array kPhrases{
    Text{"not connected yet", "belum tersambung"},
    Text{"the connection was lost", "sambungan terputus"},
    Text{"the connection was closed before the broker answered; is it an MQTT broker?",
         "sambungan ditutup sebelum broker menjawab; apakah itu broker MQTT?"},
    Text{"the connection failed, although the broker's port is open",
         "sambungan gagal, padahal port broker terbuka"},
    Text{"no answer from the broker", "broker tidak menjawab"},
    Text{"the broker acknowledges nothing any more", "broker tidak lagi mengakui pesan"},
    Text{"the connection ended each time it was sent",
         "sambungan terputus setiap kali pesan ini dikirim"},
    Text{"the broker's certificate has expired", "sertifikat broker sudah kedaluwarsa"},
    Text{"the broker's certificate is not signed by an authority in ca_file",
         "sertifikat broker tidak ditandatangani otoritas dalam ca_file"},
    Text{"the broker's certificate is not signed by an authority that this machine knows; name the "
         "broker's own authority in ca_file",
         "sertifikat broker tidak ditandatangani otoritas yang dikenal mesin ini; tulis otoritas "
         "milik broker dalam ca_file"},
    Text{"the broker's certificate is not valid yet or damaged; is our clock right?",
         "sertifikat broker belum berlaku atau rusak; apakah jam kita benar?"},
    Text{"the broker's certificate is for another host name than",
         "sertifikat broker bukan untuk nama host"},
    Text{"the broker speaks an outdated TLS version", "broker memakai versi TLS yang usang"},
    Text{"the broker does not seem to speak TLS on this port; give the port where it does (usually "
         "8883)",
         "broker tampaknya tidak memakai TLS di port ini; tulis port yang memakainya (biasanya "
         "8883)"},
    Text{"the broker wants TLS on this port; write mqtts://",
         "broker meminta TLS di port ini; tulis mqtts://"},
    Text{"TLS with the broker failed", "TLS dengan broker gagal"},
    Text{"the broker refused us in TLS; check certificate_file and key_file",
         "broker menolak kita dalam TLS; periksa certificate_file dan key_file"},
    Text{"ca_file holds no certificates that can be used",
         "ca_file tidak berisi sertifikat yang dapat dipakai"},
    Text{"certificate_file holds no certificate that can be used",
         "certificate_file tidak berisi sertifikat yang dapat dipakai"},
    Text{"key_file holds no key that fits the certificate",
         "key_file tidak berisi kunci yang cocok dengan sertifikat"},
    Text{"cannot read", "tidak dapat membaca"},
    Text{"host name", "nama host"},
    Text{"name or service not known", "nama tidak dikenal"},
    Text{"temporary failure in name resolution", "server nama tidak menjawab"},
    Text{"looking up", "mencari alamat"},
    Text{"connection refused", "sambungan ditolak"},
    Text{"connection timed out", "tidak ada jawaban"},
    Text{"connection reset by peer", "sambungan diputus oleh pihak sana"},
    Text{"no route to host", "host tidak terjangkau"},
    Text{"network is unreachable", "jaringan tidak terjangkau"},
    Text{"network is down", "jaringan mati"},
    Text{"no such file or directory", "berkas tidak ada"},
    Text{"no such device", "alat tidak ada"},
    Text{"permission denied", "tidak diizinkan"},
    Text{"input/output error", "galat baca-tulis"},
    Text{"no space left on device", "ruang penyimpanan habis"},
    Text{"read-only file system", "sistem berkas hanya dapat dibaca"},
    Text{"is in use by another program", "sedang dipakai program lain"},
    Text{"the port is gone", "port hilang"},
    Text{"no connection", "tidak ada sambungan"},
    Text{"trying again for ever", "terus dicoba lagi"},
    Text{"trying again", "dicoba lagi"},
    Text{"the uplink host", "program pengirim"},
    Text{"its host was", "programnya"},
    Text{"the driver host", "program driver"},
    Text{"its host", "programnya"},
    Text{"killed by signal", "dihentikan oleh sinyal"},
    Text{"five times within a minute", "lima kali dalam semenit"},
    Text{"ended with", "berakhir dengan kode"},
    Text{"closed its socket", "menutup soketnya"},
    Text{"no heartbeat for", "tidak ada detak selama"},
    Text{"no hello within", "tidak ada salam dalam"},
    Text{"success", "berhasil"},
    Text{"disconnected with the will message", "diputus dengan pesan wasiat"},
    Text{"refused without a reason", "ditolak tanpa alasan"},
    Text{"malformed packet", "paket salah bentuk"},
    Text{"protocol error", "galat protokol"},
    Text{"the broker's implementation refuses it", "broker ini menolaknya"},
    Text{"the broker does not speak this MQTT version; set mqtt_version",
         "broker tidak memakai versi MQTT ini; atur mqtt_version"},
    Text{"client identifier not valid", "client_id tidak sah"},
    Text{"bad user name or password", "nama pengguna atau kata sandi salah"},
    Text{"not authorised", "tidak diberi izin"},
    Text{"broker unavailable", "broker tidak tersedia"},
    Text{"broker busy", "broker sibuk"},
    Text{"banned", "diblokir"},
    Text{"broker is shutting down", "broker sedang berhenti"},
    Text{"bad authentication method", "cara autentikasi salah"},
    Text{"keep-alive time-out", "keep-alive terlewat"},
    Text{"session taken over: another client uses the same client_id",
         "sesi diambil alih: klien lain memakai client_id yang sama"},
    Text{"packet too large", "paket terlalu besar"},
    Text{"message rate too high", "pesan terlalu cepat"},
    Text{"quota exceeded", "kuota terlampaui"},
    Text{"administrative action", "tindakan pengelola"},
    Text{"use another server", "pakai server lain"},
    Text{"server moved", "server pindah"},
    Text{"connection rate exceeded", "terlalu sering menyambung"},
    Text{"maximum connect time", "lama sambungan terbatas"},
    Text{"MQTT code", "kode MQTT"},
};

bool letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Whether the phrase stands at the begin of the text, as whole words, in whatever case.
bool begins(std::string_view text, std::string_view phrase) {
  if (text.size() < phrase.size()) return false;
  for (std::size_t i = 0; i < phrase.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(text[i])) !=
        std::tolower(static_cast<unsigned char>(phrase[i])))
      return false;
  return text.size() == phrase.size() || !letter(phrase.back()) || !letter(text[phrase.size()]);
}

const Text* longest_at(std::string_view text) {
  const Text* found = nullptr;
  for (const Text& phrase : kPhrases)
    if ((found == nullptr || phrase.eng.size() > found->eng.size()) && begins(text, phrase.eng))
      found = &phrase;
  return found;
}

}  // namespace

std::string_view spoken(Reason reason, std::string_view language) {
  const auto i = static_cast<std::size_t>(reason);
  if (i >= kReasonTexts.size()) return name(reason);
  return language == "ind" ? kReasonTexts[i].ind : kReasonTexts[i].eng;
}

std::string spoken(std::string_view english, std::string_view language) {
  if (language != "ind") return std::string(english);
  std::string out;
  while (!english.empty()) {
    const bool inside = !out.empty() && letter(out.back());
    const Text* phrase = inside ? nullptr : longest_at(english);
    out += phrase != nullptr ? phrase->ind : english.substr(0, 1);
    english.remove_prefix(phrase != nullptr ? phrase->eng.size() : 1);
  }
  return out;
}

}  // namespace gerbang
