#include "services/assessment/rpc/outcome_keeper.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/zones.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/outcomes.h"
#include "services/assessment/domain/progress.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/due.h"
#include "services/assessment/store/erasure.h"
#include "services/assessment/store/outcomes.h"

namespace rapport::assessment {
namespace {

namespace proto = scheduling::v1;

constexpr size_t kCoursesAtOnce = 500;
constexpr absl::string_view kBeforeAll = "-";  // less than any id

absl::TimeZone ZoneOr(const std::string& name) {
  const auto zone = time::LoadZone(name);
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

// The series is read by the revision of its newest form, so that what is kept changes with the
// forms alone, not when a revision is loaded.
absl::StatusOr<std::shared_ptr<const InstrumentRules>> RulesOf(sql::Session& session,
                                                               const Catalogues& catalogues,
                                                               absl::string_view organization_id,
                                                               const Form& newest) {
  if (!newest.revision.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const InstrumentRules> rules,
                     catalogues.Find(session, organization_id, newest.revision));
    if (rules != nullptr) return rules;
  }
  return catalogues.FindById(session, organization_id, newest.instrument);
}

struct Facts {
  care::CourseFacts course;
  std::vector<Session> sessions;
  std::vector<Form> forms;
};

absl::StatusOr<std::vector<ScoreOutcome>> ScoresOf(sql::Session& session,
                                                   const Catalogues& catalogues, const Facts& facts,
                                                   const std::string& respondent) {
  std::map<std::string, std::vector<Form>> forms;  // by instrument
  for (const Form& form : facts.forms) {
    if (form.patient == respondent) forms[form.instrument].push_back(form);
  }
  const proto::CourseEvent& state = facts.course.state;
  std::vector<ScoreOutcome> scores;
  for (auto& [instrument, of_instrument] : forms) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> rules,
                     RulesOf(session, catalogues, names::OrganizationId(facts.course.course),
                             of_instrument.back()));
    if (rules == nullptr) continue;
    ProgressInput input;
    input.course = facts.course.course;
    input.patient = respondent;
    input.zone = ZoneOr(respondent == state.partner() ? state.partner_time_zone()
                                                      : state.patient_time_zone());
    input.now = of_instrument.back().answer_time;
    input.sessions = facts.sessions;
    input.series.push_back({rules.get(), std::move(of_instrument)});
    const v1::Progress progress = ComputeProgress(input);
    if (progress.instruments_size() != 1) continue;
    if (auto score = OutcomeOf(*rules, progress.instruments(0))) scores.push_back(*score);
  }
  return scores;
}

// Empty where the clinic is not known yet.
absl::StatusOr<std::string> ZoneOfClinic(sql::Session& session, absl::string_view clinic) {
  ASSIGN_OR_RETURN(const care::Settings settings,
                   care::GetSettings(session, names::OrganizationId(clinic), clinic));
  return settings.clinic.time_zone();
}

}  // namespace

void OutcomeChanged(sql::Transaction& tx, absl::string_view course, absl::Time now) {
  work::Schedule(tx, names::OrganizationId(course), kOutcomeWork, names::Last(course), now);
}

absl::Status OutcomesChanged(sql::Transaction& tx, const common::v1::Event& event, absl::Time now) {
  const auto& payload = event.payload();
  if (payload.Is<proto::CourseEvent>()) {
    OutcomeChanged(tx, event.resource(), now);
  } else if (proto::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
    if (!appointment.course().empty()) OutcomeChanged(tx, appointment.course(), now);
  } else if (proto::PrivateAppointmentEvent whole; payload.UnpackTo(&whole)) {
    if (!whole.appointment().course().empty()) {
      OutcomeChanged(tx, whole.appointment().course(), now);
    }
  } else if (proto::ClinicianEvent clinician; payload.UnpackTo(&clinician)) {
    std::vector<std::string> clinics;
    if (!clinician.deleted())
      clinics.assign(clinician.clinics().begin(), clinician.clinics().end());
    store::PutClinicsOf(tx, event.resource(), event.version(), clinics);
  } else if (payload.Is<proto::ClinicEvent>()) {
    ASSIGN_OR_RETURN(const std::string zone, ZoneOfClinic(tx, event.resource()));
    ASSIGN_OR_RETURN(const std::vector<std::string> courses,
                     store::ListCoursesOfOtherZone(tx, event.resource(), zone));
    for (const std::string& course : courses) OutcomeChanged(tx, course, now);
  }
  return absl::OkStatus();
}

absl::Status RefreshOutcome(sql::Transaction& tx, const Catalogues& catalogues,
                            absl::string_view course) {
  // Two that look at once may not write in the other order.
  tx.Lock({std::string("outcome/") + std::string(course)});
  absl::StatusOr<care::CourseFacts> known = care::GetCourse(tx, course);
  if (absl::IsNotFound(known.status())) {
    store::PutOutcomes(tx, course, "", {});
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(known.status());
  Facts facts{.course = *std::move(known), .sessions = {}, .forms = {}};
  const proto::CourseEvent& state = facts.course.state;
  ASSIGN_OR_RETURN(const std::string zone, ZoneOfClinic(tx, state.clinic()));
  ASSIGN_OR_RETURN(const int problem_area, store::GetFocus(tx, course));
  ASSIGN_OR_RETURN(const auto appointments, care::ListAppointments(tx, course));
  std::vector<proto::AppointmentEvent> states;
  for (const care::AppointmentFacts& appointment : appointments) {
    facts.sessions.push_back(store::ToSession(appointment));
    states.push_back(appointment.state);
  }
  std::vector<store::RespondentOutcome> outcomes;
  if (const auto outcome = OutcomeOf(state, states, problem_area, ZoneOr(zone))) {
    ASSIGN_OR_RETURN(facts.forms, store::ListForms(tx, course));
    for (const std::string& respondent : {state.patient(), state.partner()}) {
      if (respondent.empty()) continue;
      ASSIGN_OR_RETURN(const bool erased, store::IsErased(tx, respondent));
      if (erased) continue;
      ASSIGN_OR_RETURN(std::vector<ScoreOutcome> scores,
                       ScoresOf(tx, catalogues, facts, respondent));
      outcomes.push_back({respondent, *outcome, std::move(scores)});
    }
  }
  store::PutOutcomes(tx, course, zone, outcomes);
  return absl::OkStatus();
}

work::Act OutcomeAct(const Catalogues& catalogues) {
  return [&catalogues](sql::Transaction& tx, const work::Item& item, absl::Time) {
    return RefreshOutcome(tx, catalogues,
                          names::InOrganization(item.organization_id, "courses", item.key));
  };
}

void RebuildOutcomes(sql::Transaction& tx, absl::string_view organization_id, absl::Time now) {
  work::Schedule(tx, organization_id, kRebuildWork, kBeforeAll, now);
}

absl::Status ContinueRebuild(sql::Transaction& tx, const work::Item& item, absl::Time now) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> courses,
      store::ListCourses(tx, item.organization_id,
                         names::InOrganization(item.organization_id, "courses", item.key),
                         kCoursesAtOnce));
  for (const std::string& course : courses) OutcomeChanged(tx, course, now);
  if (courses.size() == kCoursesAtOnce) {
    work::Schedule(tx, item.organization_id, kRebuildWork, names::Last(courses.back()), now);
  }
  return absl::OkStatus();
}

}  // namespace rapport::assessment
