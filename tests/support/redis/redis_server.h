#ifndef RAPPORT_TESTS_SUPPORT_REDIS_REDIS_SERVER_H_
#define RAPPORT_TESTS_SUPPORT_REDIS_REDIS_SERVER_H_

#include <sys/types.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/postgres/temp_dir.h"

namespace rapport::testing {

// A Redis of Debian's on a socket of its own, without a file, that ends with this process. Aborts
// the test where it can't be had.
class RedisServer {
 public:
  // `arguments` as of redis-server's command line, beside those that are needed.
  explicit RedisServer(std::vector<std::string> arguments = {});
  ~RedisServer();

  // "unix:/…".
  std::string address() const { return "unix:" + socket(); }
  std::string socket() const { return dir_.File("redis.sock"); }

  // Runs while it answers.
  void Start();
  void Kill();
  void Freeze();
  void Thaw();

  // Runs a command and returns its reply as text: a string, a number, the words of an array apart
  // by spaces, an error after "-", "" for nothing.
  std::string Do(const std::vector<std::string>& command);
  std::vector<std::string> Keys(const std::string& pattern = "*");

 private:
  TempDir dir_;
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  std::string password_;
};

// Passes everything on between a socket of its own and another one, each piece after a delay.
class SlowSocket {
 public:
  SlowSocket(std::string to, int delay_millis);
  ~SlowSocket();

  std::string address() const { return "unix:" + dir_.File("slow.sock"); }

 private:
  void Pass(int from, int to);

  TempDir dir_;
  const std::string to_;
  const int delay_millis_;
  int listening_ = -1;
  int stop_[2] = {-1, -1};
  std::thread acceptor_;
};

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_SUPPORT_REDIS_REDIS_SERVER_H_
