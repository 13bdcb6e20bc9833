// SPDX-License-Identifier: Apache-2.0
//
// From the checked configuration to what each module wants to know. Pure, but for the look-up of a
// driver's file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/present.hpp"
#include "app/queries.hpp"
#include "config/config.hpp"
#include "http/server.hpp"
#include "http/snapshot.hpp"
#include "indicator/compute.hpp"
#include "pipeline/pipeline.hpp"
#include "source/catalogue.hpp"
#include "source/spec.hpp"
#include "store/store.hpp"
#include "wire/encode.hpp"

namespace gerbang::app {

store::Options store_options(const config::Config& config);

std::vector<store::SeriesSpec> series_of(const config::Config& config);

pipeline::Options pipeline_options(const config::Config& config, const std::string& boot_id);
// Here and below, `numbers`: the store's numbers of series_of(config), in that order.
std::vector<indicator::Plan> indicators_of(const config::Config& config,
                                           const std::vector<std::int32_t>& numbers);
std::vector<pipeline::Sensor> sensors_of(const config::Config& config,
                                         const std::vector<std::int32_t>& numbers);

// One for each [[driver]]; a sensor's index is its place in config.sensors.
Result<std::vector<source::DriverSpec>> drivers_of(const config::Config& config,
                                                   source::Catalogue& catalogue);

std::vector<StoreQueries::Series> queries_of(const config::Config& config,
                                             const std::vector<std::int32_t>& numbers);

http::Options http_options(const config::Config& config, const std::string& control_socket);
Boxes boxes_of(const config::Config& config);
std::vector<std::shared_ptr<const http::SensorInfo>> sensor_infos(const config::Config& config);
http::GatewayInfo gateway_info(const config::Config& config);

// The rules of alarms, and what the API says of them: the same order.
pipeline::AlarmPlan alarms_of(const config::Config& config);
std::vector<std::shared_ptr<const http::AlarmInfo>> alarm_infos(const config::Config& config);

wire::GatewayDescription description_of(const config::Config& config);

}  // namespace gerbang::app
