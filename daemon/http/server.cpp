// SPDX-License-Identifier: Apache-2.0
//
// The only file that includes Beast. Beast parses requests; heads of responses are a few lines of
// text and are written here, so that one instantiation serves both listeners and every body.
#include "http/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <list>

#include "async/spawn.hpp"
#include "http/access.hpp"
#include "http/documents.hpp"
#include "http/feed.hpp"
#include "http/listener.hpp"
#include "http/routes.hpp"
#include "observe/log.hpp"

namespace gerbang::http {
namespace {

namespace beast = boost::beast;
using Stream = beast::basic_stream<Protocol, asio::any_io_executor, beast::unlimited_rate_policy>;
using SteadyTime = std::chrono::steady_clock::time_point;
using boost::system::error_code;

constexpr std::size_t kSlice = 16 * 1024;  // bytes that must leave within the write deadline
constexpr int kSendBuffer = 64 * 1024;     // of the kernel, so that a client that sleeps is noticed
constexpr int kLostMs = 20'000;            // a peer that acknowledges nothing for so long is gone
constexpr std::chrono::seconds kLinger(1);
constexpr std::size_t kLingerBytes = 256 * 1024;
constexpr std::chrono::milliseconds kAcceptPause(200);

SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}

// What a parse error is to the client; 0: there is nobody to tell.
unsigned status_of(error_code failure, bool request_line_read) {
  using beast::http::error;
  if (failure == error::header_limit || failure == error::buffer_overflow)
    return request_line_read ? 431 : 414;
  if (failure == error::body_limit) return 413;
  if (failure == error::bad_version) return 505;
  bool theirs = failure.category() == make_error_code(error::bad_method).category();
  if (theirs && failure != error::end_of_stream) return 400;
  return 0;
}

// True if the peer closed its end. Reads nothing.
bool peer_gone(Stream& stream) {
  char byte;
  ssize_t n = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

struct Session {
  Session(Socket socket, Origin where, std::string who)
      : stream(std::move(socket)), origin(where), address(std::move(who)) {}

  Stream stream;
  Origin origin;
  std::string address;
  // Waiting for a request, whole or in part: may be displaced by a new connection.
  bool reading = true;
};

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::any_io_executor executor, Options options, std::function<Snapshot()> snapshot,
       std::function<std::uint64_t()> version, Queries& queries)
      : executor_(std::move(executor)),
        options_(std::move(options)),
        limits_(options_.limits),
        snapshot_(std::move(snapshot)),
        version_(std::move(version)),
        queries_(queries) {
    policy_.token = options_.token;
    policy_.names = options_.names;
    // The machine's own name, as people type it on its network.
    char host[256] = "";
    if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') {
      std::string name(host);
      policy_.names.push_back(name);
      policy_.names.push_back(name.substr(0, name.find('.')) + ".local");
    }
  }

  Result<void> run() {
    if (!options_.listen.empty()) {
      auto bound = listen_tcp(executor_, options_.listen);
      if (!bound) return fail(std::move(bound.error()));
      tcp_ = *bound;
      port_ = port_of(tcp_->local_endpoint());
    }
    if (!options_.control.empty()) {
      auto bound = listen_control(executor_, options_.control);
      if (!bound) {
        stop();
        return fail(std::move(bound.error()));
      }
      control_ = *bound;
    }
    if (tcp_) spawn_critical(executor_, "http", accept_loop(shared_from_this(), tcp_, Origin::tcp));
    if (control_)
      spawn_critical(executor_, "http control",
                     accept_loop(shared_from_this(), control_, Origin::control));
    return {};
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    error_code ignored;
    if (tcp_) tcp_->close(ignored);
    if (control_) {
      control_->close(ignored);
      ::unlink(options_.control.c_str());
    }
    for (const auto& session : sessions_) session->stream.close();
  }

  std::uint16_t port() const { return port_; }

 private:
  using AcceptorPtr = std::shared_ptr<Acceptor>;
  using SessionPtr = std::shared_ptr<Session>;

  // ---- connections come ---------------------------------------------------------------------
  static asio::awaitable<void> accept_loop(std::shared_ptr<Impl> self, AcceptorPtr acceptor,
                                           Origin origin) {
    auto token = asio::as_tuple(asio::use_awaitable);
    bool failing = false;
    while (!self->stopped_) {
      Socket socket(self->executor_);
      Protocol::endpoint peer;
      auto accepted = co_await acceptor->async_accept(socket, peer, token);
      error_code error = std::get<0>(accepted);
      if (self->stopped_) co_return;
      if (error) {
        // Out of descriptors, or a client that left in between: the port must stay alive.
        if (!failing) spdlog::warn("http: accept failed, trying again: {}", error.message());
        failing = true;
        co_await sleep_for(kAcceptPause);
        continue;
      }
      failing = false;
      self->admit_connection(std::move(socket), peer, origin);
    }
  }

  void admit_connection(Socket socket, const Protocol::endpoint& peer, Origin origin) {
    std::string address = origin == Origin::tcp ? address_of(peer) : "";
    if (!make_room(origin, address)) {
      ++counts_.refused;
      return;  // the socket closes here
    }
    ++counts_.accepted;
    int fd = socket.native_handle();
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    if (origin == Origin::tcp) {
      int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kLostMs, sizeof kLostMs);
    }
    auto session = std::make_shared<Session>(std::move(socket), origin, std::move(address));
    sessions_.push_back(session);
    spawn_session(executor_, "http session", serve(shared_from_this(), session));
  }

  // Whether one more connection fits, if need be in the place of the oldest that has not yet
  // sent a request.
  bool make_room(Origin origin, const std::string& address) {
    std::size_t all = 0, same = 0;
    for (const auto& session : sessions_) {
      if (session->origin != origin) continue;
      ++all;
      if (session->address == address) ++same;
    }
    bool tcp = origin == Origin::tcp;
    bool address_full = tcp && same >= limits_.connections_per_address;
    bool full = all >= (tcp ? limits_.connections : limits_.control_connections);
    if (!address_full && !full) return true;
    auto victim = std::find_if(sessions_.begin(), sessions_.end(), [&](const SessionPtr& session) {
      return session->origin == origin && session->reading &&
             (!address_full || session->address == address);
    });
    if (victim == sessions_.end()) return false;
    (*victim)->stream.close();
    sessions_.erase(victim);
    ++counts_.displaced;
    return true;
  }

  // ---- one connection ----------------------------------------------------------------------
  static asio::awaitable<void> serve(std::shared_ptr<Impl> self, SessionPtr session) {
    Leaving leaving(*self, session);
    beast::flat_buffer buffer(self->limits_.header_bytes);
    for (std::size_t n = 1; !self->stopped_; ++n) {
      bool last = n >= self->limits_.requests_per_connection;
      bool more = co_await self->exchange(*session, buffer, n == 1, last);
      if (!more) break;
    }
    co_await linger(*session);
  }

  // One request and its answer. False: the connection ends.
  asio::awaitable<bool> exchange(Session& session, beast::flat_buffer& buffer, bool first,
                                 bool last) {
    auto token = asio::as_tuple(asio::use_awaitable);
    session.reading = true;
    session.stream.expires_after(first ? limits_.request : limits_.idle);
    if (buffer.size() == 0) {
      constexpr std::size_t kFirstRead = 1024;
      auto space = buffer.prepare(std::min(kFirstRead, buffer.max_size()));
      auto got = co_await session.stream.async_read_some(space, token);
      if (std::get<0>(got)) co_return false;
      buffer.commit(std::get<1>(got));
    }
    // The deadline of the whole request; bytes that trickle in do not extend it.
    if (!first) session.stream.expires_after(limits_.request);
    beast::http::request_parser<beast::http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser.body_limit(limits_.body_bytes);
    auto header = co_await beast::http::async_read_header(session.stream, buffer, parser, token);
    error_code error = std::get<0>(header);
    bool expects = !error && parser.get().count(beast::http::field::expect) > 0;
    if (!error && !expects && !parser.is_done()) {
      auto rest = co_await beast::http::async_read(session.stream, buffer, parser, token);
      error = std::get<0>(rest);
    }
    session.reading = false;

    Framing framing;
    framing.http10 = parser.get().version() < 11;
    framing.head_only = parser.get().method() == beast::http::verb::head;
    if (error) {
      unsigned status = status_of(error, !parser.get().target().empty());
      if (status == 0) co_return false;
      Response refusal = problem(status, error.message());
      co_await send(session, std::move(refusal), framing);
      co_return false;
    }
    if (expects) {
      Response refusal = problem(417, "send the request without Expect");
      co_await send(session, std::move(refusal), framing);
      co_return false;
    }
    framing.keep_alive = parser.keep_alive() && !last;
    Request request = to_request(parser.get(), session);
    bool sent = co_await handle(session, std::move(request), framing);
    co_return sent&& framing.keep_alive;
  }

  template <class Message>
  static Request to_request(const Message& message, const Session& session) {
    using beast::http::field;
    Request request;
    using beast::http::verb;
    if (message.method() == verb::get)
      request.method = Method::get;
    else if (message.method() == verb::head)
      request.method = Method::head;
    else if (message.method() == verb::post)
      request.method = Method::post;
    else
      request.method = Method::other;
    request.target = message.target();
    auto hosts = message.count(field::host);
    if (hosts > 0) request.host = std::string(message[field::host]);
    request.many_hosts = hosts > 1;
    request.http10 = message.version() < 11;
    request.authorization = message[field::authorization];
    request.if_none_match = message[field::if_none_match];
    request.origin = session.origin;
    request.body = message.body();
    return request;
  }

  asio::awaitable<bool> handle(Session& session, Request request, Framing framing) {
    auto now = steady_now().time_since_epoch();
    bool with_token = session.origin == Origin::tcp && !bearer(request.authorization).empty();
    unsigned wait = with_token ? failures_.wait(session.address, now) : 0;
    if (wait > 0) {
      Response refusal = problem(429, "too many wrong tokens from this address; wait a minute");
      refusal.headers.emplace_back("Retry-After", std::to_string(wait));
      co_return co_await send(session, std::move(refusal), framing);
    }
    auto admission = admit(request, policy_);
    if (auto* refusal = std::get_if<Response>(&admission)) {
      if (refusal->status == 401 && with_token) failures_.failed(session.address, now);
      co_return co_await send(session, std::move(*refusal), framing);
    }
    auto outcome = decide(request, std::get<Admitted>(admission));
    if (auto* call = std::get_if<MaintenanceCall>(&outcome)) outcome = maintain(*call);
    if (auto* response = std::get_if<Response>(&outcome))
      co_return co_await send(session, std::move(*response), framing);
    if (auto* call = std::get_if<ReadingsCall>(&outcome))
      co_return co_await history<ReadingsText>(session, std::move(*call), framing);
    if (auto* call = std::get_if<AggregatesCall>(&outcome))
      co_return co_await history<AggregatesText>(session, std::move(*call), framing);
    if (auto* call = std::get_if<EventsCall>(&outcome))
      co_return co_await happenings(session, std::move(*call), framing);
    co_return co_await events(session, framing);
  }

  Outcome maintain(const MaintenanceCall& call) {
    if (!options_.maintain) return problem(503, "the gateway is not ready for that; try again");
    options_.maintain(call);
    const Snapshot now = snapshot_();
    const SensorNow* sensor = find_sensor(now, call.sensor);
    if (sensor == nullptr) return problem(404, "there is no sensor of that id");
    Response response;
    response.content_type = "application/json";
    response.body = sensor_document(now, *sensor);
    return response;
  }

  Outcome decide(const Request& request, const Admitted& admitted) {
    Snapshot snapshot = snapshot_();
    snapshot.http = counts_;
    snapshot.http.connections = sessions_.size();
    snapshot.http.streams = streams_;
    zone_ = snapshot.gateway.zone;
    return answer(request, admitted, snapshot);
  }

  // ---- writing -----------------------------------------------------------------------------
  // Writes in slices, each within the write deadline. `first` goes out with the first slice.
  asio::awaitable<bool> write(Session& session, std::string_view first, std::string_view rest) {
    auto token = asio::as_tuple(asio::use_awaitable);
    while (!first.empty() || !rest.empty()) {
      std::string_view slice = rest.substr(0, kSlice);
      std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(slice)};
      session.stream.expires_after(limits_.write);
      auto written = co_await asio::async_write(session.stream, buffers, token);
      if (std::get<0>(written)) co_return false;
      first = {};
      rest.remove_prefix(slice.size());
    }
    session.stream.expires_never();
    co_return true;
  }

  asio::awaitable<bool> send(Session& session, Response response, Framing framing) {
    ++counts_.responses[response.status];
    std::string_view content = response.content();
    std::string length;
    if (response.status != 304)
      length = "Content-Length: " + std::to_string(content.size()) + "\r\n";
    std::string first = response_head(response, framing, length);
    if (framing.head_only || response.status == 304) content = {};
    co_return co_await write(session, first, content);
  }

  // ---- history -----------------------------------------------------------------------------
  asio::awaitable<Result<ReadingPage>> fetch(ReadingQuery query) {
    return queries_.readings(std::move(query));
  }
  asio::awaitable<Result<AggregatePage>> fetch(AggregateQuery query) {
    return queries_.aggregates(std::move(query));
  }

  // One chunk of a body whose length is not known; HTTP/1.0 ends it by closing.
  asio::awaitable<bool> write_piece(Session& session, std::string_view before, std::string piece,
                                    bool final, bool chunked) {
    std::string first(before);
    if (chunked && !piece.empty()) {
      char size[20];
      auto end = std::to_chars(size, size + sizeof size, piece.size(), 16).ptr;
      first.append(size, end).append("\r\n");
      piece += "\r\n";
    }
    if (chunked && final) piece += "0\r\n\r\n";
    co_return co_await write(session, first, piece);
  }

  // Asks the store page by page and writes each page before it asks for the next. A failure in the
  // middle cuts the connection: the last chunk is missing, so the client knows.
  template <class Text, class Call>
  asio::awaitable<bool> history(Session& session, Call call, Framing framing) {
    if (running_queries_ >= limits_.queries) {
      Response busy = problem(503, "too many history requests at the same time; try again");
      busy.headers.emplace_back("Retry-After", "1");
      co_return co_await send(session, std::move(busy), framing);
    }
    Counted running(running_queries_);
    bool chunked = !framing.http10;
    if (!chunked) framing.keep_alive = false;
    Response ok;
    ok.content_type = content_type(call.format);
    if (framing.head_only) {
      std::string none =
          response_head(ok, framing, chunked ? "Transfer-Encoding: chunked\r\n" : "");
      ++counts_.responses[200];
      co_return co_await write(session, none, {});
    }
    Text text(call, zone_);
    std::size_t left = call.limit == 0 ? SIZE_MAX : call.limit;
    std::string next = call.query.after;
    std::string before;
    for (bool begun = false, final = false; !final; begun = true) {
      auto query = call.query;
      query.limit = std::min(kPageRows, left);
      query.after = next;
      auto page = co_await fetch(std::move(query));
      if (!page && !begun) {
        Response refusal = query_problem(page.error());
        co_return co_await send(session, std::move(refusal), framing);
      }
      if (!page) {
        spdlog::warn("http: a history request broke off: {}", page.error().what);
        co_return false;
      }
      left -= std::min(left, page->rows.size());
      bool stuck = page->rows.empty() && page->next == next;
      next = stuck ? "" : page->next;
      final = next.empty() || left == 0;
      std::string piece;
      if (!begun) {
        ++counts_.responses[200];
        before = response_head(ok, framing, chunked ? "Transfer-Encoding: chunked\r\n" : "");
        piece = text.begin();
      }
      piece += text.rows(*page);
      if (final) piece += text.end(next);
      bool sent = co_await write_piece(session, before, std::move(piece), final, chunked);
      if (!sent) co_return false;
      before.clear();
    }
    co_return framing.keep_alive;
  }

  asio::awaitable<bool> happenings(Session& session, EventsCall call, Framing framing) {
    if (running_queries_ >= limits_.queries) {
      Response busy = problem(503, "too many history requests at the same time; try again");
      busy.headers.emplace_back("Retry-After", "1");
      co_return co_await send(session, std::move(busy), framing);
    }
    Counted running(running_queries_);
    auto page = co_await queries_.events(std::move(call.query));
    Response response = page ? events_response(*page) : query_problem(page.error());
    co_return co_await send(session, std::move(response), framing);
  }

  // ---- server-sent events ------------------------------------------------------------------
  // One snapshot a tick for all streams.
  std::shared_ptr<const Snapshot> shared_snapshot() {
    auto now = steady_now();
    if (!recent_ || now - recent_at_ >= limits_.tick / 2) {
      recent_ = std::make_shared<const Snapshot>(snapshot_());
      recent_at_ = now;
    }
    return recent_;
  }

  asio::awaitable<bool> events(Session& session, Framing framing) {
    if (streams_ >= limits_.streams) {
      Response busy = problem(503, "all event streams are in use; try again later");
      busy.headers.emplace_back("Retry-After", "15");
      co_return co_await send(session, std::move(busy), framing);
    }
    ++counts_.responses[200];
    framing.keep_alive = false;
    Response ok;
    ok.content_type = "text/event-stream";
    std::string first = response_head(ok, framing, "X-Accel-Buffering: no\r\n");
    if (framing.head_only) co_return co_await write(session, first, {});
    Counted streaming(streams_);
    bool open = co_await write(session, first, "retry: 3000\n\n");
    Feed feed(limits_.heartbeat, steady_now());
    for (std::uint64_t turn = 1; open && !stopped_ && !peer_gone(session.stream); ++turn) {
      std::uint64_t version = version_ ? version_() : turn;
      auto now = steady_now();
      bool wanted = feed.wants_snapshot(version, now);
      feed.look(wanted ? shared_snapshot() : nullptr, version, now);
      for (std::string piece = feed.next(kSlice); open && !piece.empty(); piece = feed.next(kSlice))
        open = co_await write(session, piece, {});
      if (open) co_await sleep_for(limits_.tick);
    }
    if (streams_ == 1) recent_.reset();  // we are the last
    co_return false;
  }

  // ---- the end -----------------------------------------------------------------------------
  // Closing with unread bytes would reset the connection and could take the answer away from the
  // client: say that we are done, and read a little of what is still coming.
  static asio::awaitable<void> linger(Session& session) {
    auto token = asio::as_tuple(asio::use_awaitable);
    error_code error;
    session.stream.socket().shutdown(asio::socket_base::shutdown_send, error);
    if (error) co_return;
    session.reading = true;
    session.stream.expires_after(kLinger);
    std::array<char, 1024> sink;
    for (std::size_t total = 0; total < kLingerBytes;) {
      auto space = asio::buffer(sink);
      auto got = co_await session.stream.async_read_some(space, token);
      if (std::get<0>(got)) break;
      total += std::get<1>(got);
    }
    session.stream.close();
  }

  struct Counted {
    explicit Counted(std::size_t& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& count_;
  };

  // Takes a session off the list when its coroutine ends, however it ends.
  struct Leaving {
    Leaving(Impl& impl, SessionPtr session) : impl_(impl), session_(std::move(session)) {}
    ~Leaving() { impl_.sessions_.remove(session_); }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    Impl& impl_;
    SessionPtr session_;
  };

  asio::any_io_executor executor_;
  Options options_;
  Limits limits_;
  Policy policy_;
  std::function<Snapshot()> snapshot_;
  std::function<std::uint64_t()> version_;
  Queries& queries_;

  AcceptorPtr tcp_, control_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
  std::list<SessionPtr> sessions_;  // oldest first
  FailureLimit failures_;
  HttpNow counts_;
  Zone zone_;
  std::size_t streams_ = 0, running_queries_ = 0;
  std::shared_ptr<const Snapshot> recent_;
  SteadyTime recent_at_;
};

Server::Server(asio::any_io_executor executor, Options options, std::function<Snapshot()> snapshot,
               std::function<std::uint64_t()> version, Queries& queries)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options), std::move(snapshot),
                                   std::move(version), queries)) {}

Server::~Server() {
  stop();
}

Result<void> Server::run() {
  return impl_->run();
}

void Server::stop() {
  impl_->stop();
}

std::uint16_t Server::port() const {
  return impl_->port();
}

}  // namespace gerbang::http
