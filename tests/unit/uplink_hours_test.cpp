// SPDX-License-Identifier: Apache-2.0
//
// An uplink machine over hours of virtual time: what brokers and lines of several kinds get, and
// how long what matters waits for them.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>

#include "core/uplink_machine.hpp"

namespace gerbang {
namespace {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;

enum class Answer { taken, cut };  // cut: the connection ends over it

class Line {
 public:
  UplinkLimits limits;
  Duration round_trip = 300ms;
  std::function<Answer(const Message&)> broker = [](const Message&) { return Answer::taken; };
  std::function<Duration()> life;         // of a connection; empty: it lives on
  std::map<std::string, Duration> worst;  // topic → from made to taken
  std::size_t taken = 0, set_aside = 0;
  std::size_t pulled_most = 0;  // of the backlog in memory, at least
  int losses = 0;

  void add(const std::string& topic, Lane lane = Lane::live) {
    Message message;
    message.sequence = static_cast<std::int64_t>(outbox_.size()) + 1;
    message.lane = lane;
    message.topic = topic;
    message.body.assign(500, 'x');
    outbox_.push_back({std::move(message), now_, false});
    if (machine_) machine_->on_new_messages();
  }

  std::size_t waiting(const std::string& topic) const {
    return static_cast<std::size_t>(
        std::count_if(outbox_.begin(), outbox_.end(), [&](const Entry& entry) {
          return !entry.done && (topic.empty() || entry.message.topic == topic);
        }));
  }

  // each: called at each step.
  void run(Duration how_long, const std::function<void(std::int64_t step)>& each) {
    constexpr auto kStep = 50ms;
    if (!machine_) machine_ = std::make_unique<UplinkMachine>(limits);
    std::int64_t step = 0;
    for (const BootTime end = now_ + how_long; now_ < end; now_ += kStep) {
      each(++step);
      if (machine_->link() == UplinkMachine::Link::down && machine_->connect_due(now_)) connect();
      if (machine_->link() != UplinkMachine::Link::up) continue;
      const bool dead = dies_ && now_ >= *dies_;
      while (!dead && !answers_.empty() && answers_.front().at <= now_) {
        settle(machine_->on_acked(answers_.front().id, 0, now_));
        answers_.pop_front();
      }
      if (dead || (cut_at_ && now_ >= *cut_at_))
        lose(UplinkMachine::Loss::peer);
      else if (machine_->stalled(now_))
        lose(UplinkMachine::Loss::watchdog);
      else
        send();
    }
  }

 private:
  struct Entry {
    Message message;
    BootTime made;
    bool done;
  };
  struct Coming {
    BootTime at;
    std::uint64_t id;
  };

  void connect() {
    pulled_ = settled_ = 0;
    machine_->on_connecting(now_);
    machine_->on_up(now_, 0, 0, static_cast<std::int64_t>(outbox_.size()));
    for (const char* topic : {"state", "description"}) {
      Message document;
      document.topic = topic;
      document.retain = true;
      document.body = std::to_string(++documents_);
      machine_->put_document(std::move(document));
    }
    if (life) dies_ = now_ + life();
  }

  void lose(UplinkMachine::Loss loss) {
    machine_->on_down(now_, loss, 0.5);
    settle_aside();
    answers_.clear();
    cut_at_.reset();
    dies_.reset();
    ++losses;
  }

  void send() {
    pull();
    while (const auto* out = machine_->next(now_)) {
      machine_->sent(out->id, out->message.body.size() + 40, now_);
      if (!cut_at_) {
        if (broker(out->message) == Answer::taken)
          answers_.push_back({now_ + round_trip, out->id});
        else
          cut_at_ = now_ + round_trip;
      }
      pull();
    }
    settle_aside();
    pulled_most = std::max(pulled_most, pulled_ - std::min(pulled_, settled_));
  }

  void pull() {
    while (auto want = machine_->want()) {
      std::vector<Message> found;
      while (first_ < outbox_.size() && outbox_[first_].done) ++first_;
      for (auto i = std::max(first_, static_cast<std::size_t>(want->above));
           i < outbox_.size() && outbox_[i].message.sequence < want->below &&
           found.size() < want->limit;
           ++i) {
        if (outbox_[i].done || outbox_[i].message.lane != want->lane) continue;
        found.push_back(outbox_[i].message);
        if (want->rank == UplinkMachine::Rank::backlog) ++pulled_;
      }
      machine_->offer(*want, std::move(found));
    }
  }

  void settle(const UplinkMachine::Verdict& verdict) {
    if (verdict.sequence == 0 || verdict.kind == UplinkMachine::Verdict::nothing) return;
    Entry& entry = outbox_[static_cast<std::size_t>(verdict.sequence) - 1];
    entry.done = true;
    ++settled_;
    if (verdict.kind == UplinkMachine::Verdict::set_aside) {
      ++set_aside;
      return;
    }
    ++taken;
    Duration& longest = worst[entry.message.topic];
    longest = std::max<Duration>(longest, now_ - entry.made);
  }
  void settle_aside() {
    for (const auto& verdict : machine_->take_set_aside()) settle(verdict);
  }

  std::unique_ptr<UplinkMachine> machine_;
  BootTime now_{100s};
  std::vector<Entry> outbox_;
  std::size_t first_ = 0;                 // not done
  std::size_t pulled_ = 0, settled_ = 0;  // of this connection: of the backlog, of all
  std::deque<Coming> answers_;
  std::optional<BootTime> cut_at_, dies_;
  int documents_ = 0;
};

double in_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

// One message of the topic that has most of them ends each connection.
TEST(UplinkHours, AnAccusedTopicNeitherDelaysOthersNorFillsTheMemory) {
  for (unsigned rate : {200u, 0u}) {
    Line line;
    line.limits.backlog_rate = rate;
    for (int i = 0; i < 20'000; ++i) line.add("reading");
    int poison = 7;
    line.broker = [&](const Message& message) {
      return message.sequence == poison ? Answer::cut : Answer::taken;
    };
    line.run(10min, [&](std::int64_t step) {
      if (step % 100 == 0) line.add("alarm", Lane::urgent);
      // Those of the time before the last connection are of the backlog.
      if (step % 200 == 50) line.add(step < 2'000 ? "early" : "aggregate");
    });
    EXPECT_EQ(line.set_aside, 1u) << rate;
    EXPECT_LE(line.losses, 6) << rate;
    EXPECT_LT(in_seconds(line.worst["alarm"]), 10) << rate;
    EXPECT_LT(in_seconds(line.worst["aggregate"]), 10) << rate;
    EXPECT_LE(line.waiting("alarm"), 1u) << rate;
    EXPECT_LE(line.pulled_most, 2'000u) << rate << ": the others stay in the store";
  }
}

// A connection that lives for two answers or three, for hours.
TEST(UplinkHours, AConnectionOfTwoAnswersDeliversNearlyAll) {
  for (const bool even : {true, false}) {
    Line line;
    line.round_trip = 1500ms;
    std::mt19937 chance(3);
    line.life = [&]() -> Duration {
      std::uniform_int_distribution<int> around(2'000, 6'000);
      return std::chrono::milliseconds(even ? 4'000 : around(chance));
    };
    std::size_t given = 0;
    line.run(2h, [&](std::int64_t step) {
      if (step % 600 == 0) line.add("alarm", Lane::urgent), ++given;
      if (step % 60 == 30) line.add("aggregate"), ++given;
    });
    EXPECT_GE(line.taken + 20, given) << even;
    EXPECT_LE(line.waiting("alarm"), 2u) << even;
    EXPECT_EQ(line.set_aside, 0u) << even;
  }
}

}  // namespace
}  // namespace gerbang
