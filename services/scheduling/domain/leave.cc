#include "services/scheduling/domain/leave.h"

#include "common/time/convert.h"

namespace rapport::scheduling {
namespace {

v1::LeaveOption Option(v1::LeaveAction action, absl::string_view clinician, absl::Time start,
                       v1::Modality modality, absl::TimeZone zone) {
  const absl::CivilSecond local = absl::ToCivilSecond(start, zone);
  v1::LeaveOption option;
  option.set_action(action);
  option.set_clinician(std::string(clinician));
  *option.mutable_start_time() = time::ToTimestamp(start);
  *option.mutable_local_date() = time::ToDate(absl::CivilDay(local));
  *option.mutable_local_time() = time::ToTimeOfDay(local.hour() * 60 + local.minute());
  option.set_modality(modality);
  return option;
}

}  // namespace

LeaveScope LeaveScopeOf(const v1::Appointment& appointment) {
  const bool seat = !appointment.group_session().empty();
  return {!seat, !seat && !appointment.private_session()};
}

std::vector<v1::LeaveOption> RankOptions(const v1::Appointment& appointment, v1::Phase phase,
                                         const LeaveCandidates& candidates, absl::TimeZone zone) {
  std::vector<v1::LeaveOption> options;
  for (const absl::Time start : candidates.moves) {
    options.push_back(Option(v1::LEAVE_ACTION_MOVE, appointment.clinician(), start,
                             appointment.modality(), zone));
  }
  const auto add_telehealth = [&] {
    if (!candidates.telehealth) return;
    options.push_back(Option(v1::LEAVE_ACTION_TELEHEALTH, appointment.clinician(),
                             *candidates.telehealth, v1::MODALITY_VIDEO, zone));
  };
  const bool in_the_room = phase == v1::PHASE_INITIAL || phase == v1::PHASE_TERMINATION;
  if (!in_the_room) add_telehealth();
  for (const std::string& colleague : candidates.colleagues) {
    options.push_back(Option(v1::LEAVE_ACTION_HAND_OVER, colleague,
                             time::ToTime(appointment.start_time()), appointment.modality(), zone));
    *options.back().mutable_local_date() = appointment.local_date();
    *options.back().mutable_local_time() = appointment.local_time();
  }
  if (in_the_room) add_telehealth();
  options.emplace_back().set_action(v1::LEAVE_ACTION_CANCEL);
  return options;
}

bool Overtaken(const v1::LeavePlanItem& item, absl::string_view clinician,
               const v1::Appointment& appointment) {
  return appointment.state() != v1::APPOINTMENT_STATE_BOOKED ||
         appointment.clinician() != clinician ||
         time::ToTime(appointment.start_time()) != time::ToTime(item.start_time());
}

bool Settled(const v1::LeavePlanItem& item) {
  return item.outcome() == v1::LEAVE_OUTCOME_APPLIED ||
         item.outcome() == v1::LEAVE_OUTCOME_OVERTAKEN;
}

void KeepTimes(v1::LeavePlanItem& item) {
  item.clear_course();
  item.clear_phase();
  for (v1::LeaveOption& option : *item.mutable_options()) option.clear_modality();
}

}  // namespace rapport::scheduling
