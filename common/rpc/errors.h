#ifndef RAPPORT_COMMON_RPC_ERRORS_H_
#define RAPPORT_COMMON_RPC_ERRORS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rapport::rpc {

// The one place where our errors become gRPC's: payloads become google.rpc.Status details. What is
// a bug (kInternal, kUnknown, kDataLoss) leaves only its trace id.
grpc::Status ToGrpc(const absl::Status& status, absl::string_view trace_id);

// The other way round, with the details as payloads again.
absl::Status FromGrpc(const grpc::Status& status);

// "FAILED_PRECONDITION".
absl::string_view CodeName(absl::StatusCode code);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_ERRORS_H_
