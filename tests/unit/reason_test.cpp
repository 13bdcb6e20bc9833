// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/reason.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gerbang::uplink_host {
namespace {

std::string explain(std::vector<std::string> trace, std::string_view message) {
  return explain_failure(trace, message);
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
  EXPECT_EQ(explain({"X509_check_host for hostname broker.example failed, rc 0",
                     "Socket error Operation now in progress(115) in x for socket 7"},
                    generic),
            "the broker's certificate is for another host name than broker.example");
  EXPECT_EQ(explain({"SSL alert read:fatal:certificate required"}, generic),
            "the broker refused our side of TLS: certificate required");
  EXPECT_EQ(explain({"getaddrinfo failed for addr nowhere.invalid with rc -2"}, generic),
            "host name nowhere.invalid: name or service not known");
}

TEST(ExplainFailure, ALookUpThatFailedOnceIsNotTheCauseWhenSomethingElseIsKnown) {
  EXPECT_EQ(explain({"getaddrinfo failed for addr broker with rc -5",
                     "Socket error No route to host(113) in getsockopt for socket 7"},
                    "TCP/TLS connect failure"),
            "no route to host");
}

TEST(ExplainFailure, WithoutATellingLineItIsTheLibrarysMessage) {
  EXPECT_EQ(explain({}, "TCP connect timeout"), "no answer from the broker");
  EXPECT_EQ(explain({"something else"}, "TCP/TLS connect failure"), "TCP/TLS connect failure");
  EXPECT_EQ(explain({}, ""), "the connection failed");
}

TEST(IsTelling, LeavesOutWhatSaysNothing) {
  EXPECT_TRUE(is_telling("SSL alert read:fatal:handshake failure"));
  EXPECT_FALSE(is_telling("SSL alert write:warning:close notify"));
  EXPECT_FALSE(is_telling("New socket 7 for 127.0.0.1, port 1883"));
}

}  // namespace
}  // namespace gerbang::uplink_host
