// SPDX-License-Identifier: Apache-2.0
#include "serial/dialogue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gerbang::serial {
namespace {

using namespace std::chrono_literals;
using Answer = Dialogue::Answer;

// Half a second for an answer, seven for one that is late.
struct DialogueTest : testing::Test {
  Dialogue dialogue{500ms, 7s};

  // Asks as soon as it may, and says when that was.
  Dialogue::Time ask(Dialogue::Time now) {
    for (Dialogue::Time at = dialogue.next(now); at > now; at = dialogue.next(now)) now = at;
    dialogue.asked(now);
    return now;
  }
};

TEST_F(DialogueTest, AnAnswerWithinItsTimeIsRightAndTheNextQuestionMayFollowAtOnce) {
  for (auto now = 1s; now < 5s; now += 1s) {
    EXPECT_EQ(ask(now), now);
    EXPECT_EQ(dialogue.answered(now + 20ms), Answer::right);
    EXPECT_EQ(dialogue.next(now + 20ms), now + 20ms);
  }
}

TEST_F(DialogueTest, ASecondAnswerToOneQuestionIsNotUsedAndHarmsNobody) {
  ask(1s);
  EXPECT_EQ(dialogue.answered(1s + 20ms), Answer::right);
  EXPECT_EQ(dialogue.answered(1s + 30ms), Answer::unused);
  ask(2s);
  EXPECT_EQ(dialogue.answered(2s + 20ms), Answer::right);
}

TEST_F(DialogueTest, AfterSilenceNothingIsAskedUntilNoLateAnswerCanCome) {
  ask(1s);
  EXPECT_EQ(dialogue.next(1s + 100ms), 1s + 500ms);
  EXPECT_EQ(dialogue.next(1s + 500ms), 8s);
  EXPECT_EQ(ask(1s + 500ms), 8s);
}

TEST_F(DialogueTest, ALateAnswerIsNobodysAndOneInStepHasToComeBeforeTheNextCounts) {
  ask(1s);
  EXPECT_EQ(dialogue.answered(7s), Answer::late);
  EXPECT_EQ(ask(7s), 7s);
  EXPECT_EQ(dialogue.answered(7s + 20ms), Answer::unused);
  EXPECT_EQ(ask(7s + 20ms), 7s + 500ms) << "another answer would show that they are out of step";
  EXPECT_EQ(dialogue.answered(7s + 520ms), Answer::right);
}

TEST_F(DialogueTest, NobodyAskedIsLateToo) {
  EXPECT_EQ(dialogue.answered(1s), Answer::late);
  ask(2s);
  EXPECT_EQ(dialogue.answered(2s + 20ms), Answer::unused);
}

TEST_F(DialogueTest, TwoAnswersToOneQuestionShowThatTheyAreNotInStepYet) {
  ask(1s);
  EXPECT_EQ(ask(2s), 8s);
  EXPECT_EQ(dialogue.answered(8s + 10ms), Answer::unused) << "late, of the first question";
  EXPECT_EQ(dialogue.answered(8s + 20ms), Answer::unused) << "of the second";
  EXPECT_EQ(ask(8s + 20ms), 8s + 500ms);
  EXPECT_EQ(dialogue.answered(8s + 520ms), Answer::unused);
  EXPECT_EQ(ask(8s + 520ms), 9s);
  EXPECT_EQ(dialogue.answered(9s + 20ms), Answer::right);
}

// A device that answers late by this much all the time: whenever it is asked, nothing counts.
TEST_F(DialogueTest, WhoIsAlwaysLateIsNeverRight) {
  for (auto late = 600ms; late <= 6900ms; late += 100ms) {
    Dialogue device{500ms, 7s};
    std::vector<Dialogue::Time> owed;
    int unused = 0;
    for (Dialogue::Time now = 0ms; now < 120s; now += 10ms) {
      while (!owed.empty() && owed.front() <= now) {
        owed.erase(owed.begin());
        const Answer answer = device.answered(now);
        ASSERT_NE(answer, Answer::right) << late.count() << " ms late";
        ++unused;
      }
      if (device.next(now) > now) continue;
      device.asked(now);
      owed.push_back(now + late);
    }
    EXPECT_GE(unused, 16) << "it was asked again and again";
  }
}

TEST_F(DialogueTest, WhatIsNoAnswerIsNoSilenceEither) {
  ask(1s);
  dialogue.garbled();
  EXPECT_EQ(ask(1s + 100ms), 1s + 500ms);
  EXPECT_EQ(dialogue.answered(1s + 520ms), Answer::unused);
  ask(2s);
  EXPECT_EQ(dialogue.answered(2s + 20ms), Answer::right);
}

TEST_F(DialogueTest, InDoubtTheFirstAnswerDoesNotCount) {
  ask(1s);
  EXPECT_TRUE(dialogue.waits());
  dialogue.doubt();
  EXPECT_FALSE(dialogue.waits());
  EXPECT_EQ(ask(1s + 100ms), 1s + 100ms);
  EXPECT_EQ(dialogue.answered(1s + 120ms), Answer::unused);
  EXPECT_EQ(ask(1s + 120ms), 1s + 600ms);
  EXPECT_EQ(dialogue.answered(1s + 620ms), Answer::right);
}

}  // namespace
}  // namespace gerbang::serial
