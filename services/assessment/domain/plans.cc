#include "services/assessment/domain/plans.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

using scheduling::v1::CourseEvent;

constexpr int kCommonCadence = 7;

bool IsCouple(const CourseEvent& course) {
  return course.kind() == scheduling::v1::COURSE_KIND_CONJOINT && !course.partner().empty();
}

bool IsAboutTheRelationship(absl::string_view instrument) {
  return absl::StartsWith(instrument, "csi-") || instrument == "rdas" || instrument == "das";
}

int CadenceOf(const CourseEvent& course) {
  const int days =
      course.has_maintenance() ? course.maintenance().cadence_days() : course.cadence_days();
  return days > 0 ? days : kCommonCadence;
}

bool MayGoByDays(const CourseEvent& course) {
  return course.has_maintenance() || CadenceOf(course) > kSuicideItemDays;
}

bool GoesByDays(const v1::PlannedMeasure& measure, const CourseEvent& course) {
  return measure.every_days() > 0 && MayGoByDays(course);
}

v1::MeasureRespondent RespondentOf(const v1::PlannedMeasure& measure, const CourseEvent& course) {
  if (!IsCouple(course)) return v1::MEASURE_RESPONDENT_PATIENT;
  if (measure.respondent() != v1::MEASURE_RESPONDENT_UNSPECIFIED) return measure.respondent();
  return v1::MEASURE_RESPONDENT_EACH;
}

std::vector<std::string> Patients(const v1::PlannedMeasure& measure, const CourseEvent& course) {
  switch (RespondentOf(measure, course)) {
    case v1::MEASURE_RESPONDENT_PARTNER:
      return {course.partner()};
    case v1::MEASURE_RESPONDENT_EACH:
      return {course.patient(), course.partner()};
    default:
      return {course.patient()};
  }
}

bool IsOftenEnough(const v1::PlannedMeasure& measure, const CourseEvent& course) {
  if (RespondentOf(measure, course) == v1::MEASURE_RESPONDENT_PARTNER) return false;
  if (GoesByDays(measure, course)) return measure.every_days() <= kSuicideItemDays;
  return measure.every_sessions() > 0 &&
         measure.every_sessions() * CadenceOf(course) <= kSuicideItemDays;
}

bool AsksOftenEnough(absl::Span<const v1::PlannedMeasure> plan, const CourseEvent& course,
                     OfInstrument asks_about_suicide) {
  return std::any_of(plan.begin(), plan.end(), [&](const v1::PlannedMeasure& measure) {
    return asks_about_suicide(measure.instrument()) && IsOftenEnough(measure, course);
  });
}

const v1::PlannedMeasure* FindIn(absl::Span<const v1::PlannedMeasure> plan,
                                 absl::string_view instrument) {
  for (const v1::PlannedMeasure& measure : plan) {
    if (measure.instrument() == instrument) return &measure;
  }
  return nullptr;
}

v1::PlannedMeasure Planned(absl::string_view instrument, const CourseEvent& course,
                           v1::MeasureOrigin origin) {
  v1::PlannedMeasure measure;
  measure.set_instrument(std::string(instrument));
  measure.set_respondent(IsCouple(course) && IsAboutTheRelationship(instrument)
                             ? v1::MEASURE_RESPONDENT_EACH
                             : v1::MEASURE_RESPONDENT_PATIENT);
  measure.set_origin(origin);
  return measure;
}

Plan ProtocolPlan(const CourseEvent& course) {
  Plan plan;
  for (const auto& agreed : course.maintenance().measures()) {
    plan.push_back(Planned(agreed.instrument(), course, v1::MEASURE_ORIGIN_MAINTENANCE));
    plan.back().set_every_days(agreed.every_days());
  }
  const size_t agreed = plan.size();
  for (const auto& asked : course.measures()) {
    if (FindIn(absl::MakeSpan(plan.data(), agreed), asked.instrument()) != nullptr) continue;
    plan.push_back(Planned(asked.instrument(), course, v1::MEASURE_ORIGIN_PROTOCOL));
    plan.back().set_every_sessions(asked.every_sessions());
    plan.back().set_at_last_session(asked.at_last_session());
  }
  return plan;
}

// The form of the session, of those of one instrument and respondent; null: none.
const Form* FormOf(const Session& session, const v1::DueMeasure& expected,
                   absl::Span<const Form> forms) {
  const Form* before = nullptr;
  const Form* during = nullptr;
  const Form* incomplete = nullptr;
  for (const Form& form : forms) {
    if (form.instrument != expected.instrument() || form.patient != expected.patient() ||
        form.answer_time < session.start - kWindow || form.answer_time > session.end) {
      continue;
    }
    if (form.complete && form.answer_time <= session.start) {
      before = &form;
    } else if (form.complete) {
      during = during != nullptr ? during : &form;
    } else if (form.has_total) {
      incomplete = &form;
    }
  }
  return before != nullptr ? before : during != nullptr ? during : incomplete;
}

v1::DueMeasure Expected(absl::string_view course_name, const CourseEvent& course,
                        const v1::PlannedMeasure& measure, absl::string_view patient,
                        absl::Time due) {
  v1::DueMeasure expected;
  expected.set_course(std::string(course_name));
  expected.set_patient(std::string(patient));
  expected.set_clinician(course.clinician());
  expected.set_instrument(measure.instrument());
  expected.set_origin(measure.origin());
  *expected.mutable_window_start_time() = time::ToTimestamp(due - kWindow);
  *expected.mutable_due_time() = time::ToTimestamp(due);
  return expected;
}

}  // namespace

bool CountsDays(const CourseEvent& course) {
  return MayGoByDays(course) && (course.state() == scheduling::v1::COURSE_STATE_MAINTENANCE ||
                                 course.state() == scheduling::v1::COURSE_STATE_ACTIVE);
}

Plan PlanOf(const CourseEvent& course, const Plan& adjusted, OfInstrument asks_about_suicide) {
  Plan plan = adjusted.empty() ? ProtocolPlan(course) : adjusted;
  if (AsksOftenEnough(plan, course, asks_about_suicide)) return plan;
  const bool young = FindIn(plan, "phq-a") != nullptr && asks_about_suicide("phq-a");
  v1::PlannedMeasure safety = Planned(young ? "phq-a" : "phq-9", course, v1::MEASURE_ORIGIN_SAFETY);
  if (MayGoByDays(course)) {
    safety.set_every_days(kSuicideItemDays);
  } else {
    safety.set_every_sessions(kSuicideItemDays / CadenceOf(course));
  }
  plan.push_back(std::move(safety));
  return plan;
}

absl::Status CheckPlan(absl::Span<const v1::PlannedMeasure> measures, const CourseEvent& course,
                       OfInstrument known, OfInstrument asks_about_suicide) {
  std::vector<errors::FieldViolation> violations;
  std::set<std::pair<std::string, std::string>> asked;  // instrument and patient
  for (size_t i = 0; i < measures.size(); ++i) {
    const v1::PlannedMeasure& measure = measures[i];
    const std::string field = absl::StrCat("measurement_plan.measures[", i, "]");
    if (!known(measure.instrument())) {
      violations.push_back({absl::StrCat(field, ".instrument"),
                            "must be the id of an instrument that ListInstruments tells"});
    }
    if (!v1::MeasureRespondent_IsValid(measure.respondent()) ||
        (!IsCouple(course) && measure.respondent() != v1::MEASURE_RESPONDENT_UNSPECIFIED &&
         measure.respondent() != v1::MEASURE_RESPONDENT_PATIENT)) {
      violations.push_back({absl::StrCat(field, ".respondent"), "must be one whom the course has"});
      continue;
    }
    bool twice = false;
    for (std::string& patient : Patients(measure, course)) {
      twice |= !asked.emplace(measure.instrument(), std::move(patient)).second;
    }
    if (twice) violations.push_back({field, "must not ask the same person the same again"});
  }
  if (!AsksOftenEnough(measures, course, asks_about_suicide)) {
    violations.push_back({"measurement_plan.measures",
                          "NO_SUICIDE_ITEM: must ask the patient about suicide at least every 28 "
                          "days, as the phq-9 does"});
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(violations));
}

Plan Adjusted(absl::Span<const v1::PlannedMeasure> measures, const CourseEvent& course,
              const Plan& before) {
  Plan plan(measures.begin(), measures.end());
  for (v1::PlannedMeasure& measure : plan) {
    const v1::PlannedMeasure* const known = FindIn(before, measure.instrument());
    measure.set_origin(known != nullptr ? known->origin() : v1::MEASURE_ORIGIN_CLINICIAN);
    measure.set_respondent(RespondentOf(measure, course));
  }
  return plan;
}

bool IsDueAt(const v1::PlannedMeasure& measure, int number, const CourseEvent& course) {
  if (number < 1 || GoesByDays(measure, course)) return false;
  if (measure.at_last_session() && number == course.planned_sessions()) return true;
  if (measure.at_phase_start()) {
    for (const auto& phase : course.phases()) {
      if (phase.first_session() == number) return true;
    }
  }
  return number == 1 ||
         (measure.every_sessions() > 0 && (number - 1) % measure.every_sessions() == 0);
}

std::vector<v1::DueMeasure> DueFor(absl::string_view course_name, const CourseEvent& course,
                                   const Plan& plan, const Session& session,
                                   absl::Span<const Form> forms, absl::Time now) {
  std::vector<v1::DueMeasure> due;
  if (!session.stands) return due;
  for (const v1::PlannedMeasure& measure : plan) {
    if (!IsDueAt(measure, session.number, course)) continue;
    for (const std::string& patient : Patients(measure, course)) {
      if (std::any_of(due.begin(), due.end(), [&](const v1::DueMeasure& other) {
            return other.instrument() == measure.instrument() && other.patient() == patient;
          })) {
        continue;
      }
      v1::DueMeasure& expected =
          due.emplace_back(Expected(course_name, course, measure, patient, session.start));
      expected.set_appointment(session.appointment);
      expected.set_session_number(session.number);
      if (const Form* form = FormOf(session, expected, forms)) {
        expected.set_state(v1::DUE_STATE_DONE);
        expected.set_assessment(form->assessment);
      } else {
        expected.set_state(now > session.end ? v1::DUE_STATE_OVERDUE : v1::DUE_STATE_DUE);
      }
    }
  }
  return due;
}

std::vector<v1::DueMeasure> DueByDays(absl::string_view course_name, const CourseEvent& course,
                                      const Plan& plan, absl::Time since,
                                      absl::Span<const Form> forms, absl::TimeZone zone,
                                      absl::Time now) {
  if (!CountsDays(course)) return {};
  std::map<std::pair<std::string, std::string>, const v1::PlannedMeasure*> soonest;
  for (const v1::PlannedMeasure& measure : plan) {
    if (!GoesByDays(measure, course)) continue;
    for (std::string& patient : Patients(measure, course)) {
      const v1::PlannedMeasure*& entry =
          soonest[std::pair(measure.instrument(), std::move(patient))];
      if (entry == nullptr || measure.every_days() < entry->every_days()) entry = &measure;
    }
  }
  std::vector<v1::DueMeasure> due;
  for (const auto& [asked, measure] : soonest) {
    absl::Time at = since;
    for (const Form& form : forms) {
      if (form.instrument == asked.first && form.patient == asked.second) {
        at = form.answer_time + absl::Hours(24) * measure->every_days();
      }
    }
    if (at == absl::InfiniteFuture()) continue;
    if (course.maintenance().has_ends_on() &&
        absl::ToCivilDay(at, zone) > time::ToCivilDay(course.maintenance().ends_on())) {
      continue;
    }
    due.push_back(Expected(course_name, course, *measure, asked.second, at));
    due.back().set_state(now > at + kOverdueAfter ? v1::DUE_STATE_OVERDUE : v1::DUE_STATE_DUE);
  }
  return due;
}

}  // namespace rapport::assessment
