#ifndef RAPPORT_TOOLS_RAPPORTCTL_BULK_CHECKSUM_H_
#define RAPPORT_TOOLS_RAPPORTCTL_BULK_CHECKSUM_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace rapport::ctl {

// SHA-256 of what comes piece by piece.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void Add(absl::string_view bytes);
  // Of all so far, as 64 hex digits; more can be added after.
  std::string Hex() const;

 private:
  evp_md_ctx_st* const context_;
};

struct FileSum {
  int64_t bytes = 0;
  int64_t lines = 0;
  std::string sha256;  // hex
};

// Of the file at `path`, or of its first `bytes`. NOT_FOUND: it can not be read, or is shorter.
absl::StatusOr<FileSum> SumFile(const std::string& path, int64_t bytes = -1);

// Replaces the file at `path` in one step, readable by its owner alone.
absl::Status WriteFile(const std::string& path, absl::string_view text);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_BULK_CHECKSUM_H_
