// SPDX-License-Identifier: Apache-2.0
#include "app/self_watch.hpp"

#include <algorithm>

namespace gerbang::app {
namespace {

constexpr std::int64_t kQuietMs = 60'000;  // at least, before nothing comes

}  // namespace

std::map<std::string, bool> SelfWatch::look(
    const std::vector<source::DriverStatus>& drivers, const std::vector<uplink::Status>& uplinks,
    const store::Status& store, const pipeline::Pipeline& pipeline,
    const std::vector<std::shared_ptr<const http::SensorInfo>>& infos, std::int64_t boot_ms) {
  std::map<std::string, bool> out;
  for (const source::DriverStatus& driver : drivers)
    out["driver-" + driver.name + "-down"] = driver.state != source::DriverState::running;
  for (const uplink::Status& uplink : uplinks)
    out["uplink-" + uplink.name + "-down"] = !uplink.connected;
  out["store-degraded"] = store.degraded;
  out["store-damaged"] = store.damaged;
  out["clock-untrusted"] = pipeline.clock_trust() == ClockTrust::untrusted;

  // Three turns of the sensor that is read most often, as for a stale one.
  std::uint64_t values = 0;
  std::int64_t shortest = INT64_MAX;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    const pipeline::Live& live = pipeline.live(i);
    values += live.good + live.not_evaluated + live.suspect + live.bad;
    if (infos[i]->interval_ms > 0) shortest = std::min(shortest, infos[i]->interval_ms);
  }
  if (values_at_ < 0 || (values != values_ && !store.degraded)) {
    values_ = values;
    values_at_ = boot_ms;
  }
  const bool polled = shortest != INT64_MAX;
  out["no-readings"] =
      polled &&
      boot_ms - values_at_ >
          std::max<std::int64_t>(kQuietMs, 3 * std::min<std::int64_t>(shortest, 86'400'000));
  return out;
}

}  // namespace gerbang::app
