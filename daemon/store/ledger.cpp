// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include <zlib.h>

#include <algorithm>

#include "store/bytes.hpp"
#include "store/reasons_code.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint8_t kVersion = 1;

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t out = 0;
  for (const auto& [reason, count] : counts) out += count;
  return out;
}

void count(std::map<std::string, std::uint64_t>& in, const std::string& reason,
           std::uint64_t readings) {
  const bool room = in.size() < Ledger::kMostReasons || in.contains(reason);
  in[room ? reason : "other"] += readings;
}

}  // namespace

std::uint64_t Account::sum_rejected() const {
  return sum_of(rejected);
}
std::uint64_t Account::sum_not_folded() const {
  return sum_of(not_folded);
}

void Ledger::store(std::span<const Reading> readings) {
  Account* account = nullptr;
  std::uint32_t of = 0;
  for (const Reading& reading : readings) {
    if (reading.verdict) continue;
    if (account == nullptr || reading.sensor != of) {
      of = reading.sensor;
      account = &accounts_[static_cast<std::int32_t>(of)];
    }
    ++account->stored;
  }
}

void Ledger::reject(const Reasons& rejected) {
  for (const auto& [reason, counts] : rejected)
    for (const auto& [series, n] : counts) count(accounts_[series].rejected, reason, n);
}

void Ledger::fold(const Counts& folded) {
  for (const auto& [series, n] : folded) accounts_[series].folded += n;
}

void Ledger::unfold(const Counts& folded) {
  for (const auto& [series, n] : folded) {
    Account& account = accounts_[series];
    account.folded -= std::min(account.folded, n);
  }
}

void Ledger::give_up(const Reasons& not_folded) {
  for (const auto& [reason, counts] : not_folded)
    for (const auto& [series, n] : counts) count(accounts_[series].not_folded, reason, n);
}

void Ledger::attribute(const Counts& readings) {
  for (const auto& [series, n] : readings) {
    accounts_[series].stored += n;
    accounts_[0].stored -= std::min(accounts_[0].stored, n);
  }
}

void Ledger::renew() {
  for (auto& [series, account] : accounts_) {
    Account open;
    open.stored = static_cast<std::uint64_t>(std::max<std::int64_t>(account.open(), 0));
    account = std::move(open);
  }
  std::erase_if(accounts_, [](const auto& entry) { return entry.second.stored == 0; });
}

Account Ledger::total() const {
  Account out;
  for (const auto& [series, account] : accounts_) {
    out.stored += account.stored;
    out.folded += account.folded;
    for (const auto& [reason, n] : account.rejected) out.rejected[reason] += n;
    for (const auto& [reason, n] : account.not_folded) out.not_folded[reason] += n;
  }
  return out;
}

// ---- bytes --------------------------------------------------------------------------------------

std::string Ledger::encode(std::int64_t upto) const {
  ByteWriter out;
  out.u8(kVersion);
  out.zigzag(upto);
  out.varint(accounts_.size());
  std::int64_t before = 0;
  Reasons rejected, not_folded;
  for (const auto& [series, account] : accounts_) {
    out.zigzag(series - before);
    out.varint(account.stored);
    out.varint(account.folded);
    before = series;
    for (const auto& [reason, n] : account.rejected) rejected[reason][series] = n;
    for (const auto& [reason, n] : account.not_folded) not_folded[reason][series] = n;
  }
  write(out, rejected);
  write(out, not_folded);
  out.fixed32(checksum(out.bytes()));
  return std::move(out.bytes());
}

std::optional<Ledger> Ledger::decode(std::string_view blob, std::int64_t& upto) {
  if (blob.size() < 4) return std::nullopt;
  std::string_view body = blob.substr(0, blob.size() - 4);
  if (ByteReader(blob.substr(body.size())).fixed32() != checksum(body)) return std::nullopt;
  ByteReader in(body);
  if (in.u8() != kVersion) return std::nullopt;
  std::int64_t counted = in.zigzag(), series = 0;
  Ledger out;
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    series = wrapping::plus(series, in.zigzag());
    if (series < INT32_MIN || series > INT32_MAX) return std::nullopt;
    Account& account = out.accounts_[static_cast<std::int32_t>(series)];
    account.stored = in.varint();
    account.folded = in.varint();
  }
  Reasons rejected, not_folded;
  if (!read(in, rejected) || !read(in, not_folded) || !in.at_end()) return std::nullopt;
  for (const auto& [reason, counts] : rejected)
    for (const auto& [of, n] : counts) out.accounts_[of].rejected[reason] += n;
  for (const auto& [reason, counts] : not_folded)
    for (const auto& [of, n] : counts) out.accounts_[of].not_folded[reason] += n;
  upto = counted;
  return out;
}

}  // namespace gerbang::store
