#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

// Which form belongs to which session. What is expected for it: plans.h.
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

// A recorded form that was not voided, as far as rules look at it.
struct Form {
  std::string assessment;  // its name
  std::string instrument;  // id, as "phq-9"
  std::string patient;     // who answered
  absl::Time answer_time;
  bool has_total = false;
  double total = 0;
  bool complete = false;
  bool prorated = false;
  std::string severity = {};
  bool full_syndrome = false;
  std::string revision = {};  // name of the instrument's revision
  bool positive = false;      // its flag "positive" holds
};

// The session that a form filled in at `answer_time` is for: the first standing one that has not
// ended then and whose window is open; null: none. `sessions` by start.
const Session* SessionFor(absl::Span<const Session> sessions, absl::Time answer_time);

// For each of `forms`, all of one instrument and respondent and by answer time, the number of the
// session that it counts for; 0: none. A session's form is the last complete one before its start
// and after the end of the session before, at most 28 days old; where there is none, the first
// complete one filled in during the session. `sessions` by start.
std::vector<int> SessionNumbers(absl::Span<const Session> sessions, absl::Span<const Form> forms);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SESSIONS_H_
