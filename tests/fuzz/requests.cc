#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/call/validate.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/message.h"
#include "tests/fuzz/target.h"

namespace rapport::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Longer values than any name or word of ours: none may stand in an error.
constexpr size_t kTelling = 24;

struct Type {
  const Message* prototype;
  std::unique_ptr<const call::Validator> validator;
};

const std::vector<Type>& Types() {
  static const auto* const types = [] {
    std::map<std::string, const Descriptor*> requests;
    google::protobuf::FileDescriptorSet set;
    std::ifstream in(RAPPORT_DESCRIPTOR_SET, std::ios::binary);
    Require(set.ParseFromIstream(&in), "the descriptor set is there");
    for (const auto& known : set.file()) {
      if (!absl::StartsWith(known.name(), "rapport/")) continue;
      const auto* file =
          google::protobuf::DescriptorPool::generated_pool()->FindFileByName(known.name());
      Require(file != nullptr, "all protos are linked");
      for (int s = 0; s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m) {
          const Descriptor* input = file->service(s)->method(m)->input_type();
          requests[input->full_name()] = input;
        }
      }
    }
    auto* made = new std::vector<Type>;
    for (const auto& [name, descriptor] : requests) {
      made->push_back(
          {google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor),
           std::make_unique<const call::Validator>(descriptor)});
    }
    return made;
  }();
  return *types;
}

// The values of free text in `message`.
void Collect(const Message& message, std::vector<std::string>& texts) {
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        std::string text = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                : reflection->GetString(message, field);
        if (text.size() >= kTelling) texts.push_back(std::move(text));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Collect(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                     : reflection->GetMessage(message, field),
                texts);
      }
    }
  }
}

// "type's name\n" and the request's bytes. Another name is one of the types all the same.
void Run(absl::string_view input) {
  const size_t end = std::min(input.find('\n'), input.size());
  const absl::string_view name = input.substr(0, end);
  const std::string bytes(input.substr(std::min(end + 1, input.size())));
  const std::vector<Type>& types = Types();
  size_t which = absl::HashOf(name) % types.size();
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i].prototype->GetDescriptor()->full_name() == std::string(name)) which = i;
  }
  const Type& type = types[which];
  const std::unique_ptr<Message> request(type.prototype->New());
  if (!request->ParseFromString(bytes)) return;

  const absl::Status checked = type.validator->Check(*request);
  Require(checked.ok() || checked.code() == absl::StatusCode::kInvalidArgument,
          "field rules answer OK or INVALID_ARGUMENT");
  std::vector<std::string> texts;
  Collect(*request, texts);
  std::string told(checked.message());
  checked.ForEachPayload(
      [&](absl::string_view, const absl::Cord& payload) { told += std::string(payload); });
  for (const std::string& text : texts) {
    Require(!absl::StrContains(told, text), "no error carries what the request said");
  }
  (void)type.validator->Organization(*request, "acme");

  // What we don't know of a newer caller is kept.
  const std::unique_ptr<Message> again(type.prototype->New());
  const std::string written = request->SerializeAsString();
  Require(again->ParseFromString(written) && again->ByteSizeLong() == written.size(),
          "a request that was read is written and read again");
}

// Each type, empty and with each of its fields set once.
void Fill(Message& message, int depth) {
  const auto* reflection = message.GetReflection();
  const Descriptor* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text = "organizations/acme/courses/c1";
        many ? reflection->AddString(&message, field, text)
             : reflection->SetString(&message, field, text);
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth == 0) break;
        Fill(many ? *reflection->AddMessage(&message, field)
                  : *reflection->MutableMessage(&message, field),
             depth - 1);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        many ? reflection->AddInt32(&message, field, 7) : reflection->SetInt32(&message, field, 7);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        many ? reflection->AddInt64(&message, field, 7) : reflection->SetInt64(&message, field, 7);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        many ? reflection->AddBool(&message, field, true)
             : reflection->SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        many ? reflection->AddEnumValue(&message, field, 1)
             : reflection->SetEnumValue(&message, field, 1);
        break;
      default:
        break;
    }
  }
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const Type& type : Types()) {
    const std::unique_ptr<Message> message(type.prototype->New());
    const std::string head = absl::StrCat(type.prototype->GetDescriptor()->full_name(), "\n");
    seeds.push_back(head);
    Fill(*message, 3);
    seeds.push_back(head + message->SerializeAsString());
  }
  return seeds;
}

}  // namespace

const Target& Requests() {
  static const Target target{"requests", Run, Seeds};
  return target;
}

}  // namespace rapport::fuzz
