#include "services/assessment/rpc/assessment_handlers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/domain/alerts.h"
#include "services/assessment/domain/sessions.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kSkew = absl::Minutes(5);

// ListDueMeasures looks at no more than this many sessions for one page.
constexpr int kSessionsAtOnce = 250;
constexpr int kBatches = 4;

// A patient's own device learns that the form is kept and what to show now, no more.
v1::RecordAssessmentResponse ResponseOf(const call::CallContext& context,
                                        v1::Assessment assessment) {
  v1::RecordAssessmentResponse response;
  if (!assessment.score().critical_items().empty()) {
    response.set_respondent_guidance(v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  }
  if (care::IsPatientProxy(*context.principal)) {
    response.mutable_assessment()->set_name(assessment.name());
  } else {
    *response.mutable_assessment() = std::move(assessment);
  }
  return response;
}

// An alert must never belong to nobody, nor a respondent in crisis find nobody to turn to.
absl::Status RequireRiskOwner(sql::Session& session, const care::CourseFacts& course,
                              absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const care::OrganizationFacts organization,
                   care::GetOrganization(session, names::Organization(organization_id)));
  ASSIGN_OR_RETURN(const bool duty,
                   store::HasDutyList(session, organization_id, course.state.clinic()));
  const std::vector<std::string> served(organization.state.crisis_jurisdictions().begin(),
                                        organization.state.crisis_jurisdictions().end());
  if (duty && CrisisResourcesCover(served, course.state.patient_jurisdiction())) {
    return absl::OkStatus();
  }
  return errors::FailedPrecondition(
      "NO_RISK_OWNER",
      duty ? "Self-report needs crisis resources for the patient's jurisdiction in the "
             "organisation's settings."
           : "Self-report needs a duty list of the organisation or the clinic.",
      {{"missing", duty ? "crisis_resources" : "duty_list"}});
}

// What the alerts of a form depend on beside the form.
struct RiskHistory {
  std::optional<Sheet> previous;
  std::optional<absl::Time> last_risk_assessment;
};

// A previous form whose revision is no longer known counts as none: the answer is then new.
absl::StatusOr<RiskHistory> ReadRiskHistory(sql::Session& session, const Catalogue& catalogue,
                                            absl::string_view instrument_id,
                                            const v1::Assessment& assessment) {
  RiskHistory history;
  ASSIGN_OR_RETURN(const std::optional<v1::Assessment> previous,
                   store::PreviousAssessment(session, assessment.course(), instrument_id,
                                             time::ToTime(assessment.answer_time())));
  const InstrumentRules* rules = previous ? catalogue.Find(previous->instrument()) : nullptr;
  if (rules != nullptr) {
    ASSIGN_OR_RETURN(history.previous, Sheet::Read(*rules, previous->answers(), "answers"));
  }
  ASSIGN_OR_RETURN(history.last_risk_assessment,
                   store::LastRiskAssessment(session, assessment.patient()));
  return history;
}

absl::StatusOr<std::vector<Session>> SessionsOf(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const std::vector<care::AppointmentFacts> appointments,
                   care::ListAppointments(session, course));
  std::vector<Session> sessions;
  sessions.reserve(appointments.size());
  for (const auto& appointment : appointments) sessions.push_back(store::ToSession(appointment));
  return sessions;
}

// A clinic manager sees which measures are due in their clinics (all of the organisation where the
// token names none), without answers or scores.
struct DueReach {
  bool manager = false;
  std::optional<std::vector<std::string>> clinics;

  bool Covers(const scheduling::v1::CourseEvent& course) const {
    return manager && (!clinics || std::find(clinics->begin(), clinics->end(),
                                             names::Last(course.clinic())) != clinics->end());
  }
};

DueReach DueReachOf(const call::CallContext& context) {
  DueReach reach;
  reach.manager = context.principal->HasRole("clinic_manager");
  reach.clinics = context.principal->clinics;
  return reach;
}

}  // namespace

void AssessmentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.AssessmentService", this)
      .Unary("RecordAssessment", &AssessmentHandlers::RecordAssessment)
      .Unary("GetAssessment", &AssessmentHandlers::GetAssessment)
      .Unary("ListAssessments", &AssessmentHandlers::ListAssessments)
      .Unary("ListDueMeasures", &AssessmentHandlers::ListDueMeasures);
}

absl::StatusOr<AssessmentHandlers::Filled> AssessmentHandlers::Fill(
    const call::CallContext& context, const v1::Assessment& given) const {
  Filled filled{catalogue_.Find(given.instrument()), Sheet(), v1::Assessment()};
  if (filled.rules == nullptr) {
    return errors::InvalidArgument("assessment.instrument",
                                   "must be an instrument that ListInstruments tells");
  }
  if (given.has_total_only() && !given.answers().empty()) {
    return errors::InvalidArgument("assessment.total_only", "excludes answers");
  }
  if (!given.has_total_only() && given.answers().empty()) {
    return errors::InvalidArgument("assessment.answers", "are needed, or total_only");
  }
  if (care::IsPatientProxy(*context.principal) &&
      given.administration() != v1::ADMINISTRATION_SELF_REPORT) {
    return errors::InvalidArgument("assessment.administration",
                                   "must be self-report from a patient's own device");
  }
  absl::Time answer_time = context.now;
  if (given.has_answer_time()) {
    RETURN_IF_ERROR(time::CheckTimestamp(given.answer_time(), "assessment.answer_time"));
    answer_time = time::ToTime(given.answer_time());
    if (answer_time > context.now + kSkew) {
      return errors::InvalidArgument("assessment.answer_time", "must not be in the future");
    }
  }

  v1::Assessment& assessment = filled.assessment;
  if (given.has_total_only()) {
    ASSIGN_OR_RETURN(*assessment.mutable_score(),
                     ScoreTotalOnly(*filled.rules, given.total_only(), "assessment.total_only"));
    assessment.set_total_only(given.total_only());
  } else {
    ASSIGN_OR_RETURN(filled.sheet,
                     Sheet::Read(*filled.rules, given.answers(), "assessment.answers"));
    *assessment.mutable_score() = ScoreSheet(*filled.rules, filled.sheet);
    std::vector<v1::Answer> answers(given.answers().begin(), given.answers().end());
    std::sort(answers.begin(), answers.end(),
              [](const v1::Answer& a, const v1::Answer& b) { return a.item() < b.item(); });
    assessment.mutable_answers()->Add(answers.begin(), answers.end());
  }
  assessment.set_name(
      names::InOrganization(context.organization_id, "assessments", ids::NewUlid()));
  assessment.set_course(given.course());
  assessment.set_instrument(filled.rules->instrument().name());
  assessment.set_administration(given.administration());
  *assessment.mutable_answer_time() = time::ToTimestamp(answer_time);
  *assessment.mutable_record_time() = time::ToTimestamp(context.now);
  assessment.set_etag(call::Etag(1));
  return filled;
}

absl::StatusOr<v1::RecordAssessmentResponse> AssessmentHandlers::RecordAssessment(
    const call::CallContext& context, const v1::RecordAssessmentRequest& request) {
  ASSIGN_OR_RETURN(const Filled filled, Fill(context, request.assessment()));
  return call::Mutate<v1::RecordAssessmentResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session,
          absl::string_view name) -> absl::StatusOr<v1::RecordAssessmentResponse> {
        ASSIGN_OR_RETURN(v1::Assessment assessment, store::GetAssessment(session, name));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, assessment.course(), "Course").status());
        return ResponseOf(context, std::move(assessment));
      },
      [&](call::Change& change) { return Record(change, filled); });
}

absl::StatusOr<v1::RecordAssessmentResponse> AssessmentHandlers::Record(call::Change& change,
                                                                        Filled filled) const {
  const call::CallContext& context = change.context();
  sql::Transaction& tx = change.tx();
  v1::Assessment& assessment = filled.assessment;
  const v1::Score& score = assessment.score();

  const bool raises = !score.critical_items().empty() || !score.unanswered_critical_items().empty();
  if (raises) store::LockAlerts(tx, context.organization_id);

  ASSIGN_OR_RETURN(const care::CourseFacts course,
                   care::RequireTreated(tx, context, assessment.course(), "Course"));
  if (assessment.administration() == v1::ADMINISTRATION_SELF_REPORT &&
      !filled.rules->instrument().critical_items().empty()) {
    RETURN_IF_ERROR(RequireRiskOwner(tx, course, context.organization_id));
  }
  assessment.set_patient(course.state.patient());
  ASSIGN_OR_RETURN(const std::vector<Session> sessions, SessionsOf(tx, course.course));
  const absl::Time answer_time = time::ToTime(assessment.answer_time());
  if (const Session* session = SessionFor(sessions, answer_time)) {
    assessment.set_appointment(session->appointment);
  }

  std::vector<v1::Alert> alerts;
  if (raises) {
    ASSIGN_OR_RETURN(const RiskHistory history,
                     ReadRiskHistory(tx, catalogue_, filled.rules->id(), assessment));
    for (const RaisedAlert& raised : AlertsOf(*filled.rules, score, filled.sheet,
                                              history.previous ? &*history.previous : nullptr,
                                              history.last_risk_assessment, answer_time)) {
      ASSIGN_OR_RETURN(v1::Alert alert,
                       MakeAlert(tx, course, raised, assessment.name(), context.now));
      assessment.add_alerts(alert.name());
      alerts.push_back(std::move(alert));
    }
  }

  store::InsertAssessment(tx, assessment, filled.rules->id());
  change.Record(assessment.name(), 1, EventOf(assessment), store::Document(assessment));
  for (const v1::Alert& alert : alerts) {
    ASSIGN_OR_RETURN(const bool inserted, store::InsertAlert(tx, alert));
    if (!inserted) return errors::Internal("A new form has raised this alert before.");
    change.Record(alert.name(), 1, EventOf(alert), store::Document(alert));
  }
  return ResponseOf(context, std::move(assessment));
}

absl::StatusOr<v1::Assessment> AssessmentHandlers::GetAssessment(
    const call::CallContext& context, const v1::GetAssessmentRequest& request) {
  return call::Read<v1::Assessment>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Assessment> {
        ASSIGN_OR_RETURN(v1::Assessment assessment, store::GetAssessment(session, request.name()));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, assessment.course(), "Assessment").status());
        return assessment;
      });
}

absl::StatusOr<v1::ListAssessmentsResponse> AssessmentHandlers::ListAssessments(
    const call::CallContext& context, const v1::ListAssessmentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  absl::string_view instrument_id;
  if (!request.instrument().empty()) {
    const InstrumentRules* rules = catalogue_.Find(request.instrument());
    if (rules == nullptr) {
      return errors::InvalidArgument("instrument",
                                     "must be an instrument that ListInstruments tells");
    }
    instrument_id = rules->id();
  }
  return call::Read<v1::ListAssessmentsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListAssessmentsResponse> {
        RETURN_IF_ERROR(care::RequireCourse(session, context, request.course(), "Course").status());
        ASSIGN_OR_RETURN(store::AssessmentPage listed,
                         store::ListAssessments(session, request.course(), instrument_id, page));
        v1::ListAssessmentsResponse response;
        for (v1::Assessment& assessment : listed.assessments) {
          *response.add_assessments() = std::move(assessment);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

// A page's key is the start and name of an appointment and the last instrument that was told of it;
// no instrument: all of them were.
absl::StatusOr<v1::ListDueMeasuresResponse> AssessmentHandlers::ListDueMeasures(
    const call::CallContext& context, const v1::ListDueMeasuresRequest& request) {
  if (request.course().empty() == request.clinician().empty()) {
    return errors::InvalidArgument({{"course", "one of course and clinician must be given"},
                                    {"clinician", "one of course and clinician must be given"}});
  }
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  const DueReach due_reach = DueReachOf(context);
  const store::Whose whose{context.organization_id, request.course(), request.clinician()};

  return call::Read<v1::ListDueMeasuresResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListDueMeasuresResponse> {
        bool own = true;  // not by way of managing a clinic
        if (!request.course().empty()) {
          const auto required = care::RequireCourse(session, context, request.course(), "Course");
          if (absl::IsNotFound(required.status()) && due_reach.manager) {
            ASSIGN_OR_RETURN(const care::CourseFacts course,
                             care::GetCourse(session, request.course()));
            if (!due_reach.Covers(course.state)) return errors::NotFound("Course");
            own = false;
          } else {
            RETURN_IF_ERROR(required.status());
          }
        } else {
          ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
          own = context.is_service() || reach.Reaches(request.clinician());
          if (!own && !due_reach.manager) return errors::NotFound("Clinician");
        }

        v1::ListDueMeasuresResponse response;
        store::Place from = store::Place::After(page, {std::numeric_limits<int64_t>::min(), ""});
        std::string told_appointment;
        std::string told_instrument;
        std::tie(told_appointment, told_instrument) = call::SplitKey(from.name);
        from.name = told_appointment;
        std::string last_key;
        for (int batch = 0; batch < kBatches; ++batch) {
          ASSIGN_OR_RETURN(const std::vector<store::CourseSession> sessions,
                           store::ListSessions(session, whose, from, kSessionsAtOnce));
          if (sessions.empty()) return response;
          absl::Time end = absl::InfinitePast();
          for (const auto& each : sessions) end = std::max(end, each.session.end);
          ASSIGN_OR_RETURN(const std::vector<store::CourseForm> listed,
                           store::ListFormsBetween(session, whose,
                                                   sessions.front().session.start - kWindow, end));
          std::map<absl::string_view, std::vector<Form>> forms;
          for (const auto& each : listed) forms[each.course].push_back(each.form);

          for (const auto& each : sessions) {
            if (!own && !due_reach.Covers(each.state)) continue;
            const store::Place place{each.start_micros, each.session.appointment};
            bool told = each.session.appointment == told_appointment;
            for (v1::DueMeasure& due :
                 DueFor(each.course, each.state, each.session, forms[each.course], context.now)) {
              if (told) {
                told = due.instrument() != told_instrument;
                continue;
              }
              // The protocol may ask for what this release can't score.
              if (catalogue_.FindById(due.instrument()) == nullptr) continue;
              if (!request.states().empty() &&
                  std::find(request.states().begin(), request.states().end(), due.state()) ==
                      request.states().end()) {
                continue;
              }
              if (response.due_measures_size() == page.size) {
                response.set_next_page_token(call::NextPageToken(context, last_key));
                return response;
              }
              last_key = call::JoinKey(place.Key(), due.instrument());
              *response.add_due_measures() = std::move(due);
            }
          }
          if (sessions.size() < static_cast<size_t>(kSessionsAtOnce)) return response;
          from = {sessions.back().start_micros, sessions.back().session.appointment};
          told_appointment = from.name;
          told_instrument.clear();
        }
        response.set_next_page_token(call::NextPageToken(context, call::JoinKey(from.Key(), "")));
        return response;
      });
}

}  // namespace rapport::assessment
