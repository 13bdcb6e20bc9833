// SPDX-License-Identifier: Apache-2.0
//
// What only a driver knows to be wrong, told beside everything else.
#include "config/refusal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fixture.hpp"
#include "config/options.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kGateway = R"([gateway]
id = "ipa-uji-1"
region = "maros"
site = "ipa-uji"
timezone = "Asia/Makassar"
)";
constexpr const char* kPlc = R"([[driver]]
name = "plc"
plugin = "modbus"
options = { transport = "tcp", port = 503 }
)";
constexpr const char* kFlow = R"([[sensor]]
id = "flow"
driver = "plc"
quantity = "ph"
address = { unit = 1, register = 7 }
)";

std::string sensor(const std::string& id, const std::string& rest) {
  return "[[sensor]]\nid = \"" + id + "\"\nquantity = \"ph\"\n" + rest;
}

class Refusals : public testing::Test {
 protected:
  // What the drivers have against the sensors with these ids, and against the lines; `only`: an
  // option of the line ("transport = \"rtu\"") without which they have nothing.
  struct Objection {
    std::string driver, sensor, text, only = {};
  };

  LoadResult load_text(const std::string& text, const std::vector<Objection>& objections = {}) {
    Context context = test::context();
    context.ask = [&](const Config& config) {
      ++asked_;
      std::vector<Refusal> out;
      for (const Driver& driver : config.drivers) drivers_.push_back(driver.name);
      for (const Sensor& sensor : config.sensors)
        sensors_.push_back(config.drivers.at(sensor.driver).name + "/" + sensor.id);
      for (const Objection& each : objections) {
        if (!asked_with(config, each)) continue;
        Refusal refusal{each.driver, std::nullopt, each.text};
        for (std::size_t i = 0; i < config.sensors.size(); ++i)
          if (config.sensors[i].id == each.sensor) refusal.sensor = i;
        out.push_back(std::move(refusal));
      }
      return out;
    };
    return load(folder_.write("gerbang.toml", text), context);
  }
  // Whether the line of this objection is there, as the objection wants it, and its sensor too.
  static bool asked_with(const Config& config, const Objection& each) {
    for (std::size_t d = 0; d < config.drivers.size(); ++d) {
      const Driver& driver = config.drivers[d];
      if (driver.name != each.driver) continue;
      bool sensor = each.sensor.empty(), option = each.only.empty();
      for (const Sensor& one : config.sensors) sensor |= one.driver == d && one.id == each.sensor;
      for (const OptionValue& value : driver.options)
        option |= value.name + " = " + written(value) == each.only;
      return sensor && option;
    }
    return false;
  }
  // Of the sensors, by their keys.
  static std::vector<std::string> refused(const LoadResult& result) {
    std::vector<std::string> out;
    for (const Diagnostic& error : result.errors)
      if (error.what.ends_with("not there")) out.push_back(error.key);
    return out;
  }
  // Without the file's name, which is a folder of this test.
  std::vector<std::string> errors(const LoadResult& result) {
    std::vector<std::string> out;
    for (const Diagnostic& error : result.errors)
      out.push_back(text(error).substr(error.file.size() + 1));
    return out;
  }

  test::TempDir folder_;
  int asked_ = 0;
  std::vector<std::string> drivers_, sensors_;
};

TEST_F(Refusals, StandAmongTheOtherMistakesInTheOrderOfTheFile) {
  const LoadResult result =
      load_text(std::string(kGateway) + kPlc +
                    sensor("raw", "driver = \"plc\"\naddress = { unit = 2, register = 1 }\n") +
                    "[store]\ncommit_interval = 5\n" + kFlow,
                {{"plc", "flow", "register = 7 is not there; write 8"},
                 {"plc", "raw", "unit = 2 is no unit of this line"},
                 {"plc", "", "port = 503 is odd"}});

  EXPECT_FALSE(result.config);
  EXPECT_THAT(
      errors(result),
      ElementsAre("9:39: driver[plc].options.port: port = 503 is odd; gerbangctl drivers modbus "
                  "lists what it understands",
                  "14:20: sensor[raw].address.unit: unit = 2 is no unit of this line; gerbangctl "
                  "drivers modbus lists what it understands",
                  "16:19: store.commit_interval: expected a duration with its unit, found the "
                  "integer 5; write \"5s\" if seconds are meant",
                  "21:34: sensor[flow].address.register: register = 7 is not there; write 8"));
}

TEST_F(Refusals, ThatNameNoKeyStandAtWhatTheDriverWasTold) {
  const LoadResult result = load_text(std::string(kGateway) + kPlc + kFlow,
                                      {{"plc", "flow", "neither bit nor manual is given; choose"},
                                       {"plc", "", "host is not given; write it"}});

  EXPECT_THAT(errors(result),
              ElementsAre("9:11: driver[plc].options: host is not given; write it",
                          "14:11: sensor[flow].address: neither bit nor manual is given; choose"));
}

TEST_F(Refusals, AreAskedForOfWhatIsSoundItself) {
  const std::string address = "address = { unit = 1, register = ";
  const LoadResult result = load_text(
      std::string(kGateway) + kPlc +
          "[[driver]]\nname = \"wrong\"\nplugin = \"modbus\"\noptions = { transport = \"udp\" }\n"
          "[[driver]]\nname = \"unknown\"\nplugin = \"modbuss\"\n"
          "[[driver]]\nname = \"slow\"\nplugin = \"modbus\"\ninterval = 5\n"
          "options = { transport = \"tcp\" }\n" +
          kFlow + sensor("of-wrong", "driver = \"wrong\"\n" + address + "1 }\n") +
          sensor("of-unknown", "driver = \"unknown\"\n" + address + "1 }\n") +
          sensor("of-nobody", "driver = \"plcc\"\n" + address + "1 }\n") +
          sensor("of-slow", "driver = \"slow\"\n" + address + "1 }\n") +
          sensor("own-interval", "driver = \"slow\"\ninterval = \"1s\"\n" + address + "2 }\n") +
          sensor("bad-interval", "driver = \"plc\"\ninterval = \"1x\"\n" + address + "1 }\n") +
          sensor("bad-address", "driver = \"plc\"\n" + address + "\"1\" }\n") +
          sensor("no-table", "driver = \"plc\"\naddress = 40001\n") +
          sensor("same-place", "driver = \"plc\"\n" + address + "7 }\n") +
          sensor("flow", "driver = \"plc\"\n" + address + "2 }\n") +
          sensor("scaled", "driver = \"plc\"\nscale = \"two\"\n" + address + "3 }\n"),
      {{"plc", "scaled", "register = 3 is not there; write 4"},
       {"slow", "own-interval", "register = 2 is not there; write 4"}});

  EXPECT_EQ(asked_, 1);
  EXPECT_THAT(drivers_, ElementsAre("plc", "wrong", "slow"));
  EXPECT_THAT(sensors_, ElementsAre("plc/flow", "wrong/of-wrong", "slow/of-slow",
                                    "slow/own-interval", "plc/bad-interval", "plc/scaled"));
  EXPECT_THAT(refused(result), ElementsAre("sensor[own-interval].address.register",
                                           "sensor[scaled].address.register"));
}

// The line "doubtful" with these options, a sensor at register 1 and one at 2.
std::string doubtful(const std::string& rest) {
  return std::string(kGateway) + "[[driver]]\nname = \"doubtful\"\nplugin = \"modbus\"\n" + rest +
         sensor("one", "driver = \"doubtful\"\naddress = { unit = 1, register = 1 }\n") +
         sensor("two", "driver = \"doubtful\"\naddress = { unit = 1, register = 2 }\n");
}

TEST_F(Refusals, OfALineWithAWrongIntervalAreToldAtOnce) {
  const LoadResult result = load_text(
      doubtful("interval = \"1x\"\noptions = { transport = \"tcp\" }\n"),
      {{"doubtful", "one", "register = 1 is not there"}, {"doubtful", "", "host is not given"}});
  EXPECT_EQ(result.errors.size(), 3u);
  EXPECT_THAT(refused(result), ElementsAre("sensor[one].address.register"));
  EXPECT_EQ(asked_, 1);
}

TEST_F(Refusals, OfALineWithAWrongOptionAreThoseOfEachRightOne) {
  const LoadResult result =
      load_text(doubtful("options = { transport = \"udp\" }\n"),
                {{"doubtful", "one", "register = 1 is not there"},
                 {"doubtful", "two", "register = 2 is not there", "transport = \"rtu\""},
                 {"doubtful", "", "host is not given", "transport = \"tcp\""}});
  EXPECT_EQ(result.errors.size(), 2u);
  EXPECT_THAT(refused(result), ElementsAre("sensor[one].address.register"));
  EXPECT_EQ(asked_, 2);
}

TEST_F(Refusals, OfALineWithAnUnknownKeySayNothingOfTheOneThatItResembles) {
  const LoadResult result =
      load_text(doubtful("options = { transport = \"tcp\", prot = 1, retries = 3 }\n"),
                {{"doubtful", "one", "register = 1 is not there"},
                 {"doubtful", "two", "register = 2 is not there", "port = 502"},
                 {"doubtful", "", "port = 502 is odd"}});
  EXPECT_THAT(refused(result), ElementsAre("sensor[one].address.register"));
  EXPECT_EQ(result.errors.size(), 2u);
}

TEST_F(Refusals, OfALineWithAnUnknownKeyKeepWhatIsSaidOfARightOne) {
  const LoadResult result =
      load_text(doubtful("options = { transport = \"tcp\", prot = 1, retries = 3 }\n"),
                {{"doubtful", "", "retries = 3 is odd"}});
  EXPECT_EQ(result.errors.size(), 2u);
  EXPECT_EQ(result.errors.back().key, "driver[doubtful].options.retries");
}

TEST_F(Refusals, OfALineWithAKeyThatResemblesNoneSayNothingOfWhatIsAbsent) {
  const LoadResult result =
      load_text(doubtful("options = { transport = \"tcp\", zzzzzzzz = 1 }\n"),
                {{"doubtful", "one", "register = 1 is not there"},
                 {"doubtful", "two", "it is too far for retries = 1; register = 2 is not there"},
                 {"doubtful", "", "host is not given"}});
  EXPECT_THAT(refused(result), ElementsAre("sensor[one].address.register"));
  EXPECT_EQ(result.errors.size(), 2u);
}

TEST_F(Refusals, AreNotAskedForOfALineThatMayBecomeAnything) {
  const LoadResult result =
      load_text(std::string(kGateway) +
                "[[driver]]\nname = \"rs485\"\nplugin = \"probe\"\n"
                "options = { device = 5 }\n" +
                sensor("one", "driver = \"rs485\"\naddress = { unit = 1, register = 1 }\n"));
  EXPECT_EQ(result.errors.size(), 1u);
  EXPECT_THAT(drivers_, IsEmpty());
  EXPECT_THAT(sensors_, IsEmpty());
}

TEST_F(Refusals, OfADeviceStandAtItsKeyAndAreSaidOnce) {
  const LoadResult result = load_text(
      std::string(kGateway) +
          "[[driver]]\nname = \"rs485\"\nplugin = \"probe\"\n"
          "options = { device = \"/dev/ttyUJI0\" }\n"
          "[[device]]\nid = \"reservoir\"\ndriver = \"rs485\"\nprofile = \"ph-meter\"\n"
          "address = { unit = 248 }\n",
      {{"rs485", "reservoir-ph", "unit = 248 is outside 0 to 247; write another"},
       {"rs485", "reservoir-temperature", "unit = 248 is outside 0 to 247; write another"}});

  EXPECT_THAT(errors(result),
              ElementsAre("14:20: device[reservoir].ph.address.unit: unit = 248 is outside 0 to "
                          "247; write another"));
}

TEST_F(Refusals, OfNobodyLeaveTheConfiguration) {
  const LoadResult result = load_text(std::string(kGateway) + kPlc + kFlow);

  EXPECT_TRUE(result.config);
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_THAT(sensors_, ElementsAre("plc/flow"));
}

TEST_F(Refusals, AreNotAskedForOfAFileThatIsNotToml) {
  const LoadResult result = load_text(std::string(kGateway) + kPlc + kFlow + "[[store]\n");

  EXPECT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(asked_, 0);
}

TEST(NamedKey, IsTheFirstWordThatIsOneAndIsWritten) {
  Diagnostics none;
  const auto table = parse_toml("topic = \"a\"\nloop_scale = 0\nw1 = \"28-0\"\n", "", 0, none);
  ASSERT_TRUE(table);
  const std::vector<std::pair<const char*, const char*>> said = {
      {"topic = \"a\": is empty", "topic"},
      {"loop_scale is 0", "loop_scale"},
      {"the scale of loop_scale, beside topic", "loop_scale"},
      {"\"topic\" is no name of a thermometer (w1)", "w1"},
      {"topics and my_topic are two words", nullptr},
      {"register is not given", nullptr},
      {"\"topic", nullptr},
      {"", nullptr}};
  for (const auto& [sentence, key] : said) {
    const Member* found = named_key(sentence, &*table);
    EXPECT_EQ(found == nullptr ? "" : found->key, key == nullptr ? "" : key) << sentence;
  }
  EXPECT_EQ(named_key("topic", nullptr), nullptr);
  EXPECT_EQ(named_key("topic", table->get("topic")), nullptr);
}

}  // namespace
}  // namespace gerbang::config
