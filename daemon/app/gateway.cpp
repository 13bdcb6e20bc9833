// SPDX-License-Identifier: Apache-2.0
//
// The composition root: every part in order, with a comment each; the sequences of start, stop and
// reload. Nothing here decides about data.
#include "app/gateway.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>

#include "app/journal_place.hpp"
#include "app/machine.hpp"
#include "app/notes.hpp"
#include "app/notify.hpp"
#include "app/parts.hpp"
#include "app/present.hpp"
#include "app/revision.hpp"
#include "app/self_watch.hpp"
#include "app/settings.hpp"
#include "app/translate.hpp"
#include "app/uplinks.hpp"
#include "app/version.hpp"
#include "async/elsewhere.hpp"
#include "async/spawn.hpp"
#include "config/diff.hpp"
#include "core/text.hpp"
#include "ipc/child.hpp"
#include "ipc/memory.hpp"
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "source/drivers.hpp"

namespace gerbang::app {
namespace {

using namespace std::chrono_literals;

constexpr int kOk = 0, kUnavailable = 69, kIo = 74, kConfig = 78;
constexpr auto kStoreMayStall = 60s;  // an SD card can hold a commit for many seconds
constexpr auto kBindAgain = 10s;
constexpr const char* kRevisionKey = "gateway/revision";
constexpr std::uint64_t kStartTurns = 20;  // seconds; then work is steady

class Gateway final : public source::Sink {
 public:
  Gateway(std::string file, const config::Config& config, std::string driver_host)
      : file_(std::move(file)),
        held_(config),
        address_(config.http.address),
        folder_(config.store.path.parent_path()),
        catalogue_(driver_host),
        drivers_(source::Environment(io_.get_executor(), *this, clock_, driver_host)) {}
  ~Gateway();

  Result<void> open(const config::Config& config);
  int run(config::Config config);

  // source::Sink
  asio::awaitable<void> take(std::vector<Reading> readings) override {
    return pipeline_->take(std::move(readings));
  }
  void on_event(source::Event event) override;
  void on_rejected(std::string_view reason, std::uint64_t count) override {
    pipeline_->reject(std::string(reason), count);
  }

 private:
  asio::awaitable<void> start(config::Config config);
  asio::awaitable<void> serve_http();
  asio::awaitable<void> signals();
  asio::awaitable<void> leave_at_second_signal();
  asio::awaitable<void> stop();
  asio::awaitable<void> reload();
  asio::awaitable<void> apply(config::Config next, config::Change change, Parts parts);
  asio::awaitable<void> tick();

  void refuse_reload(const std::string& why);
  void count_revision(const std::optional<std::string>& before);
  void record_reload(const config::Change& change);
  void maintain(const http::MaintenanceCall& call);
  void note_maintenance(const std::string& sensor, const quality::Work& work, bool begins);
  std::optional<uplink::Unsequenced> standing(const std::string& topic) const;
  void tell_changes();
  http::Snapshot overview();  // without what there is of each sensor
  http::Snapshot snapshot();
  std::string control_socket() const;

  std::string file_;
  // Of the configuration in force, whose parts have become those below.
  config::Held held_;
  const std::string address_;           // of the page
  const std::filesystem::path folder_;  // of the store
  SystemClock clock_;
  Notes notes_{clock_};
  ServiceManager service_;
  asio::io_context io_{1};
  asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};  // from the beginning
  source::Catalogue catalogue_;

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<Uplinks> uplinks_;
  std::unique_ptr<StoreQueries> queries_;
  std::unique_ptr<http::Server> server_;
  source::Drivers drivers_;

  std::vector<std::int32_t> series_;
  std::vector<std::shared_ptr<const http::SensorInfo>> infos_;
  std::vector<std::shared_ptr<const http::AlarmInfo>> alarm_infos_;
  SelfWatch self_;
  Boxes boxes_;
  http::GatewayInfo info_;
  std::string revision_;  // of the configuration, as the store keeps it
  http::LoopNow loop_;
  std::uint64_t version_ = 0;  // changes with every reading and every change of state
  std::string told_;           // the state that was last put on the topic and in the notes
  std::map<std::string, std::string> driver_told_;
  bool stopping_ = false;
};

// ---- start --------------------------------------------------------------------------------------

Result<void> Gateway::open(const config::Config& config) {
  // The only durable state; everything else is rebuilt from it.
  store::Options options = store_options(config);
  JournalPlace place = journal_place(config.store.path);
  if (!place.warning.empty()) spdlog::warn("journal: {}", place.warning);
  options.journal = place.path;
  options.boot_id = machine_boot_id();
  auto store = store::Store::open(options, io_.get_executor());
  if (!store) return fail(std::move(store.error()).within("store " + config.store.path.string()));
  store_ = std::move(*store);

  // So that the file alone says what a local time is.
  store_->put("gateway/timezone", config.gateway.timezone);

  // Numbers of the sensors' series and of the uplinks' bits.
  auto series = store_->declare(series_of(config));
  if (!series) return fail(std::move(series.error()).within("store"));
  series_ = std::move(*series);

  uplinks_ = std::make_unique<Uplinks>(io_.get_executor(), clock_, *store_, notes_);
  uplinks_->on_change = [this] { tell_changes(); };
  uplinks_->state = [this] { return state_of(overview()); };
  if (auto declared = uplinks_->declare(config); !declared) return declared;

  // Open windows as they stood, from stored rows and readings.
  pipeline_ = std::make_unique<pipeline::Pipeline>(io_.get_executor(), *store_, clock_,
                                                   pipeline_options(config, machine_boot_id()),
                                                   sensors_of(config, series_));
  uplinks_->standing = [this](const std::string& topic) { return standing(topic); };
  pipeline_->wanted_by = [this](std::string_view topic) { return uplinks_->wanting(topic); };
  pipeline_->speaks_json = [this] { return uplinks_->speak_json(); };
  pipeline_->on_reading = [this] { ++version_; };
  pipeline_->on_maintenance = [this](const std::string& sensor, const quality::Work& work,
                                     bool begins) { note_maintenance(sensor, work, begins); };
  pipeline_->on_volatile = [this](MessageKind kind, const std::string& topic,
                                  const std::string& body) {
    uplinks_->say_now(kind, topic, body);
  };
  store_->on_stream([this] {
    const std::string trouble = store_->status().trouble;
    notes_.error(trouble, {"store", {}, {}, trouble});
    spawn_critical(io_.get_executor(), "uplinks", uplinks_->renew());
  });
  pipeline_->set_indicators(indicators_of(config, series_));
  if (auto recovered = pipeline_->recover(); !recovered)
    return fail(std::move(recovered.error()).within("open windows"));

  // The page and the API.
  info_ = gateway_info(config);
  auto counted = store_->get(kRevisionKey);
  count_revision(counted ? *counted : std::nullopt);
  info_.version = GERBANG_VERSION;
  info_.commit = GERBANG_COMMIT;
  info_.boot_id = machine_boot_id();
  info_.started_ms = unix_ms(clock_.wall());
  infos_ = sensor_infos(config);
  alarm_infos_ = alarm_infos(config);
  boxes_ = boxes_of(config);
  queries_ = std::make_unique<StoreQueries>(*store_);
  queries_->know(queries_of(config, series_));
  auto now = [this] { return snapshot(); };
  auto version = [this] { return version_ + pipeline_->alarm_version(); };
  http::Options http = http_options(config, control_socket());
  http.maintain = [this](const http::MaintenanceCall& call) { maintain(call); };
  server_ =
      std::make_unique<http::Server>(io_.get_executor(), std::move(http), now, version, *queries_);
  return {};
}

// Of the configuration that holds from now on. before: what the store has of the one before.
void Gateway::count_revision(const std::optional<std::string>& before) {
  const Revision now = revision_of(info_.config_hash, before);
  info_.config_revision = now.number;
  revision_ = now.text();
  if (revision_ != before) store_->put(kRevisionKey, revision_);
}

asio::awaitable<void> Gateway::start(config::Config config) {
  spawn_critical(io_.get_executor(), "pipeline", pipeline_->run());
  uplinks_->start(config);
  spawn_critical(io_.get_executor(), "http", serve_http());
  auto specs = drivers_of(config, catalogue_);
  if (specs)
    co_await drivers_.apply(std::move(*specs));
  else
    notes_.error(specs.error().what, {});
  spawn_critical(io_.get_executor(), "tick", tick());
  service_.ready();
  notes_.info("started: " + config::summary(config) + ", stream " + store_->identity().stream,
              {"started", {}, {}, {}});
}

// A port that is taken must not stop sensing: it is tried again until it is free.
asio::awaitable<void> Gateway::serve_http() {
  for (bool told = false; !stopping_; told = true) {
    auto bound = server_->run();
    if (bound) {
      if (server_->port() != 0)
        notes_.info("page at http://" + address_ + ":" + std::to_string(server_->port()) + "/",
                    {"page", {}, {}, {}});
      co_return;
    }
    if (!told)
      notes_.error("http: " + bound.error().what + "; trying again",
                   {"http", {}, {}, bound.error().what});
    co_await sleep_for(kBindAgain);
  }
}

int Gateway::run(config::Config config) {
  signal(SIGPIPE, SIG_IGN);
  spawn_critical(io_.get_executor(), "signals", signals());
  spawn_critical(io_.get_executor(), "start", start(std::move(config)));
  io_.run();
  return kOk;
}

// ---- signals, stop, reload ----------------------------------------------------------------------

// With signals_ goes what catches signals; one more must not end what ends by itself. No other
// thread takes any.
Gateway::~Gateway() {
  sigset_t ending;
  sigemptyset(&ending);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ending, number);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

// What came while the parts were being built waits here; the start is completed, then ended.
asio::awaitable<void> Gateway::signals() {
  for (;;) {
    int number = co_await signals_.async_wait(asio::use_awaitable);
    if (number != SIGHUP) break;
    co_await reload();
  }
  spawn_session(io_.get_executor(), "second signal", leave_at_second_signal());
  co_await stop();
  io_.stop();
}

// What was acknowledged is on disk, what was not is sent again, and what waits for a commit is in
// the journal: leaving at once is safe.
asio::awaitable<void> Gateway::leave_at_second_signal() {
  asio::signal_set set(io_, SIGTERM, SIGINT);
  co_await set.async_wait(asio::use_awaitable);
  const store::Status status = store_->status();
  const bool covered = status.journal.on && status.journal.trouble.empty();
  const bool waits = status.waiting_readings > 0 || !pipeline_->underway().readings.empty();
  if (waits && !covered)
    spdlog::error("second signal: leaving at once; {} readings are lost", status.waiting_readings);
  else
    spdlog::warn("second signal: leaving at once; nothing is lost");
  std::_Exit(waits && !covered ? 1 : kOk);
}

asio::awaitable<void> Gateway::stop() {
  stopping_ = true;
  service_.stopping();
  notes_.info("stopping", {"stopping", {}, {}, {}});
  co_await drivers_.stop_all();
  co_await pipeline_->stop();
  co_await uplinks_->stop();
  server_->stop();
  auto closed = co_await store_->stop();
  if (!closed) spdlog::error("store: {}", closed.error().what);
  spdlog::info("stopped");
}

asio::awaitable<void> Gateway::reload() {
  service_.reloading(std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch()));
  // A large file and its drivers' hosts take a second: readings do not wait for them. Nobody
  // changes held_ meanwhile.
  config::LoadResult loaded;
  config::Change change;
  std::optional<Parts> parts;
  std::function<void()> look = [&] {
    loaded = load_settings(file_, Purpose::run, &catalogue_);
    if (!loaded.config) return;
    change = config::diff(held_, *loaded.config);
    parts.emplace(*loaded.config, catalogue_);
  };
  co_await elsewhere(io_.get_executor(), look);
  for (const config::Diagnostic& d : loaded.errors) spdlog::error("{}", config::text(d));
  for (const config::Diagnostic& d : loaded.warnings) spdlog::warn("{}", config::text(d));
  if (!loaded.config) {
    refuse_reload(counted(loaded.errors.size(), "mistake") + " in the configuration");
  } else if (change.empty()) {
    notes_.info("reload: nothing has changed", {"reload_same", {}, {}, {}});
  } else if (!change.needs_restart.empty()) {
    std::string keys;
    for (const std::string& key : change.needs_restart) keys += (keys.empty() ? "" : ", ") + key;
    refuse_reload(keys + " need a restart");
  } else if (!parts->drivers) {
    refuse_reload(parts->drivers.error().what);
  } else {
    config::Config next = std::move(*loaded.config);
    co_await apply(std::move(next), std::move(change), std::move(*parts));
  }
  service_.ready();
}

void Gateway::refuse_reload(const std::string& why) {
  notes_.error("reload: " + why + "; nothing was changed", {"reload_refused", {}, {}, why});
}

asio::awaitable<void> Gateway::apply(config::Config next, config::Change change, Parts parts) {
  auto numbers = co_await store_->declare_async(std::move(parts.series));
  if (!numbers) {
    refuse_reload("store: " + numbers.error().what);
    co_return;
  }
  // Not beside the loop: what is taken from here on is stored under the new calibrations.
  Numbered numbered(next, *numbers);
  auto reconfigured = co_await pipeline_->reconfigure(
      std::move(numbered.sensors), std::move(parts.alarms), std::move(numbered.indicators));
  if (!reconfigured) {
    refuse_reload(reconfigured.error().what);
    co_return;
  }

  // From here on readings are numbered by the new configuration. Until the drivers have learned the
  // numbers nothing suspends: nobody sees one half of the old and one of the new.
  for (const config::Change::Entry& entry : change.told)
    notes_.info("reload: " + config::text(entry), {"reload", {}, {}, config::text(entry)});
  held_ = std::move(parts.held);
  series_ = std::move(*numbers);
  infos_ = std::move(parts.infos);
  alarm_infos_ = std::move(parts.alarm_infos);
  boxes_ = std::move(parts.boxes);
  queries_->know(std::move(numbered.queries));
  info_.config_hash = parts.gateway.config_hash;
  count_revision(revision_);
  record_reload(change);
  co_await drivers_.apply(std::move(*parts.drivers));
  co_await uplinks_->apply(next, change.uplinks);
  ++version_;
  uplinks_->republish();
}

void Gateway::record_reload(const config::Change& change) {
  constexpr std::size_t kNamed = 12;
  Event event;
  event.kind = "config";
  const bool ind = info_.language == "ind";
  event.text = ind ? "konfigurasi " + info_.config_hash + " berlaku; yang diubah:"
                   : "configuration " + info_.config_hash + " holds; changed:";
  for (std::size_t i = 0; i < change.told.size() && i < kNamed; ++i)
    event.text += " " + change.told[i].key;
  if (change.told.size() > kNamed)
    event.text += (ind ? " dan " : " and ") + std::to_string(change.told.size() - kNamed) +
                  (ind ? " lagi" : " more");
  event.values.push_back(EventValue{"changes", static_cast<double>(change.told.size()), ""});
  pipeline_->record(std::move(event));
}

void Gateway::maintain(const http::MaintenanceCall& call) {
  if (call.for_ms == 0) {
    (void)pipeline_->end_maintenance(call.sensor);
    return;
  }
  quality::Work work;
  work.from_ms = unix_ms(clock_.wall());
  work.until_ms = work.from_ms + call.for_ms;
  work.person = call.person;
  work.note = call.note;
  pipeline_->begin_maintenance(call.sensor, std::move(work));
}

// The pipeline has logged it, and recorded the event.
void Gateway::note_maintenance(const std::string& sensor, const quality::Work& work, bool begins) {
  const std::string length = format_duration(work.length());
  const std::string by = work.person + (work.person.empty() || work.note.empty() ? "" : ": ");
  const std::string detail = by + work.note;
  const std::string text = "maintenance of " + sensor +
                           (begins ? " begins, for " : " has ended, after ") + length +
                           (detail.empty() ? "" : ": " + detail);
  notes_.keep("info", text,
              {begins ? "maintenance_begins" : "maintenance_ended", sensor, length, detail});
}

// ---- each second --------------------------------------------------------------------------------

asio::awaitable<void> Gateway::tick() {
  auto watchdog = service_.watchdog_period();
  auto pet = watchdog ? *watchdog / 3 : std::chrono::microseconds::max();
  BootTime due = clock_.boot() + 1s, petted{};
  while (!stopping_) {
    auto wait = due - clock_.boot();
    if (wait > 0ns) co_await sleep_for(wait);
    std::chrono::duration<double> lag = clock_.boot() - due;
    due = clock_.boot() + 1s;
    if (++loop_.turns == kStartTurns) ipc::forget_startup();
    loop_.last_lag_seconds = lag.count();
    loop_.worst_lag_seconds = std::max(loop_.worst_lag_seconds, lag.count());
    tell_changes();
    uplinks_->tick();
    pipeline_->on_conditions(self_.look(drivers_.statuses(), uplinks_->statuses(), store_->status(),
                                        *pipeline_, infos_,
                                        nanoseconds(clock_.boot()) / 1'000'000));
    // A loop that turns and a store that answers: a broker that is away is no reason to restart.
    if (watchdog && clock_.boot() - petted >= pet && store_->alive(kStoreMayStall)) {
      service_.watchdog();
      petted = clock_.boot();
    }
  }
}

// Drivers' changes become notes; the topic `state` follows any change.
void Gateway::tell_changes() {
  std::string now = info_.config_hash;
  for (const source::DriverStatus& status : drivers_.statuses()) {
    std::string state = std::string(name(status.state));
    now += status.name + state + std::to_string(status.restarts);
    std::string& told = driver_told_[status.name];
    if (told == state) continue;
    std::string text = "driver " + status.name + ": " + state;
    if (status.state == source::DriverState::running ||
        status.state == source::DriverState::starting)
      notes_.keep("info", text, {"driver", status.name, state, {}});
    else
      notes_.keep("warning", text + ": " + status.last_error,
                  {"driver", status.name, state, status.last_error});
    told = state;
  }
  for (const uplink::Status& status : uplinks_->statuses())
    now += status.name + (status.connected ? "1" : "0");
  store::Status store = store_->status();
  now += store.degraded ? store.trouble : "";
  if (now == told_) return;
  told_ = now;
  ++version_;
  uplinks_->republish();
}

void Gateway::on_event(source::Event event) {
  Event out;
  out.kind = std::move(event.kind);
  if (event.sensor < infos_.size()) out.sensor = infos_[event.sensor]->id;
  out.boot_ns = event.boot_ns;
  out.unix_ns = event.unix_ns;
  out.text = std::move(event.text);
  for (source::EventField& field : event.fields)
    out.values.push_back(EventValue{std::move(field.name), field.value, std::move(field.unit)});
  pipeline_->record_from_driver(std::move(out));
}

std::optional<uplink::Unsequenced> Gateway::standing(const std::string& topic) const {
  if (auto alarm = pipeline_->alarms().standing(topic))
    return uplink::Unsequenced(MessageKind::alarm, topic, std::move(alarm->body));
  for (pipeline::Pipeline::IndicatorNow& one : pipeline_->indicators())
    if ("indicator/" + one.id == topic && !one.body.empty())
      return uplink::Unsequenced(MessageKind::indicator, topic, std::move(one.body));
  return std::nullopt;
}

// ---- what others see ----------------------------------------------------------------------------

http::Snapshot Gateway::overview() {
  http::Snapshot now;
  now.now_ms = unix_ms(clock_.wall());
  now.boot_ns = nanoseconds(clock_.boot());
  now.clock = pipeline_->clock_trust();
  now.gateway = info_;
  const store::Identity& identity = store_->identity();
  now.gateway.stream = identity.stream;
  now.gateway.previous_stream = identity.previous_stream;
  now.gateway.last_sequence = identity.last_sequence;
  BootToUtc utc;
  utc.offset_ms = now.now_ms - now.boot_ns / 1'000'000;
  for (const source::DriverStatus& status : drivers_.statuses())
    now.drivers.push_back(driver_now(status, boxes_, utc));
  for (const uplink::Status& status : uplinks_->statuses())
    now.uplinks.push_back(uplink_now(status, uplinks_->counts(status.name)));
  store::Status status = store_->status();
  now.store = store_now(status);
  now.journal = journal_now(status.journal);
  return now;
}

http::Snapshot Gateway::snapshot() {
  http::Snapshot now = overview();
  add_ledger(now, store_->ledger(), *pipeline_, {series_.begin(), series_.end()});
  now.events = events_now(pipeline_->events());
  now.alarms = alarms_now(alarm_infos_, pipeline_->alarms());
  for (std::size_t i = 0; i < infos_.size(); ++i)
    now.sensors.push_back(sensor_now(infos_[i], pipeline_->live(i),
                                     pipeline_->maintenance().at(infos_[i]->id, now.now_ms)));
  for (pipeline::Pipeline::IndicatorNow& indicator : pipeline_->indicators())
    now.indicators.push_back(std::move(indicator.body));
  now.loop = loop_;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  now.loop.cpu_seconds = machine_cpu_seconds(usage);
  now.loop.resident_bytes = machine_resident_bytes();
  now.notes = notes_.newest_first();
  return now;
}

std::string Gateway::control_socket() const {
  const char* runtime = std::getenv("RUNTIME_DIRECTORY");
  std::filesystem::path folder = runtime ? runtime : folder_.string();
  std::string path = (folder / "control.sock").string();
  constexpr std::size_t kLongest = 107;  // sockaddr_un
  if (path.size() <= kLongest) return path;
  spdlog::warn("no control socket: {} is longer than {} characters", path, kLongest);
  return "";
}

int exit_code(const Error& error) {
  if (error.code == store::errc::foreign) return kConfig;
  if (error.code == store::errc::locked) return kUnavailable;
  return kIo;
}

}  // namespace

int run_gateway(const std::string& file, config::Config config) {
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) {
    spdlog::error("{}", host.error().what);
    return kUnavailable;
  }
  Gateway gateway(file, config, *host);
  if (auto opened = gateway.open(config); !opened) {
    spdlog::error("{}", opened.error().what);
    return exit_code(opened.error());
  }
  return gateway.run(std::move(config));
}

}  // namespace gerbang::app
