#ifndef RAPPORT_SERVICES_ASSESSMENT_DATA_RULES_SHIPPED_RULES_H_
#define RAPPORT_SERVICES_ASSESSMENT_DATA_RULES_SHIPPED_RULES_H_

#include "absl/types/span.h"
#include "rapport/assessment/v1/track_rule.pb.h"

namespace rapport::assessment {

// The rules of data/rules by file name, checked and built into the program; no file is read at run
// time.
absl::Span<const v1::TrackRule> ShippedTrackRules();

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DATA_RULES_SHIPPED_RULES_H_
