#include "services/scheduling/store/protocol_store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kGet{"scheduling.protocol_revision.get", R"sql(
  SELECT document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2 AND revision = $3)sql"};

const sql::Statement kNewest{"scheduling.protocol_revision.newest", R"sql(
  SELECT revision FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2
  ORDER BY revision DESC LIMIT 1)sql"};

const sql::Statement kInsert{"scheduling.protocol_revision.insert", R"sql(
  INSERT INTO protocol_revision (organization_id, protocol_id, revision, create_time, document)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kListNewest{"scheduling.protocol_revision.list_newest", R"sql(
  SELECT document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id > $2
    AND NOT EXISTS (SELECT 1 FROM protocol_revision newer
                    WHERE newer.organization_id = $1
                      AND newer.protocol_id = protocol_revision.protocol_id
                      AND newer.revision > protocol_revision.revision)
  ORDER BY protocol_id LIMIT $3)sql"};

int64_t RevisionOf(absl::string_view name) {
  int64_t revision = 0;
  const absl::string_view written = names::Id(name, "revisions");
  // "revisions/01" is no name of revision 1.
  return absl::SimpleAtoi(written, &revision) && absl::StrCat(revision) == written ? revision : 0;
}

absl::StatusOr<v1::Protocol> Parse(const std::string& document) {
  v1::Protocol protocol;
  if (!protocol.ParseFromString(document)) {
    return errors::Internal("A stored document is no rapport.scheduling.v1.Protocol");
  }
  return protocol;
}

}  // namespace

absl::StatusOr<v1::Protocol> GetProtocol(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)),
                           sql::Text(names::Id(name, "protocols")), sql::Int(RevisionOf(name))}));
  if (rows.empty()) return errors::NotFound("Protocol");
  return Parse(rows.Bytes(0, 0));
}

absl::StatusOr<int> NewestRevision(sql::Session& session, absl::string_view organization_id,
                                   absl::string_view protocol_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kNewest, {sql::Text(organization_id), sql::Text(protocol_id)}));
  return rows.empty() ? 0 : static_cast<int>(rows.Int(0, 0));
}

absl::Status InsertProtocol(sql::Transaction& tx, const v1::Protocol& protocol) {
  const absl::string_view name = protocol.name();
  const absl::Status status =
      tx.Query(kInsert,
               {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "protocols")),
                sql::Int(RevisionOf(name)), sql::Micros(time::ToTime(protocol.create_time())),
                sql::Bytes(protocol.SerializeAsString())})
          .status();
  if (absl::IsAlreadyExists(status)) {
    return errors::Aborted("LOST_RACE", "Another revision came first. Read again and repeat.");
  }
  return status;
}

absl::StatusOr<std::vector<v1::Protocol>> ListNewestProtocols(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view after_id,
                                                              int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListNewest, {sql::Text(organization_id), sql::Text(after_id),
                                               sql::Int(limit)}));
  std::vector<v1::Protocol> protocols;
  for (size_t i = 0; i < rows.rows(); ++i) {
    ASSIGN_OR_RETURN(protocols.emplace_back(), Parse(rows.Bytes(i, 0)));
  }
  return protocols;
}

}  // namespace rapport::scheduling::store
