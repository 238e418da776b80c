#ifndef RAPPORT_SERVICES_NOTES_STORE_SEALED_H_
#define RAPPORT_SERVICES_NOTES_STORE_SEALED_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/vault.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"
#include "rapport/notes/v1/case.pb.h"

// What patients tell is kept sealed: each document as bytes that open at their own place alone. A
// table that keeps such documents has a column `subject`, which says whose key sealed the row.
namespace rapport::notes {

// Where a document is kept.
struct SealedPlace {
  std::string subject;  // full name of whose key seals it: a patient, a couple's case, or another
  std::string name;     // full name of the resource that it is of; its organisation is the place's
  int64_t version = 0;  // of that resource, as it is stored; 0 where the row has none
};

// Whose key seals what a case keeps: that of `about`, a patient, where given (things private to one
// partner); else the patient's; of a couple's case the case's own.
std::string SubjectOf(const v1::Case& of, absl::string_view about = "");

// `document` as the value of a column.
//   kFailedPrecondition ERASED  the subject was erased: nothing of it is ever kept again
absl::StatusOr<sql::Value> Seal(sql::Transaction& tx, const crypto::Vault& vault,
                                const SealedPlace& place, const google::protobuf::Message& document,
                                absl::Time now);
// As Seal, for text or bytes.
absl::StatusOr<sql::Value> SealBytes(sql::Transaction& tx, const crypto::Vault& vault,
                                     const SealedPlace& place, absl::string_view plain,
                                     absl::Time now);

// What was sealed.
//   kFailedPrecondition ERASED  the subject was erased since
//   kInternal                   it was not sealed at this place, or is not what was stored
absl::StatusOr<std::string> UnsealBytes(crypto::Opener& opener, const SealedPlace& place,
                                        const std::string& sealed);

template <class Message>
absl::StatusOr<Message> Unseal(crypto::Opener& opener, const SealedPlace& place,
                               const std::string& sealed) {
  ASSIGN_OR_RETURN(const std::string plain, UnsealBytes(opener, place, sealed));
  Message message;
  if (message.ParseFromString(plain)) return message;
  return errors::Internal("What was sealed is no such document.");
}

inline bool IsErased(const absl::Status& status) { return errors::Reason(status) == "ERASED"; }

// As Unseal, for messages with a field `erased`: where the subject was erased, a message with
// nothing but that set.
template <class Message>
absl::StatusOr<Message> UnsealOrErased(crypto::Opener& opener, const SealedPlace& place,
                                       const std::string& sealed) {
  absl::StatusOr<Message> message = Unseal<Message>(opener, place, sealed);
  if (!IsErased(message.status())) return message;
  Message erased;
  erased.set_erased(true);
  return erased;
}

// The stored bytes of what Seal returned, for the audit entry.
const std::string& StoredBytes(const sql::Value& sealed);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SEALED_H_
