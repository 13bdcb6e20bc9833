// SPDX-License-Identifier: Apache-2.0
#include "store/aggregate_code.hpp"

#include "store/bytes.hpp"
#include "store/types.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint8_t kVersion = 1;
enum Has : std::uint64_t {
  kExpected = 1,
  kStatistics = 2,
  kDirection = 4,
  kDelta = 8,
  kValidHours = 16,
  kAll = 31,
};

void put(ByteWriter& out, double v) {
  std::uint8_t form = number::form_of(v, number::none);
  out.u8(form);
  number::write(out, v, form);
}
bool get(ByteReader& in, double& v) {
  std::uint8_t form = in.u8();
  if (form < number::float32 || form >= number::kForms) return false;
  v = number::read(in, form);
  return true;
}
std::uint32_t get_count(ByteReader& in, bool& ok) {
  std::uint64_t v = in.varint();
  ok = ok && v <= UINT32_MAX;
  return static_cast<std::uint32_t>(v);
}

}  // namespace

std::string encode(const Aggregate& a) {
  ByteWriter out;
  const Statistics& s = a.statistics;
  std::uint64_t has = 0;
  if (a.expected) has |= kExpected;
  if (s.count > 0) has |= kStatistics;
  if (a.x != 0 || a.y != 0) has |= kDirection;
  if (a.delta) has |= kDelta;
  if (a.valid_hours != 0) has |= kValidHours;

  out.u8(kVersion);
  out.varint(has);
  out.zigzag(wrapping::minus(a.end_ms, a.start_ms));
  out.zigzag(a.upto);
  out.u8(static_cast<std::uint8_t>(a.reason));
  out.u8(static_cast<std::uint8_t>(a.clock));
  for (std::uint32_t n : {a.received, a.good, a.suspect, a.bad, a.maintenance, a.below_limit})
    out.varint(n);
  if (a.expected) out.varint(*a.expected);
  if (s.count > 0) {
    out.varint(s.count);
    for (double v : {s.mean, s.m2, s.minimum, s.maximum, a.first, a.last}) put(out, v);
    out.zigzag(wrapping::minus(a.first_ms, a.start_ms));
    out.zigzag(wrapping::minus(a.last_ms, a.start_ms));
  }
  if ((has & kDirection) != 0) {
    put(out, a.x);
    put(out, a.y);
  }
  if (a.delta) put(out, *a.delta);
  if (a.valid_hours != 0) out.varint(a.valid_hours);
  return std::move(out.bytes());
}

Result<void> decode(std::string_view body, Aggregate& a) {
  auto damaged = [](const char* what) {
    return fail(errc::damaged, std::string("stored aggregate: ") + what);
  };
  ByteReader in(body);
  if (in.u8() != kVersion) return damaged("unknown format");
  std::uint64_t has = in.varint();
  if (has > kAll) return damaged("unknown fields");
  a.end_ms = wrapping::plus(a.start_ms, in.zigzag());
  a.upto = in.zigzag();
  auto reason = reason_of(in.u8());
  std::uint8_t clock = in.u8();
  if (!reason || clock < 1 || clock > 3) return damaged("unknown reason or clock");
  a.reason = *reason;
  a.clock = static_cast<ClockTrust>(clock);

  bool ok = true;
  for (auto* n : {&a.received, &a.good, &a.suspect, &a.bad, &a.maintenance, &a.below_limit})
    *n = get_count(in, ok);
  if ((has & kExpected) != 0) a.expected = get_count(in, ok);
  if ((has & kStatistics) != 0) {
    Statistics& s = a.statistics;
    s.count = get_count(in, ok);
    for (double* v : {&s.mean, &s.m2, &s.minimum, &s.maximum, &a.first, &a.last})
      ok = ok && get(in, *v);
    a.first_ms = wrapping::plus(a.start_ms, in.zigzag());
    a.last_ms = wrapping::plus(a.start_ms, in.zigzag());
  }
  if ((has & kDirection) != 0) ok = ok && get(in, a.x) && get(in, a.y);
  if ((has & kDelta) != 0) ok = ok && get(in, a.delta.emplace());
  if ((has & kValidHours) != 0) a.valid_hours = get_count(in, ok);
  if (!ok || in.failed() || !in.at_end()) return damaged("not what was written");
  return {};
}

}  // namespace gerbang::store
