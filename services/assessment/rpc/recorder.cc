#include "services/assessment/rpc/recorder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/domain/alerts.h"
#include "services/assessment/domain/sessions.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kSkew = absl::Minutes(5);
constexpr absl::string_view kPrefix = "assessment.";

// A form as read and scored, not yet placed in its course.
struct Filled {
  std::shared_ptr<const InstrumentRules> rules;
  Sheet sheet;
  v1::Assessment assessment;
};

absl::Status CheckGiven(const call::CallContext& context, const v1::Assessment& given) {
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
  if (!given.has_answer_time()) return absl::OkStatus();
  RETURN_IF_ERROR(time::CheckTimestamp(given.answer_time(), "assessment.answer_time"));
  if (time::ToTime(given.answer_time()) <= context.now + kSkew) return absl::OkStatus();
  return errors::InvalidArgument("assessment.answer_time", "must not be in the future");
}

absl::StatusOr<Filled> Fill(sql::Session& session, const Catalogues& catalogues,
                            const call::CallContext& context, const v1::Assessment& given) {
  Filled filled;
  ASSIGN_OR_RETURN(filled.rules,
                   catalogues.Find(session, context.organization_id, given.instrument()));
  if (filled.rules == nullptr) {
    return errors::InvalidArgument("assessment.instrument",
                                   "must be an instrument that ListInstruments tells");
  }
  RETURN_IF_ERROR(CheckGiven(context, given));
  v1::Assessment& assessment = filled.assessment;
  if (given.has_total_only()) {
    auto score = ScoreTotalOnly(*filled.rules, given.total_only(), given.context());
    if (const auto* refusal = std::get_if<Refusal>(&score)) return ToStatus(*refusal, kPrefix);
    *assessment.mutable_score() = std::move(std::get<v1::Score>(score));
    assessment.set_total_only(given.total_only());
  } else {
    auto sheet = Sheet::Read(*filled.rules, given.answers(), given.context());
    if (const auto* refusal = std::get_if<Refusal>(&sheet)) return ToStatus(*refusal, kPrefix);
    filled.sheet = std::move(std::get<Sheet>(sheet));
    *assessment.mutable_score() = ScoreSheet(*filled.rules, filled.sheet);
    *assessment.mutable_answers() = given.answers();
    std::sort(assessment.mutable_answers()->pointer_begin(),
              assessment.mutable_answers()->pointer_end(),
              [](const v1::Answer* a, const v1::Answer* b) { return a->item() < b->item(); });
  }
  *assessment.mutable_context() = given.context();
  assessment.set_name(
      names::InOrganization(context.organization_id, "assessments", ids::NewUlid()));
  assessment.set_course(given.course());
  assessment.set_instrument(filled.rules->instrument().name());
  assessment.set_administration(given.administration());
  assessment.set_language(given.language());
  assessment.set_device(given.device());
  *assessment.mutable_record_time() = time::ToTimestamp(context.now);
  *assessment.mutable_answer_time() =
      time::ToTimestamp(given.has_answer_time() ? time::ToTime(given.answer_time()) : context.now);
  assessment.set_etag(call::Etag(1));
  return filled;
}

bool Raises(const v1::Score& score) {
  return !score.critical_items().empty() || !score.unanswered_critical_items().empty() ||
         !score.concerns().empty();
}

// A previous form whose revision is no longer known, or whose answers are not kept, counts as none:
// the answer is then new.
absl::StatusOr<std::optional<Sheet>> PreviousSheet(
    sql::Session& session, const Catalogues& catalogues, const crypto::Vault& vault,
    absl::string_view course, absl::string_view patient, absl::string_view instrument_id,
    absl::Time answer_time) {
  ASSIGN_OR_RETURN(
      const std::optional<v1::Assessment> previous,
      store::PreviousAssessment(session, vault, course, patient, instrument_id, answer_time));
  if (!previous || previous->answers().empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> rules,
                   catalogues.Find(session, names::OrganizationId(course), previous->instrument()));
  if (rules == nullptr) return std::nullopt;
  auto sheet = Sheet::Read(*rules, previous->answers(), previous->context());
  if (std::holds_alternative<Refusal>(sheet)) return std::nullopt;
  return std::move(std::get<Sheet>(sheet));
}

absl::StatusOr<std::vector<Session>> SessionsOf(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const std::vector<care::AppointmentFacts> appointments,
                   care::ListAppointments(session, course));
  std::vector<Session> sessions;
  sessions.reserve(appointments.size());
  for (const auto& appointment : appointments) sessions.push_back(store::ToSession(appointment));
  return sessions;
}

}  // namespace

absl::StatusOr<std::string> RespondentOf(const call::CallContext& context,
                                         const care::CourseFacts& course, absl::string_view given,
                                         bool needed, absl::string_view field) {
  const std::string& patient = course.state.patient();
  const std::string& partner = course.state.partner();
  if (given.empty() && needed && !partner.empty()) {
    return errors::InvalidArgument(field, "must say which of the couple answered");
  }
  const std::string respondent = given.empty() ? patient : std::string(given);
  if (respondent != patient && (partner.empty() || respondent != partner)) {
    return errors::InvalidArgument(field, "must be the course's patient or its partner");
  }
  if (care::IsPatientProxy(*context.principal) &&
      names::Last(respondent) != context.principal->subject) {
    return errors::InvalidArgument(field, "must be the patient whose own device this is");
  }
  return respondent;
}

absl::StatusOr<std::string> RequireTherapist(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view course, absl::string_view type) {
  if (care::IsPatientProxy(*context.principal)) return errors::NotFound(type);
  RETURN_IF_ERROR(care::RequireTreated(session, context, course, type).status());
  ASSIGN_OR_RETURN(care::Reach reach, care::ReachOf(session, context));
  if (reach.clinician.empty()) return care::NotTheTherapist();
  return std::move(reach.clinician);
}

v1::RespondentGuidance GuidanceOf(const v1::Score& score) {
  const bool crisis = !score.critical_items().empty() ||
                      std::any_of(score.concerns().begin(), score.concerns().end(),
                                  [](const v1::ConcernRaised& raised) {
                                    return raised.concern() == v1::CONCERN_SELF_HARM;
                                  });
  return crisis ? v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES
                : v1::RESPONDENT_GUIDANCE_UNSPECIFIED;
}

absl::Status RequireRiskOwner(sql::Session& session, const care::CourseFacts& course,
                              absl::string_view patient, const InstrumentRules& rules) {
  if (rules.instrument().critical_items().empty() && rules.instrument().concern_rules().empty()) {
    return absl::OkStatus();
  }
  const absl::string_view organization_id = names::OrganizationId(course.course);
  ASSIGN_OR_RETURN(const care::Settings settings,
                   care::GetSettings(session, organization_id, course.state.clinic()));
  const bool duty =
      !settings.organization.duty_list().empty() || !settings.clinic.duty_list().empty();
  const std::vector<std::string> served(settings.organization.crisis_jurisdictions().begin(),
                                        settings.organization.crisis_jurisdictions().end());
  const std::string& lives_in = patient == course.state.patient()
                                    ? course.state.patient_jurisdiction()
                                    : course.state.partner_jurisdiction();
  if (duty && CrisisResourcesCover(served, lives_in)) return absl::OkStatus();
  return errors::FailedPrecondition(
      "NO_RISK_OWNER",
      duty ? "Self-report needs crisis resources for the patient's jurisdiction in the "
             "organisation's settings."
           : "Self-report needs a duty list of the organisation or the clinic.",
      {{"missing", duty ? "crisis_resources" : "duty_list"}});
}

absl::StatusOr<Recorder::Recorded> Recorder::Record(call::Change& change,
                                                    const v1::Assessment& given,
                                                    const Origin& origin) const {
  const call::CallContext& context = change.context();
  sql::Transaction& tx = change.tx();
  ASSIGN_OR_RETURN(Filled filled, Fill(tx, catalogues_, context, given));
  v1::Assessment& assessment = filled.assessment;
  if (Raises(assessment.score())) store::LockAlerts(tx, context.organization_id);

  ASSIGN_OR_RETURN(const care::CourseFacts course,
                   care::RequireTreated(tx, context, assessment.course(), "Course"));
  ASSIGN_OR_RETURN(*assessment.mutable_patient(),
                   RespondentOf(context, course, given.patient(), true, "assessment.patient"));
  if (assessment.administration() == v1::ADMINISTRATION_SELF_REPORT) {
    RETURN_IF_ERROR(RequireRiskOwner(tx, course, assessment.patient(), *filled.rules));
  }
  assessment.set_recorder(origin.recorder);
  assessment.set_measure_request(origin.measure_request);
  const absl::Time answer_time = time::ToTime(assessment.answer_time());
  ASSIGN_OR_RETURN(const std::vector<Session> sessions, SessionsOf(tx, course.course));
  if (const Session* session = SessionFor(sessions, answer_time)) {
    assessment.set_appointment(session->appointment);
  }

  change.SetResult(assessment.name(), 1);
  if (Raises(assessment.score())) {
    ASSIGN_OR_RETURN(
        const std::vector<std::string> alerts,
        Raise(change, course, *filled.rules, filled.sheet, assessment.score(), assessment.patient(),
              answer_time,
              origin.measure_request.empty() ? assessment.name() : origin.measure_request, true));
    assessment.mutable_alerts()->Add(alerts.begin(), alerts.end());
  }
  ASSIGN_OR_RETURN(const std::string stored,
                   store::InsertAssessment(tx, vault_, assessment, filled.rules->id()));
  change.Record(assessment.name(), 1, EventOf(assessment), stored);
  OutcomeChanged(tx, assessment.course(), change.context().now);
  const v1::RespondentGuidance guidance = GuidanceOf(assessment.score());
  return Recorded{std::move(assessment), guidance};
}

absl::StatusOr<v1::RespondentGuidance> Recorder::RaisePartial(
    call::Change& change, const care::CourseFacts& course, absl::string_view patient,
    const InstrumentRules& rules, const Sheet& sheet, absl::string_view source) const {
  const v1::Score score = ScoreSheet(rules, sheet, /*explain=*/false);
  if (!score.critical_items().empty() || !score.concerns().empty()) {
    store::LockAlerts(change.tx(), change.context().organization_id);
    RETURN_IF_ERROR(
        Raise(change, course, rules, sheet, score, patient, change.context().now, source, false)
            .status());
  }
  return GuidanceOf(score);
}

absl::StatusOr<std::vector<std::string>> Recorder::Raise(
    call::Change& change, const care::CourseFacts& course, const InstrumentRules& rules,
    const Sheet& sheet, const v1::Score& score, absl::string_view patient, absl::Time answer_time,
    absl::string_view source, bool finished) const {
  sql::Transaction& tx = change.tx();
  ASSIGN_OR_RETURN(
      const std::optional<Sheet> previous,
      PreviousSheet(tx, catalogues_, vault_, course.course, patient, rules.id(), answer_time));
  ASSIGN_OR_RETURN(const std::optional<absl::Time> last_risk_assessment,
                   store::LastRiskAssessment(tx, patient));
  std::vector<RaisedAlert> raised = AlertsOf(rules, score, sheet, previous ? &*previous : nullptr,
                                             last_risk_assessment, answer_time);
  if (!finished) {
    std::erase_if(raised, [](const RaisedAlert& alert) {
      return alert.kind == v1::ALERT_KIND_RISK_NOT_ASKED;
    });
  }
  return RaiseAlerts(change, course, raised, source, patient);
}

}  // namespace rapport::assessment
