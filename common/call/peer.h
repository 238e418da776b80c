#ifndef RAPPORT_COMMON_CALL_PEER_H_
#define RAPPORT_COMMON_CALL_PEER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/message.h"

namespace rapport::call {

// Another service of the suite, asked on behalf of the caller of `context`: the user's token goes
// along, and the callee decides on the user's rights. Takes min(remaining − 100 ms, 2 s).
class Peer {
 public:
  virtual ~Peer() = default;

  // "notes".
  virtual absl::string_view name() const = 0;

  // `method` as "rapport.notes.v1.CaseService/GetCase". The callee's errors come back as they are,
  // except that one which can't be reached in time is kUnavailable PEER_UNAVAILABLE with its name
  // as the source.
  virtual absl::Status Call(const CallContext& context, absl::string_view method,
                            const google::protobuf::Message& request,
                            google::protobuf::Message& response) = 0;

  template <class Response>
  absl::StatusOr<Response> Call(const CallContext& context, absl::string_view method,
                                const google::protobuf::Message& request) {
    Response response;
    RETURN_IF_ERROR(Call(context, method, request, response));
    return response;
  }
};

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_PEER_H_
