#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_COURSE_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_COURSE_STORE_H_

#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Courses, by the ids in their names. What is derived from appointments (sessions_used, phase and
// so on) is not stored and comes beside, of the course's running segment.
namespace rapport::scheduling::store {

struct CourseRow : Stored<v1::Course> {
  bool sees_to = false;     // the scope's clinician treats, or covers for who does
  bool supervises = false;  // the scope's clinician supervises who treats
  SessionCounts sessions;
  bool formulation_agreed = false;  // by what notes last told
};

// Whoever asks: the caller decides by the row what may be known. kNotFound.
absl::StatusOr<CourseRow> GetCourse(sql::Session& session, absl::string_view name,
                                    const Scope& scope);

// What the scope's clinician has to do with a course, and which version it has. kNotFound.
struct CourseRelation {
  int64_t version = 0;
  bool sees_to = false;
  bool supervises = false;
};
absl::StatusOr<CourseRelation> GetCourseRelation(sql::Session& session, absl::string_view name,
                                                 const Scope& scope);

// Whether the scope's clinician is `clinician`, or covers for them.
absl::StatusOr<bool> SeesTo(sql::Session& session, absl::string_view clinician, const Scope& scope);

// How many courses of `clinician` have not ended.
absl::StatusOr<int> CountOpenCourses(sql::Session& session, absl::string_view clinician);

// The sessions of the running segments of `courses` that were held or are being held, and who was
// there besides the patient: by the place of the course in `courses`, then by number. One
// statement.
absl::StatusOr<std::vector<std::vector<AttendedSession>>> ListAttended(
    sql::Session& session, absl::string_view organization_id,
    absl::Span<const v1::Course* const> courses);

// What of a course is BOOKED or HELD to begin after `now`, by start.
absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListStanding(sql::Session& session,
                                                                  absl::string_view course,
                                                                  absl::Time now);

absl::Status InsertCourse(sql::Transaction& tx, const v1::Course& course);

// To version + 1. kAborted LOST_RACE.
absl::Status UpdateCourse(sql::Transaction& tx, const v1::Course& course, int64_t version);

// Keeps what notes tells of the course's case, unless it is known at `case_version` or newer;
// whether it was kept.
absl::StatusOr<bool> PutCase(sql::Transaction& tx, absl::string_view course, int64_t case_version,
                             bool determination_reopened, bool formulation_agreed);

// Whether by what notes last told the determination is opened again with none in force.
absl::StatusOr<bool> DeterminationReopened(sql::Session& session, absl::string_view course);

struct CourseFilter {
  std::string clinician_id;             // empty: any
  std::string patient_id;               // or partner; empty: any
  std::vector<v1::CourseState> states;  // empty: any
};
// Newest first; the key of the last course of the page before.
struct CourseKey {
  int64_t create_micros = std::numeric_limits<int64_t>::max();
  std::string id;
};

// Those within the scope.
absl::StatusOr<std::vector<CourseRow>> ListCourses(sql::Session& session,
                                                   absl::string_view organization_id,
                                                   const Scope& scope, const CourseFilter& filter,
                                                   const CourseKey& after, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_COURSE_STORE_H_
