#ifndef RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

  // `method` as "rapport.scheduling.v1.CourseService/GetCourse". UNAVAILABLE is tried again, with
  // growing pauses, until the caller's patience (20 s) ends; other errors come back as they are.
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
};

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_CALLER_H_
