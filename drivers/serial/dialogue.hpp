// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace gerbang::serial {

// Questions to a device whose answers do not say which question they answer: who knows whether a
// late answer is one to the newest? Pure: time is an argument, in nanoseconds of CLOCK_BOOTTIME.
//
// One question at a time, and its answer counts only within `answers`. One that did not come may
// come later: nothing is asked for `latest`, and what comes meanwhile is nobody's. Then, as after
// anything else that came when no answer was due, the answer to the next question is not used
// either: only one question with one answer within its time shows that they are in step again.
class Dialogue {
 public:
  using Time = std::chrono::nanoseconds;

  enum class Answer : std::uint8_t {
    right,
    unused,  // it only shows whether questions and answers are in step
    late     // or nobody asked
  };

  Dialogue(Time answers, Time latest) : answers_(answers), latest_(latest) {}

  // The next question may be sent from then on; now, or earlier: at once.
  Time next(Time now) const {
    if (!asked_ || late_) return now;
    const Time over = *asked_ + answers_;
    if (count_ > 0) return in_step_ ? now : over;
    return now < over || garbled_ ? over : *asked_ + latest_;
  }
  void asked(Time now) {
    if (asked_ && (count_ == 0 || late_)) in_step_ = false;
    if (asked_ && count_ == 1 && !late_) in_step_ = true;
    asked_ = now;
    count_ = 0;
    late_ = garbled_ = false;
  }
  Answer answered(Time now) {
    if (!asked_ || now > *asked_ + answers_) {
      late_ = true;
      in_step_ = false;
      return Answer::late;
    }
    return ++count_ == 1 && in_step_ ? Answer::right : Answer::unused;
  }
  // Something came that is no answer, but no silence either: there is nothing to wait for.
  void garbled() { garbled_ = true; }
  // Something was asked elsewhere, or the line was lost: an answer may still come.
  void doubt() {
    in_step_ = false;
    asked_.reset();
  }
  bool waits() const { return asked_ && count_ == 0; }

 private:
  Time answers_, latest_;
  std::optional<Time> asked_;  // the newest question
  int count_ = 0;              // answers within its time
  bool late_ = false;          // one came after it
  bool garbled_ = false;
  bool in_step_ = true;
};

}  // namespace gerbang::serial
