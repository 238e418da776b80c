#include "services/assessment/store/assessments.h"

#include <limits>
#include <utility>

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/store/paging.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kInsert{"assessment.assessment.insert", R"sql(
  INSERT INTO assessment (organization_id, assessment_id, course, patient, instrument, answer_time,
                          record_time, total, complete, prorated, severity, diagnostic, version,
                          document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13))sql"};

const sql::Statement kGet{"assessment.assessment.get", R"sql(
  SELECT document, version FROM assessment
  WHERE organization_id = $1 AND assessment_id = $2)sql"};

const sql::Statement kPrevious{"assessment.assessment.previous", R"sql(
  SELECT document, version FROM assessment
  WHERE organization_id = $1 AND course = $2 AND instrument = $3 AND answer_time < $4
  ORDER BY answer_time DESC, assessment_id DESC LIMIT 1)sql"};

const sql::Statement kList{"assessment.assessment.list", R"sql(
  SELECT document, version, answer_time, assessment_id FROM assessment
  WHERE organization_id = $1 AND course = $2 AND (answer_time, assessment_id) > ($3, $4)
    AND ($5 = '' OR instrument = $5)
  ORDER BY answer_time, assessment_id LIMIT $6)sql"};

const sql::Statement kForms{"assessment.assessment.forms", R"sql(
  SELECT assessment_id, instrument, answer_time, total, complete, prorated, severity, diagnostic
  FROM assessment WHERE organization_id = $1 AND course = $2
  ORDER BY answer_time, assessment_id)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

absl::StatusOr<v1::Assessment> Parse(const sql::Result& rows, size_t row) {
  v1::Assessment assessment;
  if (!assessment.ParseFromString(rows.Bytes(row, 0))) {
    return errors::Internal("A stored document is no assessment.");
  }
  assessment.set_etag(call::Etag(rows.Int(row, 1)));
  return assessment;
}

}  // namespace

std::string Document(const v1::Assessment& assessment) {
  v1::Assessment stored = assessment;
  stored.clear_etag();
  return stored.SerializeAsString();
}

void InsertAssessment(sql::Transaction& tx, const v1::Assessment& assessment,
                      absl::string_view instrument_id) {
  const v1::Score& score = assessment.score();
  tx.Defer(kInsert,
           {OrganizationOf(assessment.name()), sql::Text(names::Last(assessment.name())),
            sql::Text(assessment.course()), sql::Text(assessment.patient()),
            sql::Text(instrument_id), sql::Micros(time::ToTime(assessment.answer_time())),
            sql::Micros(time::ToTime(assessment.record_time())),
            score.has_total() ? sql::Value(score.total()) : sql::Value(sql::Null{}),
            sql::Bool(score.complete()), sql::Bool(score.prorated()), sql::Text(score.severity()),
            sql::Text(score.diagnostic()), sql::Bytes(Document(assessment))});
}

absl::StatusOr<v1::Assessment> GetAssessment(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {OrganizationOf(name), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Assessment");
  return Parse(rows, 0);
}

absl::StatusOr<std::optional<v1::Assessment>> PreviousAssessment(sql::Session& session,
                                                                 absl::string_view course,
                                                                 absl::string_view instrument_id,
                                                                 absl::Time answer_time) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kPrevious, {OrganizationOf(course), sql::Text(course),
                                             sql::Text(instrument_id), sql::Micros(answer_time)}));
  if (rows.empty()) return std::nullopt;
  return Parse(rows, 0);
}

absl::StatusOr<AssessmentPage> ListAssessments(sql::Session& session, absl::string_view course,
                                               absl::string_view instrument_id,
                                               const call::Page& page) {
  const Place after = Place::After(page, {std::numeric_limits<int64_t>::min(), ""});
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kList, {OrganizationOf(course), sql::Text(course),
                                         sql::Int(after.micros), sql::Text(after.name),
                                         sql::Text(instrument_id), sql::Int(page.size + 1)}));
  AssessmentPage listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    ASSIGN_OR_RETURN(v1::Assessment assessment, Parse(rows, row));
    listed.assessments.push_back(std::move(assessment));
  }
  if (rows.rows() > size) {
    listed.next_key = Place{rows.Int(size - 1, 2), rows.Text(size - 1, 3)}.Key();
  }
  return listed;
}

absl::StatusOr<std::vector<Form>> ListForms(sql::Session& session, absl::string_view course) {
  const absl::string_view organization = names::OrganizationId(course);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kForms, {sql::Text(organization), sql::Text(course)}));
  std::vector<Form> forms;
  forms.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    const bool has_total = !rows.IsNull(row, 3);
    forms.push_back(
        {.assessment = names::InOrganization(organization, "assessments", rows.Text(row, 0)),
         .instrument = rows.Text(row, 1),
         .answer_time = rows.Time(row, 2),
         .has_total = has_total,
         .total = has_total ? rows.Real(row, 3) : 0,
         .complete = rows.Bool(row, 4),
         .prorated = rows.Bool(row, 5),
         .severity = rows.Text(row, 6),
         .diagnostic = rows.Text(row, 7)});
  }
  return forms;
}

}  // namespace rapport::assessment::store
