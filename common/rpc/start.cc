#include "common/rpc/start.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/errors/status_macros.h"

namespace rapport::rpc {
namespace {

// What a value of the flag looks like.
absl::string_view Form(const absl::CommandLineFlag& flag) {
  if (flag.IsOfType<bool>()) return "true or false";
  if (flag.IsOfType<int>()) return "a whole number";
  if (flag.IsOfType<double>()) return "a number";
  if (flag.IsOfType<absl::Duration>()) return "a duration with its unit, as 500ms, 20s or 5m";
  return "text";
}

absl::Status Set(absl::CommandLineFlag& flag, absl::string_view value, absl::string_view from) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(from, " can not be '", value, "': it takes ", Form(flag), ". ", flag.Help()));
}

// Those of the flags library itself.
bool IsOfLibrary(absl::string_view name) {
  return name == "flagfile" || name == "fromenv" || name == "tryfromenv" || name == "undefok" ||
         name == "version" || name == "only_check_args" || absl::StartsWith(name, "help");
}

absl::Status NotListening(absl::string_view flag, absl::string_view address,
                          absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " ", address, " can not be listened on: ", why));
}

}  // namespace

absl::Status SetFlags(int argc, char** argv) {
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    const std::string variable = absl::StrCat("RAPPORT_", absl::AsciiStrToUpper(name));
    if (const char* value = std::getenv(variable.c_str()); value != nullptr) {
      RETURN_IF_ERROR(Set(*flag, value, absl::StrCat("the environment variable ", variable)));
    }
  }
  for (int i = 1; i < argc; ++i) {
    absl::string_view name = argv[i];
    if (name == "--") break;
    if (!absl::ConsumePrefix(&name, "-")) continue;
    absl::ConsumePrefix(&name, "-");
    const size_t equals = name.find('=');
    const bool has_value = equals != absl::string_view::npos;
    const absl::string_view value = has_value ? name.substr(equals + 1) : absl::string_view();
    name = name.substr(0, equals);
    if (IsOfLibrary(name)) continue;
    absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    absl::string_view positive = name;
    const bool negated = flag == nullptr && !has_value && absl::ConsumePrefix(&positive, "no") &&
                         absl::FindCommandLineFlag(positive) != nullptr;
    if (flag == nullptr && !negated) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no flag --", name, "; --help lists those that there are"));
    }
    if (has_value) RETURN_IF_ERROR(Set(*flag, value, absl::StrCat("--", name)));
  }
  return absl::OkStatus();
}

absl::Status CheckListen(absl::string_view flag, const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return NotListening(flag, address,
                        "it is not host:port, as 127.0.0.1:7401, or 0.0.0.0:7401 for all of this "
                        "machine's addresses");
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* raw = nullptr;
  const int unknown = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &raw);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, [](addrinfo* list) {
    if (list != nullptr) freeaddrinfo(list);
  });
  if (unknown != 0) return NotListening(flag, address, gai_strerror(unknown));
  std::string why;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    const int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    const bool bound =
        fd >= 0 && bind(fd, one->ai_addr, one->ai_addrlen) == 0 && listen(fd, 1) == 0;
    why = std::strerror(errno);
    if (fd >= 0) close(fd);
    if (bound) return absl::OkStatus();
  }
  return NotListening(flag, address, why);
}

absl::Status CheckRange(absl::string_view flag, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " must be from ", least, " to ", most, ", not ", value));
}

absl::Status CheckReadable(absl::string_view flag, const std::string& path) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " ", path, " can not be read: ", std::strerror(errno)));
}

}  // namespace rapport::rpc
