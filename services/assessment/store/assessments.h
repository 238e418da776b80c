#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "services/assessment/domain/sessions.h"

// Recorded forms. They are inserted once, at version 1, and never change. Resources come with their
// etag. Everything is named by full resource names, of one organisation.
namespace rapport::assessment::store {

// What is stored of `assessment`: all but its etag.
std::string Document(const v1::Assessment& assessment);

// Deferred to the next round trip. `instrument_id` as "phq-9".
void InsertAssessment(sql::Transaction& tx, const v1::Assessment& assessment,
                      absl::string_view instrument_id);

// kNotFound ("Assessment").
absl::StatusOr<v1::Assessment> GetAssessment(sql::Session& session, absl::string_view name);

// The course's last form of the instrument before `answer_time`; nothing: none.
absl::StatusOr<std::optional<v1::Assessment>> PreviousAssessment(sql::Session& session,
                                                                 absl::string_view course,
                                                                 absl::string_view instrument_id,
                                                                 absl::Time answer_time);

struct AssessmentPage {
  std::vector<v1::Assessment> assessments;
  std::string next_key;  // empty: this was the last
};
// The forms of a course by answer time; of one instrument, or of all where the id is empty.
absl::StatusOr<AssessmentPage> ListAssessments(sql::Session& session, absl::string_view course,
                                               absl::string_view instrument_id,
                                               const call::Page& page);

// All forms of a course by answer time, without their documents.
absl::StatusOr<std::vector<Form>> ListForms(sql::Session& session, absl::string_view course);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_ASSESSMENTS_H_
