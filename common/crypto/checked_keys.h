#ifndef RAPPORT_COMMON_CRYPTO_CHECKED_KEYS_H_
#define RAPPORT_COMMON_CRYPTO_CHECKED_KEYS_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"

namespace rapport::crypto {

// The keys of another provider, which wrap nothing until they are found to be those that wrapped
// what the database holds: a process that was given others would make data keys that nobody else
// opens. Thread-safe.
class CheckedKeys : public KeyProvider {
 public:
  explicit CheckedKeys(std::shared_ptr<const KeyProvider> keys) : keys_(std::move(keys)) {}

  // Unwraps a few data keys of `database`; until one call was OK, Wrap is kUnavailable.
  //   kFailedPrecondition  these are other keys: none opens, or none that the active one wraps
  //   kUnavailable         the database or the keys can't be reached now
  absl::Status Check(sql::Database& database);

  std::string active_id() const override { return keys_->active_id(); }
  absl::StatusOr<std::string> Wrap(absl::string_view id, absl::string_view context,
                                   absl::string_view data_key) const override;
  absl::StatusOr<std::string> Unwrap(absl::string_view id, absl::string_view context,
                                     absl::string_view wrapped) const override;

 private:
  const std::shared_ptr<const KeyProvider> keys_;
  std::atomic<bool> checked_{false};
};

}  // namespace rapport::crypto

#endif  // RAPPORT_COMMON_CRYPTO_CHECKED_KEYS_H_
