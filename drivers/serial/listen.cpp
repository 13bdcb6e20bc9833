// SPDX-License-Identifier: Apache-2.0
#include "listen.hpp"

#include <charconv>

#include "port.hpp"

namespace gerbang::serial {
namespace {

constexpr std::size_t kShown = 24;  // bytes of an unknown device

std::string quoted(const std::string& key, const std::string& value) {
  return key + " = \"" + value + "\"\n";
}

}  // namespace

Ear::Ear(driver::Host host, driver::Scan scan, Settings settings)
    : host_(host), scan_(scan), settings_(std::move(settings)) {}

void Ear::tune(int baud, Part part) {
  settings_.baud = baud;
  part_ = part;
  line_.reset();
  std::string why;
  Descriptor port = open_port(settings_, why);
  if (!port) throw driver::Failure(GERBANG_GONE, settings_.device + ": " + why);
  close_port(port);
  line_.emplace(host_, settings_, "scan");
}

Bytes Ear::hear(Clock::time_point deadline) {
  const Bytes bytes = line_->read_some(deadline);
  if (!line_->is_open()) throw driver::Failure(GERBANG_GONE, line_->why());
  if (heard_.empty() && !bytes.empty()) heard_at_ = text_of(settings_);
  if (heard_at_ == text_of(settings_)) {
    const auto n = std::min(bytes.size(), kShown - std::min(kShown, heard_.size()));
    heard_.insert(heard_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return bytes;
}

void Ear::progress(double part) const {
  const double done = (static_cast<double>(part_.number) + std::min(part, 1.0)) /
                      static_cast<double>(std::max<std::size_t>(part_.of, 1));
  scan_.progress(done, "listening to " + settings_.device + " at " + text_of(settings_));
}

void Ear::say_what_was_heard(const std::string& what) const {
  if (heard_.empty()) return;
  host_.warning("something sends at " + heard_at_ + " that is no " + what +
                " this driver knows, or has another baud rate: " + hex(heard_));
}

std::vector<int> bauds_of(const driver::Values& options, std::vector<int> usual) {
  if (!options.has("bauds")) return usual;
  const std::string text = options.text("bauds");
  std::vector<int> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    int rate = 0;
    const auto [rest, error] = std::from_chars(text.data() + at, text.data() + end, rate);
    if (error != std::errc() || rest != text.data() + end || !is_baud_rate(rate))
      throw driver::Failure(GERBANG_CONFIG, "bauds = \"" + text +
                                                "\": write rates of serial ports with commas "
                                                "between them, such as \"9600,19200\"");
    out.push_back(rate);
    at = end + 1;
  }
  return out;
}

std::string driver_toml(const std::string& plugin, const std::string& interval,
                        const std::string& device, const std::string& model) {
  return "[[driver]]\n" + quoted("name", plugin) + quoted("plugin", plugin) +
         quoted("interval", interval) + "[driver.options]\n" + quoted("device", device) +
         quoted("model", model);
}

std::string sensor_toml(const std::string& id, const std::string& driver,
                        const std::string& quantity, const std::string& unit,
                        const std::string& address) {
  return "\n[[sensor]]\n" + quoted("id", id) + quoted("driver", driver) +
         quoted("quantity", quantity) + quoted("unit", unit) + "address = { " + address + " }\n";
}

}  // namespace gerbang::serial
