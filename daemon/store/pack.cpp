// SPDX-License-Identifier: Apache-2.0
#include "store/pack.hpp"

#include <zlib.h>

#include <array>

#include "store/bytes.hpp"
#include "store/types.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint8_t kVersion = 1;
// Stamps are often whole micro- or milliseconds; then they are kept in that unit.
constexpr std::array<std::int64_t, 4> kUnits = {1, 1'000, 1'000'000, 1'000'000'000};

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Calls emit(first, length) for each stretch in which same(i, i + 1) holds.
template <class Same, class Emit>
void runs(std::size_t count, Same same, Emit emit) {
  for (std::size_t first = 0; first < count;) {
    std::size_t next = first + 1;
    while (next < count && same(next - 1, next)) ++next;
    emit(first, next - first);
    first = next;
  }
}

// Reads runs until they cover `count`: length() gives the next run's length, fill(first, length)
// its content. False: a run is empty or too long, or the blob ended.
template <class Fill>
bool cover(std::size_t count, const ByteReader& in, Fill fill) {
  for (std::size_t first = 0; first < count;) {
    std::uint64_t length = fill(first, count - first);
    if (in.failed() || length == 0 || length > count - first) return false;
    first += static_cast<std::size_t>(length);
  }
  return true;
}

bool on_device_time(const Reading& r) {
  return r.unix_ns != 0;
}
std::int64_t stamp(const Reading& r) {
  return on_device_time(r) ? r.unix_ns : r.boot_ns;
}

std::array<std::uint8_t, 2> coarsest_units(std::span<const Reading> readings) {
  std::array<std::uint8_t, 2> units = {kUnits.size() - 1, kUnits.size() - 1};
  for (const auto& r : readings) {
    auto& unit = units[on_device_time(r) ? 1 : 0];
    while (stamp(r) % kUnits[unit] != 0) --unit;
  }
  return units;
}

std::uint8_t form_of(const Reading& r, std::uint8_t likely) {
  if (r.flag == Flag::missing || r.verdict) return number::none;
  if (r.raw.is_integer) return number::integer;
  return number::form_of(r.raw.number, likely);
}

const char* read_columns(ByteReader& in, std::vector<Reading>& out) {
  std::size_t count = out.size();
  std::array<std::uint8_t, 2> units = {in.u8(), in.u8()};
  if (units[0] >= kUnits.size() || units[1] >= kUnits.size()) return "unknown unit of time";
  std::array<std::int64_t, 2> last = {0, 0};
  bool ok = cover(count, in, [&](std::size_t first, std::size_t most) -> std::uint64_t {
    std::uint64_t head = in.varint();
    std::size_t device = head & 1;
    std::uint64_t length = head >> 1;
    last[device] = wrapping::plus(last[device], in.zigzag());
    if (length > most) return 0;
    std::int64_t ns = wrapping::times(last[device], kUnits[units[device]]);
    for (std::size_t i = first; i < first + length; ++i)
      (device != 0 ? out[i].unix_ns : out[i].boot_ns) = ns;
    return length;
  });
  if (!ok) return "times";

  std::int64_t series = 0;
  ok = cover(count, in, [&](std::size_t first, std::size_t most) -> std::uint64_t {
    series = wrapping::plus(series, in.zigzag());
    std::uint64_t length = in.varint();
    if (length > most) return 0;
    for (std::size_t i = first; i < first + length; ++i, ++series) {
      if (series < 0 || series > INT32_MAX) return 0;
      out[i].sensor = static_cast<std::uint32_t>(series);
    }
    --series;
    return length;
  });
  if (!ok) return "series";

  ok = cover(count, in, [&](std::size_t first, std::size_t most) -> std::uint64_t {
    const std::uint8_t mark = in.u8();
    auto flag = flag_of(mark & ~kVerdictBit);
    auto reason = reason_of(in.u8());
    std::uint64_t length = in.varint();
    if (!flag || !reason || length > most) return 0;
    for (std::size_t i = first; i < first + length; ++i) {
      out[i].verdict = (mark & kVerdictBit) != 0;
      out[i].flag = *flag;
      out[i].reason = *reason;
    }
    return length;
  });
  if (!ok) return "flags";

  std::vector<std::uint8_t> forms(count);
  ok = cover(count, in, [&](std::size_t first, std::size_t most) -> std::uint64_t {
    std::uint8_t form = in.u8();
    std::uint64_t length = in.varint();
    if (form >= number::kForms || length > most) return 0;
    for (std::size_t i = first; i < first + length; ++i) forms[i] = form;
    return length;
  });
  if (!ok) return "forms";

  for (std::size_t i = 0; i < count; ++i) {
    const bool none = out[i].flag == Flag::missing || out[i].verdict;
    if ((forms[i] == number::none) != none) return "value of a missing";
    if (forms[i] == number::none) continue;
    out[i].raw =
        forms[i] == number::integer ? Raw::of(in.zigzag()) : Raw::of(number::read(in, forms[i]));
  }
  if (in.failed() || !in.at_end()) return "values";
  return nullptr;
}

}  // namespace

std::string pack(std::span<const Reading> readings) {
  ByteWriter out;
  out.bytes().reserve(readings.size() * 6 + 64);
  out.u8(kVersion);
  out.varint(readings.size());

  auto units = coarsest_units(readings);
  out.u8(units[0]);
  out.u8(units[1]);
  std::array<std::int64_t, 2> last = {0, 0};
  runs(
      readings.size(),
      [&](std::size_t a, std::size_t b) {
        return on_device_time(readings[a]) == on_device_time(readings[b]) &&
               stamp(readings[a]) == stamp(readings[b]);
      },
      [&](std::size_t first, std::size_t length) {
        std::size_t device = on_device_time(readings[first]) ? 1 : 0;
        std::int64_t time = stamp(readings[first]) / kUnits[units[device]];
        out.varint(length << 1 | device);
        out.zigzag(wrapping::minus(time, last[device]));
        last[device] = time;
      });

  std::int64_t before = 0;
  runs(
      readings.size(),
      [&](std::size_t a, std::size_t b) {
        return std::uint64_t{readings[a].sensor} + 1 == readings[b].sensor;
      },
      [&](std::size_t first, std::size_t length) {
        out.zigzag(static_cast<std::int64_t>(readings[first].sensor) - before);
        out.varint(length);
        before = static_cast<std::int64_t>(readings[first + length - 1].sensor);
      });

  runs(
      readings.size(),
      [&](std::size_t a, std::size_t b) {
        return readings[a].flag == readings[b].flag && readings[a].reason == readings[b].reason &&
               readings[a].verdict == readings[b].verdict;
      },
      [&](std::size_t first, std::size_t length) {
        out.u8(mark_byte(readings[first].flag, readings[first].verdict));
        out.u8(static_cast<std::uint8_t>(readings[first].reason));
        out.varint(length);
      });

  std::vector<std::uint8_t> forms(readings.size());
  std::uint8_t likely = number::none;
  for (std::size_t i = 0; i < readings.size(); ++i)
    likely = forms[i] = form_of(readings[i], likely);
  runs(
      forms.size(), [&](std::size_t a, std::size_t b) { return forms[a] == forms[b]; },
      [&](std::size_t first, std::size_t length) {
        out.u8(forms[first]);
        out.varint(length);
      });
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (forms[i] == number::integer)
      out.zigzag(readings[i].raw.integer);
    else if (forms[i] != number::none)
      number::write(out, readings[i].raw.number, forms[i]);
  }

  out.fixed32(checksum(out.bytes()));
  return std::move(out.bytes());
}

std::uint64_t packed_count(std::string_view head) {
  ByteReader in(head);
  if (in.u8() != kVersion) return 0;
  std::uint64_t count = in.varint();
  return in.failed() || count > kMaxPacked ? 0 : count;
}

Result<void> unpack(std::string_view blob, std::vector<Reading>& out) {
  out.clear();
  auto damaged = [&](const std::string& what) {
    out.clear();
    return fail(errc::damaged, "packed readings: " + what);
  };
  if (blob.size() < 5) return damaged("too short");
  std::string_view body = blob.substr(0, blob.size() - 4);
  if (ByteReader(blob.substr(body.size())).fixed32() != checksum(body))
    return damaged("checksum does not match");
  ByteReader in(body);
  if (std::uint8_t version = in.u8(); version != kVersion)
    return damaged("unknown format " + std::to_string(version));
  std::uint64_t count = in.varint();
  if (in.failed() || count > kMaxPacked) return damaged("impossible count");
  out.resize(static_cast<std::size_t>(count));
  if (const char* column = read_columns(in, out); column != nullptr)
    return damaged(std::string("column is not what pack writes: ") + column);
  return {};
}

}  // namespace gerbang::store
