#ifndef RAPPORT_SERVICES_NOTES_RPC_SURVEY_H_
#define RAPPORT_SERVICES_NOTES_RPC_SURVEY_H_

#include <string>
#include <vector>

#include "common/work/survey.h"

namespace rapport::notes {

// How many notes wait for a signature, by whose; how many longer than the organisation allows, and
// by how much the latest.
std::vector<work::Figure> SurveyFigures();
absl::Status LookAtDueNotes(sql::Session& session, const std::string& organization_id,
                            absl::Time now, work::Tally& tally);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SURVEY_H_
