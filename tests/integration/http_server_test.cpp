// SPDX-License-Identifier: Apache-2.0
//
// The real server on a free port against raw sockets, curl and promtool.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <vector>

#include "support/http_client.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::HttpServer;
using test::RawClient;
using test::run_command;

const std::string kBearer = "Authorization: Bearer 0123456789abcdef\r\n";

std::string status_line(const std::string& response) {
  return response.substr(0, response.find("\r\n"));
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size()))
    ++n;
  return n;
}

std::string url(const HttpServer& server, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + path;
}

// The answer to one request on a connection of its own.
std::string once(const HttpServer& server, const std::string& request) {
  RawClient client(server.port());
  client.send(request);
  return client.read_all();
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnectionAlsoPipelined) {
  HttpServer server{Options()};
  RawClient client(server.port());
  client.get("/healthz");
  EXPECT_EQ(status_line(client.read("\"pass\"}\n", 5s)), "HTTP/1.1 200 OK");
  client.send(
      "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: "
      "localhost\r\nConnection: close\r\n\r\n");
  std::string both = client.read_all();
  EXPECT_EQ(status_line(both), "HTTP/1.1 404 Not Found");
  EXPECT_GT(both.find("HTTP/1.1 200 OK"), both.find("HTTP/1.1 404"));
  EXPECT_EQ(count(both, "HTTP/1.1 "), 2u);
}

TEST(HttpServer, SendsTheHeadersThatKeepBrowsersSafe) {
  HttpServer server{Options()};
  std::string response =
      once(server, "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  for (const char* header :
       {"Cache-Control: no-store\r\n", "X-Content-Type-Options: nosniff\r\n",
        "Content-Security-Policy: default-src 'none'", "Content-Type: application/json\r\n"})
    EXPECT_NE(response.find(header), std::string::npos) << header;
  EXPECT_EQ(response.find("Access-Control-"), std::string::npos);
}

TEST(HttpServer, HeadHasTheHeadersOfGetAndNoBody) {
  HttpServer server{Options()};
  for (const char* path :
       {"/", "/api/v1/ledger", "/api/v1/readings?format=csv", "/api/v1/stream"}) {
    std::string request =
        " " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::string head = once(server, "HEAD" + request);
    EXPECT_EQ(status_line(head), "HTTP/1.1 200 OK") << path;
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << path << head;
    if (std::string_view(path) == "/api/v1/stream") continue;
    std::string get = once(server, "GET" + request);
    EXPECT_EQ(get.substr(0, get.find("\r\n\r\n") + 4), head) << path;
  }
}

struct HostileCase {
  const char* what;
  std::string request;
  const char* status;
};

TEST(HttpServer, BrokenRequestsGetAClearErrorAndTheConnectionEnds) {
  HttpServer server{Options()};
  std::string start = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  const HostileCase kCases[] = {
      {"huge header", start + "X: " + std::string(20'000, 'x') + "\r\n\r\n", "431"},
      {"many headers",
       start +
           [] {
             std::string many;
             for (int i = 0; i < 2'000; ++i) many += "a: b\r\n";
             return many;
           }() +
           "\r\n",
       "431"},
      {"huge target", "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n", "414"},
      {"huge length", start + "Content-Length: 999999999\r\n\r\n", "413"},
      {"length beyond 64 bits", start + "Content-Length: 99999999999999999999999\r\n\r\n", "400"},
      {"negative length", start + "Content-Length: -1\r\n\r\n", "400"},
      {"two lengths", start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"huge chunk", start + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", "413"},
      {"many chunks",
       start + "Transfer-Encoding: chunked\r\n\r\n" +
           [] {
             std::string many;
             for (int i = 0; i < 300; ++i) many += "8\r\nabcdefgh\r\n";
             return many;
           }(),
       "413"},
      {"broken chunk", start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"},
      {"no HTTP", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 hello\r\n\r\n", "400"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"control character", "GET /a\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"},
      {"obsolete folding", "GET / HTTP/1.1\r\nHost: localhost\r\n bad\x01: x\r\n\r\n", "400"},
      {"space in name", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", "400"},
      {"half a request", "GET / HT", "400"},
      {"expectation", start + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", "417"},
  };
  for (const HostileCase& c : kCases) {
    RawClient client(server.port());
    client.send(c.request);
    ::shutdown(client.fd(), SHUT_WR);
    std::string response = client.read_all(5s);
    EXPECT_TRUE(status_line(response).starts_with("HTTP/1.1 " + std::string(c.status)))
        << c.what << ": " << status_line(response);
    EXPECT_NE(response.find("Connection: close"), std::string::npos) << c.what;
    EXPECT_NE(response.find("application/problem+json"), std::string::npos) << c.what;
    EXPECT_TRUE(client.closed_by_server(5s)) << c.what;
  }
  EXPECT_NE(once(server, start + "Connection: close\r\n\r\n").find("200 OK"), std::string::npos);
}

TEST(HttpServer, OtherMethodsAre405AndTheConnectionLivesOn) {
  HttpServer server{Options()};
  RawClient client(server.port());
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
    client.send(std::string(method) +
                " /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    std::string response = client.read("}\n", 5s);
    EXPECT_EQ(status_line(response), "HTTP/1.1 405 Method Not Allowed") << method;
    EXPECT_NE(response.find("Allow: GET, HEAD\r\n"), std::string::npos) << method;
  }
}

TEST(HttpServer, ATricklingRequestIsCutAtTheDeadline) {
  Options options;
  options.limits.request = 400ms;
  HttpServer server{options};
  RawClient client(server.port());
  auto start = steady_clock::now();
  std::string slow = "GET /healthz HTTP/1.1\r\nX-Slow: ";
  bool open = true;
  for (std::size_t i = 0; open && i < 200; ++i) {
    open = client.send(i < slow.size() ? slow.substr(i, 1) : "x") && !client.closed_by_server(25ms);
  }
  EXPECT_FALSE(open);
  EXPECT_LT(steady_clock::now() - start, 3s);
}

TEST(HttpServer, AConnectionThatSaysNothingIsClosed) {
  Options options;
  options.limits.request = 200ms;
  options.limits.idle = 300ms;
  HttpServer server{options};
  RawClient silent(server.port());
  EXPECT_TRUE(silent.closed_by_server(3s));
  RawClient idle(server.port());
  idle.get("/healthz");
  idle.read("}\n", 3s);
  EXPECT_TRUE(idle.closed_by_server(3s));
}

TEST(HttpServer, FiftyIdleConnectionsDoNotShutOthersOut) {
  HttpServer server{Options()};
  std::vector<RawClient> idle;
  for (int i = 0; i < 50; ++i) idle.emplace_back(server.port());
  for (int i = 0; i < 20; ++i) idle[static_cast<std::size_t>(i)].send("GET /he");
  auto start = steady_clock::now();
  std::string response =
      once(server, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_line(response), "HTTP/1.1 200 OK");
  EXPECT_LT(steady_clock::now() - start, 2s);
  EXPECT_NE(response.find("gerbang_http_connections 8\n"), std::string::npos);
  EXPECT_NE(response.find("{outcome=\"displaced\"} 43\n"), std::string::npos);
}

TEST(HttpServer, ConnectionsThatAreBusyAreNotDisplaced) {
  Options options;
  options.limits.connections_per_address = 2;
  HttpServer server{options};
  RawClient first(server.port()), second(server.port());
  for (RawClient* client : {&first, &second}) {
    client->get("/api/v1/stream");
    client->read("event: state", 5s);
  }
  RawClient third(server.port());
  EXPECT_TRUE(third.closed_by_server(3s));
  server.with([](Snapshot& now) { ++now.sensors[0].counts.good; });
  EXPECT_NE(first.read("\"sensor\":\"raw-ph\"", 5s), "");
}

TEST(HttpServer, TheHundredthAnswerSaysGoodbye) {
  HttpServer server{Options()};
  RawClient client(server.port());
  for (int i = 1; i <= 100; ++i) {
    client.get("/healthz");
    std::string response = client.read("}\n", 5s);
    ASSERT_EQ(response.find("Connection: close") != std::string::npos, i == 100) << i;
  }
  EXPECT_TRUE(client.closed_by_server(3s));
}

TEST(HttpServer, AForeignHostIsRefused) {
  Options options;
  options.names = {"gerbang.local"};
  HttpServer server{options};
  auto with_host = [&](const std::string& host) {
    return status_line(
        once(server, "GET /healthz HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n"));
  };
  EXPECT_EQ(with_host("Host: evil.example\r\n"), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(with_host("Host: gerbang.local:8080\r\n"), "HTTP/1.1 200 OK");
  EXPECT_EQ(with_host(""), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(with_host("Host: localhost\r\nHost: evil.example\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_line(once(server, "GET /healthz HTTP/1.0\r\n\r\n")), "HTTP/1.1 200 OK");
}

TEST(HttpServer, WrongTokensAreRefusedAndThenNotEvenCompared) {
  Options options;
  options.token = "0123456789abcdef";
  HttpServer server{options};
  RawClient client(server.port());
  auto ask = [&](const std::string& headers) {
    client.get("/api/v1/status", headers);
    return status_line(client.read("}\n", 5s));
  };
  EXPECT_EQ(ask(""), "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(ask(kBearer), "HTTP/1.1 200 OK");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(ask("Authorization: Bearer x\r\n"), "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(ask("Authorization: Bearer x\r\n"), "HTTP/1.1 429 Too Many Requests");
  EXPECT_EQ(ask(kBearer), "HTTP/1.1 429 Too Many Requests");
  client.get("/healthz");
  EXPECT_EQ(status_line(client.read("}\n", 5s)), "HTTP/1.1 200 OK");
}

TEST(HttpServer, MetricsPassPromtool) {
  HttpServer server{Options()};
  auto checked =
      run_command("curl -sf " + url(server, "/metrics") + " | promtool check metrics 2>&1");
  EXPECT_EQ(checked.status, 0) << checked.out;
  EXPECT_EQ(checked.out, "");
}

// ---- history ---------------------------------------------------------------------------------
TEST(HttpHistory, ALongCsvComesInSmallPages) {
  HttpServer server{Options()};
  server.set(&test::CountingQueries::rows, 30'000);
  auto csv =
      run_command("curl -sf '" +
                  url(server, "/api/v1/readings?sensor=raw-ph&from=2025-12-01&format=csv") + "'");
  EXPECT_EQ(csv.status, 0);
  EXPECT_EQ(count(csv.out, "\r\n"), 30'001u);
  EXPECT_NE(csv.out.find("2025-12-01T00:00:00.000+08:00,2025-11-30T16:00:00.000Z,raw-ph,0,NTU,good,"
                         ",TRUSTED\r\n"),
            std::string::npos);
  EXPECT_LE(server.get(&test::CountingQueries::largest_page), 500u);
}

TEST(HttpHistory, JsonPagesFollowNext) {
  HttpServer server{Options()};
  server.set(&test::CountingQueries::rows, 1'700);
  auto script = R"(
import json, sys, urllib.request
rows, after, requests = [], "", 0
while True:
    with urllib.request.urlopen(sys.argv[1] + after) as answer:
        page = json.load(answer)
    rows += page["readings"]
    requests += 1
    if page["next"] is None: break
    after = "&next=" + page["next"]
print(len(rows), len({r["timeMs"] for r in rows}), requests)
)";
  auto result = run_command("/usr/bin/python3 -c '" + std::string(script) + "' '" +
                            url(server, "/api/v1/readings?sensor=raw-ph&from=-1h&limit=700") + "'");
  EXPECT_EQ(result.out, "1700 1700 3\n");
}

TEST(HttpHistory, AFailureInTheMiddleIsNotACompleteAnswer) {
  HttpServer server{Options()};
  server.set(&test::CountingQueries::rows, 5'000);
  server.set(&test::CountingQueries::fail_after, 3);
  auto broken =
      run_command("curl -s -o /dev/null '" + url(server, "/api/v1/readings?format=csv") + "'");
  EXPECT_EQ(broken.status, 18);  // curl: partial file
  server.set(&test::CountingQueries::pages, 5);
  RawClient client(server.port());
  client.get("/api/v1/readings");
  EXPECT_EQ(status_line(client.read("}\n", 5s)), "HTTP/1.1 503 Service Unavailable");
  client.get("/api/v1/readings?sensor=nobody");
  EXPECT_EQ(status_line(client.read("}\n", 5s)), "HTTP/1.1 404 Not Found");
  client.get("/api/v1/readings?from=soon");
  EXPECT_EQ(status_line(client.read("}\n", 5s)), "HTTP/1.1 400 Bad Request");
}

TEST(HttpHistory, Http10GetsItWithoutChunks) {
  HttpServer server{Options()};
  server.set(&test::CountingQueries::rows, 2);
  std::string response = once(server, "GET /api/v1/readings?format=csv HTTP/1.0\r\n\r\n");
  EXPECT_EQ(response.find("chunked"), std::string::npos);
  EXPECT_NE(response.find("\r\n\r\ntime_local,"), std::string::npos);
}

TEST(HttpHistory, AReaderThatStopsIsLetGoAndAnswersStayBounded) {
  Options options;
  options.limits.write = 300ms;
  options.limits.queries = 1;
  HttpServer server{options};
  server.set(&test::CountingQueries::rows, 10'000'000);
  RawClient sleeper(server.port());
  sleeper.get("/api/v1/readings?format=csv");
  std::this_thread::sleep_for(50ms);
  RawClient other(server.port());
  other.get("/api/v1/readings");
  EXPECT_EQ(status_line(other.read("}\n", 5s)), "HTTP/1.1 503 Service Unavailable");
  std::string after;
  for (int i = 0; i < 50 && after != "HTTP/1.1 200 OK"; ++i) {
    std::this_thread::sleep_for(100ms);
    other.get("/api/v1/readings?limit=1");
    after = status_line(other.read("}\n", 5s));
  }
  EXPECT_EQ(after, "HTTP/1.1 200 OK");
}

// ---- events ----------------------------------------------------------------------------------
TEST(HttpStream, BeginsWithTheStateAndEverySensor) {
  HttpServer server{Options()};
  RawClient client(server.port());
  client.get("/api/v1/stream");
  std::string begin = client.read("\"sensor\":\"rain\"", 5s);
  if (!begin.ends_with("\n\n")) begin += client.read("\n\n", 1s);
  EXPECT_NE(begin.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_EQ(count(begin, "event: state\ndata: {"), 1u);
  EXPECT_EQ(count(begin, "event: reading\ndata: {"), 6u);
  EXPECT_EQ(count(begin, "event: alarm\ndata: {"), 3u);
  EXPECT_EQ(count(begin, "}\n\n"), 10u);
}

TEST(HttpStream, SendsTheNewestOfEachSensorAndNoQueue) {
  Options options;
  options.limits.tick = 300ms;
  HttpServer server{options};
  RawClient client(server.port());
  client.get("/api/v1/stream");
  client.read("\"sensor\":\"rain\"", 5s);
  for (int i = 1; i <= 200; ++i)
    server.with([i](Snapshot& now) {
      now.sensors[0].newest->value = i;
      ++now.sensors[0].counts.good;
    });
  std::string events = client.read("\"value\":200,", 5s);
  EXPECT_NE(events.find("\"value\":200,"), std::string::npos);
  EXPECT_LT(count(events, "event: reading"), 20u);
  EXPECT_EQ(count(events, "raw-turbidity"), 0u) << "nothing new of the other sensors";
}

TEST(HttpStream, AChangeOfStateIsToldAtOnce) {
  HttpServer server{Options()};
  RawClient client(server.port());
  client.get("/api/v1/stream");
  client.read("\"sensor\":\"rain\"", 5s);
  server.with([](Snapshot& now) {
    now.drivers[0].state = "backing_off";
    now.drivers[0].last_error = "killed by signal 9";
  });
  EXPECT_NE(client.read("killed by signal 9", 3s).find("event: state"), std::string::npos);
}

TEST(HttpStream, AHeartbeatPassesWhileNothingHappens) {
  Options options;
  options.limits.heartbeat = 250ms;
  options.limits.tick = 50ms;
  HttpServer server{options};
  RawClient client(server.port());
  client.get("/api/v1/stream");
  client.read("\"sensor\":\"rain\"", 5s);
  client.read("\n\n", 1s);
  EXPECT_EQ(client.read(": heartbeat\n\n", 3s), ": heartbeat\n\n");
}

TEST(HttpStream, EndsWithItsSessionWhenTheSnapshotFails) {
  HttpServer server{Options()};
  server.break_after(1);
  RawClient client(server.port());
  client.get("/api/v1/stream");
  EXPECT_TRUE(client.closed_by_server(3s));
  server.break_after(-1);
  std::string metrics = once(server, "GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_NE(metrics.find("gerbang_http_streams 0\n"), std::string::npos);
}

TEST(HttpStream, TheFifthIsRefusedUntilOneLeaves) {
  HttpServer server{Options()};
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(server.port()).get("/api/v1/stream");
    clients.back().read("event: state", 5s);
  }
  RawClient fifth(server.port());
  fifth.get("/api/v1/stream");
  std::string refusal = fifth.read("}\n", 5s);
  EXPECT_EQ(status_line(refusal), "HTTP/1.1 503 Service Unavailable");
  EXPECT_NE(refusal.find("Retry-After: "), std::string::npos);
  clients.pop_back();
  std::string answer;
  for (int i = 0; i < 30 && answer != "HTTP/1.1 200 OK"; ++i) {
    std::this_thread::sleep_for(100ms);
    fifth.get("/api/v1/stream");
    answer = status_line(fifth.read("\n\n", 300ms));
  }
  EXPECT_EQ(answer, "HTTP/1.1 200 OK");
}

TEST(HttpStream, AClientThatDoesNotReadIsDropped) {
  Options options;
  options.limits.write = 300ms;
  options.limits.tick = 5ms;
  HttpServer server{options};
  server.with([](Snapshot& now) {
    while (now.sensors.size() < 600) now.sensors.push_back(now.sensors[0]);
  });
  RawClient sleeper(server.port());
  sleeper.get("/api/v1/stream");
  sleeper.read("event: state", 5s);
  std::string metrics;
  for (int i = 0; i < 300; ++i) {
    server.with([](Snapshot& now) {
      for (SensorNow& sensor : now.sensors) ++sensor.counts.good;
    });
    std::this_thread::sleep_for(20ms);
    if (i % 25 != 24) continue;
    metrics = once(server, "GET /metrics HTTP/1.0\r\n\r\n");
    if (metrics.find("gerbang_http_streams 0\n") != std::string::npos) break;
  }
  EXPECT_NE(metrics.find("gerbang_http_streams 0\n"), std::string::npos);
}

// ---- the control socket ----------------------------------------------------------------------
TEST(ControlSocket, AnswersItsGroupWithoutTokenAndGoesWithTheServer) {
  test::TempDir dir;
  Options options;
  options.control = (dir / "control.sock").string();
  options.token = "0123456789abcdef";
  {
    HttpServer server{options};
    struct stat info {};
    ASSERT_EQ(::stat(options.control.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, 0660u);
    auto status =
        run_command("curl -sf --unix-socket " + options.control + " http://gerbang/api/v1/status");
    EXPECT_EQ(status.status, 0);
    EXPECT_NE(status.out.find("\"ipa-bantimurung-1\""), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(options.control));
}

TEST(ControlSocket, ALeftOverIsReplacedAndALiveOneOrAFileIsNot) {
  test::TempDir dir;
  Options options;
  options.control = (dir / "control.sock").string();
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  options.control.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  HttpServer server{options};
  EXPECT_THROW(HttpServer{options}, std::runtime_error) << "a live socket was taken over";
  EXPECT_EQ(run_command("curl -sf --unix-socket " + options.control + " http://x/healthz").status,
            0);
  Options other;
  other.control = dir.write("file", "somebody's").string();
  EXPECT_THROW(HttpServer{other}, std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_regular_file(other.control));
}

// ---- listeners -------------------------------------------------------------------------------
TEST(HttpListener, SaysWhichAddressItCouldNotHave) {
  HttpServer server{Options()};
  Options options;
  options.listen = "127.0.0.1:" + std::to_string(server.port());
  try {
    HttpServer second{options};
    FAIL() << "two servers on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(options.listen), std::string::npos) << error.what();
  }
  for (const char* listen : {"8080", "localhost:", "a.example:80", "127.0.0.1:65536", "[::1:80"}) {
    options.listen = listen;
    EXPECT_THROW(HttpServer{options}, std::runtime_error) << listen;
  }
}

TEST(HttpListener, ListensOnIpv6) {
  Options options;
  options.listen = "[::1]:0";
  HttpServer server{options};
  EXPECT_EQ(run_command("curl -sfg http://[::1]:" + std::to_string(server.port()) + "/healthz").out,
            "{\"status\":\"pass\"}\n");
}

TEST(HttpListener, AcceptsAgainAfterTheProcessRanOutOfDescriptors) {
  HttpServer server{Options()};
  int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(client);  // the next descriptor would be above
  int last = ::dup(client);
  none.rlim_cur = static_cast<rlim_t>(last);
  ::close(last);
  ::setrlimit(RLIMIT_NOFILE, &none);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::this_thread::sleep_for(500ms);
  ::setrlimit(RLIMIT_NOFILE, &before);
  std::string request = "GET /healthz HTTP/1.0\r\n\r\n";
  ASSERT_GT(::send(client, request.data(), request.size(), MSG_NOSIGNAL), 0);
  std::string answer(2'000, '\0');
  ssize_t n = ::recv(client, answer.data(), answer.size(), 0);
  ::close(client);
  EXPECT_GT(n, 0);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK"));
}

TEST(HttpListener, StopEndsConnectionsAndStreams) {
  auto server = std::make_unique<HttpServer>(Options());
  RawClient stream(server->port()), idle(server->port());
  stream.get("/api/v1/stream");
  stream.read("event: state", 5s);
  server.reset();
  EXPECT_TRUE(stream.closed_by_server(3s));
  EXPECT_TRUE(idle.closed_by_server(3s));
}

}  // namespace
}  // namespace gerbang::http
