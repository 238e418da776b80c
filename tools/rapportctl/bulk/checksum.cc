#include "tools/rapportctl/bulk/checksum.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace rapport::ctl {

Checksum::Checksum() : context_(EVP_MD_CTX_new()) {
  if (EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) std::abort();
}

Checksum::~Checksum() { EVP_MD_CTX_free(context_); }

void Checksum::Add(absl::string_view bytes) {
  if (EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1) std::abort();
}

std::string Checksum::Hex() const {
  EVP_MD_CTX* const copy = EVP_MD_CTX_new();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_MD_CTX_copy_ex(copy, context_) != 1 || EVP_DigestFinal_ex(copy, digest, &size) != 1) {
    std::abort();
  }
  EVP_MD_CTX_free(copy);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

absl::StatusOr<FileSum> SumFile(const std::string& path, int64_t bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("can not read ", path));
  FileSum sum;
  Checksum checksum;
  std::vector<char> chunk(size_t{1} << 16);
  while (bytes < 0 || sum.bytes < bytes) {
    const int64_t most = static_cast<int64_t>(chunk.size());
    file.read(chunk.data(), bytes < 0 ? most : std::min(most, bytes - sum.bytes));
    const auto size = static_cast<size_t>(file.gcount());
    if (size == 0) break;
    checksum.Add({chunk.data(), size});
    sum.bytes += static_cast<int64_t>(size);
    sum.lines += std::count(chunk.data(), chunk.data() + size, '\n');
  }
  if (sum.bytes < bytes) return absl::NotFoundError(absl::StrCat(path, " is shorter than it was"));
  sum.sha256 = checksum.Hex();
  return sum;
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  const std::string next = path + ".next";
  const int file = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_t written = 0;
  while (file >= 0 && written < text.size()) {
    const ssize_t size = write(file, text.data() + written, text.size() - written);
    if (size < 0 && errno != EINTR) break;
    if (size > 0) written += static_cast<size_t>(size);
  }
  const bool whole = file >= 0 && written == text.size() && fsync(file) == 0;
  if (file >= 0) close(file);
  if (whole && std::rename(next.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("can not write ", path, ": ", std::strerror(errno)));
}

}  // namespace rapport::ctl
