#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_DATABASES_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_DATABASES_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/sql/database.h"
#include "common/sql/migrations.h"

namespace rapport::sql::testing {

// Makes fresh, migrated databases of one engine. Each goes with its files when destroyed.
struct DatabaseFactory {
  std::string name;
  std::function<std::unique_ptr<Database>()> make;
};
inline void PrintTo(const DatabaseFactory& factory, std::ostream* out) { *out << factory.name; }

// Both engines, with the foundation and `components`, for a store's conformance suite:
//
//   class CourseStoreTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
//    protected:
//     std::unique_ptr<sql::Database> database_ = GetParam().make();
//   };
//   TEST_P(CourseStoreTest, …) {…}
//   INSTANTIATE_TEST_SUITE_P(Engines, CourseStoreTest,
//                            ::testing::ValuesIn(sql::testing::AllEngines({Migrations()})),
//                            sql::testing::EngineName);
std::vector<DatabaseFactory> AllEngines(std::vector<Component> components = {});
DatabaseFactory Sqlite(std::vector<Component> components = {});
DatabaseFactory Postgres(std::vector<Component> components = {});
// PostgreSQL behind a PgBouncer in transaction mode, with two server connections for all.
DatabaseFactory Pooled(std::vector<Component> components = {});

inline std::string EngineName(const ::testing::TestParamInfo<DatabaseFactory>& info) {
  return info.param.name;
}

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_DATABASES_H_
