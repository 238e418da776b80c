#ifndef RAPPORT_COMMON_CACHE_SEALER_H_
#define RAPPORT_COMMON_CACHE_SEALER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/integrity.h"

namespace rapport::cache {

// How old a value is: the version of its row, and the position of the event log up to which the
// snapshot that it was read in goes.
struct Stamp {
  int64_t version = 0;
  int64_t position = 0;
  absl::Time fill_time;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

struct Opened {
  Stamp stamp;
  std::string bytes;
};

// What Redis gets to see: keys that tell service, kind and tenant but no resource, and values that
// tell their stamp alone.
//
//   "R1" version(19 digits) position(19 digits) fill_time(16 digits, µs) | IV(16) | AES-256-CTR of
//   the bytes | HMAC-SHA256 over the key and all before
//
// The keys for both come from the integrity key that signs. The digits order as the numbers do, so
// that a script can tell which of two values is newer. Immutable, thread-safe.
class Sealer {
 public:
  // How many bytes of a sealed value order it: version and position.
  static constexpr size_t kOrder = 2 + 19 + 19;

  Sealer(std::shared_ptr<const auth::IntegrityKey> integrity, absl::string_view service);

  // "rapport:1:scheduling:course.1:{epoch}:acme:{hash of the name}".
  std::string Key(absl::string_view kind, absl::string_view epoch,
                  absl::string_view organization_id, absl::string_view name) const;

  std::string Seal(absl::string_view key, const Stamp& stamp, absl::string_view bytes) const;

  // Nothing unless Seal made `sealed` for `key`.
  std::optional<Opened> Open(absl::string_view key, absl::string_view sealed) const;

 private:
  const std::shared_ptr<const auth::IntegrityKey> integrity_;
  const std::string service_;
  const std::string cipher_key_;
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_SEALER_H_
