#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_PLANS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_PLANS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/measurement_plan.pb.h"
#include "services/assessment/store/due.h"

// Measurement plans that were adjusted for their course. Of other courses nothing is kept: their
// plan follows from scheduling's events.
namespace rapport::assessment::store {

struct StoredPlan {
  v1::MeasurementPlan plan;  // the adjusted entries and when, no more
  int64_t version = 0;       // 0: never adjusted
};

absl::StatusOr<StoredPlan> GetPlan(sql::Session& session, absl::string_view course);

// Stores `plan` in place of the one at `version`, as version + 1.
//   kAborted LOST_RACE  it is no longer at `version`
absl::Status PutPlan(sql::Transaction& tx, absl::string_view course,
                     const v1::MeasurementPlan& plan, int64_t version);

// The adjusted ones, by course.
absl::StatusOr<std::map<std::string, v1::MeasurementPlan>> ListPlans(sql::Session& session,
                                                                     const Whose& whose);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_PLANS_H_
