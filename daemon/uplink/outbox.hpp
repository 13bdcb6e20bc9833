// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/message.hpp"
#include "core/result.hpp"
#include "store/store.hpp"

namespace gerbang::uplink {

// What an uplink needs of the durable queue: the store, or a list in tests.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual boost::asio::awaitable<Result<std::vector<Message>>> pull(store::Pull what) = 0;
  virtual void done(int bit, std::int64_t sequence, store::Outcome outcome,
                    const std::string& reason) = 0;
  virtual std::string stream() const = 0;
  virtual std::int64_t last_sequence() const = 0;
};

// The messages of the stream that the store has when this is made. When another begins there are no
// more, and what is said of those that were pulled is void.
class StoreOutbox final : public Outbox {
 public:
  explicit StoreOutbox(store::Store& store) : store_(store), stream_(store.identity().stream) {}

  boost::asio::awaitable<Result<std::vector<Message>>> pull(store::Pull what) override;
  void done(int bit, std::int64_t sequence, store::Outcome outcome,
            const std::string& reason) override;
  std::string stream() const override;
  std::int64_t last_sequence() const override;

 private:
  bool over() const { return store_.identity().stream != stream_; }

  store::Store& store_;
  std::string stream_;
};

}  // namespace gerbang::uplink
