#include "services/notes/store/sealed.h"

#include <variant>

#include "common/names/names.h"

namespace rapport::notes {
namespace {

crypto::Place At(const SealedPlace& place) {
  return {.organization_id = std::string(names::OrganizationId(place.name)),
          .subject = place.subject,
          .resource = place.name,
          .version = place.version,
          .field = "document"};
}

}  // namespace

std::string SubjectOf(const v1::Case& of, absl::string_view about) {
  if (!about.empty()) return std::string(about);
  return of.partner().empty() ? of.patient() : of.name();
}

absl::StatusOr<sql::Value> Seal(sql::Transaction& tx, const crypto::Vault& vault,
                                const SealedPlace& place, const google::protobuf::Message& document,
                                absl::Time now) {
  return SealBytes(tx, vault, place, document.SerializeAsString(), now);
}

absl::StatusOr<sql::Value> SealBytes(sql::Transaction& tx, const crypto::Vault& vault,
                                     const SealedPlace& place, absl::string_view plain,
                                     absl::Time now) {
  ASSIGN_OR_RETURN(std::string sealed, vault.Seal(tx, At(place), plain, now));
  return sql::Bytes(sealed);
}

absl::StatusOr<std::string> UnsealBytes(crypto::Opener& opener, const SealedPlace& place,
                                        const std::string& sealed) {
  return opener.Open(At(place), sealed);
}

const std::string& StoredBytes(const sql::Value& sealed) {
  return std::get<sql::Blob>(sealed).bytes;
}

}  // namespace rapport::notes
