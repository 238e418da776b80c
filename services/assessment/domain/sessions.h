#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// Which form belongs to which session, and which forms are expected.
namespace rapport::assessment {

// A form can be filled in for a session from this long before its start.
inline constexpr absl::Duration kWindow = absl::Hours(48);

// An appointment of a course.
struct Session {
  std::string appointment;  // its name
  int number = 0;           // rank among those that count towards the course; 0: does not count
  absl::Time start;
  absl::Time end;
  bool stands = true;  // neither cancelled nor missed
};

// A recorded form, as far as rules look at it.
struct Form {
  std::string assessment;  // its name
  std::string instrument;  // id, as "phq-9"
  absl::Time answer_time;
  bool has_total = false;
  double total = 0;
  bool complete = false;
  bool prorated = false;
  std::string severity = {};
  std::string diagnostic = {};
};

// The session that a form filled in at `answer_time` is for: the first standing one that has not
// ended then and whose window is open; null: none. `sessions` by start.
const Session* SessionFor(absl::Span<const Session> sessions, absl::Time answer_time);

// For each of `forms`, all of one instrument and by answer time, the number of the session that it
// counts for; 0: none. A session's form is the last complete one before its start and after the end
// of the session before, at most 28 days old; where there is none, the first complete one filled in
// during the session. `sessions` by start.
std::vector<int> SessionNumbers(absl::Span<const Session> sessions, absl::Span<const Form> forms);

// Whether `measure` is asked for at session `number` of `planned`: at session 1 and then every so
// many, and at the last planned one where it says so.
bool IsDueAt(const scheduling::v1::ProtocolMeasure& measure, int number, int planned);

// What is expected for one session, in the order of `measures`. DONE with the last form of its
// window that came to a total; OVERDUE once the session has ended without one. Nothing for a
// session that does not stand or count. `forms` are the course's, by answer time. The fields of the
// course (course, patient, clinician) are those of `course`.
std::vector<v1::DueMeasure> DueFor(absl::string_view course_name,
                                   const scheduling::v1::CourseEvent& course,
                                   const Session& session, absl::Span<const Form> forms,
                                   absl::Time now);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_
