// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>

#include "address.hpp"
#include "by_hand.hpp"
#include "captured.hpp"
#include "codec.hpp"
#include "poller.hpp"
#include "values.hpp"

namespace gerbang::modbus {
namespace {

// How the values of one answer are to be read, and what its first register is called.
struct Reader {
  Point point;
  std::optional<std::uint16_t> first;  // known by the question before it, or by an option
  std::size_t held = 0;                // registers or bits in the answer
  std::optional<analog::Loop> loop;
};

Reader reader_of(const Captured& answer, const Captured* before, const driver::Values& options) {
  Reader reader;
  AddressKeys keys;
  keys.unit = answer.unit;
  keys.table = std::string(name_of(answer.table()));
  keys.bit = integer_if(options, "bit");
  keys.usual_type = text_if(options, "type");
  keys.usual_order = text_if(options, "order");
  keys.reg = integer_if(options, "register");
  keys.manual = integer_if(options, "manual");
  const bool named = keys.reg || keys.manual;
  if (!named) keys.reg = 0;
  auto point = point_of(keys);
  if (!point) refuse(point.error());
  reader.point = *point;
  reader.loop = loop_of(options, options, "");
  if (named) reader.first = point->address;

  const bool bits = holds_bits(answer.table());
  reader.held = bits ? 8 * answer.data.size() : answer.data.size() / 2;
  if (before != nullptr && before->kind == Captured::Kind::question &&
      before->unit == answer.unit && before->function == answer.function) {
    const Question question{answer.unit, answer.table(), before->first, before->count};
    if (question.data_size() != answer.data.size()) return reader;
    if (!named) reader.first = before->first;
    if (bits) reader.held = before->count;
  }
  return reader;
}

std::string label(const Reader& reader, std::size_t at) {
  const std::string table(name_of(reader.point.table));
  if (!reader.first) return table + "+" + std::to_string(at);
  return table + "[" + std::to_string(*reader.first + at) + "]";
}

// The readings of one answer; the number of the next one.
std::uint32_t emit_answer(driver::Host host, driver::Emitter& emitter, Reader reader, Bytes data,
                          std::uint32_t sensor) {
  const std::size_t step = width(reader.point.type);
  if (reader.held < step)
    refuse("the answer holds " + std::to_string(reader.held) +
           " registers, which is no multiple "
           "of the " +
           std::to_string(step) + " that one value takes");
  for (std::size_t at = 0; at + step <= reader.held; at += step, ++sensor) {
    host.info(label(reader, at));
    reader.point.address = static_cast<std::uint16_t>(at);
    emit(emitter, sensor, modbus::decode(reader.point, 0, data), reader.loop);
  }
  if (const std::size_t rest = reader.held % step; rest != 0)
    host.warning("the last " + std::to_string(rest) + " of " + std::to_string(reader.held) +
                 " registers are left over: one value takes " + std::to_string(step));
  return sensor;
}

// For the one who does not know the type yet.
void suggest(driver::Host host, const Reader& reader, Bytes data) {
  constexpr std::size_t kMost = 8;  // registers
  for (std::size_t at = 0; at + 2 <= std::min(reader.held, kMost); at += 2)
    if (const std::string floats = likely_floats(data.subspan(2 * at)); !floats.empty())
      host.debug(label(reader, at) + " and the next as float32: " + floats);
}

}  // namespace

gerbang_status decode_capture(driver::Host host, const driver::Values& options, Bytes bytes) {
  const auto capture = read_capture(bytes);
  if (!capture) refuse(capture.error());
  if (capture->skipped > 0)
    host.warning(std::to_string(capture->skipped) +
                 " bytes belong to no sound frame and are left out");

  using Kind = Captured::Kind;
  const auto has_values = [](const Captured& f) {
    return f.kind == Kind::answer && !f.data.empty();
  };
  const auto& frames = capture->frames;
  if (std::none_of(frames.begin(), frames.end(), has_values)) {
    std::string why;
    for (const Captured& frame : frames) why += (why.empty() ? "" : "; ") + text_of(frame);
    if (frames.back().kind == Kind::question)
      why += ". This is a question: give the answer that came to it";
    refuse(why);
  }
  driver::Emitter emitter(host);
  std::uint32_t sensor = 0;
  const Captured* before = nullptr;
  for (const Captured& frame : frames) {
    host.log(frame.kind == Kind::exception ? GERBANG_LOG_WARNING : GERBANG_LOG_DEBUG,
             text_of(frame));
    if (has_values(frame)) {
      const Reader reader = reader_of(frame, before, options);
      sensor = emit_answer(host, emitter, reader, frame.data, sensor);
      if (!holds_bits(frame.table()) && !options.has("type") && !options.has("bit"))
        suggest(host, reader, frame.data);
    }
    before = &frame;
  }
  return GERBANG_OK;
}

}  // namespace gerbang::modbus
