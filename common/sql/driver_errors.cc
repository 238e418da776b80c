#include "common/sql/driver_errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/telemetry/log.h"

namespace rapport::sql::internal {

absl::Status UniqueViolation(absl::string_view constraint) {
  return errors::AlreadyExists("Row", constraint, {{"constraint", std::string(constraint)}});
}

absl::Status ConstraintViolation(absl::string_view constraint) {
  return errors::FailedPrecondition(
      "CONSTRAINT", absl::StrCat("The change breaks the constraint '", constraint, "'."),
      {{"constraint", std::string(constraint)}});
}

absl::Status DeadlinePassed() {
  return errors::DeadlineExceeded("The database did not answer within the deadline.");
}

absl::Status TooManyWaiters() {
  return errors::ResourceExhausted("DATABASE_BUSY",
                                   "Too many calls wait for the database. Repeat later.",
                                   absl::Milliseconds(200));
}

absl::Status DatabaseFull() {
  return errors::ResourceExhausted("DATABASE_FULL",
                                   "The database has no room or memory left; nothing was written.",
                                   absl::Seconds(5));
}

absl::Status DatabaseUnavailable() {
  return errors::Unavailable("DATABASE_UNAVAILABLE",
                             "The database does not answer. Nothing was written; repeat the call.",
                             "database");
}

absl::Status SerializationFailure() {
  return errors::Aborted("SERIALIZATION_FAILURE", "Lost a race with another change. Repeat it.");
}

absl::Status NotText() { return errors::InvalidArgument("text", "must be UTF-8 without NUL"); }

absl::Status Unexpected(absl::string_view statement, absl::string_view code,
                        absl::string_view text) {
  LogDriver(statement, code, text);
  return errors::Internal(
      absl::StrCat("Statement '", statement, "' failed with ", code, "; see the log."));
}

void LogDriver(absl::string_view statement, absl::string_view code, absl::string_view text) {
  telemetry::Log(telemetry::Severity::kWarning, "database error",
                 {{"statement", std::string(statement)},
                  {"code", std::string(code)},
                  {"text", std::string(text)}});
}

}  // namespace rapport::sql::internal
