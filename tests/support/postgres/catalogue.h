#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_CATALOGUE_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_CATALOGUE_H_

#include <set>
#include <string>
#include <vector>

#include "common/sql/database.h"

namespace rapport::sql::testing {

// Tables that hold no tenant's data.
inline const std::set<std::string>& TenantlessTables() {
  static const auto& tables = *new std::set<std::string>{
      "consumer_cursor", "feed_compaction", "feed_consumer", "feed_state", "schema_version"};
  return tables;
}

// What stands for row-level security on SQLite: "statement: table" for each table that a kTenant
// statement touches without binding its organization_id, by =, IN, USING or an INSERT's columns.
//
//   EXPECT_THAT(StatementsWithoutTenant(Statement::Catalogue()), IsEmpty());
std::vector<std::string> StatementsWithoutTenant(
    const std::vector<const Statement*>& statements,
    const std::set<std::string>& exempt = TenantlessTables());

// The same for one text of SQL: its unbound tables.
std::vector<std::string> TablesWithoutTenant(
    absl::string_view sql, const std::set<std::string>& exempt = TenantlessTables());

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_CATALOGUE_H_
