#include "tests/support/postgres/guarded_script.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace rapport::sql::testing {
namespace {

std::vector<char*> Arguments(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

[[noreturn]] void Die(const std::vector<std::string>& words) {
  std::fprintf(stderr, "%s did not start; see above\n", words[0].c_str());
  std::abort();
}

}  // namespace

int RunScript(const std::vector<std::string>& words) {
  const std::vector<char*> arguments = Arguments(words);
  const pid_t child = fork();
  if (child < 0) Die(words);
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

GuardedScript::GuardedScript(const std::vector<std::string>& words) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) Die(words);
  const std::vector<char*> arguments = Arguments(words);
  pid_ = fork();
  if (pid_ < 0) Die(words);
  if (pid_ == 0) {
    setsid();  // a Ctrl-C for the test must not reach the script before the pipe ends
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  for (char next; read(out[0], &next, 1) == 1 && next != '\n';) line_.push_back(next);
  close(out[0]);
  if (line_.empty()) Die(words);
}

GuardedScript::~GuardedScript() {
  close(input_);
  waitpid(pid_, nullptr, 0);
}

}  // namespace rapport::sql::testing
