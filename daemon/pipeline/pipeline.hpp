// SPDX-License-Identifier: Apache-2.0
//
// From readings to messages: quality → durable → windows → outbox.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "async/spawn.hpp"
#include "core/calendar.hpp"
#include "core/clock.hpp"
#include "core/window.hpp"
#include "indicator/compute.hpp"
#include "pipeline/alarm_desk.hpp"
#include "pipeline/clock_tracker.hpp"
#include "pipeline/event_desk.hpp"
#include "pipeline/inspector.hpp"
#include "pipeline/published.hpp"
#include "pipeline/sensor.hpp"
#include "store/store.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {

struct Options {
  std::string boot_id;
  std::string timezone = "UTC";  // as messages name it
  bool indonesian = false;       // texts of the gateway's own events; else English
  std::vector<ZoneOffset> zone;  // its table; empty: UTC
  std::vector<std::int64_t> windows_ms = {60'000, 900'000, 3'600'000, 86'400'000};
  std::chrono::milliseconds grace{10'000};
  // How long after the boot windows wait for somebody to vouch for the clock.
  std::chrono::milliseconds hold{120'000};
  bool trust_rtc = false;
  bool forward_readings = false;                    // raw readings too, as reading/DOMAIN
  std::chrono::milliseconds commit_interval{1000};  // the store's
  // The store's: later readings of windows that are older cannot be folded.
  std::chrono::milliseconds keep_readings{std::chrono::hours(24 * 30)};
  std::map<std::int64_t, std::chrono::milliseconds> keep_aggregates;
  AlarmPlan alarms;
};

// Threads: all functions on the loop thread. The store and the clock outlive it, and it outlives
// its tasks: destroy it after the loop ended, or after stop() and the store's stop().
class Pipeline {
 public:
  Pipeline(asio::any_io_executor executor, store::Store& store, const Clock& clock, Options options,
           std::vector<Sensor> sensors);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // The uplinks that want a topic, one bit each. Set before recover().
  std::function<std::uint64_t(std::string_view topic)> wanted_by;
  std::function<bool()> speaks_json;  // an uplink does: batches are split for it too
  // Called after take() has changed the live table.
  std::function<void()> on_reading;
  // People began to work on a sensor, or have ended.
  std::function<void(const std::string& sensor, const quality::Work& work, bool begins)>
      on_maintenance;
  // What windows say while the store cannot be written: for the uplinks at once, outside of the
  // proof, of this moment only. The same windows close with numbers when it can be written again.
  std::function<void(MessageKind kind, const std::string& topic, const std::string& body)>
      on_volatile;

  // The indicators of the configuration; Input::series are the store's numbers. Before recover().
  void set_indicators(std::vector<indicator::Plan> plans);

  // Blocking; before the loop runs. Open windows as they stood, from stored rows and readings.
  Result<void> recover();

  // Closes windows and commits what they say until stop().
  asio::awaitable<void> run();

  // Readings of drivers. They are judged and shown at once, stored with the next commit and folded
  // when that is durable. Suspends while the store is slow. While it cannot be written at all it
  // keeps the newest in memory, as many as it may; what falls out is rejected(no_room).
  asio::awaitable<void> take(std::vector<Reading> readings);

  // Readings that were refused before they could be given to take().
  void reject(const std::string& reason, std::uint64_t count);

  // Something happened: durable soon, with a message on event/KIND. For the gateway's own modules.
  // The time is that of the clock as it is believed now. What cannot be kept is counted.
  void record(Event event);
  // The same for what a driver reports: kinds of the gateway's own and too many kinds are refused.
  void record_from_driver(Event event);
  // An event that was refused before.
  void refuse_event(const std::string& reason) { events_.refuse(reason); }
  const EventDesk& events() const { return events_; }

  // What the gateway knows of itself, by the names of its conditions. About once a second: alarms
  // that watch time pass do it here.
  void on_conditions(const std::map<std::string, bool>& conditions);
  // As they were said last; while the store cannot be written, from memory.
  const AlarmDesk& alarms() const { return bridge_alarms_ ? *bridge_alarms_ : alarms_; }
  // Changes when an alarm does.
  std::uint64_t alarm_version() const { return alarm_version_; }

  // People work on a sensor: until then its readings are kept and marked, and count in no mean.
  // Durable with the next commit; ends by itself. Beginning and end are events.
  void begin_maintenance(const std::string& sensor, quality::Work work);
  // False: nobody worked on it.
  bool end_maintenance(const std::string& sensor);
  const quality::Maintenance& maintenance() const { return inspector_.maintenance; }

  // The sensors of a new configuration. When it completes, and no sooner, Reading::sensor counts in
  // the new list. A series that is in both keeps its open windows; those of a removed sensor close
  // in their time as they are.
  asio::awaitable<Result<void>> reconfigure(std::vector<Sensor> sensors, AlarmPlan alarms = {},
                                            std::vector<indicator::Plan> indicators = {});

  // Hands what is in memory to the store and leaves the windows open: a restart goes on with them.
  // It is durable when the store has stopped.
  asio::awaitable<void> stop();

  // What is due now: run() does this on its timer. Public for tests that move a clock.
  asio::awaitable<void> work();
  // The same for what is done while the store cannot be written, and when it can be again.
  void bridge();
  // Late readings are folded at the next work(), not when their minute is over. For tests.
  void revise_soon() {
    revise_at_ = BootTime::min();
    late_since_.reset();
  }

  const Live& live(std::size_t sensor) const { return live_.at(sensor); }
  // What each indicator said of its newest window; an empty body: nothing yet.
  struct IndicatorNow {
    std::string id, body;
  };
  std::vector<IndicatorNow> indicators() const;
  ClockTrust clock_trust() const { return tracker_.epoch().trust; }
  // Readings that are stored and not folded yet, as the fold itself knows them: beside the store's
  // ledger this makes its second equation a check.
  Counts to_fold() const;
  // Every reading that take() and reject() were given, by series, since the stream began. Counted
  // here and not derived from what became of them: this makes the first equation a check.
  Counts taken() const;
  // Taken, and not handed to the store yet.
  struct Underway {
    Counts readings;
    Reasons rejected;
  };
  Underway underway() const;

 private:
  // What was taken together: the same readings for the store and for folding.
  struct Piece {
    store::Batch batch;
    std::vector<Sample> samples;  // Sample::index is a series: the plan may change meanwhile
    std::int64_t id = 0;          // of the batch, once it is durable
    std::uint64_t number = 0;     // in the order of taking

    explicit Piece(const store::Epoch& epoch) { batch.epoch = epoch; }
  };
  // Readings taken and not durable: then drivers wait, or the oldest go.
  static constexpr std::size_t kMostHeld = 65'536;

  // One message or several for a window of a domain.
  struct Domain {
    std::string name;
    std::vector<std::uint32_t> members;
  };

  // taking
  void judge(const Reading& reading);
  void reflag(const Inspector::Late& late);
  void judge_computed();
  void complain_of_silence();
  void keep_maintenance();
  std::int64_t wall_offset_ms() const;
  Result<void> load_maintenance();
  void follow_maintenance(std::chrono::nanoseconds step);
  void record_maintenance(const std::string& sensor, const quality::Work& work, bool begins);
  void end_maintenance_in_time();
  void show(Live& live, const Sample& sample, std::int64_t boot_ns, bool device_time);
  void journal(std::size_t from);
  void flush_soon();
  Piece& pending();
  void follow_clock();
  void flush();
  void hand_over();
  void release(std::size_t readings);
  asio::awaitable<void> flush_later();
  asio::awaitable<void> append();
  void drain();

  // events
  void add_event(Event event, bool from_driver);
  std::uint64_t sum_refused_events() const;
  void write_events_soon();
  asio::awaitable<void> write_events();
  void add_events(store::Fold& fold, const std::vector<store::EventRow>& rows);
  asio::awaitable<void> restamp_events();
  void record_step(std::chrono::nanoseconds step);

  // alarms
  AlarmDesk::Times times() const;
  AlarmPlan with_series(AlarmPlan plan) const;
  Result<void> load_alarms();
  void remember_rates();
  void tell_alarms();
  void add_alarms(store::Fold& fold);

  // while the store is degraded
  asio::awaitable<void> bridging();
  void begin_bridge();
  void bridge(const std::vector<Sample>& samples);
  void make_room_in_ring();
  // Windows must not close: readings of theirs are not durable, and will be.
  bool behind() const;

  // folding
  asio::awaitable<void> close_windows();
  asio::awaitable<void> recount_due();
  void on_late();
  bool revision_due() const;
  asio::awaitable<void> commit(store::Fold fold);
  void complete(store::Fold& fold);
  void add_window(store::Fold& fold, std::size_t level, const TimeSpan& span,
                  const std::vector<std::uint32_t>& members, const std::vector<Aggregate>& rows,
                  bool newest);
  void add_message(store::Fold& fold, MessageKind kind, std::string topic, std::string body,
                   bool retainable, Lane lane = Lane::live);
  wire::Measure measure() const;
  void add_forwarded(store::Fold& fold);
  std::int64_t now_ms() const { return unix_ms(clock_.wall()); }
  // SeriesPlan::since_ms of what is added now.
  std::int64_t since_now_ms() const {
    return clock_trust() == ClockTrust::untrusted ? 0 : now_ms();
  }
  std::int64_t closing_ms() const;
  std::int64_t fold_back_ms() const;
  void set_members(std::vector<Member> members);
  void prune();

  // indicators
  struct Desk {
    indicator::Plan plan;
    Published published;
    std::string newest;  // body
  };
  asio::awaitable<void> add_indicators(store::Fold& fold, std::size_t level, TimeSpan span);
  asio::awaitable<void> revise_indicators(store::Fold& fold,
                                          const std::vector<DirtyWindow>& revised);
  bool waits_for_more(const std::set<std::int32_t>& series, const TimeSpan& window) const;
  asio::awaitable<void> add_indicator(store::Fold& fold, std::size_t index, std::int64_t end_ms,
                                      alarm::Came came);
  asio::awaitable<Result<std::vector<Aggregate>>> indicator_rows(const store::Fold& fold,
                                                                 std::size_t index,
                                                                 TimeSpan window);
  bool ended(std::int64_t length_ms, std::int64_t end_ms) const;
  Result<void> load_indicators();

  // revising
  struct Revision;
  using Indices = std::vector<std::uint32_t>;
  // So many as one query of readings asks for.
  static std::vector<Indices> groups(const Indices& all);
  asio::awaitable<void> revise();
  asio::awaitable<Result<void>> revise(Revision& revision);
  void tell_alarms_of(const Revision& revision);
  asio::awaitable<Result<void>> recount(Revision& revision, std::size_t level, TimeSpan span,
                                        Indices indices);
  asio::awaitable<Result<void>> remerge(Revision& revision, std::size_t level, TimeSpan span,
                                        Indices indices);
  // The rows of these sensors with start in `span`, by start.
  asio::awaitable<Result<std::vector<Aggregate>>> rows(std::size_t level, TimeSpan span,
                                                       Indices indices);
  asio::awaitable<Result<std::vector<Sample>>> readings(TimeSpan span, Indices indices);
  // The good reading of a sensor that is nearest to a time, before it or from it on.
  asio::awaitable<Result<Anchor>> good_before(std::uint32_t index, std::int64_t time_ms);
  asio::awaitable<Result<std::optional<std::int64_t>>> good_after(std::uint32_t index,
                                                                  std::int64_t time_ms);
  void settle(Revision& revision, std::size_t level, std::uint32_t index, const Aggregate* old,
              Aggregate row);

  // restamping
  // The store may be in trouble; windows wait no longer.
  static constexpr std::chrono::seconds kLongestRestamp{60};
  // What has a time since the clock is believed, and is not in the windows of that time yet.
  struct Restamping {
    std::int64_t epoch = 0;       // epochs up to this one are done, or in `spans`
    std::vector<TimeSpan> spans;  // whose closed windows are to be revised
    // Boots that somebody vouched for, whose epochs above that are not done: of this one, and of
    // those that ended in the middle of it.
    std::vector<std::string> boots;
  };
  static std::string restamping_text(const Restamping& restamping);
  static std::optional<Restamping> parse_restamping(std::string_view text);
  void begin_restamping();
  bool doubtful_underway() const;
  bool held() const;
  asio::awaitable<void> restamp();
  std::vector<WindowEngine::Emptied> take_out(const TimeSpan& span);
  asio::awaitable<Result<void>> add_again(TimeSpan span, std::size_t level, std::int64_t upto);
  asio::awaitable<void> revise_restamped();

  // recovering
  Result<void> load_members();
  Result<void> load_quality();
  Result<bool> load_windows();
  Result<void> restore_rows();
  Result<void> replay(bool loaded);
  void readmit(std::vector<store::Batch> batches);
  void show_again(const Sample& sample, std::int64_t boot_ns);
  std::string sum_clock() const;
  Result<quality::Corrector::Axis> load_sum_axis() const;
  Inspector::Stored inspected(std::uint32_t sensor, const store::StoredReading& reading) const;
  static Sample sample_of(const store::StoredReading& reading);  // Sample::index is the series

  asio::any_io_executor executor_;
  store::Store& store_;
  const Clock& clock_;
  Options options_;

  std::vector<Sensor> sensors_;                     // of the configuration
  std::vector<Live> live_;                          // the same order
  Inspector inspector_;                             // the same order
  std::vector<Inspector::Late> late_;               // found while a reading is judged
  std::map<std::string, std::string> stored_sums_;  // what the store has of them
  std::string stored_sum_clock_;                    // and of their clock
  std::vector<Thinning> thinning_;                  // the same order
  std::vector<Member> members_;                     // those, then sensors that left
  std::vector<Desk> desks_;                         // of the configuration's indicators
  std::vector<Domain> domains_;                     // of members_
  std::vector<std::size_t> domain_of_;              // by member
  std::vector<std::uint32_t> places_;  // series → index in members_, UINT32_MAX: none
  std::string stored_members_;         // what the store has of members_
  std::unique_ptr<WindowEngine> engine_;
  ClockTracker tracker_;

  Counts taken_before_;               // by series: before the start or a reload
  std::vector<std::uint64_t> taken_;  // since then; the order of sensors_
  Reasons rejected_;                  // until they are recorded
  std::unique_ptr<Piece> pending_;    // taken and not handed over
  std::size_t held_readings_ = 0;     // taken and not durable
  bool flush_due_ = false;
  bool blocked_ = false;  // the store had no room for the first of held_
  bool no_room_told_ = false;
  std::size_t starting_ = 0;                     // tasks of append() that have not begun
  Gate room_;                                    // fewer are held than may be
  std::deque<std::unique_ptr<Piece>> held_;      // taken; handed over in this order
  std::vector<const Piece*> handed_;             // to the store, which has not answered
  std::vector<std::unique_ptr<Piece>> durable_;  // and not folded
  std::vector<Sample> forward_;                  // folded, and to be sent as they are
  std::uint64_t fallen_ = 0;                     // readings that fell out of the ring
  std::uint64_t pieces_ = 0;                     // taken so far
  std::uint64_t behind_until_ = 0;               // pieces that were taken while it was degraded
  std::unique_ptr<WindowEngine> bridge_;         // folds what is not durable; only while degraded

  // The clock became believable: no window closes until readings of before have their times.
  bool restamp_due_ = false;
  BootTime restamp_since_{};
  Restamping restamping_;
  std::string stored_restamping_;  // what the store has of it
  // Where a restamping stands that the store keeps waiting.
  struct Attempt {
    std::set<std::pair<std::size_t, std::int64_t>> emptied;  // open windows: level and start
    bool absent = false;                                     // the absence has been told
  } attempt_;
  Counts taken_out_;                 // of windows, and not added again
  std::int64_t unseen_from_ms_ = 0;  // before this start somebody was looking; 0: nobody ever

  EventDesk events_;
  bool writing_events_ = false, restamp_events_due_ = false;
  std::size_t starting_events_ = 0;  // tasks of write_events() that have not begun

  AlarmDesk alarms_;
  std::unique_ptr<AlarmDesk> bridge_alarms_;  // with bridge_
  std::uint64_t alarm_version_ = 0;

  bool folding_ = false;  // one at a time
  Gate folded_;           // none is under way
  bool state_changed_ = false;
  bool stopping_ = false;
  BootTime revise_at_{};
  std::optional<BootTime> late_since_;  // of the late readings that wait, the first came then
  BootTime late_at_{};                  // and the newest then
  // Windows that were revised while other late readings of theirs still wait, by level, start and
  // sensor: alarms look at them when nothing waits any more.
  std::map<std::tuple<std::size_t, std::int64_t, std::uint32_t>, Aggregate> unlooked_;
  asio::steady_timer timer_;
};

}  // namespace gerbang::pipeline
