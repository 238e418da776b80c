#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_

#include "absl/strings/string_view.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// Each resource's state as its events tell it: no free text, no names of people.
namespace rapport::scheduling {

v1::OrganizationEvent PayloadOf(const v1::Organization& organization);
v1::ClinicEvent PayloadOf(const v1::Clinic& clinic);
v1::ClinicianEvent PayloadOf(const v1::Clinician& clinician);
v1::TimeOffEvent PayloadOf(const v1::TimeOff& time_off, bool deleted = false);
v1::CoverEvent PayloadOf(const v1::Cover& cover, bool deleted = false);
// The phases are those of the course's planned sessions.
v1::CourseEvent PayloadOf(const v1::Course& course, const v1::Protocol& protocol);
v1::AppointmentEvent PayloadOf(const v1::Appointment& appointment, const v1::Protocol& protocol);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_
