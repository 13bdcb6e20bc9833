// SPDX-License-Identifier: Apache-2.0
#include "store/group.hpp"

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
  for (const auto& [reason, count] : later.rejects) rejects[reason] += count;
  for (auto& [key, value] : later.items) items[key] = std::move(value);
  taken += later.taken;
  readings += later.readings;
}

}  // namespace gerbang::store
