#include "services/assessment/domain/sessions.h"

#include <algorithm>

#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kOldest = absl::Hours(24 * 28);

}  // namespace

const Session* SessionFor(absl::Span<const Session> sessions, absl::Time answer_time) {
  for (const Session& session : sessions) {
    if (session.stands && answer_time >= session.start - kWindow && answer_time <= session.end) {
      return &session;
    }
  }
  return nullptr;
}

std::vector<int> SessionNumbers(absl::Span<const Session> sessions, absl::Span<const Form> forms) {
  std::vector<int> numbers(forms.size(), 0);
  absl::Time previous_end = absl::InfinitePast();
  for (const Session& session : sessions) {
    if (session.number == 0) continue;
    const absl::Time from = std::max(previous_end, session.start - kOldest);
    int before = -1;
    int during = -1;
    for (size_t i = 0; i < forms.size() && forms[i].answer_time <= session.end; ++i) {
      if (!forms[i].complete || numbers[i] != 0 || forms[i].answer_time < from) continue;
      if (forms[i].answer_time <= session.start) {
        before = static_cast<int>(i);
      } else if (during < 0) {
        during = static_cast<int>(i);
      }
    }
    if (const int chosen = before >= 0 ? before : during; chosen >= 0) {
      numbers[chosen] = session.number;
    }
    previous_end = session.end;
  }
  return numbers;
}

bool IsDueAt(const scheduling::v1::ProtocolMeasure& measure, int number, int planned) {
  if (number < 1) return false;
  if (measure.at_last_session() && number == planned) return true;
  return number == 1 ||
         (measure.every_sessions() > 0 && (number - 1) % measure.every_sessions() == 0);
}

std::vector<v1::DueMeasure> DueFor(absl::string_view course_name,
                                   const scheduling::v1::CourseEvent& course,
                                   const Session& session, absl::Span<const Form> forms,
                                   absl::Time now) {
  std::vector<v1::DueMeasure> due;
  if (!session.stands) return due;
  for (const auto& measure : course.measures()) {
    if (!IsDueAt(measure, session.number, course.planned_sessions())) continue;
    v1::DueMeasure& expected = due.emplace_back();
    expected.set_course(std::string(course_name));
    expected.set_patient(course.patient());
    expected.set_clinician(course.clinician());
    expected.set_instrument(measure.instrument());
    expected.set_appointment(session.appointment);
    expected.set_session_number(session.number);
    *expected.mutable_window_start_time() = time::ToTimestamp(session.start - kWindow);
    *expected.mutable_due_time() = time::ToTimestamp(session.start);
    expected.set_state(now > session.end ? v1::DUE_STATE_OVERDUE : v1::DUE_STATE_DUE);
    for (const Form& form : forms) {
      if (form.instrument == measure.instrument() && form.has_total &&
          form.answer_time >= session.start - kWindow && form.answer_time <= session.end) {
        expected.set_state(v1::DUE_STATE_DONE);
        expected.set_assessment(form.assessment);
      }
    }
  }
  return due;
}

}  // namespace rapport::assessment
