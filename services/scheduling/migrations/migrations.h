#ifndef RAPPORT_SERVICES_SCHEDULING_MIGRATIONS_MIGRATIONS_H_
#define RAPPORT_SERVICES_SCHEDULING_MIGRATIONS_MIGRATIONS_H_

#include "common/sql/migrations.h"

namespace rapport::scheduling {

// The tables of the scheduling service (component "scheduling"), for both engines.
const sql::Component& Migrations();

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_MIGRATIONS_MIGRATIONS_H_
