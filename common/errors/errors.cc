#include "common/errors/errors.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace rapport::errors {
namespace {

constexpr char kDomain[] = "rapport";

template <class Message>
void Attach(absl::Status& status, const Message& message) {
  status.SetPayload(absl::StrCat("type.googleapis.com/", message.GetDescriptor()->full_name()),
                    absl::Cord(message.SerializeAsString()));
}

template <class Message>
std::optional<Message> Detail(const absl::Status& status) {
  auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  Message message;
  if (!payload || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

absl::Status Make(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                  const Metadata& metadata = {}) {
  absl::Status status(code, message);
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(status, info);
  return status;
}

void AttachRetry(absl::Status& status, absl::Duration after) {
  google::rpc::RetryInfo retry;
  const int64_t nanos = absl::ToInt64Nanoseconds(after);
  retry.mutable_retry_delay()->set_seconds(nanos / 1000000000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1000000000));
  Attach(status, retry);
}

}  // namespace

absl::Status InvalidArgument(std::vector<FieldViolation> violations) {
  std::string message;
  google::rpc::BadRequest bad;
  for (const FieldViolation& violation : violations) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", violation.field, ": ",
                    violation.description);
    auto* entry = bad.add_field_violations();
    entry->set_field(violation.field);
    entry->set_description(violation.description);
  }
  Metadata metadata;
  if (!violations.empty()) metadata["field"] = violations.front().field;
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, "INVALID_FIELD", message, metadata);
  Attach(status, bad);
  return status;
}

absl::Status InvalidArgument(absl::string_view field, absl::string_view description) {
  return InvalidArgument({{std::string(field), std::string(description)}});
}

absl::Status Unauthenticated() {
  return Make(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED",
              "Send a valid access token in the 'authorization: Bearer' metadata.");
}

absl::Status PermissionDenied(absl::string_view permission) {
  return Make(absl::StatusCode::kPermissionDenied, "PERMISSION_REQUIRED",
              absl::StrCat("This call needs the permission '", permission, "'."),
              {{"permission", std::string(permission)}});
}

absl::Status PermissionDenied(absl::string_view reason, absl::string_view message) {
  return Make(absl::StatusCode::kPermissionDenied, reason, message);
}

absl::Status NotFound(absl::string_view type) {
  return Make(absl::StatusCode::kNotFound, "RESOURCE_NOT_FOUND",
              absl::StrCat("No such ", type, ", or the caller may not know of it."),
              {{"type", std::string(type)}});
}

absl::Status AlreadyExists(absl::string_view type, absl::string_view name, Metadata metadata) {
  metadata["type"] = std::string(type);
  metadata["name"] = std::string(name);
  return Make(absl::StatusCode::kAlreadyExists, "RESOURCE_EXISTS",
              absl::StrCat(type, " '", name, "' exists; choose another id."), metadata);
}

absl::Status FailedPrecondition(absl::string_view reason, absl::string_view message,
                                Metadata metadata) {
  return Make(absl::StatusCode::kFailedPrecondition, reason, message, metadata);
}

absl::Status Conflict(absl::string_view reason, absl::string_view message,
                      absl::string_view resource_type, absl::string_view resource_name,
                      Metadata metadata) {
  absl::Status status = FailedPrecondition(reason, message, std::move(metadata));
  google::rpc::ResourceInfo info;
  info.set_resource_type(std::string(resource_type));
  info.set_resource_name(std::string(resource_name));
  Attach(status, info);
  return status;
}

absl::Status StaleEtag(absl::string_view current_etag) {
  return Make(absl::StatusCode::kAborted, "STALE_ETAG",
              absl::StrCat("The resource has changed; its etag is now '", current_etag,
                           "'. Read it again and repeat the change."),
              {{"current_etag", std::string(current_etag)}});
}

absl::Status Aborted(absl::string_view reason, absl::string_view message) {
  absl::Status status = Make(absl::StatusCode::kAborted, reason, message);
  AttachRetry(status, absl::Milliseconds(50));
  return status;
}

absl::Status Aborted(absl::string_view reason, absl::string_view message, Metadata metadata) {
  return Make(absl::StatusCode::kAborted, reason, message, std::move(metadata));
}

absl::Status OutOfRange(absl::string_view reason, absl::string_view message) {
  return Make(absl::StatusCode::kOutOfRange, reason, message);
}

absl::Status ResourceExhausted(absl::string_view reason, absl::string_view message,
                               absl::Duration retry_after) {
  absl::Status status = Make(absl::StatusCode::kResourceExhausted, reason, message);
  AttachRetry(status, retry_after);
  return status;
}

absl::Status Unavailable(absl::string_view reason, absl::string_view message,
                         absl::string_view source, absl::Duration retry_after) {
  absl::Status status =
      Make(absl::StatusCode::kUnavailable, reason, message, {{"source", std::string(source)}});
  AttachRetry(status, retry_after);
  return status;
}

absl::Status DeadlineExceeded(absl::string_view message) {
  return Make(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", message);
}

absl::Status Internal(absl::string_view message) {
  return Make(absl::StatusCode::kInternal, "INTERNAL", message);
}

std::string Reason(const absl::Status& status) {
  auto info = Detail<google::rpc::ErrorInfo>(status);
  return info ? info->reason() : "";
}

std::string MetadataValue(const absl::Status& status, absl::string_view key) {
  auto info = Detail<google::rpc::ErrorInfo>(status);
  if (!info) return "";
  auto it = info->metadata().find(std::string(key));
  return it == info->metadata().end() ? "" : it->second;
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  if (auto bad = Detail<google::rpc::BadRequest>(status)) {
    for (const auto& violation : bad->field_violations()) {
      violations.push_back({violation.field(), violation.description()});
    }
  }
  return violations;
}

}  // namespace rapport::errors
