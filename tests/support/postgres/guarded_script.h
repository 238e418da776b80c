#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_GUARDED_SCRIPT_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_GUARDED_SCRIPT_H_

#include <string>
#include <vector>

namespace rapport::sql::testing {

// Runs a command to its end; its exit code. What it prints goes to our standard error.
int RunScript(const std::vector<std::string>& words);

// A script that prints one line when what it has started is up, and takes all down again when its
// standard input ends: with this object, or with this process, however it dies. Aborts the test
// where no line comes.
class GuardedScript {
 public:
  explicit GuardedScript(const std::vector<std::string>& words);
  ~GuardedScript();
  GuardedScript(const GuardedScript&) = delete;
  GuardedScript& operator=(const GuardedScript&) = delete;

  const std::string& line() const { return line_; }

 private:
  int pid_ = -1;
  int input_ = -1;
  std::string line_;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_GUARDED_SCRIPT_H_
