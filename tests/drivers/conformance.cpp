// SPDX-License-Identifier: Apache-2.0
//
// Does a driver keep the contract of driver.h? Loads it into this process, with a host that
// watches:
//
//   driver_conformance DRIVER.so [--option KEY=VALUE] [--address KEY=VALUE] …
//
// Options and addresses are made from the driver's own schema (defaults, else the smallest value
// that it allows); the arguments say otherwise. No device is needed: a driver whose device does not
// answer says so with missing readings or a status. Ends with 0, or with 1 and one line for each
// breach.
#include <dirent.h>
#include <gerbang/driver.h>
#include <host/v1/driver.pb.h>
#include <malloc.h>
#include <pthread.h>
#include <time.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "driver_host/config.hpp"
#include "driver_host/desk.hpp"
#include "driver_host/intake.hpp"
#include "driver_host/plugin.hpp"
#include "driver_host/text.hpp"

namespace gerbang::driver_host {
namespace {

using std::chrono::milliseconds;
using Given = std::map<std::string, std::string>;

constexpr milliseconds kSlack{100};  // of a busy machine
constexpr int kSensors = 3;

int breaches = 0;
void breach(const std::string& what) {
  std::printf("breach: %s\n", what.c_str());
  ++breaches;
}

// A host that notes what a driver does at the wrong time or wrongly.
class Watcher {
 public:
  Watcher()
      : host_{sizeof host_, GERBANG_ABI_MINOR, this,        emit,    emit_event, trace,
              log,          exchange,          boottime_ns, stopping} {}
  const gerbang_host* host() const { return &host_; }

  void start(Intake intake) { intake_ = std::move(intake); }
  Intake& intake() { return intake_; }
  const std::string& last_line() const { return last_line_; }  // that the driver logged

  template <class Call>
  int during(const char* what, Call&& call) {
    call_ = what;
    intake_.begin_call();
    int result = 0;
    if constexpr (std::is_void_v<decltype(call())>)
      call();
    else
      result = plain(call());
    call_ = nullptr;
    host::v1::Heartbeat heartbeat;
    intake_.report(heartbeat);
    for (const std::string& notice : intake_.take_notices())
      breach(std::string(what) + ": " + notice);
    return result;
  }

 private:
  static Watcher& of(const gerbang_host* host) { return *static_cast<Watcher*>(host->context); }
  void check(const char* function) const {
    if (call_ == nullptr) breach(std::string(function) + " called outside a call from the host");
    if (pthread_equal(pthread_self(), thread_) == 0)
      breach(std::string(function) + " called from another thread");
  }
  static void emit(const gerbang_host* host, const gerbang_reading* readings, size_t count) {
    Watcher& watcher = of(host);
    watcher.check("emit");
    while (count > 0) {
      std::size_t taken = watcher.intake_.take(readings, count, boottime().count());
      count -= taken;
      if (count > 0)
        readings = reinterpret_cast<const gerbang_reading*>(
            reinterpret_cast<const std::byte*>(readings) + taken * readings->size);
      if (watcher.intake_.full()) watcher.intake_.clear();
    }
    watcher.intake_.clear();
  }
  static void emit_event(const gerbang_host* host, const gerbang_event* event) {
    of(host).check("emit_event");
    host::v1::Event copy;
    of(host).intake_.take(event, boottime().count(), copy);
  }
  static void trace(const gerbang_host* host, const char* device, int, const void* data,
                    size_t size) {
    of(host).check("trace");
    if (device == nullptr || (data == nullptr && size > 0)) breach("trace without device or data");
  }
  static void log(const gerbang_host* host, gerbang_log_level level, const char* text) {
    of(host).check("log");
    if (plain(level) < GERBANG_LOG_DEBUG || plain(level) > GERBANG_LOG_ERROR)
      breach("log with an unknown level");
    if (text == nullptr || *text == '\0') breach("log without a text");
    of(host).last_line_ = clean_text(text, 500);
  }
  static void exchange(const gerbang_host* host, const char* device, gerbang_reason result,
                       uint32_t) {
    of(host).check("exchange");
    if (device == nullptr || !reason_of(static_cast<unsigned>(plain(result))))
      breach("exchange without a device or with an unknown reason");
  }
  static int64_t boottime_ns(const gerbang_host*) { return boottime().count(); }
  static int stopping(const gerbang_host*) { return 0; }

  gerbang_host host_;
  Intake intake_ = Intake::for_decode();
  const char* call_ = nullptr;
  std::string last_line_;
  const pthread_t thread_ = pthread_self();
};

// ---- a configuration out of the schema
// ------------------------------------------------------------

void fill(host::v1::Value& value, const host::v1::OptionSpec& spec, const std::string& text,
          int nth) {
  value.set_name(spec.name());
  value.set_type(spec.type());
  double number = 0;
  if (spec.minimum() < spec.maximum()) number = spec.minimum();
  bool from_text = !text.empty();
  if (from_text) std::from_chars(text.data(), text.data() + text.size(), number);
  switch (spec.type()) {
    case GERBANG_STRING:
      value.set_text(from_text ? text : "conformance");
      break;
    case GERBANG_CHOICE:
      value.set_text(from_text ? text : spec.choices(0));
      break;
    case GERBANG_BOOLEAN:
      value.set_integer(text == "true" ? 1 : 0);
      break;
    case GERBANG_DURATION: {
      auto duration = parse_duration(text);
      value.set_integer(duration ? duration->count() : static_cast<std::int64_t>(number));
      break;
    }
    case GERBANG_INTEGER:
      value.set_integer(static_cast<std::int64_t>(number));
      break;
    default:
      value.set_number(number);
  }
  // Sensors must differ in an identity key.
  bool identity = (spec.flags() & GERBANG_IDENTITY) != 0;
  if (identity && spec.type() == GERBANG_INTEGER) value.set_integer(value.integer() + nth);
  if (identity && spec.type() == GERBANG_STRING) value.set_text(value.text() + std::to_string(nth));
}

template <class Out>
void fill_all(Out* out, const google::protobuf::RepeatedPtrField<host::v1::OptionSpec>& specs,
              const Given& given, int nth) {
  for (const host::v1::OptionSpec& spec : specs) {
    auto said = given.find(spec.name());
    bool required = (spec.flags() & GERBANG_REQUIRED) != 0;
    if (said == given.end() && !spec.has_fallback() && !required) continue;
    fill(*out->Add(), spec, said != given.end() ? said->second : spec.fallback(), nth);
  }
}

host::v1::Configure configuration(const host::v1::Description& description, const Given& options,
                                  const Given& address) {
  host::v1::Configure frame;
  frame.set_instance("conformance");
  fill_all(frame.mutable_options(), description.options(), options, 0);
  for (int i = 0; i < kSensors; ++i) {
    host::v1::Sensor& sensor = *frame.add_sensors();
    sensor.set_index(static_cast<std::uint32_t>(1000 + 7 * i));
    sensor.set_id("sensor-" + std::to_string(i));
    sensor.set_interval_ns(200'000'000);
    fill_all(sensor.mutable_address(), description.address(), address, i);
  }
  return frame;
}

// ---- the checks
// -----------------------------------------------------------------------------------

void check_symbols(const std::string& path) {
  std::FILE* pipe = popen(("nm -D --defined-only '" + path + "'").c_str(), "r");
  char line[1024];
  int functions = 0;
  while (pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr) {
    std::string_view text(line);
    bool ours = text.find(" T gerbang_driver\n") != std::string_view::npos;
    functions += ours ? 1 : 0;
    if (!ours) breach("exports more than gerbang_driver: " + std::string(text.substr(0, 100)));
  }
  if (pipe == nullptr || pclose(pipe) != 0 || functions != 1)
    breach("nm does not show one exported gerbang_driver");
}

int open_descriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class Instance {
 public:
  Instance(Watcher& watcher, const gerbang_driver_table& table, const DriverConfig& config)
      : watcher_(watcher), table_(table) {
    watcher.start(Intake(indices(config)));
    const Nanoseconds began = boottime();
    status_ = watcher.during("open",
                             [&] { return table.open(watcher.host(), config.get(), &instance_); });
    if (boottime() - began > kSecond + kSlack) breach("open took longer than a second");
    if (status_ != GERBANG_OK)
      breach("open returned " + std::to_string(status_) +
             " for a configuration that its schema allows (" + watcher.last_line() +
             "); give --option or --address");
  }
  ~Instance() {
    if (opened()) watcher_.during("close", [&] { table_.close(instance_); });
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  bool opened() const { return status_ == GERBANG_OK; }

  // False: this instance is not to be polled again.
  bool poll(milliseconds budget, milliseconds max_block) {
    const Nanoseconds began = boottime();
    int status = watcher_.during(
        "poll", [&] { return table_.poll(instance_, static_cast<std::uint32_t>(budget.count())); });
    const Nanoseconds took = boottime() - began;
    if (took > budget + max_block + kSlack)
      breach("poll with a budget of " + std::to_string(budget.count()) + " ms took " +
             std::to_string(took / kMillisecond) + " ms; it says at most " +
             std::to_string(max_block.count()) + " ms longer");
    if (status < GERBANG_OK || status > GERBANG_CONFIG)
      breach("poll returned " + std::to_string(status));
    if (status == GERBANG_GONE) gone_ = true;
    return status == GERBANG_OK || status == GERBANG_RETRY;
  }
  bool gone() const { return gone_; }

 private:
  static std::vector<std::uint32_t> indices(const DriverConfig& config) {
    std::vector<std::uint32_t> out;
    for (const gerbang_sensor& sensor : config.sensors()) out.push_back(sensor.index);
    return out;
  }

  Watcher& watcher_;
  const gerbang_driver_table& table_;
  gerbang_instance* instance_ = nullptr;
  int status_;
  bool gone_ = false;
};

void check_polls(Watcher& watcher, const Plugin& plugin, const DriverConfig& config) {
  const milliseconds max_block(plugin.description.max_block_ms());
  Instance instance(watcher, plugin.table, config);
  if (!instance.opened()) return;
  bool alive = true;
  for (int budget : {0, 1, 10, 100, 1000})
    alive = alive && instance.poll(milliseconds(budget), max_block);
  // Sensors that are due speak, if only to say that they are missing.
  const Nanoseconds deadline = boottime() + 5 * kSecond + 2 * max_block;
  while (alive && !watcher.intake().all_answered() && boottime() < deadline)
    alive = instance.poll(milliseconds(200), max_block);
  if (alive && !watcher.intake().all_answered())
    breach(std::to_string(watcher.intake().unanswered().size()) +
           " sensors gave neither a number nor a missing reading");
  if (!alive && !instance.gone()) breach("poll returned CONFIG for a configuration that opened");
}

void check_reopening(Watcher& watcher, const Plugin& plugin, const DriverConfig& config) {
  auto cycle = [&] {
    Instance instance(watcher, plugin.table, config);
    if (instance.opened()) instance.poll(milliseconds(0), milliseconds(10'000));
  };
  for (int i = 0; i < 10; ++i) cycle();  // whatever is kept once is kept by now
  const int descriptors = open_descriptors();
  const std::size_t memory = mallinfo2().uordblks;
  for (int i = 0; i < 100; ++i) cycle();
  if (open_descriptors() != descriptors)
    breach("100 times open and close left " + std::to_string(open_descriptors() - descriptors) +
           " descriptors behind");
  const std::size_t after = mallinfo2().uordblks;
  if (after > memory + 4096)
    breach("100 times open and close left " + std::to_string(after - memory) + " bytes behind");
}

void check_decode(Watcher& watcher, const Plugin& plugin, const DriverConfig& config) {
  if (plugin.table.decode == nullptr) return;
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    // Of its own, so that a sanitizer sees one byte too many.
    std::unique_ptr<unsigned char[]> data(new unsigned char[size]);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<unsigned char>(random());
    watcher.start(Intake::for_decode());
    int status = watcher.during("decode", [&] {
      return plugin.table.decode(watcher.host(), config.get(), data.get(), size);
    });
    if (status < GERBANG_OK || status > GERBANG_CONFIG)
      breach("decode returned " + std::to_string(status));
  }
}

void check_description(const Plugin& plugin) {
  const gerbang_description* first = plugin.table.describe();
  if (plugin.table.describe() != first) breach("describe() does not return constant data");
  if (plugin.description.summary().empty()) breach("its description has no summary");
  auto check = [](const auto& specs) {
    for (const host::v1::OptionSpec& spec : specs)
      if (spec.help().empty()) breach("key " + spec.name() + " has no help");
  };
  check(plugin.description.options());
  check(plugin.description.address());
  if (plugin.description.max_block_ms() > 60'000) breach("max_block_ms is above a minute");
}

int run(const std::string& path, const Given& options, const Given& address) {
  check_symbols(path);
  auto plugin = load_plugin(path);
  if (!plugin) {
    breach(plugin.error().what);
    return 1;
  }
  Watcher watcher;
  check_description(*plugin);
  const DriverConfig config(configuration(plugin->description, options, address));
  check_polls(watcher, *plugin, config);
  if (breaches == 0) check_reopening(watcher, *plugin, config);
  check_decode(watcher, *plugin, config);
  if (breaches == 0) std::printf("%s keeps the contract\n", plugin->table.name);
  return breaches == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gerbang::driver_host

int main(int argc, char** argv) {
  std::map<std::string, gerbang::driver_host::Given> given;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.rfind("--", 0) == 0 && i + 1 < argc) {
      std::string pair = argv[++i];
      std::size_t equals = pair.find('=');
      if (equals != std::string::npos)
        given[argument][pair.substr(0, equals)] = pair.substr(equals + 1);
    } else {
      path = argument;
    }
  }
  if (path.empty()) {
    std::fprintf(stderr,
                 "driver_conformance DRIVER.so [--option KEY=VALUE] [--address KEY=VALUE]\n");
    return 64;
  }
  return gerbang::driver_host::run(path, given["--option"], given["--address"]);
}
