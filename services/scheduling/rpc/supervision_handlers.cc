#include "services/scheduling/rpc/supervision_handlers.h"

#include <string>
#include <utility>
#include <vector>

#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/directory_entries.h"
#include "services/scheduling/rpc/directory_pages.h"
#include "services/scheduling/store/directory_store.h"

namespace rapport::scheduling {

void SupervisionHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.SupervisionService", this)
      .Unary("CreateSupervision", &SupervisionHandlers::CreateSupervision)
      .Unary("GetSupervision", &SupervisionHandlers::GetSupervision)
      .Unary("ListSupervisions", &SupervisionHandlers::ListSupervisions)
      .Unary("EndSupervision", &SupervisionHandlers::EndSupervision);
}

absl::StatusOr<v1::Supervision> SupervisionHandlers::CreateSupervision(
    const call::CallContext& context, const v1::CreateSupervisionRequest& request) {
  const std::string id = request.supervision_id().empty() ? NewId() : request.supervision_id();
  return CreateEntry(database_, context, request.request_id(), request.supervision(),
                     names::InOrganization(context.organization_id, "supervisions", id));
}

absl::StatusOr<v1::Supervision> SupervisionHandlers::GetSupervision(
    const call::CallContext& context, const v1::GetSupervisionRequest& request) {
  return call::Read<v1::Supervision>(database_, context, [&](sql::Session& session) {
    return GetEntry<v1::Supervision>(session, request.name());
  });
}

absl::StatusOr<v1::ListSupervisionsResponse> SupervisionHandlers::ListSupervisions(
    const call::CallContext& context, const v1::ListSupervisionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto supervisions,
      call::Read<std::vector<v1::Supervision>>(database_, context, [&](sql::Session& session) {
        return store::ListSupervisions(session, context.organization_id,
                                       {request.supervisor(), request.supervisee()},
                                       ReadStartKey(page), page.size + 1);
      }));
  v1::ListSupervisionsResponse response;
  response.set_next_page_token(FillPage(context, page, std::move(supervisions),
                                        response.mutable_supervisions(),
                                        KeyOfStart<v1::Supervision>));
  return response;
}

absl::StatusOr<v1::Supervision> SupervisionHandlers::EndSupervision(
    const call::CallContext& context, const v1::EndSupervisionRequest& request) {
  const google::protobuf::Timestamp now = time::ToTimestamp(context.now);
  return call::Mutate<v1::Supervision>(
      database_, context, request.request_id(), GetEntry<v1::Supervision>,
      [&](call::Change& change) -> absl::StatusOr<v1::Supervision> {
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(const auto before, store::GetSupervision(change.tx(), request.name()));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
        v1::Supervision supervision = before.resource;
        *supervision.mutable_end_time() = request.has_end_time() ? request.end_time() : now;
        if (request.has_end_time() && time::ToTime(request.end_time()) < time::ToTime(now)) {
          return errors::InvalidArgument("end_time", "must not be in the past");
        }
        if (time::ToTime(supervision.end_time()) <= time::ToTime(supervision.start_time())) {
          return errors::InvalidArgument("end_time", "must be after the pair's start_time");
        }
        return Save(change, &before, std::move(supervision));
      });
}

}  // namespace rapport::scheduling
