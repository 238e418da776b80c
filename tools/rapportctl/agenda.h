#ifndef RAPPORT_TOOLS_RAPPORTCTL_AGENDA_H_
#define RAPPORT_TOOLS_RAPPORTCTL_AGENDA_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"

namespace rapport::ctl {

// The days of one clinician.
struct Agenda {
  scheduling::v1::Clinician clinician;
  std::map<std::string, scheduling::v1::Clinic> clinics;  // theirs, by name
  std::vector<scheduling::v1::Appointment> appointments;  // of these days, in any state, by start
  std::vector<scheduling::v1::TimeOff> time_off;
  absl::TimeZone zone;  // of the first of their clinics
  absl::CivilDay first;
  int days = 1;
  absl::Time now;  // marks what is under way
  bool ascii = false;
};

// The agenda as a table for a terminal: the sessions of each day by the clinician's own clock, and
// between them what of their hours is free; time off, holidays. Called off and missed sessions are
// listed below the day. Another clinic's times are told by the clinician's clock too. No name of a
// patient is in it: there is none in the suite.
std::string RenderAgenda(const Agenda& agenda);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_AGENDA_H_
