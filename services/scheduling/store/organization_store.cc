#include "services/scheduling/store/organization_store.h"

#include "common/errors/status_macros.h"
#include "services/scheduling/domain/organizations.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kGet{"scheduling.organization.get", R"sql(
  SELECT document, version FROM organization_profile WHERE organization_id = $1)sql"};

const sql::Statement kInsert{"scheduling.organization.insert", R"sql(
  INSERT INTO organization_profile (organization_id, version, document)
  VALUES ($1, 1, $2))sql"};

const sql::Statement kMakeKnown{"scheduling.organization.make_known", R"sql(
  INSERT INTO organization (organization_id, state, create_time)
  VALUES ($1, 'ACTIVE', $2))sql"};

const sql::Statement kSetState{"scheduling.organization.set_state", R"sql(
  UPDATE organization SET state = $2 WHERE organization_id = $1)sql"};

const sql::Statement kUpdate{"scheduling.organization.update", R"sql(
  UPDATE organization_profile SET version = version + 1, document = $3
  WHERE organization_id = $1 AND version = $2)sql"};

}  // namespace

absl::StatusOr<Stored<v1::Organization>> GetOrganization(sql::Session& session,
                                                         absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kGet, {sql::Text(organization_id)}));
  if (rows.empty()) return errors::NotFound("Organization");
  Stored<v1::Organization> stored;
  stored.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), stored.version, stored.resource));
  FillDefaults(*stored.resource.mutable_settings());
  return stored;
}

absl::Status InsertOrganization(sql::Transaction& tx, absl::string_view organization_id,
                                const v1::Organization& organization, absl::Time now) {
  const absl::Status status =
      tx.Query(kInsert, {sql::Text(organization_id), sql::Bytes(Document(organization))}).status();
  if (absl::IsAlreadyExists(status)) {
    return errors::AlreadyExists("Organization", organization.name());
  }
  RETURN_IF_ERROR(status);
  tx.Defer(kMakeKnown, {sql::Text(organization_id), sql::Micros(now)});
  return absl::OkStatus();
}

absl::Status UpdateOrganization(sql::Transaction& tx, absl::string_view organization_id,
                                const v1::Organization& organization, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kUpdate, {sql::Text(organization_id), sql::Int(version),
                                      sql::Bytes(Document(organization))}));
  return RequireOneRow(result);
}

void DeferOrganizationState(sql::Transaction& tx, absl::string_view organization_id,
                            v1::OrganizationState state) {
  const bool suspended = state == v1::ORGANIZATION_STATE_SUSPENDED;
  tx.Defer(kSetState, {sql::Text(organization_id), sql::Text(suspended ? "SUSPENDED" : "ACTIVE")});
}

}  // namespace rapport::scheduling::store
