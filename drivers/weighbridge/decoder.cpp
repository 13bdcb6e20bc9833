// SPDX-License-Identifier: Apache-2.0
#include "decoder.hpp"

#include <utility>

namespace gerbang::weighbridge {

using serial::Look;

namespace {

Item item_of(const Parsed& parsed) {
  Item item;
  item.reason = parsed.reason;
  item.why = parsed.why;
  item.refusal = parsed.refusal;
  item.weight = parsed.weight;
  item.whole = parsed.kind == Parsed::Kind::weight || parsed.kind == Parsed::Kind::refused;
  return item;
}

Item protocol(std::string why) {
  Item item;
  item.reason = GERBANG_REASON_PROTOCOL;
  item.why = std::move(why);
  return item;
}

}  // namespace

Look Decoder::look(Bytes bytes) {
  last_ = parse(format_, dialect_, bytes, false);
  switch (last_.kind) {
    case Parsed::Kind::noise:
      return Look::noise(last_.size);
    case Parsed::Kind::incomplete:
      return Look::incomplete();
    case Parsed::Kind::broken:
      return Look::broken();
    case Parsed::Kind::refused:
    case Parsed::Kind::weight:
      return Look::frame(last_.size);
  }
  return Look::noise();
}

const std::vector<Item>& Decoder::feed(Bytes bytes) {
  items_.clear();
  finder_.feed(
      bytes, [this](Bytes b) { return look(b); }, [this](Bytes) { take(last_); },
      [this](Bytes) { take(last_); });
  return items_;
}

const std::vector<Item>& Decoder::silence() {
  items_.clear();
  finder_.silence([this](Bytes b) { return look(b); }, [this](Bytes) { take(last_); },
                  [this](Bytes) { take(last_); });
  return items_;
}

void Decoder::reset() {
  finder_.reset();
  usual_ = before_ = 0;
}

bool Decoder::usual_length(std::size_t size) {
  if (std::exchange(before_, size) == size) usual_ = size;
  return size == usual_;
}

void Decoder::take(const Parsed& parsed) {
  // The first one shows how long they are; the stream may have been joined within it.
  const bool measures = parsed.kind == Parsed::Kind::weight && !has_checksum(format_);
  if (measures && before_ == 0) {
    before_ = parsed.size;
    return;
  }
  Item item = item_of(parsed);
  if (measures && !usual_length(parsed.size)) {
    item = protocol("a frame of " + std::to_string(parsed.size) +
                    " bytes, not as long as the one before it");
    item.whole = true;
  }
  items_.push_back(std::move(item));
}

std::vector<Item> decode_captured(Format format, const Dialect& dialect, Bytes bytes) {
  std::vector<Item> items;
  bool cut = false;
  while (!bytes.empty()) {
    const Parsed parsed = parse(format, dialect, bytes, true);
    const bool whole = parsed.kind == Parsed::Kind::refused || parsed.kind == Parsed::Kind::weight;
    if (whole || parsed.kind == Parsed::Kind::broken) items.push_back(item_of(parsed));
    cut = cut || parsed.kind == Parsed::Kind::incomplete;
    bytes = bytes.subspan(whole ? parsed.size : 1);
  }
  if (items.empty())
    items.push_back(protocol(cut ? "the frame is cut short"
                                 : "no frame of the format " + std::string(name_of(format))));
  return items;
}

Recogniser::Recogniser(Dialect dialect) {
  for (const Format format : kFormats) candidates_.push_back({Decoder(format, dialect)});
}

std::optional<Format> Recogniser::feed(Bytes bytes) {
  for (Candidate& candidate : candidates_)
    for (const Item& item : candidate.decoder.feed(bytes)) candidate.good += item.good() ? 1 : 0;
  std::optional<Format> found;
  for (const Candidate& candidate : candidates_) {
    if (candidate.good == 0) continue;
    if (found) return std::nullopt;  // two speak here: no honest answer
    found = candidate.decoder.format();
    if (candidate.good < kEnough) return std::nullopt;
  }
  return found;
}

void Recogniser::reset() {
  for (Candidate& candidate : candidates_) {
    candidate.decoder.reset();
    candidate.good = 0;
  }
}

}  // namespace gerbang::weighbridge
