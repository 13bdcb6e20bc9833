// SPDX-License-Identifier: Apache-2.0
#include "app/parts.hpp"

#include "app/translate.hpp"

namespace gerbang::app {

Parts::Parts(const config::Config& config, source::Catalogue& catalogue)
    : held(config),
      drivers(drivers_of(config, catalogue)),
      series(series_of(config)),
      alarms(alarms_of(config)),
      infos(sensor_infos(config)),
      alarm_infos(app::alarm_infos(config)),
      boxes(boxes_of(config)),
      gateway(gateway_info(config)) {}

Numbered::Numbered(const config::Config& config, const std::vector<std::int32_t>& numbers)
    : sensors(sensors_of(config, numbers)),
      indicators(indicators_of(config, numbers)),
      queries(queries_of(config, numbers)) {}

}  // namespace gerbang::app
