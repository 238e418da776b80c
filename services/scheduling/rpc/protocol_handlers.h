#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/protocol_service.pb.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Answers ProtocolService: shipped protocols from memory, organisations' own from the database.
class ProtocolHandlers {
 public:
  ProtocolHandlers(sql::Database& database, const Protocols& protocols)
      : database_(database), protocols_(protocols) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Protocol> GetProtocol(const call::CallContext& context,
                                           const v1::GetProtocolRequest& request);
  absl::StatusOr<v1::ListProtocolsResponse> ListProtocols(const call::CallContext& context,
                                                          const v1::ListProtocolsRequest& request);
  absl::StatusOr<v1::Protocol> CreateProtocolRevision(
      const call::CallContext& context, const v1::CreateProtocolRevisionRequest& request);

 private:
  sql::Database& database_;
  const Protocols& protocols_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOL_HANDLERS_H_
