#include "tests/support/postgres/tcp_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"

namespace rapport::sql::testing {
namespace {

sockaddr_in Address(const std::string& host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool SendAll(int to, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(std::string host, int port) : host_(std::move(host)), server_port_(port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Address("127.0.0.1", 0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("proxy");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
  MutexLock lock(mutex_);
  for (Link& link : links_) {
    shutdown(link.client, SHUT_RDWR);
    shutdown(link.server, SHUT_RDWR);
    link.thread.join();
    close(link.client);
    close(link.server);
  }
}

void TcpProxy::LoseAnswerTo(const std::string& text) {
  MutexLock lock(mutex_);
  doom_ = text;
}

bool TcpProxy::Doomed(const char* data, size_t size) {
  MutexLock lock(mutex_);
  if (doom_.empty() || !absl::StrContains(absl::string_view(data, size), doom_)) return false;
  doom_.clear();
  return true;
}

void TcpProxy::Accept() {
  while (!stopping_) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Address(host_, server_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(client);
      close(server);
      continue;
    }
    MutexLock lock(mutex_);
    Link& link = links_.emplace_back();
    link.client = client;
    link.server = server;
    link.thread = std::thread([this, &link] { Run(link); });
  }
}

void TcpProxy::Run(Link& link) {
  char data[65536];
  bool doomed = false;
  for (;;) {
    pollfd ends[] = {{link.client, POLLIN, 0}, {link.server, POLLIN, 0}};
    if (poll(ends, 2, -1) < 0) break;
    if (ends[0].revents != 0) {
      const ssize_t size = recv(link.client, data, sizeof data, 0);
      if (size <= 0) break;
      doomed = doomed || Doomed(data, static_cast<size_t>(size));
      if (!SendAll(link.server, data, static_cast<size_t>(size))) break;
    }
    if (ends[1].revents != 0) {
      const ssize_t size = recv(link.server, data, sizeof data, 0);
      if (size <= 0) break;
      if (doomed) {
        ++lost_;
        break;
      }
      if (!SendAll(link.client, data, static_cast<size_t>(size))) break;
    }
  }
  shutdown(link.client, SHUT_RDWR);
  shutdown(link.server, SHUT_RDWR);
}

}  // namespace rapport::sql::testing
