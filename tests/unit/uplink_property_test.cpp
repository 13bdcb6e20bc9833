// SPDX-License-Identifier: Apache-2.0
//
// UplinkMachine against a broker and an outbox that misbehave at random: acknowledgements lost,
// late and out of order, links dropped, hosts killed, pulls that overlap with everything. Seeded.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/uplink_machine.hpp"

namespace gerbang {
namespace {

using namespace std::chrono_literals;
using Machine = UplinkMachine;

struct Chances {
  double drop = 0.005;        // the link, each step
  double host_dies = 0.0005;  // each step
  double lose_ack = 0.002;    // each message
  double late_ack = 0.6;      // of those that a loss finds under way: comes in a later epoch
  double refuse_busy = 0.01;  // each message, with quota exceeded
  double unheard = 0.05;
  unsigned receive_max = 0;
  unsigned in_flight = 20;
};

class World {
 public:
  World(unsigned seed, Chances chances) : random_(seed), chances_(chances), machine_(limits()) {}

  void run(int messages) {
    std::int64_t forbidden_every = 97;
    auto end = now_ + 6h;
    while (now_ < end && (made_ < messages || done_.size() < outbox_.size())) {
      now_ += std::chrono::milliseconds(1 + pick(20));
      bool storm = made_ < messages;
      if (storm)
        for (int n = pick(4); n > 0; --n) make(forbidden_every);
      step(storm);
      check();
      if (::testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(done_.size(), outbox_.size()) << "messages stayed behind";
    for (const Message& message : outbox_) {
      bool bad = message.topic == "forbidden";
      ASSERT_EQ(aside_.count(message.sequence), bad ? 1u : 0u) << message.sequence;
      ASSERT_EQ(received_.count(message.sequence), bad ? 0u : 1u) << message.sequence;
    }
  }

  std::uint64_t losses = 0, late = 0, resent = 0;

 private:
  struct UnderWay {
    std::uint64_t id, epoch;
    std::int64_t sequence;
    unsigned code;
    BootTime at;
  };

  UplinkLimits limits() const {
    UplinkLimits out;
    out.in_flight = chances_.in_flight;
    out.backlog_rate = 500;
    out.ahead_messages = 16;
    return out;
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }

  void make(std::int64_t forbidden_every) {
    Message message;
    message.sequence = ++made_;
    message.lane = chance(0.1) ? Lane::urgent : Lane::live;
    message.topic = made_ % forbidden_every == 0 ? "forbidden" : "topic";
    message.body.assign(static_cast<std::size_t>(pick(300)), 'x');
    outbox_.push_back(message);
    machine_.on_new_messages();
  }

  void step(bool storm) {
    if (machine_.connect_due(now_)) {
      machine_.on_connecting(now_);
      if (chance(0.3))
        lose(Machine::Loss::peer);
      else
        come_up();
    }
    if (storm && machine_.link() == Machine::Link::up) {
      if (chance(chances_.drop)) lose(Machine::Loss::peer);
      if (chance(chances_.host_dies)) lose(Machine::Loss::host);
    }
    if (machine_.stalled(now_)) lose(Machine::Loss::watchdog);
    pull();
    acknowledge();
    send(storm);
  }

  void come_up() {
    ++epoch_;
    newest_at_up_ = made_;
    machine_.on_up(now_, chances_.receive_max, 0, made_);
    put_state();
  }

  void put_state() {
    Message state;
    state.topic = "state";
    state.body = std::to_string(now_.time_since_epoch().count());
    machine_.put_document(std::move(state));
  }

  void lose(Machine::Loss loss) {
    ++losses;
    machine_.on_down(now_, loss, chance(0.5) ? 0.0 : 0.7);
    ASSERT_TRUE(machine_.take_set_aside().empty()) << "a bad line was taken for a bad message";
    in_flight_.clear();
    std::erase_if(under_way_, [&](UnderWay& ack) {
      if (loss == Machine::Loss::host || !chance(chances_.late_ack)) return true;
      ack.at = now_ + std::chrono::milliseconds(pick(5000));
      return false;
    });
  }

  // A pull takes time: what it returns may be older than what was reported meanwhile.
  void pull() {
    if (pulling_ && chance(0.7)) {
      machine_.offer(pulling_->first, std::move(pulling_->second));
      pulling_.reset();
    }
    if (pulling_) return;
    auto want = machine_.want();
    if (!want) return;
    std::vector<Message> found;
    std::size_t bytes = 0;
    for (std::size_t i = static_cast<std::size_t>(want->above);
         i < outbox_.size() && found.size() < want->limit && bytes < want->max_bytes; ++i) {
      const Message& message = outbox_[i];
      if (message.sequence >= want->below) break;
      if (message.lane != want->lane || done_.count(message.sequence) > 0) continue;
      bytes += message.body.size();
      found.push_back(message);
    }
    pulling_.emplace(*want, std::move(found));
  }

  void acknowledge() {
    std::shuffle(under_way_.begin(), under_way_.end(), random_);
    std::vector<UnderWay> ready;
    std::erase_if(under_way_, [&](const UnderWay& ack) {
      if (ack.at > now_) return false;
      ready.push_back(ack);
      return true;
    });
    for (const UnderWay& ack : ready) {
      auto verdict = machine_.on_acked(ack.id, ack.code, now_);
      in_flight_.erase(ack.id);
      late = machine_.counts().late;
      if (verdict.kind == Machine::Verdict::nothing || verdict.sequence == 0) continue;
      ASSERT_TRUE(done_.insert(verdict.sequence).second) << "done twice: " << verdict.sequence;
      if (verdict.kind == Machine::Verdict::set_aside) {
        aside_.insert(verdict.sequence);
        ASSERT_EQ(outbox_[static_cast<std::size_t>(verdict.sequence) - 1].topic, "forbidden");
      } else {
        ASSERT_TRUE(received_.count(verdict.sequence)) << "done, and the broker has it not";
      }
    }
  }

  void send(bool storm) {
    send_all(storm);
    for (const auto& verdict : machine_.take_set_aside()) {
      ASSERT_TRUE(done_.insert(verdict.sequence).second);
      ASSERT_EQ(verdict.topic, "forbidden");
      aside_.insert(verdict.sequence);
    }
  }

  void send_all(bool storm) {
    while (const auto* out = machine_.next(now_)) {
      const Message& message = out->message;
      machine_.sent(out->id, message.body.size() + 30, now_);
      in_flight_.insert(out->id);
      if (message.sequence != 0) {
        ASSERT_FALSE(done_.count(message.sequence)) << "sent after it was done";
        ASSERT_EQ(out->historical, message.sequence <= newest_at_up_);
        resent += !sent_.insert(message.sequence).second;
      }
      check_order(*out);
      unsigned code = message.topic == "forbidden"            ? 0x87
                      : storm && chance(chances_.refuse_busy) ? 0x97
                      : chance(chances_.unheard)              ? 0x10
                                                              : 0;
      if (code < 0x80) received_.insert(message.sequence);
      if (storm && chance(chances_.lose_ack)) continue;
      under_way_.push_back(
          {out->id, epoch_, message.sequence, code, now_ + std::chrono::milliseconds(pick(60))});
    }
  }

  // No backlog message leaves while something of a higher lane is known to the machine and has not
  // left: what the machine was offered is not visible here, so order is judged within one burst.
  void check_order(const Machine::Outgoing& out) {
    if (burst_at_ != now_) burst_rank_ = Machine::Rank::document;
    burst_at_ = now_;
    ASSERT_GE(static_cast<int>(out.rank), static_cast<int>(burst_rank_));
    burst_rank_ = out.rank;
  }

  void check() {
    unsigned window = chances_.in_flight;
    if (chances_.receive_max != 0) window = std::min(window, chances_.receive_max);
    ASSERT_LE(in_flight_.size(), window);
    ASSERT_EQ(in_flight_.size(), machine_.in_flight());
    ASSERT_TRUE(machine_.link() == Machine::Link::up || machine_.in_flight() == 0);
  }

  std::mt19937 random_;
  Chances chances_;
  Machine machine_;
  BootTime now_{1000s};
  std::uint64_t epoch_ = 0;
  std::int64_t made_ = 0, newest_at_up_ = 0;
  std::vector<Message> outbox_;
  std::set<std::int64_t> done_, aside_, received_, sent_;
  std::set<std::uint64_t> in_flight_;
  std::vector<UnderWay> under_way_;
  std::optional<std::pair<Machine::Want, std::vector<Message>>> pulling_;
  BootTime burst_at_{};
  Machine::Rank burst_rank_ = Machine::Rank::document;
};

TEST(UplinkProperty, NothingIsLostAndEverythingIsDoneExactlyOnce) {
  std::uint64_t losses = 0, late = 0, resent = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed, Chances());
    world.run(2000);
    if (HasFatalFailure()) return;
    losses += world.losses;
    late += world.late;
    resent += world.resent;
  }
  // The faults did happen.
  EXPECT_GT(losses, 100u);
  EXPECT_GT(late, 20u);
  EXPECT_GT(resent, 500u);
}

TEST(UplinkProperty, NorWithASmallWindowAndAVeryBadLine) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chances chances;
    chances.drop = 0.02;
    chances.host_dies = 0.01;
    chances.receive_max = 1 + seed % 7;
    World world(seed, chances);
    world.run(500);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace gerbang
