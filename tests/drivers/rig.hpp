// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>
#include <gerbang/driver.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gerbang::test {

using namespace std::chrono_literals;

// A loaded driver between a configuration and lists of what it said: the host's part of the ABI.
class Rig {
 public:
  using Keys = std::map<std::string, std::string>;
  struct Exchange {
    std::string device;
    gerbang_reason result;
    std::uint32_t microseconds;
  };
  struct Trace {
    std::string device;
    bool sent;
    std::vector<std::uint8_t> bytes;
  };

  struct Event {
    std::uint32_t sensor;
    std::string kind, text;
    std::map<std::string, double> fields;
    std::int64_t boottime_ns;
  };

  explicit Rig(const std::string& driver = "modbus") {
    const std::string path = std::string(GERBANG_BINARY_DIR) + "/drivers/" + driver + ".so";
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    auto entry =
        reinterpret_cast<const gerbang_driver_table* (*)()>(::dlsym(library, "gerbang_driver"));
    table_ = entry();
    host_.size = sizeof host_;
    host_.abi_minor = GERBANG_ABI_MINOR;
    host_.context = this;
    host_.emit = [](const gerbang_host* h, const gerbang_reading* r, size_t n) {
      self(h).readings.insert(self(h).readings.end(), r, r + n);
    };
    host_.emit_event = [](const gerbang_host* h, const gerbang_event* e) {
      Event event{e->sensor, e->kind, e->text == nullptr ? "" : e->text, {}, e->boottime_ns};
      for (size_t i = 0; i < e->field_count; ++i)
        event.fields[e->fields[i].name] = e->fields[i].value;
      self(h).events.push_back(std::move(event));
    };
    host_.trace = [](const gerbang_host* h, const char* device, int sent, const void* data,
                     size_t size) {
      auto* bytes = static_cast<const std::uint8_t*>(data);
      self(h).traces.push_back({device, sent != 0, {bytes, bytes + size}});
    };
    host_.log = [](const gerbang_host* h, gerbang_log_level level, const char* text) {
      if (level > GERBANG_LOG_DEBUG) self(h).log += std::string(text) + "\n";
    };
    host_.exchange = [](const gerbang_host* h, const char* device, gerbang_reason result,
                        std::uint32_t us) {
      self(h).exchanges.push_back({device, result, us});
    };
    host_.boottime_ns = [](const gerbang_host*) {
      timespec now{};
      ::clock_gettime(CLOCK_BOOTTIME, &now);
      return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
    };
    host_.stopping = [](const gerbang_host* h) {
      return std::chrono::steady_clock::now() > self(h).begin_ + self(h).stop_after ? 1 : 0;
    };
  }
  ~Rig() {
    if (instance_ != nullptr) table_->close(instance_);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void sensor(const std::string& id, Keys address, std::chrono::nanoseconds interval = 100ms) {
    sensors_.push_back({id, interval, values(*table_->describe(), true, std::move(address))});
  }
  gerbang_status open(Keys options) {
    options_ = values(*table_->describe(), false, std::move(options));
    for (auto& s : sensors_)
      list_.push_back({sizeof(gerbang_sensor), static_cast<std::uint32_t>(list_.size()),
                       s.id.c_str(), s.interval.count(), s.address.data(), s.address.size()});
    config_ = {sizeof config_, 0,           "line", options_.data(), options_.size(),
               list_.data(),   list_.size()};
    return table_->open(&host_, &config_, &instance_);
  }
  // Keys of addresses stand among the options, as `gerbangctl decode` gives them.
  gerbang_status decode(Keys options, const std::vector<std::uint8_t>& bytes) {
    Keys address;
    const gerbang_description& known = *table_->describe();
    for (std::size_t i = 0; i < known.address_count; ++i) {
      bool option = false;
      for (std::size_t j = 0; j < known.option_count; ++j)
        option = option || std::string(known.options[j].name) == known.address[i].name;
      if (auto key = options.find(known.address[i].name); !option && key != options.end())
        address.insert(options.extract(key));
    }
    const Keys given = address;
    options_ = values(known, false, std::move(options));
    for (const gerbang_value& value : values(known, true, std::move(address)))
      if (given.contains(value.name)) options_.push_back(value);
    config_ = {sizeof config_, 0, "line", options_.data(), options_.size(), nullptr, 0};
    return table_->decode(&host_, &config_, bytes.data(), bytes.size());
  }
  // What a scan found, in `scanned`.
  gerbang_status scan(Keys options) {
    options_ = values(*table_->describe(), false, std::move(options));
    config_ = {sizeof config_, 0, "line", options_.data(), options_.size(), nullptr, 0};
    return table_->scan(
        &host_, &config_,
        [](void* rig, const char* toml, const char* note) {
          static_cast<Rig*>(rig)->scanned.push_back({toml, note});
        },
        [](void*, double, const char*) {}, this);
  }
  gerbang_status poll(std::chrono::milliseconds budget) {
    return table_->poll(instance_, static_cast<std::uint32_t>(budget.count()));
  }
  // Polls until the condition holds or the time is over; says whether it held.
  template <class Condition>
  bool poll_until(Condition condition, std::chrono::milliseconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      poll(20ms);
    }
    return true;
  }
  void poll_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) poll(20ms);
  }

  std::vector<gerbang_reading> of(std::uint32_t sensor) const {
    std::vector<gerbang_reading> out;
    for (auto& r : readings)
      if (r.sensor == sensor) out.push_back(r);
    return out;
  }
  std::size_t good(std::uint32_t sensor) const { return count(sensor, GERBANG_REASON_NONE); }
  std::size_t count(std::uint32_t sensor, gerbang_reason reason) const {
    std::size_t n = 0;
    for (auto& r : readings) n += r.sensor == sensor && r.reason == static_cast<unsigned>(reason);
    return n;
  }
  bool logged(const std::string& text) const { return log.find(text) != std::string::npos; }

  std::vector<gerbang_reading> readings;
  std::vector<Exchange> exchanges;
  std::vector<Trace> traces;
  std::vector<Event> events;
  std::chrono::nanoseconds stop_after = 24h;                 // then the host says that it stops
  std::vector<std::pair<std::string, std::string>> scanned;  // text to paste, note
  std::string log;

 private:
  struct Given {
    std::string id;
    std::chrono::nanoseconds interval;
    std::vector<gerbang_value> address;
  };
  static Rig& self(const gerbang_host* host) { return *static_cast<Rig*>(host->context); }

  static std::int64_t integer(std::uint32_t type, const std::string& text) {
    if (type == GERBANG_BOOLEAN) return text == "true";
    char* unit = nullptr;
    const auto number = std::strtoll(text.c_str(), &unit, 10);
    if (type != GERBANG_DURATION || std::string(unit) == "ms") return number;
    return number * (*unit == 'm' ? 60'000 : 1'000);
  }
  // What the daemon does: defaults filled in, unknown keys refused.
  std::vector<gerbang_value> values(const gerbang_description& description, bool address,
                                    Keys given) {
    const auto* specs = address ? description.address : description.options;
    const auto count = address ? description.address_count : description.option_count;
    std::vector<gerbang_value> out;
    for (std::size_t i = 0; i < count; ++i) {
      const gerbang_option_spec& spec = specs[i];
      auto found = given.find(spec.name);
      if (found == given.end() && spec.fallback == nullptr) continue;
      texts_.push_back(found == given.end() ? spec.fallback : found->second);
      if (found != given.end()) given.erase(found);
      const bool text = spec.type == GERBANG_STRING || spec.type == GERBANG_CHOICE;
      out.push_back({sizeof(gerbang_value), spec.type, spec.name,
                     text ? texts_.back().c_str() : nullptr,
                     text ? 0 : integer(spec.type, texts_.back()),
                     text ? 0 : std::strtod(texts_.back().c_str(), nullptr)});
    }
    if (!given.empty()) throw std::runtime_error("unknown key " + given.begin()->first);
    return out;
  }

  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const gerbang_driver_table* table_ = nullptr;
  gerbang_host host_{};
  gerbang_config config_{};
  gerbang_instance* instance_ = nullptr;
  std::vector<gerbang_value> options_;
  std::deque<std::string> texts_;
  std::deque<Given> sensors_;
  std::vector<gerbang_sensor> list_;
};

}  // namespace gerbang::test
