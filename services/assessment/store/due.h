#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_DUE_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_DUE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "services/assessment/domain/sessions.h"
#include "services/assessment/store/paging.h"

// What the questionnaires that are due follow from: the replica's appointments and courses, and the
// forms recorded. Read for many courses at once, in a fixed number of statements.
namespace rapport::assessment::store {

// Brings course_clinician up to a course's event; nothing where it is not newer.
void PutCourseClinician(sql::Transaction& tx, absl::string_view course, int64_t version,
                        const scheduling::v1::CourseEvent& state);

Session ToSession(const care::AppointmentFacts& appointment);

// Whose sessions are meant: of one course or of all courses of a clinician; the other is empty.
struct Whose {
  std::string organization_id;
  std::string course;
  std::string clinician;
};

struct CourseSession {
  std::string course;
  scheduling::v1::CourseEvent state;
  Session session;
  int64_t start_micros = 0;
};
// Those that count towards their course, by start and appointment, from `from` on (inclusive).
absl::StatusOr<std::vector<CourseSession>> ListSessions(sql::Session& session, const Whose& whose,
                                                        const Place& from, int limit);

struct CourseForm {
  std::string course;
  Form form;
};
// Forms filled in from `first` to `last` that were not voided, by answer time.
absl::StatusOr<std::vector<CourseForm>> ListFormsBetween(sql::Session& session, const Whose& whose,
                                                         absl::Time first, absl::Time last);

// A course in whose plan days count (see CountsDays).
struct DayCourse {
  std::string course;
  scheduling::v1::CourseEvent state;
  // Start of the first session of the segment that is running; while it has none, of the last
  // session before; InfiniteFuture where there is none either.
  absl::Time since;
};
absl::StatusOr<std::vector<DayCourse>> ListDayCourses(sql::Session& session, const Whose& whose);

// The newest complete form of each instrument and respondent of these courses, without its name.
absl::StatusOr<std::vector<CourseForm>> ListNewestForms(sql::Session& session, const Whose& whose);

// A request for a form of an instrument by a respondent, for a session.
struct SessionRequest {
  std::string appointment;
  std::string instrument;  // id
  std::string patient;
  std::string request;  // its name
};
// Those for sessions that start from `first` to `last`, but cancelled ones; the newest comes last.
absl::StatusOr<std::vector<SessionRequest>> ListSessionRequests(sql::Session& session,
                                                                const Whose& whose,
                                                                absl::Time first, absl::Time last);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_DUE_H_
