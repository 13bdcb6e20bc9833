// SPDX-License-Identifier: Apache-2.0
//
// Files and folders that a configuration names: what is a mistake, and what was only not looked at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/fixture.hpp"
#include "config/load.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGateway =
    "[gateway]\nid = \"ipa-uji-1\"\nregion = \"maros\"\nsite = \"ipa-uji\"\n"
    "timezone = \"Asia/Makassar\"\n";

std::string joined(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& each : diagnostics) out += text(each) + "\n";
  return out;
}

// Another user than root for a while; root reads everything.
class Stranger {
 public:
  Stranger() : was_(::geteuid()) {
    if (was_ == 0) (void)!::seteuid(65534);
  }
  ~Stranger() { (void)!::seteuid(was_); }

 private:
  uid_t was_;
};

class NamedFiles : public testing::Test {
 protected:
  NamedFiles() { ::chmod(folder_.path().c_str(), 0755); }

  void file(const std::string& name, const std::string& content, mode_t mode) {
    ASSERT_EQ(::chmod(folder_.write(name, content).c_str(), mode), 0);
  }
  LoadResult load_text(const std::string& text) {
    return load(folder_.write("gerbang.toml", kGateway + text), context_);
  }
  LoadResult load_as_stranger(const std::string& text) {
    const auto path = folder_.write("gerbang.toml", kGateway + text);
    ::chmod(path.c_str(), 0644);
    const Stranger stranger;
    return load(path, context_);
  }

  test::TempDir folder_;
  Context context_ = test::context();
};

// ---- [store] path -------------------------------------------------------------------------------

TEST_F(NamedFiles, TheStoreNeedsAFolderThatIsThere) {
  const std::string there = "[store]\npath = \"" + (folder_ / "x.db").string() + "\"\n";
  const std::string not_there = "[store]\npath = \"" + (folder_ / "no/x.db").string() + "\"\n";
  folder_.write("file", "x");

  EXPECT_THAT(load_text(there).errors, IsEmpty());
  EXPECT_THAT(
      joined(load_text(not_there).errors),
      HasSubstr(":7:8: store.path: the folder " + (folder_ / "no").string() + " does not exist; "));
  EXPECT_THAT(joined(load_text("[store]\npath = \"file/x.db\"\n").errors),
              HasSubstr(":7:8: store.path: "));
  context_.by_hand = true;
  EXPECT_THAT(joined(load_text(not_there).errors), HasSubstr("does not exist"));
}

TEST_F(NamedFiles, TheStoreIsAFileAndNoFolder) {
  const std::string folder = (folder_ / "data").string();
  std::filesystem::create_directory(folder);
  const std::string said = " is a folder; give a file in it: path = ";

  EXPECT_THAT(joined(load_text("[store]\npath = \"data/\"\n").errors),
              HasSubstr(":7:8: store.path: \"data/\"" + said + "\"data/gerbang.db\""));
  context_.starts = true;
  EXPECT_THAT(joined(load_text("[store]\npath = \"" + folder + "\"\n").errors), HasSubstr(said));
  context_.store_unused = true;
  EXPECT_THAT(load_text("[store]\npath = \"data\"\n").errors, IsEmpty());
}

TEST_F(NamedFiles, AStoreElsewhereMayBeOnADiskThatComesLater) {
  context_.starts = true;

  const auto elsewhere = load_text("[store]\npath = \"" + (folder_ / "no/x.db").string() + "\"\n");
  const auto inside = load_text("[store]\npath = \"no/x.db\"\n");

  EXPECT_THAT(elsewhere.errors, IsEmpty());
  EXPECT_THAT(joined(elsewhere.warnings), HasSubstr("does not exist"));
  EXPECT_THAT(joined(inside.errors), HasSubstr("does not exist"));
}

TEST_F(NamedFiles, ACheckByHandDoesNotKnowTheFoldersOfTheService) {
  context_.by_hand = true;
  const std::string relative = "[store]\npath = \"data/x.db\"\n";

  const auto unknown = load_text(relative);
  context_ = test::context({{"STATE_DIRECTORY", folder_.path().string()}});
  context_.by_hand = true;
  const auto known = load_text(relative);

  EXPECT_THAT(unknown.errors, IsEmpty());
  EXPECT_THAT(joined(unknown.warnings), HasSubstr("/var/lib/gerbang"));
  EXPECT_THAT(joined(known.errors), HasSubstr("does not exist"));
}

// ---- what a check by hand may not read ----------------------------------------------------------

constexpr const char* kPaired =
    "[[uplink]]\nname = \"a\"\nurl = \"mqtts://h\"\ncertificate_file = \"c.crt\"\n"
    "key_file = \"c.key\"\n";

TEST_F(NamedFiles, ThatThisUserMayNotReadWereNotLookedAt) {
  file("c.crt", "certificate", 0);
  file("c.key", "key", 0);
  context_.by_hand = true;
  context_.key_pair = [](const std::string&, const std::string&) { return KeyPair::differs; };

  const auto result = load_as_stranger(kPaired);

  EXPECT_THAT(joined(result.errors), testing::Not(HasSubstr("uplink[a]")));
  EXPECT_THAT(joined(result.warnings),
              HasSubstr(":9:20: uplink[a].certificate_file: " + (folder_ / "c.crt").string() +
                        " was not looked at: this user may not read it"));
  EXPECT_THAT(joined(result.warnings), HasSubstr(":10:12: uplink[a].key_file: "));
}

TEST_F(NamedFiles, ThatTheServiceMayNotReadAreAMistake) {
  file("c.crt", "certificate", 0);
  file("c.key", "key", 0);

  const std::string said = joined(load_as_stranger(kPaired).errors);

  EXPECT_THAT(said, HasSubstr("uplink[a].certificate_file: "));
  EXPECT_THAT(said, HasSubstr("c.key cannot be read: Permission denied"));
}

// ---- certificate and key ------------------------------------------------------------------------

TEST_F(NamedFiles, AKeyIsThatOfItsCertificate) {
  file("c.crt", "certificate", 0644);
  file("c.key", "key", 0600);
  const std::map<KeyPair, std::string> said = {
      {KeyPair::differs, ":10:12: uplink[a].key_file: KEY is not the key of CRT; "},
      {KeyPair::no_certificate,
       ":9:20: uplink[a].certificate_file: CRT has no certificate in PEM; "},
      {KeyPair::no_key, ":10:12: uplink[a].key_file: KEY has no private key in PEM; "},
      {KeyPair::locked, ":10:12: uplink[a].key_file: KEY wants a passphrase"}};
  for (auto [pair, line] : said) {
    context_.key_pair = [pair = pair](const std::string& certificate, const std::string& key) {
      EXPECT_EQ(certificate + " " + key, "certificate key");
      return pair;
    };
    for (const auto& [word, name] : {std::pair("CRT", "c.crt"), std::pair("KEY", "c.key")})
      if (const auto at = line.find(word); at != std::string::npos)
        line.replace(at, 3, (folder_ / name).string());
    const auto result = load_text(kPaired);
    EXPECT_EQ(result.errors.size(), 1u);
    EXPECT_THAT(joined(result.errors), HasSubstr(line));
  }
  context_.key_pair = [](const std::string&, const std::string&) { return KeyPair::fits; };
  EXPECT_THAT(load_text(kPaired).errors, IsEmpty());
}

}  // namespace
}  // namespace gerbang::config
