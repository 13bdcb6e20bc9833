// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/reason.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/spoken.hpp"

namespace gerbang::uplink_host {
namespace {

constexpr Way kTls{true, true};

std::string explain(std::vector<std::string> trace, std::string_view message, Way way = kTls) {
  return explain_failure(trace, message, way).text;
}

// Lines as Paho C 1.3.12 writes them.
TEST(ExplainFailure, SaysWhatTheTraceSays) {
  const char* generic = "TCP/TLS connect failure";
  EXPECT_EQ(explain({"Socket error Connection refused(111) in getsockopt for socket 7"}, generic),
            "connection refused");
  EXPECT_EQ(explain({"SSL alert write:fatal:certificate expired"}, generic),
            "the broker's certificate has expired");
  EXPECT_EQ(explain({"SSL alert write:fatal:unknown CA"}, generic),
            "the broker's certificate is not signed by an authority in ca_file");
  EXPECT_EQ(explain({"SSL alert write:fatal:unknown CA"}, generic, Way{true, false}),
            "the broker's certificate is not signed by an authority that this machine knows; name "
            "the broker's own authority in ca_file");
  EXPECT_EQ(explain({"X509_check_host for hostname broker.example failed, rc 0",
                     "rc from X509_check_ip_asc is -2"},
                    generic),
            "the broker's certificate is for another host name than broker.example");
  EXPECT_EQ(
      explain({"SSL alert read:fatal:certificate required"}, generic),
      "the broker refused us in TLS; check certificate_file and key_file (certificate required)");
  EXPECT_EQ(explain({"getaddrinfo failed for addr nowhere.invalid with rc -2"}, generic),
            "host name nowhere.invalid: name or service not known");
}

TEST(ExplainFailure, AnAddressThatFitsIsNoWrongName) {
  EXPECT_EQ(
      explain({"X509_check_host for hostname 127.0.0.1 failed, rc 0",
               "rc from X509_check_ip_asc is 1", "SSL alert read:fatal:certificate required"},
              "TCP connect completion failure"),
      "the broker refused us in TLS; check certificate_file and key_file (certificate required)");
}

TEST(ExplainFailure, AResetAfterTheHandshakeIsAboutOurCertificate) {
  EXPECT_EQ(explain({"SSLSocket error (5) in SSL_write for socket 3 rc -1 errno 104 Connection "
                     "reset by peer"},
                    "TCP/TLS connect failure"),
            "the broker refused us in TLS; check certificate_file and key_file");
}

TEST(ExplainFailure, WhatMayBeTheWrongPortIsLeftToALookAtIt) {
  std::vector<std::string> broken = {
      "SSLSocket error (5) in SSL_connect for socket 3 rc -1 errno 104 Connection reset by peer"};
  EXPECT_FALSE(explain_failure(broken, "TCP/TLS connect failure", kTls).certain);
  EXPECT_FALSE(explain_failure({}, "TCP connect completion failure", Way()).certain);
  std::vector<std::string> alert = {"SSL alert read:fatal:certificate required"};
  EXPECT_TRUE(explain_failure(alert, "TCP/TLS connect failure", kTls).certain);
}

TEST(ExplainFailure, WithoutATellingLineItIsTheLibrarysMessageOrNothing) {
  EXPECT_EQ(explain({}, "TCP connect timeout"), "no answer from the broker");
  EXPECT_EQ(explain({}, "Something new"), "something new");
  for (const char* nothing : {"TCP/TLS connect failure", ""}) {
    EXPECT_EQ(explain({}, nothing), "");
    EXPECT_FALSE(explain_failure({}, nothing, Way()).certain);
  }
}

TEST(ExplainFailure, IsSaidInIndonesianToo) {
  const char* generic = "TCP/TLS connect failure";
  const std::vector<std::string> told = {
      explain({"SSL alert write:fatal:unknown CA"}, generic),
      explain({"SSL alert write:fatal:unknown CA"}, generic, Way{true, false}),
      explain({"SSL alert write:fatal:bad certificate"}, generic),
      explain({"SSL alert write:fatal:protocol version"}, generic),
      explain({"SSL alert read:fatal:unknown"}, generic),
      explain({"SSL_CTX_load_verify_locations"}, generic),
      explain({}, "TCP connect timeout"),
      explain({}, "TCP connect completion failure")};
  for (const std::string& text : told) {
    const std::string ind = spoken(text, "ind");
    for (const char* english : {" the ", " is ", "broker's", "refused", "closed", "answer"})
      EXPECT_EQ(ind.find(english), std::string::npos) << ind;
  }
}

TEST(IsTelling, LeavesOutWhatSaysNothing) {
  EXPECT_TRUE(is_telling("SSL alert read:fatal:handshake failure"));
  EXPECT_FALSE(is_telling("SSL alert write:warning:close notify"));
  EXPECT_FALSE(is_telling("New socket 7 for 127.0.0.1, port 1883"));
}

}  // namespace
}  // namespace gerbang::uplink_host
