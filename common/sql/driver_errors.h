#ifndef RAPPORT_COMMON_SQL_DRIVER_ERRORS_H_
#define RAPPORT_COMMON_SQL_DRIVER_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// The failures that both engines report alike. Driver text stays in the log.
namespace rapport::sql::internal {

// Metadata "constraint" in both. The names are PostgreSQL's: of the index or constraint, else
// <table>_pkey, <table>_<columns>_key.
absl::Status UniqueViolation(absl::string_view constraint);
absl::Status ConstraintViolation(absl::string_view constraint);

absl::Status DeadlinePassed();
absl::Status TooManyWaiters();
absl::Status DatabaseFull();
absl::Status DatabaseUnavailable();
absl::Status SerializationFailure();
absl::Status NotText();  // a text parameter with a NUL or that isn't UTF-8

// Logs what the driver said and returns INTERNAL for a failure that only a bug explains. `code` is
// the SQLSTATE or SQLite's result code. `text` never holds values of rows.
absl::Status Unexpected(absl::string_view statement, absl::string_view code,
                        absl::string_view text);
void LogDriver(absl::string_view statement, absl::string_view code, absl::string_view text);

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_DRIVER_ERRORS_H_
