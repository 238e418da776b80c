#ifndef RAPPORT_COMMON_CALL_VALIDATE_H_
#define RAPPORT_COMMON_CALL_VALIDATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/errors/errors.h"
#include "google/protobuf/message.h"

// Holds messages to what their fields declare in rapport.common.v1.rules and google.api
// field_behavior. Output-only fields are passed over. Besides the declared rules: enums must have a
// known value, timestamps, dates and times of day must exist.
namespace rapport::call {

// The checks of one message type, compiled once.
class Validator {
 public:
  explicit Validator(const google::protobuf::Descriptor* type);
  ~Validator();

  // OK, or kInvalidArgument with every violation found (at most 20) by field path. A request that
  // has an `update_mask` may leave out the required fields of its resource, but not its name.
  absl::Status Check(const google::protobuf::Message& message) const;

  // The organisation that the resource names in `message` are of: "" where there are none. With
  // names of an organisation other than `expected` (unless that is empty): kNotFound of the first
  // such name's type, as if it were absent.
  absl::StatusOr<std::string> Organization(const google::protobuf::Message& message,
                                           absl::string_view expected) const;

 private:
  struct Node;
  const std::unique_ptr<const Node> root_;
  const bool is_update_;
};

// Checks a message apart from a request, as a resource after an update was merged into it; paths
// begin with `prefix`.
absl::Status Validate(const google::protobuf::Message& message, absl::string_view prefix);

// Why fields reachable from requests of `type` lack a declared limit: "path: what is missing".
// Empty: every string, bytes and repeated field is bounded.
std::vector<std::string> UnboundedFields(const google::protobuf::Descriptor* type);

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_VALIDATE_H_
