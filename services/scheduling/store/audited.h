#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_AUDITED_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_AUDITED_H_

#include <vector>

#include "common/audit/verify.h"

namespace rapport::scheduling::store {

// How what this service's audit entries cover is stored: organisations, the directory, protocol
// revisions, courses, appointments, groups with their sessions, supervision pairs and waitlist
// entries. Leave plans, which are proposals, and reminders are not compared.
std::vector<audit::RecordKind> RecordKinds();

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_AUDITED_H_
