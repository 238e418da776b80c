#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SEARCH_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SEARCH_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/scheduling/domain/openings/availability.h"

namespace rapport::scheduling::openings {

// A part of the day by a clinic's clock, in minutes from midnight, 0 to 1,440. A session matches
// that lies in it wholly. A window that ends before it starts goes on past midnight.
struct DayWindow {
  int from_minute = 0;
  int to_minute = 1440;
};

// Empty: any.
struct TimesOfWeek {
  std::vector<DayWindow> windows;
  std::vector<absl::Weekday> weekdays;  // on which the session begins
};

struct RoomNeed {
  int capacity = 1;
  std::vector<std::string> features;  // all of them
};

// Which clinicians, where. Empty fields don't filter. Ids that the index does not know match
// nobody.
struct ClinicianFilter {
  std::string protocol;
  std::vector<std::string> languages;  // one of them
  std::string modality;
  // No room is needed, and `patient_jurisdiction`, if given, is one in which the clinician is
  // licensed.
  bool remote = false;
  std::string patient_jurisdiction;
  std::vector<std::string> clinics;
  // Clinics by distance, nearest first: the rank is the place in this list. Those not in it come
  // after all of it, together.
  std::vector<std::string> nearest_clinics;
  std::vector<std::string> clinicians;
  std::vector<std::string> excluded_clinicians;
  std::vector<std::string> former_clinicians;  // of the patient
  // Also those whose caseload is full; for patients whose course they have already.
  bool ignore_caseload = false;
  // Unset: sessions that aren't remote need no room either (rooms aren't managed).
  std::optional<RoomNeed> room;
};

enum class Reason {
  kContinuity,        // a former clinician
  kPreferredTime,     // matches the preferred part of the day
  kPreferredDay,      // matches the preferred weekday
  kNearestClinic,     // first of the clinics by distance
  kSoonest,           // within a week of the earliest time asked for
  kLeastPopularTime,  // at one of the least booked times of the week (popularity 0 to 2 of 9)
};

// The order of openings, best first: a total one. A page goes on after the key of the last.
// Continuity, then the preference (both, time, day, none), the nearer clinic, the earlier day
// there, the less popular time of the week (Noham & Smilowitz 2026: give the least popular feasible
// slot), the earlier start, ids.
struct OpeningKey {
  int not_former = 1;
  int preference = 0;
  int32_t clinic_rank = 0;
  int32_t day = 0;  // from 1970-01-01, by the clinic's clock
  int popularity = 0;
  Granule start = 0;
  std::string clinician;
  std::string clinic;

  friend auto operator<=>(const OpeningKey&, const OpeningKey&) = default;
  friend bool operator==(const OpeningKey&, const OpeningKey&) = default;
};

struct OpeningQuery {
  ClinicianFilter filter;
  // Starts from `earliest` up to, not including, `latest`. Minimum notice is in it already.
  absl::Time earliest;
  absl::Time latest;
  int minutes = 50;  // at most 480
  // Starts are multiples of so many minutes (a multiple of 5) from midnight by the clinic's clock.
  int step_minutes = 15;
  TimesOfWeek required;
  TimesOfWeek preferred;
  std::vector<Span> patients_busy;  // of everybody else who takes part
  // Of each clinician, besides their own limit; 0: none.
  int max_sessions_per_day = 0;
  // Each clinician is offered with at most so many openings: the best one, then the best that does
  // not overlap those before, and so on. 0: every start counts.
  int per_clinician = 3;
  int limit = 50;
  std::optional<OpeningKey> after;
};

struct Opening {
  std::string clinician;
  std::string clinic;
  absl::Time start;
  absl::Time end;
  std::vector<Reason> reasons;
  OpeningKey key;
};

struct OpeningPage {
  std::vector<Opening> openings;  // best first
  bool more = false;
};

// The `limit` best openings after `after`. A function of index and query alone; while the index
// does not change, pages put together are the list that one large page would be.
OpeningPage SearchOpenings(const AvailabilityIndex& index, const OpeningQuery& query);

struct NearestQuery {
  std::string clinician;
  std::string clinic;
  absl::Time around;
  absl::Time not_before;  // no start before, whatever is near
  int minutes = 50;
  int step_minutes = 15;
  bool remote = false;
  std::optional<RoomNeed> room;  // unset or remote: none
  std::vector<Span> patients_busy;
};

// The free start nearest to `around`, at most 14 days away; of two as near the earlier. Respects
// hours, buffer, licence and the clinician's limit of a day.
std::optional<absl::Time> NearestFree(const AvailabilityIndex& index, const NearestQuery& query);

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SEARCH_H_
