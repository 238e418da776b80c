#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_GROUP_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_GROUP_HANDLERS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/group_service.pb.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/group_store.h"

namespace rapport::scheduling {

// Answers GroupService.
class GroupHandlers {
 public:
  // All outlive it.
  GroupHandlers(sql::Database& database, const Protocols& protocols, const Booker& booker)
      : database_(database), protocols_(protocols), booker_(booker) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Group> CreateGroup(const call::CallContext& context,
                                        const v1::CreateGroupRequest& request);
  absl::StatusOr<v1::Group> GetGroup(const call::CallContext& context,
                                     const v1::GetGroupRequest& request);
  absl::StatusOr<v1::ListGroupsResponse> ListGroups(const call::CallContext& context,
                                                    const v1::ListGroupsRequest& request);
  absl::StatusOr<v1::ListGroupMembersResponse> ListGroupMembers(
      const call::CallContext& context, const v1::ListGroupMembersRequest& request);
  absl::StatusOr<v1::Course> JoinGroup(const call::CallContext& context,
                                       const v1::JoinGroupRequest& request);
  absl::StatusOr<v1::Course> LeaveGroup(const call::CallContext& context,
                                        const v1::LeaveGroupRequest& request);
  absl::StatusOr<v1::BookGroupSessionsResponse> BookGroupSessions(
      const call::CallContext& context, const v1::BookGroupSessionsRequest& request);
  absl::StatusOr<v1::ListGroupSessionsResponse> ListGroupSessions(
      const call::CallContext& context, const v1::ListGroupSessionsRequest& request);
  absl::StatusOr<v1::GroupSession> CancelGroupSession(const call::CallContext& context,
                                                      const v1::CancelGroupSessionRequest& request);

 private:
  // The member's places in `sessions` (by start), which get them too.
  absl::Status TakeSeats(Act& act, const v1::Group& group, absl::string_view course, int seat,
                         absl::Span<v1::GroupSession> sessions) const;
  absl::StatusOr<v1::Course> Shown(sql::Session& session, const call::CallContext& context,
                                   store::CourseRow row) const;
  absl::StatusOr<v1::Course> ReadCourse(sql::Session& session, const call::CallContext& context,
                                        absl::string_view name) const;

  sql::Database& database_;
  const Protocols& protocols_;
  const Booker& booker_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_GROUP_HANDLERS_H_
