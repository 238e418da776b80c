#ifndef RAPPORT_COMMON_CRYPTO_VAULT_H_
#define RAPPORT_COMMON_CRYPTO_VAULT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

// Encryption at rest of what patients tell: an envelope of three layers.
//
//   key-encryption key   from a key provider, outside of the database; wraps
//   data key             one for each person (or the organisation itself), in the database; derives
//   message key          one for each sealed text, from the data key and a random salt (HKDF)
//
// Sealed texts bear a version, the salt and a commitment to their key, and are bound to the place
// where they are kept: moved to another row, version, person or organisation they do not open.
// Deleting a person's data key shreds all that was sealed with it. A copy of the database from
// before still holds the key, wrapped: its patients who were erased since are erased again when it
// is brought back, and it opens nothing once the key-encryption keys of its time are destroyed.
//
// To rotate, a new key-encryption key is added: new data keys are wrapped by it, and Rewrap (see
// rewrapper.h) wraps the old ones anew. No sealed text is touched by it. Once none is left, the old
// key-encryption key is needed for copies of the database alone.
namespace rapport::crypto {

// The migrations of the table of data keys (component "crypto").
const sql::Component& Migrations();

// Where the key-encryption keys are: files here, a key management service where one is written.
// Nothing but data keys passes. Thread-safe.
class KeyProvider {
 public:
  virtual ~KeyProvider() = default;

  // Of the key that wraps new data keys.
  virtual std::string active_id() const = 0;

  // `data_key` wrapped by the key `id`, bound to `context`, which Unwrap must be given again.
  //   kInternal     no such key; or what was wrapped, its context or its key are not what they were
  //   kUnavailable  the keys can't be reached now
  virtual absl::StatusOr<std::string> Wrap(absl::string_view id, absl::string_view context,
                                           absl::string_view data_key) const = 0;
  virtual absl::StatusOr<std::string> Unwrap(absl::string_view id, absl::string_view context,
                                             absl::string_view wrapped) const = 0;
};

// Key-encryption keys in memory. Immutable.
class KeyRing : public KeyProvider {
 public:
  // A directory of files `<id>.key`, each one line of 64 hex digits. The key whose id is last in
  // lexical order is the active one.
  //   kInvalidArgument  no such directory, no key in it, or other content
  static absl::StatusOr<KeyRing> FromDirectory(absl::string_view path);
  // Of ids and 32-byte keys.
  static absl::StatusOr<KeyRing> Make(std::map<std::string, std::string> keys);

  std::string active_id() const override { return keys_.rbegin()->first; }
  const std::string* Find(absl::string_view id) const;  // null: unknown
  absl::StatusOr<std::string> Wrap(absl::string_view id, absl::string_view context,
                                   absl::string_view data_key) const override;
  absl::StatusOr<std::string> Unwrap(absl::string_view id, absl::string_view context,
                                     absl::string_view wrapped) const override;

 private:
  explicit KeyRing(std::map<std::string, std::string> keys) : keys_(std::move(keys)) {}
  std::map<std::string, std::string> keys_;
};

// The keys of KeyRing::FromDirectory, which are read again when an unknown one is met: while a key
// is added, some processes know of it before others. To add one, put its file everywhere, then
// restart one process after the other; the active key changes with the restart.
class KeyDirectory : public KeyProvider {
 public:
  // As KeyRing::FromDirectory.
  static absl::StatusOr<std::shared_ptr<const KeyDirectory>> Open(absl::string_view path);

  std::string active_id() const override { return active_id_; }
  absl::StatusOr<std::string> Wrap(absl::string_view id, absl::string_view context,
                                   absl::string_view data_key) const override;
  absl::StatusOr<std::string> Unwrap(absl::string_view id, absl::string_view context,
                                     absl::string_view wrapped) const override;

 private:
  KeyDirectory(absl::string_view path, KeyRing ring);
  std::shared_ptr<const KeyRing> RingWith(absl::string_view id) const;

  const std::string path_;
  const std::string active_id_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const KeyRing> ring_ ABSL_GUARDED_BY(mutex_);
};

// Where a text is kept. All of it is authenticated with the text.
struct Place {
  std::string organization_id;
  std::string subject;   // whose it is: the full name of a patient, or of the organisation
  std::string resource;  // full name of what holds it
  int64_t version = 0;   // of the resource; 0 where it has none
  std::string field;     // as "answers"
};

// Data keys that were tried, and how many of them opened.
struct KeyTrial {
  int tried = 0;
  int opened = 0;
  std::string fault;  // why one did not

  KeyTrial& operator+=(const KeyTrial& other) {
    tried += other.tried;
    opened += other.opened;
    if (!other.fault.empty()) fault = other.fault;
    return *this;
  }
};

// Seals and opens. Thread-safe.
class Vault {
 public:
  explicit Vault(std::shared_ptr<const KeyProvider> keys) : keys_(std::move(keys)) {}
  explicit Vault(KeyRing ring) : keys_(std::make_shared<KeyRing>(std::move(ring))) {}

  // Seals `plain` for `place`; the first seal of a subject makes its data key in the same
  // transaction.
  //   kFailedPrecondition ERASED  the subject was shredded: nothing of it is ever kept again
  absl::StatusOr<std::string> Seal(sql::Transaction& tx, const Place& place,
                                   absl::string_view plain, absl::Time now) const;

  // Opens what Seal returned for the same place.
  //   kFailedPrecondition ERASED  the subject was shredded
  //   kInternal         the text, its place or its key are not what they were
  absl::StatusOr<std::string> Open(sql::Session& session, const Place& place,
                                   absl::string_view sealed) const;

  // Destroys the subject's data key for ever. Deferred.
  void Shred(sql::Transaction& tx, absl::string_view organization_id, absl::string_view subject,
             absl::Time now) const;

  // Unwraps at most `limit` data keys of the organisation; by the key-encryption key of each.
  //   kUnavailable  the keys can't be reached now
  absl::StatusOr<std::map<std::string, KeyTrial>> TryKeys(sql::Session& session,
                                                          absl::string_view organization_id,
                                                          int limit) const;

  const KeyProvider& keys() const { return *keys_; }

  // How many data keys of the organisation another than the active key wraps.
  absl::StatusOr<int64_t> CountToRewrap(sql::Session& session,
                                        absl::string_view organization_id) const;

  // Wraps at most `limit` of them anew and returns how many; fewer than `limit`: none is left. The
  // data keys themselves stay, and with them every sealed text.
  absl::StatusOr<int> Rewrap(sql::Transaction& tx, absl::string_view organization_id,
                             int limit) const;

 private:
  friend class Opener;
  absl::StatusOr<std::string> DataKey(sql::Session& session, absl::string_view organization_id,
                                      absl::string_view subject) const;

  const std::shared_ptr<const KeyProvider> keys_;
};

// Opens many texts over one session, reading the key of each subject once. Lives no longer than
// the vault and the session.
class Opener {
 public:
  Opener(const Vault& vault, sql::Session& session) : vault_(vault), session_(session) {}

  // As Vault::Open.
  absl::StatusOr<std::string> Open(const Place& place, absl::string_view sealed);

 private:
  const Vault& vault_;
  sql::Session& session_;
  std::map<std::pair<std::string, std::string>, absl::StatusOr<std::string>> keys_;
};

}  // namespace rapport::crypto

#endif  // RAPPORT_COMMON_CRYPTO_VAULT_H_
