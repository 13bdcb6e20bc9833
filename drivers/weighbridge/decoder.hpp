// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "formats.hpp"
#include "serial/frame_finder.hpp"

namespace gerbang::weighbridge {

// What a stream said, in its order: a weight, or the reason why a frame gave none.
struct Item {
  gerbang_reason reason = GERBANG_REASON_NONE;
  Weight weight;    // reason NONE
  std::string why;  // else
  // What the indicator itself said in a whole frame; none for damaged ones.
  Refusal refusal = Refusal::none;
  bool whole = false;  // a whole frame, whether it counts or not

  bool good() const { return reason == GERBANG_REASON_NONE; }
  bool stated() const { return refusal != Refusal::none; }
};

// Weights out of a stream of one format that may come in any pieces and begin in the middle. Pure.
//
// Where frames carry no checksum a lost character would go unnoticed ("012340" as "01234"): such a
// frame counts only if it is as long as the indicator's frames are. That length is learnt: it is
// that of the last two frames in a row that were equally long.
class Decoder {
 public:
  explicit Decoder(Format format, Dialect dialect = {})
      : format_(format), dialect_(dialect), finder_(kLongestFrame) {}

  Format format() const { return format_; }

  // The items that are complete with these bytes; valid until the next call.
  const std::vector<Item>& feed(Bytes bytes);
  // The frame that only shows how long they are has come; it gave no item.
  bool knows_a_length() const { return before_ != 0; }
  // The line fell silent: what is incomplete stays so.
  const std::vector<Item>& silence();
  // Another beginning of the stream.
  void reset();

  // Bytes that belonged to no frame, since the beginning.
  std::uint64_t noise() const { return finder_.noise(); }

 private:
  serial::Look look(Bytes bytes);
  void take(const Parsed& parsed);
  bool usual_length(std::size_t size);

  Format format_;
  Dialect dialect_;
  serial::FrameFinder finder_;
  Parsed last_;
  std::size_t usual_ = 0, before_ = 0;  // lengths; 0: none
  std::vector<Item> items_;
};

// Captured frames that a person has picked: each counts, whatever its length, and nothing follows
// the last one. Never empty: what is no frame at all gives one item that says so.
std::vector<Item> decode_captured(Format format, const Dialect& dialect, Bytes bytes);

// Which format a stream has, found by trying all at once. The formats are too different for one
// frame to be right in two of them, so the answer is honest: one format gave frames and nothing
// else did. Pure.
class Recogniser {
 public:
  explicit Recogniser(Dialect dialect = {});
  // The format, once `kEnough` frames of one have come and none of any other.
  std::optional<Format> feed(Bytes bytes);
  void reset();

 private:
  static constexpr int kEnough = 3;
  struct Candidate {
    Decoder decoder;
    int good = 0;
  };
  std::vector<Candidate> candidates_;
};

}  // namespace gerbang::weighbridge
