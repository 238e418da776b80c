#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_ERASURE_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_ERASURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/measure_requests.h"

// What is done to the rows of a patient who is erased. Patients and courses are full names.
namespace rapport::assessment::store {

// Notes that the patient was erased. Deferred.
void MarkErased(sql::Transaction& tx, absl::string_view patient, absl::string_view erasure,
                absl::Time now);

// The name of the erasure; empty: the patient was not erased.
absl::StatusOr<std::string> ErasureOf(sql::Session& session, absl::string_view patient);

absl::StatusOr<bool> IsErased(sql::Session& session, absl::string_view patient);

// Courses in which anything is kept of the patient.
absl::StatusOr<std::vector<std::string>> ListCoursesOf(sql::Session& session,
                                                       absl::string_view patient);

absl::StatusOr<std::vector<StoredRequest>> ListRequestsTo(sql::Session& session,
                                                          absl::string_view patient);
absl::StatusOr<std::vector<StoredAlert>> ListAlertsAbout(sql::Session& session,
                                                         absl::string_view patient);

// After store::UpdateAlert: takes the row, too, off the patient, the course and the source.
void UnlinkAlert(sql::Transaction& tx, absl::string_view alert, absl::string_view subject);

// Deletes forms, diary days and requests of a patient who is marked as erased. Totals are kept as
// `subject`'s, and so are the outcomes of each course, apart from each other. Adds names of what
// was deleted to `names`, and returns how many of each kind it was.
absl::StatusOr<std::vector<common::v1::ErasedKind>> MoveAndDelete(sql::Transaction& tx,
                                                                  absl::string_view patient,
                                                                  absl::string_view subject,
                                                                  std::vector<std::string>& names);

// Forgets on which problem area a course works.
void DropFocus(sql::Transaction& tx, absl::string_view course);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_ERASURE_H_
