// SPDX-License-Identifier: Apache-2.0
#include "store/journal_code.hpp"

#include <zlib.h>

#include <algorithm>
#include <map>

#include "store/bytes.hpp"
#include "store/pack.hpp"
#include "store/reasons_code.hpp"

namespace gerbang::store {
namespace {

constexpr std::string_view kFileMagic = "GbgJournal";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kRecordMagic = 0x4a62'67d5;
constexpr std::size_t kAlign = 8;
constexpr std::size_t kFixed = 4 + 4 + 8;  // magic, bytes, number
constexpr std::size_t kLeastRecord = 40;
constexpr std::size_t kLongestText = 64;

std::uint32_t crc(std::uint32_t seed, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32(seed, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

void text(ByteWriter& out, std::string_view value) {
  value = value.substr(0, kLongestText);
  out.u8(static_cast<std::uint8_t>(value.size()));
  out.bytes().append(value);
}
std::string text(ByteReader& in) {
  std::string out;
  for (std::size_t n = in.u8(); n > 0 && !in.failed(); --n)
    out.push_back(static_cast<char>(in.u8()));
  return out;
}

// The record at the beginning of `bytes`, which has its length; nullopt: it is none.
std::optional<Batch> decode_record(std::string_view bytes, std::uint32_t seed,
                                   const std::string& boot_id) {
  std::string_view body = bytes.substr(0, bytes.size() - 4);
  if (ByteReader(bytes.substr(body.size())).fixed32() != crc(seed, body)) return std::nullopt;
  ByteReader in(body.substr(8));
  Batch out;
  out.journal = in.fixed64();
  out.epoch.boot_id = boot_id;
  out.epoch.offset_ns = static_cast<std::int64_t>(in.fixed64());
  std::uint8_t trust = in.u8();
  if (trust < 1 || trust > 3 || !read(in, out.rejected)) return std::nullopt;
  out.epoch.trust = static_cast<ClockTrust>(trust);
  std::uint64_t packed = in.varint();
  if (in.failed() || packed > in.rest().size()) return std::nullopt;
  if (packed > 0 && !unpack(in.rest().substr(0, static_cast<std::size_t>(packed)), out.readings))
    return std::nullopt;
  return out;
}

}  // namespace

// ---- header -------------------------------------------------------------------------------------

std::string encode(const JournalHeader& header) {
  ByteWriter out;
  out.bytes().append(kFileMagic);
  out.u8(kVersion);
  text(out, header.stream);
  text(out, header.boot_id);
  out.fixed32(crc(0, out.bytes()));
  out.bytes().resize(kJournalHeader, '\0');
  return std::move(out.bytes());
}

std::optional<JournalHeader> decode_journal_header(std::string_view bytes) {
  if (bytes.size() < kJournalHeader || !bytes.starts_with(kFileMagic)) return std::nullopt;
  ByteReader in(bytes.substr(kFileMagic.size(), kJournalHeader - kFileMagic.size()));
  if (in.u8() != kVersion) return std::nullopt;
  JournalHeader out;
  out.stream = text(in);
  out.boot_id = text(in);
  if (in.failed() || encode(out) != bytes.substr(0, kJournalHeader)) return std::nullopt;
  return out;
}

std::uint32_t journal_seed(const JournalHeader& header) {
  return crc(0, encode(header));
}

// ---- records ------------------------------------------------------------------------------------

std::string encode_record(std::uint32_t seed, std::uint64_t number, const Epoch& epoch,
                          std::span<const Reading> readings, const Reasons& rejected) {
  ByteWriter out;
  out.fixed32(kRecordMagic);
  out.fixed32(0);
  out.fixed64(number);
  out.fixed64(static_cast<std::uint64_t>(epoch.offset_ns));
  out.u8(static_cast<std::uint8_t>(epoch.trust));
  write(out, rejected);
  std::string packed = readings.empty() ? std::string() : pack(readings);
  out.varint(packed.size());
  out.bytes().append(packed);
  std::size_t bytes = std::max(kLeastRecord, out.bytes().size() + 4);
  bytes += (kAlign - bytes % kAlign) % kAlign;
  out.bytes().resize(bytes - 4, '\0');
  for (std::size_t i = 0; i < 4; ++i)
    out.bytes()[4 + i] = static_cast<char>(static_cast<std::uint8_t>(bytes >> (8 * i)));
  out.fixed32(crc(seed, out.bytes()));
  return std::move(out.bytes());
}

JournalScan scan_journal(std::string_view ring, const JournalHeader& header, std::uint64_t after) {
  const std::uint32_t seed = journal_seed(header);
  JournalScan out;
  std::map<std::uint64_t, Batch> found;
  std::uint64_t torn = 0;  // the highest number of a record that began and does not end well
  for (std::size_t at = 0; at + kLeastRecord <= ring.size();) {
    std::string_view here = ring.substr(at);
    ByteReader in(here);
    if (in.fixed32() != kRecordMagic) {
      at += kAlign;
      continue;
    }
    const std::size_t bytes = in.fixed32();
    const std::uint64_t number = in.fixed64();
    std::optional<Batch> record;
    if (bytes >= kLeastRecord && bytes % kAlign == 0 && bytes <= here.size())
      record = decode_record(here.substr(0, bytes), seed, header.boot_id);
    if (!record) {
      torn = std::max(torn, number);
      at += kAlign;
      continue;
    }
    out.newest = std::max(out.newest, number);
    if (number > after) found.emplace(number, std::move(*record));
    at += bytes;
  }
  if (out.newest > after) out.damaged = out.newest - after - found.size();
  if (torn == std::max(out.newest, after) + 1) ++out.damaged;  // the one being written at the end
  for (auto& [number, batch] : found) out.records.push_back(std::move(batch));
  return out;
}

// ---- ring ---------------------------------------------------------------------------------------

std::optional<std::size_t> JournalRing::find(std::size_t bytes) const {
  if (held_.empty()) return bytes <= capacity_ ? std::optional<std::size_t>(0) : std::nullopt;
  const std::size_t head = held_.back().to, tail = held_.front().from;
  const bool wrapped = head <= tail;
  if (wrapped) return head + bytes < tail ? std::optional(head) : std::nullopt;
  const bool fits_in_front = bytes < tail;
  if (head >= soft_ && fits_in_front && tail >= soft_ / 2) return 0;
  if (head + bytes <= capacity_) return head;
  return fits_in_front ? std::optional<std::size_t>(0) : std::nullopt;
}

std::optional<std::size_t> JournalRing::place(std::uint64_t number, std::size_t bytes) {
  auto from = find(bytes);
  if (!from) return std::nullopt;
  held_.push_back(Span{number, *from, *from + bytes});
  used_ += bytes;
  return from;
}

void JournalRing::release(std::uint64_t upto) {
  while (!held_.empty() && held_.front().number <= upto) {
    used_ -= held_.front().to - held_.front().from;
    held_.pop_front();
  }
}

}  // namespace gerbang::store
