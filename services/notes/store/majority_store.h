#ifndef RAPPORT_SERVICES_NOTES_STORE_MAJORITY_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_MAJORITY_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/events.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// Who came of age, and who will. Patients are full names.
namespace rapport::notes {

struct MajorityRecord {
  v1::MajorityEvent event;
  int64_t version = 0;
};
absl::StatusOr<std::optional<MajorityRecord>> GetMajority(sql::Session& session,
                                                          absl::string_view patient);

// Keeps it at `record.version`, which follows the one that is there.
//   kAborted LOST_RACE
absl::Status PutMajority(sql::Transaction& tx, const MajorityRecord& record);

// A case of one patient, by the course that it goes with.
struct CourseOfPatient {
  std::string case_id;
  absl::Time create_time;  // of the case
  scheduling::v1::CourseEvent course;
};

// Those of `patient` alone, not of a couple, oldest first; at most 50.
absl::StatusOr<std::vector<CourseOfPatient>> ListCoursesOfPatient(sql::Session& session,
                                                                  absl::string_view patient);

// Those of patients of whom no majority is on record, by id behind `after`.
absl::StatusOr<std::vector<CourseOfPatient>> ListCoursesBeforeMajority(
    sql::Session& session, absl::string_view organization_id, absl::string_view after, int limit);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_MAJORITY_STORE_H_
