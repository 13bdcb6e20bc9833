// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"
#include "serial/listen.hpp"

namespace gerbang::ranging {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr int kFrames = 3;  // to be sure: four bytes of an A02YYUW are found in any stream

struct Candidate {
  explicit Candidate(Model m) : model(m), codec(m, std::nullopt) {}

  // Whether it is this one.
  bool hears(serial::Bytes bytes) {
    for (const Event& event : codec.feed(bytes)) {
      if (event.kind != Event::Kind::distance && event.kind != Event::Kind::no_target) continue;
      ++frames;
      last = event;
    }
    return frames >= kFrames;
  }
  std::string note(const std::string& speed) const {
    const bool three_digits = model == Model::maxbotix_xl;
    std::string text = std::string(about(model).name) + " at " + speed + ", ";
    text += last.kind == Event::Kind::no_target
                ? "no target now"
                : "now " + std::to_string(last.count) + (three_digits ? "" : " mm");
    if (three_digits)
      text +=
          "; three digits are centimetres, or inches if its label says LV: then write model = "
          "\"maxbotix-lv\"";
    return text +
           "; for the fill of a bin: quantity = \"fill_level\", unit = \"%\", address = { channel "
           "= "
           "\"fill\", empty = MM, full = MM }";
  }

  Model model;
  Codec codec;
  int frames = 0;
  Event last;
};

}  // namespace

// The distance of the first frame, and the fill if both distances of it are given.
gerbang_status decode_by_hand(Host host, const Config& config, std::span<const std::byte> data) {
  const serial::Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const Values options = config.options();
  const Captured captured = decode_captured(bytes, model_of(options), no_target_of(options));
  if (!captured.event) throw Failure(GERBANG_CONFIG, captured.why);
  if (captured.event->noise > 0)
    host.warning(std::to_string(captured.event->noise) +
                 " bytes before the frame belong to no sound frame and are left out");
  const Wanted wanted = wanted_of(options, "");
  host.debug(std::string("frame: ") + about(captured.model).name +
             (captured.event->kind == Event::Kind::no_target ? ": no echo came" : ""));
  Emitter out(host);
  emit(out, 0, wanted, captured.model, *captured.event);
  host.info(wanted.fill ? "fill %" : "distance mm");
  return GERBANG_OK;
}

// Only listens.
gerbang_status scan_by_hand(Host host, const Config& config, const Scan& scan) {
  serial::Settings settings;
  settings.device = config.options().text("device");
  const auto bauds = serial::bauds_of(config.options(), {9600});
  serial::Ear ear(host, scan, settings);
  for (std::size_t i = 0; i < bauds.size(); ++i) {
    std::vector<Candidate> candidates;
    for (Model model : {Model::a02yyuw, Model::maxbotix_hrxl, Model::maxbotix_xl})
      candidates.emplace_back(model);
    const Candidate* found = nullptr;
    ear.tune(bauds[i], {i, bauds.size()});
    ear.listen(2s, [&](serial::Bytes bytes) {
      for (Candidate& candidate : candidates)
        if (candidate.hears(bytes)) found = &candidate;
      return found != nullptr;
    });
    if (found == nullptr) continue;
    scan.found(
        serial::driver_toml("ranging", "10s", settings.device, about(found->model).name) +
            serial::sensor_toml("distance", "ranging", "distance", "mm", "channel = \"distance\""),
        found->note(serial::text_of(ear.line().settings())));
    return GERBANG_OK;
  }
  ear.say_what_was_heard("distance sensor");
  return GERBANG_OK;
}

}  // namespace gerbang::ranging
