// SPDX-License-Identifier: Apache-2.0
//
// What a [[device]] becomes. Its mistakes are in tests/data/config/devices-*.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "config/diff.hpp"
#include "config/fixture.hpp"
#include "config/load.hpp"
#include "config/profiles.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kGateway = R"([gateway]
id = "ipa-uji-1"
region = "maros"
site = "ipa-uji"
timezone = "Asia/Makassar"
)";
constexpr const char* kLine = R"([[driver]]
name = "rs485-a"
plugin = "probe"
interval = "5s"
[driver.options]
device = "/dev/ttyUJI0"
)";

LoadResult loaded(const std::string& text) {
  test::TempDir folder;
  std::ofstream(folder.path() / "gerbang.toml") << kGateway << text;
  return load(folder.path() / "gerbang.toml", test::context());
}

Config good(const std::string& text) {
  LoadResult result = loaded(text);
  for (const Diagnostic& error : result.errors) ADD_FAILURE() << config::text(error);
  return result.config ? std::move(*result.config) : Config{};
}

std::vector<std::string> ids(const Config& config) {
  std::vector<std::string> out;
  for (const Sensor& sensor : config.sensors) out.push_back(sensor.id);
  return out;
}

std::string option(const OptionValues& values, const std::string& name) {
  for (const OptionValue& value : values)
    if (value.name == name) return value.text.empty() ? std::to_string(value.integer) : value.text;
  return "(none)";
}

TEST(Device, GetsASensorForEachChannelThatIsNotExtra) {
  const Config config = good(std::string(kLine) + R"([[device]]
id = "reservoir"
driver = "rs485-a"
profile = "ph-meter"
address = { unit = 3 }
)");

  ASSERT_THAT(ids(config), ElementsAre("reservoir-ph", "reservoir-temperature"));
  const Sensor &ph = config.sensors[0], &warmth = config.sensors[1];
  EXPECT_EQ(ph.device, "reservoir");
  EXPECT_EQ(ph.profile, "ph-meter");
  EXPECT_EQ(ph.quantity->name, "ph");
  EXPECT_DOUBLE_EQ(ph.calibration.scale, 0.01);
  EXPECT_EQ(ph.interval, Milliseconds(20'000)) << "the profile's";
  EXPECT_EQ(ph.range, (Range{0.0, 14.0}));
  EXPECT_EQ(option(ph.address, "unit"), "3");
  EXPECT_EQ(option(ph.address, "register"), "1");
  EXPECT_EQ(option(ph.address, "order"), "cdab");
  EXPECT_EQ(warmth.interval, Milliseconds(5'000)) << "the line's";
  EXPECT_EQ(warmth.label->eng, "Warmth");
  EXPECT_DOUBLE_EQ(warmth.calibration.scale, 0.1);
  EXPECT_NEAR(warmth.calibration.offset + warmth.calibration.intercept, 0, 1e-9) << "K to °C";
}

TEST(Device, GetsOnlyTheChannelsThatAreNamed) {
  const Config config = good(std::string(kLine) + R"([[device]]
id = "reservoir"
driver = "rs485-a"
profile = "ph-meter"
address = { unit = 3 }
only = ["orp", "ph"]
)");

  EXPECT_THAT(ids(config), ElementsAre("reservoir-ph", "reservoir-orp"));
}

TEST(Device, OverridesAnythingOfItsChannels) {
  const Config config = good(std::string(kLine) + R"([[device]]
id = "reservoir"
driver = "rs485-a"
profile = "ph-meter"
address = { unit = 3, order = "abcd" }
interval = "30s"
label = { ind = "Bak", eng = "Basin" }
[device.override.ph]
range = { low = 5.0 }
span = { raw = [0, 1400], value = [0.0, 14.0] }
address = { register = 77 }
[device.override.temperature]
quantity = "air_temperature"
unit = "degC"
interval = "60s"
scale = 0.5
label = "Panas"
address = { order = "cdab", unit = 4 }
)");

  ASSERT_EQ(config.sensors.size(), 2u);
  const Sensor &ph = config.sensors[0], &warmth = config.sensors[1];
  EXPECT_EQ(ph.range, (Range{5.0, std::nullopt}));
  EXPECT_DOUBLE_EQ(ph.calibration.scale, 0.01) << "the span, not the profile's scale";
  EXPECT_EQ(option(ph.address, "register"), "77");
  EXPECT_EQ(option(ph.address, "order"), "abcd");
  EXPECT_EQ(option(ph.address, "unit"), "3");
  EXPECT_EQ(ph.interval, Milliseconds(30'000));
  EXPECT_EQ(ph.label->eng, "Basin: pH");
  EXPECT_EQ(warmth.quantity->name, "air_temperature");
  EXPECT_DOUBLE_EQ(warmth.calibration.scale, 0.5);
  EXPECT_DOUBLE_EQ(warmth.calibration.offset, 0) << "the profile's span is gone";
  EXPECT_EQ(warmth.interval, Milliseconds(60'000));
  EXPECT_EQ(warmth.label->ind, "Panas") << "a name of its own stands alone";
  EXPECT_EQ(option(warmth.address, "order"), "cdab");
  EXPECT_EQ(option(warmth.address, "unit"), "4");
}

TEST(Device, BringsTheSettingsOfASerialLine) {
  const std::string device = R"([[device]]
id = "reservoir"
driver = "rs485-a"
profile = "ph-meter"
address = { unit = 3 }
)";
  const Config silent = good(std::string(kLine) + device);
  const Config said = good(std::string(kLine) + "baud = 2400\n" + device);

  EXPECT_EQ(option(silent.drivers[0].options, "baud"), "19200");
  EXPECT_EQ(option(silent.drivers[0].options, "parity"), "even");
  EXPECT_EQ(option(said.drivers[0].options, "baud"), "2400") << "what the file says counts";
  EXPECT_EQ(option(said.drivers[0].options, "parity"), "even");
}

TEST(Device, CannotShareALineWithOneOfAnotherSpeedUnlessTheLineSaysOne) {
  const std::string devices = R"([[device]]
id = "a"
driver = "rs485-a"
profile = "ph-meter"
address = { unit = 3 }
[[device]]
id = "b"
driver = "rs485-a"
profile = "gas-meter"
[device.override.gas]
unit = "ppm"
scale = 0.1
)";

  const LoadResult apart = loaded(std::string(kLine) + devices);

  ASSERT_EQ(apart.errors.size(), 1u);
  EXPECT_THAT(text(apart.errors[0]), HasSubstr("gerbang.toml:20:11: device[b].profile: it speaks "
                                               "with baud = 4800, and device[a] at "));
  EXPECT_THAT(text(apart.errors[0]), HasSubstr("gerbang.toml:15:11 with 19200; one line has one; "
                                               "set both devices alike"));
  EXPECT_TRUE(loaded(std::string(kLine) + "baud = 9600\n" + devices).config.has_value());
}

TEST(Device, IsPartOfWhatAReloadCompares) {
  const std::string device = R"([[device]]
id = "reservoir"
driver = "rs485-a"
profile = "ph-meter"
only = ["ph"]
)";
  const Config before = good(std::string(kLine) + device + "address = { unit = 3 }\n");
  const Config after = good(std::string(kLine) + device + "address = { unit = 4 }\n");

  const Change change = diff(Held(before), after);

  std::vector<std::string> said;
  for (const Change::Entry& entry : change.entries)
    if (entry.key != "store.path") said.push_back(text(entry));  // another folder
  EXPECT_THAT(said, ElementsAre("sensor[reservoir-ph].address.unit: 3 → 4"));
  EXPECT_THAT(change.drivers, ElementsAre("rs485-a"));
}

// Its sensors stand in no file: what became different of them is told, and once that they came.
TEST(Device, IsToldOfWhereNothingOfItsSensorsWasWritten) {
  const std::string device =
      "[[device]]\nid = \"reservoir\"\ndriver = \"rs485-a\"\n"
      "profile = \"ph-meter\"\nonly = [\"ph\"]\n";
  const Config none = good(kLine), three = good(kLine + device + "address = { unit = 3 }\n"),
               four = good(kLine + device + "address = { unit = 4 }\n");
  const auto told = [](const Config& before, const Config& after) {
    std::vector<std::string> out;
    for (const Change::Entry& entry : diff(Held(before), after).told)
      if (entry.key.starts_with("sensor")) out.push_back(text(entry));
    return out;
  };

  EXPECT_THAT(told(none, three), ElementsAre("sensor[reservoir-ph].device: new, \"reservoir\""));
  EXPECT_THAT(told(three, four), ElementsAre("sensor[reservoir-ph].address.unit: 3 → 4"));
  EXPECT_THAT(told(four, none),
              ElementsAre("sensor[reservoir-ph].device: removed, was \"reservoir\""));
}

std::string line_on(const std::string& name, const std::string& plugin, const std::string& path) {
  return "[[driver]]\nname = \"" + name + "\"\nplugin = \"" + plugin +
         "\"\noptions = { device = \"" + path + "\" }\n";
}

TEST(Ports, AreTheSameAlsoThroughALink) {
  test::TempDir folder;
  std::ofstream(folder.path() / "ttyUSB0") << "";
  std::filesystem::create_symlink(folder.path() / "ttyUSB0", folder.path() / "by-id");
  const std::string real = (folder.path() / "ttyUSB0").string(),
                    link = (folder.path() / "by-id").string();

  const LoadResult result = loaded(line_on("a", "probe", real) + line_on("b", "probe", link) +
                                   line_on("c", "probe", real + "1"));

  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_THAT(text(result.errors[0]), HasSubstr(":13:22: driver[b].options.device: \"" + link +
                                                "\" is the port of driver"));
  EXPECT_THAT(text(result.errors[0]), HasSubstr(":9:22 (written \"" + real + "\" there)"));
}

TEST(Ports, AreTheSameAlsoThroughALinkToAnAdapterThatIsUnplugged) {
  namespace fs = std::filesystem;
  test::TempDir folder;
  const fs::path dev = folder.path() / "dev";
  fs::create_directories(dev / "serial" / "by-id");
  fs::create_symlink("../../ttyUSB0", dev / "serial" / "by-id" / "usb-x");  // as udev writes it
  fs::create_symlink(dev / "serial" / "by-id" / "usb-x", dev / "scale");    // of a rule on the site
  fs::create_symlink(dev / "gone", dev / "other");
  fs::create_symlink("loop-b", dev / "loop-a");
  fs::create_symlink("loop-a", dev / "loop-b");
  auto same = [&](const std::string& a, const std::string& b) {
    return !loaded(line_on("a", "probe", (dev / a).string()) +
                   line_on("b", "probe", (dev / b).string()))
                .errors.empty();
  };

  EXPECT_TRUE(same("serial/by-id/usb-x", "ttyUSB0"));
  EXPECT_TRUE(same("ttyUSB0", "scale"));
  EXPECT_TRUE(same("scale", "serial/./by-id/../../ttyUSB0"));
  EXPECT_TRUE(same("other/ttyUSB0", "gone/ttyUSB0"));
  EXPECT_TRUE(same("loop-a", "loop-a"));
  EXPECT_FALSE(same("loop-a", "loop-b"));
  EXPECT_FALSE(same("scale", "ttyUSB1"));
  EXPECT_FALSE(same("serial/by-id/usb-y", "ttyUSB0"));
}

TEST(Profile, KeepsWhatIsSaidOfItsChannels) {
  Document document;
  Diagnostics errors;
  const auto profile = read_profile(test::context().profiles, "ph-meter", document, errors);

  ASSERT_TRUE(profile.has_value());
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(profile->valid_from, "2026-01-31");
  ASSERT_EQ(profile->channels.size(), 3u);
  EXPECT_EQ(profile->channels[0].tag, 'A') << "the profile's";
  EXPECT_EQ(profile->channels[1].tag, 'M') << "its own";
  EXPECT_TRUE(profile->channels[2].extra);
}

}  // namespace
}  // namespace gerbang::config
