#ifndef RAPPORT_COMMON_AUTH_INTEGRITY_H_
#define RAPPORT_COMMON_AUTH_INTEGRITY_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport::auth {

// SHA-256 of `bytes`: 32 bytes, not hex.
std::string Sha256(absl::string_view bytes);

// Base64url without padding (RFC 7515).
std::string Base64UrlEncode(absl::string_view bytes);
// Nothing unless `text` is just what Base64UrlEncode returns for some bytes.
std::optional<std::string> Base64UrlDecode(absl::string_view text);

// The secret with which the replicas of a service authenticate what they hand out and take back:
// page tokens, cursors, cache values, fingerprints of requests. HMAC-SHA256; each use names its
// purpose ("page_token"), so that what was made for one is worthless for another. Immutable,
// thread-safe.
//
// The file has one or two lines of 64 hex digits. The first key signs, both verify: to change it,
// put the new one second everywhere, then first, then drop the old.
class IntegrityKey {
 public:
  //   kInvalidArgument  no such file, or other content
  static absl::StatusOr<std::unique_ptr<IntegrityKey>> FromFile(absl::string_view path);
  static absl::StatusOr<std::unique_ptr<IntegrityKey>> Parse(absl::string_view text);

  // 32 bytes over `bytes`.
  std::string Mac(absl::string_view purpose, absl::string_view bytes) const;
  // Whether Mac() made `mac`, with either key. Compares in constant time.
  bool Verify(absl::string_view purpose, absl::string_view bytes, absl::string_view mac) const;

  // An opaque token (base64url) that carries `payload`, authenticated but not hidden, bound to
  // `purpose` and to `additional`, which is not in it: the arguments of a list, say.
  std::string Seal(absl::string_view purpose, absl::string_view additional,
                   absl::string_view payload) const;
  // The payload; nothing unless Seal() made `token` with the same purpose and additional data.
  std::optional<std::string> Open(absl::string_view purpose, absl::string_view additional,
                                  absl::string_view token) const;

 private:
  explicit IntegrityKey(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  std::vector<std::string> keys_;  // 32 bytes each
};

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_INTEGRITY_H_
