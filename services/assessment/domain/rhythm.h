#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_RHYTHM_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_RHYTHM_H_

#include <vector>

#include "absl/types/span.h"
#include "google/type/date.pb.h"
#include "rapport/assessment/v1/instrument.pb.h"
#include "rapport/assessment/v1/social_rhythm.pb.h"

// What a diary of clock times comes to (Monk 1990, 2002). Pure.
namespace rapport::assessment {

// What the seven days from `start` on come to; other days of `days` are left aside. Of two entries
// for one day the later in `days` counts, and so it is of an activity in one entry.
//
// For each activity that was done on min_days or more:
//  * its times are laid on a line: the circle of the clock is cut at its largest gap, so that a
//    bedtime around midnight is one stretch (of equal gaps the one that ends first after midnight)
//  * days further than outlier_sd sample standard deviations (n−1) from their mean are dropped;
//    exactly so far is kept
//  * the mean of the rest is the habitual time, told in whole seconds
//  * a day within hit_minutes of it, inclusive, is a hit: of all days on which it was done, or of
//    those that were kept, as hit_scope says
// The score is the hits by such activity; unset where there is none. Fewer diary days than
// diary_days: not complete, and no level.
v1::RhythmWeek ComputeRhythm(const v1::SocialRhythmRule& rule, const google::type::Date& start,
                             absl::Span<const v1::RhythmDay> days);

// One activity's part of it, of its times in seconds after midnight, one a day.
struct Habit {
  double habitual = 0;  // seconds after midnight, from 0 to below a day
  int hits = 0;
  int dropped = 0;
};
Habit ComputeHabit(const v1::SocialRhythmRule& rule, std::vector<int> seconds);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_RHYTHM_H_
