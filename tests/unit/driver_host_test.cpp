// SPDX-License-Identifier: Apache-2.0
// The pure parts of gerbang-driver-host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "driver_host/config.hpp"
#include "driver_host/intake.hpp"
#include "driver_host/rhythm.hpp"
#include "driver_host/table.hpp"
#include "driver_host/tally.hpp"
#include "driver_host/text.hpp"

namespace gerbang::driver_host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'000'000'000'000;

// ---- texts --------------------------------------------------------------------------------------

TEST(CleanText, KeepsValidUtf8) {
  EXPECT_EQ(clean_text("µg/m³ 水 🌊", 100), "µg/m³ 水 🌊");
  EXPECT_EQ(clean_text(nullptr, 100), "");
}

TEST(CleanText, ReplacesWhatIsNotUtf8AndWhatATerminalWouldObey) {
  EXPECT_EQ(clean_text("a\x80z", 100), "a?z");             // lone continuation
  EXPECT_EQ(clean_text("\xc0\xaf", 100), "??");            // overlong
  EXPECT_EQ(clean_text("\xed\xa0\x80", 100), "???");       // surrogate
  EXPECT_EQ(clean_text("\xf4\x90\x80\x80", 100), "????");  // beyond Unicode
  EXPECT_EQ(clean_text("ends \xe6\xb0", 100), "ends ??");  // cut off
  EXPECT_EQ(clean_text("a\x1b[2J\nb\x7f", 100), "a [2J b ");
}

TEST(CleanText, CutsBetweenCharactersAndSaysHowLongItWas) {
  EXPECT_EQ(clean_text("12345678", 4), "1234 … (8 bytes)");
  EXPECT_EQ(clean_text("ab水", 4), "ab … (5 bytes)");
  std::string endless(200'000, 'x');
  EXPECT_THAT(clean_text(endless.c_str(), 4), HasSubstr("over"));
}

// ---- readings -----------------------------------------------------------------------------------

gerbang_reading number(std::uint32_t sensor, double value) {
  gerbang_reading r{};
  r.size = sizeof r;
  r.sensor = sensor;
  r.quality = GERBANG_NOT_EVALUATED;
  r.number = value;
  return r;
}

gerbang_reading integer(std::uint32_t sensor, std::int64_t value) {
  gerbang_reading r = number(sensor, 0);
  r.flags = GERBANG_HAS_INTEGER;
  r.integer = value;
  return r;
}

std::uint64_t refused(Intake& intake, const char* reason) {
  host::v1::Heartbeat heartbeat;
  intake.report(heartbeat);
  for (const auto& entry : heartbeat.refused())
    if (entry.reason() == reason) return entry.count();
  return 0;
}

std::string notices(Intake& intake) {
  std::string all;
  for (const std::string& notice : intake.take_notices()) all += notice + "\n";
  return all;
}

TEST(Intake, PutsIntegersNumbersAndMissingOnesIntoTheirColumns) {
  Intake intake({5, 3});
  gerbang_reading missing = number(5, 1);
  missing.quality = GERBANG_MISSING;
  missing.reason = GERBANG_REASON_TIMEOUT;
  std::array readings = {number(5, 1.5), integer(3, -7), missing};
  readings[0].boottime_ns = 1000;
  readings[1].boottime_ns = 900;
  ASSERT_EQ(intake.take(readings.data(), readings.size(), kNow), 3u);
  const host::v1::Readings& columns = intake.columns();
  EXPECT_THAT(columns.sensor(), ElementsAre(5u, 3u, 5u));
  EXPECT_THAT(columns.boot_ns(), ElementsAre(1000, -100, kNow - 900));
  EXPECT_THAT(columns.quality(), ElementsAre(2u, 2u | 16u, 9u | 1u << 8));
  EXPECT_THAT(columns.number(), ElementsAre(1.5));
  EXPECT_THAT(columns.integer(), ElementsAre(-7));
  EXPECT_THAT(columns.unix_ns(), IsEmpty());
}

TEST(Intake, TheTimeOfDevicesMakesAColumnFromTheFirstThatHasOne) {
  Intake intake({1});
  std::array readings = {number(1, 0), number(1, 0), number(1, 0)};
  readings[1].unix_ns = 77;
  intake.take(readings.data(), readings.size(), kNow);
  EXPECT_THAT(intake.columns().unix_ns(), ElementsAre(0, 77, 0));
}

TEST(Intake, StampsStartAgainWithEachFrame) {
  Intake intake({1});
  gerbang_reading reading = number(1, 0);
  intake.take(&reading, 1, kNow);
  intake.clear();
  intake.take(&reading, 1, kNow);
  EXPECT_THAT(intake.columns().boot_ns(), ElementsAre(kNow));
}

TEST(Intake, NotANumberIsMissing) {
  Intake intake({1});
  for (double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    gerbang_reading reading = number(1, value);
    intake.take(&reading, 1, kNow);
  }
  EXPECT_THAT(intake.columns().quality(), ElementsAre(9u | 9u << 8, 9u | 9u << 8));
  EXPECT_THAT(intake.columns().number(), IsEmpty());
  EXPECT_FALSE(intake.saw_number());
}

TEST(Intake, AMissingReadingHasAlwaysAReason) {
  Intake intake({1});
  gerbang_reading reading = number(1, 0);
  reading.quality = GERBANG_MISSING;
  intake.take(&reading, 1, kNow);
  EXPECT_THAT(intake.columns().quality(), ElementsAre(9u | 10u << 8));  // DRIVER
}

TEST(Intake, AnUnknownReasonIsPassedOnAsTheDrivers) {
  Intake intake({1});
  gerbang_reading reading = number(1, 0);
  reading.quality = GERBANG_BAD;
  reading.reason = 250;
  intake.take(&reading, 1, kNow);
  EXPECT_THAT(intake.columns().quality(), ElementsAre(4u | 10u << 8));
  EXPECT_THAT(notices(intake), HasSubstr("corrected: reason (reason 250)"));
  EXPECT_EQ(refused(intake, "reason"), 0u);
}

TEST(Intake, TimesOfTheFutureAreReplaced) {
  Intake intake({1});
  std::array readings = {number(1, 0), number(1, 0), number(1, 0)};
  readings[0].boottime_ns = kNow + 500'000'000;  // half a second: a clock read a little later
  readings[1].boottime_ns = kNow + 2'000'000'000;
  readings[2].boottime_ns = -5;
  intake.take(readings.data(), readings.size(), kNow);
  EXPECT_THAT(intake.columns().boot_ns(), ElementsAre(kNow + 500'000'000, -500'000'000, 0));
  EXPECT_THAT(notices(intake), HasSubstr("corrected: time"));
}

TEST(Intake, RefusesUnknownSensorsAndQualitiesAndNamesTheFirst) {
  Intake intake({1, 900'000});
  std::array readings = {number(2, 0), number(2, 0), number(1, 0), number(900'000, 0)};
  readings[2].quality = 0;
  EXPECT_EQ(intake.take(readings.data(), readings.size(), kNow), 4u);
  EXPECT_EQ(intake.size(), 1u);
  std::string said = notices(intake);
  EXPECT_THAT(said, HasSubstr("unknown_sensor (sensor 2)"));
  EXPECT_THAT(said, HasSubstr("quality (quality 0)"));
  EXPECT_EQ(refused(intake, "unknown_sensor"), 2u);
  EXPECT_EQ(refused(intake, "unknown_sensor"), 0u);  // reported once
  intake.take(readings.data(), 1, kNow);
  EXPECT_EQ(notices(intake), "");  // said once
  EXPECT_EQ(refused(intake, "unknown_sensor"), 1u);
}

TEST(Intake, StepsByTheSizeThatTheWriterSaid) {
  struct Longer {
    gerbang_reading known;
    std::array<std::uint64_t, 3> later;
  };
  Intake intake({1});
  std::array<Longer, 2> readings{{{number(1, 10), {}}, {number(1, 20), {}}}};
  for (Longer& reading : readings) reading.known.size = sizeof reading;
  intake.take(&readings[0].known, readings.size(), kNow);
  EXPECT_THAT(intake.columns().number(), ElementsAre(10, 20));
}

TEST(Intake, RefusesShortStructsAndNothingAtAll) {
  Intake intake({1});
  gerbang_reading reading = number(1, 0);
  reading.size = sizeof reading - 1;
  EXPECT_EQ(intake.take(&reading, 4, kNow), 4u);
  EXPECT_EQ(intake.take(static_cast<const gerbang_reading*>(nullptr), 2, kNow), 2u);
  EXPECT_EQ(intake.take(static_cast<const gerbang_reading*>(nullptr), 0, kNow), 0u);
  EXPECT_EQ(refused(intake, "struct_size"), 6u);
}

TEST(Intake, StopsAtAFullFrameAndGoesOnAfterIt) {
  Intake intake({1});
  std::vector<gerbang_reading> readings(Intake::kMaxPerFrame + 10, number(1, 1));
  std::size_t taken = intake.take(readings.data(), readings.size(), kNow);
  EXPECT_EQ(taken, Intake::kMaxPerFrame);
  EXPECT_TRUE(intake.full());
  intake.clear();
  EXPECT_EQ(intake.take(readings.data() + taken, readings.size() - taken, kNow), 10u);
}

TEST(Intake, AFloodIsRefusedToTheLastReadingAndTheNextCallIsFree) {
  Intake intake({1});
  std::vector<gerbang_reading> readings(1000, number(1, 1));
  intake.begin_call();
  std::size_t kept = 0;
  for (int i = 0; i < 250; ++i) {
    for (std::size_t done = 0; done < readings.size();) {
      done += intake.take(readings.data() + done, readings.size() - done, kNow);
      kept += intake.size();
      intake.clear();
    }
  }
  EXPECT_EQ(kept, Intake::kMaxPerCall);
  EXPECT_EQ(refused(intake, "flood"), 250'000 - Intake::kMaxPerCall);
  intake.begin_call();
  intake.take(readings.data(), 1, kNow);
  EXPECT_EQ(intake.size(), 1u);
}

TEST(Intake, KnowsWhoHasNotAnsweredYet) {
  Intake intake({4, 2});
  EXPECT_FALSE(intake.all_answered());
  gerbang_reading reading = number(4, 1);
  intake.take(&reading, 1, kNow);
  intake.take(&reading, 1, kNow);
  EXPECT_THAT(intake.unanswered(), ElementsAre(2u));
  reading.sensor = 2;
  reading.quality = GERBANG_MISSING;
  intake.take(&reading, 1, kNow);
  EXPECT_TRUE(intake.all_answered());
  EXPECT_TRUE(Intake(std::vector<std::uint32_t>()).all_answered());
}

TEST(Intake, DecodingTakesAnyOrdinaryIndex) {
  Intake intake = Intake::for_decode();
  std::array readings = {number(17, 1), number(Intake::kMaxDecoded, 1)};
  intake.take(readings.data(), readings.size(), kNow);
  EXPECT_THAT(intake.columns().sensor(), ElementsAre(17u));
}

TEST(Intake, EventsAreCheckedAndCopied) {
  Intake intake({1});
  std::array fields = {gerbang_field{sizeof(gerbang_field), 0, "net", "kg", 12.5},
                       gerbang_field{sizeof(gerbang_field), 0, "gross", nullptr, std::nan("")},
                       gerbang_field{sizeof(gerbang_field), 0, nullptr, nullptr, 1}};
  gerbang_event event{sizeof event, 1, "weighing", nullptr, fields.data(), fields.size(), 0, -1};
  host::v1::Event out;
  ASSERT_TRUE(intake.take(&event, kNow, out));
  EXPECT_EQ(out.boot_ns(), kNow);
  EXPECT_EQ(out.unix_ns(), 0);
  ASSERT_EQ(out.fields_size(), 1);
  EXPECT_EQ(out.fields(0).value(), 12.5);
  EXPECT_EQ(refused(intake, "event"), 2u);

  event.kind = nullptr;
  EXPECT_FALSE(intake.take(&event, kNow, out));
  event.kind = "weighing";
  event.field_count = Intake::kMaxFields + 1;
  EXPECT_FALSE(intake.take(&event, kNow, out));
  event.field_count = 0;
  event.sensor = 8;
  EXPECT_FALSE(intake.take(&event, kNow, out));
  EXPECT_FALSE(intake.take(static_cast<const gerbang_event*>(nullptr), kNow, out));
}

// ---- requests -----------------------------------------------------------------------------------

TEST(Tally, SumsPerDeviceAndStartsAgainAfterAReport) {
  Tally tally;
  tally.add("unit 3", GERBANG_REASON_NONE, 2000);
  tally.add("unit 3", GERBANG_REASON_NONE, 5000);
  tally.add("unit 3", GERBANG_REASON_CRC, 90'000);
  tally.add("unit 4", 4711, 1);
  host::v1::Heartbeat heartbeat;
  tally.report(heartbeat);
  ASSERT_EQ(heartbeat.exchanges_size(), 2);
  const host::v1::Exchanges& first = heartbeat.exchanges(0);
  EXPECT_EQ(first.device(), "unit 3");
  EXPECT_EQ(first.requests(), 3u);
  EXPECT_THAT(first.result(), ElementsAre(0u, 2u));
  EXPECT_THAT(first.count(), ElementsAre(2u, 1u));
  EXPECT_EQ(first.microseconds(), 7000u);
  EXPECT_EQ(first.slowest_us(), 5000u);
  EXPECT_THAT(heartbeat.exchanges(1).result(), ElementsAre(10u));  // DRIVER
  ASSERT_EQ(first.bucket_size(), 2);
  EXPECT_EQ(first.bucket(0), RoundTrips::bucket_of(2000));
  EXPECT_EQ(first.bucket(1), RoundTrips::bucket_of(5000));
  EXPECT_THAT(first.times(), ElementsAre(1u, 1u)) << "only those that were answered";
  host::v1::Heartbeat next;
  tally.report(next);
  EXPECT_EQ(next.exchanges_size(), 0);
}

TEST(Tally, ADriverThatInventsNamesIsBounded) {
  Tally tally;
  for (int i = 0; i < 1000; ++i) tally.add("unit " + std::to_string(i), GERBANG_REASON_NONE, 1);
  host::v1::Heartbeat heartbeat;
  tally.report(heartbeat);
  std::uint64_t sum = 0;
  for (const auto& entry : heartbeat.exchanges()) sum += entry.requests();
  EXPECT_EQ(sum, 1000u);
  EXPECT_LE(heartbeat.exchanges_size(), static_cast<int>(Tally::kMaxDevices) + 1);
}

// ---- rhythm -------------------------------------------------------------------------------------

TEST(Absence, SaysMissingAtOnceThenPerIntervalButNotOftenerThanEveryFiveSeconds) {
  Absence absence;
  absence.add(1, kSecond);
  absence.add(2, 60 * kSecond);
  absence.begin(100 * kSecond);
  EXPECT_EQ(absence.next(), 100 * kSecond);
  EXPECT_THAT(absence.take(100 * kSecond), ElementsAre(1u, 2u));
  EXPECT_THAT(absence.take(104 * kSecond), IsEmpty());
  EXPECT_EQ(absence.next(), 105 * kSecond);
  EXPECT_THAT(absence.take(105 * kSecond), ElementsAre(1u));
  EXPECT_THAT(absence.take(160 * kSecond), ElementsAre(1u, 2u));
}

TEST(Flow, ABurstIsFreeAndARateOverTimeIsNot) {
  Flow flow;
  constexpr Nanoseconds kStart = 1000 * kSecond;
  EXPECT_EQ(flow.after(200'000, kStart), Nanoseconds(0));
  EXPECT_EQ(flow.after(200'000, kStart), 10 * kSecond);
  EXPECT_EQ(flow.after(0, kStart + 4 * kSecond), 6 * kSecond);
  EXPECT_EQ(flow.after(1'000, kStart + 60 * kSecond), Nanoseconds(0));

  Flow steady;  // 50,000 a second, in small calls
  Nanoseconds now = kStart;
  std::size_t brought = 0;
  while (now < kStart + 60 * kSecond) {
    brought += 500;
    now += 10 * kMillisecond + steady.after(500, now);
  }
  EXPECT_LE(brought, 200'000u + 61u * 20'000);
  EXPECT_GE(brought, 200'000u + 59u * 20'000);
  Flow usual;
  for (int i = 0; i < 100'000; ++i)
    EXPECT_EQ(usual.after(1'000, kStart + i * 50 * kMillisecond), Nanoseconds(0));
}

TEST(Beat, MayComeFiveTimesASecondAndIsDueOnceASecond) {
  Beat beat;
  EXPECT_TRUE(beat.may(Nanoseconds(0)));
  beat.sent(10 * kSecond);
  EXPECT_FALSE(beat.may(10 * kSecond + 199 * kMillisecond));
  EXPECT_TRUE(beat.may(10 * kSecond + 200 * kMillisecond));
  EXPECT_EQ(beat.due(), 11 * kSecond);
}

TEST(LogLimit, ABurstPassesThenTenLinesASecond) {
  LogLimit limit;
  int passed = 0;
  for (int i = 0; i < 500; ++i) passed += limit.admit(50 * kSecond) ? 1 : 0;
  EXPECT_EQ(passed, LogLimit::kBurst);
  EXPECT_EQ(limit.take_suppressed(), 400u);
  EXPECT_EQ(limit.take_suppressed(), 0u);
  passed = 0;
  for (int i = 0; i < 500; ++i) passed += limit.admit(51 * kSecond) ? 1 : 0;
  EXPECT_EQ(passed, 10);
}

TEST(IdlePause, GrowsWhileNothingHappensAndIsForgottenWhenSomethingDoes) {
  IdlePause idle(100 * kMillisecond);
  EXPECT_EQ(idle.after(Nanoseconds(100), false), kMillisecond);
  EXPECT_EQ(idle.after(Nanoseconds(100), false), 2 * kMillisecond);
  for (int i = 0; i < 10; ++i) idle.after(Nanoseconds(100), false);
  EXPECT_EQ(idle.after(Nanoseconds(100), false), 25 * kMillisecond);  // a quarter of the interval
  EXPECT_EQ(idle.after(Nanoseconds(100), true), Nanoseconds(0));
  EXPECT_EQ(idle.after(Nanoseconds(100), false), kMillisecond);
  EXPECT_EQ(idle.after(5 * kMillisecond, false), Nanoseconds(0));  // it waited by itself
}

// ---- configuration ------------------------------------------------------------------------------

TEST(DriverConfig, MakesTheStructsOfTheContract) {
  host::v1::Configure frame;
  frame.set_instance("wtp-plc");
  host::v1::Value& host = *frame.add_options();
  host.set_name("host");
  host.set_type(GERBANG_STRING);
  host.set_text("10.0.0.5");
  host::v1::Value& port = *frame.add_options();
  port.set_name("port");
  port.set_type(GERBANG_INTEGER);
  port.set_integer(502);
  for (std::uint32_t i = 0; i < 3; ++i) {
    host::v1::Sensor& sensor = *frame.add_sensors();
    sensor.set_index(10 + i);
    sensor.set_id("s" + std::to_string(i));
    sensor.set_interval_ns(1000);
    for (std::uint32_t k = 0; k < i; ++k) {  // none, one, two keys
      host::v1::Value& key = *sensor.add_address();
      key.set_name("k" + std::to_string(k));
      key.set_type(GERBANG_NUMBER);
      key.set_number(k + 0.5);
    }
  }
  DriverConfig config(frame);
  frame.Clear();  // nothing of it is needed any more
  const gerbang_config& c = *config.get();
  EXPECT_STREQ(c.instance, "wtp-plc");
  ASSERT_EQ(c.option_count, 2u);
  EXPECT_STREQ(c.options[0].text, "10.0.0.5");
  EXPECT_EQ(c.options[1].text, nullptr);
  EXPECT_EQ(c.options[1].integer, 502);
  ASSERT_EQ(c.sensor_count, 3u);
  EXPECT_EQ(c.sensors[0].address_count, 0u);
  ASSERT_EQ(c.sensors[2].address_count, 2u);
  EXPECT_EQ(c.sensors[2].index, 12u);
  EXPECT_STREQ(c.sensors[1].address[0].name, "k0");
  EXPECT_STREQ(c.sensors[2].address[1].name, "k1");
  EXPECT_EQ(c.sensors[2].address[1].number, 1.5);
}

// ---- what a driver says of itself ---------------------------------------------------------------

gerbang_option_spec spec(gerbang_type type, const char* name, const char* fallback = nullptr) {
  gerbang_option_spec s{};
  s.size = sizeof s;
  s.type = static_cast<std::uint32_t>(type);
  s.name = name;
  s.fallback = fallback;
  s.help = "Help.";
  if (type == GERBANG_CHOICE) s.choices = "tcp|rtu";
  return s;
}

// "" when it is accepted.
std::string verdict(std::vector<gerbang_option_spec> specs) {
  gerbang_description d{sizeof d, 0, specs.data(), specs.size(), nullptr, 0, "Summary.", 0, 0};
  auto read = read_description(&d);
  return read ? "" : read.error().what;
}

TEST(Description, DefaultsMustBeOfTheirTypeAndWithinTheirBounds) {
  EXPECT_EQ(verdict({spec(GERBANG_STRING, "a", "x"), spec(GERBANG_INTEGER, "b", "-5"),
                     spec(GERBANG_NUMBER, "c", "1.5e3"), spec(GERBANG_BOOLEAN, "d", "true"),
                     spec(GERBANG_DURATION, "e", "500ms"), spec(GERBANG_CHOICE, "f", "rtu")}),
            "");
  EXPECT_THAT(verdict({spec(GERBANG_INTEGER, "b", "1.5")}), HasSubstr("\"1.5\" is no integer"));
  EXPECT_THAT(verdict({spec(GERBANG_NUMBER, "c", "much")}), HasSubstr("is no number"));
  EXPECT_THAT(verdict({spec(GERBANG_BOOLEAN, "d", "yes")}), HasSubstr("neither true nor false"));
  EXPECT_THAT(verdict({spec(GERBANG_DURATION, "e", "500")}), HasSubstr("is no duration"));
  EXPECT_THAT(verdict({spec(GERBANG_CHOICE, "f", "udp")}), HasSubstr("not among its choices"));
  gerbang_option_spec bounded = spec(GERBANG_DURATION, "timeout", "20s");
  bounded.minimum = 1;
  bounded.maximum = 10'000;
  EXPECT_THAT(verdict({bounded}), HasSubstr("out of its bounds"));
  bounded.fallback = "10s";
  EXPECT_EQ(verdict({bounded}), "");
}

TEST(Description, KeysAreNamedWhenTheyAreWrong) {
  EXPECT_THAT(verdict({spec(GERBANG_STRING, "host"), spec(GERBANG_STRING, nullptr)}),
              HasSubstr("list of options: key 2: it has no name"));
  EXPECT_THAT(verdict({spec(GERBANG_STRING, "Host")}), HasSubstr("not of lower case letters"));
  EXPECT_THAT(verdict({spec(GERBANG_STRING, "a"), spec(GERBANG_NUMBER, "a")}),
              HasSubstr("key 2 (a) stands twice"));
  gerbang_option_spec unknown = spec(GERBANG_STRING, "a");
  unknown.type = 9;
  EXPECT_THAT(verdict({unknown}), HasSubstr("type 9 is unknown"));
  gerbang_option_spec torn = spec(GERBANG_STRING, "a", "x");
  torn.flags = GERBANG_REQUIRED;
  EXPECT_THAT(verdict({torn}), HasSubstr("required and has a default"));
  gerbang_option_spec reversed = spec(GERBANG_INTEGER, "a");
  reversed.minimum = 2;
  reversed.maximum = 1;
  EXPECT_THAT(verdict({reversed}), HasSubstr("minimum is above its maximum"));
  for (const char* choices : {"", "|tcp", "tcp||rtu", static_cast<const char*>(nullptr)}) {
    gerbang_option_spec empty = spec(GERBANG_CHOICE, "mode");
    empty.choices = choices;
    EXPECT_THAT(verdict({empty}), HasSubstr("have an empty one"));
  }
}

TEST(Description, ListsAreBoundedAndSteppedThroughByTheirOwnSize) {
  gerbang_description nothing{sizeof nothing, 0, nullptr, 3, nullptr, 0, "", 0, 0};
  EXPECT_FALSE(read_description(&nothing));
  std::vector<gerbang_option_spec> many(1000, spec(GERBANG_STRING, "a"));
  EXPECT_THAT(verdict(many), HasSubstr("1000 keys, at most"));
  struct Longer {
    gerbang_option_spec known;
    std::array<void*, 2> later;
  };
  std::array<Longer, 2> longer{{{spec(GERBANG_STRING, "a"), {}}, {spec(GERBANG_STRING, "b"), {}}}};
  for (Longer& l : longer) l.known.size = sizeof l;
  gerbang_description d{sizeof d, 7, nullptr, 0, &longer[0].known, 2, "x", 0, 0};
  auto read = read_description(&d);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->address(1).name(), "b");
  EXPECT_EQ(read->max_block_ms(), 7u);
}

}  // namespace
}  // namespace gerbang::driver_host
