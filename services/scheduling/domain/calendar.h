#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

// Appointments as an iCalendar file (RFC 5545), for people to subscribe to.
namespace rapport::scheduling {

enum class CalendarState { kTentative, kConfirmed, kCancelled };  // tentative: a hold

struct CalendarEntry {
  // Stable and unique in the world, as the appointment's id, "@" and a host.
  std::string uid;
  // Grows with each change of time, place or state; from 0.
  int64_t sequence = 0;
  CalendarState state = CalendarState::kConfirmed;
  // IANA name of the zone by whose clock the session is meant.
  std::string zone;
  absl::Time start;
  absl::Time end;
  // All that the calendar tells of the session: calendars are synchronised to phones and read over
  // shoulders, so no names of patients, therapies or partners.
  std::string summary = "Session";
  std::string location;  // the clinic; may be empty
  absl::Time created;
  absl::Time last_modified;
  std::string url;  // absolute; may be empty
};

struct Calendar {
  std::string name;
  std::string product_id;  // as "-//Rapport//Scheduling 1.0//EN"
  absl::Time now;          // of the export
  std::vector<CalendarEntry> entries;
};

// The calendar as text/calendar in UTF-8: published, its entries by start and uid, its lines ended
// by CRLF and folded at 75 octets between characters.
//
// Start and end are given by the clock of the entry's zone, with a VTIMEZONE that spells out each
// change of clocks between the zone's first start and last end; read through it they are exactly
// `start` and `end`. Where that clock cannot say it (the second pass of an hour that clocks repeat)
// or the zone no longer loads, both are given in UTC. A calendar without sessions still has a
// VTIMEZONE, as there must be one component.
std::string ExportCalendar(const Calendar& calendar);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_CALENDAR_H_
