#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_

#include <atomic>
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

 private:
  struct Link {
    int client = -1;
    int server = -1;
    std::thread thread;
  };

  void Accept();
  void Run(Link& link);
  bool Doomed(const char* data, size_t size);

  const std::string host_;
  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> lost_{0};
  Mutex mutex_;
  std::string doom_ ABSL_GUARDED_BY(mutex_);
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_TCP_PROXY_H_
