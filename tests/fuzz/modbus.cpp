// SPDX-License-Identifier: Apache-2.0
//
// What stands on a Modbus line: answers to a question that the first bytes choose.
#include <cstdint>
#include <cstdlib>

#include "../../drivers/modbus/captured.hpp"

using namespace gerbang::modbus;

namespace {

void check(const Question& question, const Parsed& parsed, std::size_t size) {
  if (parsed.used > size) std::abort();
  if (parsed.kind == Parsed::Kind::answer && parsed.data.size() != question.data_size())
    std::abort();  // never more or less than what was asked for
  if (parsed.kind == Parsed::Kind::incomplete && parsed.missing == 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  Question question;
  question.unit = data[0];
  question.table = static_cast<Table>(data[1] % 4);
  question.first = static_cast<std::uint16_t>(data[2] << 8 | data[3]);
  const unsigned most = holds_bits(question.table) ? 2000 : 125;
  question.count = static_cast<std::uint16_t>((data[4] << 8 | data[5]) % most + 1);
  const auto transaction = static_cast<std::uint16_t>(data[6] << 8 | data[7]);
  Bytes bytes(data + 8, size - 8);
  check(question, parse_tcp(question, transaction, bytes), bytes.size());
  check(question, parse_rtu(question, bytes), bytes.size());
  Parsed last = give_up_rtu(question, bytes);
  check(question, last, bytes.size());
  if (last.kind == Parsed::Kind::incomplete) std::abort();
  if (const auto capture = read_capture(bytes)) {
    if (capture->frames.empty() || capture->skipped > bytes.size()) std::abort();
    for (const Captured& frame : capture->frames)
      if (text_of(frame).empty()) std::abort();
  }
  (void)likely_floats(bytes);
  return 0;
}
