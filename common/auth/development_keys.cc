#include "common/auth/development_keys.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/auth/signer.h"
#include "common/errors/status_macros.h"

namespace rapport::auth {
namespace {

struct NewFile {
  std::string name;
  mode_t mode;
  std::string content;
};

absl::Status WriteNew(const std::string& path, mode_t mode, absl::string_view content) {
  const auto failed = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("can't write '", path, "': ", std::strerror(errno)));
  };
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return failed();
  while (!content.empty()) {
    const ssize_t count = write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      absl::Status status = failed();
      close(file);
      return status;
    }
    content.remove_prefix(static_cast<size_t>(count));
  }
  return close(file) == 0 ? absl::OkStatus() : failed();
}

std::string RandomHexLine() {
  std::string bytes(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) !=
      1) {
    std::abort();
  }
  return absl::StrCat(absl::BytesToHexString(bytes), "\n");
}

}  // namespace

absl::Status WriteDevelopmentKeys(absl::string_view directory) {
  std::vector<NewFile> files;
  std::vector<std::string> jwks;
  const auto user = TokenSigner::Generate(Algorithm::kEdDsa);
  files.push_back({"user.pem", 0600, user->PrivatePem()});
  jwks.push_back(user->PublicJwk("", /*development=*/true));
  for (absl::string_view service : {"scheduling", "assessment", "notes"}) {
    const auto signer = TokenSigner::Generate(Algorithm::kEdDsa);
    files.push_back({absl::StrCat("service-", service, ".pem"), 0600, signer->PrivatePem()});
    jwks.push_back(signer->PublicJwk(service, /*development=*/true));
  }
  std::vector<std::string> audit_jwks;
  for (absl::string_view service : {"scheduling", "assessment", "notes"}) {
    const auto signer = TokenSigner::Generate(Algorithm::kEdDsa);
    files.push_back({absl::StrCat("audit-", service, ".pem"), 0600, signer->PrivatePem()});
    audit_jwks.push_back(signer->PublicJwk(service, /*development=*/true));
  }
  files.push_back({"audit-jwks.json", 0644,
                   absl::StrCat("{\"keys\":[\n", absl::StrJoin(audit_jwks, ",\n"), "\n]}\n")});
  files.push_back({"integrity.key", 0600, RandomHexLine()});
  for (const absl::string_view service : {"assessment", "notes"}) {
    files.push_back({absl::StrCat("encryption-", service, "/1.key"), 0600, RandomHexLine()});
  }
  files.push_back(
      {"jwks.json", 0644, absl::StrCat("{\"keys\":[\n", absl::StrJoin(jwks, ",\n"), "\n]}\n")});

  std::error_code error;
  const std::filesystem::path folder{std::string(directory)};
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("can't make the directory '", directory, "': ", error.message()));
  }
  for (const NewFile& file : files) {
    if (std::filesystem::exists(std::filesystem::symlink_status(folder / file.name, error))) {
      return absl::AlreadyExistsError(
          absl::StrCat("'", (folder / file.name).string(),
                       "' exists; remove it, or name another directory for the keys"));
    }
  }
  for (const NewFile& file : files) {
    std::filesystem::create_directories((folder / file.name).parent_path(), error);
    RETURN_IF_ERROR(WriteNew((folder / file.name).string(), file.mode, file.content));
  }
  return absl::OkStatus();
}

}  // namespace rapport::auth
