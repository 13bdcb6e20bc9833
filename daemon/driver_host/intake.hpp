// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>
#include <host/v1/driver.pb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gerbang::driver_host {

// What can be wrong with what a driver hands over.
enum class Fault : std::uint8_t {
  struct_size,     // shorter than driver.h 1.0 says, or null
  unknown_sensor,  // an index that the driver was not given
  quality,         // none of gerbang_quality
  flood,           // beyond kMaxPerCall
  outside_call,    // not during a call from the host, or from another thread
  event,           // without a kind, or with more than kMaxFields
  time,            // in the future or negative: the host stamps it, nothing is refused
  reason,          // unknown: passed on as DRIVER, nothing is refused
};
inline constexpr std::size_t kFaultCount = 8;

// The name in frames and logs ("unknown_sensor"), and whether the reading is lost by it.
const char* name(Fault fault);
constexpr bool refuses(Fault fault) {
  return fault != Fault::time && fault != Fault::reason;
}

// The border between a driver's numbers and ours: checks readings and puts them into the columns of
// a frame. Nothing is lost in silence: each refusal is counted, and the first of a kind makes a
// notice for the log. Pure: no clock, no descriptors.
class Intake {
 public:
  static constexpr std::size_t kMaxPerCall =
      200'000;  // readings and events in one call of the driver
  static constexpr std::size_t kMaxPerFrame = 1024;
  static constexpr std::size_t kMaxFields = 64;
  static constexpr std::uint32_t kMaxDecoded = 4096;

  // The indices that the driver was given.
  explicit Intake(const std::vector<std::uint32_t>& sensors);
  // For decode: any index below kMaxDecoded.
  static Intake for_decode() { return Intake(); }

  void begin_call() { left_ = kMaxPerCall; }
  std::size_t in_call() const { return kMaxPerCall - left_; }  // readings and events of this call

  // Takes readings until the columns are full; returns how many were dealt with. `now`:
  // CLOCK_BOOTTIME in nanoseconds, the stamp of readings without a time.
  std::size_t take(const gerbang_reading* first, std::size_t count, std::int64_t now);
  // False: refused. The event's texts are bounded and cleaned.
  bool take(const gerbang_event* event, std::int64_t now, host::v1::Event& out);
  void refuse(Fault fault, std::uint64_t count = 1, const std::string& detail = {});

  const host::v1::Readings& columns() const { return columns_; }
  host::v1::Readings& mutable_columns() { return columns_; }  // for sending without a copy
  std::size_t size() const { return static_cast<std::size_t>(columns_.sensor_size()); }
  bool full() const { return size() >= kMaxPerFrame; }
  void clear();

  // Sensors that have given nothing yet, and whether anything but a missing reading came since
  // the last call of forget_numbers().
  std::vector<std::uint32_t> unanswered() const;
  bool all_answered() const { return answered_ == sensors_.size(); }
  bool saw_number() const { return saw_number_; }
  void forget_numbers() { saw_number_ = false; }

  // What was refused since the last call, for a heartbeat.
  void report(host::v1::Heartbeat& out);
  // Sentences for the log, one for the first fault of each kind.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  struct Slot {
    std::uint32_t index;
    bool answered;
  };

  Intake() : any_sensor_(true) {}
  void take_one(gerbang_reading reading, std::int64_t now);
  bool known(std::uint32_t sensor, bool answers);
  std::int64_t stamp(std::int64_t boottime_ns, std::int64_t now);

  std::vector<Slot> sensors_;  // by index
  bool any_sensor_ = false;
  std::size_t answered_ = 0;
  bool saw_number_ = false;
  std::size_t left_ = kMaxPerCall;
  host::v1::Readings columns_;
  std::int64_t last_boot_ = 0;  // the entry before, in the columns
  std::array<std::uint64_t, kFaultCount> refused_{};
  std::array<bool, kFaultCount> noticed_{};
  std::vector<std::string> notices_;
};

}  // namespace gerbang::driver_host
