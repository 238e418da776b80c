#include "services/scheduling/rpc/protocol_handlers.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/store/protocol_store.h"

namespace rapport::scheduling {
namespace {

// First parts of page keys.
constexpr absl::string_view kShipped = "shipped";
constexpr absl::string_view kOwn = "own";

absl::Status CheckProtocol(const v1::Protocol& protocol) {
  std::vector<errors::FieldViolation> faults = ProtocolFaults(protocol);
  if (faults.empty()) return absl::OkStatus();
  for (errors::FieldViolation& fault : faults) fault.field = absl::StrCat("protocol.", fault.field);
  return errors::InvalidArgument(std::move(faults));
}

// The revision that follows the newest one, as asked for.
absl::StatusOr<v1::Protocol> NextRevision(sql::Session& session, const call::CallContext& context,
                                          const v1::CreateProtocolRevisionRequest& request) {
  const absl::string_view organization_id = names::OrganizationId(request.parent());
  ASSIGN_OR_RETURN(const int newest,
                   store::NewestRevision(session, organization_id, request.protocol_id()));
  v1::Protocol protocol = request.protocol();
  protocol.set_name(names::Make({{"organizations", organization_id},
                                 {"protocols", request.protocol_id()},
                                 {"revisions", absl::StrCat(newest + 1)}}));
  if (protocol.kind() == v1::COURSE_KIND_UNSPECIFIED) {
    protocol.set_kind(v1::COURSE_KIND_INDIVIDUAL);
  }
  *protocol.mutable_create_time() = time::ToTimestamp(context.now);
  RETURN_IF_ERROR(CheckProtocol(protocol));
  return protocol;
}

}  // namespace

void ProtocolHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.ProtocolService", this)
      .Unary("GetProtocol", &ProtocolHandlers::GetProtocol)
      .Unary("ListProtocols", &ProtocolHandlers::ListProtocols)
      .Unary("CreateProtocolRevision", &ProtocolHandlers::CreateProtocolRevision);
}

absl::StatusOr<v1::Protocol> ProtocolHandlers::GetProtocol(const call::CallContext& context,
                                                           const v1::GetProtocolRequest& request) {
  if (names::OrganizationId(request.name()).empty()) {
    const v1::Protocol* shipped = protocols_.shipped().Find(request.name());
    if (shipped == nullptr) return errors::NotFound("Protocol");
    return *shipped;
  }
  return call::Read<v1::Protocol>(database_, context,
                                  [&](sql::Session& session) -> absl::StatusOr<v1::Protocol> {
                                    ASSIGN_OR_RETURN(const std::shared_ptr<const v1::Protocol> own,
                                                     protocols_.Find(session, request.name()));
                                    return *own;
                                  });
}

absl::StatusOr<v1::ListProtocolsResponse> ProtocolHandlers::ListProtocols(
    const call::CallContext& context, const v1::ListProtocolsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  const auto [list, after] = call::SplitKey(page.after);
  v1::ListProtocolsResponse response;
  // True while the page has room; else ends it.
  const auto add = [&](const v1::Protocol& protocol) {
    if (response.protocols_size() == page.size) {
      const std::string& last = response.protocols(page.size - 1).name();
      response.set_next_page_token(call::NextPageToken(
          context,
          call::JoinKey(names::OrganizationId(last).empty() ? kShipped : kOwn, ProtocolId(last))));
      return false;
    }
    *response.add_protocols() = protocol;
    return true;
  };

  if (list != kOwn) {
    for (const v1::Protocol* shipped : protocols_.shipped().Newest(after, page.size + 1)) {
      if (!add(*shipped)) return response;
    }
  }
  // The request names no organisation, so it is the caller's.
  call::CallContext tenant = context;
  tenant.organization_id = context.principal->organization_id;
  if (tenant.organization_id.empty()) return response;
  ASSIGN_OR_RETURN(
      const std::vector<v1::Protocol> own,
      call::Read<std::vector<v1::Protocol>>(database_, tenant, [&](sql::Session& session) {
        return store::ListNewestProtocols(session, tenant.organization_id,
                                          list == kOwn ? after : "",
                                          page.size - response.protocols_size() + 1);
      }));
  for (const v1::Protocol& protocol : own) {
    if (!add(protocol)) break;
  }
  return response;
}

absl::StatusOr<v1::Protocol> ProtocolHandlers::CreateProtocolRevision(
    const call::CallContext& context, const v1::CreateProtocolRevisionRequest& request) {
  if (protocols_.shipped().HasId(request.protocol_id())) {
    return errors::FailedPrecondition("PROTOCOL_ID_SHIPPED",
                                      "A shipped protocol has that id; choose another.",
                                      {{"protocol_id", request.protocol_id()}});
  }
  if (request.validate_only()) {
    return call::Read<v1::Protocol>(database_, context, [&](sql::Session& session) {
      return NextRevision(session, context, request);
    });
  }
  return call::Mutate<v1::Protocol>(
      database_, context, request.request_id(), store::GetProtocol,
      [&](call::Change& change) -> absl::StatusOr<v1::Protocol> {
        change.tx().Lock({absl::StrCat(request.parent(), "/protocols/", request.protocol_id())});
        ASSIGN_OR_RETURN(v1::Protocol protocol, NextRevision(change.tx(), context, request));
        RETURN_IF_ERROR(store::InsertProtocol(change.tx(), protocol));
        v1::ProtocolRevisionEvent event;
        event.set_kind(protocol.kind());
        change.Record(protocol.name(), 1, event, protocol.SerializeAsString());
        return protocol;
      });
}

}  // namespace rapport::scheduling
