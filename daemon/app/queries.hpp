// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "http/queries.hpp"
#include "store/store.hpp"

namespace gerbang::app {

namespace asio = boost::asio;

// History for the HTTP routes: names of sensors on one side, numbers of series on the other.
class StoreQueries final : public http::Queries {
 public:
  struct Series {
    std::string sensor, quantity, unit;
    QuantityKind kind = QuantityKind::gauge;
    std::int32_t number = 0;
  };
  explicit StoreQueries(store::Store& store) : store_(store) {}

  // The configured sensors; replaces what was known (start, reload).
  void know(std::vector<Series> series);

  asio::awaitable<Result<http::ReadingPage>> readings(http::ReadingQuery query) override;
  asio::awaitable<Result<http::AggregatePage>> aggregates(http::AggregateQuery query) override;
  asio::awaitable<Result<http::EventPage>> events(http::EventQuery query) override;

 private:
  Result<std::vector<std::int32_t>> numbers(const std::vector<std::string>& sensors) const;

  store::Store& store_;
  std::vector<Series> series_;
  std::map<std::int32_t, std::size_t> by_number_;
};

}  // namespace gerbang::app
