#include "services/scheduling/rpc/protocol_handlers.h"

#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::scheduling {

void ProtocolHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.ProtocolService", this)
      .Unary("GetProtocol", &ProtocolHandlers::GetProtocol)
      .Unary("ListProtocols", &ProtocolHandlers::ListProtocols);
}

absl::StatusOr<v1::Protocol> ProtocolHandlers::GetProtocol(const call::CallContext&,
                                                           const v1::GetProtocolRequest& request) {
  const v1::Protocol* protocol = protocols_.Find(request.name());
  if (protocol == nullptr) return errors::NotFound("Protocol");
  return *protocol;
}

absl::StatusOr<v1::ListProtocolsResponse> ProtocolHandlers::ListProtocols(
    const call::CallContext& context, const v1::ListProtocolsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  v1::ListProtocolsResponse response;
  for (const v1::Protocol* protocol : protocols_.Newest(page.after, page.size + 1)) {
    if (response.protocols_size() == page.size) {
      response.set_next_page_token(
          call::NextPageToken(context, ProtocolId(response.protocols(page.size - 1).name())));
      break;
    }
    *response.add_protocols() = *protocol;
  }
  return response;
}

}  // namespace rapport::scheduling
