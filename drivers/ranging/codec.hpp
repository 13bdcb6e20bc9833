// SPDX-License-Identifier: Apache-2.0
//
// Frames of ultrasonic distance sensors: A02YYUW, and the families of MaxBotix. Pure.
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

namespace gerbang::ranging {

using serial::Bytes;

enum class Model : std::uint8_t {
  a02yyuw,        // FF, two bytes of millimetres, checksum
  maxbotix_hrxl,  // R, four digits of millimetres, CR; HRXL, HRLV
  maxbotix_usb,   // the same with a space before the CR
  maxbotix_lv,    // R, three digits of inches, CR
  maxbotix_xl     // R, three digits of centimetres, CR
};
inline constexpr std::array kModels{Model::a02yyuw, Model::maxbotix_hrxl, Model::maxbotix_usb,
                                    Model::maxbotix_lv, Model::maxbotix_xl};

struct About {
  const char* name;
  double millimetres;  // of one count
  // In counts. At and below `nearest` something is there, but where is not known; at and above
  // `no_target` no echo came.
  int nearest, no_target;
};
const About& about(Model model);

struct Event {
  enum class Kind : std::uint8_t {
    distance,
    no_target,
    broken,  // a wrong checksum
    refused  // a frame of another family; `text`
  };
  Kind kind = Kind::broken;
  int count = 0;         // as the device counts
  bool nearest = false;  // distance: this near or nearer
  std::string text;
  std::uint64_t noise = 0;  // bytes before it that belonged to no good frame
};

// Decodes the stream of one model. Bytes may come in any pieces; garbage is skipped.
//
// Four bytes with a checksum of eight bits (A02YYUW) are found in garbage, too: after garbage a
// distance counts only if it is near that of the frame before it, or stands right behind one.
class Codec {
 public:
  enum class Trust : std::uint8_t { near_ones, all };  // frames that come after garbage

  // `no_target`: in counts, instead of the model's.
  Codec(Model model, std::optional<int> no_target, Trust trust = Trust::near_ones);

  // What the bytes complete. Valid until the next call.
  std::span<const Event> feed(Bytes bytes);
  // The line fell silent: what is incomplete is void.
  std::span<const Event> silence();
  void reset();
  // Bytes that belonged to no good frame.
  std::uint64_t noise() const { return finder_.noise(); }

 private:
  static constexpr std::size_t kLongest = 12;

  serial::Look look(Bytes bytes) const;
  void took(Bytes frame);
  bool believable(int count);

  Model model_;
  int no_target_;
  Trust trust_;
  serial::FrameFinder finder_;
  std::vector<Event> events_;
  std::optional<int> last_;     // count of the frame before
  std::uint64_t noise_at_ = 0;  // noise up to it
};

// The first frame in captured bytes, or why there is none, for people. Without a model it is what
// the bytes look like.
struct Captured {
  std::optional<Event> event;  // distance, no_target
  Model model = Model::a02yyuw;
  std::string why;
};
Captured decode_captured(Bytes bytes, std::optional<Model> model, std::optional<int> no_target);

}  // namespace gerbang::ranging
