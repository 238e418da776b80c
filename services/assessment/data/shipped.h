#ifndef RAPPORT_SERVICES_ASSESSMENT_DATA_SHIPPED_H_
#define RAPPORT_SERVICES_ASSESSMENT_DATA_SHIPPED_H_

#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {

// The instruments of data/instruments, checked and built into the program; no file is read at run
// time.
const Catalogue& ShippedInstruments();

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DATA_SHIPPED_H_
