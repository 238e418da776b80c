#include "services/assessment/store/audited.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kAssessment{"assessment.audited.assessment", R"sql(
  SELECT version, document, sealed FROM assessment
  WHERE organization_id = $1 AND assessment_id = $2)sql"};

const sql::Statement kAssessmentAlone{"assessment.audited.assessment_alone", R"sql(
  SELECT 'organizations/' || a.organization_id || '/assessments/' || a.assessment_id, a.version
  FROM assessment AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = a.version
      AND leaf.resource =
        'organizations/' || a.organization_id || '/assessments/' || a.assessment_id
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100)sql"};

const sql::Statement kAlert{"assessment.audited.alert", R"sql(
  SELECT version, document FROM alert WHERE organization_id = $1 AND alert_id = $2)sql"};

const sql::Statement kAlertAlone{"assessment.audited.alert_alone", R"sql(
  SELECT 'organizations/' || a.organization_id || '/alerts/' || a.alert_id, a.version
  FROM alert AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = a.version
      AND leaf.resource = 'organizations/' || a.organization_id || '/alerts/' || a.alert_id
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100)sql"};

const sql::Statement kAlertTexts{"assessment.audited.alert_resolution", R"sql(
  SELECT 1, sealed FROM alert_resolution WHERE organization_id = $1 AND alert_id = $2)sql"};

const sql::Statement kAlertTextsAlone{"assessment.audited.alert_resolution_alone", R"sql(
  SELECT 'organizations/' || a.organization_id || '/alerts/' || a.alert_id || '/resolutionTexts', 1
  FROM alert_resolution AS a LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = 1
      AND leaf.resource = 'organizations/' || a.organization_id || '/alerts/' || a.alert_id
                          || '/resolutionTexts'
  WHERE a.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100)sql"};

const sql::Statement kMeasureRequest{"assessment.audited.measure_request", R"sql(
  SELECT version, document FROM measure_request
  WHERE organization_id = $1 AND measure_request_id = $2)sql"};

const sql::Statement kRhythmDay{"assessment.audited.rhythm_day", R"sql(
  SELECT entry, sealed FROM rhythm_day
  WHERE organization_id = $1 AND course = 'organizations/' || $1 || '/courses/' || $2
    AND patient = 'organizations/' || $1 || '/patients/' || $3 AND date = $4 AND entry = $5)sql"};

const sql::Statement kPlan{"assessment.audited.plan", R"sql(
  SELECT version, document FROM measurement_plan
  WHERE organization_id = $1 AND course = 'organizations/' || $1 || '/courses/' || $2)sql"};

}  // namespace

std::vector<audit::RecordKind> RecordKinds() {
  return {
      {.pattern = "organizations/{organization}/assessments/{assessment}",
       .read = &kAssessment,
       .columns = 2,
       .unaudited = &kAssessmentAlone},
      {.pattern = "organizations/{organization}/alerts/{alert}",
       .read = &kAlert,
       .unaudited = &kAlertAlone},
      {.pattern = "organizations/{organization}/alerts/{alert}/resolutionTexts",
       .read = &kAlertTexts,
       .unaudited = &kAlertTextsAlone},
      {.pattern = "organizations/{organization}/measureRequests/{request}",
       .read = &kMeasureRequest},
      {.pattern = "organizations/{organization}/courses/{course}/patients/{patient}/"
                  "rhythmDays/{day}",
       .read = &kRhythmDay,
       .each_version = true},
      {.pattern = "organizations/{organization}/courses/{course}/measurementPlan", .read = &kPlan}};
}

}  // namespace rapport::assessment::store
