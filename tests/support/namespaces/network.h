#ifndef RAPPORT_TESTS_SUPPORT_NAMESPACES_NETWORK_H_
#define RAPPORT_TESTS_SUPPORT_NAMESPACES_NETWORK_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace rapport::testing {

// Hosts with a network of their own each, every two joined by a cable. Inside of namespaces of the
// test's own (`Isolate`), which is host 0. All goes with this object.
class Network {
 public:
  // Fails the test where it can't be made.
  explicit Network(int hosts);
  ~Network();

  // What `ip` is called here; empty: there is none, and no network.
  static std::string Ip();

  // The address of `host` as `from` calls it.
  std::string Address(int from, int host) const;
  // The words to start a program on `host` with.
  std::vector<std::string> On(int host) const;

  // From here to Heal what `from` sends to `to` is lost, without a word to either.
  void Lose(int from, int to);
  void Heal();

 private:
  struct Loss {
    int from;
    int to;
  };
  void Do(int host, const std::string& words) const;

  std::vector<pid_t> holders_;  // by host; 0 for host 0
  std::vector<Loss> losses_;
};

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_SUPPORT_NAMESPACES_NETWORK_H_
