// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_read.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ctl/by_hand.hpp"
#include "ctl/read_lines.hpp"
#include "ctl/running.hpp"
#include "ctl/specs.hpp"
#include "source/once.hpp"

namespace gerbang::ctl {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSaid = 256;  // lines of a driver's log; more than its sensors are not needed

// A gateway that nothing is stored or sent by.
constexpr const char* kGateway =
    "[gateway]\nid = \"scan\"\nregion = \"scan\"\nsite = \"scan\"\ntimezone = \"UTC\"\n";

// A file without a name, gone with this object; what cannot be written is missed when it is read.
class Memory {
 public:
  explicit Memory(const std::string& text) : file_(::memfd_create("scan", MFD_CLOEXEC)) {
    const auto size = static_cast<ssize_t>(text.size());
    whole_ = file_ >= 0 && ::write(file_, text.data(), text.size()) == size;
  }
  ~Memory() {
    if (file_ >= 0) ::close(file_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  std::string path() const { return whole_ ? "/proc/self/fd/" + std::to_string(file_) : ""; }

 private:
  int file_;
  bool whole_ = false;
};

bool is_asked(const config::Profile& profile, const std::string& channel) {
  const config::Channel* known = profile.find(channel);
  return known != nullptr && !known->ask.empty();
}

Seen seen_of(const SensorLine& line, bool asked, const std::vector<std::string>& said) {
  const config::Sensor& sensor = *line.sensor;
  const Reading& reading = line.reading;
  Seen out{sensor.id, Seen::State::value, {}};
  if (reading.flag != Flag::missing) {
    if (asked) {
      out.text = "raw " + exact(reading.raw.value());
      return out;
    }
    char value[400];  // the largest double has 309 digits
    std::snprintf(value, sizeof value, "%.*f %s", static_cast<int>(sensor.quantity->decimals),
                  line.value(), sensor.quantity->unit.c_str());
    out.text = value;
    if (!line.good()) out.state = Seen::State::outside;
    return out;
  }
  out.text = name(reading.reason);
  out.state = Seen::State::silent;
  if (reading.reason == Reason::not_a_number || reading.reason == Reason::conversion)
    out.state = Seen::State::no_number;
  if (reading.reason == Reason::exception) {
    out.state = Seen::State::refused;
    if (std::string why = refusal_of(sensor.id, said); !why.empty()) out.text = std::move(why);
  }
  return out;
}

}  // namespace

Result<std::map<std::string, std::vector<Seen>>> read_found(const Common& common,
                                                            source::Catalogue& catalogue,
                                                            const config::Profile& profile,
                                                            const std::string& found) {
  const Memory file(kGateway + found);
  Common own = common;
  own.config = file.path();
  const auto loaded = load_configuration(own);
  if (!loaded.config) {
    const std::string mistake =
        loaded.errors.empty() ? "?" : loaded.errors.front().key + ": " + loaded.errors.front().what;
    return fail(std::errc::invalid_argument, mistake);
  }
  const config::Config& config = *loaded.config;
  std::map<std::string, std::vector<Seen>> out;
  for (const source::DriverSpec& spec : specs_of(config, catalogue)) {
    std::vector<SensorLine> lines(spec.sensors.size());
    std::vector<std::string> said;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i].sensor = &config.sensors[spec.sensors[i].index];
      lines[i].reading.flag = Flag::missing;
      lines[i].reading.reason = Reason::timeout;
    }
    source::Listener listener;
    listener.log = [&](const source::LogLine& line) {
      if (said.size() < kSaid) said.push_back(line.text);
    };
    listener.reading = [&](const Reading& reading) {
      const auto line = std::find_if(lines.begin(), lines.end(), [&](const SensorLine& one) {
        return one.sensor == &config.sensors[reading.sensor];
      });
      if (line == lines.end() || line->reading.flag != Flag::missing) return;
      line->reading = reading;
      if (reading.flag != Flag::missing) judge(*line);
    };
    // What did not come in time is missing.
    (void)source::read_once(catalogue.host(), spec, listener,
                            15s + std::chrono::milliseconds(spec.max_block_ms));
    for (const SensorLine& line : lines) {
      const std::string& device = line.sensor->device;
      const bool asked = is_asked(profile, line.sensor->id.substr(device.size() + 1));
      out[device].push_back(seen_of(line, asked, said));
    }
  }
  return out;
}

}  // namespace gerbang::ctl
