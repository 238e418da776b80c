#include "tests/support/redis/redis_server.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace rapport::testing {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "Redis for tests: %s\n", what.c_str());
  std::abort();
}

std::string TextOf(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (size_t i = 0; i < reply.elements; ++i) {
        text += (i == 0 ? "" : " ") + TextOf(*reply.element[i]);
      }
      return text;
    }
    default:
      return std::string(reply.str == nullptr ? "" : reply.str,
                         reply.str == nullptr ? 0 : reply.len);
  }
}

sockaddr_un Named(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) Die("the path of a socket is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  signal(SIGPIPE, SIG_IGN);  // as a service does
  for (size_t i = 0; i + 1 < arguments_.size(); ++i) {
    if (arguments_[i] == "--requirepass") password_ = arguments_[i + 1];
  }
  Start();
}

RedisServer::~RedisServer() { Kill(); }

// The package redis-tools has the server itself, which acts by the name that it is called.
void RedisServer::Start() {
  std::vector<std::string> words = {"redis-server",
                                    "--port",
                                    "0",
                                    "--unixsocket",
                                    socket(),
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--dir",
                                    dir_.path(),
                                    "--logfile",
                                    dir_.File("redis.log")};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  pid_ = fork();
  if (pid_ < 0) Die("can't fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv("/usr/bin/redis-check-rdb", argv.data());
    _exit(127);
  }
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Do({"PING"}) != "PONG") {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      Die("it ended at once; deploy/packages/install test installs it (redis-tools)");
    }
    if (absl::Now() > deadline) Die("it does not answer");
    absl::SleepFor(absl::Milliseconds(2));
  }
}

void RedisServer::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  unlink(socket().c_str());
}

void RedisServer::Freeze() { kill(pid_, SIGSTOP); }
void RedisServer::Thaw() { kill(pid_, SIGCONT); }

std::string RedisServer::Do(const std::vector<std::string>& command) {
  const std::unique_ptr<redisContext, void (*)(redisContext*)> context(
      redisConnectUnix(socket().c_str()), redisFree);
  if (context == nullptr || context->err != 0) return "-no connection";
  const auto run = [&](const std::vector<std::string>& words) -> std::string {
    std::vector<const char*> argv;
    std::vector<size_t> sizes;
    for (const std::string& word : words) {
      argv.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(
        redisCommandArgv(context.get(), static_cast<int>(argv.size()), argv.data(), sizes.data()));
    if (reply == nullptr) return "-no reply";
    std::string text = TextOf(*reply);
    freeReplyObject(reply);
    return text;
  };
  if (!password_.empty()) run({"AUTH", password_});
  std::string text = run(command);
  // A new password goes for the next command.
  if (command.size() == 4 && command[1] == "SET" && command[2] == "requirepass") {
    password_ = command[3];
  }
  return text;
}

std::vector<std::string> RedisServer::Keys(const std::string& pattern) {
  return absl::StrSplit(Do({"KEYS", pattern}), ' ', absl::SkipEmpty());
}

SlowSocket::SlowSocket(std::string to, int delay_millis)
    : to_(std::move(to)), delay_millis_(delay_millis) {
  listening_ = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = Named(dir_.File("slow.sock"));
  if (bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listening_, 64) != 0 || pipe(stop_) != 0) {
    Die("can't listen");
  }
  acceptor_ = std::thread([this] {
    std::vector<std::thread> passers;
    std::vector<int> sockets;
    while (true) {
      pollfd waiting[] = {{listening_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
      if (poll(waiting, 2, -1) < 0 || waiting[1].revents != 0) break;
      const int client = accept(listening_, nullptr, nullptr);
      if (client < 0) continue;
      const int server = socket(AF_UNIX, SOCK_STREAM, 0);
      const sockaddr_un there = Named(to_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) != 0) {
        close(client);
        close(server);
        continue;
      }
      sockets.push_back(client);
      sockets.push_back(server);
      passers.emplace_back([this, client, server] { Pass(client, server); });
      passers.emplace_back([this, client, server] { Pass(server, client); });
    }
    for (const int socket : sockets) shutdown(socket, SHUT_RDWR);
    for (std::thread& passer : passers) passer.join();
    for (const int socket : sockets) close(socket);
  });
}

SlowSocket::~SlowSocket() {
  (void)!write(stop_[1], "x", 1);
  acceptor_.join();
  close(listening_);
  close(stop_[0]);
  close(stop_[1]);
}

void SlowSocket::Pass(int from, int to) {
  char piece[4096];
  while (true) {
    const ssize_t size = recv(from, piece, sizeof(piece), 0);
    if (size <= 0) break;
    absl::SleepFor(absl::Milliseconds(delay_millis_));
    if (send(to, piece, static_cast<size_t>(size), MSG_NOSIGNAL) != size) break;
  }
  shutdown(from, SHUT_RDWR);
  shutdown(to, SHUT_RDWR);
}

}  // namespace rapport::testing
