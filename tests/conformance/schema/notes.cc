#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/work/work.h"
#include "services/notes/migrations/migrations.h"
#include "tests/conformance/schema/schema.h"

namespace rapport::sql::testing {

const char* ServiceName() { return "notes"; }

std::vector<Component> ServiceComponents() {
  return {care::Migrations(), work::Migrations(), crypto::Migrations(), notes::Migrations()};
}

std::set<std::string> LargeTables() {
  return {"session_note",        "note_version", "noted_session", "note_case",  "case_entry",
          "case_entry_revision", "event",        "audit_leaf",    "idempotency"};
}

std::set<std::string> ColdStatements() { return {}; }

}  // namespace rapport::sql::testing
