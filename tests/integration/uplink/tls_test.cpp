// SPDX-License-Identifier: Apache-2.0
//
// TLS is always verified: certificates made with openssl for the occasion.
#include <gtest/gtest.h>

#include "integration/uplink/rig.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;

class UplinkTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { made = new Certificates(); }
  static void TearDownTestSuite() {
    delete made;
    made = nullptr;
  }

  void serve(const std::string& certificate, bool ask_for_one = false) {
    Broker::Setup setup;
    setup.certificate = made->certificate(certificate);
    setup.key = made->key(certificate);
    if (ask_for_one) setup.client_ca = made->ca();
    broker = std::make_unique<Broker>(setup);
    rig.use(*broker);
    rig.options.connection.tls = true;
    rig.options.connection.ca_file = made->ca();
  }

  // Why the first attempt failed.
  std::string failure() {
    rig.start();
    EXPECT_TRUE(rig.until([&] { return rig.link->status().reason != "not connected yet"; }));
    EXPECT_FALSE(rig.link->status().connected);
    return rig.link->status().reason;
  }

  static Certificates* made;
  std::unique_ptr<Broker> broker;
  UplinkRig rig;
};
Certificates* UplinkTls::made = nullptr;

TEST_F(UplinkTls, ABrokerWithAGoodCertificateIsTrusted) {
  serve("good");
  rig.add_many(100);
  rig.start();
  ASSERT_TRUE(rig.until_all_ended());
}

TEST_F(UplinkTls, ByNameToo) {
  serve("good");
  rig.options.connection.host = "localhost";
  rig.start();
  ASSERT_TRUE(rig.until_connected());
}

TEST_F(UplinkTls, AnotherHostsCertificateIsRefused) {
  serve("elsewhere");
  EXPECT_NE(failure().find("certificate is for another host name"), std::string::npos);
}

TEST_F(UplinkTls, AnExpiredCertificateIsRefused) {
  serve("expired");
  EXPECT_EQ(failure(), "the broker's certificate has expired");
}

TEST_F(UplinkTls, ACertificateOfAnUnknownAuthorityIsRefused) {
  serve("good");
  Certificates others;
  rig.options.connection.ca_file = others.ca();
  EXPECT_EQ(failure(), "the broker's certificate is not signed by an authority in ca_file");
  EXPECT_EQ(rig.outbox.ended.size(), 0u);
}

TEST_F(UplinkTls, WithoutACaFileTheSystemsAuthoritiesCount) {
  serve("good");
  rig.options.connection.ca_file.clear();
  EXPECT_EQ(failure(),
            "the broker's certificate is not signed by an authority that this machine knows; name "
            "the broker's own authority in ca_file");
}

TEST_F(UplinkTls, OurCertificateOpensTheDoor) {
  serve("good", /*ask_for_one=*/true);
  rig.options.connection.certificate_file = made->certificate("client");
  rig.options.connection.key_file = made->key("client");
  rig.add_many(10);
  rig.start();
  ASSERT_TRUE(rig.until_all_ended());
}

TEST_F(UplinkTls, WithoutOneItStaysShut) {
  serve("good", /*ask_for_one=*/true);
  EXPECT_NE(failure().find("check certificate_file"), std::string::npos);
}

TEST_F(UplinkTls, AFileThatCannotBeReadIsNamed) {
  serve("good");
  rig.options.connection.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(failure(), "cannot read ca_file /nowhere/ca.pem: No such file or directory");
}

TEST_F(UplinkTls, AFileThatIsNoCertificateIsNamed) {
  serve("good");
  rig.options.connection.ca_file = rig.options.connection.ca_file.substr(0, 0) + "/etc/hostname";
  EXPECT_EQ(failure(), "ca_file holds no certificates that can be used");
}

TEST_F(UplinkTls, ABrokerWithoutTlsIsNotSpokenToInTheClear) {
  broker = std::make_unique<Broker>();
  rig.use(*broker);
  rig.options.connection.tls = true;
  rig.options.connection.ca_file = made->ca();
  EXPECT_EQ(failure(),
            "the broker does not seem to speak TLS on this port; give the port where it does "
            "(usually 8883)");
  EXPECT_EQ(broker->log().find("New client connected"), std::string::npos);
}

TEST_F(UplinkTls, ABrokerThatWantsTlsIsKnownWhenItIsAskedWithout) {
  serve("good");
  rig.options.connection.tls = false;
  rig.options.connection.ca_file.clear();
  EXPECT_EQ(failure(), "the broker wants TLS on this port; write mqtts://");
}

TEST_F(UplinkTls, ANewCertificateOfTheBrokerIsTakenWithoutARestart) {
  serve("expired");
  (void)failure();
  auto port = broker->port();
  auto folder = std::make_unique<TempDir>();
  broker->stop();
  auto text = read_file(broker->folder() / "mosquitto.conf");
  for (const char* kind : {".crt", ".key"}) {
    auto at = text.find(std::string("expired") + kind);
    text.replace(at, 7, "good");
  }
  broker->folder().write("mosquitto.conf", text);
  broker->start();
  ASSERT_EQ(broker->port(), port);
  ASSERT_TRUE(rig.until_connected());
}

}  // namespace
}  // namespace gerbang::test
