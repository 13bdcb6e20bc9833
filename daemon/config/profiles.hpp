// SPDX-License-Identifier: Apache-2.0
//
// Device profiles: what a box with a nameplate measures, and where a driver finds it. One file a
// device in profiles/ of the data folder; profiles/README.md says how they are written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/files.hpp"
#include "core/quantity.hpp"

namespace gerbang::config {

// How well something is known: A read in the maker's manual or recomputed, B two or more other
// sources agree, C one, M from memory, to be checked at the device.
using Tag = char;

struct Channel {
  std::string name;
  Node sensor;    // the keys of a [[sensor]] that are known
  Tag tag = 'M';  // its own, else the profile's
  Label note;
  std::vector<std::string> ask;  // keys of a [[sensor]] that only the site can know
  bool extra = false;            // only there where it is asked for by name
};

struct Profile {
  std::string name, title, maker, plugin, version, source, valid_from;
  Tag tag = 'M';
  Label note;
  Node line;                     // driver options as the device leaves its factory
  Node address;                  // for all channels
  std::vector<std::string> ask;  // keys of the address that only the site can know
  std::vector<Channel> channels;

  const Channel* find(std::string_view channel) const;
};

// The names of the profiles in a folder, in order; empty if there are none.
std::vector<std::string> profile_names(const std::filesystem::path& folder);
// The sentence for a name that is none of them: the nearest, or where to look.
std::string no_such_profile(std::string_view name, const std::vector<std::string>& known);

// Reads one of them. nullopt: reported, all its mistakes at once. Its nodes have a place in
// `document`, whose names grow by the file.
std::optional<Profile> read_profile(const std::filesystem::path& folder, const std::string& name,
                                    Document& document, Diagnostics& errors);

}  // namespace gerbang::config
