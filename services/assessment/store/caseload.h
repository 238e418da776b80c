#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_CASELOAD_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_CASELOAD_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/measurement_plan.pb.h"
#include "services/assessment/domain/sessions.h"

// What the progress of many courses follows from, read in a fixed number of statements.
namespace rapport::assessment::store {

struct CourseRecord {
  std::string course;
  scheduling::v1::CourseEvent state;
  std::vector<care::AppointmentFacts> appointments;  // by start, numbered
  std::vector<Form> forms;                           // that were not voided, by answer time
  v1::MeasurementPlan plan;                          // as adjusted; empty: it never was
};

// Of `courses`, full names of one organisation, those that are known and that `may_know` by who is
// responsible, by name.
absl::StatusOr<std::vector<CourseRecord>> ListCourseRecords(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& courses,
    absl::FunctionRef<bool(absl::string_view responsible)> may_know);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_CASELOAD_H_
