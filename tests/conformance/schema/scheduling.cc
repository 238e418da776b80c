#include "common/work/work.h"
#include "services/scheduling/migrations/migrations.h"
#include "tests/conformance/schema/schema.h"

namespace rapport::sql::testing {

const char* ServiceName() { return "scheduling"; }

std::vector<Component> ServiceComponents() {
  return {work::Migrations(), scheduling::Migrations()};
}

std::set<std::string> LargeTables() {
  return {"appointment", "attendee", "claim", "course", "event", "audit_leaf", "idempotency"};
}

// Asked when a clinic or a clinician is deleted, of tables as small as the directory.
std::set<std::string> ColdStatements() {
  return {"scheduling.clinic.used_by", "scheduling.clinician.used_by"};
}

}  // namespace rapport::sql::testing
