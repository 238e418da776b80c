#include "services/notes/store/goal_store.h"

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.goal.insert", R"sql(
  INSERT INTO goal (organization_id, case_id, goal_id, version, create_time, document,
                    subject)
  VALUES ($1, $2, $3, 1, $4, $5, $6))sql"};

const sql::Statement kUpdate{"notes.goal.update", R"sql(
  UPDATE goal SET version = version + 1, document = $5
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3 AND version = $4)sql"};

const sql::Statement kGet{"notes.goal.get", R"sql(
  SELECT document, version, create_time, goal_id, subject FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3)sql"};

const sql::Statement kList{"notes.goal.list", R"sql(
  SELECT document, version, create_time, goal_id, subject FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, goal_id) > ($3, $4)
  ORDER BY create_time, goal_id
  LIMIT $5)sql"};

absl::StatusOr<v1::Goal> Read(crypto::Opener& opener, absl::string_view organization_id,
                              absl::string_view case_id, const sql::Result& rows, size_t row) {
  const SealedPlace place{
      rows.Text(row, 4),
      names::Make(
          {{"organizations", organization_id}, {"cases", case_id}, {"goals", rows.Text(row, 3)}}),
      rows.Int(row, 1)};
  ASSIGN_OR_RETURN(auto goal, UnsealOrErased<v1::Goal>(opener, place, rows.Bytes(row, 0)));
  goal.set_name(place.name);
  goal.set_etag(call::Etag(place.version));
  *goal.mutable_create_time() = time::ToTimestamp(rows.Time(row, 2));
  return goal;
}

}  // namespace

absl::StatusOr<std::string> InsertGoal(sql::Transaction& tx, const crypto::Vault& vault,
                                       const v1::Case& of, v1::Goal& goal) {
  const std::string& name = goal.name();
  goal.set_etag(call::Etag(1));
  const std::string subject = SubjectOf(of);
  const absl::Time now = time::ToTime(goal.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed, Seal(tx, vault, {subject, name, 1}, goal, now));
  RETURN_IF_ERROR(
      tx.Query(kInsert,
               {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sql::Micros(now), sealed, sql::Text(subject)})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> UpdateGoal(sql::Transaction& tx, const crypto::Vault& vault,
                                       v1::Goal& goal, int64_t version, absl::string_view subject) {
  const std::string& name = goal.name();
  goal.set_etag(call::Etag(version + 1));
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {std::string(subject), name, version + 1}, goal,
                        time::ToTime(goal.update_time())));
  RETURN_IF_ERROR(Changed(tx.Query(
      kUpdate, {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sql::Int(version), sealed})));
  return StoredBytes(sealed);
}

absl::StatusOr<GoalRecord> GetGoal(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view name) {
  const absl::string_view organization_id = names::OrganizationId(name);
  const absl::string_view case_id = names::Id(name, "cases");
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(case_id),
                                        sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Goal");
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(v1::Goal goal, Read(opener, organization_id, case_id, rows, 0));
  return GoalRecord{std::move(goal), rows.Int(0, 1), rows.Text(0, 4)};
}

absl::StatusOr<Listed<v1::Goal>> ListGoals(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           absl::string_view case_id, const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number),
                            sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Goal>(
      rows, page, [&](size_t row) { return Read(opener, organization_id, case_id, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

}  // namespace rapport::notes
