// SPDX-License-Identifier: Apache-2.0
#include "store/chunk.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <optional>

namespace gerbang::store {
namespace {

constexpr std::uint8_t kVersion = 1;
// Sensor noise has no repetitions to look for: what is left to gain is the entropy of the bytes,
// which the fastest levels find as well.
constexpr int kLevel = 1;

// decimal + n: a double that is an integer divided by 10^n. short_decimal + n: the float32 nearest
// to such a number, as devices send that round what they show.
namespace form {
enum Form : std::uint8_t { none = 0, integer = 1, float32 = 2, float64 = 3, decimal = 4 };
constexpr std::uint8_t kDigits = 7;
constexpr std::uint8_t short_decimal = decimal + kDigits;
constexpr std::uint8_t kForms = short_decimal + kDigits;
bool is_whole(std::uint8_t f) {
  return f == integer || f >= decimal;
}
}  // namespace form

constexpr std::array<double, form::kDigits> kPower = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

std::uint64_t bits(double v) {
  return std::bit_cast<std::uint64_t>(v);
}

double of_decimal(std::int64_t n, std::uint8_t f) {
  if (f >= form::short_decimal)
    return static_cast<double>(
        static_cast<float>(static_cast<double>(n) / kPower[f - form::short_decimal]));
  return static_cast<double>(n) / kPower[f - form::decimal];
}

// The integer that stands for the value in this form, if it gives back the same bits. A float32 has
// so few digits that every one is some number of millionths: those are no shorter, so not taken.
std::optional<std::int64_t> to_decimal(double value, std::uint8_t f) {
  bool is_short = f >= form::short_decimal;
  double scaled = value * kPower[is_short ? f - form::short_decimal : f - form::decimal];
  if (!(std::fabs(scaled) < (is_short ? 2097152.0 : 1099511627776.0))) return {};  // 2^21, 2^40
  std::int64_t n = std::llround(scaled);
  if (bits(of_decimal(n, f)) != bits(value)) return {};
  return n;
}

bool fits_float32(double value) {
  if (std::fabs(value) > 3.4e38 && std::isfinite(value)) return false;  // would be undefined
  return bits(static_cast<double>(static_cast<float>(value))) == bits(value);
}

bool has_double(const ChunkReading& r) {
  return r.flag != Flag::missing && !r.verdict && !r.raw.is_integer;
}

// The form in which nearly all of the doubles are shortest.
std::uint8_t usual_form(std::span<const ChunkReading> readings) {
  std::size_t doubles = 0;
  for (const auto& r : readings) doubles += has_double(r) ? 1 : 0;
  std::size_t may_miss = doubles / 10;
  auto fits = [&](auto test) {
    std::size_t missed = 0;
    for (const auto& r : readings)
      if (has_double(r) && !test(r.raw.number) && ++missed > may_miss) return false;
    return true;
  };
  for (std::uint8_t f = form::decimal; f < form::kForms; ++f)
    if (fits([f](double v) { return to_decimal(v, f).has_value(); })) return f;
  return fits(fits_float32) ? form::float32 : form::float64;
}

std::uint8_t form_of(const ChunkReading& r, std::uint8_t usual) {
  if (r.flag == Flag::missing || r.verdict) return form::none;
  if (r.raw.is_integer) return form::integer;
  if (form::is_whole(usual) && to_decimal(r.raw.number, usual)) return usual;
  return usual != form::float64 && fits_float32(r.raw.number) ? form::float32 : form::float64;
}

std::uint32_t zigzag32(std::uint32_t step) {
  return step << 1 ^ (0u - (step >> 31));
}
std::uint32_t unzigzag32(std::uint32_t z) {
  return z >> 1 ^ (0u - (z & 1));
}

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

// Contexts are large, and only worth their memory where they are used again and again.
ZSTD_CCtx* compressor() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  return context.get();
}
ZSTD_DCtx* decompressor() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

void put_column(ByteWriter& out, std::string_view raw) {
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  std::size_t size =
      ZSTD_compressCCtx(compressor(), packed.data(), packed.size(), raw.data(), raw.size(), kLevel);
  bool smaller = ZSTD_isError(size) == 0 && size < raw.size();
  std::string_view column = smaller ? std::string_view(packed.data(), size) : raw;
  out.varint(std::uint64_t{column.size()} << 1 | (smaller ? 1 : 0));
  out.bytes().append(column);
}

// Adds a column to `data`. False: not a column, or longer than `most`.
bool take_column(std::string_view& in, std::size_t most, std::vector<char>& data) {
  ByteReader head(in);
  std::uint64_t length = head.varint();
  if (head.failed()) return false;
  in = head.rest();
  if (length >> 1 > in.size()) return false;
  std::string_view column = in.substr(0, static_cast<std::size_t>(length >> 1));
  in.remove_prefix(column.size());
  std::size_t at = data.size();
  if ((length & 1) == 0) {
    if (column.size() > most) return false;
    data.insert(data.end(), column.begin(), column.end());
    return true;
  }
  auto size = ZSTD_getFrameContentSize(column.data(), column.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > most)
    return false;
  data.resize(at + static_cast<std::size_t>(size));
  std::size_t got = ZSTD_decompressDCtx(decompressor(), data.data() + at, data.size() - at,
                                        column.data(), column.size());
  return ZSTD_isError(got) == 0 && got == size;
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

tl::unexpected<Error> damaged(const char* what) {
  return fail(errc::damaged, std::string("chunk of readings: ") + what);
}

// Most are alike: a poll comes again after the same time.
std::int64_t usual_step(std::span<const ChunkReading> readings) {
  if (readings.size() < 2) return 0;
  std::vector<std::int64_t> steps;
  steps.reserve(readings.size());
  for (std::size_t i = 1; i < readings.size(); ++i)
    steps.push_back(wrapping::minus(readings[i].time_ms, readings[i - 1].time_ms));
  auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
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

struct Values {
  ByteWriter whole;
  std::vector<std::uint32_t> singles;
  std::vector<std::uint64_t> doubles;
};

Values collect(std::span<const ChunkReading> readings, const std::vector<std::uint8_t>& forms) {
  Values out;
  std::array<std::int64_t, form::kForms> last{};
  std::uint32_t last_single = 0;
  std::uint64_t last_double = 0;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const Raw& raw = readings[i].raw;
    if (forms[i] == form::none) continue;
    if (forms[i] == form::float32) {
      auto now = std::bit_cast<std::uint32_t>(static_cast<float>(raw.number));
      out.singles.push_back(zigzag32(now - last_single));
      last_single = now;
    } else if (forms[i] == form::float64) {
      out.doubles.push_back(bits(raw.number) ^ last_double);
      last_double = bits(raw.number);
    } else {
      std::int64_t now = raw.is_integer ? raw.integer : *to_decimal(raw.number, forms[i]);
      out.whole.zigzag(wrapping::minus(now, last[forms[i]]));
      last[forms[i]] = now;
    }
  }
  return out;
}

template <class T>
void put_planes(ByteWriter& out, const std::vector<T>& values) {
  if (values.empty()) return;
  std::string plane(values.size(), '\0');
  for (std::size_t byte = sizeof(T); byte-- > 0;) {
    for (std::size_t i = 0; i < values.size(); ++i)
      plane[i] = static_cast<char>(values[i] >> (8 * byte) & 0xff);
    put_column(out, plane);
  }
}

template <class T>
T from_planes(const char* first, std::size_t count, std::size_t i) {
  T value = 0;
  for (std::size_t plane = 0; plane < sizeof(T); ++plane)
    value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(first[plane * count + i]));
  return value;
}

}  // namespace

std::string encode_chunk(std::span<const ChunkReading> readings) {
  std::size_t count = readings.size();
  ByteWriter out;
  out.u8(kVersion);
  out.varint(count);
  out.zigzag(readings.front().time_ms);
  std::int64_t interval = usual_step(readings);
  out.zigzag(interval);
  out.zigzag(readings.front().batch);

  ByteWriter times, batches, marks, forms_column;
  for (std::size_t i = 1; i < count; ++i) {
    std::int64_t step = wrapping::minus(readings[i].time_ms, readings[i - 1].time_ms);
    times.zigzag(wrapping::minus(step, interval));
    batches.zigzag(wrapping::minus(readings[i].batch, readings[i - 1].batch));
  }
  put_column(out, times.bytes());
  put_column(out, batches.bytes());

  auto same_mark = [&](std::size_t a, std::size_t b) {
    return readings[a].flag == readings[b].flag && readings[a].reason == readings[b].reason &&
           readings[a].clock == readings[b].clock && readings[a].verdict == readings[b].verdict;
  };
  runs(count, same_mark, [&](std::size_t first, std::size_t length) {
    marks.u8(mark_byte(readings[first].flag, readings[first].verdict));
    marks.u8(static_cast<std::uint8_t>(readings[first].reason));
    marks.u8(static_cast<std::uint8_t>(readings[first].clock));
    marks.varint(length);
  });
  put_column(out, marks.bytes());

  std::vector<std::uint8_t> forms(count);
  std::uint8_t usual = usual_form(readings);
  for (std::size_t i = 0; i < count; ++i) forms[i] = form_of(readings[i], usual);
  auto same_form = [&](std::size_t a, std::size_t b) { return forms[a] == forms[b]; };
  runs(count, same_form, [&](std::size_t first, std::size_t length) {
    forms_column.u8(forms[first]);
    forms_column.varint(length);
  });
  put_column(out, forms_column.bytes());

  Values values = collect(readings, forms);
  put_column(out, values.whole.bytes());
  put_planes(out, values.singles);
  put_planes(out, values.doubles);
  out.fixed32(checksum(out.bytes()));
  return std::move(out.bytes());
}

Result<ChunkReader> ChunkReader::open(std::string_view blob) {
  if (blob.size() < 5) return damaged("too short");
  std::string_view body = blob.substr(0, blob.size() - 4);
  if (ByteReader(blob.substr(body.size())).fixed32() != checksum(body))
    return damaged("checksum does not match");
  ByteReader head(body);
  if (head.u8() != kVersion) return damaged("unknown format");
  ChunkReader out;
  std::uint64_t count = head.varint();
  out.last_.time_ms = head.zigzag();
  out.interval_ = head.zigzag();
  out.last_.batch = head.zigzag();
  if (head.failed() || count == 0 || count > kMaxChunk) return damaged("impossible count");
  out.count_ = static_cast<std::size_t>(count);
  out.steps_.assign(form::kForms, 0);

  std::string_view rest = head.rest();
  // Varints of up to ten bytes, runs of up to fourteen.
  std::array<std::size_t, 6> ends{};
  constexpr std::array<std::size_t, 5> kMost = {10, 10, 14, 14, 10};
  for (std::size_t column = 0; column < kMost.size(); ++column) {
    if (!take_column(rest, out.count_ * kMost[column], out.data_)) return damaged("columns");
    ends[column + 1] = out.data_.size();
  }
  ByteReader runs(std::string_view(out.data_.data() + ends[3], ends[4] - ends[3]));
  std::uint64_t covered = 0;
  while (!runs.at_end()) {
    std::uint8_t f = runs.u8();
    std::uint64_t length = runs.varint();
    if (runs.failed() || f >= form::kForms || length == 0 || length > count - covered)
      return damaged("forms");
    covered += length;
    if (f == form::float32) out.single_count_ += static_cast<std::size_t>(length);
    if (f == form::float64) out.double_count_ += static_cast<std::size_t>(length);
  }
  if (covered != count) return damaged("forms");

  std::size_t singles = out.data_.size();
  for (int plane = 0; plane < 4 && out.single_count_ > 0; ++plane) {
    std::size_t before = out.data_.size();
    if (!take_column(rest, out.single_count_, out.data_) ||
        out.data_.size() - before != out.single_count_)
      return damaged("planes");
  }
  std::size_t doubles = out.data_.size();
  for (int plane = 0; plane < 8 && out.double_count_ > 0; ++plane) {
    std::size_t before = out.data_.size();
    if (!take_column(rest, out.double_count_, out.data_) ||
        out.data_.size() - before != out.double_count_)
      return damaged("planes");
  }
  if (!rest.empty()) return damaged("more than was written");

  out.data_.shrink_to_fit();  // a cursor may be kept for a while
  auto column = [&](std::size_t i) {
    return ByteReader(std::string_view(out.data_.data() + ends[i], ends[i + 1] - ends[i]));
  };
  out.times_ = column(0);
  out.batches_ = column(1);
  out.marks_ = column(2);
  out.forms_ = column(3);
  out.whole_ = column(4);
  out.singles_ = out.data_.data() + singles;
  out.doubles_ = out.data_.data() + doubles;
  return out;
}

bool ChunkReader::value(ChunkReading& out) {
  if (form_left_ == 0) {
    form_ = forms_.u8();  // open() looked at them
    form_left_ = forms_.varint();
  }
  --form_left_;
  if ((form_ == form::none) != (out.flag == Flag::missing || out.verdict)) return false;
  if (form_ == form::none) {
    out.raw = Raw();
  } else if (form_ == form::float32) {
    last_single_ += unzigzag32(from_planes<std::uint32_t>(singles_, single_count_, single_++));
    out.raw = Raw::of(static_cast<double>(std::bit_cast<float>(last_single_)));
  } else if (form_ == form::float64) {
    last_double_ ^= from_planes<std::uint64_t>(doubles_, double_count_, double_++);
    out.raw = Raw::of(std::bit_cast<double>(last_double_));
  } else {
    std::int64_t& last = steps_[form_];
    last = wrapping::plus(last, whole_.zigzag());
    out.raw = form_ == form::integer ? Raw::of(last) : Raw::of(of_decimal(last, form_));
  }
  return !whole_.failed();
}

bool ChunkReader::read(ChunkReading& out) {
  if (index_ > 0) {
    std::int64_t step = wrapping::plus(interval_, times_.zigzag());
    std::int64_t before = last_.time_ms;
    last_.time_ms = wrapping::plus(before, step);
    last_.batch = wrapping::plus(last_.batch, batches_.zigzag());
    if (times_.failed() || batches_.failed() || last_.time_ms < before) return false;
  }
  if (mark_left_ == 0) {
    const std::uint8_t mark = marks_.u8();
    auto flag = flag_of(mark & ~kVerdictBit);
    auto reason = reason_of(marks_.u8());
    std::uint8_t clock = marks_.u8();
    mark_left_ = marks_.varint();
    if (marks_.failed() || !flag || !reason || clock < 1 || clock > 3 || mark_left_ == 0 ||
        mark_left_ > count_ - index_)
      return false;
    last_.flag = *flag;
    last_.verdict = (mark & kVerdictBit) != 0;
    last_.reason = *reason;
    last_.clock = static_cast<ClockTrust>(clock);
  }
  --mark_left_;
  if (!value(last_)) return false;
  ++index_;
  out = last_;
  return index_ < count_ ||
         (times_.at_end() && batches_.at_end() && marks_.at_end() && whole_.at_end());
}

Result<bool> ChunkReader::next(ChunkReading& out) {
  if (index_ == count_) return false;
  if (read(out)) return true;
  index_ = count_;
  return damaged("a column is not what was written");
}

Result<std::vector<ChunkReading>> decode_chunk(std::string_view blob) {
  auto reader = ChunkReader::open(blob);
  if (!reader) return fail(std::move(reader.error()));
  std::vector<ChunkReading> out(reader->count());
  for (auto& reading : out) {
    auto more = reader->next(reading);
    if (!more) return fail(std::move(more.error()));
  }
  return out;
}

}  // namespace gerbang::store
