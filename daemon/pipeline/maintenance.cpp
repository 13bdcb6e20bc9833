// SPDX-License-Identifier: Apache-2.0
//
// People work on a sensor: what is said of it is marked, and that they do is written down.
#include <algorithm>
#include <sstream>

#include "core/text.hpp"
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"

namespace gerbang::pipeline {

void Pipeline::begin_maintenance(const std::string& sensor, quality::Work work) {
  follow_clock();  // its times are of the clock as it is now
  inspector_.maintenance.begin(sensor, std::move(work));
  keep_maintenance();
  record_maintenance(sensor, inspector_.maintenance.all().at(sensor), true);
}

bool Pipeline::end_maintenance(const std::string& sensor) {
  auto work = inspector_.maintenance.end(sensor);
  if (!work) return false;
  work->until_ms = std::min(work->until_ms, now_ms());
  keep_maintenance();
  record_maintenance(sensor, *work, false);
  return true;
}

void Pipeline::end_maintenance_in_time() {
  if (inspector_.maintenance.empty()) return;
  const auto over = inspector_.maintenance.take_over(now_ms());
  if (over.empty()) return;
  keep_maintenance();
  for (const auto& [sensor, work] : over) record_maintenance(sensor, work, false);
}

void Pipeline::keep_maintenance() {
  store_.put(kMaintenanceKey, inspector_.maintenance.text());
  store_.put(kMaintenanceClockKey,
             one_word(options_.boot_id) + " " + std::to_string(wall_offset_ms()));
}

std::int64_t Pipeline::wall_offset_ms() const {
  return now_ms() - nanoseconds(clock_.boot()) / 1'000'000;
}

// Its length is that of the work, whatever the wall clock was when it began: it may have been set
// while this program did not run.
Result<void> Pipeline::load_maintenance() {
  auto works = store_.get(kMaintenanceKey);
  if (!works) return fail(std::move(works.error()));
  if (*works && !inspector_.maintenance.load(**works))
    spdlog::error("pipeline: {} in the store cannot be read: maintenance has ended",
                  kMaintenanceKey);
  if (inspector_.maintenance.empty()) return {};
  auto clock = store_.get(kMaintenanceClockKey);
  if (!clock) return fail(std::move(clock.error()));
  std::istringstream in(clock->value_or(""));
  std::string boot;
  std::int64_t offset = 0;
  if (in >> boot >> offset && boot == one_word(options_.boot_id))
    inspector_.maintenance.shift(wall_offset_ms() - offset);
  inspector_.maintenance.begun_by(now_ms());
  return {};
}

void Pipeline::follow_maintenance(std::chrono::nanoseconds step) {
  if (inspector_.maintenance.empty()) return;
  inspector_.maintenance.shift(step / std::chrono::milliseconds(1));
  keep_maintenance();
}

void Pipeline::record_maintenance(const std::string& sensor, const quality::Work& work,
                                  bool begins) {
  const std::string length = format_duration(work.length());
  const std::string note = work.note.empty() ? "" : ": " + work.note;
  const std::string eng = (begins ? "begins, for " : "has ended, after ") + length + note;
  const std::string ind = (begins ? "dimulai, selama " : "selesai, setelah ") + length + note;
  Event event;
  event.kind = "maintenance";
  event.sensor = sensor;
  event.person = work.person;
  event.text = options_.indonesian ? ind : eng;
  const double minutes = static_cast<double>(work.until_ms - work.from_ms) / 60'000;
  event.values.push_back(EventValue{"active", begins ? 1.0 : 0.0, ""});
  event.values.push_back(EventValue{"minutes", minutes, "min"});
  spdlog::info("maintenance of {} {}", sensor, eng);
  record(std::move(event));
  if (on_maintenance) on_maintenance(sensor, work, begins);
  if (on_reading) on_reading();
}

}  // namespace gerbang::pipeline
