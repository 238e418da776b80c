#ifndef RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_CHECKS_H_
#define RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_CHECKS_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/fidelity.pb.h"
#include "rapport/notes/v1/supervision.pb.h"

namespace rapport::notes {

// What is wrong with the rules of fidelity, one line each; empty: nothing. Criteria are distinct in
// id and measure and each is cited, thresholds and ceilings are percentages in order, each problem
// area has techniques, evidence names something, and each citation has a source and a mark of how
// sure it is.
std::vector<std::string> FidelityRuleFaults(const v1::FidelityRules& rules);

// The same of supervision: each kind of need has one weight, and of each programme of training what
// it asks is cited.
std::vector<std::string> SupervisionRuleFaults(const v1::SupervisionRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_CHECKS_H_
