// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "captured.hpp"
#include "keys.hpp"
#include "serial/listen.hpp"

namespace gerbang::particulate {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr auto kListen = 2500ms;  // a PMS in clean air sends every 2.3 s
constexpr auto kAsk = 1000ms;
constexpr auto kAnswers = 300ms;

std::string toml_of(Model model, const std::string& device) {
  std::string toml = serial::driver_toml("particulate", "10s", device, std::string(name_of(model)));
  for (const auto& [channel, id] : {std::pair("pm2_5", "pm2-5"), std::pair("pm10", "pm10")})
    toml += serial::sensor_toml(id, "particulate", channel, "µg/m³",
                                "channel = \"" + std::string(channel) + "\"");
  return toml;
}

std::string note_of(const Event& event, const std::string& speed) {
  std::string note = std::string(name_of(event.model)) + " at " + speed;
  if (event.kind == Event::Kind::measurement) {
    const auto value = event.values[*find_channel(event.model, "pm2_5")];
    note += ", PM2.5 is now " + std::to_string(std::lround(value)) + " µg/m³";
  } else {
    note += ", which has no value yet";
  }
  if (event.model == Model::pms5003)
    note +=
        "; a pms7003 sends the same frames, so does an HPMA115S0 that this driver would misread";
  return note;
}

}  // namespace

// The channels of the first measurement in their order, or the one that was asked for.
gerbang_status decode_by_hand(Host host, const Config& config, std::span<const std::byte> data) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const Values options = config.options();
  const Captured captured = decode_captured(bytes, model_of(options));
  if (!captured.event) throw Failure(GERBANG_CONFIG, captured.why);
  const Event& event = *captured.event;
  const std::string wanted = options.has("channel") ? options.text("channel") : "";
  if (!wanted.empty() && !find_channel(event.model, wanted))
    throw Failure(GERBANG_CONFIG, no_channel(event.model, wanted));

  host.debug("frame: " + std::string(name_of(event.model)) +
             (captured.more > 0 ? ", the first of " + std::to_string(captured.more + 1) : ""));
  if (captured.broken > 0)
    host.warning("passed over, for a wrong checksum: " + std::to_string(captured.broken));
  Emitter out(host);
  std::uint32_t sensor = 0;
  for (std::size_t i = 0; const Channel& channel : channels_of(event.model)) {
    const double value = event.values[i++];
    if (!wanted.empty() && wanted != channel.name) continue;
    if (event.whole)
      out.integer(sensor++, static_cast<std::int64_t>(value));
    else
      out.number(sensor++, value);
    host.info(std::string(channel.name) + " " + channel.unit);
  }
  return GERBANG_OK;
}

// Listens at 9600 baud. If nothing at all is heard, asks an SPS30 for its value.
gerbang_status scan_by_hand(Host host, const Config& config, const Scan& scan) {
  serial::Settings settings;
  settings.device = config.options().text("device");
  const auto bauds = serial::bauds_of(config.options(), {9600, 115'200});
  serial::Ear ear(host, scan, settings);
  std::optional<Event> found;
  bool heard = false;
  for (std::size_t i = 0; i < bauds.size() && !found; ++i) {
    const bool ask = bauds[i] == 115'200 && !heard;
    if (bauds[i] == 115'200 && !ask) continue;
    ear.tune(bauds[i], {i, bauds.size()});
    Codec codec(std::nullopt);
    auto next = serial::Clock::now();
    ear.listen(ask ? kAsk : kListen, [&](Bytes bytes) {
      if (ask && serial::Clock::now() >= next) {
        ear.line().write(kSpsRead, serial::Clock::now() + 100ms);
        next = serial::Clock::now() + kAnswers;
      }
      for (const Event& event : codec.feed(bytes))
        if (event.kind != Event::Kind::broken && event.kind != Event::Kind::refused) found = event;
      return found.has_value();
    });
    heard = heard || ear.heard_any();
  }
  if (found)
    scan.found(toml_of(found->model, settings.device),
               note_of(*found, serial::text_of(ear.line().settings())));
  else
    ear.say_what_was_heard("particle counter");
  return GERBANG_OK;
}

}  // namespace gerbang::particulate
