#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_ERASURE_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_ERASURE_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"

// Which patients were erased, and where they appear. By full names.
namespace rapport::scheduling::store {

// Deferred.
void MarkErased(sql::Transaction& tx, absl::string_view patient, absl::string_view erasure,
                absl::Time now);

// The name of the erasure; empty: the patient was not erased.
absl::StatusOr<std::string> ErasureOf(sql::Session& session, absl::string_view patient);

// kFailedPrecondition ERASED.
absl::Status RequireNotErased(sql::Session& session, absl::string_view patient);

// Courses whose patient or partner it is.
absl::StatusOr<std::vector<std::string>> ListCoursesOf(sql::Session& session,
                                                       absl::string_view patient);

// Appointments that are the patient's; those of a couple are the identified patient's.
absl::StatusOr<std::vector<std::string>> ListAppointmentsOf(sql::Session& session,
                                                            absl::string_view patient);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_ERASURE_STORE_H_
