// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "by_hand.hpp"
#include "line.hpp"
#include "scout.hpp"
#include "sweep.hpp"
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
// A unit that answers is not hurried, and not looked at for ever.
constexpr auto kPause = 20ms;
constexpr auto kLongestLook = 10s;
constexpr std::size_t kMostHeard = 1024;  // bytes that came after one question

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

// Who was found with a long time-out is read with it.
std::string timeout_of(std::chrono::milliseconds timeout) {
  if (timeout <= RtuSettings().timeout) return {};
  return ", timeout = \"" + std::to_string(timeout.count()) + "ms\"";
}

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// One way to talk to a line, and what to say of it.
struct Setting {
  std::string name;    // "9600 none"; empty for TCP
  std::string driver;  // the [[driver]] table
  std::function<std::unique_ptr<Line>(std::chrono::milliseconds timeout)> line;
  bool waited = false;  // all units were asked with the time-out
};

constexpr const char* kOtherSetting =
    "# These units speak otherwise than those above: give all units of a line the same settings "
    "first.\n";

std::string device_of(const std::string& profile, std::uint8_t unit, const std::string& driver) {
  const std::string number = std::to_string(unit);
  return "[[device]]\nid = \"unit-" + number + "\"\ndriver = \"" + driver + "\"\nprofile = \"" +
         profile + "\"\naddress = { unit = " + number + " }\n";
}

struct Wanted {
  std::string instance;  // name of the [[driver]]
  std::string profile;   // what the units are, if the person knows; else their registers are shown
  std::vector<std::uint8_t> units;
  std::chrono::milliseconds timeout;
};

class Search {
 public:
  Search(Host host, Scan scan, Wanted wanted)
      : host_(host), scan_(scan), wanted_(std::move(wanted)) {}

  // Quickly at all settings; if nobody is found, once more with the time-out.
  void run(std::vector<Setting> settings);
  // TCP: true if whoever is there answers to any number.
  bool answers_to_all(const Setting& setting);
  void only(std::uint8_t unit) { wanted_.units = {unit}; }

 private:
  struct Heard {
    std::vector<std::uint8_t> bytes;  // after the question
    bool unasked = false;             // some came before it
  };

  Line& line_of(const Setting& setting);
  bool open(Line& line);
  Outcome ask(Line& line, Question question, std::chrono::milliseconds wait);
  bool sweep(Setting& setting, bool quick, std::chrono::milliseconds behind);
  Scout look_at(Line& line, const Sweep::Turn& turn);
  void show_progress(const Setting& setting, const Sweep& sweep, std::uint8_t unit,
                     std::chrono::milliseconds behind);
  void report(const Scout& scout, const Setting& setting);
  void say_what_talks(const Setting& setting);

  Host host_;
  Scan scan_;
  Wanted wanted_;
  std::unique_ptr<Line> line_;
  std::string line_is_;  // Setting::driver
  std::vector<std::uint8_t> found_;
  bool driver_told_ = false;  // of this setting
  std::chrono::milliseconds spent_{};
  Heard heard_;
  bool late_ = false;         // an answer came that was not waited for any more
  std::size_t given_up_ = 0;  // questions whose answers may still come, asked quickly
  std::size_t garbled_ = 0, strays_ = 0;
  int lost_ = 0;
};

// The same line as before, if it is the same setting: a device may allow one connection, and take
// its time to see that the one before has ended.
Line& Search::line_of(const Setting& setting) {
  if (line_ && line_is_ == setting.driver) return *line_;
  line_.reset();
  line_ = setting.line(std::min(kQuick, wanted_.timeout));
  line_is_ = setting.driver;
  line_->set_tracer([this](std::uint8_t, bool sent, Bytes bytes) {
    heard_.unasked = heard_.unasked || (sent && !heard_.bytes.empty());
    if (sent) heard_.bytes.clear();
    if (!sent && heard_.bytes.size() < kMostHeard)
      heard_.bytes.insert(heard_.bytes.end(), bytes.begin(), bytes.end());
  });
  return *line_;
}

bool Search::open(Line& line) {
  while (!line.is_open()) {
    if (host_.stopping()) return false;
    if (line.open(200ms) == Line::Opening::failed) throw driver::Failure(GERBANG_GONE, line.why());
  }
  return true;
}

Outcome Search::ask(Line& line, Question question, std::chrono::milliseconds wait) {
  question.patience = wait;
  heard_ = {};
  Outcome outcome = line.ask(question);
  // A device that closes an idle connection, or one that it was asked too much on.
  if (outcome.line_lost && ++lost_ < kLostInARow && open(line)) outcome = line.ask(question);
  if (outcome.line_lost && lost_ >= kLostInARow) throw driver::Failure(GERBANG_GONE, outcome.why);
  if (!outcome.line_lost) lost_ = 0;
  const bool failed = outcome.kind == Outcome::Kind::failure;
  late_ = late_ || heard_.unasked || outcome.late.any() || outcome.strays > 0 ||
          (failed && units_answering(heard_.bytes).any());
  const std::size_t owed = std::min(outcome.strays, given_up_);
  given_up_ -= owed;
  strays_ += outcome.strays - owed;
  return outcome;
}

Scout Search::look_at(Line& line, const Sweep::Turn& turn) {
  Scout scout(turn.unit, wanted_.profile.empty() ? Scout::Look::registers : Scout::Look::presence);
  const auto end = host_.boottime() + kLongestLook;
  while (const auto question = scout.next()) {
    if (!open(line)) break;
    const bool known = scout.found();
    if (known) std::this_thread::sleep_for(kPause);
    // A block takes longer than one register.
    scout.take(*question, ask(line, *question, known ? wanted_.timeout : turn.wait));
    if (host_.stopping() || host_.boottime() > end) break;
  }
  return scout;
}

bool Search::answers_to_all(const Setting& setting) {
  scan_.progress(0, "is anybody there?");
  Line& line = line_of(setting);
  Scout scout(kNobody, Scout::Look::presence);
  if (open(line)) scout.take(*scout.next(), ask(line, *scout.next(), wanted_.timeout));
  return scout.found();
}

void Search::report(const Scout& scout, const Setting& setting) {
  found_.push_back(scout.unit());
  const bool first = found_.size() == 1;
  std::string toml = wanted_.profile.empty()
                         ? scout.sensors(wanted_.instance)
                         : device_of(wanted_.profile, scout.unit(), wanted_.instance);
  if (!std::exchange(driver_told_, true))
    toml.insert(0, (first ? "" : kOtherSetting) + setting.driver + "\n");
  scan_.found(toml, "unit " + std::to_string(scout.unit()) + " answers" +
                        (setting.name.empty() ? "" : " at " + setting.name) +
                        (wanted_.profile.empty() ? ": " + scout.seen() : ""));
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
}

void Search::show_progress(const Setting& setting, const Sweep& sweep, std::uint8_t unit,
                           std::chrono::milliseconds behind) {
  const std::chrono::duration<double> spent = spent_, left = sweep.left() + behind;
  const double all = (spent + left).count();
  scan_.progress(all > 0 ? spent.count() / all : 1,
                 (setting.name.empty() ? "" : setting.name + ", ") + "unit " +
                     std::to_string(unit) + (sweep.quick() ? "" : ", waiting longer") + ", found " +
                     std::to_string(found_.size()));
}

// Asks every unit that has not been found yet; the settings behind this one take so long. False:
// stopped.
bool Search::sweep(Setting& setting, bool quick, std::chrono::milliseconds behind) {
  Line& line = line_of(setting);
  driver_told_ = late_ = false;
  garbled_ = strays_ = given_up_ = 0;
  Sweep sweep(wanted_.units, wanted_.timeout, quick);
  for (std::uint8_t unit : found_) sweep.found(unit);
  while (const auto turn = sweep.next()) {
    show_progress(setting, sweep, turn->unit, behind);
    if (host_.stopping()) break;
    const Scout scout = look_at(line, *turn);
    spent_ += turn->wait;
    if (scout.found()) {
      report(scout, setting);
      sweep.found(scout.unit());
    } else if (sweep.quick()) {
      ++given_up_;
    }
    if (scout.garbled()) ++garbled_;
    if ((late_ || scout.garbled()) && sweep.late()) garbled_ = strays_ = 0;
  }
  setting.waited = !sweep.quick();
  say_what_talks(setting);
  return !host_.stopping();
}

void Search::run(std::vector<Setting> settings) {
  const auto units = static_cast<std::int64_t>(wanted_.units.size());
  for (const bool quick : {true, false}) {
    if (quick && !worth_quick(wanted_.timeout)) continue;
    auto behind =
        static_cast<std::int64_t>(settings.size()) * units * (quick ? kQuick : wanted_.timeout);
    for (Setting& setting : settings) {
      behind -= units * (quick ? kQuick : wanted_.timeout);
      if (!setting.waited && !sweep(setting, quick, behind)) return;
    }
    if (!found_.empty()) return;
  }
}

void scan_tcp(Host host, Wanted wanted, const Values& options, Scan scan) {
  const std::string name = options.text("host");
  const auto port = static_cast<std::uint16_t>(options.integer("port"));
  const auto connect = options.duration("connect_timeout");
  wanted.units = right(units_of(text_or(options, "units", "1-247"), 255));
  Setting setting;
  setting.driver = "[[driver]]\nname = \"" + wanted.instance +
                   "\"\nplugin = \"modbus\"\ninterval = \"5s\"\noptions = { transport = \"tcp\", "
                   "host = " +
                   toml_text(name) + ", port = " + std::to_string(port) +
                   timeout_of(wanted.timeout) + " }\n";
  setting.line = [=](std::chrono::milliseconds timeout) {
    TcpSettings settings{name, port, timeout, connect};
    settings.silent_questions = 0;  // silence is what most units say
    return tcp_line(settings);
  };
  Search search(host, scan, std::move(wanted));
  if (search.answers_to_all(setting)) {
    search.only(1);
    host.warning("it answers to every unit number, so it is one device: unit = 1 is written here");
  }
  search.run({std::move(setting)});
}

void scan_rtu(Host host, Wanted wanted, const Values& options, Scan scan) {
  const std::string device = options.text("device");
  const auto bauds = right(bauds_of(text_or(options, "bauds", "9600,19200")));
  const auto parities = right(parities_of(text_or(options, "parities", "none,even,odd")));
  wanted.units = right(units_of(text_or(options, "units", "1-32"), kMostUnits));
  std::vector<Setting> settings;
  for (int baud : bauds)
    for (char parity : parities) {
      RtuSettings port;
      port.device = device;
      port.baud = baud;
      port.parity = parity;
      port.data_bits = static_cast<int>(options.integer("data_bits"));
      port.stop_bits = static_cast<int>(options.integer("stop_bits"));
      port.rs485 = options.boolean("rs485");
      Setting setting;
      setting.name = std::to_string(baud) + " " + word_of(parity);
      setting.driver = "[[driver]]\nname = \"" + wanted.instance +
                       "\"\nplugin = \"modbus\"\ninterval = \"5s\"\noptions = { transport = "
                       "\"rtu\", device = " +
                       toml_text(device) + ", baud = " + std::to_string(baud) + ", parity = \"" +
                       word_of(parity) + "\"" + timeout_of(wanted.timeout) + " }\n";
      setting.line = [port](std::chrono::milliseconds timeout) mutable {
        port.timeout = timeout;
        return rtu_line(port);
      };
      settings.push_back(std::move(setting));
    }
  Search(host, scan, std::move(wanted)).run(std::move(settings));
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
  Wanted wanted;
  wanted.instance = instance.empty() ? name_of_line(options) : instance;
  wanted.profile = text_or(options, "profile", "");
  wanted.timeout = options.duration("timeout");
  (options.has("device") ? scan_rtu : scan_tcp)(host, std::move(wanted), options, scan);
  return GERBANG_OK;
}

}  // namespace gerbang::modbus
