// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/fixture.hpp"
#include "config/settings.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGateway =
    "[gateway]\nid = \"ipa-uji-1\"\nregion = \"maros\"\nsite = \"ipa-uji\"\n"
    "timezone = \"Asia/Makassar\"\n";
constexpr const char* kDriver =
    "[[driver]]\nname = \"plc\"\nplugin = \"modbus\"\ninterval = \"2s\"\n"
    "options = { transport = \"tcp\", host = \"127.0.0.1\" }\n";

std::string sensor(const std::string& id, int reg, const std::string& more = "") {
  return "[[sensor]]\nid = \"" + id + "\"\ndriver = \"plc\"\nquantity = \"free_chlorine\"\n" +
         "address = { unit = 1, register = " + std::to_string(reg) + " }\n" + more;
}

class Loading : public testing::Test {
 protected:
  LoadResult load_text(const std::string& text, std::map<std::string, std::string> env = {}) {
    return load(folder_.write("gerbang.toml", text), test::context(std::move(env)));
  }
  Config good(const std::string& text, std::map<std::string, std::string> env = {}) {
    LoadResult result = load_text(text, std::move(env));
    for (const Diagnostic& d : result.errors) ADD_FAILURE() << gerbang::config::text(d);
    return result.config ? std::move(*result.config) : Config{};
  }
  std::string only_error(const LoadResult& result) {
    EXPECT_EQ(result.errors.size(), 1u);
    return result.errors.empty() ? "" : gerbang::config::text(result.errors.front());
  }

  test::TempDir folder_;
};

TEST_F(Loading, DefaultsOfAFileThatOnlySaysWhoItIs) {
  const Config config = good(kGateway);

  EXPECT_EQ(config.gateway.id, "ipa-uji-1");
  EXPECT_EQ(config.gateway.site_kind, "other");
  EXPECT_EQ(config.gateway.language, "ind");
  EXPECT_FALSE(config.gateway.latitude.has_value());
  EXPECT_EQ(config.store.path, folder_ / "gerbang.db");
  EXPECT_EQ(config.store.commit_interval, std::chrono::seconds(1));
  EXPECT_EQ(config.store.max_size, 2ull << 30);
  EXPECT_EQ(config.store.min_free, 256ull << 20);
  EXPECT_EQ(config.store.keep_readings, std::chrono::days(30));
  EXPECT_EQ(config.store.keep_aggregates.at(60'000), std::chrono::days(7));
  EXPECT_EQ(config.store.keep_aggregates.at(86'400'000), std::chrono::days(3650));
  EXPECT_EQ(config.http.address, "127.0.0.1");
  EXPECT_EQ(config.http.port, 8080);
  EXPECT_TRUE(config.http.loopback);
  EXPECT_THAT(config.windows.lengths_ms, ElementsAre(60'000, 900'000, 3'600'000, 86'400'000));
  EXPECT_EQ(config.windows.grace, std::chrono::seconds(10));
  EXPECT_EQ(config.time.hold, std::chrono::minutes(2));
  EXPECT_EQ(config.time.trust, TimeTrust::ntp);
  EXPECT_FALSE(config.forward.readings);
  EXPECT_THAT(config.uplinks, IsEmpty());
}

TEST_F(Loading, AnUplinkTakesItsDefaultsFromTheGateway) {
  const Config config = good(std::string(kGateway) +
                             "[[uplink]]\nname = \"pusat\"\nurl = \"mqtts://broker.example\"\n"
                             "[[uplink]]\nname = \"dinas\"\nurl = \"mqtt://[2001:db8::7]:2883\"\n"
                             "format = \"json\"\nmqtt_version = \"3.1.1\"\nusername = \"\"\n"
                             "client_id = \"x\"\nin_flight = 5\nbacklog_rate = 0\n"
                             "topics = [\"aggregate/#\"]\n");

  const Uplink& first = config.uplinks.at(0);
  EXPECT_EQ(first.host, "broker.example");
  EXPECT_EQ(first.port, 8883);
  EXPECT_TRUE(first.tls);
  EXPECT_EQ(first.client_id, "ipa-uji-1-pusat");
  EXPECT_EQ(first.username, "ipa-uji-1");
  EXPECT_EQ(first.root, "gerbang/v1");
  EXPECT_EQ(first.mqtt_version, MqttVersion::v5);
  EXPECT_EQ(first.in_flight, 20u);
  EXPECT_EQ(first.backlog_rate, 200u);
  EXPECT_THAT(first.topics, ElementsAre("#"));
  const Uplink& second = config.uplinks.at(1);
  EXPECT_EQ(second.host, "2001:db8::7");
  EXPECT_EQ(second.port, 2883);
  EXPECT_FALSE(second.tls);
  EXPECT_EQ(second.format, Format::json);
  EXPECT_EQ(second.mqtt_version, MqttVersion::v3_1_1);
  EXPECT_EQ(second.client_id, "x");
  EXPECT_EQ(second.username, "");
  EXPECT_EQ(second.backlog_rate, 0u);
  EXPECT_THAT(second.topics, ElementsAre("aggregate/#", "state", "gap"));
}

TEST_F(Loading, StateAndGapAreNotAddedWhereAFilterMatchesThem) {
  const Config config = good(std::string(kGateway) +
                             "[[uplink]]\nname = \"a\"\nurl = \"mqtt://127.0.0.1\"\n"
                             "topics = [\"+\", \"alarm/+\"]\n"
                             "[[uplink]]\nname = \"b\"\nurl = \"mqtt://127.0.0.1:1883/\"\n"
                             "topics = [\"state\", \"event/#\"]\n");

  EXPECT_THAT(config.uplinks.at(0).topics, ElementsAre("+", "alarm/+"));
  EXPECT_THAT(config.uplinks.at(1).topics, ElementsAre("state", "event/#", "gap"));
  EXPECT_EQ(config.uplinks.at(1).port, 1883);
}

TEST_F(Loading, ASensorIsResolvedCompletely) {
  const Config config =
      good(std::string(kGateway) + kDriver +
           sensor("a", 7,
                  "unit = \"ug/L\"\nscale = 0.1\noffset = -2\ninterval = \"500ms\"\n"
                  "range = { low = \"200 ug/L\", high = 5 }\nformerly = \"old\"\n"
                  "label = { ind = \"Sisa klor\", eng = \"Chlorine\" }\n") +
           sensor("b", 8, "label = \"Klor\"\nspan = { raw = [4, 20], value = [0, 10] }\n") +
           sensor("c", 9, "label = { eng = \"Only English\" }\nrange = { high = 3.5 }\n"));

  ASSERT_EQ(config.sensors.size(), 3u);
  const Sensor& a = config.sensors[0];
  EXPECT_EQ(a.id, "a");
  EXPECT_EQ(config.drivers.at(a.driver).name, "plc");
  EXPECT_EQ(a.quantity->domain, "water");
  EXPECT_EQ(a.quantity->unit, "mg/L");
  EXPECT_EQ(a.unit, "ug/L");
  EXPECT_EQ(a.calibration, (Calibration{0.1, -2, 0.001, 0}));
  EXPECT_DOUBLE_EQ(a.calibration.apply(5020), 0.5);
  EXPECT_EQ(a.interval, std::chrono::milliseconds(500));
  ASSERT_TRUE(a.range.has_value());
  EXPECT_DOUBLE_EQ(a.range->low.value(), 0.2);
  EXPECT_DOUBLE_EQ(a.range->high.value(), 5);
  EXPECT_EQ(a.formerly, "old");
  EXPECT_EQ(*a.label, (Label{"Sisa klor", "Chlorine"}));
  EXPECT_EQ(a.place.line, 11u);
  const Sensor& b = config.sensors[1];
  EXPECT_EQ(b.interval, std::chrono::seconds(2)) << "of its driver";
  EXPECT_DOUBLE_EQ(b.calibration.apply(4), 0);
  EXPECT_DOUBLE_EQ(b.calibration.apply(12), 5);
  EXPECT_EQ(*b.label, (Label{"Klor", "Klor"}));
  EXPECT_FALSE(b.range.has_value());
  EXPECT_EQ(*config.sensors[2].label, (Label{"Only English", "Only English"}));
  EXPECT_FALSE(config.sensors[2].range->low.has_value());
}

TEST_F(Loading, ASensorWithoutALabelIsCalledAsItsQuantity) {
  const Config config = good(std::string(kGateway) + kDriver + sensor("a", 1));

  EXPECT_EQ(*config.sensors.at(0).label, (Label{"Sisa klor bebas", "Free residual chlorine"}));
  EXPECT_EQ(config.sensors.at(0).unit, "mg/L");
  EXPECT_EQ(config.sensors.at(0).calibration, Calibration{});
}

TEST_F(Loading, OptionsAndAddressesAreInTheOrderOfTheDriverWithItsDefaults) {
  const Config config = good(std::string(kGateway) + kDriver +
                             "[[sensor]]\nid = \"a\"\ndriver = \"plc\"\nquantity = \"ph\"\n"
                             "[sensor.address]\ngain = 2\nregister = 7\nunit = 1\n");

  std::vector<std::string> options, address;
  for (const OptionValue& v : config.drivers.at(0).options) options.push_back(v.name);
  for (const OptionValue& v : config.sensors.at(0).address) address.push_back(v.name);
  EXPECT_THAT(options, ElementsAre("transport", "host", "port", "timeout", "pause", "retries"));
  EXPECT_EQ(config.drivers[0].options[0].text, "tcp");
  EXPECT_EQ(config.drivers[0].options[2].integer, 502);
  EXPECT_EQ(config.drivers[0].options[3].integer, 500) << "milliseconds";
  EXPECT_EQ(config.drivers[0].options[4].integer, 0);
  EXPECT_THAT(address, ElementsAre("unit", "table", "register", "type", "gain"));
  EXPECT_EQ(config.sensors[0].address[3].text, "uint16");
  EXPECT_EQ(config.sensors[0].address[4].number, 2);
}

TEST_F(Loading, StorePathBelongsToTheStateDirectoryOfTheService) {
  const std::string text = kGateway;

  EXPECT_EQ(good(text, {{"STATE_DIRECTORY", "/var/lib/gerbang"}}).store.path,
            "/var/lib/gerbang/gerbang.db");
  EXPECT_EQ(good(text, {{"STATE_DIRECTORY", "/a:/b"}}).store.path, "/a/gerbang.db");
  const std::string elsewhere = (folder_ / "x.db").string();
  EXPECT_EQ(good(text + "[store]\npath = \"" + elsewhere + "\"\n", {{"STATE_DIRECTORY", "/a"}})
                .store.path,
            elsewhere);
}

TEST_F(Loading, AWindowThatKeepAggregatesDoesNotNameIsKeptAsTheNextFinerOneNamed) {
  const Config config =
      good(std::string(kGateway) +
           "[windows]\ndefault = [\"10s\", \"1m\", \"5m\", \"1d\"]\n"
           "[store]\nkeep_readings = \"3d\"\nkeep_aggregates = { \"1m\" = \"5d\" }\n");

  EXPECT_EQ(config.store.keep_aggregates.size(), 4u);
  EXPECT_EQ(config.store.keep_aggregates.at(10'000), std::chrono::days(3)) << "as readings";
  EXPECT_EQ(config.store.keep_aggregates.at(60'000), std::chrono::days(5));
  EXPECT_EQ(config.store.keep_aggregates.at(300'000), std::chrono::days(5));
  EXPECT_EQ(config.store.keep_aggregates.at(86'400'000), std::chrono::days(5));
}

TEST_F(Loading, ListensBeyondLoopbackOnlyOnPurpose) {
  const std::string gateway = kGateway;
  const auto listen = [&](const std::string& address, const std::string& more = "") {
    return load_text(gateway + "[http]\nlisten = \"" + address + "\"\n" + more);
  };

  for (const char* address : {"127.0.0.1:8080", "127.1.2.3:80", "[::1]:8080", "localhost:0"}) {
    const auto result = listen(address);
    ASSERT_TRUE(result.config.has_value()) << address;
    EXPECT_TRUE(result.config->http.loopback) << address;
  }
  EXPECT_EQ(listen("[::1]:9").config->http.address, "::1");
  EXPECT_EQ(listen("localhost:0").config->http.address, "127.0.0.1");
  for (const char* address : {"0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"}) {
    EXPECT_THAT(only_error(listen(address)), HasSubstr("nothing protects it")) << address;
    EXPECT_TRUE(listen(address, "anonymous = true\n").config.has_value()) << address;
  }
  for (const char* address : {"8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                              "::1:8080", "[::1]", "256.0.0.1:1", "127.0.0.1:80x", "[127.0.0.1]:1"})
    EXPECT_THAT(only_error(listen(address)), HasSubstr("is not an address and a port")) << address;
}

TEST_F(Loading, IncludesInByteOrderOneLevelDeep) {
  folder_.write("conf.d/20-b.toml", sensor("b", 2));
  folder_.write("conf.d/10-a.toml", sensor("a", 1));
  folder_.write("conf.d/.hidden.toml", "nonsense");
  folder_.write("conf.d/readme.txt", "nonsense");
  folder_.write("site.toml", "[store]\nmax_size = \"1GiB\"\n[gateway]\nsite = \"ipa-uji\"\n");

  const Config config = good(
      "include = [\"site.toml\", \"conf.d/*.toml\", \"conf.d/10-a.toml\"]\n"
      "[gateway]\nid = \"ipa-uji-1\"\nregion = \"maros\"\ntimezone = \"Asia/Makassar\"\n"
      "[store]\nmin_free = \"1MiB\"\n" +
      std::string(kDriver) + sensor("main", 3));

  EXPECT_EQ(config.gateway.site, "ipa-uji");
  EXPECT_EQ(config.store.max_size, 1ull << 30);
  EXPECT_EQ(config.store.min_free, 1ull << 20);
  std::vector<std::string> ids;
  for (const Sensor& s : config.sensors) ids.push_back(s.id);
  EXPECT_THAT(ids, ElementsAre("main", "a", "b"));
  EXPECT_EQ(config.files.size(), 4u);
  EXPECT_EQ(config.sensors[1].place.file, folder_ / "conf.d/10-a.toml");
}

TEST_F(Loading, APatternMayMatchNothing) {
  std::filesystem::create_directory(folder_ / "conf.d");

  const auto result = load_text("include = [\"conf.d/*.toml\"]\n" + std::string(kGateway));

  EXPECT_TRUE(result.config.has_value());
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST_F(Loading, FilesInAnIncludedFileAreRelativeToIt) {
  folder_.write("conf.d/up.toml",
                "[[uplink]]\nname = \"a\"\nurl = \"mqtts://h\"\nca_file = \"ca.crt\"\n");
  folder_.write("conf.d/ca.crt", "certificate");

  const Config config = good("include = [\"conf.d/*.toml\"]\n" + std::string(kGateway));

  EXPECT_EQ(config.uplinks.at(0).ca_file, folder_ / "conf.d/ca.crt");
}

TEST_F(Loading, AMissingFileIsAnErrorAndNotACrash) {
  const auto result = load(folder_ / "nowhere.toml", test::context());

  EXPECT_FALSE(result.config.has_value());
  EXPECT_THAT(only_error(result),
              HasSubstr("nowhere.toml:1:1: file: cannot be read: No such file"));
}

class Secrets : public Loading {
 protected:
  std::filesystem::path secret(const std::string& name, const std::string& content, mode_t mode) {
    auto path = folder_.write(name, content);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  LoadResult with_password(const std::string& value, std::map<std::string, std::string> env = {}) {
    return load_text(std::string(kGateway) +
                         "[[uplink]]\nname = \"a\"\nurl = \"mqtts://h\"\npassword_file = \"" +
                         value + "\"\n",
                     std::move(env));
  }
};

TEST_F(Secrets, AreReadWithoutTheirLineBreak) {
  secret("pw", "rahasia 123\r\n", 0400);

  const auto result = with_password("pw");

  ASSERT_TRUE(result.config.has_value());
  EXPECT_EQ(result.config->uplinks[0].password->value, "rahasia 123");
  EXPECT_EQ(result.config->uplinks[0].password->path, folder_ / "pw");
}

TEST_F(Secrets, ComeFromTheCredentialsOfTheService) {
  secret("creds/mqtt", "rahasia", 0400);

  const auto result =
      with_password("credential:mqtt", {{"CREDENTIALS_DIRECTORY", (folder_ / "creds").string()}});

  ASSERT_TRUE(result.config.has_value());
  EXPECT_EQ(result.config->uplinks[0].password->value, "rahasia");
  EXPECT_EQ(result.config->uplinks[0].password->written, "credential:mqtt");
}

TEST_F(Secrets, ThatOnlyTheServiceIsGivenAreAWarningOfACheckByHand) {
  auto context = test::context();
  context.by_hand = true;
  const auto file = folder_.write("gerbang.toml", std::string(kGateway) +
                                                      "[[uplink]]\nname = \"a\"\nurl = "
                                                      "\"mqtts://h\"\npassword_file = "
                                                      "\"credential:mqtt\"\n");

  const auto result = load(file, context);

  EXPECT_TRUE(result.config.has_value());
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_THAT(result.warnings[0].remedy, HasSubstr("LoadCredential=mqtt:"));
}

TEST_F(Secrets, AreRefusedWithThePathAndTheCause) {
  secret("open", "x", 0644);
  secret("empty", " \n", 0600);
  secret("two-lines", "a\nb\n", 0600);
  std::filesystem::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  secret("huge", std::string(100'000, 'x'), 0600);

  const std::map<std::string, std::string> causes = {
      {"open", "can be read by everybody"}, {"empty", "is empty"},
      {"two-lines", "more than one line"},  {"folder", "is a directory"},
      {"pipe", "is not a regular file"},    {"huge", "larger than 65536 bytes"},
      {"nowhere", "No such file"}};
  for (const auto& [name, cause] : causes) {
    const std::string line = only_error(with_password(name));
    EXPECT_THAT(line, HasSubstr(":9:17: uplink[a].password_file: ")) << name;
    EXPECT_THAT(line, HasSubstr((folder_ / name).string())) << name;
    EXPECT_THAT(line, HasSubstr(cause)) << name;
  }
}

TEST_F(Secrets, NeverAppearInSettingsOrHash) {
  secret("pw", "rahasia", 0400);
  const auto first = with_password("pw");
  secret("pw2", "", 0600);
  ASSERT_EQ(::chmod((folder_ / "pw").c_str(), 0600), 0);
  secret("pw", "lain sekali", 0400);
  const auto second = with_password("pw");

  ASSERT_TRUE(first.config && second.config);
  for (const auto& [key, value] : settings_of(*first.config))
    EXPECT_EQ(value.find("rahasia"), std::string::npos) << key;
  EXPECT_EQ(first.config->hash, second.config->hash);
}

TEST_F(Secrets, ATokenOpensTheApiToTheNetwork) {
  secret("token", "0123456789abcdef0123456789abcdef\n", 0400);
  const auto result = load_text(std::string(kGateway) +
                                "[http]\nlisten = \"0.0.0.0:8080\"\ntoken_file = \"token\"\n");

  ASSERT_TRUE(result.config.has_value());
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_EQ(result.config->http.token->value, "0123456789abcdef0123456789abcdef");
}

TEST_F(Loading, ZonesOfIndonesiaHaveOneOffset) {
  const std::map<std::string, std::pair<int, std::string>> zones = {
      {"Asia/Jakarta", {7, "WIB"}},
      {"Asia/Pontianak", {7, "WIB"}},
      {"Asia/Makassar", {8, "WITA"}},
      {"Asia/Jayapura", {9, "WIT"}},
      {"Asia/Ujung_Pandang", {8, "WITA"}}};
  for (const auto& [name, expected] : zones) {
    const Config config =
        good("[gateway]\nid = \"a\"\nregion = \"b\"\nsite = \"c\"\ntimezone = \"" + name + "\"\n");
    ASSERT_EQ(config.zone.size(), 1u) << name;
    EXPECT_EQ(config.zone[0].offset_s, expected.first * 3600) << name;
    EXPECT_EQ(config.zone[0].abbreviation, expected.second) << name;
    EXPECT_LE(config.zone[0].utc_from_ms, 946'684'800'000) << "from 2000 on";
  }
}

TEST_F(Loading, AZoneWithSummerTimeHasBothChangesOfAYear) {
  const Config config =
      good("[gateway]\nid = \"a\"\nregion = \"b\"\nsite = \"c\"\ntimezone = \"Europe/Berlin\"\n");

  // 2025-03-30 01:00 UTC and 2025-10-26 01:00 UTC.
  EXPECT_THAT(config.zone, testing::Contains(ZoneSpan{1'743'296'400'000, 7200, "CEST"}));
  EXPECT_THAT(config.zone, testing::Contains(ZoneSpan{1'761'440'400'000, 3600, "CET"}));
  for (std::size_t i = 1; i < config.zone.size(); ++i)
    EXPECT_LT(config.zone[i - 1].utc_from_ms, config.zone[i].utc_from_ms);
}

TEST_F(Loading, ZoneNamesCannotLeaveTheDatabase) {
  for (const char* name : {"../../../etc/passwd", "/etc/localtime", "", "Asia", "WIB"}) {
    const auto result = load_text(
        std::string("[gateway]\nid = \"a\"\nregion = \"b\"\nsite = \"c\"\ntimezone = \"") + name +
        "\"\n");
    EXPECT_FALSE(result.config.has_value()) << name;
    EXPECT_THAT(only_error(result), HasSubstr(":5:12: gateway.timezone: ")) << name;
  }
}

TEST_F(Loading, ADamagedInstallationIsSaidAndNotBlamedOnTheSensors) {
  auto context = test::context();
  context.data = folder_ / "nowhere";
  const auto file = folder_.write("gerbang.toml", std::string(kGateway) + kDriver + sensor("a", 1));

  const auto result = load(file, context);

  EXPECT_FALSE(result.config.has_value());
  ASSERT_EQ(result.errors.size(), 4u);  // quantities, units, quality, alarms
  for (const Diagnostic& error : result.errors)
    EXPECT_THAT(error.remedy, HasSubstr("install the package again")) << error.key;
}

TEST_F(Loading, ADriverIsAskedOnceForItsSchema) {
  auto context = test::context();
  int asked = 0;
  context.schema = [&](const std::string& plugin) {
    ++asked;
    return test::schema_of(plugin);
  };
  std::string text = kGateway;
  for (const char* name : {"a", "b", "c"})
    text += std::string("[[driver]]\nname = \"") + name + "\"\nplugin = \"simulator\"\n";

  const auto result = load(folder_.write("gerbang.toml", text), context);

  EXPECT_TRUE(result.config.has_value());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(result.warnings.size(), 3u) << "no sensor names them";
}

TEST_F(Loading, TheHashIsThatOfTheMeaningAndNotOfTheText) {
  const std::string plain = std::string(kGateway) + "[time]\nhold = \"60s\"\n";
  const std::string same =
      "# a comment\n" + std::string(kGateway) + "language = \"ind\"\n[time]\n  hold    = \"1m\"\n";
  const std::string other = std::string(kGateway) + "[time]\nhold = \"61s\"\n";

  EXPECT_EQ(good(plain).hash, good(same).hash);
  EXPECT_NE(good(plain).hash, good(other).hash);
  EXPECT_THAT(good(plain).hash, testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(settings_of(good(plain)).at("time.hold"), "\"1m\"");
}

}  // namespace
}  // namespace gerbang::config
