#ifndef RAPPORT_COMMON_RPC_START_H_
#define RAPPORT_COMMON_RPC_START_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// What makes a service that can't start say why in one line: which flag, what is wrong with it,
// what would be right.
namespace rapport::rpc {

// Sets the flags from the environment (RAPPORT_JWKS_FILE sets --jwks_file), then from the command
// line, which wins. absl::ParseCommandLine comes after it and finds nothing wrong with a flag.
//   kInvalidArgument  no such flag, or no value for it
absl::Status SetFlags(int argc, char** argv);

// Whether `address`, the value of `flag`, can be listened on.
//   kInvalidArgument  not host:port, in use, or not of this machine
absl::Status CheckListen(absl::string_view flag, const std::string& address);

//   kInvalidArgument  `value` of `flag` is not from `least` to `most`
absl::Status CheckRange(absl::string_view flag, int64_t value, int64_t least, int64_t most);

//   kInvalidArgument  `path`, the value of `flag`, is given and can't be read
absl::Status CheckReadable(absl::string_view flag, const std::string& path);

// `result`; an error of it begins with the flag that caused it.
template <class T>
absl::StatusOr<T> For(absl::string_view flag, absl::StatusOr<T> result) {
  if (result.ok()) return result;
  return absl::Status(result.status().code(),
                      absl::StrCat("--", flag, ": ", result.status().message()));
}

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_START_H_
