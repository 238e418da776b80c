#include "tests/support/namespaces/network.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/postgres/guarded_script.h"

namespace rapport::testing {
namespace {

// A process that keeps a network namespace of its own and dies with this one.
pid_t Hold() {
  int ready[2];
  if (pipe(ready) != 0) return -1;
  const pid_t holder = fork();
  if (holder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char made = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
    if (write(ready[1], &made, 1) != 1 || made == 'n') _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  char made = 'n';
  if (read(ready[0], &made, 1) != 1) made = 'n';
  close(ready[0]);
  EXPECT_EQ(made, 'y') << "no network namespace";
  return holder;
}

std::string Device(int to) { return absl::StrCat("to", to); }

}  // namespace

std::string Network::Ip() {
  for (const char* path : {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return "";
}

Network::Network(int hosts) {
  holders_.push_back(0);
  for (int host = 1; host < hosts; ++host) holders_.push_back(Hold());
  for (int host = 0; host < hosts; ++host) Do(host, "link set lo up");
  for (int one = 0; one < hosts; ++one) {
    for (int other = one + 1; other < hosts; ++other) {
      Do(one, absl::StrCat("link add ", Device(other), " type veth peer name ", Device(one),
                           " netns ", holders_[other]));
      for (const auto& [at, to] : {std::pair(one, other), std::pair(other, one)}) {
        Do(at, absl::StrCat("addr add ", Address(to, at), "/30 dev ", Device(to)));
        Do(at, absl::StrCat("link set ", Device(to), " up"));
      }
    }
  }
}

Network::~Network() {
  for (const pid_t holder : holders_) {
    if (holder <= 0) continue;
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
  }
}

// The cable of hosts 1 and 2 is 10.66.18.0/30.
std::string Network::Address(int from, int host) const {
  const int low = std::min(from, host), high = std::max(from, host);
  return absl::StrCat("10.66.", low * 16 + high, ".", host == low ? 1 : 2);
}

std::vector<std::string> Network::On(int host) const {
  if (holders_[host] == 0) return {};
  return {"/usr/bin/nsenter", absl::StrCat("--net=/proc/", holders_[host], "/ns/net")};
}

void Network::Do(int host, const std::string& words) const {
  std::vector<std::string> command = On(host);
  command.push_back(Ip());
  for (absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
  ASSERT_EQ(sql::testing::RunScript(command), 0) << "ip " << words;
}

// The frames go to nobody.
void Network::Lose(int from, int to) {
  Do(from, absl::StrCat("neigh replace ", Address(from, to),
                        " lladdr 02:00:00:00:66:66 nud permanent dev ", Device(to)));
  losses_.push_back({from, to});
}

void Network::Heal() {
  for (const auto& [from, to] : losses_) {
    Do(from, absl::StrCat("neigh del ", Address(from, to), " dev ", Device(to)));
  }
  losses_.clear();
}

}  // namespace rapport::testing
