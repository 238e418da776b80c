#include "common/rpc/front_door.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/auth/permissions.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/rpc/errors.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace rapport::rpc {
namespace {

namespace metric = telemetry::metric;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What does not make two requests different.
constexpr absl::string_view kApart[] = {"request_id", "page_size", "page_token"};

bool HasFieldApart(const google::protobuf::Descriptor* type) {
  return std::any_of(std::begin(kApart), std::end(kApart), [type](absl::string_view field) {
    return type->FindFieldByName(std::string(field)) != nullptr;
  });
}

std::string DeterministicBytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string Fingerprint(const auth::IntegrityKey& key, const Message& request) {
  std::unique_ptr<Message> bare(request.New());
  bare->CopyFrom(request);
  for (absl::string_view name : kApart) {
    if (const FieldDescriptor* field = bare->GetDescriptor()->FindFieldByName(std::string(name))) {
      bare->GetReflection()->ClearField(bare.get(), field);
    }
  }
  return key.Mac("request", DeterministicBytes(*bare));
}

// Permissions that no role grants, as suitability.check: a service needs them on a user's behalf.
bool IsForServicesOnly(absl::string_view permission) {
  const auto& roles = auth::AllRoles();
  return std::none_of(roles.begin(), roles.end(), [permission](absl::string_view role) {
    return auth::RoleGrants(role, permission);
  });
}

}  // namespace

FrontDoor::Door::Door(const call::Method& method, FrontDoor& front)
    : method_(method),
      name_(
          absl::StrCat(method.descriptor->service()->full_name(), "/", method.descriptor->name())),
      validator_(method.descriptor->input_type()),
      fingerprinted_(HasFieldApart(method.descriptor->input_type())),
      executor_(method.policy.executor() == common::v1::EXECUTOR_READ    ? &front.read_
                : method.policy.executor() == common::v1::EXECUTOR_WRITE ? &front.write_
                : method.policy.executor() == common::v1::EXECUTOR_PEER  ? &front.peer_
                                                                         : nullptr),
      duration_(front.durations_.With({name_})),
      answered_(front.calls_.With({name_, CodeName(absl::StatusCode::kOk)})) {}

FrontDoor::FrontDoor(Dependencies dependencies)
    : dependencies_(std::move(dependencies)),
      read_("read", dependencies_.read_threads, dependencies_.queue_limit),
      write_("write", dependencies_.write_threads, dependencies_.queue_limit),
      peer_("peer", dependencies_.peer_threads, dependencies_.queue_limit),
      calls_(dependencies_.metrics->Counters(metric::kRpcCalls, "Calls answered.",
                                             {"method", "code"})),
      durations_(dependencies_.metrics->Histograms(
          metric::kRpcDuration, "Time from a call's arrival to its answer.", {"method"})),
      refused_(dependencies_.metrics->Counters(
          metric::kRpcRefused, "Calls refused because an executor was full.", {"executor"})),
      token_faults_(dependencies_.metrics->Counters(metric::kTokenFaults,
                                                    "Tokens refused, by cause.", {"fault"})),
      in_flight_(dependencies_.metrics->Gauges(metric::kRpcInFlight, "Calls under way.").With({})),
      streams_open_(
          dependencies_.metrics->Gauges(metric::kStreamsOpen, "Streams that are open.").With({})) {
  for (const BoundedExecutor* executor : {&read_, &write_, &peer_}) {
    dependencies_.metrics->Read(
        metric::kExecutorQueued, "Jobs that wait for a thread.",
        [executor] { return static_cast<double>(executor->stats().queued); },
        {{"executor", executor->name()}});
    dependencies_.metrics->Read(
        metric::kExecutorRunning, "Jobs on a thread.",
        [executor] { return static_cast<double>(executor->stats().running); },
        {{"executor", executor->name()}});
  }
  const auto threads = dependencies_.metrics->Gauges(metric::kExecutorThreads,
                                                     "Threads of an executor.", {"executor"});
  threads.With({read_.name()}).Set(dependencies_.read_threads);
  threads.With({write_.name()}).Set(dependencies_.write_threads);
  threads.With({peer_.name()}).Set(dependencies_.peer_threads);
  dependencies_.metrics->Read(metric::kTokenCacheSize, "Verified tokens that are kept.",
                              [verifier = dependencies_.verifier] {
                                return static_cast<double>(verifier->cached_tokens());
                              });
}

absl::Status FrontDoor::Authenticate(const Door& door, const Arrival& arrival,
                                     call::CallContext& context) {
  const absl::Time machine_now = absl::Now();
  (door.method_.unary != nullptr ? in_flight_ : streams_open_).Add(1);
  context.method = door.name();
  context.trace = telemetry::TraceContext::FromHeader(arrival.traceparent);
  if (dependencies_.tracer != nullptr && context.trace.parent_span_id.empty()) {
    context.trace.sampled = dependencies_.tracer->Samples(context.trace);
  }
  context.now = dependencies_.clock->Now();
  context.integrity = dependencies_.integrity;
  context.positions = call::ReadPositions(arrival.position);

  const auto verify =
      [&](absl::string_view token) -> absl::StatusOr<std::shared_ptr<const auth::Principal>> {
    auth::TokenFault fault = auth::TokenFault::kNone;
    auto principal = dependencies_.verifier->Verify(token, machine_now, &fault);
    if (!principal.ok()) token_faults_.With({auth::TokenFaultName(fault)}).Increment();
    return principal;
  };
  if (!arrival.service_token.empty()) {
    ASSIGN_OR_RETURN(context.caller_service, verify(arrival.service_token));
    if (context.caller_service->kind != auth::Principal::Kind::kService) {
      return errors::Unauthenticated();
    }
  }
  if (!arrival.authorization.empty()) {
    absl::string_view token = arrival.authorization;
    if (!absl::ConsumePrefix(&token, "Bearer ") && !absl::ConsumePrefix(&token, "bearer ")) {
      return errors::Unauthenticated();
    }
    ASSIGN_OR_RETURN(context.principal, verify(token));
    if (context.principal->kind != auth::Principal::Kind::kUser) return errors::Unauthenticated();
    context.user_token = std::string(token);
  } else if (context.caller_service != nullptr) {
    context.principal = std::move(context.caller_service);
    context.caller_service = nullptr;
  } else {
    return errors::Unauthenticated();
  }

  RETURN_IF_ERROR(CheckIdentity(context, arrival.identity));

  const std::string& permission = door.method_.policy.permission();
  const bool granted = context.principal->MayUse(permission) ||
                       (context.caller_service != nullptr && IsForServicesOnly(permission) &&
                        context.caller_service->MayUse(permission));
  if (!granted) return errors::PermissionDenied(permission);

  if (arrival.deadline <= machine_now) {
    return errors::DeadlineExceeded("The deadline had passed before the call arrived.");
  }
  if (door.method_.exchange != nullptr) {
    context.deadline = std::min(arrival.deadline, machine_now + dependencies_.exchange_deadline);
  } else {
    context.deadline = arrival.deadline == absl::InfiniteFuture()
                           ? machine_now + dependencies_.default_deadline
                           : std::min(arrival.deadline, machine_now + dependencies_.max_deadline);
  }
  return absl::OkStatus();
}

absl::Status FrontDoor::CheckIdentity(const call::CallContext& context,
                                      absl::string_view identity) const {
  if (dependencies_.clients == nullptr) return absl::OkStatus();
  const absl::string_view service =
      (context.caller_service != nullptr ? context.caller_service : context.principal)->service();
  const bool may = service.empty() ? dependencies_.clients->MaySpeakForUsers(identity)
                                   : dependencies_.clients->MaySpeakFor(service, identity);
  if (may) return absl::OkStatus();
  token_faults_.With({"identity"}).Increment();
  telemetry::Log(telemetry::Severity::kWarning,
                 "a caller was refused: its TLS identity is not in --tls_allowed_clients",
                 {{"identity", identity.empty() ? "none" : std::string(identity)},
                  {"speaks_for", service.empty() ? "users" : std::string(service)},
                  {"method", context.method}});
  return errors::Unauthenticated();
}

absl::Status FrontDoor::Inspect(const Door& door, const Message& request,
                                call::CallContext& context) const {
  RETURN_IF_ERROR(door.validator_.Check(request));
  ASSIGN_OR_RETURN(context.organization_id,
                   door.validator_.Organization(request, context.organization_id.empty()
                                                             ? context.principal->organization_id
                                                             : context.organization_id));
  if (door.fingerprinted_) {
    context.request_fingerprint = Fingerprint(*dependencies_.integrity, request);
  }
  return absl::OkStatus();
}

std::string FrontDoor::Door::Record(const Message* request,
                                    const std::string& organization_id) const {
  std::string found;
  // Once through the request, then through the resource that it holds.
  for (const Message* message = request; message != nullptr && found.empty();) {
    const auto& reflection = *message->GetReflection();
    const Message* resource = nullptr;
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message->GetDescriptor()->field(i);
      if (field->is_repeated()) continue;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const bool holds = resource == nullptr && message == request &&
                           reflection.HasField(*message, field) &&
                           field->message_type()->FindFieldByName("name") != nullptr;
        if (holds) resource = &reflection.GetMessage(*message, field);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
                 !field->options().GetExtension(common::v1::rules).resource().empty()) {
        const std::string name = reflection.GetString(*message, field);
        if (name.empty()) continue;
        const bool first_choice = field->name() == "name" || field->name() == "parent";
        if (found.empty() || first_choice) found = name;
        if (first_choice) break;
      }
    }
    message = resource;
  }
  return found.empty() ? names::Organization(organization_id) : found;
}

bool FrontDoor::Tell(const Door& door, const call::CallContext& context, const Message* request,
                     const absl::Status& status,
                     std::function<void(const absl::Status&)> done) const {
  using common::v1::AUDIT_LEVEL_DURABLE;
  using common::v1::AUDIT_LEVEL_UNSPECIFIED;
  const common::v1::AuditLevel level = door.method_.policy.audit();
  if (status.ok() ? level == AUDIT_LEVEL_UNSPECIFIED
                  : status.code() != absl::StatusCode::kPermissionDenied &&
                        status.code() != absl::StatusCode::kNotFound) {
    return false;
  }
  // What is absent is a denial only where records are read or written.
  const bool told = status.code() != absl::StatusCode::kNotFound ||
                    level != AUDIT_LEVEL_UNSPECIFIED || door.executor_ == &write_;
  if (!told || dependencies_.access_log == nullptr || context.principal == nullptr) return false;
  const std::string& organization_id = context.organization_id.empty()
                                           ? context.principal->organization_id
                                           : context.organization_id;
  if (organization_id.empty()) return false;
  // What is read out of the usual, as by an emergency access, waits whatever it is.
  const bool must_wait =
      done != nullptr && (!status.ok() || level == AUDIT_LEVEL_DURABLE || !context.purpose.empty());
  audit::Entry entry{.organization_id = organization_id,
                     .principal = context.principal->subject,
                     .method = door.name_,
                     .resource = door.Record(request, organization_id),
                     .occur_time = context.now,
                     .trace_id = context.trace.trace_id};
  entry.kind = status.ok() ? audit::Kind::kAccess : audit::Kind::kDenial;
  entry.purpose = status.ok() ? context.purpose : std::string(CodeName(status.code()));
  return dependencies_.access_log->Tell(std::move(entry), must_wait,
                                        [status, done = std::move(done)](const absl::Status& kept) {
                                          if (done != nullptr) done(kept.ok() ? status : kept);
                                        });
}

absl::Status FrontDoor::Refused(const Door& door) const {
  refused_.With({door.executor()->name()}).Increment();
  return errors::ResourceExhausted("OVERLOADED",
                                   "The service has more calls than it can serve; try again later.",
                                   absl::Milliseconds(250));
}

void FrontDoor::Account(const Door& door, const call::CallContext& context, absl::Time arrived,
                        const absl::Status& status) const {
  (door.method_.unary != nullptr ? in_flight_ : streams_open_).Add(-1);
  const absl::Duration took = absl::Now() - arrived;
  const absl::string_view code = CodeName(status.code());
  if (status.ok()) {
    door.answered_.Increment();
  } else {
    calls_.With({door.name(), code}).Increment();
  }
  door.duration_.Observe(absl::ToDoubleSeconds(took));
  const bool bug =
      status.code() == absl::StatusCode::kInternal || status.code() == absl::StatusCode::kUnknown;
  telemetry::JsonLine line("call", bug ? telemetry::Severity::kError : telemetry::Severity::kInfo);
  line.Text("method", door.name())
      .Text("code", code)
      .Real("seconds", absl::ToDoubleSeconds(took))
      .Text("organization", context.organization_id)
      .Text("trace_id", context.trace.trace_id)
      .Text("span_id", context.trace.span_id);
  if (!status.ok()) line.Text("reason", errors::Reason(status));
  if (bug) line.Text("detail", status.message());
  telemetry::Write(line);
  if (dependencies_.tracer == nullptr || !context.trace.sampled) return;
  telemetry::Span span{.context = context.trace,
                       .kind = telemetry::SpanKind::kServer,
                       .name = door.name(),
                       .start_time = arrived,
                       .end_time = arrived + took,
                       .code = status.code()};
  span.attributes = {{"rpc.system", "grpc"},
                     {"rpc.method", door.name()},
                     {"rpc.response.status_code", std::string(code)},
                     {"rapport.organization", context.organization_id}};
  if (!status.ok()) {
    span.attributes.emplace_back("rapport.reason", std::string(errors::Reason(status)));
  }
  dependencies_.tracer->Take(std::move(span));
}

bool FrontDoor::StillHolds(const call::CallContext& context) const {
  const absl::Time now = absl::Now();
  return dependencies_.verifier->StillHolds(*context.principal, now);
}

bool FrontDoor::OpenExchange(const call::CallContext& context) {
  MutexLock lock(exchanges_mutex_);
  const int share = std::max(dependencies_.exchange_limit / 4, 1);
  const auto held = exchanges_by_organization_.find(context.principal->organization_id);
  if (exchanges_ >= dependencies_.exchange_limit ||
      (held != exchanges_by_organization_.end() && held->second >= share)) {
    return false;
  }
  ++exchanges_;
  ++exchanges_by_organization_[context.principal->organization_id];
  return true;
}

void FrontDoor::CloseExchange(const call::CallContext& context) {
  MutexLock lock(exchanges_mutex_);
  --exchanges_;
  const auto held = exchanges_by_organization_.find(context.principal->organization_id);
  if (--held->second == 0) exchanges_by_organization_.erase(held);
}

void FrontDoor::Renew(call::CallContext& context, absl::Time end) const {
  context.now = dependencies_.clock->Now();
  context.deadline = std::min(end, absl::Now() + dependencies_.max_deadline);
}

void FrontDoor::Drain() {
  read_.Drain();
  write_.Drain();
  peer_.Drain();
}

}  // namespace rapport::rpc
