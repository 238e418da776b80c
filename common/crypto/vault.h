#ifndef RAPPORT_COMMON_CRYPTO_VAULT_H_
#define RAPPORT_COMMON_CRYPTO_VAULT_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

// Encryption at rest of what patients tell: an envelope of three layers.
//
//   key-encryption key   from a directory of files, outside of the database; wraps
//   data key             one for each person (or the organisation itself), in the database; derives
//   message key          one for each sealed text, from the data key and a random salt (HKDF)
//
// Sealed texts bear a version, the salt and a commitment to their key, and are bound to the place
// where they are kept: moved to another row, version, person or organisation they do not open.
// Deleting a person's data key shreds all that was sealed with it, in backups too.
namespace rapport::crypto {

// The migrations of the table of data keys (component "crypto").
const sql::Component& Migrations();

// The key-encryption keys. Immutable.
class KeyRing {
 public:
  // A directory of files `<id>.key`, each one line of 64 hex digits. The key whose id is last in
  // lexical order wraps new data keys; all unwrap. To change it, add a file everywhere, then
  // restart.
  //   kInvalidArgument  no such directory, no key in it, or other content
  static absl::StatusOr<KeyRing> FromDirectory(absl::string_view path);
  // Of ids and 32-byte keys.
  static absl::StatusOr<KeyRing> Make(std::map<std::string, std::string> keys);

  const std::string& active_id() const { return keys_.rbegin()->first; }
  const std::string* Find(absl::string_view id) const;  // null: unknown

 private:
  explicit KeyRing(std::map<std::string, std::string> keys) : keys_(std::move(keys)) {}
  std::map<std::string, std::string> keys_;
};

// Where a text is kept. All of it is authenticated with the text.
struct Place {
  std::string organization_id;
  std::string subject;   // whose it is: the full name of a patient, or of the organisation
  std::string resource;  // full name of what holds it
  int64_t version = 0;   // of the resource; 0 where it has none
  std::string field;     // as "answers"
};

// Seals and opens. Thread-safe.
class Vault {
 public:
  explicit Vault(KeyRing ring) : ring_(std::move(ring)) {}

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

 private:
  friend class Opener;
  absl::StatusOr<std::string> DataKey(sql::Session& session, absl::string_view organization_id,
                                      absl::string_view subject) const;

  const KeyRing ring_;
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
