#include "services/scheduling/rpc/eraser.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/audit/audit_log.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/erasure_store.h"

namespace rapport::scheduling {
namespace {

// Without a zone nothing could be reckoned for the course any more.
constexpr char kNoZone[] = "UTC";

bool EraseParticulars(v1::PatientParticulars& particulars) {
  v1::PatientParticulars none;
  none.set_time_zone(kNoZone);
  if (particulars.SerializeAsString() == none.SerializeAsString()) return false;
  particulars = none;
  return true;
}

absl::StatusOr<bool> EraseInCourse(Act& act, const Protocols& protocols, const std::string& name,
                                   const std::string& patient) {
  act.tx().Lock({name});
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(act.tx(), name, {}));
  v1::Course& course = row.resource;
  const bool changed =
      EraseParticulars(course.patient() == patient ? *course.mutable_patient_particulars()
                                                   : *course.mutable_partner_particulars());
  if (!changed) return false;
  ASSIGN_OR_RETURN(const auto protocol, protocols.Find(act.tx(), course.protocol()));
  *course.mutable_update_time() = time::ToTimestamp(act.now());
  RETURN_IF_ERROR(store::UpdateCourse(act.tx(), course, row.version));
  act.Record(name, row.version + 1, PayloadOf(course, *protocol), store::Document(course));
  return true;
}

absl::StatusOr<bool> EraseInAppointment(Act& act, const Protocols& protocols,
                                        const std::string& name) {
  ASSIGN_OR_RETURN(store::AppointmentRow row, store::GetAppointment(act.tx(), name, {}));
  v1::Appointment& appointment = row.resource;
  if (!appointment.has_telehealth() || appointment.course().empty()) return false;
  appointment.clear_telehealth();
  ASSIGN_OR_RETURN(const store::CourseRow course,
                   store::GetCourse(act.tx(), appointment.course(), {}));
  ASSIGN_OR_RETURN(const auto protocol, protocols.Find(act.tx(), course.resource.protocol()));
  RETURN_IF_ERROR(store::UpdateAppointment(act.tx(), appointment, *protocol, row.version));
  RecordAppointment(act, appointment, *protocol, row.version + 1, row.busy_until);
  return true;
}

void Count(common::v1::ErasurePart& part, const char* kind, int count) {
  if (count == 0) return;
  common::v1::ErasedKind& added = *part.add_covers();
  added.set_kind(kind);
  added.set_count(count);
}

}  // namespace

absl::Status Erase(sql::Transaction& tx, const Protocols& protocols, const common::v1::Event& event,
                   absl::Time now) {
  common::v1::ErasureEvent erasure;
  if (!event.payload().UnpackTo(&erasure)) return errors::Internal("unreadable ErasureEvent");
  const std::string& patient = erasure.patient();
  const std::string organization_id(names::OrganizationId(event.organization()));
  tx.Lock({patient});
  ASSIGN_OR_RETURN(const std::string before, store::ErasureOf(tx, patient));
  if (before == event.resource()) return absl::OkStatus();
  store::MarkErased(tx, patient, event.resource(), now);

  Act act(tx, organization_id, "ErasePatient", now);
  int of_courses = 0;
  ASSIGN_OR_RETURN(const std::vector<std::string> courses, store::ListCoursesOf(tx, patient));
  for (const std::string& course : courses) {
    ASSIGN_OR_RETURN(const bool changed, EraseInCourse(act, protocols, course, patient));
    of_courses += changed ? 1 : 0;
  }
  int of_appointments = 0;
  ASSIGN_OR_RETURN(const std::vector<std::string> appointments,
                   store::ListAppointmentsOf(tx, patient));
  for (const std::string& appointment : appointments) {
    ASSIGN_OR_RETURN(const bool changed, EraseInAppointment(act, protocols, appointment));
    of_appointments += changed ? 1 : 0;
  }

  common::v1::ErasurePartEvent confirmation;
  common::v1::ErasurePart& part = *confirmation.mutable_part();
  part.set_service("scheduling");
  part.set_confirmed(true);
  *part.mutable_confirm_time() = time::ToTimestamp(now);
  Count(part, "course", of_courses);
  Count(part, "appointment", of_appointments);
  audit::Entry entry{.organization_id = organization_id,
                     .principal = "service:scheduling",
                     .method = "scheduling/ErasePatient",
                     .resource = absl::StrCat(event.resource(), "/parts/scheduling"),
                     .version = 1,
                     .occur_time = now,
                     .trace_id = "",
                     .kind = audit::Kind::kErasure};
  entry.covers.push_back(patient);
  events::Append(tx, organization_id, entry.resource, 1, now, confirmation);
  audit::Append(tx, entry, part.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
