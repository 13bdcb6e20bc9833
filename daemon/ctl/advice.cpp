// SPDX-License-Identifier: Apache-2.0
#include "ctl/advice.hpp"

#include <algorithm>
#include <array>

#include "core/letters.hpp"
#include "core/spoken.hpp"

namespace gerbang::ctl {
namespace {

struct Text {
  std::string_view code, ind, eng;
};

// {who}: the devices or the sensor; {others}: those that answer; {n} of {m}; {why}: the driver's
// own words.
constexpr std::array kTexts{
    // The line.
    Text{"refused",
         "sambungan ditolak: periksa alamat dan port; alat mungkin hanya menerima satu sambungan "
         "dan program lain sedang memakainya",
         "the connection is refused: check address and port; or the device allows one connection "
         "and another program has it"},
    Text{"unreachable",
         "alamat ini tidak terjangkau: periksa kabel jaringan, catu daya alat, alamat IP dan "
         "gateway jaringan (ping)",
         "nobody is reached at this address: check the network cable, the device's supply, the IP "
         "address and the route (ping it)"},
    Text{"unknown_name", "nama host tidak dikenal: tulis alamat IP, atau periksa server nama",
         "the host name is not known: write the IP address, or check the name server"},
    Text{"no_port", "port serial tidak ada: adaptor tercolok? lihat: ls -l /dev/serial/by-id",
         "the serial port is not there: is the adapter plugged in? See: ls -l /dev/serial/by-id"},
    Text{"no_permission",
         "port tidak boleh dibuka: tambahkan pengguna ke grup dialout, lalu masuk kembali",
         "the port must not be opened: add the user to the group dialout and log in again"},
    Text{"in_use",
         "port sedang dipakai program lain: hentikan dulu (gateway berjalan? program serial lain?)",
         "another program has the port: stop it first (a running gateway? a serial monitor?)"},
    Text{"no_connection", "tidak ada sambungan: {why}", "there is no connection: {why}"},
    Text{"no_connection_why", "periksa alamat atau port, kabel dan catu daya alat",
         "check the address or port, the cable and the device's supply"},
    // Its devices.
    Text{"crc_always",
         "{who} menjawab, tetapi checksum selalu salah: baud atau paritas tidak cocok?",
         "{who} answers, but the CRC is wrong: baud rate or parity?"},
    Text{"crc_sometimes",
         "{who}: {n} dari {m} jawaban rusak (CRC): terminasi 120 ohm, bias, kabel dekat motor, "
         "atau dua alat dengan nomor sama",
         "{who}: {n} of {m} answers are damaged (CRC): termination, bias, cable beside a motor's, "
         "or two devices with one number"},
    Text{
        "protocol",
        "{who}: {n} dari {m} jawaban bukan jawaban atas pertanyaan: dua alat bernomor sama, master "
        "lain di jalur ini, atau alat lain dari yang dikonfigurasi",
        "{who}: {n} of {m} answers fit no question: two devices with one number, another master on "
        "the line, or not the device that is configured"},
    Text{"silent_some",
         "{who} tidak menjawab, sedangkan {others} menjawab: alamat, catu daya atau kabelnya?",
         "no answer from {who} while {others} answers: its address, supply or wiring?"},
    Text{
        "silent_serial",
        "tidak ada yang menjawab: kabel A dan B tertukar, catu daya, baud, paritas atau nomor "
        "unit? cari dengan: gerbangctl scan",
        "no answer at all: A and B swapped, supply, baud rate, parity or unit number? Search with: "
        "gerbangctl scan"},
    Text{"silent_network",
         "tersambung, tetapi tidak ada unit yang menjawab: nomor unit salah, atau (server serial) "
         "baud dan kabel di belakangnya? cari dengan: gerbangctl scan modbus --host",
         "connected, but no unit answers: wrong unit number, or (a serial server) baud rate and "
         "wiring behind it? Search with: gerbangctl scan modbus --host"},
    Text{"silent", "tidak ada jawaban dari alat: catu daya, kabel, alamat?",
         "the device does not answer: supply, wiring, address?"},
    Text{"sometimes",
         "{who}: {n} dari {m} pertanyaan tidak dijawab: alat lambat (perbesar timeout) atau jalur "
         "terganggu",
         "{who}: {n} of {m} questions are not answered: a slow device (longer timeout) or a bad "
         "line"},
    Text{"exception",
         "{who} menolak {n} dari {m} pertanyaan: tabel (holding atau input) dan nomor register "
         "benar? buku petunjuk mulai dari 1: pakai manual = 40001",
         "{who} refuses {n} of {m} questions: is the table right (holding or input), and the "
         "register? Manuals count from 1: use manual = 40001"},
    // Sensors whose driver counts no requests, and what only a value can say.
    Text{"quiet",
         "{who}: alat tidak mengirim apa pun: catu daya, RX dan TX tertukar, baud? cari dengan: "
         "gerbangctl scan serial",
         "{who}: nothing comes from the device: supply, RX and TX swapped, baud rate? Search with: "
         "gerbangctl scan serial"},
    Text{"garbled", "{who}: ada data, tetapi rusak: baud, paritas atau model alat salah?",
         "{who}: something comes, but damaged: baud rate, parity or the wrong model?"},
    Text{"not_a_number",
         "{who}: alat mengirim bukan angka: urutan byte (order) salah, atau sensornya lepas?",
         "{who}: the device sends no number: wrong byte order, or is its probe unplugged?"},
    Text{"out_of_range",
         "{who} di luar rentangnya: type, order atau scale salah, atau memang demikian?",
         "{who} is out of its range: wrong type, order or scale, or is it so?"},
    Text{"no_target", "{who}: tidak ada pantulan: arah, jarak terlalu dekat atau jauh, busa?",
         "{who}: no echo: its aim, too near or too far, foam?"},
    Text{"device_fault", "{who}: alat melaporkan gangguan: lihat layar dan sensornya",
         "{who}: the device reports a fault of its own: look at its display and its probe"},
    // What no other sentence explains.
    Text{"reason", "{who}: {why}", "{who}: {why}"},
    Text{"warm_up", "{who}: masih memanas; tunggu beberapa menit",
         "{who} is warming up; wait some minutes"},
};

using Values = std::vector<std::pair<std::string_view, std::string>>;

Advice advice(std::string_view code, std::string_view language, const Values& values = {}) {
  const auto* text = std::find_if(kTexts.begin(), kTexts.end(),
                                  [&](const Text& candidate) { return candidate.code == code; });
  std::string out(language == "ind" ? text->ind : text->eng);
  for (const auto& [name, value] : values)
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + value.size()))
      out.replace(at, name.size(), value);
  return {text->code, std::move(out)};
}

// The code for what the operating system said of a line that could not be opened.
std::string_view code_of(const std::string& why) {
  struct Sign {
    std::string_view words, code;
  };
  constexpr std::array kSigns{Sign{"refused", "refused"},
                              Sign{"another program", "in_use"},
                              Sign{"busy", "in_use"},
                              Sign{"permission denied", "no_permission"},
                              Sign{"no such file", "no_port"},
                              Sign{"no such device", "no_port"},
                              Sign{"port is gone", "no_port"},
                              Sign{"looking up", "unknown_name"},
                              Sign{"not known", "unknown_name"},
                              Sign{"no route", "unreachable"},
                              Sign{"unreachable", "unreachable"},
                              Sign{"timed out", "unreachable"}};
  const std::string said = lower(why);
  for (const Sign& sign : kSigns)
    if (said.find(sign.words) != std::string::npos) return sign.code;
  return {};
}

// "units 1, 2, 4", or the names one after the other.
std::string names_of(const std::vector<const DeviceCounts*>& devices, std::string_view language) {
  constexpr std::string_view kUnit = "unit-";
  const bool units = std::all_of(devices.begin(), devices.end(), [&](const DeviceCounts* d) {
    return d->device.starts_with(kUnit);
  });
  std::string out;
  for (const DeviceCounts* device : devices)
    out += (out.empty() ? "" : ", ") +
           (units ? device->device.substr(kUnit.size()) : device_label(device->device));
  if (!units) return out;
  return (devices.size() > 1 && language != "ind" ? "units " : "unit ") + out;
}

bool lost(const LineFacts& line) {
  const auto none = [](const SensorFacts& s) { return s.reason == Reason::no_connection; };
  const auto missing = [](const SensorFacts& s) { return s.flag == Flag::missing; };
  return std::any_of(line.sensors.begin(), line.sensors.end(), none) &&
         std::all_of(line.sensors.begin(), line.sensors.end(), missing);
}

Advice advice_on_connection(const LineFacts& line, std::string_view language) {
  for (auto said = line.said.rbegin(); said != line.said.rend(); ++said)
    if (const auto code = code_of(*said); !code.empty()) return advice(code, language);
  const std::string why = line.said.empty() ? advice("no_connection_why", language).text
                                            : spoken(line.said.back(), language);
  return advice("no_connection", language, {{"{why}", why}});
}

// Readings are there before the counts of the second in which they were read.
bool has_value(const LineFacts& line, const DeviceCounts* device) {
  return std::any_of(line.sensors.begin(), line.sensors.end(), [&](const SensorFacts& s) {
    return s.flag != Flag::missing && (device == nullptr || s.device == device->device);
  });
}

void advise_on_devices(const LineFacts& line, std::string_view language, std::vector<Advice>& out) {
  std::vector<const DeviceCounts*> silent, answering;
  for (const DeviceCounts& d : line.devices) {
    const auto damaged = d.of(Reason::crc), strange = d.of(Reason::protocol);
    const auto unanswered = d.of(Reason::timeout), refused = d.of(Reason::exception);
    if (d.total() == 0) continue;
    const auto say = [&](std::string_view code, std::uint64_t n) {
      out.push_back(advice(code, language,
                           {{"{who}", device_label(d.device)},
                            {"{n}", std::to_string(n)},
                            {"{m}", std::to_string(d.total())}}));
    };
    const bool answers = d.answers() || has_value(line, &d);
    if (answers) answering.push_back(&d);
    // One of a thousand is what lines are like; of the rest a twentieth is worth a walk to the
    // device.
    const auto often = [&](std::uint64_t n, std::uint64_t share) {
      return n > 0 && n * share >= d.total();
    };
    if (often(damaged, 1000)) say(answers ? "crc_sometimes" : "crc_always", damaged);
    if (often(strange, 1000)) say("protocol", strange);
    if (!answers && damaged == 0 && strange == 0 && unanswered > 0) silent.push_back(&d);
    if (d.answers() && often(unanswered, 20)) say("sometimes", unanswered);
    if (often(refused, 20)) say("exception", refused);
  }
  if (silent.empty()) return;
  if (!answering.empty()) {
    out.insert(out.begin(), advice("silent_some", language,
                                   {{"{who}", names_of(silent, language)},
                                    {"{others}", names_of(answering, language)},
                                    {"answers:", answering.size() > 1 ? "answer:" : "answers:"}}));
    return;
  }
  if (has_value(line, nullptr)) return;  // whose, is not known; the next counts tell
  out.push_back(advice(line.kind == LineFacts::Kind::serial    ? "silent_serial"
                       : line.kind == LineFacts::Kind::network ? "silent_network"
                                                               : "silent",
                       language));
}

void advise_on_sensors(const LineFacts& line, std::string_view language, std::vector<Advice>& out) {
  // What devices were asked has been judged by their counts.
  const bool counted = std::any_of(line.devices.begin(), line.devices.end(),
                                   [](const DeviceCounts& d) { return d.total() > 0; });
  for (const SensorFacts& sensor : line.sensors) {
    std::string_view code;
    switch (sensor.reason) {
      case Reason::not_a_number:
      case Reason::conversion:
        code = "not_a_number";
        break;
      case Reason::range:
        code = "out_of_range";
        break;
      case Reason::no_target:
        code = "no_target";
        break;
      case Reason::device_fault:
        code = "device_fault";
        break;
      case Reason::warm_up:
        code = "warm_up";
        break;
      case Reason::timeout:
        if (!counted) code = "quiet";
        break;
      case Reason::crc:
      case Reason::protocol:
        if (!counted) code = "garbled";
        break;
      default:
        break;
    }
    if (!code.empty()) out.push_back(advice(code, language, {{"{who}", sensor.id}}));
  }
}

// No value and no count explains itself: what the newest readings say, each reason once.
void advise_on_reasons(const LineFacts& line, std::string_view language, std::vector<Advice>& out) {
  std::map<Reason, std::string> sensors;
  for (const SensorFacts& sensor : line.sensors) {
    if (sensor.reason == Reason::none || sensor.reason == Reason::maintenance) continue;
    std::string& who = sensors[sensor.reason];
    who += (who.empty() ? "" : ", ") + sensor.id;
  }
  for (const auto& [reason, who] : sensors)
    out.push_back(advice("reason", language,
                         {{"{who}", who}, {"{why}", std::string(spoken(reason, language))}}));
}

}  // namespace

std::string device_label(std::string_view device) {
  std::string out(device);
  if (out.starts_with("unit-")) out[4] = ' ';
  return out;
}

std::vector<Advice> advise(const LineFacts& line, std::string_view language) {
  std::vector<Advice> out;
  if (lost(line)) {
    out.push_back(advice_on_connection(line, language));
    const auto some = [](const DeviceCounts& d) { return d.answers(); };
    if (std::none_of(line.devices.begin(), line.devices.end(), some)) return out;
  }
  advise_on_devices(line, language, out);
  advise_on_sensors(line, language, out);
  if (out.empty()) advise_on_reasons(line, language, out);
  return out;
}

}  // namespace gerbang::ctl
