#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "services/assessment/domain/sessions.h"

// Recorded forms. They are inserted once, at version 1; all that ever changes is that one is
// voided. Answers, context and a total given alone are sealed for the respondent (see
// crypto::Vault), the rest is kept plain. What was sealed for someone who was erased since is left
// out of what is read. Resources come with their etag. Everything is named by full resource names,
// of one organisation.
namespace rapport::assessment::store {

// Inserts `assessment`, deferred to the next round trip, and returns what was stored of it, for the
// audit entry. `instrument_id` as "phq-9".
//   kFailedPrecondition ERASED  the respondent was erased
absl::StatusOr<std::string> InsertAssessment(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::Assessment& assessment,
                                             absl::string_view instrument_id);

struct StoredAssessment {
  v1::Assessment assessment;
  int64_t version = 0;
};

// kNotFound ("Assessment").
absl::StatusOr<StoredAssessment> GetAssessment(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view name);

// Those of `names`, of one organisation, in no order; what is absent is left out.
absl::StatusOr<std::vector<v1::Assessment>> GetAssessments(sql::Session& session,
                                                           const crypto::Vault& vault,
                                                           absl::Span<const std::string> names);

// Keeps that `assessment`, which is at `version`, was voided, and returns what was stored.
//   kAborted LOST_RACE  it is no longer at `version`
absl::StatusOr<std::string> VoidAssessment(sql::Transaction& tx, const v1::Assessment& assessment,
                                           int64_t version);

// The respondent's last form of the instrument in the course before `answer_time` that was not
// voided; nothing: none.
absl::StatusOr<std::optional<v1::Assessment>> PreviousAssessment(
    sql::Session& session, const crypto::Vault& vault, absl::string_view course,
    absl::string_view patient, absl::string_view instrument_id, absl::Time answer_time);

struct AssessmentQuery {
  std::string course;
  std::string instrument_id;  // empty: of all
  std::string patient;        // empty: of all
  bool include_void = false;
};
struct AssessmentPage {
  std::vector<v1::Assessment> assessments;
  std::string next_key;  // empty: this was the last
};
// The forms of a course by answer time.
absl::StatusOr<AssessmentPage> ListAssessments(sql::Session& session, const crypto::Vault& vault,
                                               const AssessmentQuery& query,
                                               const call::Page& page);

// All forms of a course that were not voided, by answer time, without their documents.
absl::StatusOr<std::vector<Form>> ListForms(sql::Session& session, absl::string_view course);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_
