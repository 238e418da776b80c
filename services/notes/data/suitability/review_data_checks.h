#ifndef RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_CHECKS_H_
#define RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_CHECKS_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/export.pb.h"
#include "rapport/notes/v1/review.pb.h"

// What is wrong with the data, one line each; empty: nothing.
namespace rapport::notes {

// Ids are unique, each criterion has an effect, words, a source and a confidence, signals look at
// something, one that decides says what to ask, alternatives name criteria that there are, and what
// is always recorded are fields of Determination.
std::vector<std::string> SuitabilityFaults(const v1::SuitabilityRules& rules);

// Every number is above 0 and has a citation with source and confidence.
std::vector<std::string> ReviewFaults(const v1::ReviewRules& rules);

// No text is missing.
std::vector<std::string> WordingFaults(const v1::ExportWording& wording);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_CHECKS_H_
