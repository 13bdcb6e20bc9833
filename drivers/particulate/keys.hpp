// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <optional>
#include <string>

#include "codec.hpp"

namespace gerbang::particulate {

// The model that the options name; nothing if it is to be recognised.
inline std::optional<Model> model_of(const driver::Values& options) {
  if (!options.has("model")) return std::nullopt;
  for (Model model : kModels)
    if (options.text("model") == name_of(model)) return model;
  return std::nullopt;  // auto
}

// Where a channel stands among the values of a model.
inline std::optional<std::size_t> find_channel(Model model, const std::string& name) {
  const auto channels = channels_of(model);
  for (std::size_t i = 0; i < channels.size(); ++i)
    if (name == channels[i].name) return i;
  return std::nullopt;
}

inline std::string no_channel(Model model, const std::string& name) {
  std::string list;
  for (const Channel& channel : channels_of(model))
    list += (list.empty() ? "" : ", ") + std::string(channel.name);
  return std::string(name_of(model)) + " has no channel " + name + "; it has " + list;
}

// ---- by hand: gerbangctl decode and gerbangctl scan; driver.h says what they have to do ----
gerbang_status decode_by_hand(driver::Host host, const driver::Config& config,
                              std::span<const std::byte> data);
gerbang_status scan_by_hand(driver::Host host, const driver::Config& config,
                            const driver::Scan& scan);

}  // namespace gerbang::particulate
