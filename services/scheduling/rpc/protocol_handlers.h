#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "rapport/scheduling/v1/protocol_service.pb.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {

// Answers ProtocolService from memory.
class ProtocolHandlers {
 public:
  explicit ProtocolHandlers(const ProtocolCatalogue& protocols) : protocols_(protocols) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Protocol> GetProtocol(const call::CallContext& context,
                                           const v1::GetProtocolRequest& request);
  absl::StatusOr<v1::ListProtocolsResponse> ListProtocols(const call::CallContext& context,
                                                          const v1::ListProtocolsRequest& request);

 private:
  const ProtocolCatalogue& protocols_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_
