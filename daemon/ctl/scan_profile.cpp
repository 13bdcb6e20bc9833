// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_profile.hpp"

#include <algorithm>

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

}  // namespace gerbang::ctl
