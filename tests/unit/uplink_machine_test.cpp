// SPDX-License-Identifier: Apache-2.0
#include "core/uplink_machine.hpp"

#include <gtest/gtest.h>

namespace gerbang {
namespace {

using namespace std::chrono_literals;
using Machine = UplinkMachine;
using Loss = UplinkMachine::Loss;
using Rank = UplinkMachine::Rank;

// A machine, a clock and an outbox of the simplest kind.
class UplinkMachineTest : public ::testing::Test {
 protected:
  UplinkMachineTest() { limits.backlog_rate = 0; }

  void start() { machine.emplace(limits); }

  void add(int count, Lane lane = Lane::live, std::size_t bytes = 100) {
    for (int i = 0; i < count; ++i) {
      Message message;
      message.sequence = static_cast<std::int64_t>(outbox.size()) + 1;
      message.lane = lane;
      message.topic = "topic";
      message.body.assign(bytes, 'x');
      outbox.push_back(message);
    }
    if (machine) machine->on_new_messages();
  }

  void up(unsigned receive_max = 0, std::size_t max_packet = 0) {
    if (!machine) start();
    machine->on_connecting(now);
    machine->on_up(now, receive_max, max_packet, static_cast<std::int64_t>(outbox.size()));
  }

  void pull() {
    while (auto want = machine->want()) {
      std::vector<Message> found;
      for (const Message& message : outbox)
        if (message.sequence > want->above && message.sequence < want->below &&
            message.lane == want->lane && done.count(message.sequence) == 0 &&
            found.size() < want->limit)
          found.push_back(message);
      machine->offer(*want, std::move(found));
    }
  }

  // What goes out now, with everything pulled that is wanted.
  std::vector<Machine::Outgoing> send() {
    std::vector<Machine::Outgoing> out;
    pull();
    while (const auto* next = machine->next(now)) {
      out.push_back(*next);
      machine->sent(next->id, next->message.body.size(), now);
      pull();
    }
    return out;
  }
  // The same, after the time that the machine itself names if there is nothing now.
  std::vector<Machine::Outgoing> send_or_wait() {
    auto out = send();
    for (auto wake = machine->wake(now); out.empty() && wake && *wake > now;
         wake = machine->wake(now)) {
      now = *wake;
      out = send();
    }
    return out;
  }
  std::vector<std::int64_t> send_sequences() {
    std::vector<std::int64_t> out;
    for (const auto& each : send()) out.push_back(each.message.sequence);
    return out;
  }

  Machine::Verdict ack(std::uint64_t id, unsigned code = 0) {
    auto verdict = machine->on_acked(id, code, now);
    if (verdict.kind != Machine::Verdict::nothing && verdict.sequence != 0)
      done.insert(verdict.sequence);
    return verdict;
  }

  // Loses the connection and comes back when the back-off allows.
  std::optional<Machine::Verdict> bounce(Loss loss = Loss::peer) {
    machine->on_down(now, loss, 0);
    std::optional<Machine::Verdict> verdict;
    for (auto& each : machine->take_set_aside()) {
      done.insert(each.sequence);
      verdict = std::move(each);
    }
    now = std::max(now, *machine->wake(now));
    EXPECT_TRUE(machine->connect_due(now));
    up();
    return verdict;
  }

  static Message document(const std::string& topic, const std::string& body) {
    Message message;
    message.topic = topic;
    message.body = body;
    message.retain = true;
    return message;
  }

  UplinkLimits limits;
  BootTime now{100s};
  std::vector<Message> outbox;
  std::set<std::int64_t> done;
  std::optional<Machine> machine;
};

using Sequences = std::vector<std::int64_t>;

TEST_F(UplinkMachineTest, SendsTheOldestFirstAndNeverMoreThanTheWindow) {
  limits.in_flight = 8;
  up();
  add(10);
  auto first = send();
  ASSERT_EQ(first.size(), 8u);
  EXPECT_EQ(first.front().message.sequence, 1);
  ack(first[0].id);
  ack(first[1].id);
  EXPECT_EQ(send_sequences(), (Sequences{9, 10}));
}

TEST_F(UplinkMachineTest, TheBrokersReceiveMaximumMakesTheWindowSmaller) {
  up(/*receive_max=*/3);
  add(10);
  EXPECT_EQ(send().size(), 3u);
}

TEST_F(UplinkMachineTest, ALargerReceiveMaximumDoesNotMakeItLarger) {
  limits.in_flight = 5;
  up(/*receive_max=*/65535);
  add(10);
  EXPECT_EQ(send().size(), 5u);
}

TEST_F(UplinkMachineTest, DocumentsThenUrgentThenLiveThenBacklog) {
  add(3);
  add(1, Lane::urgent);
  up();
  add(1);
  add(1, Lane::urgent);
  machine->put_document(document("state", "on"));
  EXPECT_EQ(send_sequences(), (Sequences{0, 4, 6, 5, 1, 2, 3}));
}

TEST_F(UplinkMachineTest, OnlyWhatWasMadeBeforeTheConnectionIsHistorical) {
  add(1);
  add(1, Lane::urgent);
  up();
  add(1);
  add(1, Lane::urgent);
  std::map<std::int64_t, bool> historical;
  for (const auto& out : send()) historical[out.message.sequence] = out.historical;
  EXPECT_EQ(historical,
            (std::map<std::int64_t, bool>{{1, true}, {2, true}, {3, false}, {4, false}}));
}

TEST_F(UplinkMachineTest, TheBacklogLeavesFourPlacesToTheOthers) {
  limits.in_flight = 10;
  add(50);
  up();
  EXPECT_EQ(send().size(), 6u);
  add(2);
  add(2, Lane::urgent);
  EXPECT_EQ(send_sequences(), (Sequences{53, 54, 51, 52}));
}

TEST_F(UplinkMachineTest, ATinyWindowStillMovesTheBacklog) {
  limits.in_flight = 1;
  add(3);
  up();
  auto first = send();
  ASSERT_EQ(first.size(), 1u);
  ack(first[0].id);
  EXPECT_EQ(send_sequences(), (Sequences{2}));
}

TEST_F(UplinkMachineTest, TheBacklogGoesAtItsRateAndLiveMessagesDoNotWaitForIt) {
  limits.backlog_rate = 10;
  add(200);
  up();
  int backlog = 0;
  for (auto end = now + 10s; now < end; now += 50ms) {
    if (now.time_since_epoch() % 1s == 0ns) add(1);
    for (const auto& out : send()) {
      backlog += out.rank == Rank::backlog;
      ack(out.id);
    }
  }
  EXPECT_NEAR(backlog, 100, 2);
  EXPECT_EQ(machine->counts().acknowledged, static_cast<unsigned>(backlog) + 10);
}

TEST_F(UplinkMachineTest, AWakeUpIsNamedForTheNextMessageOfTheBacklog) {
  limits.backlog_rate = 10;
  add(20);
  up();
  for (const auto& out : send()) ack(out.id);
  auto wake = machine->wake(now);
  ASSERT_TRUE(wake);
  EXPECT_LE(*wake, now + 200ms);
  now = *wake;
  EXPECT_FALSE(send().empty());
}

TEST_F(UplinkMachineTest, EverythingUnacknowledgedIsSentAgainAfterALoss) {
  up();
  add(3);
  auto first = send();
  ack(first[1].id);
  bounce();
  auto again = send();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].message.sequence, 1);
  EXPECT_TRUE(again[0].historical);
  ack(again[0].id);
  EXPECT_EQ(send_sequences(), Sequences{3});
}

TEST_F(UplinkMachineTest, ALateAcknowledgementCountsAndTheMessageIsNotSentAgain) {
  up();
  add(2);
  auto first = send();
  bounce();
  auto verdict = ack(first[0].id);
  EXPECT_EQ(verdict.kind, Machine::Verdict::acknowledged);
  EXPECT_EQ(verdict.sequence, 1);
  EXPECT_EQ(send_sequences(), (Sequences{2}));
  EXPECT_EQ(machine->counts().late, 1u);
}

TEST_F(UplinkMachineTest, ALateAcknowledgementDuringAPullIsNotPulledBack) {
  up();
  add(2);
  auto first = send();
  bounce();
  auto want = machine->want();
  while (want && want->rank != Rank::backlog) {
    machine->offer(*want, {});
    want = machine->want();
  }
  ASSERT_TRUE(want);
  ack(first[0].id);
  machine->offer(*want, outbox);  // read by the store's thread before it heard of the outcome
  EXPECT_EQ(send_sequences(), (Sequences{2}));
}

TEST_F(UplinkMachineTest, ALateAcknowledgementOfAMessageInFlightAgainIsDoneOnce) {
  up();
  add(1);
  auto first = send();
  bounce();
  auto second = send();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(ack(first[0].id).kind, Machine::Verdict::acknowledged);
  EXPECT_EQ(ack(second[0].id).kind, Machine::Verdict::nothing);
  EXPECT_EQ(machine->counts().acknowledged, 1u);
  EXPECT_EQ(machine->in_flight(), 0u);
}

TEST_F(UplinkMachineTest, AnAcknowledgementThatComesTwiceOrIsUnknownDoesNothing) {
  up();
  add(1);
  auto first = send();
  ack(first[0].id);
  EXPECT_EQ(ack(first[0].id).kind, Machine::Verdict::nothing);
  EXPECT_EQ(ack(4711).kind, Machine::Verdict::nothing);
}

TEST_F(UplinkMachineTest, MessagesOfAnEndedEpochAreIgnored) {
  add(2);
  up();
  auto want = machine->want();
  while (want && want->rank != Rank::backlog) {
    machine->offer(*want, {});
    want = machine->want();
  }
  ASSERT_TRUE(want);
  machine->on_down(now, Loss::peer, 0);
  machine->offer(*want, outbox);
  EXPECT_EQ(machine->next(now), nullptr);
  now += 2s;
  up();
  machine->offer(*want, outbox);
  EXPECT_EQ(machine->next(now), nullptr);
  EXPECT_EQ(send_sequences(), (Sequences{1, 2}));
}

TEST_F(UplinkMachineTest, NewsThatItIsUpWhileItIsUpSendsNothingTwice) {
  add(3);
  up();
  ASSERT_EQ(send().size(), 3u);
  machine->on_up(now, 0, 0, 3);
  EXPECT_TRUE(send().empty());
}

TEST_F(UplinkMachineTest, ANewMessageDuringAPullIsAskedForAfterIt) {
  up();
  auto want = machine->want();
  ASSERT_TRUE(want);
  ASSERT_EQ(want->rank, Rank::urgent);
  add(1, Lane::urgent);
  machine->offer(*want, {});
  EXPECT_EQ(send_sequences(), (Sequences{1}));
}

TEST_F(UplinkMachineTest, ASlowOutboxWithConstantNewsDoesNotKeepTheBacklogWaiting) {
  add(10);
  up();
  std::size_t backlog = 0;
  for (int pulls = 0; pulls < 12; ++pulls) {
    auto want = machine->want();
    ASSERT_TRUE(want);
    add(1);  // a window closes while the disk answers
    std::vector<Message> found;
    for (const Message& message : outbox)
      if (message.sequence > want->above && message.sequence < want->below &&
          message.lane == want->lane && found.size() < want->limit)
        found.push_back(message);
    if (want->rank == Rank::backlog) backlog += found.size();
    machine->offer(*want, std::move(found));
  }
  EXPECT_EQ(backlog, 10u);
}

TEST_F(UplinkMachineTest, WhatIsPulledAheadIsBounded) {
  limits.ahead_messages = 10;
  add(1000);
  up();
  pull();
  EXPECT_FALSE(machine->want());
  send();
  limits.ahead_messages = 1000;
  limits.ahead_bytes = 5000;
  machine.emplace(limits);
  up();
  std::size_t pulled = 0;
  while (auto want = machine->want()) {
    if (want->rank != Rank::backlog) {
      machine->offer(*want, {});
      continue;
    }
    EXPECT_LE(want->max_bytes, 5000u);
    pulled += 10;
    machine->offer(*want, {outbox.begin() + want->above, outbox.begin() + want->above + 10});
    ASSERT_LT(pulled, 100u);
  }
}

TEST_F(UplinkMachineTest, LargeMessagesInFlightAreBoundedByTheirBytes) {
  limits.in_flight_bytes = 1000;
  up();
  add(10, Lane::live, 400);
  EXPECT_EQ(send().size(), 3u);
}

TEST_F(UplinkMachineTest, NobodyListensIsSuccessAndCounted) {
  up();
  add(1);
  auto verdict = ack(send()[0].id, 0x10);
  EXPECT_EQ(verdict.kind, Machine::Verdict::acknowledged);
  EXPECT_TRUE(verdict.unheard);
  EXPECT_EQ(machine->counts().unheard, 1u);
}

// ---- refusals -----------------------------------------------------------------------------------

TEST_F(UplinkMachineTest, AForbiddenMessageIsSetAsideAfterThreeTriesAndThoseBehindItFlow) {
  up();
  add(1);
  auto out = send();
  int tries = 0;
  std::vector<std::string> reasons;
  for (int step = 0; step < 100 && reasons.empty(); ++step) {
    add(1);
    for (auto& each : out) {
      bool forbidden = each.message.sequence == 1;
      tries += forbidden;
      auto verdict = ack(each.id, forbidden ? 0x87 : 0);
      if (verdict.kind == Machine::Verdict::set_aside) reasons.push_back(verdict.reason);
    }
    now += 100ms;
    out = send();
  }
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(reasons, std::vector<std::string>{"not authorised (MQTT code 0x87)"});
  EXPECT_GT(machine->counts().acknowledged, 20u);
  EXPECT_EQ(machine->link(), Machine::Link::up);
}

TEST_F(UplinkMachineTest, TriesAreRememberedOverALoss) {
  up();
  add(1);
  ack(send()[0].id, 0x87);
  bounce();
  ack(send()[0].id, 0x87);
  bounce();
  EXPECT_EQ(ack(send()[0].id, 0x87).kind, Machine::Verdict::set_aside);
}

TEST_F(UplinkMachineTest, AThousandForbiddenMessagesDoNotKeepAnotherWaiting) {
  up();
  add(1000);
  std::size_t aside = 0;
  std::optional<BootTime> other;
  auto begin = now;
  for (int step = 0; step < 10'000 && (!other || aside < 1000); ++step) {
    if (step == 5) add(1);
    for (const auto& out : send()) {
      bool good = out.message.sequence == 1001;
      auto verdict = ack(out.id, good ? 0 : 0x87);
      if (good) other = now;
      aside += verdict.kind == Machine::Verdict::set_aside;
    }
    now += 10ms;
  }
  EXPECT_EQ(aside, 1000u);
  ASSERT_TRUE(other);
  EXPECT_LT(*other - begin, 10s);
}

TEST_F(UplinkMachineTest, ABrokerThatRefusesEverythingForAWhileLosesNothing) {
  for (unsigned code : {0x80u, 0x83u, 0x97u}) {
    machine.reset();
    outbox.clear();
    done.clear();
    up();
    add(500);
    auto healed = now + 3h;
    unsigned long sendings = 0;
    while (done.size() < outbox.size() && now < healed + 30min) {
      for (const auto& out : send()) {
        ++sendings;
        auto verdict = ack(out.id, now < healed ? code : 0);
        EXPECT_NE(verdict.kind, Machine::Verdict::set_aside);
      }
      auto wake = machine->wake(now);
      now = wake ? std::max(now + 1ms, *wake) : now + 1s;
    }
    EXPECT_EQ(done.size(), 500u);
    EXPECT_LT(sendings, 20'000u) << "the back-off does not grow";
  }
}

TEST_F(UplinkMachineTest, AMessageRefusedWithoutReasonWhileOthersAreTakenIsSetAsideInTheEnd) {
  up();
  add(1);
  std::string reason;
  auto begin = now;
  while (reason.empty() && now < begin + 1h) {
    add(1);
    for (const auto& out : send()) {
      auto verdict = ack(out.id, out.message.sequence == 1 ? 0x80 : 0);
      if (verdict.kind == Machine::Verdict::set_aside) reason = verdict.reason;
    }
    now += 500ms;
  }
  EXPECT_EQ(reason, "refused without a reason (MQTT code 0x80) while others were taken");
  EXPECT_GT(now - begin, 2min);
}

TEST_F(UplinkMachineTest, WhatCannotBeSentIsSetAsideAtOnce) {
  up(0, /*max_packet=*/50);
  add(1);
  pull();
  const auto* out = machine->next(now);
  ASSERT_TRUE(out);
  EXPECT_EQ(machine->max_packet(), 50u);
  auto verdict = machine->unsendable(out->id, "100 bytes, the broker takes 50");
  EXPECT_EQ(verdict.kind, Machine::Verdict::set_aside);
  EXPECT_EQ(verdict.sequence, 1);
  EXPECT_EQ(machine->in_flight(), 0u);
}

// ---- the connection -----------------------------------------------------------------------------

TEST_F(UplinkMachineTest, WaitsLongerAfterEachFailureUpToFiveMinutes) {
  start();
  const BootTime lost = now;
  std::vector<double> waits;
  for (int i = 0; i < 40; ++i) {
    machine->on_connecting(now);
    machine->on_down(now, Loss::peer, /*unit=*/1.0);
    waits.push_back(std::chrono::duration<double>(*machine->wake(now) - now).count());
    if (i > 0) {
      EXPECT_GE(waits.back(), waits[waits.size() - 2]);
    }
    EXPECT_FALSE(machine->connect_due(now));
    now = *machine->wake(now);
    EXPECT_TRUE(machine->connect_due(now));
  }
  EXPECT_EQ(waits.front(), 2);
  EXPECT_EQ(waits.back(), 300);
  EXPECT_GT(now - lost, 20min);
}

TEST_F(UplinkMachineTest, ABrokerThatIsBackIsTriedWithinAQuarterOfItsAbsence) {
  start();
  up();
  now += 1h;
  const BootTime lost = now;
  machine->on_down(now, Loss::peer, /*unit=*/1.0);
  while (now - lost < 120s) {
    now = *machine->wake(now);
    machine->on_connecting(now);
    machine->on_down(now, Loss::peer, /*unit=*/1.0);
    EXPECT_LE(*machine->wake(now) - now, std::max<std::chrono::nanoseconds>(2s, (now - lost) / 4));
  }
  EXPECT_LE(*machine->wake(now) - now, 38s);
}

TEST_F(UplinkMachineTest, JitterNeverMakesAWaitShorterThanASecond) {
  start();
  machine->on_connecting(now);
  machine->on_down(now, Loss::peer, /*unit=*/0.0);
  EXPECT_EQ(*machine->wake(now) - now, 1s);
}

TEST_F(UplinkMachineTest, AConnectionThatWasGoodForSomethingResetsTheWait) {
  start();
  for (int i = 0; i < 8; ++i) {
    machine->on_connecting(now);
    machine->on_down(now, Loss::peer, 0);
  }
  up();
  add(1);
  ack(send()[0].id);
  machine->on_down(now, Loss::peer, 0);
  EXPECT_EQ(*machine->wake(now) - now, 1s);
}

TEST_F(UplinkMachineTest, AConnectionThatIsCutAtOnceDoesNot) {
  start();
  std::chrono::nanoseconds last{};
  for (int i = 0; i < 60; ++i) {
    up();
    machine->on_down(now, Loss::peer, 0);
    auto wait = *machine->wake(now) - now;
    EXPECT_GE(wait, last);
    last = wait;
    now += wait;
  }
  EXPECT_GE(last, 2min);
}

TEST_F(UplinkMachineTest, TwoClientsWithOneIdentifierDoNotFightEverySecond) {
  start();
  std::chrono::nanoseconds wait{};
  for (int i = 0; i < 60; ++i) {
    up();
    add(1);
    for (const auto& out : send()) ack(out.id);
    machine->on_down(now, Loss::replaced, 0);
    wait = *machine->wake(now) - now;
    now += wait;
  }
  EXPECT_GE(wait, 30s);
}

TEST_F(UplinkMachineTest, AHostThatDiedIsConnectedAgainAtOnceButNotForEver) {
  up();
  add(1);
  ack(send()[0].id);
  machine->on_down(now, Loss::host, 0);
  EXPECT_TRUE(machine->connect_due(now));
  machine->on_connecting(now);
  machine->on_down(now, Loss::host, 0);
  EXPECT_FALSE(machine->connect_due(now));
}

TEST_F(UplinkMachineTest, SilenceOfFifteenSecondsEndsTheConnection) {
  up();
  add(1);
  send();
  now += 14s;
  EXPECT_FALSE(machine->stalled(now));
  EXPECT_LE(*machine->wake(now), now + 1s + 1ms);
  now += 1s;
  EXPECT_TRUE(machine->stalled(now));
}

TEST_F(UplinkMachineTest, AnIdleConnectionIsNotSilence) {
  up();
  add(1);
  ack(send()[0].id);
  now += 1h;
  EXPECT_FALSE(machine->stalled(now));
}

TEST_F(UplinkMachineTest, ASlowLineGetsTheTimeThatItsBytesNeed) {
  up();
  add(1, Lane::live, 64u << 10);
  send();
  now += 30s;
  EXPECT_FALSE(machine->stalled(now));
  now += 20s;
  EXPECT_TRUE(machine->stalled(now));
}

TEST_F(UplinkMachineTest, AnAttemptWithoutAnAnswerIsEnded) {
  start();
  machine->on_connecting(now);
  EXPECT_FALSE(machine->stalled(now + 34s));
  EXPECT_TRUE(machine->stalled(now + 35s));
}

// ---- poison -------------------------------------------------------------------------------------

TEST_F(UplinkMachineTest, AMessageThatEndsTheConnectionIsFoundAndSetAside) {
  add(30);
  start();
  up();
  std::optional<Machine::Verdict> verdict;
  int losses = 0;
  for (int round = 0; round < 50 && !verdict; ++round) {
    machine->put_document(document("state", std::to_string(round)));
    add(30);  // as time goes on
    bool lost = false;
    while (!lost) {
      auto out = send_or_wait();
      if (out.empty()) break;
      for (const auto& each : out) {
        lost |= each.message.sequence == 7;
        if (lost) break;
        ack(each.id);
      }
    }
    losses += lost;
    if (lost) verdict = bounce();
  }
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->sequence, 7);
  EXPECT_EQ(verdict->reason, "the connection ended each time it was sent");
  EXPECT_LE(losses, 6);
  machine->put_document(document("state", "after"));
  for (auto out = send_or_wait(); !out.empty(); out = send_or_wait())
    for (const auto& each : out) ack(each.id);
  EXPECT_EQ(done.size(), outbox.size());
}

// It takes so many messages of each connection and resets at the next, whatever that carries.
TEST_F(UplinkMachineTest, ABrokerThatResetsAfterSomeMessagesLosesNothing) {
  for (int takes : {1, 2, 3, 4, 7, 19, 20, 21}) {
    outbox.clear();
    done.clear();
    start();
    up();
    for (int round = 0; round < 60; ++round) {
      machine->put_document(document("state", std::to_string(round)));
      machine->put_document(document("description", std::to_string(round)));
      if (round % 3 == 0) add(1);
      int taken = 0;
      for (auto out = send(); !out.empty() && taken < takes; out = send())
        for (const auto& each : out)
          if (taken < takes && ++taken > 0) ack(each.id);
      send();
      now += 100ms;
      EXPECT_FALSE(bounce()) << takes;
    }
    EXPECT_EQ(machine->counts().set_aside, 0u) << takes;
    machine->put_document(document("state", "a good broker"));
    for (int minutes = 0; minutes < 5; ++minutes, now += 1min) {
      add(1);
      for (auto out = send(); !out.empty(); out = send())
        for (const auto& each : out) ack(each.id);
    }
    EXPECT_EQ(done.size(), outbox.size()) << takes;
  }
}

// Each connection lives a while, in which an answer takes long.
TEST_F(UplinkMachineTest, ALineThatLivesShortlyLosesNothing) {
  for (auto life : {2s, 4s, 7s}) {
    outbox.clear();
    done.clear();
    start();
    up();
    for (int round = 0; round < 60; ++round) {
      machine->put_document(document("state", std::to_string(round)));
      if (round % 3 == 0) add(2);
      const BootTime end = now + life;
      for (auto out = send(); now < end; out = send()) {
        now += 900ms;
        if (now < end)
          for (const auto& each : out) ack(each.id);
      }
      EXPECT_FALSE(bounce());
    }
    EXPECT_EQ(machine->counts().set_aside, 0u) << life.count();
    EXPECT_GE(done.size() + 4, outbox.size()) << life.count() << ": it only loses the last ones";
  }
}

TEST_F(UplinkMachineTest, ALineThatCutsEveryConnectionPoisonsNothing) {
  add(5);
  start();
  up();
  for (int i = 0; i < 100; ++i) {
    machine->put_document(document("state", std::to_string(i)));
    send();
    EXPECT_FALSE(bounce());
  }
  EXPECT_EQ(machine->counts().set_aside, 0u);
}

TEST_F(UplinkMachineTest, ALineThatSwallowsEverythingPoisonsNothing) {
  add(5);
  start();
  up();
  for (int i = 0; i < 20; ++i) {
    machine->put_document(document("state", std::to_string(i)));
    auto out = send();
    if (!out.empty()) ack(out[0].id);
    send();
    now += 20s;
    ASSERT_TRUE(machine->stalled(now) || machine->in_flight() == 0);
    EXPECT_FALSE(bounce(Loss::watchdog));
  }
  EXPECT_EQ(machine->counts().set_aside, 0u);
}

// It ends the connection at a forbidden message, and the answers to those before it are lost with
// it: TCP drops what was received when the other side resets.
TEST_F(UplinkMachineTest, ABrokerWhoseResetsTakeTheAnswersAlongHoldsTheOthersUpShortly) {
  for (int forbidden : {1, 3, 20, 100}) {
    outbox.clear();
    done.clear();
    start();
    up();
    const BootTime began = now;
    for (int i = 0; i < std::max(20, forbidden); ++i) {
      add(1);
      outbox.back().topic = "open";
      if (i >= forbidden) continue;
      add(1, Lane::urgent);
      outbox.back().topic = "forbidden";
    }
    int losses = 0;
    std::uint64_t good = outbox.size() - static_cast<std::size_t>(forbidden);
    BootTime all_good{};
    while (done.size() < outbox.size() && losses < 100 && now < began + 1h) {
      machine->put_document(document("state", std::to_string(losses)));
      bool lost = false;
      for (auto out = send(); !out.empty() && !lost; out = send()) {
        now += 5ms;
        for (const auto& each : out) lost |= each.message.topic == "forbidden";
        if (!lost)
          for (const auto& each : out) ack(each.id);
      }
      for (const auto& verdict : machine->take_set_aside()) done.insert(verdict.sequence);
      if (all_good == BootTime{} && machine->counts().acknowledged >= good) all_good = now;
      losses += lost;
      if (lost) bounce();
      if (lost || done.size() == outbox.size()) continue;
      now += 1s;
      add(1);
      outbox.back().topic = "open";
      ++good;
    }
    EXPECT_EQ(done.size(), outbox.size()) << forbidden;
    EXPECT_EQ(machine->counts().set_aside, static_cast<std::uint64_t>(forbidden));
    EXPECT_LT(all_good - began, 20s) << forbidden;
    EXPECT_LE(losses, 15) << forbidden;
  }
}

TEST_F(UplinkMachineTest, AfterALossTheWindowOpensWithTheAnswers) {
  add(60);
  up();
  EXPECT_EQ(send().size(), 16u);
  bounce();
  for (std::size_t window : {4u, 8u, 16u, 20u}) {
    add(60);
    auto out = send();
    EXPECT_EQ(out.size(), window);
    for (const auto& each : out) ack(each.id);
  }
}

TEST_F(UplinkMachineTest, AForbiddenTopicThatCostsConnectionsIsClosed) {
  start();
  up();
  for (int i = 0; i < 30; ++i) {
    add(1);
    outbox.back().topic = i % 2 == 0 ? "forbidden" : "open";
  }
  int losses = 0;
  for (bool more = true; more && losses < 50;) {
    machine->put_document(document("state", std::to_string(losses)));
    more = false;
    while (!more) {
      auto out = send_or_wait();
      if (out.empty()) break;
      for (const auto& each : out) {
        more = each.message.topic == "forbidden";
        ack(each.id, more ? 0x87 : 0);
        if (more) break;
      }
    }
    for (const auto& verdict : machine->take_set_aside()) done.insert(verdict.sequence);
    if (more) bounce();
    losses += more;
  }
  EXPECT_LE(losses, 6);
  EXPECT_EQ(done.size(), 30u);
  EXPECT_EQ(machine->counts().acknowledged, 15u);
  EXPECT_EQ(machine->counts().set_aside, 15u);

  // Asked again after a while, and open from then on if it is taken.
  now += 6min;
  for (int i = 0; i < 2; ++i) {
    add(1);
    outbox.back().topic = "forbidden";
    auto out = send();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(ack(out[0].id).kind, Machine::Verdict::acknowledged);
  }
}

// ---- documents ----------------------------------------------------------------------------------

TEST_F(UplinkMachineTest, TheNewestDocumentOfATopicReplacesTheOneThatWaits) {
  limits.in_flight = 1;
  up();
  machine->put_document(document("state", "one"));
  auto first = send();
  machine->put_document(document("state", "two"));
  machine->put_document(document("state", "three"));
  ack(first[0].id);
  auto second = send();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].message.body, "three");
}

TEST_F(UplinkMachineTest, ARefusedDocumentIsNotTriedAgainUntilItChanges) {
  up();
  for (int i = 0; i < 5; ++i) {
    machine->put_document(document("description", "text"));
    for (const auto& out : send()) ack(out.id, 0x87);
    now += 5s;
  }
  EXPECT_EQ(machine->counts().set_aside, 1u);
  EXPECT_EQ(machine->counts().sent, 3u);
  machine->put_document(document("description", "other text"));
  EXPECT_EQ(send().size(), 1u);
}

// What an indicator said last is a document for an uplink that is new, and then its next window.
TEST_F(UplinkMachineTest, ARefusedDocumentDoesNotComeAfterANewerMessageOfItsTopic) {
  for (bool refused_before : {true, false}) {
    outbox.clear();
    done.clear();
    start();
    up();
    machine->put_document(document("topic", "old"));
    auto first = send();
    ASSERT_EQ(first.size(), 1u);
    if (refused_before) ack(first[0].id, 0x87);
    add(1);
    outbox.back().retain = true;
    auto second = send();
    ASSERT_EQ(second.size(), 1u);
    ASSERT_EQ(second[0].message.sequence, 1);
    if (!refused_before) ack(first[0].id, 0x87);
    ack(second[0].id);
    for (int i = 0; i < 60; ++i) {
      now += 1s;
      EXPECT_TRUE(send().empty()) << i;
    }
    machine->put_document(document("topic", "new"));
    EXPECT_EQ(send().size(), 1u);
  }
}

TEST_F(UplinkMachineTest, DocumentsAreForgottenWithTheConnection) {
  up();
  machine->put_document(document("state", "one"));
  bounce();
  EXPECT_TRUE(send().empty());
}

TEST_F(UplinkMachineTest, DocumentsDoNotCountAsMessages) {
  up();
  machine->put_document(document("state", "one"));
  auto verdict = ack(send()[0].id);
  EXPECT_EQ(verdict.kind, Machine::Verdict::acknowledged);
  EXPECT_EQ(verdict.sequence, 0);
  EXPECT_EQ(verdict.topic, "state");
  EXPECT_EQ(machine->counts().acknowledged, 0u);
}

}  // namespace
}  // namespace gerbang
