#include "common/call/masks.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "google/api/field_behavior.pb.h"

namespace rapport::call {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool MayChange(const FieldDescriptor& field) {
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    const auto behavior = options.GetExtension(google::api::field_behavior, i);
    if (behavior == google::api::OUTPUT_ONLY || behavior == google::api::IMMUTABLE) return false;
  }
  return field.name() != "name" && field.name() != "etag";
}

// Replaces `field` of `target` by that of `source`.
void CopyField(const FieldDescriptor& field, const Message& source, Message& target) {
  std::unique_ptr<Message> only(source.New());
  only->CopyFrom(source);
  const auto* reflection = source.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(*only, &set);
  for (const FieldDescriptor* other : set) {
    if (other != &field) reflection->ClearField(only.get(), other);
  }
  reflection->ClearField(&target, &field);
  target.MergeFrom(*only);
}

absl::Status CopyPath(absl::string_view path, const Message& source, Message& target,
                      absl::string_view mask_field) {
  const Message* from = &source;
  Message* to = &target;
  const std::vector<std::string> parts = absl::StrSplit(path, '.');
  for (size_t i = 0; i < parts.size(); ++i) {
    const FieldDescriptor* field = from->GetDescriptor()->FindFieldByName(parts[i]);
    if (field == nullptr) {
      return errors::InvalidArgument(mask_field, absl::StrCat("'", path, "' is not a field"));
    }
    if (!MayChange(*field)) {
      return errors::InvalidArgument(mask_field,
                                     absl::StrCat("'", path, "' can not be changed by an update"));
    }
    if (i + 1 == parts.size()) {
      CopyField(*field, *from, *to);
      break;
    }
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return errors::InvalidArgument(mask_field,
                                     absl::StrCat("'", path, "' reaches into what has no fields"));
    }
    from = &from->GetReflection()->GetMessage(*from, field);
    to = to->GetReflection()->MutableMessage(to, field);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyMask(const google::protobuf::FieldMask& mask, const Message& source,
                       Message& target, absl::string_view mask_field) {
  if (mask.paths().empty()) {
    std::vector<const FieldDescriptor*> set;
    source.GetReflection()->ListFields(source, &set);
    for (const FieldDescriptor* field : set) {
      if (MayChange(*field)) CopyField(*field, source, target);
    }
    return absl::OkStatus();
  }
  for (const std::string& path : mask.paths()) {
    RETURN_IF_ERROR(CopyPath(path, source, target, mask_field));
  }
  return absl::OkStatus();
}

}  // namespace rapport::call
