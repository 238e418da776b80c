#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_SURVEY_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_SURVEY_H_

#include <string>
#include <vector>

#include "common/work/survey.h"

namespace rapport::assessment {

// How many risk alerts nobody has resolved, how old the oldest is, and how many were not
// acknowledged in time.
std::vector<work::Figure> SurveyFigures();
absl::Status LookAtAlerts(sql::Session& session, const std::string& organization_id, absl::Time now,
                          work::Tally& tally);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_SURVEY_H_
