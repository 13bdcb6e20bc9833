// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "by_hand.hpp"
#include "line.hpp"
#include "scout.hpp"
#include "values.hpp"

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;
using driver::Host;
using driver::Scan;
using driver::Values;

constexpr unsigned kMostUnits = 247;
// A number that the standard keeps free: who answers to it answers to every number.
constexpr std::uint8_t kNobody = 248;
constexpr int kLostInARow = 3;  // so often the connection may break before the search ends

template <class T>
T right(Expected<T> value) {
  if (!value) refuse(value.error());
  return std::move(*value);
}

std::string text_or(const Values& options, const char* name, const char* otherwise) {
  return text_if(options, name).value_or(otherwise);
}

const char* word_of(char parity) {
  return parity == 'E' ? "even" : parity == 'O' ? "odd" : "none";
}

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The line as the next questions find it, and what to say of it.
struct Setting {
  std::string name;      // "9600 none"; empty for TCP
  std::string driver;    // the [[driver]] table
  std::string instance;  // its name
};

std::string device_of(const std::string& profile, std::uint8_t unit, const std::string& driver) {
  const std::string number = std::to_string(unit);
  return "[[device]]\nid = \"unit-" + number + "\"\ndriver = \"" + driver + "\"\nprofile = \"" +
         profile + "\"\naddress = { unit = " + number + " }\n";
}

class Search {
 public:
  // profile: what the units are, if the person knows; else their registers are proposed.
  Search(Host host, Scan scan, std::string profile, std::vector<std::uint8_t> units,
         std::size_t settings)
      : host_(host),
        scan_(scan),
        profile_(std::move(profile)),
        units_(std::move(units)),
        all_(static_cast<double>(units_.size() * settings)) {}

  // Asks every unit that has not been found yet. False: stopped, or the line is lost for good.
  bool run(Line& line, const Setting& setting);
  // TCP: true if whoever is there answers to any number.
  bool answers_to_all(Line& line);
  void only(std::uint8_t unit) { units_ = {unit}; }
  bool found_any() const { return !found_.empty(); }

 private:
  bool open(Line& line);
  Outcome ask(Line& line, const Question& question);
  Scout look_at(Line& line, std::uint8_t unit);
  void report(const Scout& scout, const Setting& setting);
  void say_what_talks(const Setting& setting);

  Host host_;
  Scan scan_;
  std::string profile_;
  std::vector<std::uint8_t> units_;
  double all_, done_ = 0;
  std::vector<std::uint8_t> found_;
  bool driver_told_ = false;  // of this setting
  std::size_t garbled_ = 0, strays_ = 0;
  int lost_ = 0;
};

bool Search::open(Line& line) {
  while (!line.is_open()) {
    if (host_.stopping()) return false;
    if (line.open(200ms) == Line::Opening::failed) throw driver::Failure(GERBANG_GONE, line.why());
  }
  return true;
}

Outcome Search::ask(Line& line, const Question& question) {
  Outcome outcome = line.ask(question);
  strays_ += outcome.strays;
  // A device that closes an idle connection, or one that it was asked too much on.
  if (outcome.line_lost && ++lost_ < kLostInARow && open(line)) outcome = line.ask(question);
  if (outcome.line_lost && lost_ >= kLostInARow) throw driver::Failure(GERBANG_GONE, outcome.why);
  if (!outcome.line_lost) lost_ = 0;
  return outcome;
}

Scout Search::look_at(Line& line, std::uint8_t unit) {
  Scout scout(unit);
  while (const auto question = scout.next()) {
    if (!open(line)) break;
    scout.take(*question, ask(line, *question));
    if (host_.stopping()) break;
  }
  return scout;
}

bool Search::answers_to_all(Line& line) {
  scan_.progress(0, "is anybody there?");
  Scout scout(kNobody);
  if (open(line)) scout.take(*scout.next(), ask(line, *scout.next()));
  return scout.found();
}

void Search::report(const Scout& scout, const Setting& setting) {
  found_.push_back(scout.unit());
  std::string toml = profile_.empty() ? scout.sensors(setting.instance)
                                      : device_of(profile_, scout.unit(), setting.instance);
  if (!std::exchange(driver_told_, true)) toml.insert(0, setting.driver + "\n");
  scan_.found(toml, "unit " + std::to_string(scout.unit()) + " answers" +
                        (setting.name.empty() ? "" : " at " + setting.name) + ": " + scout.seen());
}

void Search::say_what_talks(const Setting& setting) {
  if (garbled_ > 0)
    host_.warning("something talks" + (setting.name.empty() ? "" : " at " + setting.name) +
                  ", but its bytes make no sound frame (" + std::to_string(garbled_) +
                  " times): another baud rate or parity, another master on the line, or A and B "
                  "swapped");
  if (strays_ > 0)
    host_.warning(std::to_string(strays_) +
                  " answers came too late to say whose they were: search again with --timeout 2s");
  garbled_ = strays_ = 0;
}

bool Search::run(Line& line, const Setting& setting) {
  driver_told_ = false;
  for (std::uint8_t unit : units_) {
    scan_.progress(done_++ / all_, (setting.name.empty() ? "" : setting.name + ", ") + "unit " +
                                       std::to_string(unit) + ", found " +
                                       std::to_string(found_.size()));
    if (std::find(found_.begin(), found_.end(), unit) != found_.end()) continue;
    if (host_.stopping()) break;
    const Scout scout = look_at(line, unit);
    if (scout.found()) report(scout, setting);
    if (scout.garbled()) ++garbled_;
  }
  say_what_talks(setting);
  return !host_.stopping();
}

void scan_tcp(Host host, const std::string& instance, const Values& options, Scan scan) {
  const std::string name = options.text("host");
  const auto port = static_cast<std::uint16_t>(options.integer("port"));
  Search search(host, scan, text_or(options, "profile", ""),
                right(units_of(text_or(options, "units", "1-247"), 255)), 1);
  TcpSettings settings{name, port, options.duration("timeout"),
                       options.duration("connect_timeout")};
  settings.silent_questions = 0;  // silence is what most units say
  auto line = tcp_line(settings);
  Setting setting;
  setting.instance = instance;
  setting.driver = "[[driver]]\nname = \"" + instance +
                   "\"\nplugin = \"modbus\"\ninterval = \"5s\"\noptions = { transport = \"tcp\", "
                   "host = " +
                   toml_text(name) + ", port = " + std::to_string(port) + " }\n";
  if (search.answers_to_all(*line)) {
    search.only(1);
    host.warning("it answers to every unit number, so it is one device: unit = 1 is written here");
  }
  search.run(*line, setting);
}

void scan_rtu(Host host, const std::string& instance, const Values& options, Scan scan) {
  const std::string device = options.text("device");
  const auto bauds = right(bauds_of(text_or(options, "bauds", "9600,19200")));
  const auto parities = right(parities_of(text_or(options, "parities", "none,even,odd")));
  Search search(host, scan, text_or(options, "profile", ""),
                right(units_of(text_or(options, "units", "1-32"), kMostUnits)),
                bauds.size() * parities.size());
  for (int baud : bauds)
    for (char parity : parities) {
      RtuSettings settings;
      settings.device = device;
      settings.baud = baud;
      settings.parity = parity;
      settings.data_bits = static_cast<int>(options.integer("data_bits"));
      settings.stop_bits = static_cast<int>(options.integer("stop_bits"));
      settings.rs485 = options.boolean("rs485");
      settings.timeout = options.duration("timeout");
      auto line = rtu_line(settings);
      Setting setting;
      setting.name = std::to_string(baud) + " " + word_of(parity);
      setting.instance = instance;
      setting.driver = "[[driver]]\nname = \"" + instance +
                       "\"\nplugin = \"modbus\"\ninterval = \"5s\"\noptions = { transport = "
                       "\"rtu\", device = " +
                       toml_text(device) + ", baud = " + std::to_string(baud) + ", parity = \"" +
                       word_of(parity) + "\" }\n";
      if (search.found_any())
        setting.driver.insert(
            0,
            "# These units speak otherwise than those above: give all units of a line the same "
            "settings first.\n");
      if (!search.run(*line, setting)) return;
    }
}

}  // namespace

// Of the port or the address, so that a second line that is scanned gets another.
std::string name_of_line(const Values& options) {
  std::string place = options.has("device") ? options.text("device") : options.text("host");
  place.erase(0, place.find_last_of('/') + 1);
  if (!options.has("device") && options.integer("port") != TcpSettings().port)
    place += "-" + std::to_string(options.integer("port"));
  std::string out = "modbus";
  for (const char c : place) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (plain && out.find_last_of('-') == std::string::npos) out += '-';
    if (plain || out.back() != '-') out += plain ? lower : '-';
  }
  out.resize(std::min<std::size_t>(out.size(), 63));
  while (out.back() == '-') out.pop_back();
  return out;
}

gerbang_status scan_units(Host host, const std::string& instance, const Values& options,
                          Scan scan) {
  if (options.has("device") == options.has("host"))
    refuse("name either a serial port (device) or a device or serial server on the network (host)");
  const std::string name = instance.empty() ? name_of_line(options) : instance;
  (options.has("device") ? scan_rtu : scan_tcp)(host, name, options, scan);
  return GERBANG_OK;
}

}  // namespace gerbang::modbus
