#ifndef RAPPORT_COMMON_CALL_REGISTRY_H_
#define RAPPORT_COMMON_CALL_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/exchange.h"
#include "common/call/stream_source.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "rapport/common/v1/options.pb.h"

namespace rapport::call {

// A method of a proto service and the member function that answers it.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  common::v1::MethodPolicy policy;
  const google::protobuf::Message* request = nullptr;  // prototypes
  const google::protobuf::Message* response = nullptr;
  // Exactly one of the three is set.
  std::function<absl::Status(const CallContext&, const google::protobuf::Message& request,
                             google::protobuf::Message& response)>
      unary;
  std::function<absl::StatusOr<std::unique_ptr<StreamSource>>(
      const CallContext&, const google::protobuf::Message& request)>
      stream;
  std::function<absl::StatusOr<std::unique_ptr<AnyExchange>>(const CallContext&)> exchange;
  // Which requests of a unary method, or messages of an exchange, run inline, whatever the method's
  // executor; unset: none.
  std::function<bool(const google::protobuf::Message& request)> quick;
  Faults faults = Faults::kEnd;  // of an exchange
};

// Which member function answers which method. Filled at start by each handler class; a method of a
// bound service that nobody answers, or one without a policy, stops the start.
//
//   registry.Service("rapport.scheduling.v1.CourseService", this)
//       .Unary("CreateCourse", &CourseHandlers::CreateCourse)
//       .Unary("GetCourse", &CourseHandlers::GetCourse);
//
// Streams do not run inline by their policy. A unary method or an exchange that only sometimes
// waits for a store or a peer may name the requests that never do and cost less than the way to the
// executor, which they save.
//
//       .Unary("Score", &ScoringHandlers::Score, &ScoringHandlers::ScoresAtOnce)
class Registry {
 public:
  template <class Handlers>
  class Binder {
   public:
    template <class Request, class Response>
    Binder& Unary(absl::string_view method,
                  absl::StatusOr<Response> (Handlers::*function)(const CallContext&,
                                                                 const Request&),
                  bool (Handlers::*quick)(const Request&) const = nullptr) {
      Method& bound = registry_.Add(service_, method, Request::descriptor(), Response::descriptor(),
                                    Shape::kUnary);
      bound.request = &Request::default_instance();
      bound.response = &Response::default_instance();
      bound.unary = [handlers = handlers_, function](const CallContext& context,
                                                     const google::protobuf::Message& request,
                                                     google::protobuf::Message& response) {
        absl::StatusOr<Response> result =
            (handlers->*function)(context, static_cast<const Request&>(request));
        if (!result.ok()) return result.status();
        static_cast<Response&>(response) = *std::move(result);
        return absl::OkStatus();
      };
      bound.quick = Quick(quick);
      return *this;
    }

    template <class Response, class Request>
    Binder& Stream(absl::string_view method,
                   absl::StatusOr<std::unique_ptr<StreamSource>> (Handlers::*function)(
                       const CallContext&, const Request&)) {
      Method& bound = registry_.Add(service_, method, Request::descriptor(), Response::descriptor(),
                                    Shape::kServerStream);
      bound.request = &Request::default_instance();
      bound.response = &Response::default_instance();
      bound.stream = [handlers = handlers_, function](const CallContext& context,
                                                      const google::protobuf::Message& request) {
        return (handlers->*function)(context, static_cast<const Request&>(request));
      };
      return *this;
    }

    template <class Request, class Response>
    Binder& Bidi(absl::string_view method,
                 absl::StatusOr<std::unique_ptr<Exchange<Request, Response>>> (Handlers::*function)(
                     const CallContext&),
                 Faults faults = Faults::kEnd,
                 bool (Handlers::*quick)(const Request&) const = nullptr) {
      Method& bound = registry_.Add(service_, method, Request::descriptor(), Response::descriptor(),
                                    Shape::kBidi);
      bound.request = &Request::default_instance();
      bound.response = &Response::default_instance();
      bound.faults = faults;
      bound.exchange = [handlers = handlers_, function](const CallContext& context) {
        return absl::StatusOr<std::unique_ptr<AnyExchange>>((handlers->*function)(context));
      };
      bound.quick = Quick(quick);
      return *this;
    }

   private:
    friend class Registry;
    Binder(Registry& registry, const google::protobuf::ServiceDescriptor* service,
           Handlers* handlers)
        : registry_(registry), service_(service), handlers_(handlers) {}

    template <class Request>
    std::function<bool(const google::protobuf::Message&)> Quick(
        bool (Handlers::*quick)(const Request&) const) const {
      if (quick == nullptr) return nullptr;
      return [handlers = handlers_, quick](const google::protobuf::Message& request) {
        return (handlers->*quick)(static_cast<const Request&>(request));
      };
    }

    Registry& registry_;
    const google::protobuf::ServiceDescriptor* service_;
    Handlers* handlers_;
  };

  // Begins to bind the methods of `service` (full name) to `handlers`, which outlives the registry.
  template <class Handlers>
  Binder<Handlers> Service(absl::string_view service, Handlers* handlers) {
    return Binder<Handlers>(*this, AddService(service), handlers);
  }

  // OK iff every method of every bound service is answered and declares its policy.
  absl::Status Complete() const;

  const std::map<const google::protobuf::ServiceDescriptor*, std::map<int, Method>>& services()
      const {
    return services_;
  }

 private:
  enum class Shape { kUnary, kServerStream, kBidi };

  const google::protobuf::ServiceDescriptor* AddService(absl::string_view service);
  Method& Add(const google::protobuf::ServiceDescriptor* service, absl::string_view method,
              const google::protobuf::Descriptor* request,
              const google::protobuf::Descriptor* response, Shape shape);

  std::map<const google::protobuf::ServiceDescriptor*, std::map<int, Method>> services_;
};

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_REGISTRY_H_
