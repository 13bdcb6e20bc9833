// SPDX-License-Identifier: Apache-2.0
//
// What the host sees of the Modbus driver: its keys, and how they become a poller.
#include <algorithm>
#include <gerbang/driver.hpp>
#include <string>
#include <utility>
#include <vector>

#include "address.hpp"
#include "by_hand.hpp"
#include "poller.hpp"
#include "values.hpp"

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;
using namespace gerbang::driver;

constexpr const char* kTypes =
    "bool|uint16|int16|uint32|int32|uint64|int64|float32|float64|bcd16|bcd32|"
    "uint32_milli";
constexpr const char* kOrders = "abcd|cdab|badc|dcba|ab|ba|abcdefgh|ghefcdab|badcfehg|hgfedcba";

AddressKeys keys_of(const Values& address, const Values& options) {
  AddressKeys keys;
  keys.unit = integer_if(address, "unit").value_or(1);
  keys.table = text_if(address, "table");
  keys.reg = integer_if(address, "register");
  keys.manual = integer_if(address, "manual");
  keys.bit = integer_if(address, "bit");
  keys.type = text_if(address, "type");
  keys.order = text_if(address, "order");
  keys.usual_type = text_if(options, "type");
  keys.usual_order = text_if(options, "order");
  return keys;
}

std::string registers_of(const Point& point) {
  const std::string first = std::to_string(point.address);
  return width(point.type) == 1 ? first : first + " to " + std::to_string(point.end() - 1);
}

// Its first word is the key that it is about.
std::string collision(const Point& point, const Sensor& other) {
  const Point& p = other.want.point;
  const std::string sensor = "sensor \"" + other.id + "\"";
  if (point.address != p.address)
    return "register " + registers_of(point) + " overlaps " + sensor + ", which reads " +
           registers_of(p) +
           "; correct one of the two, or say one_request_per_sensor = true where each number is a "
           "value of its own";
  std::string text = "register " + std::to_string(point.address);
  if (point.bit >= 0) text += " bit " + std::to_string(point.bit);
  text += " (" + std::string(name_of(point.table)) + ") of unit " + std::to_string(point.unit) +
          " is read by " + sensor + " already";
  if (point.bit != p.bit) text += ", as bit " + std::to_string(p.bit) + " of the other byte order";
  return text + "; correct one of the two";
}

std::vector<Sensor> sensors_of(const Config& config, const PlanLimits& limits, bool serial) {
  std::vector<Sensor> sensors;
  for (std::size_t i = 0; i < config.sensor_count(); ++i) {
    const auto given = config.sensor(i);
    const std::string where = std::string("sensor ") + given.id + ": address: ";
    auto point = point_of(keys_of(given.address, config.options()));
    if (!point) refuse(where + point.error());
    if (serial && point->unit > 247)
      refuse(where + "unit = " + std::to_string(point->unit) + " is outside 0 to 247 on RTU");
    if (!holds_bits(point->table) && width(point->type) > limits.max_registers)
      refuse(where + "the value takes " + std::to_string(width(point->type)) +
             " registers, but max_registers is " + std::to_string(limits.max_registers));
    for (const Sensor& other : sensors)
      if (collide(*point, other.want.point, limits.one_request_per_sensor))
        refuse(where + collision(*point, other));
    sensors.push_back({given.index,
                       given.id,
                       {*point, given.interval},
                       loop_of(given.address, config.options(), where)});
  }
  return sensors;
}

char letter_of(const std::string& parity) {
  return parity == "even" ? 'E' : parity == "odd" ? 'O' : 'N';
}

std::unique_ptr<Line> rtu_of(const Values& options) {
  if (!options.has("device")) refuse("device is not given; name a serial port for RTU");
  RtuSettings settings;
  settings.device = options.text("device");
  if (!is_baud_rate(options.integer("baud")))
    refuse("baud = " + std::to_string(options.integer("baud")) +
           " is not a rate of serial ports; 9600 and 19200 are usual");
  settings.baud = static_cast<int>(options.integer("baud"));
  settings.parity = letter_of(options.text("parity"));
  settings.data_bits = static_cast<int>(options.integer("data_bits"));
  settings.stop_bits = static_cast<int>(options.integer("stop_bits"));
  settings.rs485 = options.boolean("rs485");
  const std::string rts = options.text("rts");
  settings.rts = rts == "none" ? '-' : rts.front();
  settings.timeout = options.duration("timeout");
  return rtu_line(std::move(settings));
}

std::unique_ptr<Line> tcp_of(const Values& options) {
  if (!options.has("host") || options.text("host").empty())
    refuse("host is not given; write the device's address or name");
  return tcp_line({options.text("host"), static_cast<std::uint16_t>(options.integer("port")),
                   options.duration("timeout"), options.duration("connect_timeout")});
}

PollerSettings settings_of(const Values& options) {
  PollerSettings s;
  s.limits.max_gap = static_cast<std::uint16_t>(options.integer("max_gap"));
  s.limits.max_registers = static_cast<std::uint16_t>(options.integer("max_registers"));
  s.limits.max_bits = static_cast<std::uint16_t>(options.integer("max_bits"));
  s.limits.one_request_per_sensor = options.boolean("one_request_per_sensor");
  const auto timeout = options.duration("timeout");
  s.dispatch.retries = static_cast<int>(options.integer("retries"));
  s.dispatch.timeout = timeout;
  s.dispatch.numbered = options.text("transport") == "tcp";
  s.dispatch.patience = std::max<std::chrono::nanoseconds>(5 * timeout, 5s);
  s.dispatch.max_back_off = options.duration("max_back_off");
  s.pause_between = options.duration("pause_between");
  s.pause_after_connect = options.duration("pause_after_connect");
  s.idle_close = options.duration("idle_close");
  return s;
}

class Modbus {
 public:
  static constexpr const char* kName = "modbus";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kSummary =
      "Reads coils and registers of Modbus devices over TCP or RTU (function codes 1 to 4 only).";
  // The longest time-out with the slowest line, or a name server that is silent.
  static constexpr std::chrono::milliseconds kMaxBlock{30'000};

  static constexpr gerbang_option_spec kOptions[] = {
      choice("transport", "tcp|rtu", "Over the network or over a serial line").otherwise("tcp"),
      text("host", "TCP: address or name of the device or of the serial server"),
      integer("port", "TCP: port").range(1, 65'535).otherwise("502"),
      duration("connect_timeout", "TCP: how long one try to connect may take")
          .range(100, 10'000)
          .otherwise("3s"),
      duration("idle_close",
               "Close the line when nothing is due for longer than this, for devices that have one "
               "connection only; 0s: never")
          .range(0, 86'400'000)
          .otherwise("0s"),
      text("device", "RTU: serial port, best by its name in /dev/serial/by-id"),
      integer("baud", "RTU: bits a second").range(300, 4'000'000).otherwise("9600"),
      choice("parity", "none|even|odd", "RTU: parity").otherwise("none"),
      integer("data_bits", "RTU: data bits of a character").range(7, 8).otherwise("8"),
      integer("stop_bits", "RTU: stop bits of a character").range(1, 2).otherwise("1"),
      boolean("rs485", "RTU: let the kernel switch the RS-485 transmitter").otherwise("false"),
      choice("rts", "none|up|down",
             "RTU: state of the RTS line while sending, for adapters that need it")
          .otherwise("none"),
      duration("timeout", "How long a unit may take to begin its answer")
          .range(10, 10'000)
          .otherwise("500ms"),
      integer("retries",
              "Failures in a row that are asked again before a unit is asked more rarely")
          .range(0, 10)
          .otherwise("1"),
      duration("max_back_off", "How rarely a unit that does not answer is asked at last")
          .range(1'000, 3'600'000)
          .otherwise("5m"),
      duration("pause_between", "Pause after an answer, before the next question")
          .range(0, 10'000)
          .otherwise("0ms"),
      duration("pause_after_connect", "Pause after connecting, before the first question")
          .range(0, 10'000)
          .otherwise("0ms"),
      integer("max_gap", "Unused registers that are read along to save a request")
          .range(0, 124)
          .otherwise("8"),
      integer("max_registers", "Most registers in one request").range(1, 125).otherwise("125"),
      integer("max_bits", "Most coils or discrete inputs in one request")
          .range(1, 2'000)
          .otherwise("2000"),
      boolean("one_request_per_sensor", "Never read two sensors with one request")
          .otherwise("false"),
      choice("type", kTypes,
             "Type of the sensors whose address gives none; else uint16, for bits bool"),
      choice("order", "abcd|cdab|badc|dcba", "Byte order of the sensors whose address gives none")
          .otherwise("abcd"),
      analog::kFaultLow,
      analog::kSuspectLow,
      analog::kSuspectHigh,
      analog::kFaultHigh,
  };
  static constexpr gerbang_option_spec kAddress[] = {
      integer("unit", "Unit (slave) number").range(0, 255).identity().otherwise("1"),
      choice("table", "coil|discrete|input|holding",
             "Which table; holding, or what manual says, if it is not given")
          .identity(),
      integer("register", "Number of the register or bit as on the line: the first one is 0")
          .range(0, 65'535)
          .identity(),
      integer(
          "manual",
          "The same as a manual writes it, counted from 1: 40001, 400001, 30001, 10001, 1; alone "
          "or checked against table and register")
          .range(1, 465'536)
          .identity(),
      integer("bit", "One bit of the register: 0 is the least significant").range(0, 15).identity(),
      choice("type", kTypes, "How the value is coded; uint16 if not given, for bits bool"),
      // Which bit a number means depends on it. What is one place nevertheless, sensors_of() finds.
      choice("order", kOrders, "How the bytes stand in the answer; a is the most significant")
          .identity(),
      analog::kLow,
      analog::kHigh,
      number("loop_scale", "4-20 mA: milliamperes of one count of the module").otherwise("0.001"),
      number("loop_offset", "4-20 mA: milliamperes at count 0 of the module").otherwise("0"),
  };

  Modbus(Host host, const Config& config) : poller_(make(host, config)) {}
  gerbang_status poll(std::chrono::milliseconds budget) { return poller_.poll(budget); }
  static gerbang_status decode(Host host, const Config& config, std::span<const std::byte> data) {
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    return decode_capture(host, config.options(), bytes);
  }
  static gerbang_status scan(Host host, const Config& config, Scan scan) {
    return scan_units(host, config.instance(), config.options(), scan);
  }

 private:
  static Poller make(Host host, const Config& config) {
    const Values options = config.options();
    const bool serial = options.text("transport") == "rtu";
    const PollerSettings settings = settings_of(options);
    auto sensors = sensors_of(config, settings.limits, serial);
    return {host, serial ? rtu_of(options) : tcp_of(options), std::move(sensors), settings};
  }
  Poller poller_;
};

}  // namespace
}  // namespace gerbang::modbus

GERBANG_DRIVER(gerbang::modbus::Modbus)
