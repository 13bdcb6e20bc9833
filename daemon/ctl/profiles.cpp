// SPDX-License-Identifier: Apache-2.0
#include "config/profiles.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "config/load.hpp"
#include "config/options.hpp"
#include "config/quantities.hpp"
#include "core/text.hpp"
#include "ctl/commands.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using config::Channel;
using config::Node;
using config::Profile;

const char* meaning(config::Tag tag) {
  switch (tag) {
    case 'A':
      return "read in the maker's manual or data sheet, or recomputed";
    case 'B':
      return "independent sources agree";
    case 'C':
      return "from one second-hand source";
    default:
      return "from memory: check it at the device";
  }
}

const std::string& in_language(const Label& label, const std::string& language) {
  return language == "ind" ? label.ind : label.eng;
}

std::string text_of(const Node& table, std::string_view key) {
  const Node* node = table.get(key);
  return node == nullptr ? std::string() : node->text;
}

// A value as in TOML; tables and lists in one line.
std::string shown(const Node& node) {
  if (node.kind == Node::Kind::table) {
    std::string out = "{ ";
    for (const config::Member& member : node.members)
      out += (out.size() > 2 ? ", " : "") + member.key + " = " + shown(member.value);
    return out + " }";
  }
  if (node.kind == Node::Kind::array) {
    std::string out = "[";
    for (const Node& item : node.items) out += (out.size() > 1 ? ", " : "") + shown(item);
    return out + "]";
  }
  return config::written(node);
}

json::value to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::table: {
      json::object out;
      for (const config::Member& member : node.members) out[member.key] = to_json(member.value);
      return out;
    }
    case Node::Kind::array: {
      json::array out;
      for (const Node& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::number:
      return node.number;
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::string:
    case Node::Kind::datetime:
      break;
  }
  return json::value(node.text);
}

// The address as the driver gets it when the device's own part is left away.
Node address_of(const Profile& profile, const Channel& channel) {
  Node out = profile.address;
  if (const Node* own = channel.sensor.get("address"))
    for (const config::Member& member : own->members) {
      std::erase_if(out.members, [&](const auto& m) { return m.key == member.key; });
      out.members.push_back(member);
    }
  return out;
}

bool asks(const Channel& channel, std::string_view key) {
  return std::find(channel.ask.begin(), channel.ask.end(), key) != channel.ask.end();
}

// Empty: only the site knows.
std::string unit_of(const Channel& channel, const config::Catalogue& catalogue) {
  if (asks(channel, "unit")) return {};
  if (const Node* unit = channel.sensor.get("unit")) return unit->text;
  const auto* row = catalogue.find(text_of(channel.sensor, "quantity"));
  return row == nullptr ? std::string() : row->quantity->unit;
}

json::array words(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

json::object profile_json(const Profile& profile, const config::Catalogue& catalogue) {
  json::array channels;
  for (const Channel& channel : profile.channels) {
    json::object o{{"name", channel.name},
                   {"tag", std::string(1, channel.tag)},
                   {"quantity", text_of(channel.sensor, "quantity")},
                   {"unit", unit_of(channel, catalogue)},
                   {"extra", channel.extra},
                   {"ask", words(channel.ask)},
                   {"address", to_json(address_of(profile, channel))},
                   {"noteInd", channel.note.ind},
                   {"noteEng", channel.note.eng}};
    for (const config::Member& member : channel.sensor.members)
      if (member.key != "quantity" && member.key != "unit" && member.key != "address")
        o[member.key] = to_json(member.value);
    channels.push_back(std::move(o));
  }
  return {{"name", profile.name},           {"title", profile.title},
          {"maker", profile.maker},         {"plugin", profile.plugin},
          {"version", profile.version},     {"validFrom", profile.valid_from},
          {"source", profile.source},       {"tag", std::string(1, profile.tag)},
          {"noteInd", profile.note.ind},    {"noteEng", profile.note.eng},
          {"ask", words(profile.ask)},      {"line", to_json(profile.line)},
          {"channels", std::move(channels)}};
}

void print_channel(const Profile& profile, const Channel& channel,
                   const config::Catalogue& catalogue, const std::string& language) {
  const std::string quantity = text_of(channel.sensor, "quantity");
  std::printf("  %-16s %s%s%s  [%c]%s\n", channel.name.c_str(),
              quantity.empty() ? "(quantity: you say it)" : quantity.c_str(),
              unit_of(channel, catalogue).empty() ? "" : ", ", unit_of(channel, catalogue).c_str(),
              channel.tag, channel.extra ? "  extra: only when it is named" : "");
  std::printf("  %-16s address = %s\n", "", shown(address_of(profile, channel)).c_str());
  std::string more;
  for (const config::Member& member : channel.sensor.members)
    if (member.key != "quantity" && member.key != "unit" && member.key != "address")
      more += (more.empty() ? "" : ", ") + member.key + " = " + shown(member.value);
  if (!more.empty()) std::printf("  %-16s %s\n", "", more.c_str());
  for (const std::string& key : channel.ask)
    std::printf("  %-16s you have to say its %s\n", "", key.c_str());
  if (const auto& note = in_language(channel.note, language); !note.empty())
    std::printf("  %-16s %s\n", "", note.c_str());
}

// What to put into the configuration.
void print_paste(const Profile& profile) {
  if (profile.channels.empty()) return;
  std::printf(
      "\n[[device]]\nid = \"…\"\ndriver = \"…\"  # the name of a [[driver]] with plugin = \"%s\"\n"
      "profile = \"%s\"\n",
      profile.plugin.c_str(), profile.name.c_str());
  std::string address;
  for (const std::string& key : profile.ask)
    address += (address.empty() ? "" : ", ") + key + " = …";
  if (const Node* unit = profile.address.get("unit"))
    address += (address.empty() ? "" : ", ") + std::string("unit = ") + shown(*unit);
  if (!address.empty()) std::printf("address = { %s }\n", address.c_str());
  for (const Channel& channel : profile.channels) {
    if (channel.ask.empty() || channel.extra) continue;
    std::printf("[device.override.%s]\n", channel.name.c_str());
    for (const std::string& key : channel.ask) std::printf("%s = …\n", key.c_str());
  }
}

void print(const Profile& profile, const config::Catalogue& catalogue,
           const std::string& language) {
  std::printf("%s: %s (%s)\nfor the driver %s; version %s of %s\nsource: %s\n[%c] %s\n",
              profile.name.c_str(), profile.title.c_str(), profile.maker.c_str(),
              profile.plugin.c_str(), profile.version.c_str(), profile.valid_from.c_str(),
              profile.source.c_str(), profile.tag, meaning(profile.tag));
  if (const auto& note = in_language(profile.note, language); !note.empty())
    std::printf("%s\n", note.c_str());
  if (!profile.line.members.empty()) {
    std::printf("\nline, as it leaves the factory\n");
    for (const config::Member& member : profile.line.members)
      std::printf("  %s = %s\n", member.key.c_str(), shown(member.value).c_str());
  }
  std::printf("\n%s\n", profile.channels.empty() ? "no channels" : "channels");
  for (const Channel& channel : profile.channels)
    print_channel(profile, channel, catalogue, language);
  print_paste(profile);
}

int print_errors(const config::Diagnostics& errors) {
  for (const auto& error : errors) std::fprintf(stderr, "%s\n", config::text(error).c_str());
  return errors.empty() ? kOk : kBad;
}

}  // namespace

int profiles(const Common& common, const std::string& name) {
  const auto data = config::default_data_directory();
  const auto folder = data / "profiles";
  const auto known = config::profile_names(folder);
  config::Diagnostics errors;
  config::Document document;
  if (name.empty()) {
    if (known.empty()) {
      std::fprintf(stderr, "gerbangctl: %s\n", config::no_such_profile(name, known).c_str());
      return kNoInput;
    }
    const auto catalogue = config::read_catalogue(data, errors);
    json::array out;
    for (const std::string& each : known) {
      const auto profile = config::read_profile(folder, each, document, errors);
      if (!profile) continue;
      if (common.json)
        out.push_back(profile_json(*profile, catalogue));
      else
        std::printf("%-24s [%c] %-12s %s%s\n", each.c_str(), profile->tag, profile->plugin.c_str(),
                    profile->title.c_str(),
                    profile->channels.empty() ? " (no channels: its map is not known)" : "");
    }
    if (common.json) std::puts(json::serialize(out).c_str());
    return print_errors(errors);
  }
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    std::fprintf(stderr, "gerbangctl: there is no profile %s; %s\n",
                 config::in_quotes(name).c_str(), config::no_such_profile(name, known).c_str());
    return kNoInput;
  }
  const auto catalogue = config::read_catalogue(data, errors);
  const auto profile = config::read_profile(folder, name, document, errors);
  if (profile && common.json)
    std::puts(json::serialize(profile_json(*profile, catalogue)).c_str());
  else if (profile)
    print(*profile, catalogue, common.language);
  return print_errors(errors);
}

}  // namespace gerbang::ctl
