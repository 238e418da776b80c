#include "services/assessment/store/erasure.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kMark{"assessment.erased_patient.insert", R"sql(
  INSERT INTO erased_patient (organization_id, patient, erasure, erase_time)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, patient) DO NOTHING)sql"};

const sql::Statement kErasureOf{"assessment.erased_patient.get", R"sql(
  SELECT erasure FROM erased_patient WHERE organization_id = $1 AND patient = $2)sql"};

const sql::Statement kCoursesOf{"assessment.erasure.courses", R"sql(
  SELECT course FROM assessment WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM rhythm_day WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM measure_request WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM alert WHERE organization_id = $1 AND patient = $2
  UNION SELECT course FROM outcome_course WHERE organization_id = $1 AND respondent = $2
  ORDER BY 1)sql"};

const sql::Statement kRequestsTo{"assessment.erasure.requests", R"sql(
  SELECT document, version FROM measure_request WHERE organization_id = $1 AND patient = $2
  ORDER BY measure_request_id)sql"};

const sql::Statement kAlertsAbout{"assessment.erasure.alerts", R"sql(
  SELECT document, version FROM alert WHERE organization_id = $1 AND patient = $2
  ORDER BY alert_id)sql"};

const sql::Statement kUnlinkAlert{"assessment.erasure.unlink_alert", R"sql(
  UPDATE alert SET course = $3, patient = $4, source = $4
  WHERE organization_id = $1 AND alert_id = $2)sql"};

const sql::Statement kTotals{"assessment.erasure.totals", R"sql(
  INSERT INTO unlinked_total (organization_id, subject, number, instrument, day, total, complete,
                              prorated, severity)
  SELECT organization_id, $3, row_number() OVER (ORDER BY answer_time, assessment_id), instrument,
         (answer_time - min(answer_time) OVER ()) / 86400000000, total, complete, prorated, severity
  FROM assessment
  WHERE organization_id = $1 AND patient = $2 AND void_time IS NULL)sql"};

const sql::Statement kOutcomeCourses{"assessment.erasure.outcome_courses", R"sql(
  SELECT course FROM outcome_course WHERE organization_id = $1 AND respondent = $2
  ORDER BY course)sql"};

// The time of the first session would lead to its appointment; the month stays.
const sql::Statement kMoveCourse{"assessment.erasure.move_course", R"sql(
  UPDATE outcome_course
  SET course = $4, respondent = $4, under_way = 0, first_session_time = 0
  WHERE organization_id = $1 AND course = $2 AND respondent = $3)sql"};
const sql::Statement kMoveScores{"assessment.erasure.move_scores", R"sql(
  UPDATE outcome_score SET course = $4, respondent = $4
  WHERE organization_id = $1 AND course = $2 AND respondent = $3)sql"};

const sql::Statement kDeleteForms{"assessment.erasure.delete_forms", R"sql(
  DELETE FROM assessment WHERE organization_id = $1 AND patient = $2
  RETURNING assessment_id)sql"};
const sql::Statement kDeleteDays{"assessment.erasure.delete_days", R"sql(
  DELETE FROM rhythm_day WHERE organization_id = $1 AND patient = $2
  RETURNING course, date)sql"};
const sql::Statement kDeleteRequests{"assessment.erasure.delete_requests", R"sql(
  DELETE FROM measure_request WHERE organization_id = $1 AND patient = $2
  RETURNING measure_request_id)sql"};

const sql::Statement kDropFocus{"assessment.erasure.drop_focus", R"sql(
  DELETE FROM outcome_focus WHERE organization_id = $1 AND course = $2)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

template <class Message>
absl::Status ReadRow(const sql::Result& rows, size_t row, Message& message, int64_t& version) {
  if (!message.ParseFromString(rows.Bytes(row, 0))) {
    return errors::Internal("A stored document can't be read.");
  }
  version = rows.Int(row, 1);
  message.set_etag(call::Etag(version));
  return absl::OkStatus();
}

void Count(std::vector<common::v1::ErasedKind>& kinds, absl::string_view kind, size_t count) {
  if (count == 0) return;
  kinds.emplace_back().set_kind(std::string(kind));
  kinds.back().set_count(static_cast<int32_t>(count));
}

}  // namespace

void MarkErased(sql::Transaction& tx, absl::string_view patient, absl::string_view erasure,
                absl::Time now) {
  tx.Defer(kMark,
           {OrganizationOf(patient), sql::Text(patient), sql::Text(erasure), sql::Micros(now)});
}

absl::StatusOr<std::string> ErasureOf(sql::Session& session, absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kErasureOf, {OrganizationOf(patient), sql::Text(patient)}));
  return rows.empty() ? std::string() : rows.Text(0, 0);
}

absl::StatusOr<bool> IsErased(sql::Session& session, absl::string_view patient) {
  ASSIGN_OR_RETURN(const std::string erasure, ErasureOf(session, patient));
  return !erasure.empty();
}

absl::StatusOr<std::vector<std::string>> ListCoursesOf(sql::Session& session,
                                                       absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCoursesOf, {OrganizationOf(patient), sql::Text(patient)}));
  std::vector<std::string> courses;
  for (size_t row = 0; row < rows.rows(); ++row) courses.push_back(rows.Text(row, 0));
  return courses;
}

absl::StatusOr<std::vector<StoredRequest>> ListRequestsTo(sql::Session& session,
                                                          absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kRequestsTo, {OrganizationOf(patient), sql::Text(patient)}));
  std::vector<StoredRequest> requests(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    RETURN_IF_ERROR(ReadRow(rows, row, requests[row].request, requests[row].version));
  }
  return requests;
}

absl::StatusOr<std::vector<StoredAlert>> ListAlertsAbout(sql::Session& session,
                                                         absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kAlertsAbout, {OrganizationOf(patient), sql::Text(patient)}));
  std::vector<StoredAlert> alerts(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    RETURN_IF_ERROR(ReadRow(rows, row, alerts[row].alert, alerts[row].version));
  }
  return alerts;
}

void UnlinkAlert(sql::Transaction& tx, absl::string_view alert, absl::string_view subject) {
  const absl::string_view organization_id = names::OrganizationId(alert);
  tx.Defer(kUnlinkAlert,
           {sql::Text(organization_id), sql::Text(names::Last(alert)),
            sql::Text(names::InOrganization(organization_id, "courses", names::Last(subject))),
            sql::Text(subject)});
}

absl::StatusOr<std::vector<common::v1::ErasedKind>> MoveAndDelete(sql::Transaction& tx,
                                                                  absl::string_view patient,
                                                                  absl::string_view subject,
                                                                  std::vector<std::string>& names) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  const sql::Value organization = sql::Text(organization_id);
  const sql::Value of = sql::Text(patient);
  tx.Defer(kTotals, {organization, of, sql::Text(subject)});
  ASSIGN_OR_RETURN(const sql::Result courses, tx.Query(kOutcomeCourses, {organization, of}));
  for (size_t row = 0; row < courses.rows(); ++row) {
    const sql::Value course = sql::Text(courses.Text(row, 0));
    const sql::Value other =
        sql::Text(names::InOrganization(organization_id, "erased", ids::NewUlid()));
    tx.Defer(kMoveCourse, {organization, course, of, other});
    tx.Defer(kMoveScores, {organization, course, of, other});
  }
  std::vector<common::v1::ErasedKind> kinds;
  ASSIGN_OR_RETURN(const sql::Result forms, tx.Query(kDeleteForms, {organization, of}));
  for (size_t row = 0; row < forms.rows(); ++row) {
    names.push_back(names::InOrganization(organization_id, "assessments", forms.Text(row, 0)));
  }
  Count(kinds, "assessment", forms.rows());
  ASSIGN_OR_RETURN(const sql::Result requests, tx.Query(kDeleteRequests, {organization, of}));
  for (size_t row = 0; row < requests.rows(); ++row) {
    names.push_back(
        names::InOrganization(organization_id, "measureRequests", requests.Text(row, 0)));
  }
  Count(kinds, "measure_request", requests.rows());
  ASSIGN_OR_RETURN(const sql::Result days, tx.Query(kDeleteDays, {organization, of}));
  for (size_t row = 0; row < days.rows(); ++row) {
    names.push_back(absl::StrCat(days.Text(row, 0), "/patients/", names::Last(patient),
                                 "/rhythmDays/", days.Text(row, 1)));
  }
  Count(kinds, "rhythm_day", days.rows());
  return kinds;
}

void DropFocus(sql::Transaction& tx, absl::string_view course) {
  tx.Defer(kDropFocus, {OrganizationOf(course), sql::Text(course)});
}

}  // namespace rapport::assessment::store
