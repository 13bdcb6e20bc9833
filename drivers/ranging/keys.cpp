// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include "fill.hpp"

namespace gerbang::ranging {

using driver::Failure;
using driver::Values;

Wanted wanted_of(const Values& address, const std::string& where) {
  Wanted wanted;
  if (!address.has("channel") || address.text("channel") != "fill") return wanted;
  if (!address.has("empty") || !address.has("full"))
    throw Failure(GERBANG_CONFIG,
                  where +
                      "fill needs empty and full, the distances in mm from the sensor to the "
                      "bottom and to the surface when it is full");
  wanted = {true, address.number("empty"), address.number("full")};
  if (wanted.empty <= wanted.full)
    throw Failure(GERBANG_CONFIG,
                  where +
                      "empty must be larger than full: the sensor is above, and the bottom is "
                      "farther away than the surface of a full one");
  return wanted;
}

std::optional<Model> model_of(const Values& options) {
  if (!options.has("model")) return std::nullopt;
  for (Model model : kModels)
    if (options.text("model") == about(model).name) return model;
  return std::nullopt;
}

std::optional<int> no_target_of(const Values& options) {
  if (!options.has("no_target")) return std::nullopt;
  return static_cast<int>(options.integer("no_target"));
}

void emit(driver::Emitter& out, std::uint32_t sensor, const Wanted& wanted, Model model,
          const Event& event) {
  if (event.kind == Event::Kind::no_target) return out.missing(sensor, GERBANG_REASON_NO_TARGET);
  const double millimetres = event.count * about(model).millimetres;
  const Fill fill = wanted.fill ? fill_of(millimetres, wanted.empty, wanted.full) : Fill{0, false};
  const bool doubtful = event.nearest || fill.implausible;
  const auto quality = doubtful ? GERBANG_SUSPECT : GERBANG_NOT_EVALUATED;
  const auto reason = doubtful ? GERBANG_REASON_RANGE : GERBANG_REASON_NONE;
  if (wanted.fill)
    out.number(sensor, fill.percent, quality, reason);
  else if (model == Model::maxbotix_lv)
    out.number(sensor, millimetres, quality, reason);  // inches are no whole millimetres
  else
    out.integer(sensor, static_cast<std::int64_t>(millimetres), quality, reason);
}

}  // namespace gerbang::ranging
