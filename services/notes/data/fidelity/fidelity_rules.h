#ifndef RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_RULES_H_
#define RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_RULES_H_

#include "rapport/notes/v1/fidelity.pb.h"
#include "rapport/notes/v1/supervision.pb.h"

namespace rapport::notes {

// What ships with the service (data/fidelity), checked when it is built.
const v1::FidelityRules& ShippedFidelityRules();
const v1::SupervisionRules& ShippedSupervisionRules();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_FIDELITY_FIDELITY_RULES_H_
