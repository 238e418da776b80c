#include "services/assessment/rpc/follower.h"

#include "absl/strings/strip.h"
#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {

namespace proto = scheduling::v1;

absl::Status SchedulingFollower::Apply(sql::Transaction& tx, const common::v1::Event& event) const {
  RETURN_IF_ERROR(care::Apply(tx, event));
  RETURN_IF_ERROR(OutcomesChanged(tx, event, clock_.Now()));
  const absl::string_view organization_id = names::OrganizationId(event.organization());
  const auto& payload = event.payload();

  if (proto::CourseEvent course; payload.UnpackTo(&course)) {
    store::PutCourseClinician(tx, event.resource(), event.version(), course);
    return RecomputeOwners(tx, organization_id, event.resource(), clock_.Now());
  }
  if (proto::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
    // A private one tells of itself apart.
    if (appointment.private_session()) return absl::OkStatus();
    return Missed(tx, event.resource(), appointment, event);
  }
  if (proto::PrivateAppointmentEvent whole; payload.UnpackTo(&whole)) {
    return Missed(tx, absl::StripSuffix(event.resource(), "/private"), whole.appointment(), event);
  }
  if (payload.Is<proto::TimeOffEvent>() || payload.Is<proto::CoverEvent>() ||
      payload.Is<proto::ClinicEvent>() || payload.Is<proto::OrganizationEvent>()) {
    return RecomputeOwners(tx, organization_id, "", clock_.Now());
  }
  return absl::OkStatus();
}

absl::Status SchedulingFollower::Missed(sql::Transaction& tx, absl::string_view name,
                                        const proto::AppointmentEvent& appointment,
                                        const common::v1::Event& event) const {
  const bool missed =
      appointment.state() == proto::APPOINTMENT_STATE_NO_SHOW ||
      (appointment.state() == proto::APPOINTMENT_STATE_CANCELLED && appointment.cancelled_late());
  if (!missed || appointment.patient().empty()) return absl::OkStatus();
  return RaiseMissed(tx, name, appointment, time::ToTime(event.occur_time()), clock_.Now());
}

}  // namespace rapport::assessment
