#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"

namespace rapport::sql::testing {

// Stands between a client and a server on loopback, in this process, and loses what it is told to
// lose. Thread-safe.
class TcpProxy {
 public:
  TcpProxy(std::string host, int port);
  ~TcpProxy();

  int port() const { return port_; }

  // The next connection on which the client sends `text` passes it on, waits for the server's
  // answer, drops that and closes both ends. Once.
  void LoseAnswerTo(const std::string& text);
  int lost() const { return lost_; }

  // From here to Heal nothing goes through, that way or both ways; connections stay, new ones too,
  // and what was sent meanwhile arrives after it.
  enum class Way { kRequests, kAnswers, kBoth };
  void Stall(Way way);
  void Heal();
  // Closes every connection at once.
  void Cut();
  // After so many more bytes of answers closes the connection that they came on. Once.
  void CutWithinAnswer(int64_t bytes);
  // Once, when a client next sends `text`, and before that goes on: calls `act`, and stalls
  // requests.
  void StallAt(const std::string& text, std::function<void()> act);

 private:
  struct Link {
    int client = -1;
    int server = -1;
    std::thread thread;
  };

  void Accept();
  void Run(Link& link);
  bool Doomed(const char* data, size_t size);
  void LookForTrap(const char* data, size_t size);
  // How many of `size` bytes of an answer may pass.
  size_t Allowed(size_t size);

  const std::string host_;
  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> lost_{0};
  std::atomic<bool> requests_stalled_{false};
  std::atomic<bool> answers_stalled_{false};
  Mutex mutex_;
  std::string doom_ ABSL_GUARDED_BY(mutex_);
  std::string trap_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> act_ ABSL_GUARDED_BY(mutex_);
  int64_t allowed_ ABSL_GUARDED_BY(mutex_) = -1;  // bytes until a cut; -1: no cut
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_
