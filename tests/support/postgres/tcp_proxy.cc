#include "tests/support/postgres/tcp_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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

void TcpProxy::Stall(Way way) {
  if (way != Way::kAnswers) requests_stalled_ = true;
  if (way != Way::kRequests) answers_stalled_ = true;
}

void TcpProxy::Heal() {
  requests_stalled_ = false;
  answers_stalled_ = false;
}

void TcpProxy::Cut() {
  MutexLock lock(mutex_);
  for (Link& link : links_) {
    shutdown(link.client, SHUT_RDWR);
    shutdown(link.server, SHUT_RDWR);
  }
}

void TcpProxy::CutWithinAnswer(int64_t bytes) {
  MutexLock lock(mutex_);
  allowed_ = bytes;
}

void TcpProxy::StallAt(const std::string& text, std::function<void()> act) {
  MutexLock lock(mutex_);
  trap_ = text;
  act_ = std::move(act);
}

void TcpProxy::LookForTrap(const char* data, size_t size) {
  std::function<void()> act;
  {
    MutexLock lock(mutex_);
    if (trap_.empty() || !absl::StrContains(absl::string_view(data, size), trap_)) return;
    trap_.clear();
    act = std::move(act_);
    requests_stalled_ = true;
  }
  act();
}

size_t TcpProxy::Allowed(size_t size) {
  MutexLock lock(mutex_);
  if (allowed_ < 0) return size;
  const size_t passes = std::min(size, static_cast<size_t>(allowed_));
  allowed_ = passes < size ? -1 : allowed_ - static_cast<int64_t>(passes);
  return passes;
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
  std::string held, held_back;  // read as a stall began, to go on after it
  for (;;) {
    const bool requests = !requests_stalled_, answers = !answers_stalled_;
    if (requests && !held.empty()) {
      if (!SendAll(link.server, held.data(), held.size())) break;
      held.clear();
    }
    if (answers && !held_back.empty()) {
      if (!SendAll(link.client, held_back.data(), held_back.size())) break;
      held_back.clear();
    }
    pollfd ends[] = {{requests ? link.client : -1, POLLIN, 0},
                     {answers ? link.server : -1, POLLIN, 0}};
    // Looks again while something is held up.
    if (poll(ends, 2, requests && answers ? 100 : 5) < 0 || stopping_) break;
    if (ends[0].revents != 0) {
      const ssize_t size = recv(link.client, data, sizeof data, 0);
      if (size <= 0) break;
      doomed = doomed || Doomed(data, static_cast<size_t>(size));
      LookForTrap(data, static_cast<size_t>(size));
      if (requests_stalled_) {
        held.append(data, static_cast<size_t>(size));
      } else if (!SendAll(link.server, data, static_cast<size_t>(size))) {
        break;
      }
    }
    if (ends[1].revents != 0) {
      const ssize_t size = recv(link.server, data, sizeof data, 0);
      if (size <= 0) break;
      if (doomed) {
        ++lost_;
        break;
      }
      if (answers_stalled_) {
        held_back.append(data, static_cast<size_t>(size));
        continue;
      }
      const size_t passes = Allowed(static_cast<size_t>(size));
      if (!SendAll(link.client, data, passes) || passes < static_cast<size_t>(size)) break;
    }
  }
  shutdown(link.client, SHUT_RDWR);
  shutdown(link.server, SHUT_RDWR);
}

}  // namespace rapport::sql::testing
