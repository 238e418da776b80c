#ifndef RAPPORT_TESTS_SUPPORT_NAMESPACES_INSIDE_H_
#define RAPPORT_TESTS_SUPPORT_NAMESPACES_INSIDE_H_

#include <string>

namespace rapport::testing {

// Where a part of a test runs.
enum class Where {
  kOutside,  // here: the test has been run inside of its namespaces already, or was skipped
  kInside,
};

// Runs the current test again, in a process with a mount and a network namespace of its own, as
// root or as root of a user namespace, and takes over how it ended. Inside, the answer is kInside:
// there nothing is mounted, or sent, that anybody else sees. Where the machine forbids namespaces,
// the test is skipped and says so. `as_root`: real root is needed, as the test runs programs as
// other users.
//
//   if (Isolate() == Where::kOutside) return;
Where Isolate(bool as_root = false);

// Inside: a file system of `megabytes` in memory at a folder that it makes; everybody may write.
// The folder is empty again afterwards, for the outside to remove.
void MountSmallDisk(const std::string& folder, int megabytes);

// Fills the disk that `folder` is on, to the last byte. Returns the file that does it, to remove.
std::string FillDisk(const std::string& folder);

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_SUPPORT_NAMESPACES_INSIDE_H_
