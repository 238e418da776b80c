#include "services/assessment/store/alerts.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/store/paging.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kInsert{"assessment.alert.insert", R"sql(
  INSERT INTO alert (organization_id, alert_id, course, patient, kind, source, state, owner,
                     create_time, version, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)
  ON CONFLICT (organization_id, source, kind) DO NOTHING)sql"};

const sql::Statement kGet{"assessment.alert.get", R"sql(
  SELECT document, version FROM alert WHERE organization_id = $1 AND alert_id = $2)sql"};

const sql::Statement kUpdate{"assessment.alert.update", R"sql(
  UPDATE alert SET state = $4, owner = $5, resolve_time = $6, risk_assessed_time = $7,
                   version = version + 1, document = $8
  WHERE organization_id = $1 AND alert_id = $2 AND version = $3)sql"};

// $2 the clinician, $3 now, ($4, $5) the last of the page before, $6 course, $7 owner, $8 to $10
// whether each state is wanted, $11 how many. Each branch is read from its own index.
#define RAPPORT_ALERT_FILTER                                              \
  " AND (alert.create_time, alert.alert_id) < ($4, $5)"                   \
  " AND ($6 = '' OR alert.course = $6) AND ($7 = '' OR alert.owner = $7)" \
  " AND ((alert.state = 1 AND $8 = 1) OR (alert.state = 2 AND $9 = 1)"    \
  "   OR (alert.state = 3 AND $10 = 1))"                                  \
  " ORDER BY alert.create_time DESC, alert.alert_id DESC LIMIT $11"
const sql::Statement kList{
    "assessment.alert.list",
    "SELECT full_row.document, full_row.version, full_row.create_time,"
    "   full_row.alert_id FROM ("
    " SELECT owned.alert_id FROM ("
    "  SELECT alert_id FROM alert"
    "  WHERE alert.organization_id = $1 AND alert.owner = $2" RAPPORT_ALERT_FILTER
    " ) AS owned UNION SELECT treated.alert_id FROM ("
    "  SELECT alert.alert_id FROM alert JOIN course_clinician AS mine"
    "   ON mine.organization_id = alert.organization_id"
    "   AND mine.course = alert.course"
    "  WHERE alert.organization_id = $1 AND (mine.clinician = $2"
    "   OR mine.clinician IN (SELECT cover.clinician FROM care_cover AS cover"
    "    WHERE cover.organization_id = $1"
    "     AND cover.covering_clinician = $2 AND cover.deleted = 0"
    "     AND cover.start_time <= $3 AND cover.end_time > $3))" RAPPORT_ALERT_FILTER
    " ) AS treated) AS visible"
    " JOIN alert AS full_row ON full_row.organization_id = $1"
    "  AND full_row.alert_id = visible.alert_id"
    " ORDER BY full_row.create_time DESC, full_row.alert_id DESC"
    " LIMIT $11"};
#undef RAPPORT_ALERT_FILTER

const sql::Statement kUnresolved{"assessment.alert.unresolved", R"sql(
  SELECT document, version FROM alert
  WHERE organization_id = $1 AND state < 3 AND ($2 = '' OR course = $2)
  ORDER BY course, alert_id)sql"};

const sql::Statement kHasUnresolved{"assessment.alert.has_unresolved", R"sql(
  SELECT 1 FROM alert WHERE organization_id = $1 AND state < 3 LIMIT 1)sql"};

const sql::Statement kLastAssessed{"assessment.alert.last_assessed", R"sql(
  SELECT max(risk_assessed_time) FROM alert WHERE organization_id = $1 AND patient = $2)sql"};

const sql::Statement kAtRisk{"assessment.alert.at_risk", R"sql(
  SELECT course FROM alert
  WHERE organization_id = $1 AND patient = $2 AND create_time <= $4
    AND (resolve_time IS NULL OR resolve_time >= $3 OR create_time >= $3)
  ORDER BY create_time DESC, alert_id DESC LIMIT 1)sql"};

const sql::Statement kOrganizations{
    "assessment.organization.list",
    "SELECT organization_id FROM organization ORDER BY organization_id", sql::Reach::kFeed};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

absl::StatusOr<StoredAlert> Parse(const sql::Result& rows, size_t row) {
  StoredAlert stored;
  if (!stored.alert.ParseFromString(rows.Bytes(row, 0))) {
    return errors::Internal("A stored document is no alert.");
  }
  stored.version = rows.Int(row, 1);
  stored.alert.set_etag(call::Etag(stored.version));
  return stored;
}

}  // namespace

std::string Document(const v1::Alert& alert) {
  v1::Alert stored = alert;
  stored.clear_etag();
  return stored.SerializeAsString();
}

void LockAlerts(sql::Transaction& tx, absl::string_view organization_id) {
  tx.Lock({absl::StrCat("assessment/alerts/", organization_id)});
}

absl::StatusOr<bool> InsertAlert(sql::Transaction& tx, const v1::Alert& alert) {
  ASSIGN_OR_RETURN(
      const sql::Result inserted,
      tx.Query(kInsert,
               {OrganizationOf(alert.name()), sql::Text(names::Last(alert.name())),
                sql::Text(alert.course()), sql::Text(alert.patient()), sql::Int(alert.kind()),
                sql::Text(alert.source()), sql::Int(alert.state()), sql::Text(alert.owner()),
                sql::Micros(time::ToTime(alert.create_time())), sql::Bytes(Document(alert))}));
  return inserted.affected() == 1;
}

absl::StatusOr<StoredAlert> GetAlert(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {OrganizationOf(name), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Alert");
  return Parse(rows, 0);
}

absl::Status UpdateAlert(sql::Transaction& tx, const v1::Alert& alert, int64_t version) {
  const v1::AlertResolution& resolution = alert.resolution();
  const absl::Time resolved =
      alert.has_resolution() ? time::ToTime(resolution.resolve_time()) : absl::InfiniteFuture();
  const absl::Time assessed = resolution.has_risk_assessment_time()
                                  ? time::ToTime(resolution.risk_assessment_time())
                                  : absl::InfiniteFuture();
  ASSIGN_OR_RETURN(
      const sql::Result updated,
      tx.Query(kUpdate, {OrganizationOf(alert.name()), sql::Text(names::Last(alert.name())),
                         sql::Int(version), sql::Int(alert.state()), sql::Text(alert.owner()),
                         sql::MicrosOrNull(resolved), sql::MicrosOrNull(assessed),
                         sql::Bytes(Document(alert))}));
  if (updated.affected() == 1) return absl::OkStatus();
  return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
}

absl::StatusOr<AlertPage> ListAlerts(sql::Session& session, const AlertQuery& query,
                                     const call::Page& page) {
  const Place after = Place::After(page, {std::numeric_limits<int64_t>::max(), ""});
  const auto wants = [&](v1::AlertState state) {
    return sql::Bool(query.states.empty() || std::find(query.states.begin(), query.states.end(),
                                                       state) != query.states.end());
  };
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(query.organization_id), sql::Text(query.clinician),
                            sql::Micros(query.now), sql::Int(after.micros), sql::Text(after.name),
                            sql::Text(query.course), sql::Text(query.owner),
                            wants(v1::ALERT_STATE_OPEN), wants(v1::ALERT_STATE_ACKNOWLEDGED),
                            wants(v1::ALERT_STATE_RESOLVED), sql::Int(page.size + 1)}));
  AlertPage listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    ASSIGN_OR_RETURN(StoredAlert stored, Parse(rows, row));
    listed.alerts.push_back(std::move(stored.alert));
  }
  if (rows.rows() > size) {
    listed.next_key = Place{rows.Int(size - 1, 2), rows.Text(size - 1, 3)}.Key();
  }
  return listed;
}

absl::StatusOr<std::vector<StoredAlert>> ListUnresolved(sql::Session& session,
                                                        absl::string_view organization_id,
                                                        absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kUnresolved, {sql::Text(organization_id), sql::Text(course)}));
  std::vector<StoredAlert> alerts;
  alerts.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(StoredAlert stored, Parse(rows, row));
    alerts.push_back(std::move(stored));
  }
  return alerts;
}

absl::StatusOr<bool> HasUnresolved(sql::Session& session, absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kHasUnresolved, {sql::Text(organization_id)}));
  return !rows.empty();
}

absl::StatusOr<std::optional<absl::Time>> LastRiskAssessment(sql::Session& session,
                                                             absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kLastAssessed, {OrganizationOf(patient), sql::Text(patient)}));
  if (rows.IsNull(0, 0)) return std::nullopt;
  return rows.Time(0, 0);
}

absl::StatusOr<std::optional<std::string>> CourseAtRisk(sql::Session& session,
                                                        absl::string_view patient, absl::Time since,
                                                        absl::Time at) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kAtRisk, {OrganizationOf(patient), sql::Text(patient),
                                           sql::Micros(since), sql::Micros(at)}));
  if (rows.empty()) return std::nullopt;
  return rows.Text(0, 0);
}

absl::StatusOr<std::vector<std::string>> ListOrganizations(sql::Session& feed) {
  ASSIGN_OR_RETURN(const sql::Result rows, feed.Query(kOrganizations, {}));
  std::vector<std::string> organizations;
  organizations.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) organizations.push_back(rows.Text(row, 0));
  return organizations;
}

}  // namespace rapport::assessment::store
