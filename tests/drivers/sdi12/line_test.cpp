// SPDX-License-Identifier: Apache-2.0
//
// The driver over a pseudo-terminal, with probes that behave, and with all that happens on real
// lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "drivers/rig.hpp"
#include "sdi12/codec.hpp"
#include "support/pty.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

// Probes on one line. The script gets a command without its "!" and says what is sent back.
class Probes {
 public:
  using Script = std::function<std::string(const std::string& command)>;

  explicit Probes(std::string path) : pty_(std::move(path)), thread_([this] { run(); }) {}
  ~Probes() {
    stop_ = true;
    thread_.join();
  }
  void script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  void answers(std::map<std::string, std::string> table) {
    script([table](const std::string& command) {
      const auto found = table.find(command);
      return found == table.end() ? std::string() : found->second + "\r\n";
    });
  }
  std::vector<std::string> commands() {
    const std::lock_guard lock(mutex_);
    return commands_;
  }
  void plug() {
    const std::lock_guard lock(mutex_);
    pty_.plug();
  }
  void unplug() {
    const std::lock_guard lock(mutex_);
    pty_.unplug();
  }
  void send(const std::string& text) {
    const std::lock_guard lock(mutex_);
    pty_.send({text.begin(), text.end()});
  }

 private:
  void run() {
    std::string in;
    while (!stop_) {
      std::this_thread::sleep_for(1ms);
      const std::lock_guard lock(mutex_);
      for (const auto c : pty_.receive()) {
        if (c != '!') {
          in += static_cast<char>(c);
          continue;
        }
        commands_.push_back(in);
        const std::string out = script_(std::exchange(in, {}));
        pty_.send({out.begin(), out.end()});
      }
    }
  }

  Pty pty_;
  std::mutex mutex_;
  Script script_ = [](const std::string&) { return std::string(); };
  std::vector<std::string> commands_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Sdi12Line : public testing::Test {
 protected:
  TempDir folder;
  std::string path = (folder.path() / "adapter").string();
  Probes probes{path};
  Rig rig{"sdi12"};

  void sensor(char address, const char* command, int parameter = 1,
              std::chrono::nanoseconds interval = 200ms) {
    rig.sensor(std::string("s") + address + command + std::to_string(parameter),
               {{"sensor_address", std::string(1, address)},
                {"command", command},
                {"parameter", std::to_string(parameter)}},
               interval);
  }
  gerbang_status open(Rig::Keys more = {}) {
    more.insert({{"device", path}, {"timeout", "60ms"}});
    return rig.open(std::move(more));
  }
  bool some(std::uint32_t of, std::size_t more = 2) {
    const auto before = rig.good(of);
    return rig.poll_until([&] { return rig.good(of) >= before + more; });
  }
  std::vector<double> numbers(std::uint32_t of) const {
    std::vector<double> out;
    for (const auto& r : rig.of(of))
      if (r.quality != GERBANG_MISSING) out.push_back(r.number);
    return out;
  }
};

TEST_F(Sdi12Line, OneMeasurementServesAllSensorsOfADevice) {
  probes.answers({{"0M", "00003"}, {"0D0", "0+7.21-3.5"}, {"0D1", "0+28.4"}});
  for (int parameter : {1, 2, 3}) sensor('0', "M", parameter);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(some(2)) << rig.log;
  EXPECT_THAT(numbers(0), Each(7.21));
  EXPECT_THAT(numbers(1), Each(-3.5));
  EXPECT_THAT(numbers(2), Each(28.4));
  EXPECT_EQ(rig.of(0)[0].boottime_ns, rig.of(2)[0].boottime_ns);
  const auto commands = probes.commands();
  EXPECT_THAT((std::vector<std::string>{commands[0], commands[1], commands[2]}),
              ElementsAre("0M", "0D0", "0D1"));
  EXPECT_EQ(rig.exchanges[0].device, "address-0");
  EXPECT_EQ(rig.exchanges[0].result, GERBANG_REASON_NONE);
}

TEST_F(Sdi12Line, WaitsForTheServiceRequestAndNoLonger) {
  sensor('3', "M", 1, 100s);
  ASSERT_EQ(open(), GERBANG_OK);
  probes.answers({{"3M", "30301"}, {"3D0", "3+12.5"}});  // 30 s
  rig.poll_for(400ms);
  EXPECT_THAT(probes.commands(), ElementsAre("3M"));
  probes.send("3\r\n");
  ASSERT_TRUE(some(0, 1)) << rig.log;
  EXPECT_THAT(numbers(0), ElementsAre(12.5));
}

TEST_F(Sdi12Line, AProbeThatMeasuresLongKeepsOthersWaitingOnlyWithM) {
  probes.answers({{"0C", "000101"}, {"0D0", "0+1"}, {"1R0", "1+2"}});
  sensor('0', "C", 1, 10s);
  sensor('1', "R0", 1, 100ms);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(some(0, 1)) << rig.log;
  EXPECT_GE(rig.good(1), 4u);  // during the second of the other
}

TEST_F(Sdi12Line, AnEchoOfTheAdapterDoesNoHarm) {
  probes.script([](const std::string& command) {
    return std::string(1, '\0') + command + "!" + (command == "0R0" ? "0+5\r\n" : "");
  });
  sensor('0', "R0");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(some(0)) << rig.log;
  EXPECT_EQ(rig.good(0), rig.readings.size());
}

struct Trouble {
  const char* name;
  std::string answer;
  gerbang_reason reason;
};
class Sdi12Trouble : public Sdi12Line, public testing::WithParamInterface<Trouble> {};

TEST_P(Sdi12Trouble, IsMissingWithItsReasonAndRecovers) {
  const std::map<std::string, std::string> right{{"0RC0", "0+3.14OqZ"}};
  probes.answers(right);
  sensor('0', "RC0", 1, 100ms);
  ASSERT_EQ(open({{"retries", "1"}}), GERBANG_OK);
  ASSERT_TRUE(some(0)) << rig.log;
  probes.script([](const std::string&) { return GetParam().answer; });
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GetParam().reason) >= 2; })) << rig.log;
  probes.answers(right);
  ASSERT_TRUE(some(0)) << rig.log;
  EXPECT_THAT(numbers(0), Each(3.14));
  EXPECT_TRUE(rig.logged("address 0, command RC0")) << rig.log;
}
INSTANTIATE_TEST_SUITE_P(
    Line, Sdi12Trouble,
    testing::Values(Trouble{"silence", "", GERBANG_REASON_TIMEOUT},
                    Trouble{"checksum", "0+3.14OqX\r\n", GERBANG_REASON_CRC},
                    Trouble{"half", "0+3.1", GERBANG_REASON_PROTOCOL},
                    Trouble{"foreign", "1+3.14\r\n", GERBANG_REASON_PROTOCOL},
                    Trouble{"garbage", "\xA5\xFF\x80\xA5\r\n", GERBANG_REASON_PROTOCOL},
                    Trouble{"flood", std::string(3000, 'U'), GERBANG_REASON_PROTOCOL}),
    [](const testing::TestParamInfo<Trouble>& trouble) { return std::string(trouble.param.name); });

TEST_F(Sdi12Line, ADeadProbeDoesNotStopTheOthers) {
  probes.answers({{"0R0", "0+1"}});
  sensor('0', "R0", 1, 200ms);
  sensor('1', "R0", 1, 200ms);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; })) << rig.log;
  EXPECT_GE(rig.count(1, GERBANG_REASON_TIMEOUT), 1u);
  EXPECT_EQ(rig.good(1), 0u);
}

TEST_F(Sdi12Line, AnAdapterThatIsUnpluggedAndComesBackIsOpenedAgain) {
  probes.answers({{"0M", "00001"}, {"0D0", "0+7"}});
  sensor('0', "M");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(some(0, 2)) << rig.log;
  probes.unplug();
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) >= 2; }));
  probes.plug();
  ASSERT_TRUE(some(0, 2)) << rig.log;
  EXPECT_THAT(numbers(0), Each(7));
}

TEST_F(Sdi12Line, AParameterThatTheDeviceDoesNotHaveIsSaid) {
  probes.answers({{"0R0", "0+1+2"}});
  sensor('0', "R0", 3);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_CONVERSION) >= 1; }));
  EXPECT_TRUE(rig.logged("wants parameter 3, but the device gives 2 values")) << rig.log;
}

TEST_F(Sdi12Line, SendsNothingButWhatReads) {
  probes.answers({{"0MC", "00001"}, {"0D0", "0+3.14OqZ"}, {"1C", "100001"}, {"1D0", "1+1"}});
  sensor('0', "MC");
  sensor('1', "C");
  sensor('2', "V");
  ASSERT_EQ(open({{"retries", "0"}}), GERBANG_OK);
  ASSERT_TRUE(some(1)) << rig.log;
  EXPECT_THAT(probes.commands(), Each(testing::MatchesRegex("[012](MC|C|V|D0)")));
}

TEST_F(Sdi12Line, ScanFindsWhoAnswersAndAsksNothingElse) {
  probes.answers({{"0", "0"},
                  {"0I", "014METER   TER12 3.1"},
                  {"z", "z"},
                  {"zI", "z13CAMPBELLCS650 1.0serial"}});
  EXPECT_EQ(rig.scan({{"device", path}, {"break", "adapter"}, {"timeout", "20ms"}}), GERBANG_OK)
      << rig.log;
  ASSERT_EQ(rig.scanned.size(), 2u);
  EXPECT_THAT(rig.scanned[0].second, HasSubstr("METER TER12, firmware 3.1, SDI-12 1.4"));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("plugin = \"sdi12\""));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("sensor_address = \"0\", command = \"M\""));
  EXPECT_THAT(rig.scanned[1].first, HasSubstr("sensor_address = \"z\""));
  EXPECT_THAT(probes.commands(), Each(testing::MatchesRegex("[0-9a-zA-Z]I?")));
}

TEST_F(Sdi12Line, ScanGivesAnIdWithoutCapitalsToEachOfTwoProbesOfOneLetter) {
  probes.answers({{"Z", "Z"}, {"z", "z"}});
  EXPECT_EQ(rig.scan({{"device", path}, {"break", "adapter"}, {"timeout", "20ms"}}), GERBANG_OK)
      << rig.log;
  std::string all;
  for (const auto& [toml, note] : rig.scanned) all += toml;
  EXPECT_THAT(all, HasSubstr("id = \"line-upper-z-1\""));
  EXPECT_THAT(all, HasSubstr("sensor_address = \"Z\""));
  EXPECT_THAT(all, HasSubstr("id = \"line-z-1\""));
}

TEST_F(Sdi12Line, ScanOfAPortThatIsNotThereSaysSo) {
  EXPECT_EQ(rig.scan({{"device", path + "-no"}}), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("cannot ask")) << rig.log;
}

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

TEST_F(Sdi12Line, DecodeGivesTheValuesOrTheReason) {
  const Rig::Keys options{{"device", "-"}};
  EXPECT_EQ(rig.decode(options, bytes_of("0+3.14+2.718IWO\r\n")), GERBANG_OK) << rig.log;
  EXPECT_EQ(numbers(0), (std::vector<double>{3.14}));
  EXPECT_EQ(numbers(1), (std::vector<double>{2.718}));
  EXPECT_EQ(rig.log, "parameter-1\nparameter-2\n");
  for (const auto& [text, why] :
       std::map<std::string, std::string>{{"0+3.14OqX\r\n", "should end in OqZ"},
                                          {"00053\r\n", "promises 3 values in 5 s"},
                                          {"0\r\n", "address alone"},
                                          {"014METER   TER12 3.1", "METER TER12"},
                                          {"\xA5", "no SDI-12 answer"},
                                          {"0+1.2.3", "digits"},
                                          {"1+1.0\r\n2+2.0\r\n", "two probes, 1 and 2"},
                                          {"", "no value"}}) {
    rig.log.clear();
    EXPECT_EQ(rig.decode(options, bytes_of(text)), GERBANG_CONFIG) << text;
    EXPECT_TRUE(rig.logged(why)) << text << ": " << rig.log;
  }
}

TEST_F(Sdi12Line, RefusesAParameterThatMCannotHave) {
  sensor('0', "M", 10);
  EXPECT_EQ(open(), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("at most 9")) << rig.log;
}

}  // namespace
}  // namespace gerbang::test
