// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "app/present.hpp"
#include "app/queries.hpp"
#include "config/held.hpp"
#include "http/snapshot.hpp"
#include "indicator/compute.hpp"
#include "pipeline/alarm_desk.hpp"
#include "pipeline/sensor.hpp"
#include "source/catalogue.hpp"
#include "source/spec.hpp"
#include "store/store.hpp"

namespace gerbang::app {

// What the modules take of a configuration. To make it of a large one takes long: a reload does it
// beside the loop.
struct Parts {
  Parts(const config::Config& config, source::Catalogue& catalogue);

  config::Held held;
  Result<std::vector<source::DriverSpec>> drivers;
  std::vector<store::SeriesSpec> series;
  pipeline::AlarmPlan alarms;
  std::vector<std::shared_ptr<const http::SensorInfo>> infos;
  std::vector<std::shared_ptr<const http::AlarmInfo>> alarm_infos;
  Boxes boxes;
  http::GatewayInfo gateway;
};

// What counts sensors by the store's numbers. numbers: of Parts::series, in that order.
struct Numbered {
  Numbered(const config::Config& config, const std::vector<std::int32_t>& numbers);

  std::vector<pipeline::Sensor> sensors;
  std::vector<indicator::Plan> indicators;
  std::vector<StoreQueries::Series> queries;
};

}  // namespace gerbang::app
