#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_CLOSENESS_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_CLOSENESS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/review.pb.h"
#include "services/notes/domain/case_file.h"

namespace rapport::notes {

// The circle of closeness first and last, in a view, out of every version of the case's
// relationships (each entry's oldest version first; voided entries left out). The first one holds
// those who were placed within rules.first_circle_days of the first placement, where they were put
// first; the last one all who are placed now.
v1::ClosenessCircles CirclesOf(const CaseFile& file, const View& view,
                               const std::vector<v1::Entry>& versions,
                               const v1::ReviewRules& rules);

// A circle as SVG 1.1 without scripts, styles or outside references: four rings round "me", names
// beside their points, none over another. `order` names everybody who has a place of their own in
// this circle or in one to be set beside it, so that each stands at the same side in both; who is
// on the circle is among them. `title` is escaped here.
std::string DrawCircle(const v1::ClosenessCircle& circle, const std::vector<std::string>& order,
                       absl::string_view title);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_CLOSENESS_H_
