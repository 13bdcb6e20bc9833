// SPDX-License-Identifier: Apache-2.0
#include "http/feed.hpp"

#include <utility>

#include "http/documents.hpp"

namespace gerbang::http {
namespace {

constexpr std::chrono::seconds kStatePeriod(10);

}  // namespace

bool Feed::wants_snapshot(std::uint64_t version, Time now) const {
  return !anything_ || version != version_ || now - state_at_ >= kStatePeriod;
}

void Feed::look(std::shared_ptr<const Snapshot> snapshot, std::uint64_t version, Time now) {
  snapshot_ = std::move(snapshot);
  sensor_ = 0;
  if (now - beat_at_ >= heartbeat_) {
    first_ = ": heartbeat\n\n";
    beat_at_ = now;
  }
  if (!snapshot_) return;
  version_ = version;
  std::string digest = state_digest(*snapshot_);
  if (!anything_ || now - state_at_ >= kStatePeriod || digest != digest_) {
    std::string document = status_document(*snapshot_);
    document.pop_back();  // its line feed
    first_ += "event: state\ndata: " + document + "\n\n";
    digest_ = std::move(digest);
    state_at_ = now;
  }
  alarms_.resize(snapshot_->alarms.size());
  for (std::size_t i = 0; i < alarms_.size(); ++i) {
    const AlarmNow& alarm = snapshot_->alarms[i];
    std::string told = alarm_digest(alarm);
    // At first those that matter now; then each change.
    const bool news = alarms_[i].empty() ? alarm.active() : told != alarms_[i];
    if (news) first_ += "event: alarm\ndata: " + alarm_event(alarm) + "\n\n";
    alarms_[i] = std::move(told);
  }
  // Other sensors may stand at the same places.
  if (snapshot_->gateway.config_hash != config_) counts_.clear();
  config_ = snapshot_->gateway.config_hash;
  counts_.resize(snapshot_->sensors.size(), 0);
  anything_ = true;
}

std::string Feed::next(std::size_t most) {
  std::string out = std::exchange(first_, {});
  if (!snapshot_) return out;
  const auto& sensors = snapshot_->sensors;
  for (; sensor_ < sensors.size() && out.size() < most; ++sensor_) {
    const SensorNow& sensor = sensors[sensor_];
    std::uint64_t count = sensor.counts.total();
    if (!sensor.newest || count == counts_[sensor_]) continue;
    counts_[sensor_] = count;
    out += "event: reading\ndata: " + reading_event(*snapshot_, sensor) + "\n\n";
  }
  if (sensor_ == sensors.size()) snapshot_.reset();
  return out;
}

}  // namespace gerbang::http
