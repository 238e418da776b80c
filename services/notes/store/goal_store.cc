#include "services/notes/store/goal_store.h"

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.goal.insert", R"sql(
  INSERT INTO goal (organization_id, case_id, goal_id, version, create_time, document)
  VALUES ($1, $2, $3, 1, $4, $5))sql"};

const sql::Statement kUpdate{"notes.goal.update", R"sql(
  UPDATE goal SET version = version + 1, document = $5
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3 AND version = $4)sql"};

const sql::Statement kGet{"notes.goal.get", R"sql(
  SELECT document, version FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3)sql"};

const sql::Statement kList{"notes.goal.list", R"sql(
  SELECT document, version, create_time, goal_id FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, goal_id) > ($3, $4)
  ORDER BY create_time, goal_id
  LIMIT $5)sql"};

v1::Goal Read(const sql::Result& rows, size_t row) {
  auto goal = Parsed<v1::Goal>(rows.Bytes(row, 0));
  goal.set_etag(call::Etag(rows.Int(row, 1)));
  return goal;
}

}  // namespace

absl::Status InsertGoal(sql::Transaction& tx, v1::Goal& goal) {
  const std::string& name = goal.name();
  goal.set_etag(call::Etag(1));
  return tx
      .Query(kInsert, {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                       sql::Text(names::Last(name)), sql::Micros(time::ToTime(goal.create_time())),
                       Document(goal)})
      .status();
}

absl::Status UpdateGoal(sql::Transaction& tx, v1::Goal& goal, int64_t version) {
  const std::string& name = goal.name();
  goal.set_etag(call::Etag(version + 1));
  return Changed(tx.Query(
      kUpdate, {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sql::Int(version), Document(goal)}));
}

absl::StatusOr<GoalRecord> GetGoal(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)),
                           sql::Text(names::Id(name, "cases")), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Goal");
  return GoalRecord{Read(rows, 0), rows.Int(0, 1)};
}

absl::StatusOr<Listed<v1::Goal>> ListGoals(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number),
                            sql::Text(after.id), sql::Int(page.size + 1)}));
  return TakePage<v1::Goal>(
      rows, page, [&](size_t row) { return Read(rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

}  // namespace rapport::notes
