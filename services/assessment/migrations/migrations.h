#ifndef RAPPORT_SERVICES_ASSESSMENT_MIGRATIONS_MIGRATIONS_H_
#define RAPPORT_SERVICES_ASSESSMENT_MIGRATIONS_MIGRATIONS_H_

#include "common/sql/migrations.h"

namespace rapport::assessment {

// The tables of the assessment service (component "assessment"); needs those of care.
const sql::Component& Migrations();

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_MIGRATIONS_MIGRATIONS_H_
