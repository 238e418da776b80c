#include "services/assessment/rpc/progress_handlers.h"

#include <vector>

#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/time/zones.h"
#include "services/assessment/domain/progress.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {

void ProgressHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.ProgressService", this)
      .Unary("GetProgress", &ProgressHandlers::GetProgress);
}

absl::StatusOr<v1::Progress> ProgressHandlers::GetProgress(const call::CallContext& context,
                                                           const v1::GetProgressRequest& request) {
  ProgressInput input;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        input = ProgressInput();
        ASSIGN_OR_RETURN(const care::CourseFacts course,
                         care::RequireCourse(session, context, request.course(), "Course"));
        input.course = course.course;
        const auto zone = time::LoadZone(course.state.patient_time_zone());
        input.zone = zone.ok() ? *zone : absl::UTCTimeZone();
        ASSIGN_OR_RETURN(const auto appointments, care::ListAppointments(session, course.course));
        for (const auto& appointment : appointments) {
          input.sessions.push_back(store::ToSession(appointment));
        }
        ASSIGN_OR_RETURN(const std::vector<Form> forms, store::ListForms(session, course.course));
        for (const InstrumentRules* rules : catalogue_.newest()) {
          Series& series = input.series.emplace_back();
          series.rules = rules;
          for (const Form& form : forms) {
            if (form.instrument == rules->id()) series.forms.push_back(form);
          }
        }
        return absl::OkStatus();
      }));
  return ComputeProgress(input);
}

}  // namespace rapport::assessment
