#ifndef RAPPORT_COMMON_SQL_SCHEMA_H_
#define RAPPORT_COMMON_SQL_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

// What migrating and readiness share between the engines.
namespace rapport::sql::internal {

inline constexpr char kSelectVersions[] =
    "SELECT component, version, min_reader_version FROM schema_version";

// `components` with the foundation in front, unless it is among them.
std::vector<Component> WithFoundation(std::vector<Component> components);

const std::vector<Migration>& Steps(const Component& component, Engine engine);

// Checks the rows of kSelectVersions against what this binary knows.
absl::Status CheckSchema(const std::vector<Component>& components, Engine engine,
                         const Result& versions);

// Runs the missing steps of all components. `apply(step, record)` runs one step together with its
// version record, both in the engine's own words: in one transaction, unless the step is
// concurrent.
absl::Status ApplyMissing(
    const std::vector<Component>& components, Engine engine, const Result& versions,
    absl::FunctionRef<absl::Status(const std::string& step, const std::string& record)> apply);

// Whether the comment that a step begins with has the line "-- concurrently".
bool IsConcurrent(absl::string_view step);

// The statements of `sql`, without the comments between them; knows quotes and $-quotes.
std::vector<std::string> SplitStatements(absl::string_view sql);

// Creates schema_version where it is missing.
std::string CreateVersions(Engine engine);

// Gives a new database its log epoch.
std::string CreateFeedState();

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_SCHEMA_H_
