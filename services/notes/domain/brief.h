#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_BRIEF_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_BRIEF_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/entry_rules.pb.h"
#include "rapport/notes/v1/review.pb.h"
#include "services/notes/domain/case_file.h"

namespace rapport::notes {

// What a therapist wants to know before `sitting` (null: none is booked; then as of now), in a view
// (clinical rules 4.1 to 4.7 and 6). Of a couple without `about` nothing private is told, and
// nothing prompts for what is asked alone. Reads of the file: record, course, sittings, leave,
// entries, goals, risk_assessments, safety_plan, notes, progress, alerts, unavailable_sources;
// `unsigned`: earlier sessions whose note is not signed.
v1::SessionBrief BriefFor(const CaseFile& file, const View& view, const Sitting* sitting,
                          const std::vector<std::string>& unsigned_sessions,
                          const v1::ReviewRules& rules, const v1::EntryRules& entry_rules);

// A hard day of the year: a death, or what a grief record names.
struct HardDay {
  int month = 0;
  int day = 0;
  std::string label = {};
  std::string source = {};  // the entry; empty: the case's problem area
};
std::vector<HardDay> HardDaysOf(const CaseFile& file, const View& view);

// The day in a year; 29 February is told on the 28th where there is none.
absl::CivilDay InYear(const HardDay& hard, int64_t year);

// What is awkward about the dates that are booked from now on.
std::vector<v1::PlanningWarning> PlanningWarningsOf(const CaseFile& file,
                                                    const std::vector<HardDay>& hard_days,
                                                    const v1::ReviewRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_BRIEF_H_
