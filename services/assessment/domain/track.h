#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_TRACK_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_TRACK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/assessment/v1/track_rule.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/sessions.h"

// What of a course deserves a look (clinical rules 5.5 and 5.7, domain notes on early response).
// The numbers are data: v1::TrackRule. Flags, never decisions; each says its rule, its figures and
// what it rests on.
//
//  ON_TRACK, NOT_ON_TRACK, NON_RESPONSE  change from a baseline that is a case, by the complete
//                         forms in the rule's window. Begins with a form in the window; ends with
//                         the first form, in the window or later, that says otherwise
//  RELIABLE_WORSENING     a complete form reliably worse than baseline, previous or best
//  MISSING_DATA           so many held sessions in a row, each with the form due and none complete
//  CHECK_FOR_ELEVATION    a sudden fall. The first form of the mania scale from that day on
//  decides:
//                         below its cut-off the fall is believed; else it was elevation until
//                         a later one is below it. Before it is decided no remission or recovery
//                         is told; of elevated days no improvement at all
//  DIAGNOSTIC_REVIEW      signs of mania in a protocol that is not made for it; while they hold no
//                         improvement is told, from the day of the form on
//
// Days are by the patient's calendar. A flag's time is when it began to be true, the last time that
// it did.
namespace rapport::assessment {

// What is wrong with a rule; empty: nothing.
std::vector<std::string> Problems(const v1::TrackRule& rule);

// The forms of one instrument.
struct TrackedSeries {
  const InstrumentRules* rules = nullptr;
  const std::vector<Form>* forms = nullptr;  // by answer time
  std::vector<int> numbers;                  // their sessions; see SessionNumbers
  int baseline = -1;                         // position in `forms`; -1: none
  double reliable_change = 0;                // 0: unknown
  std::string reliable_change_rule;          // "6 points (published threshold)"
};

struct TrackInput {
  absl::string_view protocol;  // id, as "classic"
  absl::TimeZone zone;         // the patient's
  absl::Time now;
  absl::Span<const Session> sessions;  // by start
  absl::Span<const TrackedSeries> series;
  absl::string_view primary;          // id of the first instrument that the plan asks for
  absl::Span<const int> primary_due;  // positions in `sessions` at which it is due
  absl::Span<const v1::TrackRule> rules;
};

// The stretches of time of whose forms good news is not told.
class Withheld {
 public:
  // Of the forms of this instant no improvement is told, remission and recovery included.
  bool Improvement(absl::Time at) const { return Holds(at, false); }
  // No remission or recovery is told.
  bool Remission(absl::Time at) const { return Holds(at, true); }

  void Add(absl::Time from, absl::Time until, bool remission_only) {
    stretches_.push_back({from, until, remission_only});
  }

 private:
  struct Stretch {
    absl::Time from;
    absl::Time until;  // exclusive
    bool remission_only;
  };
  bool Holds(absl::Time at, bool remission) const {
    for (const Stretch& stretch : stretches_) {
      if (at >= stretch.from && at < stretch.until && (remission || !stretch.remission_only)) {
        return true;
      }
    }
    return false;
  }
  std::vector<Stretch> stretches_;
};

struct Track {
  std::vector<v1::ProgressFlag> flags;  // by time
  Withheld withheld;
};

Track TrackOf(const TrackInput& input);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_TRACK_H_
