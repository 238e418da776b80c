#include "services/notes/rpc/suitability_handlers.h"

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/notes/domain/case_rules.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/screen_store.h"

namespace rapport::notes {

void SuitabilityHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.SuitabilityService", this)
      .Unary("CheckSuitability", &SuitabilityHandlers::CheckSuitability);
}

absl::StatusOr<v1::CheckSuitabilityResponse> SuitabilityHandlers::CheckSuitability(
    const call::CallContext& context, const v1::CheckSuitabilityRequest& request) {
  return call::Read<v1::CheckSuitabilityResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::CheckSuitabilityResponse> {
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         access_.RequireCourse(session, context, request.course(), "Course"));
        const absl::StatusOr<CaseRecord> record =
            GetCase(session, vault_, context.organization_id, names::Last(request.course()));
        if (absl::IsNotFound(record.status())) return errors::NotFound("Course");
        RETURN_IF_ERROR(record.status());
        const v1::Case& state = record->resource;
        bool eligible = state.has_determination() && IsInFavour(state.determination().outcome());
        if (course.state.kind() == scheduling::v1::COURSE_KIND_CONJOINT) {
          ASSIGN_OR_RETURN(const std::vector<v1::PartnerScreen> screens,
                           ListNewestPartnerScreens(session, vault_, context.organization_id,
                                                    names::Last(request.course())));
          eligible = IsConjointEligible(state.determination(),
                                        {course.state.patient(), course.state.partner()}, screens);
        }
        v1::CheckSuitabilityResponse response;
        response.set_suitability(eligible ? v1::SUITABILITY_ELIGIBLE
                                          : v1::SUITABILITY_NOT_COMPLETE);
        return response;
      });
}

}  // namespace rapport::notes
