#ifndef RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_H_
#define RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_H_

#include "rapport/notes/v1/export.pb.h"
#include "rapport/notes/v1/review.pb.h"

// What ships with the service as text-format files in this folder. They were checked and embedded
// when the program was built.
namespace rapport::notes {

const v1::SuitabilityRules& ShippedSuitabilityRules();
const v1::ReviewRules& ShippedReviewRules();
const v1::ExportWording& ShippedExportWording();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_SUITABILITY_REVIEW_DATA_H_
