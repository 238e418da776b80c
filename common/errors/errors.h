#ifndef RAPPORT_COMMON_ERRORS_ERRORS_H_
#define RAPPORT_COMMON_ERRORS_ERRORS_H_

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// The error vocabulary of every RPC. Each function makes an absl::Status that carries a
// google.rpc.ErrorInfo{reason, domain: "rapport", metadata} and, where it applies, BadRequest,
// RetryInfo or ResourceInfo, as payloads; the front door turns them into gRPC error details.
//
// Messages tell a developer what to do next. They never hold patient text; whatever varies in a
// message is repeated in the metadata (AIP-193). Reasons are UPPER_SNAKE_CASE.
namespace rapport::errors {

using Metadata = std::map<std::string, std::string>;

struct FieldViolation {
  std::string field;        // path from the request, as "settings.duty_list[0]"
  std::string description;  // what would be right
};

// INVALID_ARGUMENT, reason INVALID_FIELD: malformed, out of range, unknown enum, wrong combination.
absl::Status InvalidArgument(std::vector<FieldViolation> violations);
absl::Status InvalidArgument(absl::string_view field, absl::string_view description);

// UNAUTHENTICATED, reason UNAUTHENTICATED; the same text whatever the cause.
absl::Status Unauthenticated();

// PERMISSION_DENIED. `permission` is what the caller lacks.
absl::Status PermissionDenied(absl::string_view permission);

// PERMISSION_DENIED for an object that the caller may know of but not change.
absl::Status PermissionDenied(absl::string_view reason, absl::string_view message);

// NOT_FOUND, reason RESOURCE_NOT_FOUND. `type` is the resource type, as "Course". The answer for
// what is absent, of another organisation, or hidden from the caller is identical to the byte.
absl::Status NotFound(absl::string_view type);

// ALREADY_EXISTS, reason RESOURCE_EXISTS: a caller-chosen id is taken.
absl::Status AlreadyExists(absl::string_view type, absl::string_view name, Metadata metadata = {});

// FAILED_PRECONDITION: the state does not allow it.
absl::Status FailedPrecondition(absl::string_view reason, absl::string_view message,
                                Metadata metadata = {});

// FAILED_PRECONDITION that names the resource in the way (ResourceInfo), as a taken slot.
absl::Status Conflict(absl::string_view reason, absl::string_view message,
                      absl::string_view resource_type, absl::string_view resource_name,
                      Metadata metadata = {});

// ABORTED, reason STALE_ETAG, with the current etag in the metadata.
absl::Status StaleEtag(absl::string_view current_etag);

// ABORTED with RetryInfo: lost a race, safe to repeat.
absl::Status Aborted(absl::string_view reason, absl::string_view message);

// ABORTED that repeating as it stands does not mend: no RetryInfo.
absl::Status Aborted(absl::string_view reason, absl::string_view message, Metadata metadata);

// OUT_OF_RANGE.
absl::Status OutOfRange(absl::string_view reason, absl::string_view message);

// RESOURCE_EXHAUSTED with RetryInfo.
absl::Status ResourceExhausted(absl::string_view reason, absl::string_view message,
                               absl::Duration retry_after);

// UNAVAILABLE with RetryInfo. `source` names the dependency, as "notes".
absl::Status Unavailable(absl::string_view reason, absl::string_view message,
                         absl::string_view source,
                         absl::Duration retry_after = absl::Milliseconds(200));

absl::Status DeadlineExceeded(absl::string_view message);

// INTERNAL. `message` is for the log; the caller sees a trace id only.
absl::Status Internal(absl::string_view message);

// The ErrorInfo reason carried by `status`; "" without one.
std::string Reason(const absl::Status& status);

// The ErrorInfo metadata value under `key`; "" without one.
std::string MetadataValue(const absl::Status& status, absl::string_view key);

// The field violations carried by `status`.
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

}  // namespace rapport::errors

#endif  // RAPPORT_COMMON_ERRORS_ERRORS_H_
