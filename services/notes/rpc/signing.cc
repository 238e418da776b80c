#include "services/notes/rpc/signing.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/notes/domain/signatures.h"
#include "services/notes/store/note_settings_store.h"

namespace rapport::notes {
namespace {

absl::StatusOr<HeldKey> KeyOf(call::Change& change, const crypto::Vault& vault,
                              const std::string& clinician) {
  ASSIGN_OR_RETURN(std::optional<HeldKey> known, GetSigningKey(change.tx(), vault, clinician));
  if (known) return *std::move(known);
  HeldKey held;
  held.private_key = RandomBytes(kSigningKeyBytes);
  held.key.set_name(absl::StrCat(clinician, "/signingKeys/", ids::NewUlid()));
  held.key.set_clinician(clinician);
  held.key.set_public_key(PublicKeyOf(held.private_key));
  *held.key.mutable_create_time() = time::ToTimestamp(change.context().now);
  absl::StatusOr<std::string> sealed = InsertSigningKey(change.tx(), vault, held);
  if (absl::IsAlreadyExists(sealed.status())) {
    return errors::Aborted("LOST_RACE", "The signer's key was made meanwhile. Repeat the call.");
  }
  RETURN_IF_ERROR(sealed.status());
  change.Audit(held.key.name(), 1, held.key.public_key() + *sealed);
  return held;
}

}  // namespace

std::string RandomBytes(size_t bytes) {
  std::string random(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(bytes)) != 1) {
    std::abort();  // out of randomness: no state to go on in
  }
  return random;
}

absl::StatusOr<SigningFacts> RequireLicensed(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view clinician,
                                             const scheduling::v1::CourseEvent& course) {
  ASSIGN_OR_RETURN(SigningFacts facts,
                   GetSigningFacts(session, clinician, course.clinic(), context.now));
  const auto zone = time::LoadZone(facts.time_zone);
  const absl::CivilDay today =
      absl::ToCivilDay(context.now, zone.ok() ? *zone : absl::UTCTimeZone());
  if (facts.standing.LicensedOn(today)) return facts;
  return errors::FailedPrecondition(
      "CLINICIAN_UNLICENSED",
      "The signer's licence is missing from the directory, or it has expired. Enter it in the "
      "directory, then sign.");
}

absl::StatusOr<v1::Signature> Sign(call::Change& change, const crypto::Vault& vault,
                                   const ToSign& what) {
  ASSIGN_OR_RETURN(const HeldKey held, KeyOf(change, vault, what.clinician));
  v1::SignatureStatement statement;
  statement.set_note(what.note);
  statement.set_version(what.version);
  statement.set_addendum(what.addendum);
  statement.set_content_sha256(what.content_sha256);
  statement.set_meaning(what.meaning);
  statement.set_clinician(what.clinician);
  if (what.meaning != v1::SIGNATURE_MEANING_COSIGNER && what.responsible != what.clinician) {
    statement.set_on_behalf_of(what.responsible);
  }
  *statement.mutable_sign_time() = time::ToTimestamp(change.context().now);
  *statement.mutable_machine_time() = time::ToTimestamp(absl::Now());
  statement.set_key(held.key.name());
  return SignStatement(std::move(statement), held.private_key);
}

}  // namespace rapport::notes
