// SPDX-License-Identifier: Apache-2.0
//
// driver.h for C++ authors. Write a class and one line:
//
//   using namespace gerbang::driver;
//   class Thermometer {
//    public:
//     static constexpr const char* kName = "thermometer";
//     static constexpr const char* kVersion = "1.0.0";
//     static constexpr const char* kSummary = "Reads a thermometer.";
//     static constexpr gerbang_option_spec kOptions[] = {text("port", "Serial port").required()};
//     static constexpr gerbang_option_spec kAddress[] = {integer("unit", "Unit").range(1, 247)};
//     static constexpr std::chrono::milliseconds kMaxBlock{500};  // beyond the budget of a poll
//     static constexpr bool kPushes = false;              // true: its devices speak by themselves
//
//     Thermometer(Host host, Config config);              // config lives as long as the object
//     gerbang_status poll(std::chrono::milliseconds budget);
//     // static gerbang_status decode(Host, Config, std::span<const std::byte>);   optional
//     // static gerbang_status scan(Host, Config, Scan);                           optional
//   };
//   GERBANG_DRIVER(Thermometer)
//
// kOptions, kAddress, kMaxBlock and kPushes may be left out. Whatever is thrown ends at the
// boundary: it is logged, Failure becomes its status and everything else GONE. Needs no library.
#pragma once

#include <gerbang/driver.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gerbang::driver {

// Thrown out of a constructor, poll, decode or scan: the host logs the text and acts on the status.
struct Failure : std::runtime_error {
  gerbang_status status;
  Failure(gerbang_status s, const std::string& text) : std::runtime_error(text), status(s) {}
};

// ---- declaring keys ---------------------------------------------------------------------------
struct Spec : gerbang_option_spec {
  constexpr Spec(gerbang_type type_, const char* name_, const char* help_,
                 const char* choices_ = {})
      : gerbang_option_spec{
            sizeof(gerbang_option_spec), type_, 0, 0, name_, nullptr, choices_, help_, 0, 0} {}
  constexpr Spec required() const { return with(GERBANG_REQUIRED); }
  constexpr Spec identity() const { return with(GERBANG_IDENTITY); }
  // As a person would write it in the configuration, without quotes: "1s", "5020", "abcd".
  constexpr Spec otherwise(const char* text) const {
    Spec s = *this;
    s.fallback = text;
    return s;
  }
  constexpr Spec range(double low, double high) const {
    Spec s = *this;
    s.minimum = low;
    s.maximum = high;
    return s;
  }

 private:
  constexpr Spec with(std::uint32_t flag) const {
    Spec s = *this;
    s.flags |= flag;
    return s;
  }
};
constexpr Spec text(const char* name, const char* help) {
  return {GERBANG_STRING, name, help};
}
constexpr Spec integer(const char* name, const char* help) {
  return {GERBANG_INTEGER, name, help};
}
constexpr Spec number(const char* name, const char* help) {
  return {GERBANG_NUMBER, name, help};
}
constexpr Spec boolean(const char* name, const char* help) {
  return {GERBANG_BOOLEAN, name, help};
}
constexpr Spec duration(const char* name, const char* help) {
  return {GERBANG_DURATION, name, help};
}
constexpr Spec choice(const char* name, const char* choices, const char* help) {
  return {GERBANG_CHOICE, name, help, choices};
}

// ---- what the host gives ----------------------------------------------------------------------
// An array of the other side, whose elements may be longer than ours.
template <class T>
class Elements {
 public:
  Elements(const T* first, std::size_t count) : first_(first), count_(count) {}
  std::size_t size() const { return count_; }
  const T& operator[](std::size_t i) const {
    auto* bytes = reinterpret_cast<const std::byte*>(first_) + i * first_->size;
    return *reinterpret_cast<const T*>(bytes);
  }

 private:
  const T* first_;
  std::size_t count_;
};

// Options of the driver, or the address of one sensor. The types were checked by the daemon. Asking
// for a key that was not given and has no default throws Failure(CONFIG); has() asks first.
class Values {
 public:
  Values(const gerbang_value* first, std::size_t count) : values_(first, count) {}
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string text(std::string_view name) const { return get(name).text; }
  std::int64_t integer(std::string_view name) const { return get(name).integer; }
  double number(std::string_view name) const { return get(name).number; }
  bool boolean(std::string_view name) const { return get(name).integer != 0; }
  std::chrono::milliseconds duration(std::string_view name) const {
    return std::chrono::milliseconds(get(name).integer);
  }

 private:
  const gerbang_value* find(std::string_view name) const {
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (name == values_[i].name) return &values_[i];
    return nullptr;
  }
  const gerbang_value& get(std::string_view name) const {
    if (auto* value = find(name)) return *value;
    throw Failure(GERBANG_CONFIG, std::string(name) + " is not given");
  }
  Elements<gerbang_value> values_;
};

struct Sensor {
  std::uint32_t index;  // say this in readings
  const char* id;       // for texts
  std::chrono::nanoseconds interval;
  Values address;
};

class Config {
 public:
  explicit Config(const gerbang_config* config)
      : config_(config), sensors_(config->sensors, config->sensor_count) {}
  const char* instance() const { return config_->instance; }
  Values options() const { return {config_->options, config_->option_count}; }
  std::size_t sensor_count() const { return sensors_.size(); }
  Sensor sensor(std::size_t i) const {
    const gerbang_sensor& s = sensors_[i];
    return {s.index, s.id, std::chrono::nanoseconds(s.interval_ns), {s.address, s.address_count}};
  }

 private:
  const gerbang_config* config_;
  Elements<gerbang_sensor> sensors_;
};

// The host's functions. Copy it freely; use it only during a call from the host.
class Host {
 public:
  explicit Host(const gerbang_host* host) : host_(host) {}
  void log(gerbang_log_level level, const std::string& line) const {
    host_->log(host_, level, line.c_str());
  }
  void debug(const std::string& line) const { log(GERBANG_LOG_DEBUG, line); }
  void info(const std::string& line) const { log(GERBANG_LOG_INFO, line); }
  void warning(const std::string& line) const { log(GERBANG_LOG_WARNING, line); }
  void error(const std::string& line) const { log(GERBANG_LOG_ERROR, line); }
  void trace(const char* device, bool sent, std::span<const std::byte> data) const {
    host_->trace(host_, device, sent ? 1 : 0, data.data(), data.size());
  }
  void exchange(const char* device, gerbang_reason result, std::chrono::microseconds took) const {
    host_->exchange(host_, device, result, static_cast<std::uint32_t>(took.count()));
  }
  void emit(std::span<const gerbang_reading> readings) const {
    host_->emit(host_, readings.data(), readings.size());
  }
  void emit(const gerbang_event& event) const { host_->emit_event(host_, &event); }
  std::chrono::nanoseconds boottime() const {
    return std::chrono::nanoseconds(host_->boottime_ns(host_));
  }
  bool stopping() const { return host_->stopping(host_) != 0; }
  const gerbang_host* raw() const { return host_; }

 private:
  const gerbang_host* host_;
};

// Collects the readings of one answer, which share one time, and hands them over when it is full or
// goes out of scope.
class Emitter {
 public:
  explicit Emitter(Host host) : Emitter(host, host.boottime()) {}
  Emitter(Host host, std::chrono::nanoseconds boottime, std::chrono::nanoseconds unix_time = {})
      : host_(host), boot_ns_(boottime.count()), unix_ns_(unix_time.count()) {}
  ~Emitter() { flush(); }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  void number(std::uint32_t sensor, double value, gerbang_quality quality = GERBANG_NOT_EVALUATED,
              gerbang_reason reason = GERBANG_REASON_NONE) {
    add({sizeof(gerbang_reading), sensor, 0, quality, reason, 0, value, 0, boot_ns_, unix_ns_});
  }
  void integer(std::uint32_t sensor, std::int64_t count,
               gerbang_quality quality = GERBANG_NOT_EVALUATED,
               gerbang_reason reason = GERBANG_REASON_NONE) {
    add({sizeof(gerbang_reading), sensor, GERBANG_HAS_INTEGER, quality, reason, 0, 0, count,
         boot_ns_, unix_ns_});
  }
  void missing(std::uint32_t sensor, gerbang_reason reason) {
    add({sizeof(gerbang_reading), sensor, 0, GERBANG_MISSING, reason, 0, 0, 0, boot_ns_, unix_ns_});
  }
  void flush() {
    if (used_ > 0) host_.emit(std::span(readings_.data(), used_));
    used_ = 0;
  }

 private:
  void add(const gerbang_reading& reading) {
    if (used_ == readings_.size()) flush();
    readings_[used_++] = reading;
  }
  Host host_;
  std::int64_t boot_ns_, unix_ns_;
  std::size_t used_ = 0;
  std::array<gerbang_reading, 64> readings_;  // filled up to used_
};

// What scan() reports to: candidates, with text ready to paste, and how far it is (0 … 1).
class Scan {
 public:
  Scan(gerbang_found f, gerbang_progress p, void* c) : found_(f), progress_(p), context_(c) {}
  void found(const std::string& toml, const std::string& note) const {
    found_(context_, toml.c_str(), note.c_str());
  }
  void progress(double done, const std::string& what) const {
    progress_(context_, done, what.c_str());
  }

 private:
  gerbang_found found_;
  gerbang_progress progress_;
  void* context_;
};

// ---- the boundary -------------------------------------------------------------------------------
namespace detail {

template <class Work>
gerbang_status guarded(Host host, const char* where, Work&& work) noexcept {
  // The text is made without allocating: what was caught may be std::bad_alloc.
  auto say = [&](gerbang_log_level level, const char* what) {
    char line[512] = {};
    std::size_t used = 0;
    for (const char* part : {where, ": ", what})
      while (*part != '\0' && used + 1 < sizeof line) line[used++] = *part++;
    host.raw()->log(host.raw(), level, line);
  };
  try {
    return work();
  } catch (const Failure& e) {
    say(e.status == GERBANG_CONFIG ? GERBANG_LOG_ERROR : GERBANG_LOG_WARNING, e.what());
    return e.status;
  } catch (const std::exception& e) {
    say(GERBANG_LOG_ERROR, e.what());
  } catch (...) {
    say(GERBANG_LOG_ERROR, "unknown exception");
  }
  return GERBANG_GONE;
}

template <class D>
struct Boundary {
  struct Instance {
    Host host;
    D driver;
  };

  static const gerbang_description* describe() {
    static constexpr gerbang_description description = [] {
      gerbang_description d{sizeof d, 0, nullptr, 0, nullptr, 0, D::kSummary, 0, 0};
      if constexpr (requires { D::kMaxBlock; })
        d.max_block_ms = static_cast<std::uint32_t>(D::kMaxBlock.count());
      if constexpr (requires { D::kPushes; }) d.flags = D::kPushes ? GERBANG_PUSHES : 0;
      if constexpr (requires { D::kOptions; }) {
        d.options = std::data(D::kOptions);
        d.option_count = std::size(D::kOptions);
      }
      if constexpr (requires { D::kAddress; }) {
        d.address = std::data(D::kAddress);
        d.address_count = std::size(D::kAddress);
      }
      return d;
    }();
    return &description;
  }
  static gerbang_status open(const gerbang_host* raw, const gerbang_config* config,
                             gerbang_instance** out) {
    Host host(raw);
    return guarded(host, "open", [&] {
      auto* instance = new Instance{host, D(host, Config(config))};
      *out = reinterpret_cast<gerbang_instance*>(instance);
      return GERBANG_OK;
    });
  }
  static gerbang_status poll(gerbang_instance* opaque, std::uint32_t budget_ms) {
    auto* instance = reinterpret_cast<Instance*>(opaque);
    return guarded(instance->host, "poll",
                   [&] { return instance->driver.poll(std::chrono::milliseconds(budget_ms)); });
  }
  static void close(gerbang_instance* opaque) { delete reinterpret_cast<Instance*>(opaque); }
  static gerbang_status decode(const gerbang_host* raw, const gerbang_config* config,
                               const void* data, std::size_t size) {
    Host host(raw);
    return guarded(host, "decode", [&] {
      return D::decode(host, Config(config), std::span(static_cast<const std::byte*>(data), size));
    });
  }
  static gerbang_status scan(const gerbang_host* raw, const gerbang_config* config,
                             gerbang_found found, gerbang_progress progress, void* context) {
    Host host(raw);
    return guarded(host, "scan",
                   [&] { return D::scan(host, Config(config), Scan(found, progress, context)); });
  }
  static constexpr gerbang_driver_table table() {
    gerbang_driver_table t{sizeof t,
                           GERBANG_ABI_MAJOR,
                           GERBANG_ABI_MINOR,
                           0,
                           D::kName,
                           D::kVersion,
                           describe,
                           open,
                           poll,
                           close,
                           nullptr,
                           nullptr};
    if constexpr (requires { &D::decode; }) t.decode = decode;
    if constexpr (requires { &D::scan; }) t.scan = scan;
    return t;
  }
};

}  // namespace detail
}  // namespace gerbang::driver

// Exports the driver. Once in a shared object, outside any namespace.
#define GERBANG_DRIVER(Class)                                                        \
  const gerbang_driver_table* gerbang_driver(void) {                                 \
    static constexpr auto table = gerbang::driver::detail::Boundary<Class>::table(); \
    return &table;                                                                   \
  }
