#include "common/call/registry.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/auth/permissions.h"
#include "common/telemetry/log.h"

namespace rapport::call {
namespace {

// A wrong binding is a bug of the program, found at its first start.
[[noreturn]] void Bug(absl::string_view what) {
  telemetry::Log(telemetry::Severity::kError, what);
  telemetry::Flush();
  std::abort();
}

}  // namespace

const google::protobuf::ServiceDescriptor* Registry::AddService(absl::string_view service) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
  if (descriptor == nullptr) Bug(absl::StrCat("no proto service ", service));
  services_[descriptor];
  return descriptor;
}

Method& Registry::Add(const google::protobuf::ServiceDescriptor* service, absl::string_view method,
                      const google::protobuf::Descriptor* request,
                      const google::protobuf::Descriptor* response, Shape shape) {
  const auto* descriptor = service->FindMethodByName(std::string(method));
  if (descriptor == nullptr || descriptor->input_type() != request ||
      descriptor->output_type() != response ||
      descriptor->server_streaming() != (shape != Shape::kUnary) ||
      descriptor->client_streaming() != (shape == Shape::kBidi)) {
    Bug(absl::StrCat("the handler of ", service->full_name(), "/", method,
                     " does not fit its proto"));
  }
  Method& bound = services_[service][descriptor->index()];
  bound.descriptor = descriptor;
  bound.policy = descriptor->options().GetExtension(common::v1::policy);
  return bound;
}

absl::Status Registry::Complete() const {
  for (const auto& [service, methods] : services_) {
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string& name = service->method(i)->full_name();
      auto it = methods.find(i);
      if (it == methods.end()) return absl::InternalError(absl::StrCat(name, " has no handler"));
      const common::v1::MethodPolicy& policy = it->second.policy;
      if (!auth::IsPermission(policy.permission())) {
        return absl::InternalError(absl::StrCat(name, " declares no known permission"));
      }
      if (policy.executor() == common::v1::EXECUTOR_UNSPECIFIED) {
        return absl::InternalError(absl::StrCat(name, " declares no executor"));
      }
      if (policy.executor() == common::v1::EXECUTOR_INLINE && it->second.unary == nullptr) {
        return absl::InternalError(absl::StrCat(name, " streams and can not run inline"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport::call
