#include "services/assessment/rpc/eraser.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/audit/audit_log.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/assessment/domain/requests.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/erasure.h"

namespace rapport::assessment {
namespace {

// Leaves of an alert what counts: its kind, its times and whose it was.
absl::Status EraseAlert(sql::Transaction& tx, store::StoredAlert stored, absl::string_view subject,
                        absl::Time now) {
  const v1::Alert& old = stored.alert;
  v1::Alert alert;
  alert.set_name(old.name());
  alert.set_course(
      names::InOrganization(names::OrganizationId(subject), "courses", names::Last(subject)));
  alert.set_kind(old.kind());
  alert.set_severity(old.severity());
  alert.set_state(v1::ALERT_STATE_RESOLVED);
  alert.set_owner(old.owner());
  alert.set_owner_basis(old.owner_basis());
  *alert.mutable_create_time() = old.create_time();
  if (old.has_acknowledgement()) *alert.mutable_acknowledgement() = old.acknowledgement();
  alert.mutable_resolution()->set_clinician(old.resolution().clinician());
  *alert.mutable_resolution()->mutable_resolve_time() = old.resolution().has_resolve_time()
                                                            ? old.resolution().resolve_time()
                                                            : time::ToTimestamp(now);
  *alert.mutable_ownerships() = old.ownerships();
  alert.set_escalation_level(old.escalation_level());
  *alert.mutable_escalated_to() = old.escalated_to();
  RETURN_IF_ERROR(store::UpdateAlert(tx, alert, stored.version));
  store::UnlinkAlert(tx, alert.name(), subject);
  RecordOwn(tx, "EraseAlert", alert, stored.version + 1, now);
  return absl::OkStatus();
}

absl::Status EraseRecords(sql::Transaction& tx, const Catalogues& catalogues,
                          absl::string_view patient, absl::string_view erasure, absl::Time now,
                          common::v1::ErasurePart& part, std::vector<std::string>& covers) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  const std::string subject = names::InOrganization(organization_id, "erased", ids::NewUlid());

  ASSIGN_OR_RETURN(const std::vector<std::string> courses, store::ListCoursesOf(tx, patient));
  for (const std::string& course : courses) {
    RETURN_IF_ERROR(RefreshOutcome(tx, catalogues, course));  // what waited to be counted
    const absl::StatusOr<care::CourseFacts> facts = care::GetCourse(tx, course);
    if (facts.ok() && facts->state.partner().empty()) store::DropFocus(tx, course);
  }

  store::MarkErased(tx, patient, erasure, now);

  ASSIGN_OR_RETURN(std::vector<store::StoredRequest> requests, store::ListRequestsTo(tx, patient));
  for (auto& [request, version, save_number, sealed] : requests) {
    if (!IsOpen(request.state())) continue;
    request.set_state(v1::MEASURE_REQUEST_STATE_CANCELLED);
    work::Unschedule(tx, organization_id, kExpiryWork, request.name());
    events::Append(tx, organization_id, request.name(), version + 1, now, EventOf(request));
  }

  ASSIGN_OR_RETURN(std::vector<store::StoredAlert> alerts, store::ListAlertsAbout(tx, patient));
  for (store::StoredAlert& alert : alerts) {
    RETURN_IF_ERROR(EraseAlert(tx, std::move(alert), subject, now));
  }

  ASSIGN_OR_RETURN(std::vector<common::v1::ErasedKind> kinds,
                   store::MoveAndDelete(tx, patient, subject, covers));
  part.mutable_covers()->Add(kinds.begin(), kinds.end());
  if (!alerts.empty()) {
    common::v1::ErasedKind& kind = *part.add_covers();
    kind.set_kind("alert");
    kind.set_count(static_cast<int32_t>(alerts.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Erase(sql::Transaction& tx, const Catalogues& catalogues, const crypto::Vault& vault,
                   const common::v1::Event& event, absl::Time now) {
  common::v1::ErasureEvent erasure;
  if (!event.payload().UnpackTo(&erasure)) return errors::Internal("unreadable ErasureEvent");
  const std::string& patient = erasure.patient();
  const std::string organization_id(names::OrganizationId(event.organization()));
  tx.Lock({patient});
  store::LockAlerts(tx, organization_id);
  ASSIGN_OR_RETURN(const std::string before, store::ErasureOf(tx, patient));
  if (before == event.resource()) return absl::OkStatus();

  common::v1::ErasurePartEvent confirmation;
  common::v1::ErasurePart& part = *confirmation.mutable_part();
  part.set_service("assessment");
  part.set_confirmed(true);
  *part.mutable_confirm_time() = time::ToTimestamp(now);
  audit::Entry entry{.organization_id = organization_id,
                     .principal = "service:assessment",
                     .method = "assessment/ErasePatient",
                     .resource = absl::StrCat(event.resource(), "/parts/assessment"),
                     .version = 1,
                     .occur_time = now,
                     .trace_id = "",
                     .kind = audit::Kind::kErasure};
  if (before.empty()) {
    RETURN_IF_ERROR(
        EraseRecords(tx, catalogues, patient, event.resource(), now, part, entry.covers));
    vault.Shred(tx, organization_id, patient, now);
  }
  events::Append(tx, organization_id, entry.resource, 1, now, confirmation);
  audit::Append(tx, entry, part.SerializeAsString());
  return absl::OkStatus();
}

absl::Status RequireNotErased(sql::Session& session, absl::string_view patient) {
  ASSIGN_OR_RETURN(const bool erased, store::IsErased(session, patient));
  if (!erased) return absl::OkStatus();
  return errors::FailedPrecondition("ERASED", "What was kept of this person has been erased.");
}

}  // namespace rapport::assessment
