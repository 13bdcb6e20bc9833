// SPDX-License-Identifier: Apache-2.0
#include "config/diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/fixture.hpp"
#include "config/load.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kBase = R"([gateway]
id = "a"
region = "b"
site = "c"
timezone = "Asia/Makassar"
[store]
max_size = "1GiB"
[[uplink]]
name = "pusat"
url = "mqtts://broker.example"
password_file = "pw"
[[driver]]
name = "plc"
plugin = "modbus"
options = { transport = "tcp", host = "10.0.0.1" }
[[driver]]
name = "sim"
plugin = "simulator"
[[sensor]]
id = "ph"
driver = "plc"
quantity = "ph"
address = { unit = 1, register = 0 }
[[sensor]]
id = "fake"
driver = "sim"
quantity = "ph"
address = { signal = "ph" }
)";

class Reload : public testing::Test {
 protected:
  Reload() { password("satu"); }

  void password(const std::string& value) {
    std::filesystem::remove(folder_ / "pw");
    ASSERT_EQ(::chmod(folder_.write("pw", value).c_str(), 0600), 0);
  }
  Config config(const std::string& text) {
    auto result = load(folder_.write("gerbang.toml", text), test::context());
    for (const Diagnostic& d : result.errors) ADD_FAILURE() << gerbang::config::text(d);
    return result.config ? *result.config : Config{};
  }
  // The base with one text replaced.
  static std::string with(const std::string& from, const std::string& to) {
    std::string text = kBase;
    text.replace(text.find(from), from.size(), to);
    return text;
  }
  Change change(const std::string& text) { return diff(Held(config(kBase)), config(text)); }
  static std::vector<std::string> keys(const Change& change) {
    std::vector<std::string> out;
    for (const auto& entry : change.entries) out.push_back(entry.key);
    return out;
  }

  static std::vector<std::string> told(const Change& change) {
    std::vector<std::string> out;
    for (const auto& entry : change.told) out.push_back(entry.key);
    return out;
  }

  test::TempDir folder_;
};

TEST_F(Reload, OfTheSameMeaningChangesNothing) {
  const Change same = change("# comment\n" + with("max_size = \"1GiB\"", "max_size = \"1024MiB\""));

  EXPECT_TRUE(same.empty());
  EXPECT_THAT(same.needs_restart, IsEmpty());
  EXPECT_THAT(same.drivers, IsEmpty());
}

TEST_F(Reload, OfSettingsThatLiveWithTheProcessNeedsARestart) {
  EXPECT_THAT(change(with("\"1GiB\"", "\"2GiB\"")).needs_restart, ElementsAre("store.max_size"));
  EXPECT_THAT(change(with("site = \"c\"", "site = \"d\"")).needs_restart,
              ElementsAre("gateway.site"));
  EXPECT_THAT(change(std::string(kBase) + "[windows]\ngrace = \"1s\"\n").needs_restart,
              ElementsAre("windows.grace"));
  EXPECT_THAT(change(std::string(kBase) + "[http]\nlisten = \"127.0.0.1:1\"\n").needs_restart,
              ElementsAre("http.listen"));
  EXPECT_THAT(change(std::string(kBase) + "[time]\ntrust = \"rtc\"\n[forward]\nreadings = true\n")
                  .needs_restart,
              IsEmpty());
}

TEST_F(Reload, ANewLabelTouchesNoProcess) {
  const Change label =
      change(with("quantity = \"ph\"\naddress = { unit",
                  "quantity = \"ph\"\nlabel = \"pH\"\nscale = 2\naddress = { unit"));

  EXPECT_THAT(label.drivers, IsEmpty());
  EXPECT_THAT(label.needs_restart, IsEmpty());
  EXPECT_THAT(keys(label), ElementsAre("sensor[ph].scale"));
  EXPECT_EQ(text(label.entries[0]), "sensor[ph].scale: 1 → 2");
}

TEST_F(Reload, OnlyTheDriverThatIsToldSomethingElseIsTouched) {
  EXPECT_THAT(change(with("10.0.0.1", "10.0.0.2")).drivers, ElementsAre("plc"));
  EXPECT_THAT(change(with("register = 0", "register = 5")).drivers, ElementsAre("plc"));
  EXPECT_THAT(change(with("id = \"fake\"", "id = \"fake\"\ninterval = \"5s\"")).drivers,
              ElementsAre("sim"));
  EXPECT_THAT(change(std::string(kBase) + "[[sensor]]\nid = \"new\"\ndriver = \"sim\"\nquantity = "
                                          "\"ph\"\naddress.signal = \"x\"\n")
                  .drivers,
              ElementsAre("sim"));
  EXPECT_THAT(change(with("id = \"fake\"", "id = \"renamed\"\nformerly = \"fake\"")).drivers,
              ElementsAre("sim"));
}

TEST_F(Reload, ASensorThatMovesTouchesBothDrivers) {
  const Change moved =
      change(with("driver = \"sim\"\nquantity = \"ph\"\naddress = { signal = \"ph\" }",
                  "driver = \"plc\"\nquantity = \"ph\"\naddress = { unit = 1, register = 9 }"));

  EXPECT_THAT(moved.drivers, ElementsAre("plc", "sim"));
}

TEST_F(Reload, NamesUplinksThatChanged) {
  EXPECT_THAT(change(with("broker.example", "other.example")).uplinks, ElementsAre("pusat"));
  EXPECT_THAT(
      change(std::string(kBase) + "[[uplink]]\nname = \"kedua\"\nurl = \"mqtt://h\"\n").uplinks,
      ElementsAre("kedua"));
}

TEST_F(Reload, SeesANewPasswordInTheSameFileWithoutShowingIt) {
  const Config before = config(kBase);
  password("dua");

  const Change changed = diff(Held(before), config(kBase));

  EXPECT_THAT(changed.uplinks, ElementsAre("pusat"));
  EXPECT_EQ(text(changed.entries.at(0)),
            "uplink[pusat].password_file: \"pw\" → \"pw\" (new content)");
}

TEST_F(Reload, SaysWhatCameAndWhatWent) {
  const Change changed = change(with("id = \"fake\"", "id = \"renamed\"\nformerly = \"fake\""));

  std::vector<std::string> lines;
  for (const auto& entry : changed.entries) lines.push_back(text(entry));
  EXPECT_THAT(lines, testing::Contains("sensor[renamed].formerly: new, \"fake\""));
  EXPECT_THAT(lines, testing::Contains("sensor[fake].quantity: removed, was \"ph\""));
}

// ---- what a person is told ----------------------------------------------------------------------

TEST_F(Reload, TellsOfWhatIsNewOnlyWhatWasWritten) {
  const Change changed = change(std::string(kBase) +
                                "[[sensor]]\nid = \"new\"\ndriver = \"sim\"\nquantity = \"ph\"\n"
                                "label = \"pH\"\naddress.signal = \"x\"\n"
                                "[[driver]]\nname = \"plc-2\"\nplugin = \"modbus\"\n"
                                "options = { transport = \"tcp\", host = \"h\" }\n");

  EXPECT_THAT(
      told(changed),
      ElementsAre("driver[plc-2].options.host", "driver[plc-2].options.transport",
                  "driver[plc-2].plugin", "sensor[new].address.signal", "sensor[new].driver",
                  "sensor[new].label.eng", "sensor[new].label.ind", "sensor[new].quantity"));
}

TEST_F(Reload, TellsTheKeyAndNotWhatFollowsFromIt) {
  EXPECT_THAT(told(change(with("name = \"plc\"", "name = \"plc\"\ninterval = \"7s\""))),
              ElementsAre("driver[plc].interval"));
  EXPECT_THAT(told(change(with("quantity = \"ph\"\naddress = { unit",
                               "quantity = \"water_temperature\"\naddress = { unit"))),
              ElementsAre("sensor[ph].quantity"));
  EXPECT_THAT(told(change(with("quantity = \"ph\"\naddress = { unit",
                               "quantity = \"ph\"\nspan = { raw = [0, 10], value = [0, 14] }\n"
                               "address = { unit"))),
              ElementsAre("sensor[ph].scale"));
}

TEST_F(Reload, NamesForARestartTheKeyThatWasWritten) {
  const std::string windows = "[windows]\ndefault = [\"1m\", \"5m\", \"1h\", \"1d\"]\n";

  EXPECT_THAT(change(std::string(kBase) + windows).needs_restart, ElementsAre("windows.default"));
  EXPECT_THAT(change(with("max_size = \"1GiB\"",
                          "max_size = \"1GiB\"\nkeep_aggregates = { \"60s\" = \"8d\" }"))
                  .needs_restart,
              testing::Contains("store.keep_aggregates.\"1m\""));
}

TEST_F(Reload, TellsOfAKeyThatWasRemoved) {
  const Change changed = change(with("max_size = \"1GiB\"", ""));

  ASSERT_EQ(changed.told.size(), 1u);
  EXPECT_EQ(text(changed.told[0]), "store.max_size: \"1GiB\" → \"2GiB\"");
}

TEST_F(Reload, OfASensorInFrontOfOthersChangesNoneOfThem) {
  const std::string computed =
      "[[sensor]]\nid = \"table\"\nquantity = \"ph\"\ncorrection = \"table\"\nfrom = [\"fake\"]\n"
      "parameters = { points_from = [0, 14], points_to = [0.1, 14.1] }\n";
  const std::string more =
      "[[sensor]]\nid = \"more\"\ndriver = \"sim\"\nquantity = \"ph\"\n"
      "address.signal = \"x\"\n";
  const std::string head(kBase, std::string(kBase).find("[[sensor]]"));
  const std::string sensors = std::string(kBase).substr(head.size()) + computed;

  const Change changed = diff(Held(config(head + sensors)), config(head + more + sensors));

  EXPECT_THAT(keys(changed), testing::Each(testing::StartsWith("sensor[more].")));
}

}  // namespace
}  // namespace gerbang::config
