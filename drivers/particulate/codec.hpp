// SPDX-License-Identifier: Apache-2.0
//
// Frames of particle counters: Plantower PMS, Nova SDS011, Sensirion SPS30. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serial/bytes.hpp"
#include "serial/frame_finder.hpp"

namespace gerbang::particulate {

using serial::Bytes;

// pms5003 and pms7003 send the same frame.
enum class Model : std::uint8_t { pms5003, pms7003, pms3003, sds011, sps30 };
inline constexpr std::array kModels{Model::pms5003, Model::pms7003, Model::pms3003, Model::sds011,
                                    Model::sps30};

std::string_view name_of(Model model);

struct Channel {
  const char* name;
  const char* unit;
};
// What a model measures, in the order of Event::values.
std::span<const Channel> channels_of(Model model);

// What a piece of the stream said.
struct Event {
  enum class Kind : std::uint8_t {
    measurement,
    fault,        // the device says that it cannot measure; `code`
    no_new_data,  // SPS30: nothing was measured since the last question
    idle,         // SPS30: it has not been told to measure
    started,      // SPS30: it begins to measure now
    broken,       // a wrong checksum
    refused       // a good frame of another length or kind; `text`
  };
  static constexpr std::size_t kMostValues = 12;

  Kind kind = Kind::broken;
  Model model =
      Model::pms5003;  // whose frame it is; of measurement, fault, no_new_data, idle, started
  bool whole = false;  // the device counts in integers
  std::uint8_t code = 0;
  std::array<double, kMostValues> values{};  // measurement: as channels_of(model)
  std::string text;
};

// Decodes the stream of one model, or recognises the model by its frames. Bytes may come in any
// pieces; garbage is skipped.
class Codec {
 public:
  explicit Codec(std::optional<Model> model) : model_(model), finder_(kLongest) {}

  // What the bytes complete. Valid until the next call.
  std::span<const Event> feed(Bytes bytes);
  // The line fell silent: what is incomplete is void.
  std::span<const Event> silence();
  void reset() { finder_.reset(); }
  // Bytes that belonged to no good frame.
  std::uint64_t noise() const { return finder_.noise(); }

 private:
  // SHDLC: 40 bytes of data and 5 around them, each of which may be sent as two, between two flags.
  static constexpr std::size_t kLongest = 2 * 45 + 2;

  serial::Look look(Bytes bytes) const;
  void took(Bytes frame);

  std::optional<Model> model_;
  serial::FrameFinder finder_;
  std::vector<Event> events_;
};

// ---- requests; each asks for a measurement and changes no setting ----
inline constexpr std::array<std::uint8_t, 7> kPmsRead{0x42, 0x4D, 0xE2, 0x00, 0x00, 0x01, 0x71};
inline constexpr std::array<std::uint8_t, 19> kSdsRead{
    0xAA, 0xB4, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x02, 0xAB};
inline constexpr std::array<std::uint8_t, 6> kSpsRead{0x7E, 0x00, 0x03, 0x00, 0xFC, 0x7E};
// Begins to measure, in floating-point numbers.
inline constexpr std::array<std::uint8_t, 8> kSpsStart{0x7E, 0x00, 0x00, 0x02,
                                                       0x01, 0x03, 0xF9, 0x7E};

// ---- SHDLC, Sensirion's frames ----
// What stands between the flags, without its stuffing; nothing if the stuffing is wrong.
std::optional<std::vector<std::uint8_t>> unstuff(Bytes stuffed);
std::uint8_t shdlc_checksum(Bytes bytes);

}  // namespace gerbang::particulate
