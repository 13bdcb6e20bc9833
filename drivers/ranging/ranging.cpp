// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the driver of distance sensors: its keys, and what it says.
#include <gerbang/driver.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "fill.hpp"
#include "serial/listen.hpp"
#include "serial/options.hpp"
#include "serial/stream.hpp"

namespace gerbang::ranging {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr const char* kModelNames = "a02yyuw|maxbotix-hrxl|maxbotix-usb|maxbotix-lv|maxbotix-xl";

std::optional<Model> model_of(const Values& options) {
  if (!options.has("model")) return std::nullopt;
  for (Model model : kModels)
    if (options.text("model") == about(model).name) return model;
  return std::nullopt;
}
Model required_model(const Values& options) {
  if (const auto model = model_of(options)) return *model;
  throw Failure(GERBANG_CONFIG, "model is not given");
}
std::optional<int> no_target_of(const Values& options) {
  if (!options.has("no_target")) return std::nullopt;
  return static_cast<int>(options.integer("no_target"));
}

serial::Settings line_of(const Values& options) {
  serial::Settings usual;
  usual.gather = 10ms;
  return serial::settings_of(options, std::move(usual));
}

class Ranging final : public serial::Stream {
 public:
  static constexpr const char* kName = "ranging";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Reads ultrasonic distance sensors on a serial port (A02YYUW, MaxBotix), as distance or as "
      "fill "
      "level.";
  static constexpr std::chrono::milliseconds kMaxBlock{1000};
  static constexpr gerbang_option_spec kOptions[] = {
      serial::device_key(),
      choice(
          "model", kModelNames,
          "What is connected: it decides the unit, so it is not guessed; README.md says which is "
          "which")
          .required(),
      integer("no_target",
              "Number at and above which the sensor means that no echo came, as it sends it: 5000, "
              "for MaxBotix types of 10 m 9999; the model's if not given")
          .range(1, 65'535),
      serial::baud_key("9600"),
      serial::parity_key("none"),
      serial::data_bits_key("8"),
      serial::stop_bits_key("1"),
      duration("timeout",
               "How long a turn waits for a new frame, but never longer than the interval")
          .range(100, 60'000)
          .otherwise("2s"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      choice("channel", "distance|fill",
             "Distance in mm, or how full a bin or tank is in percent, which needs empty and full")
          .identity()
          .otherwise("distance"),
      number("empty", "fill: distance in mm from the sensor to the bottom").range(1, 20'000),
      number("full", "fill: distance in mm from the sensor to the surface when it is full")
          .range(0, 20'000),
  };

  Ranging(Host host, const Config& config)
      : Stream(host, line_of(config.options()), "ranging",
               {config.options().duration("timeout"), 0ms}),
        model_(required_model(config.options())),
        codec_(model_, no_target_of(config.options())) {
    for (std::size_t i = 0; i < config.sensor_count(); ++i) {
      const Sensor sensor = config.sensor(i);
      wanted_.push_back(wanted_of(sensor));
      add(sensor);
    }
  }

  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data);
  static gerbang_status scan(Host host, const Config& config, const Scan& scan);

 private:
  struct Wanted {
    bool fill;
    double empty, full;
  };

  static Wanted wanted_of(const Sensor& sensor) {
    const Values& address = sensor.address;
    if (address.text("channel") != "fill") return {false, 0, 0};
    const std::string where = "sensor " + std::string(sensor.id) + ": address: ";
    if (!address.has("empty") || !address.has("full"))
      throw Failure(GERBANG_CONFIG,
                    where +
                        "fill needs empty and full, the distances in mm from the sensor to the "
                        "bottom and to the surface when it is full");
    const Wanted wanted{true, address.number("empty"), address.number("full")};
    if (wanted.empty <= wanted.full)
      throw Failure(GERBANG_CONFIG,
                    where +
                        "empty must be larger than full: the sensor is above, and the bottom is "
                        "farther away than the surface of a full one");
    return wanted;
  }

  void feed(serial::Bytes bytes) override { take(codec_.feed(bytes)); }
  void silence() override { take(codec_.silence()); }
  void reset() override { codec_.reset(); }
  void answer(Emitter& out, std::uint32_t sensor, std::size_t position) override;
  void take(std::span<const Event> events);

  const Model model_;
  Codec codec_;
  std::vector<Wanted> wanted_;
  Event newest_;
  std::uint64_t noise_ = 0;
  std::string told_;
};

void Ranging::take(std::span<const Event> events) {
  std::size_t broken_frames = 0;
  for (const Event& event : events) {
    switch (event.kind) {
      case Event::Kind::broken:
        ++broken_frames;
        break;
      case Event::Kind::refused:
        noise(1);
        if (std::exchange(told_, event.text) != event.text) host().warning(event.text);
        break;
      default:
        newest_ = event;
        told_.clear();
        measured();
    }
  }
  if (broken_frames > 0) broken(broken_frames);
  if (const auto more = codec_.noise() - noise_; more > 0) {
    noise(more);
    noise_ += more;
  }
}

// In mm; a whole number where the device's unit is a whole number of them.
void emit_distance(Emitter& out, std::uint32_t sensor, Model model, const Event& event) {
  if (event.kind == Event::Kind::no_target) return out.missing(sensor, GERBANG_REASON_NO_TARGET);
  const auto quality = event.nearest ? GERBANG_SUSPECT : GERBANG_NOT_EVALUATED;
  const auto reason = event.nearest ? GERBANG_REASON_RANGE : GERBANG_REASON_NONE;
  if (model == Model::maxbotix_lv)
    out.number(sensor, event.count * about(model).millimetres, quality, reason);
  else
    out.integer(sensor, event.count * static_cast<int>(about(model).millimetres), quality, reason);
}

void Ranging::answer(Emitter& out, std::uint32_t sensor, std::size_t position) {
  const Wanted& wanted = wanted_[position];
  if (!wanted.fill || newest_.kind == Event::Kind::no_target)
    return emit_distance(out, sensor, model_, newest_);
  const Fill fill = fill_of(newest_.count * about(model_).millimetres, wanted.empty, wanted.full);
  if (fill.implausible || newest_.nearest)
    out.number(sensor, fill.percent, GERBANG_SUSPECT, GERBANG_REASON_RANGE);
  else
    out.number(sensor, fill.percent);
}

// Emits the distance of the first frame, and says in the log what it is.
gerbang_status Ranging::decode(Host host, const Config& config, std::span<const std::byte> data) {
  const serial::Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const Captured captured =
      decode_captured(bytes, model_of(config.options()), no_target_of(config.options()));
  if (!captured.event) throw Failure(GERBANG_CONFIG, captured.why);
  Emitter out(host);
  emit_distance(out, 0, captured.model, *captured.event);
  host.info("distance mm");
  return GERBANG_OK;
}

// Listens at 9600 baud. Two frames are needed: four bytes are found in any stream.
gerbang_status Ranging::scan(Host host, const Config& config, const Scan& scan) {
  serial::Settings settings;
  settings.device = config.options().text("device");
  serial::need_port(settings);
  serial::Line line(host, settings, "scan");
  struct Candidate {
    Model model;
    Codec codec;
    int frames = 0;
    std::string last;
  };
  std::vector<Candidate> candidates;
  for (Model model : {Model::a02yyuw, Model::maxbotix_hrxl, Model::maxbotix_xl})
    candidates.push_back({model, Codec(model, std::nullopt), 0, {}});
  const Candidate* found = nullptr;
  serial::listen(host, scan, line, 2s, 0, 1, [&](serial::Bytes bytes) {
    for (Candidate& candidate : candidates) {
      for (const Event& event : candidate.codec.feed(bytes)) {
        if (event.kind != Event::Kind::distance && event.kind != Event::Kind::no_target) continue;
        ++candidate.frames;
        candidate.last = event.kind == Event::Kind::no_target
                             ? "no target now"
                             : "now " + std::to_string(event.count);
      }
      if (candidate.frames >= 3) found = &candidate;
    }
    return found != nullptr;
  });
  if (found == nullptr) return GERBANG_OK;
  const std::string name = about(found->model).name;
  std::string note = name + " at " + text_of(settings) + ", " + found->last;
  note +=
      found->model == Model::maxbotix_xl
          ? "; three digits are centimetres, or inches if its label says LV: then write model = "
            "\"maxbotix-lv\""
          : " mm";
  note +=
      "; for the fill of a bin: quantity = \"fill_level\", unit = \"%\", address = { channel = "
      "\"fill\", empty = MM, full = MM }";
  scan.found(
      serial::driver_toml("ranging", "10s", settings.device, name) +
          serial::sensor_toml("distance", "ranging", "distance", "mm", "channel = \"distance\""),
      note);
  return GERBANG_OK;
}

}  // namespace
}  // namespace gerbang::ranging

GERBANG_DRIVER(gerbang::ranging::Ranging)
