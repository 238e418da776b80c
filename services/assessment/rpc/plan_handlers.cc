#include <string>
#include <utility>

#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/domain/plans.h"
#include "services/assessment/rpc/assessment_handlers.h"
#include "services/assessment/rpc/planning.h"
#include "services/assessment/store/plans.h"

namespace rapport::assessment {
namespace {

constexpr absl::string_view kLeaf = "/measurementPlan";

std::string CourseOf(absl::string_view plan) {
  return names::InOrganization(names::OrganizationId(plan), "courses", names::Id(plan, "courses"));
}

Plan EntriesOf(const v1::MeasurementPlan& plan) {
  return Plan(plan.measures().begin(), plan.measures().end());
}

v1::MeasurementPlanEvent EventOf(const Plan& plan) {
  v1::MeasurementPlanEvent event;
  for (const v1::PlannedMeasure& measure : plan) event.add_instruments(measure.instrument());
  event.set_adjusted(true);
  return event;
}

// As it is now: the adjusted entries or the protocol's, and what safety adds.
absl::StatusOr<v1::MeasurementPlan> Whole(KnownInstruments& instruments,
                                          const care::CourseFacts& course,
                                          const store::StoredPlan& stored) {
  ASSIGN_OR_RETURN(const Plan plan, ReadPlan(instruments, course.state, EntriesOf(stored.plan)));
  v1::MeasurementPlan whole;
  whole.set_name(absl::StrCat(course.course, kLeaf));
  whole.mutable_measures()->Add(plan.begin(), plan.end());
  whole.set_adjusted(stored.version > 0);
  if (stored.version > 0) *whole.mutable_update_time() = stored.plan.update_time();
  whole.set_etag(call::Etag(stored.version));
  return whole;
}

}  // namespace

absl::StatusOr<v1::MeasurementPlan> AssessmentHandlers::GetMeasurementPlan(
    const call::CallContext& context, const v1::GetMeasurementPlanRequest& request) {
  return call::Read<v1::MeasurementPlan>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::MeasurementPlan> {
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         RequireDueOf(session, context, CourseOf(request.name())));
        ASSIGN_OR_RETURN(const store::StoredPlan stored, store::GetPlan(session, course.course));
        KnownInstruments instruments(session, catalogues_, context.organization_id);
        return Whole(instruments, course, stored);
      });
}

absl::StatusOr<v1::MeasurementPlan> AssessmentHandlers::UpdateMeasurementPlan(
    const call::CallContext& context, const v1::UpdateMeasurementPlanRequest& request) {
  const v1::MeasurementPlan& given = request.measurement_plan();
  return call::Mutate<v1::MeasurementPlan>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::MeasurementPlan> {
        const std::string course_name = CourseOf(name);
        RETURN_IF_ERROR(RequireTherapist(session, context, course_name, "Course").status());
        ASSIGN_OR_RETURN(const care::CourseFacts course, care::GetCourse(session, course_name));
        ASSIGN_OR_RETURN(const store::StoredPlan stored, store::GetPlan(session, course_name));
        KnownInstruments instruments(session, catalogues_, context.organization_id);
        return Whole(instruments, course, stored);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::MeasurementPlan> {
        sql::Transaction& tx = change.tx();
        const std::string course_name = CourseOf(given.name());
        RETURN_IF_ERROR(RequireTherapist(tx, context, course_name, "Course").status());
        ASSIGN_OR_RETURN(const care::CourseFacts course, care::GetCourse(tx, course_name));
        ASSIGN_OR_RETURN(store::StoredPlan stored, store::GetPlan(tx, course_name));
        RETURN_IF_ERROR(call::CheckEtag(given.etag(), stored.version));
        KnownInstruments instruments(tx, catalogues_, context.organization_id);
        ASSIGN_OR_RETURN(const Plan before,
                         ReadPlan(instruments, course.state, EntriesOf(stored.plan)));
        const Plan entries = EntriesOf(given);
        for (const auto& measure : entries) {
          RETURN_IF_ERROR(instruments.Load(measure.instrument()));
        }
        RETURN_IF_ERROR(CheckPlan(
            entries, course.state,
            [&](absl::string_view id) { return instruments.Find(id) != nullptr; },
            [&](absl::string_view id) { return instruments.AsksAboutSuicide(id); }));
        const Plan adjusted = Adjusted(entries, course.state, before);
        stored.plan.clear_measures();
        stored.plan.mutable_measures()->Add(adjusted.begin(), adjusted.end());
        *stored.plan.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::PutPlan(tx, course_name, stored.plan, stored.version));
        ++stored.version;
        change.Record(absl::StrCat(course_name, kLeaf), stored.version, EventOf(adjusted),
                      stored.plan.SerializeAsString());
        return Whole(instruments, course, stored);
      });
}

}  // namespace rapport::assessment
