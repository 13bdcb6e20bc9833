// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the weighbridge driver: its keys, and how they become a platform.
#include <algorithm>
#include <gerbang/driver.hpp>
#include <string>
#include <utility>
#include <vector>

#include "platform.hpp"

namespace gerbang::weighbridge {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

Channel channel_of(const std::string& name) {
  return name == "weighing" ? Channel::weighing
         : name == "gross"  ? Channel::gross
         : name == "tare"   ? Channel::tare
                            : Channel::weight;
}

// The line as the makers ship it.
serial::Settings usual_line(std::optional<Format> format) {
  serial::Settings s;
  if (format == Format::toledo || format == Format::aandd) {
    s.parity = 'E';
    s.data_bits = 7;
  }
  if (format == Format::aandd) s.baud = 2400;
  return s;
}

// Options that were not given by gerbangctl have their defaults here too.
std::string choice_of(const Values& options, const char* name, const char* otherwise) {
  return options.has(name) ? options.text(name) : otherwise;
}

Dialect dialect_of(const Values& options) {
  Dialect d;
  d.unit = parse_unit(choice_of(options, "unit", "kg")).value_or(Unit::kilogram);
  const std::string checksum = choice_of(options, "checksum", "auto");
  if (checksum == "required") d.checksum = Dialect::Checksum::always;
  if (checksum == "none") d.checksum = Dialect::Checksum::never;
  return d;
}

Settings settings_of(const Values& options) {
  Settings s;
  s.format = format_of(options.text("format"));
  s.dialect = dialect_of(options);
  s.timeout = options.duration("timeout");
  s.equal_readings = static_cast<int>(options.integer("equal_readings"));
  s.weighing.minimum = options.number("minimum");
  s.weighing.near_zero = options.number("near_zero");
  if (s.weighing.near_zero >= s.weighing.minimum)
    throw Failure(GERBANG_CONFIG,
                  "near_zero must be below minimum: an empty platform is lighter than a vehicle");
  const std::string request = options.text("request");
  s.request = request == "si" ? "SI\r\n" : request == "q" ? "Q\r\n" : "";
  s.request_interval = options.duration("request_interval");
  return s;
}

std::vector<Sensor> sensors_of(const Config& config) {
  std::vector<Sensor> sensors;
  for (std::size_t i = 0; i < config.sensor_count(); ++i) {
    const auto given = config.sensor(i);
    Sensor sensor{given.index, channel_of(given.address.text("channel")), given.interval, {}};
    if (given.address.has("tare")) {
      sensor.stored_tare = given.address.number("tare");
      if (sensor.channel == Channel::weight || sensor.channel == Channel::gross)
        throw Failure(GERBANG_CONFIG, std::string("sensor ") + given.id +
                                          ": address: tare belongs to the channels weighing and "
                                          "tare; the others show what the indicator shows");
    }
    sensors.push_back(sensor);
  }
  return sensors;
}

class Weighbridge {
 public:
  static constexpr const char* kName = "weighbridge";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Listens to the indicator of a weighbridge and finds the weighings in its stream.";
  static constexpr std::chrono::milliseconds kMaxBlock{1000};

  static constexpr gerbang_option_spec kOptions[] = {
      serial::device_key(),
      serial::baud_key(),
      serial::parity_key(),
      serial::data_bits_key(),
      serial::stop_bits_key(),
      choice("format", kFormatChoices,
             "What the indicator sends; auto: recognised by its first frames, and said in the log")
          .otherwise("auto"),
      choice("unit", "kg|g|t",
             "Unit of formats that do not carry one: yaohua-a9, yaohua-equals, rinstrum-a")
          .otherwise("kg"),
      choice("checksum", "auto|required|none",
             "toledo: frames end in a checksum; auto: a frame without one is taken too")
          .otherwise("auto"),
      duration("timeout", "How old a weight may be, and how long the indicator may be silent")
          .range(100, 60'000)
          .otherwise("2s"),
      number("minimum", "What is heavier than this is a vehicle, in kg")
          .range(0, 1e6)
          .otherwise("200"),
      number("near_zero", "Up to this the platform is empty, in kg; below minimum")
          .range(0, 1e6)
          .otherwise("100"),
      integer("equal_readings",
              "So many equal weights in a row are at rest, where the format does not say it")
          .range(2, 100)
          .otherwise("5"),
      choice("request", "none|si|q",
             "Ask for each weight: si (MT-SICS), q (A&D); none: the indicator sends by itself")
          .otherwise("none"),
      duration("request_interval", "How often it is asked").range(50, 60'000).otherwise("200ms"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      choice("channel", kChannelNames,
             "weight: what the indicator shows; weighing: the net weight of each vehicle, and the "
             "event; gross, tare: those of each vehicle")
          .required()
          .identity(),
      number("tare", "Stored tare in kg, for vehicles that all weigh the same when empty")
          .range(0, 1e6),
  };

  Weighbridge(Host host, const Config& config) : platform_(make(host, config)) {}
  gerbang_status poll(std::chrono::milliseconds budget) { return platform_.poll(budget); }
  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data);
  static gerbang_status scan(Host host, const Config& config, const Scan& scan);

 private:
  static Platform make(Host host, const Config& config) {
    const Settings settings = settings_of(config.options());
    return {host, serial::settings_of(config.options(), usual_line(settings.format)),
            sensors_of(config), settings};
  }
  Platform platform_;
};

// ---- gerbangctl decode --------------------------------------------------------------------------

const char* label_of(Basis basis) {
  switch (basis) {
    case Basis::gross:
      return "gross";
    case Basis::net:
      return "net";
    case Basis::tare:
      return "tare";
    case Basis::display:
      break;
  }
  return "weight";
}

struct Captured {
  Format format = Format::toledo;
  std::vector<Item> items;
  std::size_t good = 0;
  bool stated = false;  // a whole frame, or one with a wrong checksum: this is the format
};

Captured try_format(Format format, const Dialect& dialect, Bytes bytes) {
  Captured out;
  out.format = format;
  out.items = decode_captured(format, dialect, bytes);
  for (const Item& item : out.items) {
    out.good += item.good() ? 1 : 0;
    out.stated = out.stated || item.stated() || item.reason == GERBANG_REASON_CRC;
  }
  return out;
}

Captured decoded(const std::string& name, const Dialect& dialect, Bytes bytes) {
  if (const auto format = format_of(name)) return try_format(*format, dialect, bytes);
  Captured best;
  for (const Format format : kFormats) {
    Captured tried = try_format(format, dialect, bytes);
    if (tried.good > best.good || (best.good == 0 && tried.stated && !best.stated))
      best = std::move(tried);
  }
  if (best.items.empty())
    throw Failure(GERBANG_CONFIG,
                  "no frame of any format that this driver knows; name one with --option "
                  "format=NAME to see what is wrong with it");
  return best;
}

gerbang_status Weighbridge::decode(Host host, const Config& config,
                                   std::span<const std::byte> data) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const Captured captured =
      decoded(choice_of(config.options(), "format", "auto"), dialect_of(config.options()), bytes);
  const std::string format(name_of(captured.format));
  if (captured.good == 0) throw Failure(GERBANG_CONFIG, format + ": " + captured.items.front().why);
  Emitter out(host);
  std::uint32_t count = 0;
  auto emit = [&](const char* name, double kg, Motion motion) {
    host.info(std::string(name) + " kg");
    out.number(count++, kg, motion == Motion::moving ? GERBANG_SUSPECT : GERBANG_NOT_EVALUATED);
  };
  for (const Item& item : captured.items) {
    if (!item.good()) {
      host.warning(format + ": " + item.why);
      continue;
    }
    const Weight& weight = item.weight;
    emit(label_of(weight.basis), weight.kg(), weight.motion);
    if (!weight.tare) continue;
    emit("tare", weight.tare->value(), weight.motion);
    emit("gross", weight.load(), weight.motion);
  }
  return GERBANG_OK;
}

// ---- gerbangctl scan ----------------------------------------------------------------------------

std::vector<serial::Settings> lines_to_try(const Values& options) {
  struct Common {
    int baud, data_bits;
    char parity;
  };
  constexpr std::array kCommon{Common{9600, 8, 'N'}, Common{9600, 7, 'E'},  Common{2400, 7, 'E'},
                               Common{4800, 8, 'N'}, Common{4800, 7, 'E'},  Common{2400, 8, 'N'},
                               Common{1200, 7, 'E'}, Common{19200, 8, 'N'}, Common{115200, 8, 'N'}};
  std::vector<serial::Settings> lines;
  for (const Common& common : kCommon) {
    serial::Settings line;
    line.baud = common.baud;
    line.data_bits = common.data_bits;
    line.parity = common.parity;
    line = serial::settings_of(options, line);  // what was given stands
    const bool tried = std::any_of(lines.begin(), lines.end(), [&](const serial::Settings& other) {
      return serial::text_of(other) == serial::text_of(line);
    });
    if (!tried) lines.push_back(std::move(line));
  }
  return lines;
}

std::string ready_to_paste(const serial::Settings& line, Format format) {
  const char* parity = line.parity == 'E' ? "even" : line.parity == 'O' ? "odd" : "none";
  return "[[driver]]\nname = \"weighbridge\"\nplugin = \"weighbridge\"\ninterval = \"1s\"\n"
         "[driver.options]\ndevice = \"" +
         line.device + "\"\nformat = \"" + std::string(name_of(format)) +
         "\"\nbaud = " + std::to_string(line.baud) + "\nparity = \"" + parity +
         "\"\ndata_bits = " + std::to_string(line.data_bits) +
         "\n\n[[sensor]]\nid = \"truck-net\"\ndriver = \"weighbridge\"\nquantity = \"net_weight\"\n"
         "unit = \"kg\"\naddress = { channel = \"weighing\" }\n"
         "\n[[sensor]]\nid = \"truck-gross\"\ndriver = \"weighbridge\"\n"
         "quantity = \"gross_weight\"\nunit = \"kg\"\naddress = { channel = \"gross\" }\n"
         "\n[[sensor]]\nid = \"platform-weight\"\ndriver = \"weighbridge\"\n"
         "quantity = \"weight\"\nunit = \"kg\"\naddress = { channel = \"weight\" }\n";
}

// Only listens.
gerbang_status Weighbridge::scan(Host host, const Config& config, const Scan& scan) {
  constexpr auto kListen = 1500ms;
  const auto lines = lines_to_try(config.options());
  const auto wanted = format_of(choice_of(config.options(), "format", "auto"));
  serial::Line line(host, lines.front(), "scan");
  for (std::size_t i = 0; i < lines.size() && !host.stopping(); ++i) {
    scan.progress(static_cast<double>(i) / static_cast<double>(lines.size()),
                  "listening at " + serial::text_of(lines[i]));
    line.change(lines[i]);
    Recogniser recogniser(dialect_of(config.options()));
    const auto end = serial::Clock::now() + kListen;
    while (serial::Clock::now() < end && !host.stopping()) {
      const auto bytes = line.read_some(std::min(end, serial::Clock::now() + 100ms));
      if (!line.is_open()) throw Failure(GERBANG_CONFIG, "cannot listen: " + line.why());
      const auto format = recogniser.feed(bytes);
      if (!format || (wanted && format != wanted)) continue;
      scan.found(ready_to_paste(lines[i], *format), "indicator with the format " +
                                                        std::string(name_of(*format)) + " at " +
                                                        serial::text_of(lines[i]));
      scan.progress(1, "done");
      return GERBANG_OK;
    }
  }
  scan.progress(1, "done");
  return GERBANG_OK;
}

}  // namespace
}  // namespace gerbang::weighbridge

GERBANG_DRIVER(gerbang::weighbridge::Weighbridge)
