#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_SURVEY_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_SURVEY_H_

#include <string>
#include <vector>

#include "common/work/survey.h"

namespace rapport::scheduling {

// How many wait for a time, by urgency, and since when the first of them.
std::vector<work::Figure> SurveyFigures();
absl::Status LookAtWaitlist(sql::Session& session, const std::string& organization_id,
                            absl::Time now, work::Tally& tally);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_SURVEY_H_
