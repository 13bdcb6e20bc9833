// SPDX-License-Identifier: Apache-2.0
#include "ctl/audit.hpp"

#include <gtest/gtest.h>

#include "ctl/audit_text.hpp"

namespace gerbang::ctl {
namespace {

using Range = Audit::Range;

const std::string kFilter = "gerbang/v1/#";

struct Receiver {
  explicit Receiver(Audit::Rule rule) : audit(rule) {}
  void get(std::int64_t sequence, std::int64_t previous = 0, const std::string& topic = "t",
           const std::string& content = "x", const std::string& stream = "s") {
    wire::Source source;
    source.gateway = "g";
    source.stream = stream;
    source.sequence = sequence;
    source.previous = previous;
    audit.heard();
    audit.received(topic, source, content);
  }
  Audit audit;
};

TEST(Audit, FindsNothingMissingInAnyOrderOfArrival) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {7, 5, 6, 9, 8}) r.get(n);
  auto report = r.audit.report();
  ASSERT_EQ(report.streams.size(), 1u);
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.streams[0].first, 5);
  EXPECT_EQ(report.streams[0].last, 9);
  EXPECT_EQ(report.streams[0].messages, 5u);
}

TEST(Audit, NamesEveryHoleBetweenFirstAndLast) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {5, 8, 9, 12}) r.get(n);
  auto report = r.audit.report();
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report.streams[0].missing, (std::vector<Range>{{6, 7}, {10, 11}}));
  EXPECT_EQ(report.missing(), 4u);
}

TEST(Audit, DoesNotMissWhatWasGivenUp) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {1, 10}) r.get(n);
  r.audit.given_up("s", 3, 4);
  r.audit.given_up("s", 6, 20);
  EXPECT_EQ(r.audit.report().streams[0].missing, (std::vector<Range>{{2, 2}, {5, 5}}));
}

TEST(Audit, CountsTheSameContentAgainAsADuplicateAndAnotherContentAsAConflict) {
  Receiver r(Audit::Rule::sequence);
  r.get(1);
  r.get(1);
  r.get(2, 0, "t", "a");
  r.get(2, 0, "t", "b");
  auto report = r.audit.report();
  EXPECT_EQ(report.streams[0].duplicates, 1u);
  EXPECT_EQ(report.streams[0].conflicts, (std::vector<std::int64_t>{2}));
  EXPECT_FALSE(report.complete());
}

TEST(Audit, KeepsStreamsApart) {
  Receiver r(Audit::Rule::sequence);
  r.get(1, 0, "t", "x", "old");
  r.get(2, 0, "t", "x", "old");
  r.get(1, 0, "t", "x", "new");
  EXPECT_EQ(r.audit.report().streams.size(), 2u);
  EXPECT_TRUE(r.audit.report().complete());
}

TEST(Audit, JudgesFilteredTopicsByPrevious) {
  Receiver r(Audit::Rule::previous);
  r.get(10, 4, "a");  // the first seen of its topic: what came before is not ours to judge
  r.get(15, 10, "a");
  r.get(30, 22, "a");  // 22 never came
  r.get(31, 0, "b");
  EXPECT_EQ(r.audit.report().streams[0].missing, (std::vector<Range>{{22, 22}}));
  r.audit.given_up("s", 20, 22);
  EXPECT_TRUE(r.audit.report().complete());
}

TEST(Audit, IgnoresMessagesOutsideTheProof) {
  Receiver r(Audit::Rule::sequence);
  r.get(0);
  EXPECT_TRUE(r.audit.report().streams.empty());
}

void say(Audit& audit, bool online, const std::string& reason, std::int64_t last_sequence) {
  wire::Source source;
  source.region = "r";
  source.site = "p";
  source.gateway = "g";
  source.stream = "s";
  audit.heard();
  audit.state(source, online, reason, last_sequence);
}

TEST(Audit, AGatewayThatIsLostAtTheEndMayHoldMore) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {1, 2}) r.get(n);
  say(r.audit, true, "", 2);
  EXPECT_TRUE(r.audit.report().away.empty());
  say(r.audit, false, "LOST", 2);
  auto report = r.audit.report();
  EXPECT_TRUE(report.flawless());
  EXPECT_FALSE(report.complete()) << "it may hold more";
  ASSERT_EQ(report.away.size(), 1u);
  EXPECT_EQ(report.away[0].gateway, "g");
  EXPECT_EQ(report_lines(report, kFilter, "eng").back(),
            "0 gaps in 1 streams; gateway g was away at the end: nothing can be said of what it "
            "still holds");
  EXPECT_EQ(report_lines(report, kFilter, "ind").back(),
            "0 pesan hilang dalam 1 stream; gerbang g terputus pada akhirnya: apa yang masih "
            "disimpannya tidak dapat dinilai");
  say(r.audit, true, "", 3);
  EXPECT_TRUE(r.audit.report().away.empty()) << "it is back";
}

TEST(Audit, AGatewayOutOfServiceIsNamedAndSpoilsNoVerdict) {
  Receiver r(Audit::Rule::sequence);
  say(r.audit, false, "LOST", 2);
  auto report = r.audit.report();
  EXPECT_TRUE(report.all_there());
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report_lines(report, kFilter, "eng").back(),
            "0 gaps in 0 streams; gateway g was away all along: nothing can be said of what it "
            "still holds");
  r.get(3);  // it came back, and went again
  EXPECT_FALSE(r.audit.report().all_there());
}

TEST(Audit, AGatewayThatWasStoppedIsAwayUnlessAllItMadeHasCome) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {1, 2}) r.get(n);
  say(r.audit, false, "STOPPED", 2);
  EXPECT_TRUE(r.audit.report().away.empty());
  say(r.audit, false, "STOPPED", 3);
  EXPECT_EQ(r.audit.report().away.size(), 1u);
}

TEST(Audit, ThatHeardNothingProvesNothingAndSaysWhereItListened) {
  Receiver r(Audit::Rule::sequence);
  auto report = r.audit.report();
  EXPECT_TRUE(report.flawless());
  EXPECT_FALSE(report.complete());
  EXPECT_EQ(report_lines(report, kFilter, "eng"),
            (std::vector<std::string>{
                "no message of a gateway was heard on gerbang/v1/#: nothing can be said; look at "
                "--root, --topic, --for and at what the broker lets this user read"}));
  EXPECT_TRUE(report_lines(report, kFilter, "ind")
                  .back()
                  .starts_with("tidak ada pesan gerbang yang terdengar di gerbang/v1/#: "));
}

TEST(Audit, OfAnIdleGatewayHearsTheStateThatTheBrokerKept) {
  Receiver r(Audit::Rule::sequence);
  say(r.audit, true, "", 2);
  EXPECT_TRUE(r.audit.report().complete());
}

TEST(Audit, ThatTheBrokerCutOffIsNotFinishedAndTellsWhatItHeard) {
  Receiver r(Audit::Rule::sequence);
  for (int n : {1, 2}) r.get(n);
  r.audit.cut_off();
  auto report = r.audit.report();
  EXPECT_TRUE(report.flawless());
  EXPECT_FALSE(report.complete());
  auto lines = report_lines(report, kFilter, "eng");
  EXPECT_EQ(lines.front(), "g stream s: 2 messages, #1 to #2, 0 duplicates");
  EXPECT_EQ(lines.back(),
            "0 gaps in 1 streams; the audit is not finished: the connection to the broker was lost "
            "and did not come back, this is what was heard until then");
  EXPECT_EQ(report_lines(report, kFilter, "ind").back(),
            "0 pesan hilang dalam 1 stream; pemeriksaan tidak selesai: hubungan ke broker terputus "
            "dan tidak pulih, ini yang terdengar sampai saat itu");
}

}  // namespace
}  // namespace gerbang::ctl
