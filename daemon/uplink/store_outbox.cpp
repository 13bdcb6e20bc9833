// SPDX-License-Identifier: Apache-2.0
#include "uplink/outbox.hpp"

namespace gerbang::uplink {

boost::asio::awaitable<Result<std::vector<Message>>> StoreOutbox::pull(store::Pull what) {
  if (over()) co_return std::vector<Message>();
  auto pulled = co_await store_.pull(what);
  if (pulled && over()) pulled->clear();
  co_return pulled;
}

void StoreOutbox::done(int bit, std::int64_t sequence, store::Outcome outcome,
                       const std::string& reason) {
  if (!over()) store_.done(bit, sequence, outcome, reason);
}

std::string StoreOutbox::stream() const {
  return stream_;
}

std::int64_t StoreOutbox::last_sequence() const {
  return over() ? 0 : store_.identity().last_sequence;
}

}  // namespace gerbang::uplink
