#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_AUDITED_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_AUDITED_H_

#include <vector>

#include "common/audit/verify.h"

namespace rapport::assessment::store {

// How what this service's audit entries cover is stored: forms, alerts, requests, diary days and
// plans. Instruments, which hold no patient's data, are not compared.
std::vector<audit::RecordKind> RecordKinds();

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_AUDITED_H_
