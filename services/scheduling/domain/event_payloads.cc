#include "services/scheduling/domain/event_payloads.h"

#include <set>

#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {

v1::OrganizationEvent PayloadOf(const v1::Organization& organization) {
  const v1::OrganizationSettings& settings = organization.settings();
  v1::OrganizationEvent event;
  event.set_state(organization.state());
  *event.mutable_immediate_acknowledgement() = settings.immediate_acknowledgement();
  *event.mutable_same_day_acknowledgement() = settings.same_day_acknowledgement();
  *event.mutable_note_due_after() = settings.note_due_after();
  *event.mutable_duty_list() = settings.duty_list();
  std::set<std::string> jurisdictions;
  for (const v1::CrisisResource& resource : settings.crisis_resources()) {
    jurisdictions.insert(resource.jurisdiction());
  }
  for (const std::string& jurisdiction : jurisdictions) {
    event.add_crisis_jurisdictions(jurisdiction);
  }
  *event.mutable_monitored_hours() = settings.monitored_hours();
  return event;
}

v1::ClinicEvent PayloadOf(const v1::Clinic& clinic, bool deleted) {
  v1::ClinicEvent event;
  event.set_time_zone(clinic.time_zone());
  event.set_jurisdiction(clinic.jurisdiction());
  *event.mutable_duty_list() = clinic.duty_list();
  *event.mutable_monitored_hours() = clinic.monitored_hours();
  for (const v1::Holiday& holiday : clinic.holidays()) *event.add_holidays() = holiday.date();
  event.set_deleted(deleted);
  return event;
}

v1::RoomEvent PayloadOf(const v1::Room& room, bool deleted) {
  v1::RoomEvent event;
  event.set_capacity(room.capacity());
  *event.mutable_features() = room.features();
  event.set_out_of_use(room.out_of_use());
  event.set_deleted(deleted);
  return event;
}

v1::ClinicianEvent PayloadOf(const v1::Clinician& clinician, bool deleted) {
  v1::ClinicianEvent event;
  if (!deleted) event.set_subject(clinician.subject());
  *event.mutable_clinics() = clinician.clinics();
  if (clinician.has_licence_expire_date()) {
    *event.mutable_licence_expire_date() = clinician.licence_expire_date();
  }
  event.set_trainee(clinician.trainee());
  event.set_deleted(deleted);
  return event;
}

v1::SupervisionEvent PayloadOf(const v1::Supervision& supervision) {
  v1::SupervisionEvent event;
  event.set_supervisor(supervision.supervisor());
  event.set_supervisee(supervision.supervisee());
  *event.mutable_start_time() = supervision.start_time();
  if (supervision.has_end_time()) *event.mutable_end_time() = supervision.end_time();
  return event;
}

v1::TimeOffEvent PayloadOf(const v1::TimeOff& time_off, bool deleted) {
  v1::TimeOffEvent event;
  event.set_clinician(names::InOrganization(names::OrganizationId(time_off.name()), "clinicians",
                                            names::Id(time_off.name(), "clinicians")));
  *event.mutable_start_time() = time_off.start_time();
  *event.mutable_end_time() = time_off.end_time();
  event.set_deleted(deleted);
  return event;
}

v1::CoverEvent PayloadOf(const v1::Cover& cover, bool deleted) {
  v1::CoverEvent event;
  event.set_clinician(cover.clinician());
  event.set_covering_clinician(cover.covering_clinician());
  *event.mutable_start_time() = cover.start_time();
  *event.mutable_end_time() = cover.end_time();
  event.set_deleted(deleted);
  return event;
}

v1::CourseEvent PayloadOf(const v1::Course& course, const v1::Protocol& protocol) {
  v1::CourseEvent event;
  event.set_state(course.state());
  event.set_patient(course.patient());
  event.set_clinician(course.clinician());
  event.set_clinic(course.clinic());
  event.set_protocol(course.protocol());
  event.set_planned_sessions(course.planned_sessions());
  *event.mutable_measures() = protocol.measures();
  if (course.has_maintenance()) {
    v1::ProtocolPhase* phase = event.add_phases();
    phase->set_phase(v1::PHASE_MAINTENANCE);
    phase->set_first_session(1);
    phase->set_last_session(course.planned_sessions());
    *event.mutable_maintenance() = course.maintenance();
  } else {
    for (v1::ProtocolPhase& phase :
         PhasesOf(protocol, course.planned_sessions(), course.declared_phases())) {
      for (v1::ProtocolTask& task : *phase.mutable_tasks()) task.clear_label();
      *event.add_phases() = std::move(phase);
    }
  }
  event.set_formulation_due_session(protocol.formulation_due_session());
  const v1::PatientParticulars& patient = course.patient_particulars();
  event.set_patient_jurisdiction(patient.jurisdiction());
  event.set_patient_time_zone(patient.time_zone());
  if (patient.has_majority_on()) *event.mutable_majority_on() = patient.majority_on();
  if (patient.has_may_consent_from()) {
    *event.mutable_may_consent_from() = patient.may_consent_from();
  }
  event.set_kind(KindOf(protocol));
  event.set_partner(course.partner());
  event.set_partner_jurisdiction(course.partner_particulars().jurisdiction());
  event.set_partner_time_zone(course.partner_particulars().time_zone());
  event.set_segment(course.segment());
  event.set_group(course.group());
  event.set_discontinue_reason(course.end().reason());
  if (course.has_activate_time()) *event.mutable_activate_time() = course.activate_time();
  event.set_assessment_sessions(protocol.assessment_sessions());
  event.set_cadence_days(protocol.cadence_days());
  event.set_assigns_homework(protocol.assigns_homework());
  *event.mutable_conditions() = course.conditions();
  return event;
}

v1::AppointmentEvent PayloadOf(const v1::Appointment& appointment, const v1::Protocol& protocol,
                               absl::Time busy_until) {
  v1::AppointmentEvent event;
  event.set_course(appointment.course());
  event.set_patient(appointment.patient());
  event.set_clinician(appointment.clinician());
  event.set_clinic(appointment.clinic());
  *event.mutable_start_time() = appointment.start_time();
  *event.mutable_end_time() = appointment.end_time();
  event.set_state(appointment.state());
  event.set_modality(appointment.modality());
  event.set_counts_towards_course(CountsTowardsCourse(appointment, protocol));
  event.set_cancelled_late(appointment.cancelled_late());
  event.set_segment(appointment.segment());
  event.set_cancel_reason(appointment.cancel_reason());
  *event.mutable_participants() = appointment.participants();
  event.set_private_session(appointment.private_session());
  event.set_room(appointment.room());
  event.set_group_session(appointment.group_session());
  event.set_seat(appointment.seat());
  if (appointment.has_hold_expire_time()) {
    *event.mutable_hold_expire_time() = appointment.hold_expire_time();
  }
  event.set_sequence(appointment.sequence());
  if (busy_until != absl::InfiniteFuture()) {
    *event.mutable_busy_until() = time::ToTimestamp(busy_until);
  }
  return event;
}

v1::AppointmentEvent MaskedPayload(const v1::AppointmentEvent& whole) {
  v1::AppointmentEvent event;
  event.set_clinician(whole.clinician());
  event.set_clinic(whole.clinic());
  *event.mutable_start_time() = whole.start_time();
  *event.mutable_end_time() = whole.end_time();
  event.set_state(whole.state());
  event.set_private_session(true);
  event.set_room(whole.room());
  if (whole.has_busy_until()) *event.mutable_busy_until() = whole.busy_until();
  return event;
}

v1::GroupEvent PayloadOf(const v1::Group& group) {
  v1::GroupEvent event;
  event.set_clinician(group.clinician());
  *event.mutable_co_clinicians() = group.co_clinicians();
  event.set_clinic(group.clinic());
  event.set_protocol(group.protocol());
  event.set_capacity(group.capacity());
  event.set_seats_taken(group.seats_taken());
  return event;
}

v1::GroupSessionEvent PayloadOf(const v1::GroupSession& session, const v1::Group& group,
                                absl::Time busy_until) {
  v1::GroupSessionEvent event;
  event.set_group(group.name());
  *event.mutable_start_time() = session.start_time();
  *event.mutable_end_time() = session.end_time();
  event.set_state(session.state());
  event.set_room(session.room());
  event.add_clinicians(group.clinician());
  event.mutable_clinicians()->MergeFrom(group.co_clinicians());
  event.set_clinic(group.clinic());
  *event.mutable_busy_until() = time::ToTimestamp(busy_until);
  return event;
}

v1::LeavePlanEvent PayloadOf(const v1::LeavePlan& plan, int sessions, int settled) {
  v1::LeavePlanEvent event;
  event.set_time_off(plan.time_off());
  event.set_sessions(sessions);
  event.set_settled(settled);
  return event;
}

v1::RevocationEvent PayloadOf(const v1::Revocation& revocation) {
  v1::RevocationEvent event;
  event.set_subject(revocation.subject());
  event.set_token_id(revocation.token_id());
  if (revocation.has_not_before()) *event.mutable_not_before() = revocation.not_before();
  *event.mutable_expire_time() = revocation.expire_time();
  return event;
}

}  // namespace rapport::scheduling
