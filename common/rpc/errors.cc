#include "common/rpc/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rapport::rpc {
namespace {

bool IsBug(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

google::rpc::Status Internal(absl::string_view trace_id) {
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(absl::StatusCode::kInternal));
  rich.set_message(absl::StrCat("Internal error; report the trace id ", trace_id, "."));
  google::rpc::ErrorInfo info;
  info.set_reason("INTERNAL");
  info.set_domain("rapport");
  (*info.mutable_metadata())["trace_id"] = std::string(trace_id);
  rich.add_details()->PackFrom(info);
  return rich;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, absl::string_view trace_id) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status rich;
  if (IsBug(status.code())) {
    rich = Internal(trace_id);
  } else {
    rich.set_code(static_cast<int>(status.code()));
    rich.set_message(std::string(status.message()));
    status.ForEachPayload([&rich](absl::string_view type_url, const absl::Cord& payload) {
      auto* detail = rich.add_details();
      detail->set_type_url(std::string(type_url));
      detail->set_value(std::string(payload));
    });
  }
  return grpc::Status(static_cast<grpc::StatusCode>(rich.code()), rich.message(),
                      rich.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status rich;
  if (rich.ParseFromString(status.error_details())) {
    for (const auto& detail : rich.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

absl::string_view CodeName(absl::StatusCode code) {
  static constexpr absl::string_view kNames[] = {"OK",
                                                 "CANCELLED",
                                                 "UNKNOWN",
                                                 "INVALID_ARGUMENT",
                                                 "DEADLINE_EXCEEDED",
                                                 "NOT_FOUND",
                                                 "ALREADY_EXISTS",
                                                 "PERMISSION_DENIED",
                                                 "RESOURCE_EXHAUSTED",
                                                 "FAILED_PRECONDITION",
                                                 "ABORTED",
                                                 "OUT_OF_RANGE",
                                                 "UNIMPLEMENTED",
                                                 "INTERNAL",
                                                 "UNAVAILABLE",
                                                 "DATA_LOSS",
                                                 "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

}  // namespace rapport::rpc
