// Due lists and timeliness of NoteService.
#include <algorithm>
#include <utility>

#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/phases.h"
#include "services/notes/rpc/note_handlers.h"

namespace rapport::notes {
namespace {

using call::CallContext;

constexpr absl::Duration kLongestPeriod = absl::Hours(24 * 366);

absl::Status NotTheClinic() {
  return errors::PermissionDenied("NOT_THE_CLINIC",
                                  "Only a manager of the clinic may look at it as a whole.");
}

}  // namespace

absl::StatusOr<NoteScopeQuery> NoteHandlers::ScopeOfCaller(sql::Session& session,
                                                           const CallContext& context,
                                                           absl::string_view clinic,
                                                           bool& as_manager) const {
  NoteScopeQuery scope{context.organization_id, {}, {}, false};
  const bool manager = context.principal->HasRole("clinic_manager");
  const auto& managed = context.principal->clinics;
  as_manager = true;
  if (!clinic.empty()) {
    if (!manager || (managed && std::find(managed->begin(), managed->end(), names::Last(clinic)) ==
                                    managed->end())) {
      return NotTheClinic();
    }
    scope.clinics = {std::string(clinic)};
    return scope;
  }
  ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
  if (!reach.clinician.empty()) {
    as_manager = false;
    scope.clinicians = reach.clinicians;
    scope.clinicians.insert(scope.clinicians.end(), reach.supervised.begin(),
                            reach.supervised.end());
    return scope;
  }
  if (!manager) return scope;
  scope.all = !managed;
  if (managed) {
    for (const std::string& id : *managed) {
      scope.clinics.push_back(names::InOrganization(context.organization_id, "clinics", id));
    }
  }
  return scope;
}

absl::StatusOr<v1::ListDueNotesResponse> NoteHandlers::ListDueNotes(
    const CallContext& context, const v1::ListDueNotesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListDueNotesResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListDueNotesResponse> {
        ASSIGN_OR_RETURN(
            const care::OrganizationFacts organization,
            care::GetOrganization(session, names::Organization(context.organization_id)));
        bool as_manager = false;
        DueQuery query;
        ASSIGN_OR_RETURN(query.scope,
                         ScopeOfCaller(session, context, request.clinic(), as_manager));
        query.clinician = request.clinician();
        query.kind = request.kind();
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        if (!as_manager) query.author = reach.clinician;
        ASSIGN_OR_RETURN(Listed<Due> listed, ListDue(session, query, page));
        v1::ListDueNotesResponse response;
        for (Due& due : listed.items) {
          v1::DueNote& resource = *response.add_due_notes();
          resource = std::move(due.resource);
          const absl::Time due_time =
              NoteDueTime(organization.state, time::ToTime(resource.session_end_time()));
          *resource.mutable_due_time() = time::ToTimestamp(due_time);
          resource.set_overdue(due_time < context.now);
          if (!as_manager) continue;
          resource.clear_case_();
          resource.clear_note();
          if (due.is_private) resource.clear_appointment();
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::GetTimelinessResponse> NoteHandlers::GetTimeliness(
    const CallContext& context, const v1::GetTimelinessRequest& request) {
  const absl::Time start = time::ToTime(request.start_time());
  const absl::Time end = time::ToTime(request.end_time());
  if (end <= start || end - start > kLongestPeriod) {
    return errors::InvalidArgument("end_time", "must be after start_time, by 366 days at most");
  }
  const v1::TimelinessGroup group = request.group() == v1::TIMELINESS_GROUP_UNSPECIFIED
                                        ? v1::TIMELINESS_GROUP_CLINICIAN
                                        : request.group();
  return call::Read<v1::GetTimelinessResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::GetTimelinessResponse> {
        ASSIGN_OR_RETURN(
            const care::OrganizationFacts organization,
            care::GetOrganization(session, names::Organization(context.organization_id)));
        // Who both treats and manages sees both.
        bool as_manager = false;
        ASSIGN_OR_RETURN(NoteScopeQuery scope, ScopeOfCaller(session, context, "", as_manager));
        if (!as_manager && context.principal->HasRole("clinic_manager")) {
          const auto& managed = context.principal->clinics;
          scope.all = !managed;
          for (const std::string& id : managed.value_or(std::vector<std::string>())) {
            scope.clinics.push_back(names::InOrganization(context.organization_id, "clinics", id));
          }
          as_manager = true;
        }
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        const absl::Duration due_after =
            NoteDueTime(organization.state, absl::UnixEpoch()) - absl::UnixEpoch();
        ASSIGN_OR_RETURN(
            std::vector<v1::Timeliness> rows,
            ReckonTimeliness(session, scope, group, start, end, due_after, context.now));
        v1::GetTimelinessResponse response;
        for (v1::Timeliness& row : rows) {
          if (group == v1::TIMELINESS_GROUP_SUPERVISOR && !as_manager &&
              row.of() != reach.clinician) {
            continue;
          }
          *response.add_rows() = std::move(row);
        }
        return response;
      });
}

}  // namespace rapport::notes
