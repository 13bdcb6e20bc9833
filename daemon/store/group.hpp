// SPDX-License-Identifier: Apache-2.0
//
// What one transaction carries. Collected on the loop thread, written on the store's; never touched
// by both at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/types.hpp"

namespace gerbang::store {

// The caller waits until `finished`; results are set before it.
struct Append {
  explicit Append(Batch b) : batch(std::move(b)) {}
  Batch batch;
  BatchId id = 0;
  bool finished = false;
};
struct Closing {
  explicit Closing(Fold f) : fold(std::move(f)) {}
  Fold fold;
  Sequence last = 0;
  bool finished = false;
};
struct Done {
  int bit = 0;
  Sequence sequence = 0;
  Outcome outcome = Outcome::acknowledged;
  std::string reason;
};

struct Group {
  std::uint64_t number = 0;                      // tells one from another; 0: of no account
  WallTime at{};                                 // when it was sent
  std::string stream;                            // that `dones` are of; empty: the file's
  std::vector<std::shared_ptr<Append>> appends;  // in the order of the calls
  std::vector<std::shared_ptr<Closing>> closings;
  std::vector<Done> dones;
  Reasons rejects;
  std::map<std::string, std::string> items;
  std::uint64_t taken = 0;     // readings: appended and rejected
  std::uint64_t readings = 0;  // appended
  std::uint64_t journal = 0;   // every record up to this one is in here or was committed before

  bool empty() const {
    return appends.empty() && closings.empty() && dones.empty() && rejects.empty() && items.empty();
  }
  void reject(const std::string& reason, std::int32_t series, std::uint64_t count);
  // Puts what came later behind this.
  void add(Group later);
};

}  // namespace gerbang::store
