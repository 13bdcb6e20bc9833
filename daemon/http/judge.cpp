// SPDX-License-Identifier: Apache-2.0
#include "http/judge.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/spoken.hpp"

namespace gerbang::http {
namespace {

constexpr std::int64_t kLeastStale = 30'000;
constexpr std::int64_t kSilent = 10'000;  // one lost answer is what lines are like
constexpr double kSlowTick = 1.0;         // seconds: beyond that polling itself was late

std::int64_t as_signed(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

template <class Map>
std::uint64_t sum(const Map& counts) {
  std::uint64_t total = 0;
  for (const auto& entry : counts) total += entry.second;
  return total;
}

class Checks {
 public:
  void add(std::string name, Verdict verdict, std::string ind, std::string eng) {
    result_.verdict = std::max(result_.verdict, verdict);
    Check check;
    check.name = std::move(name);
    check.verdict = verdict;
    check.ind = std::move(ind);
    check.eng = std::move(eng);
    result_.checks.push_back(std::move(check));
  }
  Readiness take() { return std::move(result_); }

 private:
  Readiness result_;
};

std::string because(const std::string& reason, std::string_view language) {
  return reason.empty() ? "" : ": " + spoken(reason, language);
}

void check_store(const StoreNow& store, Checks& checks) {
  if (store.degraded) {
    checks.add("store", Verdict::fail,
               "Pembacaan tidak dapat disimpan" + because(store.trouble, "ind") +
                   ". Periksa ruang dan keadaan kartu",
               "Readings cannot be stored" + because(store.trouble, "eng") +
                   ". Check the space on the card and its health");
  } else if (store.damaged) {
    checks.add("store", Verdict::warn,
               "Berkas data rusak dan disisihkan" + because(store.trouble, "ind") +
                   ". Berkas baru dipakai",
               "A damaged data file was set aside" + because(store.trouble, "eng") +
                   ". A new one is in use");
  } else {
    checks.add("store", Verdict::pass, "Pembacaan tersimpan", "Readings are stored");
  }
}

// The states of a driver as people say them; an unknown one stays as it is.
struct StateText {
  std::string_view state, ind, eng;
};
constexpr StateText kStates[] = {
    {"starting", "Sedang mulai", "Starting"},
    {"trouble", "Terganggu", "In trouble"},
    {"backing_off", "Menunggu dimulai ulang", "Waiting to restart"},
    {"quarantined", "Dihentikan sementara", "Paused after crashes"},
    {"config_error", "Salah konfigurasi", "Configuration error"},
    {"stopped", "Berhenti", "Stopped"},
};

StateText state_text(std::string_view state) {
  for (const StateText& known : kStates)
    if (known.state == state) return known;
  return StateText{state, state, state};
}

void check_drivers(const Snapshot& now, Checks& checks) {
  if (now.drivers.empty()) {
    checks.add("drivers", Verdict::warn, "Belum ada driver dalam konfigurasi",
               "No driver is configured");
    return;
  }
  bool any = std::any_of(now.drivers.begin(), now.drivers.end(),
                         [&](const DriverNow& driver) { return delivers(now, driver); });
  if (any)
    checks.add("drivers", Verdict::pass, "Data diterima", "Data arrives");
  else
    checks.add("drivers", Verdict::fail, "Tidak ada driver yang mengirim data",
               "No driver delivers data");
  for (const DriverNow& driver : now.drivers) {
    std::string id = "driver:" + driver.name;
    StateText state = state_text(driver.state);
    if (driver.state != "running")
      checks.add(id, Verdict::warn, std::string(state.ind) + because(driver.last_error, "ind"),
                 std::string(state.eng) + because(driver.last_error, "eng"));
    else if (!delivers(now, driver))
      checks.add(id, Verdict::warn,
                 "Berjalan, tetapi tidak ada data" + because(driver.last_error, "ind"),
                 "Running, but no data" + because(driver.last_error, "eng"));
    else
      checks.add(id, Verdict::pass, "Berjalan", "Running");
  }
}

// One that does not answer on a line where others do: the driver runs and delivers.
void check_devices(const Snapshot& now, Checks& checks) {
  for (const DriverNow& driver : now.drivers) {
    if (driver.state != "running") continue;
    for (const DeviceCounts& device : driver.devices) {
      if (device.silent_since_ms == 0 || now.now_ms - device.silent_since_ms < kSilent) continue;
      const std::string since = format_local(device.silent_since_ms, now.gateway.zone) + ": ";
      const std::string place = driver.name + "/" + (device.id.empty() ? device.device : device.id);
      checks.add("device:" + place, Verdict::warn,
                 "Tidak menjawab sejak " + since + std::string(spoken(device.silent_reason, "ind")),
                 "No answer since " + since + std::string(spoken(device.silent_reason, "eng")));
    }
  }
}

void check_uplinks(const Snapshot& now, Checks& checks) {
  for (const UplinkNow& uplink : now.uplinks) {
    std::string waiting = std::to_string(uplink.waiting);
    if (uplink.connected)
      checks.add("uplink:" + uplink.name, Verdict::pass, "Tersambung", "Connected");
    else
      checks.add(
          "uplink:" + uplink.name, Verdict::warn,
          "Terputus" + because(uplink.reason, "ind") + ". " + waiting + " pesan menunggu",
          "Disconnected" + because(uplink.reason, "eng") + ". " + waiting + " messages wait");
  }
}

}  // namespace

std::optional<std::int64_t> age_ms(const Snapshot& now, const SensorNow& sensor) {
  if (!sensor.newest) return std::nullopt;
  const NewestReading& newest = *sensor.newest;
  std::int64_t age =
      newest.boot_ns > 0 ? (now.boot_ns - newest.boot_ns) / 1'000'000 : now.now_ms - newest.time_ms;
  return std::max<std::int64_t>(age, 0);
}

bool stale(const Snapshot& now, const SensorNow& sensor) {
  auto age = age_ms(now, sensor);
  if (!age || sensor.info->interval_ms <= 0) return false;
  return *age > std::max(3 * sensor.info->interval_ms, kLeastStale);
}

bool delivers(const Snapshot& now, const DriverNow& driver) {
  if (driver.state != "running") return false;
  bool polled = false;
  for (const SensorNow& sensor : now.sensors) {
    if (sensor.info->driver != driver.name || sensor.info->interval_ms <= 0) continue;
    polled = true;
    if (sensor.newest && sensor.newest->flag != Flag::missing && !stale(now, sensor)) return true;
  }
  return !polled;
}

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
  }
  return "fail";
}

Readiness readiness(const Snapshot& now) {
  Checks checks;
  check_store(now.store, checks);
  check_drivers(now, checks);
  check_devices(now, checks);
  check_uplinks(now, checks);
  if (now.clock == ClockTrust::untrusted)
    checks.add("clock", Verdict::warn, "Jam belum disetel; waktu data ditandai",
               "The clock is not synchronised; the times of readings are marked");
  else
    checks.add("clock", Verdict::pass, "Jam tepercaya", "The clock can be trusted");
  if (now.loop.last_lag_seconds > kSlowTick)
    checks.add("loop", Verdict::warn, "Gerbang terlambat bekerja; periksa beban mesin",
               "The gateway runs late; check the load of the machine");
  if (balance(now).difference() != 0)
    checks.add("ledger", Verdict::warn, "Buku besar tidak seimbang; laporkan kepada pembuat",
               "The ledger does not balance; report this defect");
  return checks.take();
}

std::int64_t Balance::difference() const {
  std::int64_t total = std::abs(readings) + std::abs(folding) + std::abs(sum) + std::abs(events);
  for (std::int64_t one : messages) total += std::abs(one);
  for (const Sensor& one : sensors) total += std::abs(one.readings) + std::abs(one.folding);
  return total;
}

Balance balance(const Snapshot& now) {
  const StoreNow& store = now.store;
  Balance out;
  out.rejected = sum(store.rejected);
  out.not_folded = sum(store.not_folded);
  std::int64_t open = as_signed(store.stored - store.folded - out.not_folded);
  out.to_fold = store.to_fold.value_or(static_cast<std::uint64_t>(std::max<std::int64_t>(open, 0)));
  out.readings = as_signed(store.taken - store.stored - out.rejected - store.waiting_readings);
  out.folding = open - as_signed(out.to_fold);
  out.events = as_signed(now.events.taken - now.events.stored - sum(now.events.refused) -
                         now.events.waiting);
  for (const UplinkNow& uplink : now.uplinks)
    out.messages.push_back(as_signed(uplink.made - uplink.acknowledged - uplink.waiting -
                                     uplink.refused - uplink.dropped - uplink.filtered));
  std::uint64_t taken = 0, stored = 0, folded = 0;
  for (const SensorLedger& one : now.ledger) {
    Balance::Sensor difference;
    difference.readings = as_signed(one.taken - one.stored - sum(one.rejected) - one.waiting);
    difference.folding = as_signed(one.stored - one.folded - one.to_fold - sum(one.not_folded));
    out.sensors.push_back(difference);
    taken += one.taken;
    stored += one.stored;
    folded += one.folded;
  }
  if (!now.ledger.empty())
    out.sum = std::abs(as_signed(store.taken - taken)) +
              std::abs(as_signed(store.stored - stored)) +
              std::abs(as_signed(store.folded - folded));
  return out;
}

}  // namespace gerbang::http
