// SPDX-License-Identifier: Apache-2.0
#include "fault/load.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <set>

#include "support/quantity.hpp"

namespace gerbang::test {
namespace {

pipeline::Sensor make_sensor(const std::string& id, const std::string& domain, QuantityKind kind) {
  pipeline::Sensor s;
  s.id = id;
  s.quantity = quantity_of(id, domain, kind);
  s.interval_ms = 1000;
  return s;
}

pipeline::Options pipeline_options() {
  pipeline::Options options;
  options.boot_id = "boot";
  options.windows_ms = {5'000, 15'000, 60'000};
  options.grace = 1s;
  options.commit_interval = 1ms;
  options.keep_readings = 10min;
  // One that comes and goes, one that waits for it to last, and one of readings.
  alarm::Rule tide;
  tide.watch = alarm::Watch::condition;
  tide.id = tide.source = "tide";
  alarm::Rule slow = tide;
  slow.id = "slow-tide";
  slow.hold_ms = 3'000;
  alarm::Rule high;
  high.watch = alarm::Watch::reading;
  high.id = "high";
  high.sensor = "ph";
  high.above = 100;
  options.alarms.rules = {tide, slow, high};
  options.alarms.flapping.most = 1'000;
  return options;
}

}  // namespace

void Witness::saw(const Message& message) {
  std::size_t content = std::hash<std::string>()(message.topic + '\0' + message.body);
  auto [known, is_new] = bodies_.emplace(message.sequence, content);
  EXPECT_EQ(known->second, content) << "#" << message.sequence << " has two contents";
  committed(message.sequence);
  if (message.kind == MessageKind::gap) {
    v1::Gap gap;
    ASSERT_TRUE(gap.ParseFromString(message.body));
    for (auto s = gap.first(); s <= gap.last(); ++s) announced_.insert(s);
  }
  if (message.kind == MessageKind::alarm) {
    v1::Alarm alarm;
    ASSERT_TRUE(alarm.ParseFromString(message.body));
    auto [before, first] =
        alarms_.emplace(std::tuple(alarm.id(), alarm.occurrence(), static_cast<int>(alarm.state())),
                        message.sequence);
    EXPECT_EQ(before->second, message.sequence)
        << alarm.id() << " " << alarm.occurrence() << " was said twice";
  }
  if (!is_new || message.kind != MessageKind::aggregate_batch) return;
  v1::AggregateBatch batch;
  ASSERT_TRUE(batch.ParseFromString(message.body));
  for (const auto& row : batch.aggregates()) {
    Window window(row.sensor(), batch.window(), batch.window_start_ms(), row.revision());
    std::size_t text = std::hash<std::string>()(row.SerializeAsString());
    auto [before, first] = windows_.emplace(window, text);
    EXPECT_EQ(before->second, text) << row.sensor() << " " << batch.window() << " "
                                    << batch.window_start_ms() << " has two contents";
  }
}

std::vector<store::Sequence> Witness::holes(store::Sequence last) const {
  std::vector<store::Sequence> out;
  for (store::Sequence s = 1; s <= last; ++s)
    if (bodies_.count(s) == 0 && announced_.count(s) == 0) out.push_back(s);
  return out;
}

Load::Load(std::filesystem::path folder, std::string vfs, unsigned seed) : random_(seed) {
  options.path = folder / "gerbang.db";
  options.vfs = std::move(vfs);
  options.commit_interval = 1ms;
  options.board = store::Board{"machine", "serial"};
  options.max_size = 64u << 20;
  options.min_free = 0;
  options.keep_readings = 10min;
  options.keep_aggregates = {{5'000, 1h}, {15'000, 2h}, {60'000, 24h}};
  options.clock = &clock;
  options.gap_body = [](const store::Lost& lost) {
    v1::Gap gap;
    gap.set_first(lost.first);
    gap.set_last(lost.last);
    return gap.SerializeAsString();
  };
  all_ = {make_sensor("ph", "water", QuantityKind::gauge),
          make_sensor("volume", "water", QuantityKind::totaliser),
          make_sensor("wind", "weather", QuantityKind::gauge)};
  all_[2].interval_ms = 10'000;  // counted in the second window
  now_ = all_;
}

std::vector<store::SeriesSpec> Load::specs() const {
  std::vector<store::SeriesSpec> out;
  for (const auto& s : now_) {
    auto& spec = out.emplace_back();
    spec.sensor = s.id;
    spec.quantity = s.quantity->name;
    spec.unit = s.quantity->unit;
    spec.kind = s.quantity->kind;
    spec.calibration = s.calibration;
  }
  return out;
}
void Load::number(const std::vector<std::int32_t>& numbers) {
  for (std::size_t i = 0; i < now_.size(); ++i) now_[i].series = numbers[i];
}

bool Load::start() {
  io_ = std::make_unique<boost::asio::io_context>(1);
  auto failed = [&](const Error& error) {
    why_ = error.what;
    crash();
    return false;
  };
  auto opened = store::Store::open(options, io_->get_executor());
  if (!opened) return failed(opened.error());
  store_ = std::move(*opened);
  auto series = store_->declare(specs());
  if (!series) return failed(series.error());
  number(*series);
  auto bits = store_->declare_uplinks({"regional", "provincial"});
  if (!bits) return failed(bits.error());
  bits_ = *bits;
  pipe_ = std::make_unique<pipeline::Pipeline>(io_->get_executor(), *store_, clock,
                                               pipeline_options(), now_);
  pipe_->wanted_by = [this](std::string_view topic) {
    std::uint64_t both = std::uint64_t{1} << bits_[0] | std::uint64_t{1} << bits_[1];
    return topic.find("weather") == std::string_view::npos ? both : std::uint64_t{1} << bits_[0];
  };
  auto recovered = pipe_->recover();
  if (!recovered) return failed(recovered.error());
  stored_then_ = store_->status().stored;
  begun_ = next_;
  return true;
}

void Load::crash() {
  store_.reset();
  pipe_.reset();
  io_.reset();
}

bool Load::stop() {
  if (!finish(pipe_->stop())) return false;
  Result<void> stopped;
  if (!finish(store_->stop(), stopped)) return false;
  look();
  crash();
  return stopped.has_value();
}

bool Load::turn(const std::function<bool()>& done) {
  auto end = std::chrono::steady_clock::now() + 30s;
  io_->restart();
  while (!done() && !dead()) {
    if (std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << "waited in vain";
      return false;
    }
    if (io_->stopped()) io_->restart();  // nothing waited, but the store's thread was at work
    io_->run_one_for(1ms);
  }
  look();
  return done();
}

template <class T>
bool Load::finish(asio::awaitable<T> task, T& value) {
  bool finished = false;
  asio::co_spawn(*io_, std::move(task), [&](std::exception_ptr, T result) {
    value = std::move(result);
    finished = true;
  });
  return turn([&] { return finished; });
}
bool Load::finish(asio::awaitable<void> task) {
  auto finished = std::make_shared<bool>(false);  // it may end after this function
  asio::co_spawn(*io_, std::move(task), [finished](std::exception_ptr) { *finished = true; });
  io_->restart();
  io_->poll();
  // On a disk that fails it ends when the disk is well again.
  return turn([&] { return *finished || store_->degraded(); });
}

// What the store says is durable, at any time.
void Load::look() {
  if (!store_) return;
  store::Status status = store_->status();
  witness.stored(begun_ + static_cast<std::int64_t>(status.stored - stored_then_));
  witness.committed(store_->identity().last_sequence);
}

bool Load::step() {
  std::vector<Reading> readings;
  for (std::uint32_t i = 0; i < now_.size(); ++i) {
    if (random_() % 8 == 0) continue;
    Reading r;
    r.sensor = i;
    r.raw = Raw::of(next_++);
    r.boot_ns = nanoseconds(clock.boot());
    // Some devices keep readings for a while: these come late.
    if (late && random_() % 40 == 0)
      r.unix_ns = clock.wall().time_since_epoch().count() - std::int64_t{8'000'000'000};
    readings.push_back(r);
  }
  if (!finish(pipe_->take(std::move(readings)))) return false;
  clock.advance(1s);
  const auto seconds = clock.boot().time_since_epoch() / 1s;
  pipe_->on_conditions({{"tide", seconds % 10 < 5}});
  if (random_() % 30 == 0) pipe_->revise_soon();
  if (!finish(pipe_->work())) return false;
  // The first broker is nearly always there, the second seldom.
  if (random_() % 3 == 0 && !drain(bits_[0], acknowledges ? 9 : 0)) return false;
  if (random_() % 20 == 0 && !drain(bits_[1], 10)) return false;
  if (reloads && random_() % 25 == 0 && !reload()) return false;
  return !dead();
}

bool Load::burst(int readings) {
  std::vector<Reading> some;
  for (int i = 0; i < readings; ++i) {
    Reading r;
    r.sensor = 0;
    r.raw = Raw::of(next_++);
    r.boot_ns = nanoseconds(clock.boot()) + i;
    some.push_back(r);
  }
  if (!finish(pipe_->take(std::move(some)))) return false;
  clock.advance(100ms);
  return finish(pipe_->work());
}

void Load::turn_for(std::chrono::milliseconds time) {
  auto end = std::chrono::steady_clock::now() + time;
  turn([&] { return std::chrono::steady_clock::now() > end; });
}

bool Load::settle_all() {
  return turn([&] {
    pipe_->bridge();
    store::Status s = store_->status();
    std::uint64_t rejected = 0;
    for (const auto& [reason, n] : s.rejected) rejected += n;
    return s.waiting_readings == 0 && !store_->degraded() &&
           s.stored + rejected == static_cast<std::uint64_t>(next_);
  });
}

std::vector<Message> Load::everything() {
  std::vector<Message> out;
  store::Pull pull;
  pull.bit = bits_[0];
  for (;;) {
    Result<std::vector<Message>> some;
    if (!finish(store_->pull(pull), some) || !some || some->empty()) return out;
    pull.above = some->back().sequence;
    out.insert(out.end(), some->begin(), some->end());
  }
}

bool Load::settle() {
  return turn([&] {
    pipe_->bridge();
    store::Status s = store_->status();
    return s.waiting_readings == 0 && !store_->degraded() &&
           begun_ + static_cast<std::int64_t>(s.stored - stored_then_) == next_;
  });
}

bool Load::drain(int bit, unsigned acknowledge_of_ten) {
  store::Pull pull;
  pull.bit = bit;
  for (;;) {
    Result<std::vector<Message>> some;
    if (!finish(store_->pull(pull), some)) return false;
    if (!some || some->empty()) return true;
    pull.above = some->back().sequence;
    for (const Message& message : *some) {
      witness.saw(message);
      if (random_() % 10 < acknowledge_of_ten)
        store_->done(bit, message.sequence, store::Outcome::acknowledged, "");
    }
  }
}

bool Load::reload() {
  now_ = all_;
  if (random_() % 2 == 0) now_.erase(now_.begin() + static_cast<std::ptrdiff_t>(random_() % 3));
  for (auto& s : now_) s.calibration.scale = random_() % 2 == 0 ? 1 : 2;
  Result<std::vector<std::int32_t>> numbers;
  if (!finish(store_->declare_async(specs()), numbers)) return false;
  if (!numbers) return !dead();
  number(*numbers);
  Result<void> done;
  return finish(pipe_->reconfigure(now_, pipeline_options().alarms), done);
}

std::int64_t Load::judge() {
  // What alarms said at the start has its numbers when this has passed through behind it.
  bool passed = false;
  asio::co_spawn(*io_, store_->commit(store::Fold()),
                 [&](std::exception_ptr, Result<store::Sequence>) { passed = true; });
  for (int turns = 0; !passed && turns < 10'000; ++turns) {
    io_->restart();
    io_->run_one_for(1ms);
  }
  store::Status status = store_->status();
  EXPECT_FALSE(status.damaged) << status.trouble;
  EXPECT_FALSE(status.degraded) << status.trouble;
  EXPECT_EQ(status.unreadable_batches, 0u);

  // The readings: a beginning of what was given, without a hole, and all that was called stored.
  std::int64_t first = -1, end = 0;
  auto each = [&](const store::StoredReading& r) {
    if (first < 0) {
      first = r.raw.integer;
    } else {
      EXPECT_EQ(r.raw.integer, end) << "a hole in the readings";
    }
    end = r.raw.integer + 1;
  };
  EXPECT_TRUE(store_->replay(0, each));
  EXPECT_GE(end, witness.stored()) << "readings that were called stored are gone";
  EXPECT_LE(end, next_);
  std::int64_t lost = next_ - end;
  next_ = end;  // the device says the same again: a hole would show
  begun_ = next_;
  stored_then_ = status.stored;
  witness.stored(end);

  // The ledger.
  std::uint64_t rejected = 0, not_folded = 0;
  for (const auto& [reason, n] : status.rejected) rejected += n;
  for (const auto& [reason, n] : status.not_folded) not_folded += n;
  EXPECT_EQ(status.stored, static_cast<std::uint64_t>(end));
  EXPECT_EQ(status.taken, status.stored + rejected + status.waiting_readings);
  EXPECT_EQ(status.stored, status.folded + not_folded + sum(pipe_->to_fold()));

  // The messages: all that was committed is still to be sent, or was seen before.
  store::Sequence last = store_->identity().last_sequence;
  EXPECT_GE(last, witness.last()) << "messages that were committed are gone";
  for (int bit : bits_) {
    std::uint64_t waiting = 0;
    store::Pull pull;
    pull.bit = bit;
    pull.limit = 10'000;
    pull.max_bytes = 64u << 20;
    for (;;) {
      Result<std::vector<Message>> some;
      if (!finish(store_->pull(pull), some)) return lost;
      EXPECT_TRUE(some) << some.error().what;
      if (!some || some->empty()) break;
      waiting += some->size();
      pull.above = some->back().sequence;
      for (const Message& message : *some) witness.saw(message);
    }
    store::UplinkCounts c = store_->uplink_counts(bit);
    EXPECT_EQ(c.made, static_cast<std::uint64_t>(last));
    EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.refused + c.dropped + c.filtered);
    EXPECT_EQ(c.waiting, waiting);
  }
  EXPECT_EQ(witness.holes(last), std::vector<store::Sequence>());
  return lost;
}

}  // namespace gerbang::test
