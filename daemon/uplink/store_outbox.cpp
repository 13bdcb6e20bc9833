// SPDX-License-Identifier: Apache-2.0
#include "uplink/outbox.hpp"

namespace gerbang::uplink {

boost::asio::awaitable<Result<std::vector<Message>>> StoreOutbox::pull(store::Pull what) {
  return store_.pull(what);
}

void StoreOutbox::done(int bit, std::int64_t sequence, store::Outcome outcome,
                       const std::string& reason) {
  store_.done(bit, sequence, outcome, reason);
}

std::string StoreOutbox::stream() const {
  return store_.identity().stream;
}

std::int64_t StoreOutbox::last_sequence() const {
  return store_.identity().last_sequence;
}

}  // namespace gerbang::uplink
