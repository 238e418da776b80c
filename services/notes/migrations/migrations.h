#ifndef RAPPORT_SERVICES_NOTES_MIGRATIONS_MIGRATIONS_H_
#define RAPPORT_SERVICES_NOTES_MIGRATIONS_MIGRATIONS_H_

#include "common/sql/migrations.h"

namespace rapport::notes {

// The tables of the notes service (component "notes").
const sql::Component& Migrations();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_MIGRATIONS_MIGRATIONS_H_
