#ifndef RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/message.h"

namespace rapport::ctl {

// As whom a call is made; a token is minted from the development key.
struct Identity {
  std::string subject;
  std::string organization_id;
  std::vector<std::string> roles;
};

// Calls the suite's RPCs by full method name; the package decides which service.
class Caller {
 public:
  virtual ~Caller() = default;

  // `method` as "rapport.scheduling.v1.CourseService/GetCourse". UNAVAILABLE and its like are tried
  // again, with growing pauses, until the caller's patience (20 s) ends; other errors come back as
  // they are.
  virtual absl::Status Call(const Identity& who, absl::string_view method,
                            const google::protobuf::Message& request,
                            google::protobuf::Message& response) = 0;

  template <class Response>
  absl::StatusOr<Response> Call(const Identity& who, absl::string_view method,
                                const google::protobuf::Message& request) {
    Response response;
    RETURN_IF_ERROR(Call(who, method, request, response));
    return response;
  }

  // Holds one bidirectional stream until its end and returns how it ended; it is never repeated.
  // `next` fills the next request, or returns false after the last one; it is called on a thread of
  // its own while `receive` is called here for each response, in order. An error of either cancels
  // the stream and comes back.
  using NextRequest = std::function<absl::StatusOr<bool>(google::protobuf::Message& request)>;
  using ReceiveResponse = std::function<absl::Status(const google::protobuf::Message& response)>;
  virtual absl::Status Exchange(const Identity& /*who*/, absl::string_view method,
                                const google::protobuf::Message& /*request_type*/,
                                const NextRequest& /*next*/,
                                const google::protobuf::Message& /*response_type*/,
                                const ReceiveResponse& /*receive*/) {
    return absl::UnimplementedError(absl::StrCat("no streams here to hold ", method));
  }

  template <class Request, class Response>
  absl::Status Exchange(const Identity& who, absl::string_view method,
                        const std::function<absl::StatusOr<bool>(Request& request)>& next,
                        const std::function<absl::Status(const Response& response)>& receive) {
    return Exchange(
        who, method, Request::default_instance(),
        [&next](google::protobuf::Message& request) {
          return next(static_cast<Request&>(request));
        },
        Response::default_instance(),
        [&receive](const google::protobuf::Message& response) {
          return receive(static_cast<const Response&>(response));
        });
  }
};

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_
