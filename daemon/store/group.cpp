// SPDX-License-Identifier: Apache-2.0
#include "store/group.hpp"

#include <algorithm>
#include <iterator>

namespace gerbang::store {
namespace {

template <class T>
void move_behind(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Group::add(Group later) {
  move_behind(appends, later.appends);
  move_behind(closings, later.closings);
  move_behind(dones, later.dones);
  for (const auto& [reason, counts] : later.rejects)
    for (const auto& [series, count] : counts) rejects[reason][series] += count;
  for (auto& [key, value] : later.items) items[key] = std::move(value);
  taken += later.taken;
  readings += later.readings;
  journal = std::max(journal, later.journal);
}

void Group::reject(const std::string& reason, std::int32_t series, std::uint64_t count) {
  if (count == 0) return;
  rejects[reason][series] += count;
  taken += count;
}

}  // namespace gerbang::store
