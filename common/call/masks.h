#ifndef RAPPORT_COMMON_CALL_MASKS_H_
#define RAPPORT_COMMON_CALL_MASKS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

namespace rapport::call {

// Copies the fields that `mask` names from `source` to `target`, whole (a repeated or message field
// replaces). Paths may reach into messages with dots. An empty mask means every field of `source`
// that is set. Output-only and immutable fields, `name` and `etag` are never copied.
//   kInvalidArgument  `mask_field`: a path that does not exist or may not be changed
absl::Status ApplyMask(const google::protobuf::FieldMask& mask,
                       const google::protobuf::Message& source, google::protobuf::Message& target,
                       absl::string_view mask_field = "update_mask");

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_MASKS_H_
