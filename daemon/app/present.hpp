// SPDX-License-Identifier: Apache-2.0
//
// What the modules say of themselves, in the terms of the page and of the topics. Pure.
#pragma once

#include <map>
#include <string>

#include <set>
#include <string>
#include <vector>

#include "http/snapshot.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/sensor.hpp"
#include "source/status.hpp"
#include "store/store.hpp"
#include "uplink/uplink.hpp"
#include "wire/encode.hpp"

namespace gerbang::app {

// boot_ms → UTC ms at the present relation of the two clocks.
struct BootToUtc {
  std::int64_t offset_ms = 0;
  std::int64_t operator()(std::int64_t boot_ms) const {
    return boot_ms == 0 ? 0 : boot_ms + offset_ms;
  }
};

// driver → what it calls a device ("unit-3") → the id of the [[device]] that this is. A driver
// names a device by the address key and value that tell it from others, or by the value alone; the
// name "" is the driver's only device.
using Boxes = std::map<std::string, std::map<std::string, std::string>>;

http::DriverNow driver_now(const source::DriverStatus& status, const Boxes& boxes, BootToUtc utc);
http::SensorNow sensor_now(std::shared_ptr<const http::SensorInfo> info, const pipeline::Live& live,
                           const quality::Work* work);
http::UplinkNow uplink_now(const uplink::Status& status, const store::UplinkCounts& counts);
http::StoreNow store_now(const store::Status& status);
http::JournalNow journal_now(const store::JournalStatus& status);
std::vector<http::AlarmNow> alarms_now(
    const std::vector<std::shared_ptr<const http::AlarmInfo>>& infos,
    const pipeline::AlarmDesk& alarms);
http::EventsNow events_now(const pipeline::EventDesk& events);
// The ledger by sensor, and what the pipeline still holds added to the totals.
void add_ledger(http::Snapshot& now, std::vector<store::SeriesLedger> ledger,
                const pipeline::Pipeline& pipeline, const std::set<std::int32_t>& configured);

// The same facts for the topic `state`.
wire::GatewayState state_of(const http::Snapshot& now);

}  // namespace gerbang::app
