#include "services/notes/rpc/suitability_handlers.h"

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/notes/domain/case_rules.h"
#include "services/notes/store/case_store.h"

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
        RETURN_IF_ERROR(
            access_.RequireCourse(session, context, request.course(), "Course").status());
        const absl::StatusOr<CaseRecord> record =
            GetCase(session, context.organization_id, names::Last(request.course()));
        if (absl::IsNotFound(record.status())) return errors::NotFound("Course");
        RETURN_IF_ERROR(record.status());
        const v1::Case& state = record->resource;
        v1::CheckSuitabilityResponse response;
        response.set_suitability(state.has_determination() &&
                                         IsInFavour(state.determination().outcome())
                                     ? v1::SUITABILITY_ELIGIBLE
                                     : v1::SUITABILITY_NOT_COMPLETE);
        return response;
      });
}

}  // namespace rapport::notes
