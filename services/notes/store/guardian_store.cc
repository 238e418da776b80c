#include "services/notes/store/guardian_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.guardian.insert", R"sql(
  INSERT INTO guardian (organization_id, patient, guardian_id, token_subject, version, create_time,
                        update_time, subject, document)
  VALUES ($1, $2, $3, $4, 1, $5, $5, $2, $6))sql"};

const sql::Statement kUpdate{"notes.guardian.update", R"sql(
  UPDATE guardian SET document = $4, update_time = $5, version = version + 1
  WHERE organization_id = $1 AND patient = $2 AND guardian_id = $3 AND version = $6)sql"};

const sql::Statement kGet{"notes.guardian.get", R"sql(
  SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian WHERE organization_id = $1 AND patient = $2 AND guardian_id = $3)sql"};

const sql::Statement kFind{"notes.guardian.by_token", R"sql(
  SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian WHERE organization_id = $1 AND patient = $2 AND token_subject = $3)sql"};

const sql::Statement kList{"notes.guardian.list", R"sql(
  SELECT guardian_id, token_subject, version, create_time, update_time, subject, document
  FROM guardian
  WHERE organization_id = $1 AND patient = $2 AND (create_time, guardian_id) > ($3, $4)
  ORDER BY create_time, guardian_id
  LIMIT $5)sql"};

std::string PatientOf(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "patients",
                               names::Id(name, "patients"));
}

// What is sealed: all but what has columns of its own.
v1::Guardian OwnPart(const v1::Guardian& guardian) {
  v1::Guardian own = guardian;
  own.clear_name();
  own.clear_subject();
  own.clear_etag();
  own.clear_create_time();
  own.clear_update_time();
  return own;
}

absl::StatusOr<GuardianRecord> Read(crypto::Opener& opener, absl::string_view patient,
                                    const sql::Result& rows, size_t row) {
  GuardianRecord record;
  record.version = rows.Int(row, 2);
  const std::string name = absl::StrCat(patient, "/guardians/", rows.Text(row, 0));
  ASSIGN_OR_RETURN(record.resource,
                   UnsealOrErased<v1::Guardian>(opener, {rows.Text(row, 5), name, record.version},
                                                rows.Bytes(row, 6)));
  v1::Guardian& guardian = record.resource;
  guardian.set_name(name);
  guardian.set_subject(rows.Text(row, 1));
  guardian.set_etag(call::Etag(record.version));
  *guardian.mutable_create_time() = time::ToTimestamp(rows.Time(row, 3));
  *guardian.mutable_update_time() = time::ToTimestamp(rows.Time(row, 4));
  return record;
}

}  // namespace

absl::StatusOr<std::string> InsertGuardian(sql::Transaction& tx, const crypto::Vault& vault,
                                           v1::Guardian& guardian) {
  const std::string patient = PatientOf(guardian.name());
  const absl::Time now = time::ToTime(guardian.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {patient, guardian.name(), 1}, OwnPart(guardian), now));
  const absl::Status status =
      tx.Query(kInsert, {sql::Text(names::OrganizationId(patient)), sql::Text(patient),
                         sql::Text(names::Last(guardian.name())), sql::Text(guardian.subject()),
                         sql::Micros(now), sealed})
          .status();
  if (absl::IsAlreadyExists(status)) return errors::AlreadyExists("Guardian", patient);
  RETURN_IF_ERROR(status);
  guardian.set_etag(call::Etag(1));
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> UpdateGuardian(sql::Transaction& tx, const crypto::Vault& vault,
                                           GuardianRecord& record) {
  v1::Guardian& guardian = record.resource;
  const std::string patient = PatientOf(guardian.name());
  const absl::Time now = time::ToTime(guardian.update_time());
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      Seal(tx, vault, {patient, guardian.name(), record.version + 1}, OwnPart(guardian), now));
  RETURN_IF_ERROR(
      Changed(tx.Query(kUpdate, {sql::Text(names::OrganizationId(patient)), sql::Text(patient),
                                 sql::Text(names::Last(guardian.name())), sealed, sql::Micros(now),
                                 sql::Int(record.version)})));
  guardian.set_etag(call::Etag(++record.version));
  return StoredBytes(sealed);
}

absl::StatusOr<GuardianRecord> GetGuardian(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name) {
  const std::string patient = PatientOf(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(names::OrganizationId(name)), sql::Text(patient),
                                        sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Guardian");
  crypto::Opener opener(vault, session);
  return Read(opener, patient, rows, 0);
}

absl::StatusOr<std::optional<v1::Guardian>> FindGuardian(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view patient,
                                                         absl::string_view token_subject) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFind, {sql::Text(names::OrganizationId(patient)),
                                         sql::Text(patient), sql::Text(token_subject)}));
  if (rows.empty()) return std::nullopt;
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(GuardianRecord record, Read(opener, patient, rows, 0));
  return std::move(record.resource);
}

absl::StatusOr<Listed<v1::Guardian>> ListGuardians(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view patient,
                                                   const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(names::OrganizationId(patient)), sql::Text(patient),
                            sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Guardian>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<v1::Guardian> {
        ASSIGN_OR_RETURN(GuardianRecord record, Read(opener, patient, rows, row));
        return std::move(record.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 3), rows.Text(row, 0)};
      });
}

}  // namespace rapport::notes
