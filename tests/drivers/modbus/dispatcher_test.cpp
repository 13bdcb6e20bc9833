// SPDX-License-Identifier: Apache-2.0
#include "modbus/dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;
using Time = Dispatcher::Time;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Request request(int unit, Time interval = 1s, int first = 0) {
  Request r;
  r.unit = static_cast<std::uint8_t>(unit);
  r.first = static_cast<std::uint16_t>(first);
  r.count = 1;
  r.interval = interval;
  r.points = {static_cast<std::size_t>(unit)};
  return r;
}
std::vector<gerbang_reason> reasons(Dispatcher& d) {
  std::vector<gerbang_reason> out;
  for (const auto& missing : d.take_missing()) out.push_back(missing.reason);
  return out;
}

// A line on which an answer takes 5 ms and silence the time-out, driven over simulated time.
struct SimulatedLine {
  Dispatcher::Settings settings;
  Dispatcher dispatcher;
  std::set<int> dead;
  Time now = 0s;
  Time answer_takes = 5ms;
  std::map<int, std::vector<Time>> answered, asked;
  std::map<int, int> missing;

  explicit SimulatedLine(std::vector<Request> requests, Dispatcher::Settings s = {})
      : settings(s), dispatcher(std::move(requests), s, 0s) {}

  void run_until(Time end) {
    while (now < end) {
      dispatcher.advance(now);
      for (const auto& m : dispatcher.take_missing()) ++missing[dispatcher.request(m.request).unit];
      const auto next = dispatcher.pick(now);
      if (!next) {
        now = std::max(now + 1ms, std::min(dispatcher.wake(now), end));
        continue;
      }
      const int unit = dispatcher.request(*next).unit;
      asked[unit].push_back(now);
      if (dead.contains(unit)) {
        now += settings.timeout;
        dispatcher.failed(*next, GERBANG_REASON_TIMEOUT, now - settings.timeout, now);
      } else {
        now += answer_takes;
        answered[unit].push_back(now);
        dispatcher.answered(*next, now);
      }
    }
  }
};

std::vector<Request> ten_units() {
  std::vector<Request> all;
  for (int unit = 1; unit <= 10; ++unit) all.push_back(request(unit));
  return all;
}
Time longest_pause(const std::vector<Time>& times) {
  Time longest{};
  for (std::size_t i = 1; i < times.size(); ++i)
    longest = std::max(longest, times[i] - times[i - 1]);
  return longest;
}

TEST(Dispatcher, AsksEachRequestOnceATurn) {
  SimulatedLine line({request(1), request(2, 2s)});
  line.run_until(10s);
  EXPECT_THAT(line.answered[1], SizeIs(10));
  EXPECT_THAT(line.answered[2], SizeIs(5));
  EXPECT_EQ(line.dispatcher.skipped(), 0u);
}

TEST(Dispatcher, ADeadUnitAmongNineLiveOnesDoesNotMoveTheirIntervals) {
  SimulatedLine line(ten_units());
  line.dead = {3};
  line.run_until(10s);  // from the start, and
  line.dead = {7};
  line.run_until(20s);  // in full run
  line.dead = {7, 3};
  line.run_until(200s);
  for (int unit : {1, 2, 4, 5, 6, 8, 9, 10}) {
    EXPECT_GE(line.answered[unit].size(), 199u) << unit;
    // The first failure of a unit that was fine until then cannot be foreseen.
    EXPECT_LE(longest_pause(line.answered[unit]), 1s + line.settings.timeout + 50ms) << unit;
    const auto late = std::count_if(line.answered[unit].begin() + 1, line.answered[unit].end(),
                                    [&, previous = line.answered[unit].front()](Time t) mutable {
                                      const Time pause = t - std::exchange(previous, t);
                                      return pause > 1050ms;
                                    });
    EXPECT_LE(late, 4) << unit;
  }
  EXPECT_EQ(line.dispatcher.skipped(), 0u);
}

TEST(Dispatcher, ADeadUnitIsAskedEverMoreRarelyUpToTheLimit) {
  SimulatedLine line(ten_units());
  line.dead = {3};
  line.run_until(3600s);
  const auto& asked = line.asked[3];
  EXPECT_LE(asked.size(), 25u);
  EXPECT_GE(asked.size(), 15u);
  for (std::size_t i = 3; i < asked.size(); ++i) {
    EXPECT_GE(asked[i] - asked[i - 1] + 1s, std::min<Time>(asked[i - 1] - asked[i - 2], 299s));
    EXPECT_LE(asked[i] - asked[i - 1], 303s);
  }
  EXPECT_GE(asked.back() - asked[asked.size() - 2], 299s);
  EXPECT_NEAR(line.missing[3], 3600, 4);  // and says so each turn
}

TEST(Dispatcher, OneRequestThatIsNeverAnsweredIsBackedOffAloneToo) {
  auto requests = ten_units();
  requests.push_back(request(3, 1s, 500));
  Dispatcher d(requests, {}, 0s);
  std::map<std::size_t, int> answers, failures;
  std::map<std::size_t, Time> last;
  Time longest{};
  for (Time now = 0s; now < 600s;) {
    d.advance(now);
    const auto next = d.pick(now);
    if (!next) {
      now = std::max(now + 1ms, d.wake(now));
      continue;
    }
    if (d.request(*next).first == 500) {
      ++failures[*next];
      now += 500ms;
      d.failed(*next, GERBANG_REASON_TIMEOUT, now - 500ms, now);
      continue;
    }
    now += 5ms;
    d.answered(*next, now);
    ++answers[*next];
    if (now > 30s) longest = std::max(longest, now - last[*next]);
    last[*next] = now;
  }
  EXPECT_LE(failures[10], 14);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_GE(answers[i], i == 2 ? 580 : 598) << i;
  EXPECT_LE(longest, 2100ms);  // unit 3 rests for one turn after a time-out; nobody else does
}

TEST(Dispatcher, AUnitThatAnswersAgainIsBackAtOnce) {
  SimulatedLine line(ten_units());
  line.dead = {3};
  line.run_until(100s);
  line.dead = {};
  const auto before = line.asked[3].size();
  line.run_until(260s);
  ASSERT_GT(line.asked[3].size(), before);
  const Time first = line.asked[3][before];
  EXPECT_EQ(line.answered[3].front(), first + 5ms);
  EXPECT_NEAR(static_cast<double>(line.answered[3].size()),
              std::chrono::duration<double>(260s - first).count(), 1);
}

TEST(Dispatcher, OneFailureIsAskedAgainBeforeItsTurnIsLost) {
  Dispatcher d({request(1, 60s)}, {}, 0s);
  d.advance(0s);
  d.failed(*d.pick(0s), GERBANG_REASON_CRC, 0s, 100ms);
  EXPECT_THAT(reasons(d), IsEmpty());
  EXPECT_EQ(d.pick(100ms), 0u);  // at once after a wrong checksum
  d.failed(0, GERBANG_REASON_CRC, 100ms, 200ms);
  EXPECT_THAT(reasons(d), ElementsAre(GERBANG_REASON_CRC));
  EXPECT_EQ(d.pick(1s), std::nullopt);
}

Dispatcher::Settings rtu() {
  Dispatcher::Settings settings;
  settings.numbered = false;
  return settings;
}

// Two requests that look alike; the first had no answer, and was answered when it was asked again.
struct OneIsOwed {
  Dispatcher d{{request(1, 60s, 0), request(1, 60s, 100), request(2, 60s)}, rtu(), 0s};
  std::size_t probe = 3;

  OneIsOwed() {
    d.advance(0s);
    EXPECT_EQ(d.pick(0s), 0u);
    d.failed(0, GERBANG_REASON_TIMEOUT, 0s, 500ms);
    d.answered(2, 510ms);
    EXPECT_EQ(d.pick(510ms), 0u);  // at once, and no other of this unit
    d.answered(0, 700ms);
    EXPECT_EQ(d.pick(700ms), probe);
    EXPECT_TRUE(d.is_probe(probe));
    EXPECT_EQ(d.request(probe).table, Table::input) << "it is not read, so its answer is known";
  }
  // No probe is answered, of any table.
  Time no_answers(Time now) {
    for (auto next = d.pick(now); next && d.is_probe(*next); next = d.pick(now += 500ms))
      d.failed(*next, GERBANG_REASON_TIMEOUT, now, now + 500ms);
    return now;
  }
};

TEST(Dispatcher, WhereAnswersCarryNoNumberAnOpenQuestionIsTheOnlyOneThatMayBeAskedAgain) {
  OneIsOwed given;
  Dispatcher& d = given.d;
  EXPECT_EQ(given.no_answers(700ms), 2200ms) << "three tables are not read";
  EXPECT_EQ(d.pick(10'699ms), std::nullopt) << "the other answer may still come";
  EXPECT_EQ(d.wake(2200ms), 10'700ms);
  EXPECT_EQ(d.pick(10'700ms), 1u);
}

TEST(Dispatcher, AnAnswerThatCanBeToldApartShowsThatNoOtherIsOwed) {
  for (const bool exception : {false, true}) {
    OneIsOwed given;
    exception ? given.d.refused(given.probe, 720ms) : given.d.answered(given.probe, 720ms);
    EXPECT_THAT(reasons(given.d), IsEmpty());
    EXPECT_EQ(given.d.pick(720ms), 1u);
  }
}

TEST(Dispatcher, AUnitOfWhichAllTablesAreReadHasNoProbe) {
  std::vector<Request> all;
  for (const Table table : {Table::coil, Table::discrete, Table::holding, Table::input}) {
    all.push_back(request(1, 60s));
    all.back().table = table;
  }
  all.push_back(request(1, 60s, 100));
  Dispatcher d(all, rtu(), 0s);
  d.advance(0s);
  d.failed(0, GERBANG_REASON_TIMEOUT, 0s, 500ms);
  d.answered(0, 700ms);
  EXPECT_EQ(d.pick(700ms), std::nullopt);
  EXPECT_EQ(d.pick(10'700ms), 1u);
}

TEST(Dispatcher, AnswersThatLookDifferentOrCarryANumberNeedNoSuchCare) {
  auto other = request(1, 60s, 100);
  other.count = 2;
  Dispatcher different({request(1, 60s, 0), other}, rtu(), 0s);
  Dispatcher numbered({request(1, 60s, 0), request(1, 60s, 100)}, {}, 0s);
  for (Dispatcher* d : {&different, &numbered}) {
    d->advance(0s);
    d->failed(0, GERBANG_REASON_TIMEOUT, 0s, 500ms);
    d->answered(0, 510ms);
    EXPECT_EQ(d->pick(510ms), 1u);
  }
}

TEST(Dispatcher, AnOpenQuestionIsForgottenAfterAWhile) {
  Dispatcher d({request(1, 60s, 0), request(1, 60s, 100)}, rtu(), 0s);
  d.advance(0s);
  d.failed(0, GERBANG_REASON_TIMEOUT, 0s, 500ms);
  d.failed(0, GERBANG_REASON_TIMEOUT, 500ms, 1s);
  d.take_missing();
  d.advance(60s);
  ASSERT_EQ(d.pick(60s), 1u);
  d.answered(1, 60010ms);
  EXPECT_EQ(d.pick(60010ms), 0u);
}

// One request, so that every answer is of the right registers: but of when? It had none for 3 s,
// then one comes.
struct OfLongAgo {
  Dispatcher d{{request(1)}, settings(), 1s};
  Time now = 1s, first{}, asked{};
  std::size_t probe = 1;

  static Dispatcher::Settings settings() {
    auto settings = rtu();
    settings.timeout = 300ms;
    return settings;
  }
  std::size_t ask() {
    for (d.advance(now); !d.pick(now); d.advance(now)) now = std::max(now + 1ms, d.wake(now));
    return *d.pick(now);
  }
  OfLongAgo() {
    ask();
    d.answered(0, now += 10ms);
    first = now;
    while (now - first < 3s) {
      ask();
      d.failed(0, GERBANG_REASON_TIMEOUT, now, now + 300ms);
      now += 300ms;
    }
    EXPECT_EQ(ask(), 0u);
    asked = now;
    d.take_missing();
    EXPECT_TRUE(d.stale(0, now += 20ms));
    d.late(0, now);
    EXPECT_EQ(ask(), probe);
  }
};

TEST(Dispatcher, AnAnswerThatMayBeToAQuestionOfLongAgoIsNotUsedAndTheNextOneIs) {
  OfLongAgo given;
  Dispatcher& d = given.d;
  EXPECT_THAT(reasons(d), IsEmpty()) << "its turn waits for what the probe shows";
  const Time before = given.now;
  d.answered(given.probe, given.now += 20ms);
  EXPECT_EQ(given.ask(), 0u);
  EXPECT_EQ(given.now, before + 20ms) << "at once";
  EXPECT_FALSE(d.stale(0, given.now += 20ms));
  d.answered(0, given.now);
  EXPECT_THAT(reasons(d), IsEmpty());
}

TEST(Dispatcher, AUnitThatDoesNotAnswerTheProbeRestsUntilNoOtherAnswerCanCome) {
  OfLongAgo given;
  Dispatcher& d = given.d;
  const Time before = given.now;
  for (std::size_t next = given.probe; d.is_probe(next); next = given.ask()) {
    d.failed(next, GERBANG_REASON_TIMEOUT, given.now, given.now + 300ms);
    given.now += 300ms;
  }
  EXPECT_THAT(reasons(d), testing::Contains(GERBANG_REASON_TIMEOUT));
  EXPECT_EQ(given.ask(), 0u);
  EXPECT_GE(given.now - before, given.asked - given.first - 1s) << "the others may be as late";
  EXPECT_LE(given.now - before, 10s + given.settings().patience);
  EXPECT_FALSE(d.stale(0, given.now += 20ms));
  d.answered(0, given.now);
  given.ask();
  EXPECT_FALSE(d.stale(0, given.now += 20ms));
}

TEST(Dispatcher, TheAnswerToARetryIsUsed) {
  auto settings = rtu();
  settings.timeout = 300ms;
  Dispatcher d({request(1)}, settings, 1s);
  d.advance(1s);
  ASSERT_EQ(d.pick(1s), 0u);
  d.failed(0, GERBANG_REASON_TIMEOUT, 1s, 1s + 300ms);
  EXPECT_FALSE(d.stale(0, 1s + 320ms));
}

TEST(Dispatcher, NothingIsStaleWhenAnswersSayWhoseTheyAreOrTheUnitWasSilentForLong) {
  for (const bool numbered : {true, false}) {
    auto settings = rtu();
    settings.numbered = numbered;
    Dispatcher d({request(1)}, settings, 1s);
    d.advance(1s);
    d.failed(0, GERBANG_REASON_TIMEOUT, 1s, 2s);
    EXPECT_EQ(d.stale(0, 5s), !numbered);
    EXPECT_FALSE(d.stale(0, 12s)) << "later than any answer";
  }
}

// A unit that takes its time for each question, one after the other, and loses some answers: none
// is ever taken for another request's, nor for one of now when it is older than some seconds.
// It answers probes too, or not.
TEST(Dispatcher, NoLateAnswerIsEverTakenForAnotherRequests) {
  struct Owed {
    Time comes, asked;
    std::size_t to;
  };
  std::mt19937 random(11);
  for (const bool answers_probes : {true, false})
    for (const Time slowest : {300ms, 700ms, 1300ms, 3100ms, 7000ms}) {
      SCOPED_TRACE(std::to_string(slowest / 1ms) + (answers_probes ? " ms, probes" : " ms"));
      auto settings = rtu();
      settings.max_back_off = 4s;
      Dispatcher d({request(1, 2s, 0), request(1, 2s, 100), request(1, 3s, 200)}, settings, 0s);
      std::deque<Owed> coming;
      Time free_at = 0s;
      unsigned taken = 0, late = 0, probes = 0;
      for (Time now = 0s; now < 3600s;) {
        d.advance(now);
        d.take_missing();
        const auto next = d.pick(now);
        if (!next) {
          now = std::max(now + 1ms, d.wake(now));
          continue;
        }
        const bool probe = d.is_probe(*next);
        while (!coming.empty() && coming.front().comes <= now) coming.pop_front();  // flushed
        // Slow for a minute, then as it should be, and so on; one answer of seven gets lost.
        const bool slow = now / 60s % 2 == 0;
        const Time done = std::max(free_at, now) +
                          (slow ? slowest * static_cast<int>(50 + random() % 50) / 100 : 10ms);
        const bool lost = random() % 7 == 0 || (probe && !answers_probes);
        if (done - now < 10s) {  // later ones are not reckoned with
          free_at = done;
          if (!lost) coming.push_back({done, now, *next});
        }
        // Who asks a probe waits for what looks like its answer; else what is no answer ends it.
        if (probe)
          while (!coming.empty() && coming.front().comes <= now + 500ms &&
                 coming.front().to != *next)
            coming.pop_front();
        if (coming.empty() || coming.front().comes > now + 500ms) {
          ++late;
          d.failed(*next, GERBANG_REASON_TIMEOUT, now, now + 500ms);
          now += 500ms;
          continue;
        }
        const Owed got = coming.front();
        coming.pop_front();
        const Time asked = std::exchange(now, got.comes);
        if (d.is_probe(got.to) && !probe) {
          d.failed(*next, GERBANG_REASON_PROTOCOL, asked, now);
        } else if (probe) {
          ++probes;
          d.answered(*next, now);
        } else {
          ASSERT_EQ(got.to, *next) << "at " << now / 1ms;
          if (d.stale(*next, now)) {
            d.late(*next, now);
            continue;
          }
          ASSERT_LE(now - got.asked, 2500ms) << "at " << now / 1ms;
          ++taken;
          d.answered(*next, now);
        }
      }
      EXPECT_GT(taken, answers_probes ? 1000u : 500u);
      EXPECT_GT(late, 100u);
      EXPECT_EQ(probes > 10, answers_probes);
    }
}

TEST(Dispatcher, WithoutAnySlackADoubtfulUnitStillGetsItsChanceAfterAWhile) {
  Dispatcher::Settings settings;
  settings.timeout = 500ms;
  settings.patience = 5s;
  std::vector<Request> all;
  for (int unit = 1; unit <= 9; ++unit) all.push_back(request(unit, 300ms));
  all.push_back(request(10, 300ms));
  SimulatedLine line(all, settings);
  line.dead = {10};
  line.run_until(60s);
  const auto before = line.asked[10].size();
  EXPECT_GE(before, 3u);
  EXPECT_LE(before, 8u);
  line.dead = {};
  line.run_until(160s);
  EXPECT_GT(line.answered[10].size(), 100u);
}

TEST(Dispatcher, ALineThatIsTooSlowSkipsTurnsForEveryoneAlike) {
  SimulatedLine line(ten_units());
  line.answer_takes = 150ms;  // 1.5 s a round
  line.run_until(150s);
  for (int unit = 1; unit <= 10; ++unit)
    EXPECT_NEAR(static_cast<double>(line.answered[unit].size()), 100, 3) << unit;
  EXPECT_NEAR(static_cast<double>(line.dispatcher.skipped()), 500, 20);
  EXPECT_TRUE(line.missing.empty());
}

TEST(Dispatcher, ALostLineMakesWhatWaitsMissing) {
  Dispatcher d({request(1), request(2)}, {}, 0s);
  d.advance(0s);
  d.line_lost(GERBANG_REASON_NO_CONNECTION);
  EXPECT_THAT(reasons(d), ElementsAre(GERBANG_REASON_NO_CONNECTION, GERBANG_REASON_NO_CONNECTION));
  EXPECT_EQ(d.pick(10ms), std::nullopt);
  d.advance(1s);
  EXPECT_NE(d.pick(1s), std::nullopt);
}

TEST(Dispatcher, ALineThatIsBackGivesEveryUnitAFreshStart) {
  Dispatcher::Settings settings;
  settings.retries = 0;
  Dispatcher d({request(1)}, settings, 0s);
  Time now = 0s;
  for (int i = 0; i < 5; ++i, now += 60s) {
    d.advance(now);
    d.failed(*d.pick(now), GERBANG_REASON_TIMEOUT, now, now);
  }
  d.advance(now - 55s);
  EXPECT_TRUE(d.unit_given_up(0));
  d.line_back();
  d.advance(now - 54s);
  EXPECT_EQ(d.pick(now - 54s), 0u);
}

TEST(Dispatcher, AnExceptionIsAMissingReadingOfALivingUnit) {
  Dispatcher d({request(1)}, {}, 0s);
  for (Time now = 0s; now < 5s; now += 1s) {
    d.advance(now);
    d.refused(*d.pick(now), now);
    EXPECT_THAT(reasons(d), ElementsAre(GERBANG_REASON_EXCEPTION));
  }
}

TEST(Dispatcher, PartsOfARefusedRequestAreAskedAtOnceAndFromThenOn) {
  Dispatcher d({request(1)}, {}, 0s);
  d.advance(0s);
  d.replace(0, {request(1, 1s, 0), request(1, 1s, 5)}, 0s);
  for (Time now = 0s; now < 3s; now += 1s) {
    d.advance(now);
    for (int first : {0, 5}) {
      const auto next = d.pick(now);
      ASSERT_TRUE(next);
      EXPECT_EQ(d.request(*next).first, first);
      d.answered(*next, now);
    }
    EXPECT_EQ(d.pick(now), std::nullopt);
  }
  EXPECT_THAT(reasons(d), IsEmpty());
}

}  // namespace
}  // namespace gerbang::modbus
