// SPDX-License-Identifier: Apache-2.0
#include "support/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace gerbang::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int tcp() {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

}  // namespace

Proxy::Proxy(int target) : target_(target), listener_(tcp()), port_(0) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, length) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, generic, &length) != 0)
    throw std::runtime_error("no port for the proxy");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

Proxy::~Proxy() {
  over_ = true;
  thread_.join();
  close(listener_);
}

void Proxy::serve() {
  std::vector<pollfd> ends;  // the listener, then the two ends of each connection side by side
  ends.push_back({listener_, POLLIN, 0});
  auto drop = [&](std::size_t pair) {
    close(ends[pair].fd);
    close(ends[pair + 1].fd);
    auto first = ends.begin() + static_cast<std::ptrdiff_t>(pair);
    ends.erase(first, first + 2);
  };
  std::vector<char> buffer(64 << 10);
  while (!over_) {
    poll(ends.data(), ends.size(), 10);
    bool caller = ends[0].revents != 0;
    if (cut_.exchange(false))
      while (ends.size() > 1) drop(1);
    for (std::size_t pair = 1; pair < ends.size();) {
      bool broken = false;
      for (std::size_t from : {pair, pair + 1}) {
        if (broken || ends[from].revents == 0) continue;
        ssize_t got = recv(ends[from].fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        auto size = static_cast<std::size_t>(got);
        int to = ends[from == pair ? pair + 1 : pair].fd;
        if (got <= 0)
          broken = true;
        else if (swallow_)
          swallowed_ += size;
        else
          broken = send(to, buffer.data(), size, MSG_NOSIGNAL) != got;
      }
      if (broken)
        drop(pair);
      else
        pair += 2;
    }
    if (!caller) continue;
    int client = accept(listener_, nullptr, nullptr), server = tcp();
    sockaddr_in address = loopback(target_);
    if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(server);
      continue;
    }
    ends.push_back({client, POLLIN, 0});
    ends.push_back({server, POLLIN, 0});
  }
  while (ends.size() > 1) drop(1);
}

}  // namespace gerbang::test
