#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_OUTCOMES_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_OUTCOMES_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "services/assessment/domain/disclosure.h"
#include "services/assessment/domain/outcomes.h"

// What outcomes are told from: a row for each patient's course that has begun, and one for each
// instrument that it has two scores of. Everything is named by full resource names.
namespace rapport::assessment::store {

// One patient's part in a course.
struct RespondentOutcome {
  std::string respondent;
  CourseOutcome course;
  std::vector<ScoreOutcome> scores;

  friend bool operator==(const RespondentOutcome&, const RespondentOutcome&) = default;
};

// Puts `outcomes` in the place of all that is kept of the course. Deferred. `time_zone` is the
// clinic's, as far as it was known.
void PutOutcomes(sql::Transaction& tx, absl::string_view course, absl::string_view time_zone,
                 const std::vector<RespondentOutcome>& outcomes);

// What is kept, by course and respondent, scores by instrument.
struct KeptOutcome {
  std::string course;
  RespondentOutcome outcome;

  friend bool operator==(const KeptOutcome&, const KeptOutcome&) = default;
};
absl::StatusOr<std::vector<KeptOutcome>> ListOutcomes(sql::Session& session,
                                                      absl::string_view organization_id);

// Courses of a clinic that were reckoned with another zone.
absl::StatusOr<std::vector<std::string>> ListCoursesOfOtherZone(sql::Session& session,
                                                                absl::string_view clinic,
                                                                absl::string_view time_zone);

// Brings the primary problem area of a course up to version `version` of its case; nothing where
// that is not newer.
void PutFocus(sql::Transaction& tx, absl::string_view course, int64_t version, int problem_area);

// 0: none was chosen, or nothing is known.
absl::StatusOr<int> GetFocus(sql::Session& session, absl::string_view course);

// Brings where a clinician works up to version `version` of them; nothing where that is not newer.
void PutClinicsOf(sql::Transaction& tx, absl::string_view clinician, int64_t version,
                  const std::vector<std::string>& clinics);
absl::StatusOr<std::vector<std::string>> ClinicsOf(sql::Session& session,
                                                   absl::string_view clinician);

// All courses that the replica knows or outcomes are kept of, by name, those after `after`.
absl::StatusOr<std::vector<std::string>> ListCourses(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view after, int limit);

struct OutcomeQuery {
  std::string organization_id;
  std::string instrument;  // id
  // By what; a group's value is empty (0) where it is not by it.
  bool by_clinic = false;
  bool by_clinician = false;
  bool by_protocol = false;
  bool by_problem_area = false;
  int period_months = 0;  // 1, 3, 12; 0: not by time
  bool by_tenth = false;  // of the baseline; those without scores are then left out
  // Of what; empty: of all.
  std::string clinic;
  std::string clinician;
  std::string protocol;
  int first_month = 0;  // inclusive
  int last_month = std::numeric_limits<int32_t>::max();
};
struct OutcomeGroup {
  std::string clinic;
  std::string clinician;
  std::string protocol;
  int problem_area = 0;
  int period = 0;  // months over period_months
  int tenth = 0;
  CourseSums sums;
};
// In one statement; in no order.
absl::StatusOr<std::vector<OutcomeGroup>> SumOutcomes(sql::Session& session,
                                                      const OutcomeQuery& query);

// How many courses share what Disclosure looks at.
absl::StatusOr<std::vector<Disclosure::Group>> CountOutcomes(sql::Session& session,
                                                             absl::string_view organization_id,
                                                             absl::string_view instrument);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_OUTCOMES_H_
