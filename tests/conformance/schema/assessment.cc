#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/work/work.h"
#include "services/assessment/migrations/migrations.h"
#include "tests/conformance/schema/schema.h"

namespace rapport::sql::testing {

const char* ServiceName() { return "assessment"; }

std::vector<Component> ServiceComponents() {
  return {care::Migrations(), work::Migrations(), crypto::Migrations(), assessment::Migrations()};
}

std::set<std::string> LargeTables() {
  return {"assessment",    "measure_request", "rhythm_day", "outcome_course",
          "outcome_score", "event",           "audit_leaf", "idempotency"};
}

std::set<std::string> ColdStatements() { return {}; }

}  // namespace rapport::sql::testing
