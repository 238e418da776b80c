#ifndef RAPPORT_CLIENT_ERRORS_H_
#define RAPPORT_CLIENT_ERRORS_H_

#include <grpcpp/support/status.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rapport::client {

// Calls answer absl::StatusOr, as Google's own C++ clients do, and throw nothing: gRPC for C++
// never does, and many of its users compile without exceptions. What a server says of an error is
// in the status.

// A field that was refused: its path, as "clinic.time_zone" or "answers[3].value", and what to do.
struct FieldViolation {
  std::string field;
  std::string description;
};

// What a call failed with, beside code and message. Decide by code and reason, never by the
// message:
//
//   absl::StatusOr<Course> course = client.Call(*courses, &CourseService::Stub::GetCourse,
//   request); if (!course.ok() && rapport::client::DetailsOf(course.status()).reason ==
//   "COURSE_STATE") …
struct ErrorDetails {
  std::string reason;  // ErrorInfo's, as "STALE_ETAG"; empty where the server could not be asked
  std::map<std::string, std::string> metadata;   // ErrorInfo's
  std::vector<FieldViolation> field_violations;  // of INVALID_ARGUMENT
  std::optional<absl::Duration> retry_after;     // where the server said so
  std::string resource;                          // what is in the way, where the server named it
};

ErrorDetails DetailsOf(const absl::Status& status);

// The feed no longer goes back that far: begin again with from_snapshot.
bool IsCursorExpired(const absl::Status& status);

// "INVALID_ARGUMENT INVALID_FIELD: message; field: what to do", for a log.
std::string Describe(const absl::Status& status);

// Of a call or stream that was made without Client::Call. Each detail becomes a payload under its
// type.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace rapport::client

#endif  // RAPPORT_CLIENT_ERRORS_H_
