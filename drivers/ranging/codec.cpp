// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <algorithm>
#include <cstdlib>

namespace gerbang::ranging {
namespace {

using serial::Look;

constexpr About kAbout[] = {{"a02yyuw", 1, 29, 4501},
                            {"maxbotix-hrxl", 1, 300, 5000},
                            {"maxbotix-usb", 1, 300, 5000},
                            {"maxbotix-lv", 25.4, 6, 254},
                            {"maxbotix-xl", 10, 20, 765}};

constexpr std::uint8_t kHeader = 0xFF;
constexpr std::uint8_t kHighest = 9999 / 256;  // no sensor of this kind sees farther than 10 m

bool is_digit(std::uint8_t byte) {
  return byte >= '0' && byte <= '9';
}
bool four_digits(Model model) {
  return model == Model::maxbotix_hrxl || model == Model::maxbotix_usb;
}

Look look_a02(Bytes b) {
  if (b[0] != kHeader) return Look::noise();
  if (b.size() < 4) return Look::incomplete();
  const bool right = (serial::sum(b.first(3)) & 0xFF) == b[3];
  if (b[1] == 0xFF && b[2] == 0xFF && right) return Look::frame(4);  // 65535: no echo
  if (b[1] > kHighest) return Look::noise();
  return right ? Look::frame(4) : Look::broken();
}

// R, digits, perhaps a space and the proximity flag of USB types ("P0", "P1"), CR.
Look look_maxbotix(Bytes b) {
  if (b[0] != 'R') return Look::noise();
  std::size_t at = 1;
  while (at < b.size() && is_digit(b[at])) ++at;
  const std::size_t digits = at - 1;
  if (digits > 4) return Look::noise(at);
  if (at == b.size()) return Look::incomplete();
  if (digits == 0) return Look::noise();
  if (b[at] == ' ' && ++at == b.size()) return Look::incomplete();
  if (b[at] == 'P') {
    if (at + 1 == b.size()) return Look::incomplete();
    at += is_digit(b[at + 1]) ? 2 : 1;
    if (at == b.size()) return Look::incomplete();
  }
  return b[at] == '\r' ? Look::frame(at + 1) : Look::noise();
}

}  // namespace

const About& about(Model model) {
  return kAbout[static_cast<std::size_t>(model)];
}

Codec::Codec(Model model, std::optional<int> no_target, Trust trust)
    : model_(model),
      no_target_(no_target.value_or(about(model).no_target)),
      trust_(trust),
      finder_(kLongest) {}

Look Codec::look(Bytes b) const {
  return model_ == Model::a02yyuw ? look_a02(b) : look_maxbotix(b);
}

// Whether a frame is no coincidence of garbage.
bool Codec::believable(int count) {
  const bool clean = finder_.noise() == noise_at_;
  const bool near = last_ && std::abs(count - *last_) <= 20 + *last_ / 20;
  noise_at_ = finder_.noise();
  last_ = count;
  return clean || near || trust_ == Trust::all;
}

void Codec::took(Bytes frame) {
  Event event;
  event.noise = finder_.noise();
  if (model_ == Model::a02yyuw) {
    event.count = serial::big16(frame, 1);
    if (!believable(event.count)) return;
  } else {
    std::size_t digits = 0;
    for (; is_digit(frame[digits + 1]); ++digits)
      event.count = event.count * 10 + (frame[digits + 1] - '0');
    const std::size_t expected = four_digits(model_) ? 4 : 3;
    if (digits != expected) {
      event.kind = Event::Kind::refused;
      event.text = "a " + std::string(about(model_).name) + " sends " + std::to_string(expected) +
                   " digits, but " + std::to_string(digits) + " came";
      if (digits == 4) event.text += "; is it a maxbotix-hrxl?";
      if (digits == 3) event.text += "; is it a maxbotix-lv (inches) or maxbotix-xl (cm)?";
      events_.push_back(std::move(event));
      return;
    }
  }
  // An A02YYUW says 0 when it has no echo.
  const bool none = event.count >= no_target_ || event.count == 0;
  event.kind = none ? Event::Kind::no_target : Event::Kind::distance;
  event.nearest = event.count <= about(model_).nearest;
  events_.push_back(std::move(event));
}

std::span<const Event> Codec::feed(Bytes bytes) {
  events_.clear();
  finder_.feed(
      bytes, [this](Bytes b) { return look(b); }, [this](Bytes b) { took(b); },
      [this](Bytes) { events_.emplace_back(); });
  return events_;
}

std::span<const Event> Codec::silence() {
  events_.clear();
  finder_.silence([this](Bytes b) { return look(b); }, [this](Bytes b) { took(b); },
                  [this](Bytes) { events_.emplace_back(); });
  return events_;
}

void Codec::reset() {
  finder_.reset();
  last_.reset();
  noise_at_ = finder_.noise();
}

}  // namespace gerbang::ranging
