#ifndef RAPPORT_SERVICES_NOTES_RPC_SIGNING_H_
#define RAPPORT_SERVICES_NOTES_RPC_SIGNING_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/note.pb.h"
#include "services/notes/store/note_settings_store.h"

namespace rapport::notes {

// OK iff `clinician` may sign today, in the zone of `course`'s clinic, by the domain clock; what is
// known of it.
//   kFailedPrecondition CLINICIAN_UNLICENSED  the directory has no licence of theirs, or it ended
absl::StatusOr<SigningFacts> RequireLicensed(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view clinician,
                                             const scheduling::v1::CourseEvent& course);

// `bytes` random bytes for keys, seeds and salts.
std::string RandomBytes(size_t bytes);

// What is to be signed.
struct ToSign {
  std::string note;
  int32_t version = 0;
  int32_t addendum = 0;
  std::string content_sha256;
  v1::SignatureMeaning meaning = v1::SIGNATURE_MEANING_AUTHOR;
  std::string clinician;
  std::string responsible;  // for the course; the signer stands in for them where they are another
};

// The signature of `what` by its clinician's key, which is made where they have none, now by both
// clocks.
absl::StatusOr<v1::Signature> Sign(call::Change& change, const crypto::Vault& vault,
                                   const ToSign& what);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SIGNING_H_
