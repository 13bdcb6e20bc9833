// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "http/snapshot.hpp"
#include "pipeline/pipeline.hpp"
#include "source/status.hpp"
#include "store/store.hpp"
#include "uplink/uplink.hpp"

namespace gerbang::app {

// What the gateway knows of its own state, by the names that alarms know (config/alarms.toml): true
// where something is the matter.
class SelfWatch {
 public:
  std::map<std::string, bool> look(
      const std::vector<source::DriverStatus>& drivers, const std::vector<uplink::Status>& uplinks,
      const store::Status& store, const pipeline::Pipeline& pipeline,
      const std::vector<std::shared_ptr<const http::SensorInfo>>& infos, std::int64_t boot_ms);

 private:
  std::uint64_t values_ = 0;     // readings with a number so far
  std::int64_t values_at_ = -1;  // when that changed last, and they could be made durable
};

}  // namespace gerbang::app
