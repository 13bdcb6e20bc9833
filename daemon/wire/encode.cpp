// SPDX-License-Identifier: Apache-2.0
#include "wire/encode.hpp"

#include <algorithm>
#include <cmath>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/json.hpp"
#include "wire/utf8.hpp"

namespace gerbang::wire {
namespace {

// Length of the valid UTF-8 sequence that `text` begins with; 0 if it begins with none.
std::size_t sequence_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void fill(v1::Aggregate& out, const AggregateRow& row) {
  const Aggregate& a = *row.aggregate;
  out.set_sensor(utf8(row.sensor));
  out.set_quantity(utf8(row.quantity));
  out.set_unit(utf8(row.unit));
  if (a.expected) out.set_expected(*a.expected);
  out.set_received(a.received);
  out.set_good(a.good);
  out.set_suspect(a.suspect);
  out.set_bad(a.bad);
  if (auto missing = a.missing()) out.set_missing(*missing);
  out.set_maintenance(a.maintenance);
  out.set_below_limit(a.below_limit);
  auto finite = [](std::optional<double> value) { return value && std::isfinite(*value); };
  if (auto value = mean(a, row.kind); finite(value)) out.set_mean(*value);
  if (a.statistics.count > 0) {
    const Statistics& s = a.statistics;
    if (row.kind != QuantityKind::direction) {
      if (finite(s.minimum)) out.set_minimum(s.minimum);
      if (finite(s.maximum)) out.set_maximum(s.maximum);
      if (finite(s.stddev())) out.set_stddev(s.stddev());
    }
    if (finite(a.first)) out.set_first(a.first);
    if (finite(a.last)) out.set_last(a.last);
  }
  if (finite(a.delta)) out.set_delta(*a.delta);
  if (auto share = capture(a)) out.set_capture(*share);
  out.set_verdict(static_cast<v1::Verdict>(verdict(a)));
  if (a.reason != Reason::none) out.set_reason(static_cast<v1::Reason>(a.reason));
  out.set_revision(a.revision);
  out.set_clock(static_cast<v1::Clock>(a.clock));
}

void fill(v1::Reading& out, const ReadingRow& row) {
  out.set_sensor(utf8(row.sensor));
  out.set_unit(utf8(row.unit));
  out.set_time_ms(row.time_ms);
  if (row.flag != Flag::missing) {
    if (std::isfinite(row.value)) out.set_value(row.value);
    if (std::isfinite(row.raw)) out.set_raw(row.raw);
  }
  out.set_quality(static_cast<unsigned>(row.flag));
  if (row.reason != Reason::none) out.set_reason(static_cast<v1::Reason>(row.reason));
  out.set_clock(static_cast<v1::Clock>(row.clock));
}

// Fills batches one after the other, each as full as `room` bytes allow in the larger of what is
// measured. At least one row each, so that a row beyond the bound still travels.
template <class Batch, class Row>
std::vector<Batch> fill_batches(std::span<const Row> rows, std::size_t room, Measure measure,
                                auto* (Batch::*add)()) {
  std::vector<Batch> batches;
  std::size_t used = 0;
  for (const Row& row : rows) {
    std::remove_pointer_t<decltype((std::declval<Batch&>().*add)())> element;
    fill(element, row);
    std::size_t size = element.ByteSizeLong() + 4;  // with tag and length of the length
    if (measure == Measure::both) size = std::max(size, json_of(element).size() + 1);  // the comma
    if (batches.empty() || used + size > room) {
      batches.emplace_back();
      used = 0;
    }
    used += size;
    *(batches.back().*add)() = std::move(element);
  }
  return batches;
}

// What the fields beside the rows may need at most in either encoding; ids are at most 63 bytes.
constexpr std::size_t kHead = 512;

}  // namespace

std::string utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return out;
}

std::vector<std::string> encode_aggregates(const AggregateHead& head,
                                           std::span<const AggregateRow> rows, std::size_t max_body,
                                           Measure measure) {
  std::size_t room = max_body > kHead ? max_body - kHead : 0;
  auto batches =
      fill_batches<v1::AggregateBatch>(rows, room, measure, &v1::AggregateBatch::add_aggregates);
  std::vector<std::string> out;
  for (v1::AggregateBatch& batch : batches) {
    batch.set_domain(utf8(head.domain));
    batch.set_window(utf8(head.window));
    batch.set_window_start_ms(head.start_ms);
    batch.set_window_end_ms(head.end_ms);
    if (!head.timezone.empty()) batch.set_timezone(utf8(head.timezone));
    if (!head.local_date.empty()) batch.set_local_date(utf8(head.local_date));
    batch.set_part(static_cast<std::uint32_t>(out.size() + 1));
    batch.set_parts(static_cast<std::uint32_t>(batches.size()));
    out.push_back(batch.SerializeAsString());
  }
  return out;
}

std::vector<std::string> encode_readings(std::string_view domain, std::span<const ReadingRow> rows,
                                         std::size_t max_body, Measure measure) {
  std::size_t room = max_body > kHead ? max_body - kHead : 0;
  auto batches =
      fill_batches<v1::ReadingBatch>(rows, room, measure, &v1::ReadingBatch::add_readings);
  std::vector<std::string> out;
  for (v1::ReadingBatch& batch : batches) {
    batch.set_domain(utf8(domain));
    out.push_back(batch.SerializeAsString());
  }
  return out;
}

std::string encode(const Gap& gap) {
  v1::Gap out;
  if (!gap.lost_stream.empty()) out.set_lost_stream(gap.lost_stream);
  out.set_first(gap.first);
  out.set_last(gap.last);
  if (!gap.reason.empty()) out.set_reason(utf8(gap.reason));
  out.set_count(gap.count);
  return out.SerializeAsString();
}

}  // namespace gerbang::wire
