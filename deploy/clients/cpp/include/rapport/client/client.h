#ifndef RAPPORT_CLIENT_CLIENT_H_
#define RAPPORT_CLIENT_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "rapport/client/errors.h"
#include "rapport/common/v1/event_service.pb.h"

namespace rapport::client {

enum class Service { kScheduling, kAssessment, kNotes };

// Asked for a token when one is needed, by one thread at a time.
using TokenSource = std::function<absl::StatusOr<std::string>()>;

// A token that something else keeps fresh in a file, as an orchestrator does.
TokenSource TokenFromFile(std::string path);

struct ClientOptions {
  // Addresses of the services that are called, as "localhost:7401" or "dns:///scheduling:7401".
  std::string scheduling = "", assessment = "", notes = "";
  TokenSource token;
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // null: no TLS, for development
  grpc::ChannelArguments arguments = {};                            // what else the channels need
};

struct CallOptions {
  std::optional<absl::Duration> timeout =
      std::nullopt;           // for all tries; none: the service config's
  std::stop_token stop = {};  // gives the call up: CANCELLED
};

// How a feed is followed.
struct WatchOptions {
  std::vector<std::string> types = {};  // as "rapport.scheduling.v1.CourseEvent"; none: all
  std::string cursor = "";     // of the last response that was dealt with; empty: all that is kept
  bool from_snapshot = false;  // first the newest event of each resource, whatever its age
  absl::Duration first_backoff = absl::Milliseconds(100);
  absl::Duration most_backoff = absl::Seconds(10);
  std::stop_token stop = {};
};

// Calls the Rapport suite: channels for the generated stubs, and what every caller needs around a
// call.
//
//   rapport::client::Client client({.scheduling = "localhost:7401",
//                                   .token = rapport::client::TokenFromFile(path)});
//   const auto courses = CourseService::NewStub(client.channel(Service::kScheduling));
//   absl::StatusOr<Course> course = client.Call(*courses, &CourseService::Stub::GetCourse,
//   request);
//
// A call made so
//   - sends a token that is still valid, and asks for another before it ends or once it is refused;
//   - ends by a deadline: `timeout`, else the service config's;
//   - is repeated where that does no harm: as the service config says, a change under one
//   request_id,
//     which is filled in where it is empty; when a full server says to come back within a second;
//     when it crossed the GOAWAY of a server that drains;
//   - fails with a status that knows the reason, each bad field, and when to try again (errors.h).
//
// Thread-safe. No call may be under way when it is destroyed.
class Client {
 public:
  explicit Client(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The channel to a service, for any generated stub; null: the client was given no address of it.
  std::shared_ptr<grpc::Channel> channel(Service service) const;

  // Calls a unary method of a stub.
  template <class Stub, class Request, class Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, const CallOptions& options = {}) {
    std::optional<Request> repeatable;
    if (LacksRequestId(request)) FillRequestId(repeatable.emplace(request));
    const Request& sent = repeatable ? *repeatable : request;
    Response response;
    const absl::Status status =
        Repeat(*Request::descriptor(), options, [&](grpc::ClientContext& context) {
          response.Clear();
          return (stub.*method)(&context, sent, &response);
        });
    if (!status.ok()) return status;
    return response;
  }

  // Follows the feed of a service, whatever happens to streams, until `deal` returns false: OK.
  // Each response is told once the one before is dealt with: keep its cursor together with what you
  // made of its events. Heartbeats have a cursor and no events. OUT_OF_RANGE: IsCursorExpired.
  absl::Status Watch(Service service, const WatchOptions& options,
                     const std::function<bool(const common::v1::WatchResponse&)>& deal);

  // Puts a valid token into the context of a call that is made without Call, as of a stream.
  absl::Status Authorize(grpc::ClientContext& context);

 private:
  class Tokens;

  static bool LacksRequestId(const google::protobuf::Message& request);
  static void FillRequestId(google::protobuf::Message& request);
  // Whether the service config repeats the method whose requests these are: a read, or a change
  // under a request_id.
  bool IsHarmlessTwice(const google::protobuf::Descriptor& request) const;
  absl::Status Repeat(const google::protobuf::Descriptor& request, const CallOptions& options,
                      const std::function<grpc::Status(grpc::ClientContext&)>& attempt);

  const std::unique_ptr<Tokens> tokens_;
  std::map<Service, std::shared_ptr<grpc::Channel>> channels_;
  std::set<std::string> harmless_;  // "rapport.scheduling.v1.CourseService/GetCourse"
};

}  // namespace rapport::client

#endif  // RAPPORT_CLIENT_CLIENT_H_
