#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SERIES_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SERIES_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "services/scheduling/domain/openings/availability.h"
#include "services/scheduling/domain/openings/search.h"

namespace rapport::scheduling::openings {

struct MonthDay {
  int month = 1;
  int day = 1;
};

struct PhaseCap {
  int sessions = 0;
  int exceptions = 0;
};

// A series keeps one wall time by its clinic's clock; a time that a clock change skips comes later
// by the gap, one that happens twice is the first. A session that can't be held at its time
// (clinician, room or a patient is taken) is an exception.
struct SeriesQuery {
  ClinicianFilter filter;
  // When the first session may start. It is never an exception.
  absl::Time earliest;
  absl::Time latest;
  int minutes = 50;
  int step_minutes = 15;
  // Days from the first session to each, the first 0, rising: 0, 7, 14 … or any taper.
  std::vector<int> day_offsets;
  TimesOfWeek required;  // of the first session
  TimesOfWeek preferred;
  std::vector<Span> patients_busy;
  int max_sessions_per_day = 0;  // as OpeningQuery

  // Exceptions in all, 0 to kMostExceptions.
  int max_exceptions = 2;
  // The phases in order, with tighter caps where regularity matters most (initial and termination).
  // Sessions beyond them are only under `max_exceptions`.
  std::vector<PhaseCap> phases;
  // Days that must not be broken (a death, as clinical practice has it): sessions up to 3 days
  // before or after one are no exceptions, and the series does not end on one.
  std::vector<MonthDay> anniversaries;
  // The last 4 sessions are no exceptions. Holds anyway where there are anniversaries.
  bool unbroken_ending = false;

  // An exception moves to the nearest start of the same clinician at the same clinic at most so far
  // away, at least 24 hours from its neighbours; else, where allowed, to a remote one at any of the
  // clinician's clinics; else it is skipped and a session appended at the end.
  int repair_days = 3;
  // Modality of remote repairs; empty: none. Needs the clinician to have it, and to be licensed in
  // filter.patient_jurisdiction, where given.
  std::string remote_modality;
  // Of the whole series, from the first session on: each session begins less than so many weeks
  // later. 0: no bound.
  int max_weeks = 0;

  int per_clinician = 2;  // plans whose first sessions don't overlap
  int limit = 10;         // at most 20
};

struct PlannedSession {
  enum class Kind { kRegular, kMoved, kRemote, kSkipped, kAppended };
  Kind kind = Kind::kRegular;
  absl::Time start;    // of kSkipped: when it would have been
  absl::Time planned;  // by the rule of the series; start unless kMoved or kRemote
  std::string clinic;
};

// Best first: continuity, fewest exceptions, preference, nearer clinic, earlier first day, less
// popular time, earlier start, ids.
struct PlanKey {
  int not_former = 1;
  int exceptions = 0;
  OpeningKey first;

  friend auto operator<=>(const PlanKey&, const PlanKey&) = default;
  friend bool operator==(const PlanKey&, const PlanKey&) = default;
};

struct SeriesPlan {
  std::string clinician;
  std::string clinic;
  // Those of `day_offsets` in their order, then those appended.
  std::vector<PlannedSession> sessions;
  int exceptions = 0;
  std::vector<Reason> reasons;  // of the first session
  PlanKey key;
};

// The best plans, those whose exceptions can all be repaired. Each clinician has at most
// `per_clinician`: the best, then the best whose first session does not overlap it; of each the 16
// best such starts are tried. Repairs are those with the fewest skipped, then the fewest remote
// sessions, then the least displacement in all; they keep to `required.windows` and steps.
std::vector<SeriesPlan> PlanSeries(const AvailabilityIndex& index, const SeriesQuery& query);

// Every start that carries the series with how many exceptions, before repair, in no set order: how
// well served a network is.
void ForEachSeriesStart(
    const AvailabilityIndex& index, const SeriesQuery& query,
    absl::FunctionRef<void(const AvailabilityIndex::Clinician&, const AvailabilityIndex::Clinic&,
                           absl::Time start, int exceptions)>
        visit);

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_SERIES_H_
