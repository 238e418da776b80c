#include "services/assessment/rpc/follower.h"

#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {

namespace proto = scheduling::v1;

absl::Status SchedulingFollower::Apply(sql::Transaction& tx, const common::v1::Event& event) const {
  RETURN_IF_ERROR(care::Apply(tx, event));
  const absl::string_view organization_id = names::OrganizationId(event.organization());
  const auto& payload = event.payload();

  if (proto::CourseEvent course; payload.UnpackTo(&course)) {
    store::PutCourseClinician(tx, event.resource(), event.version(), course.clinician());
    return RecomputeOwners(tx, organization_id, event.resource(), clock_.Now());
  }
  if (proto::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
    const bool missed =
        appointment.state() == proto::APPOINTMENT_STATE_NO_SHOW ||
        (appointment.state() == proto::APPOINTMENT_STATE_CANCELLED && appointment.cancelled_late());
    if (!missed) return absl::OkStatus();
    return RaiseMissed(tx, event.resource(), appointment, time::ToTime(event.occur_time()),
                       clock_.Now());
  }
  if (payload.Is<proto::TimeOffEvent>() || payload.Is<proto::CoverEvent>() ||
      payload.Is<proto::ClinicEvent>() || payload.Is<proto::OrganizationEvent>()) {
    return RecomputeOwners(tx, organization_id, "", clock_.Now());
  }
  return absl::OkStatus();
}

}  // namespace rapport::assessment
