#include "rapport/client/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rapport::client {
namespace {

template <class Detail>
std::optional<Detail> Find(const absl::Status& status) {
  const auto bytes =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  Detail detail;
  if (!bytes || !detail.ParseFromString(std::string(*bytes))) return std::nullopt;
  return detail;
}

}  // namespace

ErrorDetails DetailsOf(const absl::Status& status) {
  ErrorDetails details;
  if (const auto info = Find<google::rpc::ErrorInfo>(status)) {
    details.reason = info->reason();
    details.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  if (const auto bad = Find<google::rpc::BadRequest>(status)) {
    for (const auto& one : bad->field_violations()) {
      details.field_violations.push_back({one.field(), one.description()});
    }
  }
  if (const auto retry = Find<google::rpc::RetryInfo>(status)) {
    details.retry_after = absl::Seconds(retry->retry_delay().seconds()) +
                          absl::Nanoseconds(retry->retry_delay().nanos());
  }
  if (const auto resource = Find<google::rpc::ResourceInfo>(status)) {
    details.resource = resource->resource_name();
  }
  return details;
}

bool IsCursorExpired(const absl::Status& status) {
  return status.code() == absl::StatusCode::kOutOfRange &&
         DetailsOf(status).reason == "CURSOR_EXPIRED";
}

std::string Describe(const absl::Status& status) {
  const ErrorDetails details = DetailsOf(status);
  std::string said = absl::StatusCodeToString(status.code());
  if (!details.reason.empty()) absl::StrAppend(&said, " ", details.reason);
  absl::StrAppend(&said, ": ", status.message());
  for (const FieldViolation& one : details.field_violations) {
    absl::StrAppend(&said, "; ", one.field, ": ", one.description);
  }
  return said;
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status made(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status rich;
  if (rich.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : rich.details()) {
      made.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return made;
}

}  // namespace rapport::client
