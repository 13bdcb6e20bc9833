// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the driver of distance sensors: its keys, and what it says.
#include <gerbang/driver.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "keys.hpp"
#include "serial/options.hpp"
#include "serial/stream.hpp"

namespace gerbang::ranging {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr const char* kModelNames = "a02yyuw|maxbotix-hrxl|maxbotix-usb|maxbotix-lv|maxbotix-xl";

Model required_model(const Values& options) {
  if (const auto model = model_of(options)) return *model;
  throw Failure(GERBANG_CONFIG, "model is not given");
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
      wanted_.push_back(
          wanted_of(sensor.address, "sensor " + std::string(sensor.id) + ": address: "));
      add(sensor);
    }
  }

  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data) {
    return decode_by_hand(host, config, data);
  }
  static gerbang_status scan(Host host, const Config& config, const Scan& scan) {
    return scan_by_hand(host, config, scan);
  }

 private:
  void feed(serial::Bytes bytes) override { take(codec_.feed(bytes)); }
  void silence() override { take(codec_.silence()); }
  void reset() override { codec_.reset(); }
  void answer(Emitter& out, std::uint32_t sensor, std::size_t position) override {
    emit(out, sensor, wanted_[position], model_, newest_);
  }
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

}  // namespace
}  // namespace gerbang::ranging

GERBANG_DRIVER(gerbang::ranging::Ranging)
