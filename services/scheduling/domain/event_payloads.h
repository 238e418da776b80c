#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "rapport/scheduling/v1/group.pb.h"
#include "rapport/scheduling/v1/leave.pb.h"
#include "rapport/scheduling/v1/revocation.pb.h"

// Each resource's state as its events tell it: no free text, no names of people.
namespace rapport::scheduling {

v1::OrganizationEvent PayloadOf(const v1::Organization& organization);
v1::ClinicEvent PayloadOf(const v1::Clinic& clinic, bool deleted = false);
v1::RoomEvent PayloadOf(const v1::Room& room, bool deleted = false);
// A deleted one has no subject: nobody signs in as them any more.
v1::ClinicianEvent PayloadOf(const v1::Clinician& clinician, bool deleted = false);
v1::SupervisionEvent PayloadOf(const v1::Supervision& supervision);
v1::TimeOffEvent PayloadOf(const v1::TimeOff& time_off, bool deleted = false);
v1::CoverEvent PayloadOf(const v1::Cover& cover, bool deleted = false);
// The phases are those of the course's planned sessions and declared phases; in maintenance one.
v1::CourseEvent PayloadOf(const v1::Course& course, const v1::Protocol& protocol);
// Whole, also of a private one. `busy_until`: when its clinician's time is free again;
// InfiniteFuture: it takes none.
v1::AppointmentEvent PayloadOf(const v1::Appointment& appointment, const v1::Protocol& protocol,
                               absl::Time busy_until = absl::InfiniteFuture());
// What everyone may know of a private one: when its clinician and room are taken.
v1::AppointmentEvent MaskedPayload(const v1::AppointmentEvent& whole);
v1::GroupEvent PayloadOf(const v1::Group& group);
v1::GroupSessionEvent PayloadOf(const v1::GroupSession& session, const v1::Group& group,
                                absl::Time busy_until);
// `sessions`: how many it is about; `settled`: how many of them have an outcome.
v1::LeavePlanEvent PayloadOf(const v1::LeavePlan& plan, int sessions, int settled);
v1::RevocationEvent PayloadOf(const v1::Revocation& revocation);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_EVENT_PAYLOADS_H_
