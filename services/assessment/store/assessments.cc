#include "services/assessment/store/assessments.h"

#include <algorithm>
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
                          document, sealed, revision, positive, full_syndrome)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 1, $12, $13, $14, $15, $16))sql"};

const sql::Statement kGet{"assessment.assessment.get", R"sql(
  SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1 AND assessment_id = $2)sql"};

const sql::Statement kGetSome{"assessment.assessment.get_some", R"sql(
  SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1
    AND assessment_id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                          $17))sql"};

const sql::Statement kVoid{"assessment.assessment.void", R"sql(
  UPDATE assessment SET void_time = $4, version = version + 1, document = $5
  WHERE organization_id = $1 AND assessment_id = $2 AND version = $3 AND void_time IS NULL
  RETURNING sealed)sql"};

const sql::Statement kPrevious{"assessment.assessment.previous", R"sql(
  SELECT document, version, sealed, assessment_id, patient FROM assessment
  WHERE organization_id = $1 AND course = $2 AND patient = $3 AND instrument = $4
    AND answer_time < $5 AND void_time IS NULL
  ORDER BY answer_time DESC, assessment_id DESC LIMIT 1)sql"};

const sql::Statement kList{"assessment.assessment.list", R"sql(
  SELECT document, version, sealed, assessment_id, patient, answer_time FROM assessment
  WHERE organization_id = $1 AND course = $2 AND (answer_time, assessment_id) > ($3, $4)
    AND ($5 = '' OR instrument = $5) AND ($6 = '' OR patient = $6)
    AND ($7 = 1 OR void_time IS NULL)
  ORDER BY answer_time, assessment_id LIMIT $8)sql"};

const sql::Statement kForms{"assessment.assessment.forms", R"sql(
  SELECT assessment_id, instrument, patient, answer_time, total, complete, prorated, severity,
         full_syndrome, revision, positive
  FROM assessment WHERE organization_id = $1 AND course = $2 AND void_time IS NULL
  ORDER BY answer_time, assessment_id)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

crypto::Place PlaceOf(absl::string_view name, absl::string_view patient) {
  return {.organization_id = std::string(names::OrganizationId(name)),
          .subject = std::string(patient),
          .resource = std::string(name),
          .version = 1,
          .field = "answers"};
}

// All that is stored plain.
std::string Document(const v1::Assessment& assessment) {
  v1::Assessment stored = assessment;
  stored.clear_etag();
  stored.clear_answers();
  stored.clear_context();
  stored.clear_total_only();
  return stored.SerializeAsString();
}

// From the columns document, version, sealed, assessment_id and patient: what was sealed opens at
// the row's own place alone, whatever the document says.
absl::StatusOr<StoredAssessment> Parse(crypto::Opener& opener, absl::string_view organization_id,
                                       const sql::Result& rows, size_t row) {
  StoredAssessment stored;
  v1::Assessment& assessment = stored.assessment;
  if (!assessment.ParseFromString(rows.Bytes(row, 0))) {
    return errors::Internal("A stored document is no assessment.");
  }
  stored.version = rows.Int(row, 1);
  assessment.set_etag(call::Etag(stored.version));
  if (rows.IsNull(row, 2)) return stored;
  const std::string name = names::InOrganization(organization_id, "assessments", rows.Text(row, 3));
  const absl::StatusOr<std::string> opened =
      opener.Open(PlaceOf(name, rows.Text(row, 4)), rows.Bytes(row, 2));
  if (errors::Reason(opened.status()) == "ERASED") return stored;
  RETURN_IF_ERROR(opened.status());
  v1::Assessment answers;
  if (!answers.ParseFromString(*opened)) {
    return errors::Internal("What was sealed of an assessment are no answers.");
  }
  assessment.MergeFrom(answers);
  return stored;
}

bool IsPositive(const v1::Score& score) {
  return std::any_of(score.flags().begin(), score.flags().end(), [](const v1::FlagScore& flag) {
    return flag.id() == "positive" && flag.holds();
  });
}

}  // namespace

absl::StatusOr<std::string> InsertAssessment(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::Assessment& assessment,
                                             absl::string_view instrument_id) {
  v1::Assessment answers;
  *answers.mutable_answers() = assessment.answers();
  *answers.mutable_context() = assessment.context();
  if (assessment.has_total_only()) answers.set_total_only(assessment.total_only());
  const absl::Time record_time = time::ToTime(assessment.record_time());
  ASSIGN_OR_RETURN(const std::string sealed,
                   vault.Seal(tx, PlaceOf(assessment.name(), assessment.patient()),
                              answers.SerializeAsString(), record_time));
  const std::string document = Document(assessment);
  const v1::Score& score = assessment.score();
  tx.Defer(
      kInsert,
      {OrganizationOf(assessment.name()), sql::Text(names::Last(assessment.name())),
       sql::Text(assessment.course()), sql::Text(assessment.patient()), sql::Text(instrument_id),
       sql::Micros(time::ToTime(assessment.answer_time())), sql::Micros(record_time),
       score.has_total() ? sql::Value(score.total()) : sql::Value(sql::Null{}),
       sql::Bool(score.complete()), sql::Bool(score.prorated()), sql::Text(score.severity()),
       sql::Bytes(document), sql::Bytes(sealed), sql::Text(assessment.instrument()),
       sql::Bool(IsPositive(score)), sql::Bool(score.full_syndrome())});
  return document + sealed;
}

absl::StatusOr<StoredAssessment> GetAssessment(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {OrganizationOf(name), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Assessment");
  crypto::Opener opener(vault, session);
  return Parse(opener, names::OrganizationId(name), rows, 0);
}

absl::StatusOr<std::vector<v1::Assessment>> GetAssessments(sql::Session& session,
                                                           const crypto::Vault& vault,
                                                           absl::Span<const std::string> names) {
  constexpr size_t kAtOnce = 16;
  crypto::Opener opener(vault, session);
  std::vector<v1::Assessment> assessments;
  for (size_t from = 0; from < names.size(); from += kAtOnce) {
    const absl::string_view organization = names::OrganizationId(names[from]);
    std::vector<sql::Value> parameters = {sql::Text(organization)};
    for (size_t i = from; i < from + kAtOnce; ++i) {
      parameters.push_back(sql::Text(i < names.size() ? names::Last(names[i]) : ""));
    }
    ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kGetSome, parameters));
    for (size_t row = 0; row < rows.rows(); ++row) {
      ASSIGN_OR_RETURN(StoredAssessment stored, Parse(opener, organization, rows, row));
      assessments.push_back(std::move(stored.assessment));
    }
  }
  return assessments;
}

absl::StatusOr<std::string> VoidAssessment(sql::Transaction& tx, const v1::Assessment& assessment,
                                           int64_t version) {
  std::string document = Document(assessment);
  ASSIGN_OR_RETURN(
      const sql::Result updated,
      tx.Query(kVoid, {OrganizationOf(assessment.name()), sql::Text(names::Last(assessment.name())),
                       sql::Int(version), sql::Micros(time::ToTime(assessment.void_().void_time())),
                       sql::Bytes(document)}));
  if (updated.rows() == 1) {
    return updated.IsNull(0, 0) ? document : document + updated.Bytes(0, 0);
  }
  return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
}

absl::StatusOr<std::optional<v1::Assessment>> PreviousAssessment(
    sql::Session& session, const crypto::Vault& vault, absl::string_view course,
    absl::string_view patient, absl::string_view instrument_id, absl::Time answer_time) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kPrevious, {OrganizationOf(course), sql::Text(course), sql::Text(patient),
                                sql::Text(instrument_id), sql::Micros(answer_time)}));
  if (rows.empty()) return std::nullopt;
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(StoredAssessment stored, Parse(opener, names::OrganizationId(course), rows, 0));
  return std::move(stored.assessment);
}

absl::StatusOr<AssessmentPage> ListAssessments(sql::Session& session, const crypto::Vault& vault,
                                               const AssessmentQuery& query,
                                               const call::Page& page) {
  const Place after = Place::After(page, {std::numeric_limits<int64_t>::min(), ""});
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kList, {OrganizationOf(query.course), sql::Text(query.course),
                                         sql::Int(after.micros), sql::Text(after.name),
                                         sql::Text(query.instrument_id), sql::Text(query.patient),
                                         sql::Bool(query.include_void), sql::Int(page.size + 1)}));
  AssessmentPage listed;
  crypto::Opener opener(vault, session);
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    ASSIGN_OR_RETURN(StoredAssessment stored,
                     Parse(opener, names::OrganizationId(query.course), rows, row));
    listed.assessments.push_back(std::move(stored.assessment));
  }
  if (rows.rows() > size) {
    listed.next_key = Place{rows.Int(size - 1, 5), rows.Text(size - 1, 3)}.Key();
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
    const bool has_total = !rows.IsNull(row, 4);
    forms.push_back(
        {.assessment = names::InOrganization(organization, "assessments", rows.Text(row, 0)),
         .instrument = rows.Text(row, 1),
         .patient = rows.Text(row, 2),
         .answer_time = rows.Time(row, 3),
         .has_total = has_total,
         .total = has_total ? rows.Real(row, 4) : 0,
         .complete = rows.Bool(row, 5),
         .prorated = rows.Bool(row, 6),
         .severity = rows.Text(row, 7),
         .full_syndrome = rows.Bool(row, 8),
         .revision = rows.Text(row, 9),
         .positive = rows.Bool(row, 10)});
  }
  return forms;
}

}  // namespace rapport::assessment::store
