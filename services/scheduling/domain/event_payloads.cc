#include "services/scheduling/domain/event_payloads.h"

#include <set>

#include "common/names/names.h"
#include "services/scheduling/domain/appointments.h"
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
  return event;
}

v1::ClinicEvent PayloadOf(const v1::Clinic& clinic) {
  v1::ClinicEvent event;
  event.set_time_zone(clinic.time_zone());
  event.set_jurisdiction(clinic.jurisdiction());
  *event.mutable_duty_list() = clinic.duty_list();
  return event;
}

v1::ClinicianEvent PayloadOf(const v1::Clinician& clinician) {
  v1::ClinicianEvent event;
  event.set_subject(clinician.subject());
  *event.mutable_clinics() = clinician.clinics();
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
  for (v1::ProtocolPhase& phase : PhasesOf(protocol, course.planned_sessions())) {
    for (v1::ProtocolTask& task : *phase.mutable_tasks()) task.clear_label();
    *event.add_phases() = std::move(phase);
  }
  event.set_formulation_due_session(protocol.formulation_due_session());
  event.set_patient_jurisdiction(course.patient_particulars().jurisdiction());
  event.set_patient_time_zone(course.patient_particulars().time_zone());
  if (course.has_activate_time()) *event.mutable_activate_time() = course.activate_time();
  event.set_assessment_sessions(protocol.assessment_sessions());
  return event;
}

v1::AppointmentEvent PayloadOf(const v1::Appointment& appointment, const v1::Protocol& protocol) {
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
  return event;
}

}  // namespace rapport::scheduling
