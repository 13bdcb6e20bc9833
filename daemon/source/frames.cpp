// SPDX-License-Identifier: Apache-2.0
#include "source/frames.hpp"

#include <host/v1/driver.pb.h>

#include <cmath>

namespace gerbang::source {
namespace {

namespace pb = gerbang::host::v1;

constexpr std::uint32_t kFlagBits = 0x0f;
constexpr std::uint32_t kIntegerBit = 0x10;
constexpr unsigned kReasonShift = 8;

auto broken(const char* what) {
  return fail(std::errc::protocol_error, what);
}

Result<Status> status_of(std::uint32_t number) {
  if (number > 3) return broken("unknown status");
  return static_cast<Status>(number);
}

Result<Reading> quality_of(std::uint32_t bits) {
  auto flag = flag_of(bits & kFlagBits);
  auto reason = reason_of(bits >> kReasonShift);
  if (!flag || !reason) return broken("reading with an unknown quality");
  Reading reading;
  reading.flag = *flag;
  reading.reason = *reason;
  return reading;
}

void set_number(Reading& reading, double number) {
  if (std::isfinite(number)) {
    reading.raw = Raw::of(number);
    return;
  }
  reading.flag = Flag::missing;
  reading.reason = Reason::not_a_number;
}

Result<HostFrame> readings_of(const pb::Readings& in) {
  const int n = in.sensor_size();
  if (in.boot_ns_size() != n || in.quality_size() != n ||
      (in.unix_ns_size() != 0 && in.unix_ns_size() != n))
    return broken("columns of readings differ in length");
  Readings out;
  out.all.reserve(static_cast<std::size_t>(n));
  std::uint64_t boot = 0;  // unsigned: a broken host's sums may overflow
  int integers = 0, numbers = 0;
  for (int i = 0; i < n; ++i) {
    auto reading = quality_of(in.quality(i));
    if (!reading) return fail(reading.error());
    boot += static_cast<std::uint64_t>(in.boot_ns(i));
    reading->sensor = in.sensor(i);
    reading->boot_ns = static_cast<std::int64_t>(boot);
    reading->unix_ns = in.unix_ns_size() == 0 ? 0 : in.unix_ns(i);
    if ((in.quality(i) & kIntegerBit) != 0) {
      if (integers == in.integer_size()) return broken("readings without their integers");
      reading->raw = Raw::of(in.integer(integers++));
    } else if (reading->flag != Flag::missing) {
      if (numbers == in.number_size()) return broken("readings without their numbers");
      set_number(*reading, in.number(numbers++));
    }
    out.all.push_back(*reading);
  }
  if (integers != in.integer_size() || numbers != in.number_size())
    return broken("numbers without their readings");
  return HostFrame(std::move(out));
}

Result<HostFrame> heartbeat_of(const pb::Heartbeat& in) {
  Heartbeat out;
  out.polls = in.polls();
  out.overruns = in.overruns();
  for (const pb::Exchanges& device : in.exchanges()) {
    if (device.result_size() != device.count_size())
      return broken("columns of exchanges differ in length");
    Exchanges& copy = out.exchanges.emplace_back();
    copy.device = device.device();
    copy.requests = device.requests();
    copy.microseconds = device.microseconds();
    copy.slowest_us = device.slowest_us();
    for (int i = 0; i < device.result_size(); ++i) {
      auto reason = reason_of(device.result(i));
      if (!reason) return broken("exchange with an unknown result");
      copy.results.emplace_back(*reason, device.count(i));
    }
    if (device.bucket_size() != device.times_size())
      return broken("columns of round trips differ in length");
    for (int i = 0; i < device.bucket_size(); ++i)
      copy.round_trips.emplace_back(device.bucket(i), device.times(i));
  }
  for (const pb::Refused& refused : in.refused())
    out.refused.emplace_back(refused.reason(), refused.count());
  return HostFrame(std::move(out));
}

HostFrame event_of(const pb::Event& in) {
  Event out;
  out.sensor = in.sensor();
  out.kind = in.kind();
  out.text = in.text();
  out.boot_ns = in.boot_ns();
  out.unix_ns = in.unix_ns();
  for (const pb::EventField& field : in.fields())
    out.fields.push_back(EventField{field.name(), field.unit(), field.value()});
  return HostFrame(std::move(out));
}

Result<std::vector<OptionSpec>> options_of(
    const google::protobuf::RepeatedPtrField<pb::OptionSpec>& in) {
  constexpr std::uint32_t kRequired = 1, kIdentity = 2;  // driver.h
  std::vector<OptionSpec> out;
  for (const pb::OptionSpec& option : in) {
    if (option.type() < 1 || option.type() > 6)
      return broken("option of an unknown type; the driver is newer than this gateway");
    OptionSpec& copy = out.emplace_back();
    copy.name = option.name();
    copy.type = static_cast<OptionType>(option.type());
    copy.required = (option.flags() & kRequired) != 0;
    copy.identity = (option.flags() & kIdentity) != 0;
    if (option.has_fallback()) copy.fallback = option.fallback();
    copy.choices.assign(option.choices().begin(), option.choices().end());
    copy.help = option.help();
    copy.minimum = option.minimum();
    copy.maximum = option.maximum();
  }
  return out;
}

Result<HostFrame> description_of(const pb::Description& in) {
  auto options = options_of(in.options());
  if (!options) return fail(std::move(options).error());
  auto address = options_of(in.address());
  if (!address) return fail(std::move(address).error());
  DriverSchema out;
  out.summary = in.summary();
  out.options = std::move(*options);
  out.address = std::move(*address);
  out.max_block_ms = in.max_block_ms();
  out.can_decode = in.can_decode();
  out.can_scan = in.can_scan();
  out.pushes = in.pushes();
  return HostFrame(std::move(out));
}

void add_values(const OptionValues& values, google::protobuf::RepeatedPtrField<pb::Value>& out) {
  for (const OptionValue& value : values) {
    pb::Value& copy = *out.Add();
    copy.set_name(value.name);
    copy.set_type(static_cast<std::uint32_t>(value.type));
    copy.set_text(value.text);
    copy.set_integer(value.integer);
    copy.set_number(value.number);
  }
}

void set_line(const DriverSpec& spec, pb::Configure& configure) {
  configure.set_instance(spec.name);
  add_values(spec.options, *configure.mutable_options());
  std::uint32_t place = 0;
  for (const SensorSpec& sensor : spec.sensors) {
    pb::Sensor& copy = *configure.add_sensors();
    copy.set_index(place++);
    copy.set_id(sensor.id);
    copy.set_interval_ns(sensor.interval.count());
    add_values(sensor.address, *copy.mutable_address());
  }
}

}  // namespace

Result<HostFrame> decode_frame(std::string_view payload) {
  pb::FromDriverHost in;
  if (!in.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return broken("a frame that cannot be parsed");
  const int parts = in.has_hello() + in.has_description() + in.has_ready() + in.has_trouble() +
                    in.has_readings() + in.has_event() + in.has_log() + in.has_trace() +
                    in.has_heartbeat() + in.has_done() + in.has_found() + in.has_progress();
  if (parts != 1) return broken(parts == 0 ? "a frame of unknown kind" : "a frame of two kinds");

  if (in.has_readings()) return readings_of(in.readings());
  if (in.has_heartbeat()) return heartbeat_of(in.heartbeat());
  if (in.has_event()) return event_of(in.event());
  if (in.has_description()) return description_of(in.description());
  if (in.has_ready()) return HostFrame(Ready());
  if (in.has_log()) return HostFrame(LogLine{in.log().level(), in.log().text()});
  if (in.has_trace()) {
    const pb::Trace& trace = in.trace();
    return HostFrame(Trace{trace.sent(), trace.data(), trace.device(), trace.boot_ns()});
  }
  if (in.has_found()) return HostFrame(Found{in.found().toml(), in.found().note()});
  if (in.has_progress()) return HostFrame(Progress{in.progress().done(), in.progress().what()});
  if (in.has_hello()) {
    const pb::Hello& hello = in.hello();
    return HostFrame(Hello{hello.name(), hello.version(), hello.load_error(), hello.abi_major(),
                           hello.abi_minor()});
  }
  auto status = status_of(in.has_trouble() ? in.trouble().status() : in.done().status());
  if (!status) return fail(std::move(status).error());
  if (in.has_trouble()) return HostFrame(Trouble{*status, in.trouble().text()});
  return HostFrame(Done{*status, in.done().text()});
}

std::string encode_configure(const DriverSpec& spec, bool trace, bool once) {
  pb::ToDriverHost out;
  pb::Configure& configure = *out.mutable_configure();
  set_line(spec, configure);
  configure.set_trace(trace);
  configure.set_once(once);
  return out.SerializeAsString();
}

std::string encode_check(const DriverSpec& spec) {
  pb::ToDriverHost out;
  pb::Configure& configure = *out.mutable_configure();
  set_line(spec, configure);
  configure.set_check(true);
  return out.SerializeAsString();
}

std::string encode_stop() {
  pb::ToDriverHost out;
  out.mutable_stop();
  return out.SerializeAsString();
}

std::string encode_describe() {
  pb::ToDriverHost out;
  out.mutable_describe();
  return out.SerializeAsString();
}

std::string encode_decode(const OptionValues& options, std::string_view bytes) {
  pb::ToDriverHost out;
  add_values(options, *out.mutable_decode()->mutable_options());
  out.mutable_decode()->set_data(std::string(bytes));
  return out.SerializeAsString();
}

std::string encode_scan(const OptionValues& options) {
  pb::ToDriverHost out;
  add_values(options, *out.mutable_scan()->mutable_options());
  return out.SerializeAsString();
}

}  // namespace gerbang::source
