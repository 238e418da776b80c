#include "services/assessment/rpc/alerting.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/call/mutate.h"
#include "common/call/own_act.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
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

// Of a change that the service makes by itself.
void Tell(sql::Transaction& tx, absl::string_view what, const v1::Alert& alert, int64_t version,
          absl::Time now) {
  call::RecordOwnAct(tx, "assessment", what, alert.name(), version, now, EventOf(alert),
                     store::Document(alert));
}

}  // namespace

v1::AssessmentEvent EventOf(const v1::Assessment& assessment) {
  v1::AssessmentEvent event;
  event.set_course(assessment.course());
  event.set_patient(assessment.patient());
  event.set_instrument(assessment.instrument());
  *event.mutable_answer_time() = assessment.answer_time();
  event.set_appointment(assessment.appointment());
  if (assessment.score().has_total()) event.set_total(assessment.score().total());
  event.set_complete(assessment.score().complete());
  event.set_severity(assessment.score().severity());
  event.set_administration(assessment.administration());
  return event;
}

v1::AlertEvent EventOf(const v1::Alert& alert) {
  v1::AlertEvent event;
  event.set_course(alert.course());
  event.set_patient(alert.patient());
  event.set_kind(alert.kind());
  event.set_severity(alert.severity());
  event.set_state(alert.state());
  event.set_owner(alert.owner());
  event.set_owner_basis(alert.owner_basis());
  if (alert.has_acknowledge_before_time()) {
    *event.mutable_acknowledge_before_time() = alert.acknowledge_before_time();
  }
  return event;
}

absl::StatusOr<v1::Alert> MakeAlert(sql::Session& session, const care::CourseFacts& course,
                                    const RaisedAlert& raised, absl::string_view source,
                                    absl::Time now) {
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
  alert.set_kind(raised.kind);
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

absl::Status RecomputeOwners(sql::Transaction& tx, absl::string_view organization_id,
                             absl::string_view course, absl::Time now) {
  store::LockAlerts(tx, organization_id);
  ASSIGN_OR_RETURN(std::vector<store::StoredAlert> alerts,
                   store::ListUnresolved(tx, organization_id, course));
  const std::string organization = names::Organization(organization_id);
  std::optional<care::CourseFacts> facts;  // of the course at hand: alerts come by course
  std::map<std::pair<std::string, std::string>, care::Owner> owners;  // by clinician and clinic
  for (auto& [alert, version] : alerts) {
    if (!facts || facts->course != alert.course()) {
      ASSIGN_OR_RETURN(facts, care::GetCourse(tx, alert.course()));
    }
    const auto key = std::pair(facts->state.clinician(), facts->state.clinic());
    auto owner = owners.find(key);
    if (owner == owners.end()) {
      ASSIGN_OR_RETURN(care::Owner found, care::OwnerOf(tx, facts->state, organization, now));
      owner = owners.emplace(key, std::move(found)).first;
    }
    if (alert.owner() == owner->second.clinician &&
        alert.owner_basis() == BasisOf(owner->second.basis)) {
      continue;
    }
    GiveTo(owner->second, now, alert);
    RETURN_IF_ERROR(store::UpdateAlert(tx, alert, version));
    Tell(tx, "RecomputeOwners", alert, version + 1, now);
  }
  return absl::OkStatus();
}

absl::Status RaiseMissed(sql::Transaction& tx, absl::string_view appointment,
                         const scheduling::v1::AppointmentEvent& state, absl::Time occur_time,
                         absl::Time now) {
  store::LockAlerts(tx, names::OrganizationId(appointment));
  // Attendance may be entered late; a cancellation comes before the start.
  const absl::Time missed = std::min(time::ToTime(state.start_time()), occur_time);
  ASSIGN_OR_RETURN(const std::optional<std::string> course_at_risk,
                   store::CourseAtRisk(tx, state.patient(), missed - kRiskMemory, occur_time));
  if (!course_at_risk) return absl::OkStatus();
  absl::StatusOr<care::CourseFacts> course = care::GetCourse(tx, state.course());
  // The course's own event may still be under way; then the alert's course knows who is
  // responsible.
  if (absl::IsNotFound(course.status())) course = care::GetCourse(tx, *course_at_risk);
  RETURN_IF_ERROR(course.status());
  const RaisedAlert raised{v1::ALERT_KIND_MISSED_AFTER_RISK, v1::ALERT_SEVERITY_SAME_DAY, {}};
  ASSIGN_OR_RETURN(const v1::Alert alert, MakeAlert(tx, *course, raised, appointment, now));
  ASSIGN_OR_RETURN(const bool inserted, store::InsertAlert(tx, alert));
  if (inserted) Tell(tx, "RaiseMissed", alert, 1, now);
  return absl::OkStatus();
}

}  // namespace rapport::assessment
