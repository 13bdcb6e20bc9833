// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "uplink/outbox.hpp"

namespace gerbang::test {

// The durable queue as a list. A message that is reported done twice is counted as a mistake.
class FakeOutbox final : public uplink::Outbox {
 public:
  struct Ended {
    store::Outcome outcome;
    std::string reason;
  };

  std::int64_t add(Message message) {
    message.sequence = static_cast<std::int64_t>(messages.size()) + 1;
    messages.push_back(std::move(message));
    return messages.back().sequence;
  }

  std::size_t count(store::Outcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(ended.begin(), ended.end(),
                      [&](const auto& entry) { return entry.second.outcome == outcome; }));
  }
  bool all_ended() const { return ended.size() == messages.size(); }

  boost::asio::awaitable<Result<std::vector<Message>>> pull(store::Pull what) override {
    ++pulls;
    while (ended.count(first_waiting_) > 0) ++first_waiting_;
    std::vector<Message> found;
    std::size_t bytes = 0;
    for (auto i = std::max(what.above + 1, first_waiting_);
         i <= last_sequence() && i < what.below && found.size() < what.limit; ++i) {
      const Message& message = messages[static_cast<std::size_t>(i) - 1];
      if ((what.lane && message.lane != *what.lane) || ended.count(i) > 0) continue;
      bytes += message.body.size();
      if (bytes > what.max_bytes && !found.empty()) break;
      found.push_back(message);
    }
    co_return found;
  }
  void done(int, std::int64_t sequence, store::Outcome outcome,
            const std::string& reason) override {
    twice += !ended.emplace(sequence, Ended{outcome, reason}).second;
  }
  std::string stream() const override { return "0123456789abcdef"; }
  std::int64_t last_sequence() const override { return static_cast<std::int64_t>(messages.size()); }

  std::vector<Message> messages;
  std::map<std::int64_t, Ended> ended;
  std::size_t twice = 0, pulls = 0;

 private:
  std::int64_t first_waiting_ = 1;
};

}  // namespace gerbang::test
