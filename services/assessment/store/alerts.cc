#include "services/assessment/store/alerts.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/own_act.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "services/assessment/domain/alerts.h"
#include "services/assessment/store/paging.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kInsert{"assessment.alert.insert", R"sql(
  INSERT INTO alert (organization_id, alert_id, course, patient, kind, source, state, owner,
                     create_time, version, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10))sql"};

const sql::Statement kNewestOfKind{"assessment.alert.newest_of_kind", R"sql(
  SELECT document, version FROM alert
  WHERE organization_id = $1 AND source = $2 AND kind = $3
  ORDER BY create_time DESC LIMIT 1)sql"};

const sql::Statement kOfSource{"assessment.alert.of_source", R"sql(
  SELECT document, version FROM alert WHERE organization_id = $1 AND source = $2)sql"};

const sql::Statement kInsertEscalated{"assessment.alert.insert_escalated", R"sql(
  INSERT INTO alert_escalated (organization_id, clinician, alert_id) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, clinician, alert_id) DO NOTHING)sql"};

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
    " ) AS owned UNION SELECT told.alert_id FROM ("
    "  SELECT alert.alert_id FROM alert_escalated AS mine JOIN alert"
    "   ON alert.organization_id = mine.organization_id"
    "   AND alert.alert_id = mine.alert_id"
    "  WHERE mine.organization_id = $1 AND mine.clinician = $2" RAPPORT_ALERT_FILTER
    " ) AS told UNION SELECT treated.alert_id FROM ("
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

// The column `patient` is whom the alert is about.
const sql::Statement kAtRisk{"assessment.alert.at_risk", R"sql(
  SELECT patient, course FROM alert
  WHERE organization_id = $1 AND patient IN ($2, $3) AND create_time <= $5
    AND (resolve_time IS NULL OR resolve_time >= $4 OR create_time >= $4)
  ORDER BY create_time DESC, alert_id DESC LIMIT 1)sql"};

// A resource ends in the alert's id, of 26 letters.
const sql::Statement kTold{"assessment.alert.told", R"sql(
  SELECT alert.document, alert.version, told.position, told.occur_time, mine.clinician
  FROM event AS told JOIN alert
    ON alert.organization_id = told.organization_id
    AND alert.alert_id = substr(told.resource, length(told.resource) - 25)
  LEFT JOIN course_clinician AS mine
    ON mine.organization_id = told.organization_id AND mine.course = alert.course
  WHERE told.organization_id = $1 AND told.position > $2 AND told.position <= $3
    AND told.type = 'rapport.assessment.v1.AlertEvent'
  ORDER BY told.position LIMIT $4)sql"};

const sql::Statement kCovers{"assessment.alert.covers", R"sql(
  SELECT DISTINCT clinician, covering_clinician FROM care_cover
  WHERE organization_id = $1 AND deleted = 0 AND start_time <= $2 AND end_time > $2
  ORDER BY clinician, covering_clinician)sql"};

const sql::Statement kInsertTexts{"assessment.alert_resolution.insert", R"sql(
  INSERT INTO alert_resolution (organization_id, alert_id, subject, sealed)
  VALUES ($1, $2, $3, $4))sql"};

const sql::Statement kGetTexts{"assessment.alert_resolution.get", R"sql(
  SELECT alert_id, subject, sealed FROM alert_resolution
  WHERE organization_id = $1 AND alert_id IN (SELECT value FROM json_each($2)))sql"};

crypto::Place TextsPlace(absl::string_view alert, absl::string_view subject) {
  return {.organization_id = std::string(names::OrganizationId(alert)),
          .subject = std::string(subject),
          .resource = std::string(alert),
          .version = 1,
          .field = "resolution"};
}

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

void ScheduleHold(sql::Transaction& tx, const v1::Alert& alert, absl::Time due) {
  work::Schedule(tx, names::OrganizationId(alert.name()), kUrgentHoldWork,
                 names::Last(alert.name()), due);
}

void ScheduleEscalation(sql::Transaction& tx, const v1::Alert& alert) {
  const absl::string_view organization_id = names::OrganizationId(alert.name());
  const absl::string_view id = names::Last(alert.name());
  if (alert.state() == v1::ALERT_STATE_OPEN && alert.has_acknowledge_before_time()) {
    work::Schedule(tx, organization_id, kEscalationWork, id,
                   time::ToTime(alert.acknowledge_before_time()));
  } else {
    work::Unschedule(tx, organization_id, kEscalationWork, id);
  }
}

}  // namespace

std::string Document(const v1::Alert& alert) {
  v1::Alert stored = alert;
  stored.clear_etag();
  if (stored.has_resolution()) {
    stored.mutable_resolution()->clear_safety_plan_reason();
    stored.mutable_resolution()->clear_guardian_reason();
    stored.mutable_resolution()->clear_comment();
  }
  return stored.SerializeAsString();
}

std::string ResolutionTextsName(absl::string_view alert) {
  return absl::StrCat(alert, "/resolutionTexts");
}

absl::StatusOr<std::string> InsertResolutionTexts(sql::Transaction& tx, const crypto::Vault& vault,
                                                  const v1::Alert& alert) {
  const v1::AlertResolution& resolution = alert.resolution();
  v1::AlertResolution texts;
  texts.set_safety_plan_reason(resolution.safety_plan_reason());
  texts.set_guardian_reason(resolution.guardian_reason());
  texts.set_comment(resolution.comment());
  if (texts.ByteSizeLong() == 0) return std::string();
  const std::string& about = alert.respondent().empty() ? alert.patient() : alert.respondent();
  ASSIGN_OR_RETURN(const std::string sealed,
                   vault.Seal(tx, TextsPlace(alert.name(), about), texts.SerializeAsString(),
                              time::ToTime(resolution.resolve_time())));
  tx.Defer(kInsertTexts, {OrganizationOf(alert.name()), sql::Text(names::Last(alert.name())),
                          sql::Text(about), sql::Bytes(sealed)});
  return sealed;
}

absl::Status ReadResolutionTexts(sql::Session& session, const crypto::Vault& vault,
                                 const std::vector<v1::Alert*>& alerts) {
  std::map<std::string, v1::Alert*> resolved;
  std::string ids = "[";
  for (v1::Alert* alert : alerts) {
    if (!alert->has_resolution()) continue;
    const std::string id(names::Last(alert->name()));
    resolved[id] = alert;
    if (ids.size() > 1) ids += ',';
    telemetry::AppendJsonString(ids, id);
  }
  if (resolved.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetTexts, {OrganizationOf(alerts.front()->name()), sql::Text(ids + "]")}));
  crypto::Opener opener(vault, session);
  for (size_t row = 0; row < rows.rows(); ++row) {
    v1::Alert& alert = *resolved.at(rows.Text(row, 0));
    const absl::StatusOr<std::string> opened =
        opener.Open(TextsPlace(alert.name(), rows.Text(row, 1)), rows.Bytes(row, 2));
    if (errors::Reason(opened.status()) == "ERASED") continue;
    RETURN_IF_ERROR(opened.status());
    v1::AlertResolution texts;
    if (!texts.ParseFromString(*opened)) {
      return errors::Internal("What was sealed of an alert is no resolution.");
    }
    alert.mutable_resolution()->MergeFrom(texts);
  }
  return absl::OkStatus();
}

void LockAlerts(sql::Transaction& tx, absl::string_view organization_id) {
  tx.Lock({absl::StrCat("assessment/alerts/", organization_id)});
}

absl::StatusOr<RaisedAs> RaiseOrRaiseHigher(sql::Transaction& tx, const v1::Alert& alert) {
  const sql::Value organization = OrganizationOf(alert.name());
  const absl::Time now = time::ToTime(alert.create_time());
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      tx.Query(kNewestOfKind, {organization, sql::Text(alert.source()), sql::Int(alert.kind())}));
  if (!rows.empty()) {
    ASSIGN_OR_RETURN(StoredAlert before, Parse(rows, 0));
    v1::Alert higher = before.alert;
    if (!RaiseHigher(alert, higher)) return RaisedAs{std::move(before.alert), before.version};
    if (before.alert.state() != v1::ALERT_STATE_RESOLVED) {
      RETURN_IF_ERROR(UpdateAlert(tx, higher, before.version));
      higher.set_etag(call::Etag(before.version + 1));
      if (WantsHold(higher)) ScheduleHold(tx, higher, now);
      return RaisedAs{std::move(higher), before.version + 1, true};
    }
  }
  const std::string& about = alert.respondent().empty() ? alert.patient() : alert.respondent();
  RETURN_IF_ERROR(
      tx.Query(kInsert, {organization, sql::Text(names::Last(alert.name())),
                         sql::Text(alert.course()), sql::Text(about), sql::Int(alert.kind()),
                         sql::Text(alert.source()), sql::Int(alert.state()),
                         sql::Text(alert.owner()), sql::Micros(now), sql::Bytes(Document(alert))})
          .status());
  ScheduleEscalation(tx, alert);
  if (WantsHold(alert)) ScheduleHold(tx, alert, now);
  return RaisedAs{alert, 1, true};
}

absl::Status MarkSourceVoided(sql::Transaction& tx, absl::string_view source, absl::Time now) {
  LockAlerts(tx, names::OrganizationId(source));
  ASSIGN_OR_RETURN(const sql::Result rows,
                   tx.Query(kOfSource, {OrganizationOf(source), sql::Text(source)}));
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(StoredAlert stored, Parse(rows, row));
    auto& [alert, version] = stored;
    if (alert.source_voided()) continue;
    alert.set_source_voided(true);
    RETURN_IF_ERROR(UpdateAlert(tx, alert, version));
    call::RecordOwnAct(tx, "assessment", "MarkSourceVoided", alert.name(), version + 1, now,
                       EventOf(alert), Document(alert));
  }
  return absl::OkStatus();
}

void InsertEscalated(sql::Transaction& tx, absl::string_view alert,
                     const std::vector<std::string>& clinicians) {
  for (const std::string& clinician : clinicians) {
    tx.Defer(kInsertEscalated,
             {OrganizationOf(alert), sql::Text(clinician), sql::Text(names::Last(alert))});
  }
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
  if (updated.affected() != 1) {
    return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
  }
  ScheduleEscalation(tx, alert);
  return absl::OkStatus();
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
                                                             absl::string_view respondent) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kLastAssessed, {OrganizationOf(respondent),
                                                                         sql::Text(respondent)}));
  if (rows.IsNull(0, 0)) return std::nullopt;
  return rows.Time(0, 0);
}

absl::StatusOr<std::optional<AtRisk>> FindAtRisk(sql::Session& session,
                                                 const std::vector<std::string>& respondents,
                                                 absl::Time since, absl::Time at) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kAtRisk, {OrganizationOf(respondents.front()), sql::Text(respondents.front()),
                              sql::Text(respondents.back()), sql::Micros(since), sql::Micros(at)}));
  if (rows.empty()) return std::nullopt;
  return AtRisk{rows.Text(0, 0), rows.Text(0, 1)};
}

absl::StatusOr<std::vector<ToldAlert>> ListTold(sql::Session& session,
                                                absl::string_view organization_id, int64_t after,
                                                int64_t up_to, int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kTold, {sql::Text(organization_id), sql::Int(after),
                                         sql::Int(up_to), sql::Int(limit)}));
  std::vector<ToldAlert> told;
  told.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(StoredAlert stored, Parse(rows, row));
    told.push_back({rows.Int(row, 2), rows.Time(row, 3), std::move(stored.alert),
                    rows.IsNull(row, 4) ? "" : rows.Text(row, 4)});
  }
  return told;
}

absl::StatusOr<std::vector<CoverNow>> ListCovers(sql::Session& session,
                                                 absl::string_view organization_id,
                                                 absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCovers, {sql::Text(organization_id), sql::Micros(now)}));
  std::vector<CoverNow> covers;
  covers.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    covers.push_back({rows.Text(row, 0), rows.Text(row, 1)});
  }
  return covers;
}

}  // namespace rapport::assessment::store
