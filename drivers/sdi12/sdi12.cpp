// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the SDI-12 driver: its keys, captured answers, and the search for devices.
#include <gerbang/driver.hpp>
#include <string>
#include <utility>
#include <vector>

#include "station.hpp"

namespace gerbang::sdi12 {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr const char* kAddressChoices =
    "0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z|"
    "A|B|C|D|E|F|G|H|I|J|K|L|M|N|O|P|Q|R|S|T|U|V|W|X|Y|Z";

bool sends_break(const Values& options) {
  return !options.has("break") || options.text("break") == "send";
}

serial::Settings line_of(const Values& options) {
  serial::Settings usual;
  if (sends_break(options)) {  // the port is the line
    usual.baud = 1200;
    usual.parity = 'E';
    usual.data_bits = 7;
  }
  return serial::settings_of(options, std::move(usual));
}

Bus::Settings bus_of(const Values& options) {
  Bus::Settings s;
  s.retries = static_cast<int>(options.integer("retries"));
  s.timeout = options.duration("timeout");
  s.whole_answers = !sends_break(options);
  return s;
}

std::vector<Sensor> sensors_of(const Config& config) {
  std::vector<Sensor> sensors;
  for (std::size_t i = 0; i < config.sensor_count(); ++i) {
    const auto given = config.sensor(i);
    const std::string where = std::string("sensor ") + given.id + ": address: ";
    const std::string address = given.address.text("sensor_address");
    const auto command = command_of(given.address.text("command"));
    if (address.size() != 1 || !is_address(address[0]))
      throw Failure(GERBANG_CONFIG, where + "sensor_address is one of 0 to 9, a to z, A to Z");
    if (!command) throw Failure(GERBANG_CONFIG, where + "command is not known");
    const auto parameter = given.address.integer("parameter");
    if (command->kind != Command::Kind::concurrent && command->kind != Command::Kind::continuous &&
        parameter > 9)
      throw Failure(GERBANG_CONFIG, where + "parameter = " + std::to_string(parameter) + ", but " +
                                        name_of(*command) +
                                        " gives at most 9 values; C gives up to 99");
    sensors.push_back({given.index, given.id, address[0], *command,
                       static_cast<std::size_t>(parameter), given.interval});
  }
  return sensors;
}

class Sdi12 {
 public:
  static constexpr const char* kName = "sdi12";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Asks SDI-12 1.4 probes for measurements over a serial adapter; changes nothing in them.";
  static constexpr std::chrono::milliseconds kMaxBlock{2000};

  static constexpr gerbang_option_spec kOptions[] = {
      serial::device_key(),
      serial::baud_key(),
      serial::parity_key(),
      serial::data_bits_key(),
      serial::stop_bits_key(),
      choice("break", "send|adapter",
             "Who makes the break that wakes the probes: this driver on the port (1200 7E1), or an "
             "adapter that takes commands as text (9600 8N1)")
          .otherwise("send"),
      duration("timeout", "How long a probe may take to begin its answer")
          .range(20, 10'000)
          .otherwise("500ms"),
      integer("retries", "How often a command without a right answer is sent again")
          .range(0, 10)
          .otherwise("3"),
  };
  static constexpr gerbang_option_spec kAddress[] = {
      choice("sensor_address", kAddressChoices, "Address of the probe; new ones have 0")
          .required()
          .identity(),
      choice("command", kCommandNames,
             "What is measured: M to M9, C to C9 (others may be asked meanwhile), R0 to R9 (at "
             "once), V; MC, CC, RC with a CRC")
          .otherwise("M")
          .identity(),
      integer("parameter", "Which of the values, from 1").range(1, 99).otherwise("1").identity(),
  };

  Sdi12(Host host, const Config& config)
      : station_(host, line_of(config.options()), sends_break(config.options()),
                 bus_of(config.options()), sensors_of(config)) {}
  gerbang_status poll(std::chrono::milliseconds budget) { return station_.poll(budget); }
  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data);
  static gerbang_status scan(Host host, const Config& config, const Scan& scan);

 private:
  Station station_;
};

// ---- gerbangctl decode --------------------------------------------------------------------------

[[noreturn]] void refuse(const std::string& why) {
  throw Failure(GERBANG_CONFIG, why);
}

// The values of a data line, with its CRC taken off if it has one: values have no letters.
std::vector<double> values_of(std::string_view line) {
  const char last = line.back();
  const bool checked = (last < '0' || last > '9') && last != '.' && last != '+' && last != '-';
  if (checked) {
    const auto body = without_crc(line);
    if (!body)
      refuse("the CRC is wrong: " + std::string(line) + " should end in " +
             (line.size() > 3 ? crc_of(line.substr(0, line.size() - 3)) : std::string("a CRC")));
    line = *body;
  }
  const auto values = parse_values(line.substr(1));
  if (!values) refuse(values.error() + ": " + std::string(line));
  return *values;
}

gerbang_status Sdi12::decode(Host host, const Config&, std::span<const std::byte> data) {
  std::vector<double> values;
  std::string text;
  char probe = 0;
  Lines lines;
  auto take_line = [&](std::string_view line) {
    if (!is_clean(line) || !is_address(line[0]))
      refuse("this is no SDI-12 answer: it begins with an address and is printable text");
    if (probe != 0 && line[0] != probe)
      refuse(std::string("these are answers of two probes, ") + probe + " and " + line[0] +
             ": give those of one");
    probe = line[0];
    if (line.size() == 1)
      refuse("this is an address alone: an acknowledgement, or a service request");
    if (const auto identity = parse_identity(line))
      refuse("this is an identification and holds no values: " + text_of(*identity));
    const Command m{Command::Kind::measure}, c{Command::Kind::concurrent};
    for (const Command& command : {m, c})
      if (const auto promised = parse_promise(command, line))
        refuse("this only promises " + std::to_string(promised->values) + " values in " +
               std::to_string(promised->seconds) + " s; they come with D0");
    for (const double value : values_of(line)) values.push_back(value);
  };
  for (const std::byte byte : data)
    if (const auto line = lines.take(static_cast<std::uint8_t>(byte))) {
      text = *line;
      take_line(text);
    }
  if (const auto last = lines.take('\n')) take_line(text = *last);  // pasted without its end
  if (values.empty()) refuse("there is no value in it");
  Emitter out(host);
  for (std::size_t i = 0; i < values.size(); ++i) {
    host.info("parameter-" + std::to_string(i + 1));
    out.number(static_cast<std::uint32_t>(i), values[i]);
  }
  return GERBANG_OK;
}

// ---- gerbangctl scan ----------------------------------------------------------------------------

class Search {
 public:
  Search(Host host, const Values& options)
      : talker_(host, line_of(options), sends_break(options)),
        patience_(options.has("timeout")
                      ? std::min<std::chrono::milliseconds>(options.duration("timeout"), kPatience)
                      : kPatience) {}

  // The first line with which that address answers, or "".
  std::string ask(char address, const std::string& command, std::chrono::milliseconds more = 0ms) {
    if (!talker_.send(command)) {
      if (!talker_.line().is_open()) refuse("cannot ask: " + talker_.line().why());
      return {};
    }
    Lines lines;
    lines.sent(command);
    const auto end = serial::Clock::now() + patience_ + more;
    while (serial::Clock::now() < end)
      for (const std::uint8_t byte : talker_.line().read_some(end)) {
        heard_ = heard_ || byte != 0;
        const auto line = lines.take(byte);
        if (line && is_clean(*line) && (*line)[0] == address) return std::string(*line);
      }
    return {};
  }
  bool heard_anything() const { return heard_; }

 private:
  static constexpr std::chrono::milliseconds kPatience{200};
  Talker talker_;
  std::chrono::milliseconds patience_;
  bool heard_ = false;
};

// A part of an id, which has no capitals; 'Z' and 'z' are two probes.
std::string in_id(char address) {
  if (address < 'A' || address > 'Z') return {address};
  return std::string("upper-") + static_cast<char>(address - 'A' + 'a');
}

std::string ready_to_paste(const Config& config, char address, bool first) {
  const std::string name =
      config.instance() == nullptr || *config.instance() == '\0' ? "sdi12" : config.instance();
  const Values options = config.options();
  std::string out;
  if (first)
    out = "[[driver]]\nname = \"" + name + "\"\nplugin = \"sdi12\"\ninterval = \"1m\"\n" +
          "options = { device = \"" + options.text("device") + "\", break = \"" +
          (sends_break(options) ? "send" : "adapter") + "\" }\n\n";
  return out + "[[sensor]]\nid = \"" + name + "-" + in_id(address) + "-1\"\ndriver = \"" + name +
         "\"\nquantity = \"number\"     # what it measures, with its unit and range\n"
         "address = { sensor_address = \"" +
         address + "\", command = \"M\", parameter = 1 }\n";
}

// Asks every address who it is.
gerbang_status Sdi12::scan(Host host, const Config& config, const Scan& scan) {
  constexpr auto kIdentity = 400ms;  // 36 characters at 1200 baud, and some
  Search search(host, config.options());
  std::size_t found = 0;
  for (std::size_t i = 0; i < kAddresses.size() && !host.stopping(); ++i) {
    const char address = kAddresses[i];
    scan.progress(static_cast<double>(i) / static_cast<double>(kAddresses.size()),
                  std::string("address ") + address);
    // Twice: the first command may only have woken it.
    const std::string alone(1, address);
    if (search.ask(address, alone + "!") != alone && search.ask(address, alone + "!") != alone)
      continue;
    const std::string line = search.ask(address, alone + "I!", kIdentity);
    const auto identity = parse_identity(line);
    scan.found(ready_to_paste(config, address, found == 0),
               "address " + alone + ": " +
                   (identity ? text_of(*identity) : std::string("does not say what it is")));
    ++found;
  }
  if (found == 0 && !host.stopping()) {
    search.ask('?', "?!");
    if (search.heard_anything())
      host.warning(
          "something was heard, but no address answered as it should: baud rate and parity, or "
          "several probes with one address; connect them one by one");
  }
  scan.progress(1, "done");
  return GERBANG_OK;
}

}  // namespace
}  // namespace gerbang::sdi12

GERBANG_DRIVER(gerbang::sdi12::Sdi12)
