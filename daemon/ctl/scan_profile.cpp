// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_profile.hpp"

#include <algorithm>
#include <array>

namespace gerbang::ctl {
namespace {

struct Hint {
  const char* key;
  const char* form;
  const char* ind;
  const char* eng;
};
constexpr Hint kHints[] = {
    {"quantity", "\"…\"", "besaran yang diukur, seperti turbidity",
     "what it measures, such as turbidity"},
    {"unit", "\"…\"", "satuan nilainya, seperti NTU", "the unit of its values, such as NTU"},
    {"scale", "…", "satu hitungan alat dalam satuan itu, seperti 0.1",
     "one count of the device in that unit, such as 0.1"},
    {"span", "{ raw = […, …], value = […, …] }", "dua bilangan alat dan artinya",
     "two numbers of the device and what they mean"},
};

std::string stub(const std::string& key, bool indonesian) {
  for (const Hint& hint : kHints)
    if (key == hint.key)
      return "# " + key + " = " + hint.form + "  # " + (indonesian ? hint.ind : hint.eng) + "\n";
  return "# " + key + " = …\n";
}

}  // namespace

std::string first_of(const config::Node* made, const std::string& list) {
  if (made == nullptr) return list;
  const std::string first =
      made->kind == config::Node::Kind::integer ? std::to_string(made->integer) : made->text;
  if (first.empty() || ("," + list + ",").find("," + first + ",") == 0) return list;
  std::string out = first;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (const std::string one = list.substr(begin, end - begin); one != first) out += "," + one;
    begin = end + 1;
  }
  return out;
}

std::string left_to_write(const config::Profile& profile, const std::string& language) {
  const bool indonesian = language == "ind";
  std::string out;
  for (const config::Channel& channel : profile.channels) {
    if (channel.ask.empty() || channel.extra) continue;
    if (out.empty())
      out = indonesian
                ? "# Hanya di lokasi diketahui yang berikut: isi dan hapus tanda #, atau tulis di "
                  "atas only = [\"kanal\", …] tanpa kanal itu.\n"
                : "# Only the site knows what follows: write it and take the # away, or leave the "
                  "channel out with only = [\"channel\", …] above.\n";
    out += "[device.override." + channel.name + "]\n";
    const std::string& note = indonesian ? channel.note.ind : channel.note.eng;
    if (!note.empty()) out += "# " + note + "\n";
    for (const std::string& key : channel.ask) out += stub(key, indonesian);
  }
  return out;
}

std::string stand_in(const config::Profile& profile,
                     const std::function<std::string(const std::string& quantity)>& unit_of) {
  std::string out;
  for (const config::Channel& channel : profile.channels) {
    if (channel.ask.empty() || channel.extra) continue;
    const auto asked = [&](const char* key) {
      return std::find(channel.ask.begin(), channel.ask.end(), key) != channel.ask.end();
    };
    const config::Node* known = channel.sensor.get("quantity");
    const bool counts = asked("quantity") || known == nullptr;
    const std::string quantity = counts ? "number" : known->text;
    out += "[device.override." + channel.name + "]\n";
    if (counts) out += "quantity = \"number\"\n";
    const std::string unit = unit_of(quantity);
    if (counts || asked("unit")) out += "unit = \"" + (unit.empty() ? "1" : unit) + "\"\n";
    if (asked("scale") || asked("span")) out += "scale = 1.0\n";
  }
  return out;
}

std::string_view name_of(Seen::State state) {
  constexpr std::array<std::string_view, 5> kNames{"value", "out_of_range", "refused", "no_number",
                                                   "silent"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string refusal_of(const std::string& sensor, const std::vector<std::string>& said) {
  constexpr std::string_view kException = "exception ";
  const std::string own = "sensor " + sensor + ": ";
  std::string other;
  for (const std::string& line : said) {
    const auto at = line.find(kException);
    if (at == std::string::npos) continue;
    std::string text = line.substr(at, line.find(';', at) - at);
    if (line.starts_with(own)) return text;
    if (other.empty()) other = std::move(text);
  }
  return other;
}

std::string comments_of(const std::vector<Seen>& channels, std::string_view language) {
  struct Word {
    const char *ind, *eng;
  };
  constexpr std::array<Word, 5> kWords{{{"", ""},
                                        {"di luar rentang: ", "out of range: "},
                                        {"ditolak: ", "refused: "},
                                        {"bukan angka: ", "no number: "},
                                        {"tidak dijawab: ", "not answered: "}}};
  std::size_t width = 0;
  for (const Seen& one : channels) width = std::max(width, one.sensor.size());
  std::string out;
  for (const Seen& one : channels) {
    const Word& word = kWords[static_cast<std::size_t>(one.state)];
    out += "# " + one.sensor + std::string(width - one.sensor.size() + 2, ' ') +
           (language == "ind" ? word.ind : word.eng) + one.text + "\n";
  }
  return out;
}

std::string doubt(const std::string& device, const std::string& profile,
                  const std::vector<Seen>& channels, std::string_view language) {
  const auto count = [&](Seen::State state) {
    return std::count_if(channels.begin(), channels.end(),
                         [&](const Seen& one) { return one.state == state; });
  };
  const auto answered = static_cast<std::ptrdiff_t>(channels.size()) - count(Seen::State::silent);
  const auto strange = answered - count(Seen::State::value);
  if (strange == 0 || 2 * strange < answered) return {};
  const std::string n = std::to_string(strange), m = std::to_string(answered);
  if (language == "ind")
    return device + ": " + n + " dari " + m +
           " kanal ditolak, di luar rentang atau bukan angka: " + profile +
           " mungkin bukan profilnya; cocokkan pelat alat, atau cari lagi tanpa --profile, yang "
           "menunjukkan isi register-registernya";
  return device + ": " + n + " of " + m +
         " channels are refused, out of range or no number: " + profile +
         " is probably not its profile; compare its plate, or search again without --profile, "
         "which shows what its registers hold";
}

}  // namespace gerbang::ctl
