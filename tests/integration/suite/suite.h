#ifndef RAPPORT_TESTS_INTEGRATION_SUITE_SUITE_H_
#define RAPPORT_TESTS_INTEGRATION_SUITE_SUITE_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/sql/database.h"
#include "tests/support/postgres/temp_dir.h"
#include "tools/rapportctl/grpc_caller.h"

namespace rapport::testing {

// What a process that ended left behind.
struct Ended {
  int exit_status = -1;    // -1: by a signal
  std::string error_text;  // its standard error
};

// The three real binaries on free loopback ports, with keys, clock and data in a folder of their
// own.
class Suite {
 public:
  explicit Suite(sql::Engine engine);
  ~Suite();  // kills what still runs

  static const std::vector<std::string>& Services();  // "scheduling", "assessment", "notes"

  void StartAll();
  void Start(const std::string& service);
  void StartWith(const std::string& service, const std::vector<std::string>& arguments);
  // Starts another replica of `service` on its database (PostgreSQL), which is called `replica`
  // here, as "assessment-b"; where that one is.
  std::string StartReplica(const std::string& service, const std::string& replica);
  // Waits until its readiness is SERVING; fails the test after 30 s.
  void AwaitReady(const std::string& service);
  // SIGKILL.
  void Kill(const std::string& service);
  // SIGTERM; returns its exit status.
  int Terminate(const std::string& service);
  bool Runs(const std::string& service) const { return pids_.contains(service); }
  pid_t pid(const std::string& service) const { return pids_.at(service); }

  std::unique_ptr<ctl::GrpcCaller> NewCaller(absl::Duration patience = absl::Seconds(20)) const;
  std::string clock_file() const { return dir_.File("clock"); }
  std::string keys_dir() const { return dir_.File("keys"); }
  const ctl::Targets& targets() const { return targets_; }
  std::string LogOf(const std::string& service) const;
  int health_port(const std::string& service) const { return health_ports_.at(service); }

  // The arguments that `service` is started with; the first is its binary.
  std::vector<std::string> Arguments(const std::string& service) const;

 private:
  TempDir dir_;
  const sql::Engine engine_;
  ctl::Targets targets_;
  std::map<std::string, int> ports_;
  std::map<std::string, int> health_ports_;
  std::map<std::string, std::vector<std::string>> database_flags_;
  std::map<std::string, pid_t> pids_;
};

// Runs a program to its end (killed after 30 s).
Ended RunToEnd(const std::vector<std::string>& arguments);

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_INTEGRATION_SUITE_SUITE_H_
