// SPDX-License-Identifier: Apache-2.0
#include "store/fixture.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store::test {
namespace {

class Outbox : public StoreTest {
 protected:
  void open_with(const std::vector<std::string>& uplinks) {
    open();
    auto declared = store->declare_uplinks(uplinks);
    ASSERT_TRUE(declared) << declared.error().what;
    bits = *declared;
  }
  void done(int bit, Sequence sequence, Outcome outcome = Outcome::acknowledged,
            const std::string& reason = "") {
    store->done(bit, sequence, outcome, reason);
  }
  // The ledger of messages (contracts, §6).
  void expect_balance(int bit) {
    UplinkCounts c = store->uplink_counts(bit);
    EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.refused + c.dropped + c.filtered);
  }

  std::vector<int> bits;
};

TEST_F(Outbox, SequencesHaveNoHolesOverCommitsAndCrashes) {
  open_with({"a"});
  EXPECT_EQ(commit(fold({message("x", 1), message("y", 1)})), 2);
  EXPECT_EQ(commit(fold({})), 0);
  EXPECT_EQ(commit(fold({message("x", 1)})), 3);
  crash();
  open_with({"a"});
  EXPECT_EQ(store->identity().last_sequence, 3);
  EXPECT_EQ(commit(fold({message("y", 1)})), 4);

  EXPECT_EQ(sequences(pull(0)), (std::vector<Sequence>{1, 2, 3, 4}));
}

TEST_F(Outbox, PreviousNamesTheMessageBeforeOnTheSameTopic) {
  open_with({"a"});
  commit(fold({message("x", 1), message("y", 1), message("x", 1)}));
  for (Sequence s : {1, 2, 3}) done(0, s);
  reopen();
  commit(fold({message("x", 1), message("y", 1)}));

  auto messages = pull(0);

  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].topic, "x");
  EXPECT_EQ(messages[0].previous, 3);
  EXPECT_EQ(messages[1].previous, 2);
}

TEST_F(Outbox, AMessageComesBackAsItWentIn) {
  open_with({"a"});
  NewMessage m = message("alarm/ph", 1, std::string("\0\xff body", 7), Lane::urgent);
  m.kind = MessageKind::alarm;
  m.made_ms = 123'456;
  commit(fold({m}));

  auto messages = pull(0);

  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].body, m.body);
  EXPECT_EQ(messages[0].kind, MessageKind::alarm);
  EXPECT_EQ(messages[0].lane, Lane::urgent);
  EXPECT_EQ(messages[0].made_ms, 123'456);
  EXPECT_EQ(messages[0].topic, "alarm/ph");
}

TEST_F(Outbox, OnlyTheNewestRetainableOfATopicIsRetained) {
  open_with({"a"});
  NewMessage revision = message("x", 1);
  revision.retainable = false;
  commit(fold({message("x", 1), message("x", 1), revision, message("y", 1)}));

  std::vector<bool> retain;
  for (const auto& m : pull(0)) retain.push_back(m.retain);

  EXPECT_EQ(retain, (std::vector<bool>{false, true, false, true}));
}

TEST_F(Outbox, LanesAreServedApartAndInOrder) {
  open_with({"a"});
  std::vector<NewMessage> messages;
  for (int i = 0; i < 10; ++i)
    messages.push_back(message("x", 1, "b", i % 3 == 0 ? Lane::urgent : Lane::live));
  commit(fold(messages));

  EXPECT_EQ(sequences(pull(0, Lane::urgent)), (std::vector<Sequence>{1, 4, 7, 10}));
  EXPECT_EQ(sequences(pull(0, Lane::live)), (std::vector<Sequence>{2, 3, 5, 6, 8, 9}));
  EXPECT_EQ(sequences(pull(0, Lane::urgent, 4)), (std::vector<Sequence>{7, 10}));
  Pull between;
  between.above = 3;
  between.below = 6;
  EXPECT_EQ(sequences(*run(store->pull(between))), (std::vector<Sequence>{4, 5}));
}

TEST_F(Outbox, PullKeepsToItsLimitsButGivesAtLeastOne) {
  open_with({"a"});
  commit(fold({message("x", 1, std::string(600, 'a')), message("x", 1, std::string(600, 'b')),
               message("x", 1, std::string(600, 'c'))}));

  Pull what;
  what.limit = 2;
  EXPECT_EQ(run(store->pull(what))->size(), 2u);
  what.limit = 32;
  what.max_bytes = 1300;
  EXPECT_EQ(run(store->pull(what))->size(), 2u);
  what.max_bytes = 10;
  EXPECT_EQ(run(store->pull(what))->size(), 1u);
}

TEST_F(Outbox, WhatWasReportedIsNotGivenAgainBeforeTheCommit) {
  open_with({"a"});
  commit(fold(std::vector<NewMessage>(40, message("x", 1))));
  stop();
  options.commit_interval = std::chrono::hours(1);
  open_with({"a"});
  for (Sequence s = 1; s <= 40; ++s)
    if (s != 7 && s != 40) done(0, s);
  const std::vector<Sequence> left = {7, 40};

  EXPECT_EQ(sequences(pull(0)), left);
  EXPECT_EQ(sequences(pull(0, {}, 0, 1)), (std::vector<Sequence>{7}));
  EXPECT_EQ(sequences(pull(0, {}, 7, 1)), (std::vector<Sequence>{40}));
  EXPECT_EQ(store->status().commits, 0u);

  stop();
  open_with({"a"});
  EXPECT_EQ(sequences(pull(0)), left);
  EXPECT_EQ(store->uplink_counts(0).waiting, 2u);
  expect_balance(0);
}

TEST_F(Outbox, ARowGoesWhenTheLastUplinkIsDone) {
  open_with({"a", "b"});
  commit(fold({message("x", 0b11), message("x", 0b10)}));
  EXPECT_EQ(sequences(pull(0)), (std::vector<Sequence>{1}));
  EXPECT_EQ(sequences(pull(1)), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(store->uplink_counts(0).filtered, 1u);

  done(0, 1);
  flush();

  EXPECT_TRUE(pull(0).empty());
  EXPECT_EQ(sequences(pull(1)), (std::vector<Sequence>{1, 2}));
  EXPECT_EQ(store->uplink_counts(0).acknowledged_sequence, 2);
  EXPECT_EQ(store->uplink_counts(1).acknowledged_sequence, 0);
  done(1, 1, Outcome::refused, "too_large");
  done(1, 2, Outcome::dropped, "cap");
  reopen();
  EXPECT_TRUE(pull(1).empty());
  UplinkCounts c = store->uplink_counts(1);
  EXPECT_EQ(c.refused, 1u);
  EXPECT_EQ(c.dropped, 1u);
  EXPECT_EQ(c.acknowledged_sequence, 2);
  EXPECT_EQ(c.reasons,
            (std::map<std::string, std::uint64_t>{{"dropped/cap", 1}, {"refused/too_large", 1}}));
  for (int bit : bits) expect_balance(bit);
}

TEST_F(Outbox, WhatABrokerRefusesIsAnnouncedAndAnAnnouncementIsNot) {
  options.gap_body = [](const Lost& lost) {
    return std::to_string(lost.first) + ".." + std::to_string(lost.last) + " " + lost.reason + " " +
           std::to_string(lost.count);
  };
  open_with({"a", "b"});
  int told = 0;
  store->on_messages([&] { ++told; });
  commit(fold(std::vector<NewMessage>(5, message("x", 0b11))));
  const int before = told;

  for (Sequence s : {1, 2, 3, 5}) done(1, s);
  done(0, 1);
  for (Sequence s : {2, 3, 5}) done(0, s, Outcome::refused, "not authorised");
  flush();

  EXPECT_GT(told, before) << "the uplinks learn of the announcements";
  auto bodies = [&](int bit) {
    std::vector<std::string> out;
    for (const Message& each : pull(bit))
      if (each.topic == "gap") out.push_back(each.body);
    return out;
  };
  // 4 still waits, so nothing is said of it; 1 was taken.
  const std::vector<std::string> expected{"2..3 refused 2", "5..5 refused 1"};
  EXPECT_EQ(bodies(0), expected);
  EXPECT_EQ(bodies(1), expected);
  EXPECT_EQ(store->identity().last_sequence, 7);

  done(0, 6, Outcome::refused, "not authorised");
  flush();
  reopen();
  EXPECT_EQ(store->identity().last_sequence, 7) << "announced for ever";
  EXPECT_EQ(sequences(pull(0)), (std::vector<Sequence>{4, 7}));
  EXPECT_EQ(sequences(pull(1)), (std::vector<Sequence>{4, 6, 7}));
  for (int bit : bits) expect_balance(bit);
}

TEST_F(Outbox, OfWhatWasTakenBetweenTwoRefusedMessagesNothingIsAnnounced) {
  options.gap_body = [](const Lost& lost) {
    return std::to_string(lost.first) + ".." + std::to_string(lost.last);
  };
  open_with({"a"});
  commit(fold(std::vector<NewMessage>(7, message("x", 1))));
  for (Sequence s : {7, 4, 2, 6}) done(0, s, Outcome::refused, "not authorised");
  for (Sequence s : {1, 3, 5}) done(0, s);
  flush();
  std::vector<std::string> bodies;
  for (const Message& each : pull(0)) bodies.push_back(each.body);
  EXPECT_EQ(bodies, (std::vector<std::string>{"2..2", "4..4", "6..7"}));
}

TEST_F(Outbox, AcknowledgementsOutOfOrderAndTwiceAreCountedOnce) {
  open_with({"a"});
  commit(fold(std::vector<NewMessage>(5, message("x", 1))));

  for (Sequence s : {3, 2, 3, 5, 99}) done(0, s);
  done(7, 1);   // no such uplink
  done(-1, 1);  // not even a bit
  flush();
  done(0, 3);
  flush();

  UplinkCounts c = store->uplink_counts(0);
  EXPECT_EQ(c.acknowledged, 3u);
  EXPECT_EQ(c.waiting, 2u);
  EXPECT_EQ(c.acknowledged_sequence, 0);
  done(0, 1);
  flush();
  c = store->uplink_counts(0);
  EXPECT_EQ(c.acknowledged_sequence, 3);
  EXPECT_EQ(sequences(pull(0)), (std::vector<Sequence>{4}));
  expect_balance(0);
}

TEST_F(Outbox, TheOldestWaitingIsKnownAfterARestart) {
  open_with({"a"});
  std::vector<NewMessage> messages;
  for (int i = 0; i < 4; ++i) {
    messages.push_back(message("x", 1));
    messages.back().made_ms = 1000 + i;
  }
  commit(fold(messages));
  EXPECT_EQ(store->uplink_counts(0).oldest_waiting_ms, 1000);
  done(0, 1);
  done(0, 2);
  reopen();

  EXPECT_EQ(store->uplink_counts(0).oldest_waiting_ms, 1002);
  EXPECT_EQ(store->uplink_counts(0).made, 4u);
  for (Sequence s : {3, 4}) done(0, s);
  flush();
  EXPECT_EQ(store->uplink_counts(0).oldest_waiting_ms, 0);
}

TEST_F(Outbox, ARemovedUplinkLosesItsBitAndANewOneStartsClean) {
  open_with({"a", "b"});
  commit(fold({message("x", 0b01), message("x", 0b11)}));
  done(0, 1, Outcome::refused, "acl");
  stop();
  open_with({"b", "c"});

  EXPECT_EQ(bits, (std::vector<int>{1, 0}));
  EXPECT_EQ(sequences(pull(1)), (std::vector<Sequence>{2}));
  EXPECT_TRUE(pull(0).empty());
  EXPECT_EQ(store->uplink_counts(0).made, 0u);
  EXPECT_TRUE(store->uplink_counts(0).reasons.empty());
  EXPECT_EQ(store->status().removed, (std::map<std::string, std::uint64_t>{{"a", 1}}));
  commit(fold({message("x", 0b01)}));
  EXPECT_EQ(sequences(pull(0)), (std::vector<Sequence>{3}));
  reopen();
  EXPECT_EQ(store->status().removed, (std::map<std::string, std::uint64_t>{{"a", 1}}));
  EXPECT_EQ(store->uplink_counts(0).made, 1u);
}

TEST_F(Outbox, RefusesImpossibleUplinks) {
  open();
  EXPECT_FALSE(store->declare_uplinks({"a", "a"}));
  std::vector<std::string> many(33);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = "u" + std::to_string(i);
  EXPECT_FALSE(store->declare_uplinks(many));
  many.pop_back();
  EXPECT_EQ(store->declare_uplinks(many)->size(), 32u);
  EXPECT_EQ(commit(fold({message("x", std::uint64_t{1} << 31)})), 1);
  EXPECT_EQ(sequences(pull(31)), (std::vector<Sequence>{1}));
  EXPECT_FALSE(run(store->pull(Pull{32, {}, 0, 10, 1, 1})));
}

TEST_F(Outbox, MessagesWithoutAnUplinkUseTheirNumber) {
  open_with({});
  EXPECT_EQ(commit(fold({message("x", 1)})), 1);
  reopen();
  ASSERT_TRUE(store->declare_uplinks({"a"}));
  EXPECT_EQ(commit(fold({message("x", 1)})), 2);
  auto messages = pull(0);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].previous, 1);
}

TEST_F(Outbox, TellsTheLoopOfNewMessages) {
  open_with({"a"});
  int told = 0;
  store->on_messages([&] { ++told; });
  append(batch({reading(1, kSecond, 1)}));
  EXPECT_EQ(told, 0);
  commit(fold({message("x", 1), message("y", 1)}));
  EXPECT_EQ(told, 1);
}

TEST_F(Outbox, AnotherBoardBeginsAStreamThatNamesTheOldOne) {
  open_with({"a"});
  append(batch({reading(1, kSecond, 1), reading(1, kSecond, 2)}));
  Fold f = fold({message("x", 1), message("y", 1), message("x", 1), message("x", 1)});
  f.folded[1] = 1;
  commit(std::move(f));
  done(0, 1);
  std::string first = store->identity().stream;
  EXPECT_EQ(first.size(), 16u);
  EXPECT_EQ(store->identity().previous_stream, "");
  stop();
  options.board = Board{"machine-a", "serial-b"};
  open_with({"a"});

  EXPECT_NE(store->identity().stream, first);
  EXPECT_EQ(store->identity().previous_stream, first);
  EXPECT_EQ(store->identity().last_sequence, 3);
  auto messages = pull(0);
  EXPECT_EQ(sequences(messages), (std::vector<Sequence>{1, 2, 3}));
  EXPECT_EQ(messages[0].topic, "y");
  EXPECT_EQ(messages[2].previous, 2);
  EXPECT_TRUE(messages[2].retain);
  EXPECT_EQ(store->uplink_counts(0).made, 3u);
  EXPECT_EQ(store->status().taken, 1u) << "what is not folded yet";
  EXPECT_EQ(store->status().stored, 1u);
  expect_balance(0);
  std::string second = store->identity().stream;
  reopen();
  EXPECT_EQ(store->identity().stream, second);
  EXPECT_EQ(store->status().stored, 1u);
  EXPECT_EQ(replay().size(), 2u) << "readings stay";
}

TEST_F(Outbox, ABoardThatCannotBeReadIsNotAnotherBoard) {
  options.board = Board{"machine-a", ""};
  open();
  std::string stream = store->identity().stream;
  stop();
  options.board = Board{"machine-a", "serial-a"};  // readable now: learned
  open();
  EXPECT_EQ(store->identity().stream, stream);
  stop();
  options.board = Board{"", ""};
  open();
  EXPECT_EQ(store->identity().stream, stream);
  stop();
  options.board = Board{"machine-a", "serial-b"};
  open();
  EXPECT_NE(store->identity().stream, stream);
}

TEST_F(Outbox, AMillionWaitingMessagesDoNotSlowTheStartOrThePulls) {
  open_with({"slow", "fast"});
  commit(fold({message("x", 1)}));
  stop();
  {
    // A million rows at once, each thousandth urgent and for both.
    auto db = sql::Database::open(options.path, sql::Database::Mode::existing, "");
    ASSERT_TRUE(db);
    auto filled = db->run(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " INSERT INTO outbox SELECT i, iif(i % 1000 = 0, 3, 1), i - 1, 1, 1, i % 1000 <> 0, 0, i,"
        " zeroblob(100) FROM n;"
        "UPDATE uplink SET made = 1000000 WHERE bit = 0;"
        "UPDATE uplink SET made = 1000000, filtered = 999000 WHERE bit = 1;"
        "UPDATE state SET last_sequence = 1000000; UPDATE topic SET last = 1000000; COMMIT");
    ASSERT_TRUE(filled) << filled.error().what;
  }

  auto begun = std::chrono::steady_clock::now();
  auto since = [&] {
    std::chrono::duration<double> d = std::chrono::steady_clock::now() - begun;
    begun = std::chrono::steady_clock::now();
    return d.count();
  };
  open();
  double open_seconds = since();
  auto first = pull(0, {}, 0, 32);
  auto urgent = pull(1, Lane::urgent, 0, 32);
  auto last = pull(0, {}, 999'997, 32);
  double pull_seconds = since();
  done(0, 1);
  commit(fold({message("x", 3)}));
  double commit_seconds = since();

  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(first[0].sequence, 1);
  ASSERT_EQ(urgent.size(), 32u);
  EXPECT_EQ(urgent[1].sequence, 2000);
  EXPECT_EQ(sequences(last), (std::vector<Sequence>{999'998, 999'999, 1'000'000}));
  EXPECT_EQ(store->identity().last_sequence, 1'000'001);
  EXPECT_EQ(store->uplink_counts(0).waiting, 1'000'000u);
  EXPECT_EQ(store->uplink_counts(1).waiting, 1001u);
  EXPECT_EQ(store->uplink_counts(1).acknowledged_sequence, 999);
  RecordProperty("open_seconds", std::to_string(open_seconds));
  RecordProperty("pull_seconds", std::to_string(pull_seconds));
  RecordProperty("commit_seconds", std::to_string(commit_seconds));
#ifndef GERBANG_SANITIZED
  EXPECT_LT(open_seconds, 1.0);
  EXPECT_LT(pull_seconds, 1.0);
#endif
}

}  // namespace
}  // namespace gerbang::store::test
