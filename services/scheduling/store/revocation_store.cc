#include "services/scheduling/store/revocation_store.h"

#include <utility>

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/store/stored.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kInsert{"scheduling.revocation.insert", R"sql(
  INSERT INTO revocation (organization_id, revocation_id, create_time, subject, token_id, document)
  VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6))sql"};

const sql::Statement kGet{"scheduling.revocation.get", R"sql(
  SELECT document FROM revocation WHERE organization_id = $1 AND revocation_id = $2)sql"};

const sql::Statement kFind{"scheduling.revocation.by_token", R"sql(
  SELECT document FROM revocation WHERE organization_id = $1 AND token_id = $2)sql"};

const sql::Statement kList{"scheduling.revocation.list", R"sql(
  SELECT document FROM revocation
  WHERE organization_id = $1 AND (create_time, revocation_id) < ($2, $3)
  ORDER BY create_time DESC, revocation_id DESC LIMIT $4)sql"};

const sql::Statement kListOfSubject{"scheduling.revocation.list_of_subject", R"sql(
  SELECT document FROM revocation
  WHERE organization_id = $1 AND subject = $5 AND (create_time, revocation_id) < ($2, $3)
  ORDER BY create_time DESC, revocation_id DESC LIMIT $4)sql"};

absl::StatusOr<v1::Revocation> Read(const sql::Result& rows, size_t row) {
  v1::Revocation revocation;
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(row, 0), 1, revocation));
  return revocation;
}

}  // namespace

void InsertRevocation(sql::Transaction& tx, const v1::Revocation& revocation) {
  tx.Defer(kInsert,
           {sql::Text(names::OrganizationId(revocation.name())),
            sql::Text(names::Last(revocation.name())),
            sql::Micros(time::ToTime(revocation.create_time())), sql::Text(revocation.subject()),
            sql::Text(revocation.token_id()), sql::Bytes(Document(revocation))});
}

absl::StatusOr<v1::Revocation> GetRevocation(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Revocation");
  return Read(rows, 0);
}

absl::StatusOr<std::optional<v1::Revocation>> FindTokenRevocation(sql::Session& session,
                                                                  absl::string_view organization_id,
                                                                  absl::string_view token_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFind, {sql::Text(organization_id), sql::Text(token_id)}));
  if (rows.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(v1::Revocation revocation, Read(rows, 0));
  return std::make_optional(std::move(revocation));
}

absl::StatusOr<std::vector<v1::Revocation>> ListRevocations(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view subject,
                                                            const RevocationKey& before,
                                                            int limit) {
  std::vector<sql::Value> parameters = {sql::Text(organization_id), sql::Int(before.create_micros),
                                        sql::Text(before.id), sql::Int(limit)};
  if (!subject.empty()) parameters.push_back(sql::Text(subject));
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(subject.empty() ? kList : kListOfSubject, parameters));
  std::vector<v1::Revocation> revocations;
  for (size_t i = 0; i < rows.rows(); ++i) {
    ASSIGN_OR_RETURN(revocations.emplace_back(), Read(rows, i));
  }
  return revocations;
}

}  // namespace rapport::scheduling::store
