#include "tests/support/namespaces/inside.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rapport::testing {
namespace {

constexpr char kMark[] = "RAPPORT_TEST_INSIDE";
constexpr char kUnshare[] = "/usr/bin/unshare";

// Runs a program that dies with this one; its exit code.
int Run(const std::vector<std::string>& words, bool silent) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (silent) {
      const int nothing = open("/dev/null", O_WRONLY);
      dup2(nothing, STDOUT_FILENO);
      dup2(nothing, STDERR_FILENO);
    }
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A new network has a loopback that is down.
void BringLoopbackUp() {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback = {};
  std::strcpy(loopback.ifr_name, "lo");
  EXPECT_EQ(ioctl(any, SIOCGIFFLAGS, &loopback), 0) << std::strerror(errno);
  loopback.ifr_flags |= IFF_UP;
  EXPECT_EQ(ioctl(any, SIOCSIFFLAGS, &loopback), 0) << std::strerror(errno);
  close(any);
}

}  // namespace

Where Isolate(bool as_root) {
  if (std::getenv(kMark) != nullptr) {
    BringLoopbackUp();
    return Where::kInside;
  }
  const auto outside = [as_root]() {
    if (as_root && geteuid() != 0) GTEST_SKIP() << "needs root, to run a server as its own user";
    std::vector<std::string> words = {kUnshare, "--mount", "--net"};
    if (geteuid() != 0) words.insert(words.end(), {"--user", "--map-root-user"});
    std::vector<std::string> probe = words;
    probe.push_back("/bin/true");
    if (Run(probe, true) != 0) GTEST_SKIP() << "this machine forbids namespaces of one's own";
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    words.insert(words.end(),
                 {std::filesystem::read_symlink("/proc/self/exe").string(),
                  absl::StrCat("--gtest_filter=", test->test_suite_name(), ".", test->name())});
    // A report that the outside was asked for is its own to write.
    unsetenv("GTEST_OUTPUT");
    setenv(kMark, "1", 1);
    const int ended = Run(words, false);
    unsetenv(kMark);
    EXPECT_EQ(ended, 0) << "see above what failed inside of the namespaces";
  };
  outside();
  return Where::kOutside;
}

void MountSmallDisk(const std::string& folder, int megabytes) {
  std::filesystem::create_directories(folder);
  ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << std::strerror(errno);
  ASSERT_EQ(mount("small", folder.c_str(), "tmpfs", 0,
                  absl::StrCat("mode=1777,size=", megabytes, "m").c_str()),
            0)
      << std::strerror(errno);
}

std::string FillDisk(const std::string& folder) {
  const std::string path = folder + "/ballast";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  EXPECT_GE(file, 0) << std::strerror(errno);
  const std::vector<char> block(1 << 20);
  // What others gave back meanwhile is taken too.
  for (size_t size = block.size(); size > 0;) {
    if (write(file, block.data(), size) <= 0) size /= 2;
  }
  EXPECT_EQ(errno, ENOSPC);
  close(file);
  return path;
}

}  // namespace rapport::testing
