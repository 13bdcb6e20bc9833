// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the IIO driver: its keys, and turns at which text files are read.
#include <deque>
#include <gerbang/driver.hpp>
#include <gerbang/schedule.hpp>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "analog/loop.hpp"
#include "scan.hpp"
#include "tree.hpp"

namespace gerbang::iio {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;
using Time = std::chrono::nanoseconds;

[[noreturn]] void refuse(const std::string& text) {
  throw Failure(GERBANG_CONFIG, text);
}

Target target_of(const Values& address, const std::string& where) {
  Target target;
  int given = 0;
  for (const auto& [key, bus] :
       {std::pair("device", Bus::iio), std::pair("hwmon", Bus::hwmon), std::pair("w1", Bus::w1)}) {
    if (!address.has(key)) continue;
    ++given;
    target.bus = bus;
    target.name = address.text(key);
  }
  if (given != 1 || target.name.empty())
    refuse(where + "name one of device (IIO), hwmon, or w1 (a 1-Wire thermometer)");
  if (target.name.find('/') != std::string::npos)
    refuse(where + "\"" + target.name + "\" is a name and holds no slash; path says where it is");
  if (address.has("path")) target.path = address.text("path");
  if (address.has("channel")) target.channel = channel_of(address.text("channel"));
  if (target.channel.find('/') != std::string::npos)
    refuse(where + "channel = \"" + target.channel + "\" holds a slash");
  if (target.bus == Bus::w1 && !target.channel.empty())
    refuse(where + "a 1-Wire thermometer has no channel");
  if (target.bus != Bus::w1 && target.channel.empty())
    refuse(where +
           "channel is missing: for example temp, humidityrelative, voltage0 (IIO) or temp1 "
           "(hwmon)");
  return target;
}

// The kernel tells currents in mA and voltages in mV.
std::optional<analog::Loop> loop_of(const Values& address, const Values& options,
                                    const Target& target, const std::string& where) {
  auto loop = analog::loop_of(address, options, where);
  const bool shunt = address.has("shunt");
  if (!loop) {
    if (shunt) refuse(where + "shunt is of a 4-20 mA loop: give low and high too");
    return loop;
  }
  const std::string_view unit = unit_of(target.bus, target.channel);
  if (unit == "mV") {
    if (!shunt) refuse(where + "a voltage is a current over a resistor: give shunt, in ohm");
    loop->scale = 1 / address.number("shunt");
  } else if (unit != "mA") {
    refuse(where +
           "low and high are of a 4-20 mA loop: the channel must be a current, or a voltage "
           "over a shunt");
  } else if (shunt) {
    refuse(where + "the channel is a current already: leave shunt away");
  }
  return loop;
}

class Iio {
 public:
  static constexpr const char* kName = "iio";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Reads sensors that the Linux kernel knows: IIO, hwmon, and 1-Wire thermometers.";
  // One 1-Wire thermometer, asked five times by the kernel.
  static constexpr std::chrono::milliseconds kMaxBlock{5'000};

  static constexpr gerbang_option_spec kOptions[] = {
      text("root", "Where the kernel's tree is; another for tests").otherwise("/sys"),
      analog::kFaultLow,
      analog::kSuspectLow,
      analog::kSuspectHigh,
      analog::kFaultHigh,
  };
  static constexpr gerbang_option_spec kAddress[] = {
      text("device", "IIO: name or label of the chip, as in its file name; never a number")
          .identity(),
      text("hwmon", "hwmon: name of the chip, as in its file name").identity(),
      text("w1", "1-Wire: the thermometer's own number, as 28-0000098e8f2d").identity(),
      text("path", "A part of where it hangs, to tell two of one name apart: 1-0076").identity(),
      text("channel", "IIO: temp, humidityrelative, pressure, voltage0 …; hwmon: temp1 …")
          .identity(),
      analog::kLow,
      analog::kHigh,
      number("shunt", "4-20 mA: resistor that the voltage is measured over, in ohm")
          .range(0.001, 1e6),
  };

  Iio(Host host, const Config& config) : host_(host), tree_(config.options().text("root")) {
    for (std::size_t i = 0; i < config.sensor_count(); ++i) {
      const auto sensor = config.sensor(i);
      const std::string where = std::string("sensor ") + sensor.id + ": address: ";
      Source source;
      source.index = sensor.index;
      source.id = sensor.id;
      source.target = target_of(sensor.address, where);
      source.loop = loop_of(sensor.address, config.options(), source.target, where);
      sources_.push_back(std::move(source));
      schedule_.add(sensor.interval, host.boottime());
    }
  }

  gerbang_status poll(std::chrono::milliseconds budget) {
    const Time deadline = host_.boottime() + budget;
    if (due_.empty()) std::this_thread::sleep_for(schedule_.wait(host_.boottime(), budget));
    for (std::size_t i : schedule_.take(host_.boottime()))
      if (!std::exchange(sources_[i].waiting, true)) due_.push_back(i);
    // Slow ones do not hold up the call for long: the rest has its turn in the next one.
    while (!due_.empty()) {
      Source& source = sources_[due_.front()];
      due_.pop_front();
      source.waiting = false;
      serve(source);
      if (host_.boottime() >= deadline || host_.stopping()) break;
    }
    return GERBANG_OK;
  }

  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data);
  static gerbang_status scan(Host host, const Config& config, const Scan& scan) {
    return scan_devices(host, config.options().text("root"), scan);
  }

 private:
  struct Source {
    std::uint32_t index = 0;
    std::string id;
    Target target;
    std::optional<analog::Loop> loop;
    std::string folder;                  // where it was found; empty: to be looked for
    std::optional<std::int64_t> before;  // w1: the last good value
    std::string told;                    // the fault that the log knows
    bool waiting = false;
  };

  Value read(Source& source) const {
    if (source.folder.empty()) {
      auto found = tree_.find(source.target);
      if (!found) return tl::unexpected(found.error());
      source.folder = *found;
    }
    std::string text;
    auto value = tree_.read(source.folder, source.target, text);
    if (!text.empty())
      host_.trace(source.target.name.c_str(), false, std::as_bytes(std::span(text)));
    // It may have another number when it comes back.
    if (!value) source.folder.clear();
    return value;
  }

  void serve(Source& source) {
    const Time begin = host_.boottime();
    const Value value = read(source);
    const Time end = host_.boottime();
    host_.exchange(source.target.name.c_str(), value ? GERBANG_REASON_NONE : value.error().reason,
                   std::chrono::duration_cast<std::chrono::microseconds>(end - begin));
    Emitter out(host_, end);
    if (!value) {
      out.missing(source.index, value.error().reason);
      if (std::exchange(source.told, value.error().why) != value.error().why)
        host_.warning("sensor " + source.id + ": " + value.error().why);
      return;
    }
    if (!std::exchange(source.told, {}).empty())
      host_.info("sensor " + source.id + ": it is read again");
    if (source.loop)
      analog::emit(out, source.index, analog::measure(*source.loop, value->value()));
    else
      emit(out, source, *value);
  }

  static void emit(Emitter& out, Source& source, const Number& value) {
    if (source.target.bus == Bus::w1 && value.is_integer) {
      if (looks_like_power_on(value.integer, source.before)) {
        out.integer(source.index, value.integer, GERBANG_SUSPECT, GERBANG_REASON_WARM_UP);
        return;
      }
      source.before = value.integer;
    }
    if (value.is_integer)
      out.integer(source.index, value.integer);
    else
      out.number(source.index, value.real);
  }

  Host host_;
  Tree tree_;
  std::vector<Source> sources_;
  Schedule schedule_;
  std::deque<std::size_t> due_;  // positions in sources_ whose turn it is
};

// What `cat w1_slave`, or an IIO or hwmon file, printed.
gerbang_status Iio::decode(Host host, const Config&, std::span<const std::byte> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  const bool is_text = std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
  });
  if (!is_text)
    refuse(
        "these bytes are no text, and the kernel writes text: give what `cat` printed, as --text "
        "\"25080\"");
  const bool is_w1 = text.find("crc=") != std::string_view::npos;
  const Value value = is_w1 ? w1_of(text) : number_of(text);
  if (!value) refuse(value.error().why);
  Emitter out(host);
  const bool power_on = is_w1 && looks_like_power_on(value->integer, std::nullopt);
  if (value->is_integer)
    out.integer(0, value->integer, power_on ? GERBANG_SUSPECT : GERBANG_NOT_EVALUATED,
                power_on ? GERBANG_REASON_WARM_UP : GERBANG_REASON_NONE);
  else
    out.number(0, value->real);
  host.info(is_w1 ? "temperature milli-°C" : "number");
  return GERBANG_OK;
}

}  // namespace
}  // namespace gerbang::iio

GERBANG_DRIVER(gerbang::iio::Iio)
