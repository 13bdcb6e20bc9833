// SPDX-License-Identifier: Apache-2.0
//
// What became of every reading that was taken, by series, since the stream began. Pure.
//
//   taken  = stored + rejected(reason) + waiting for a commit
//   stored = folded + waiting to be folded + not folded(reason)
//
// What waits is not in here: it is what others still hold.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/counts.hpp"
#include "core/reading.hpp"

namespace gerbang::store {

struct Account {
  std::uint64_t stored = 0, folded = 0;
  std::map<std::string, std::uint64_t> rejected, not_folded;  // reason → readings

  std::uint64_t sum_rejected() const;
  std::uint64_t sum_not_folded() const;
  // Stored, and neither folded nor given up.
  std::int64_t open() const {
    return static_cast<std::int64_t>(stored) - static_cast<std::int64_t>(folded + sum_not_folded());
  }
  friend bool operator==(const Account&, const Account&) = default;
};

class Ledger {
 public:
  static constexpr std::size_t kMostReasons = 64;  // of a series; further ones count as "other"

  void store(std::span<const Reading> readings);
  void reject(const Reasons& rejected);
  void fold(const Counts& folded);
  // They will be folded again.
  void unfold(const Counts& folded);
  void give_up(const Reasons& not_folded);
  // Moves stored readings from no series to these.
  void attribute(const Counts& readings);
  // A new stream begins with what is open.
  void renew();

  const std::map<std::int32_t, Account>& accounts() const { return accounts_; }
  Account& of(std::int32_t series) { return accounts_[series]; }
  Account total() const;

  // With the batch that it counts up to, and a checksum. decode: nullopt for anything else.
  std::string encode(std::int64_t upto) const;
  static std::optional<Ledger> decode(std::string_view blob, std::int64_t& upto);

  friend bool operator==(const Ledger&, const Ledger&) = default;

 private:
  std::map<std::int32_t, Account> accounts_;  // by series; 0: of no known one
};

}  // namespace gerbang::store
