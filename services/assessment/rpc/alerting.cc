#include "services/assessment/rpc/alerting.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

v1::OwnerBasis BasisOf(care::OwnerBasis basis) {
  switch (basis) {
    case care::OwnerBasis::kResponsible:
      return v1::OWNER_BASIS_RESPONSIBLE;
    case care::OwnerBasis::kCover:
      return v1::OWNER_BASIS_COVER;
    case care::OwnerBasis::kClinicDuty:
      return v1::OWNER_BASIS_CLINIC_DUTY;
    case care::OwnerBasis::kOrganizationDuty:
      return v1::OWNER_BASIS_ORGANIZATION_DUTY;
  }
  return v1::OWNER_BASIS_UNSPECIFIED;
}

void GiveTo(const care::Owner& owner, absl::Time now, v1::Alert& alert) {
  alert.set_owner(owner.clinician);
  alert.set_owner_basis(BasisOf(owner.basis));
  v1::Ownership& ownership = *alert.add_ownerships();
  ownership.set_owner(alert.owner());
  ownership.set_basis(alert.owner_basis());
  *ownership.mutable_start_time() = time::ToTimestamp(now);
}

bool Among(const std::vector<std::string>& clinicians, const std::string& clinician) {
  return std::find(clinicians.begin(), clinicians.end(), clinician) != clinicians.end();
}

// Whether its owner has it because they acknowledged it when it was escalated to them.
bool TookOver(const v1::Alert& alert) {
  return alert.state() == v1::ALERT_STATE_ACKNOWLEDGED &&
         alert.acknowledgement().clinician() == alert.owner() &&
         std::find(alert.escalated_to().begin(), alert.escalated_to().end(), alert.owner()) !=
             alert.escalated_to().end();
}

}  // namespace

v1::AssessmentEvent EventOf(const v1::Assessment& assessment) {
  v1::AssessmentEvent event;
  event.set_course(assessment.course());
  event.set_patient(assessment.patient());
  event.set_instrument(assessment.instrument());
  *event.mutable_answer_time() = assessment.answer_time();
  if (assessment.score().has_total()) event.set_total(assessment.score().total());
  event.set_complete(assessment.score().complete());
  event.set_severity(assessment.score().severity());
  event.set_administration(assessment.administration());
  event.set_appointment(assessment.appointment());
  event.set_void_(assessment.has_void_());
  event.set_prorated(assessment.score().prorated());
  return event;
}

void RecordOwn(sql::Transaction& tx, absl::string_view act, const v1::Alert& alert, int64_t version,
               absl::Time now) {
  call::RecordOwnAct(tx, "assessment", act, alert.name(), version, now, EventOf(alert),
                     store::Document(alert));
}

absl::StatusOr<v1::Alert> MakeAlert(sql::Session& session, const care::CourseFacts& course,
                                    const RaisedAlert& raised, absl::string_view source,
                                    absl::Time now, absl::string_view respondent) {
  const absl::string_view organization_id = names::OrganizationId(course.course);
  const std::string organization = names::Organization(organization_id);
  ASSIGN_OR_RETURN(const care::OrganizationFacts facts,
                   care::GetOrganization(session, organization));
  ASSIGN_OR_RETURN(const care::Owner owner,
                   care::OwnerOf(session, course.state, organization, now));
  v1::Alert alert;
  alert.set_name(names::InOrganization(organization_id, "alerts", ids::NewUlid()));
  alert.set_course(course.course);
  alert.set_patient(course.state.patient());
  alert.set_respondent(respondent.empty() ? course.state.patient() : std::string(respondent));
  alert.set_kind(raised.kind);
  alert.set_concern(raised.concern);
  alert.set_severity(raised.severity);
  alert.set_state(v1::ALERT_STATE_OPEN);
  alert.set_source(std::string(source));
  alert.mutable_items()->Add(raised.items.begin(), raised.items.end());
  *alert.mutable_create_time() = time::ToTimestamp(now);
  if (const auto before = AcknowledgeBefore(raised.severity, now, facts.state)) {
    *alert.mutable_acknowledge_before_time() = time::ToTimestamp(*before);
  }
  GiveTo(owner, now, alert);
  alert.set_etag(call::Etag(1));
  return alert;
}

absl::StatusOr<std::vector<std::string>> RaiseAlerts(call::Change& change,
                                                     const care::CourseFacts& course,
                                                     absl::Span<const RaisedAlert> raised,
                                                     absl::string_view source,
                                                     absl::string_view respondent) {
  std::vector<std::string> alerts;
  const absl::Time now = change.context().now;
  for (const RaisedAlert& one : raised) {
    ASSIGN_OR_RETURN(const v1::Alert alert,
                     MakeAlert(change.tx(), course, one, source, now, respondent));
    ASSIGN_OR_RETURN(const store::RaisedAs as, store::RaiseOrRaiseHigher(change.tx(), alert));
    alerts.push_back(as.alert.name());
    if (!as.changed) continue;
    change.Record(as.alert.name(), as.version, EventOf(as.alert), store::Document(as.alert));
  }
  if (!raised.empty()) {
    RETURN_IF_ERROR(ScheduleOwnership(change.tx(), names::OrganizationId(course.course), now));
  }
  return alerts;
}

absl::Status ScheduleOwnership(sql::Transaction& tx, absl::string_view organization_id,
                               absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<absl::Time> next,
                   care::NextOwnershipChange(tx, names::Organization(organization_id), now));
  if (next) {
    work::Schedule(tx, organization_id, kOwnershipWork, absl::StrCat(absl::ToUnixMicros(*next)),
                   *next);
  }
  return absl::OkStatus();
}

absl::Status RecomputeOwners(sql::Transaction& tx, absl::string_view organization_id,
                             absl::string_view course, absl::Time now) {
  store::LockAlerts(tx, organization_id);
  ASSIGN_OR_RETURN(std::vector<store::StoredAlert> alerts,
                   store::ListUnresolved(tx, organization_id, course));
  const std::string organization = names::Organization(organization_id);
  std::optional<care::CourseFacts> course_facts;  // of the course at hand: alerts come by course
  // By clinician and clinic.
  std::map<std::pair<std::string, std::string>, care::OwnershipFacts> known;
  for (auto& [alert, version] : alerts) {
    if (!course_facts || course_facts->course != alert.course()) {
      ASSIGN_OR_RETURN(course_facts, care::GetCourse(tx, alert.course()));
    }
    const scheduling::v1::CourseEvent& state = course_facts->state;
    const auto key = std::pair(state.clinician(), state.clinic());
    auto facts = known.find(key);
    if (facts == known.end()) {
      ASSIGN_OR_RETURN(care::OwnershipFacts found,
                       care::OwnershipFactsOf(tx, state, organization, now));
      facts = known.emplace(key, std::move(found)).first;
    }
    if (TookOver(alert) && !Among(facts->second.away, alert.owner())) continue;
    const care::Owner owner = care::DecideOwner(facts->second);
    if (alert.owner() == owner.clinician && alert.owner_basis() == BasisOf(owner.basis)) continue;
    GiveTo(owner, now, alert);
    RETURN_IF_ERROR(store::UpdateAlert(tx, alert, version));
    RecordOwn(tx, "RecomputeOwners", alert, version + 1, now);
  }
  if (alerts.empty()) return absl::OkStatus();
  return ScheduleOwnership(tx, organization_id, now);
}

absl::Status TakeOver(sql::Session& session, const care::CourseFacts& course,
                      const std::string& clinician, absl::Time now, v1::Alert& alert) {
  ASSIGN_OR_RETURN(
      const care::OwnershipFacts facts,
      care::OwnershipFactsOf(session, course.state,
                             names::Organization(names::OrganizationId(course.course)), now));
  GiveTo({clinician, Among(facts.clinic_duty, clinician) ? care::OwnerBasis::kClinicDuty
                                                         : care::OwnerBasis::kOrganizationDuty},
         now, alert);
  return absl::OkStatus();
}

absl::Status RaiseMissed(sql::Transaction& tx, absl::string_view appointment,
                         const scheduling::v1::AppointmentEvent& state, absl::Time occur_time,
                         absl::Time now) {
  store::LockAlerts(tx, names::OrganizationId(appointment));
  // Attendance may be entered late; a cancellation comes before the start.
  const absl::Time missed = std::min(time::ToTime(state.start_time()), occur_time);
  absl::StatusOr<care::CourseFacts> course = care::GetCourse(tx, state.course());
  if (!course.ok() && !absl::IsNotFound(course.status())) return course.status();
  std::vector<std::string> expected = {state.patient()};
  if (course.ok() && !state.private_session() && !course->state.partner().empty()) {
    expected.push_back(course->state.partner());
  }
  ASSIGN_OR_RETURN(const std::optional<store::AtRisk> at_risk,
                   store::FindAtRisk(tx, expected, missed - kRiskMemory, occur_time));
  if (!at_risk) return absl::OkStatus();
  // The course's own event may still be under way; then the alert's course knows who is
  // responsible.
  if (!course.ok()) course = care::GetCourse(tx, at_risk->course);
  RETURN_IF_ERROR(course.status());
  const RaisedAlert raised{v1::ALERT_KIND_MISSED_AFTER_RISK, v1::ALERT_SEVERITY_SAME_DAY};
  ASSIGN_OR_RETURN(const v1::Alert alert,
                   MakeAlert(tx, *course, raised, appointment, now, at_risk->respondent));
  ASSIGN_OR_RETURN(const store::RaisedAs as, store::RaiseOrRaiseHigher(tx, alert));
  if (!as.changed) return absl::OkStatus();
  RecordOwn(tx, "RaiseMissed", as.alert, as.version, now);
  return ScheduleOwnership(tx, names::OrganizationId(appointment), now);
}

}  // namespace rapport::assessment
