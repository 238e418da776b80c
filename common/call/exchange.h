#ifndef RAPPORT_COMMON_CALL_EXCHANGE_H_
#define RAPPORT_COMMON_CALL_EXCHANGE_H_

#include "absl/status/status.h"
#include "common/call/call_context.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_field.h"

namespace rapport::call {

// What becomes of a message that fails the front door's checks: it ends the stream, or the exchange
// answers it.
enum class Faults { kEnd, kAnswered };

// What the front door sees of an Exchange, whatever its messages.
class AnyExchange {
 public:
  virtual ~AnyExchange() = default;
  virtual absl::Status TakeAny(const CallContext& context,
                               const google::protobuf::Message& request) = 0;
  virtual absl::Status RefuseAny(const CallContext& context,
                                 const google::protobuf::Message& request,
                                 const absl::Status& fault) = 0;
  virtual absl::Status FinishAny(const CallContext& context) = 0;

  // What the last of these has answered; kept until the next of them.
  virtual int responses() const = 0;
  virtual const google::protobuf::Message& response(int i) const = 0;
};

// One bidirectional stream: messages in, any number of messages out for each. Made when the first
// message arrives, or at the end of a stream without any. Its functions run on the method's
// executor (or inline, see Registry), one at a time and in the order of the messages; the next
// message is read when the responses to the last are written, so that neither side costs more
// memory than one message and what answers it. The memory of both serves the next ones again: where
// messages are alike, answering them allocates next to nothing.
//
// Each message has passed the same checks as a unary request (but see Refuse). Once a message has
// named an organisation, a name of another one is NOT_FOUND. In the context of each call `now` is
// when the message arrived and `deadline` is this message's own, a minute at most; the stream as a
// whole ends after 30 minutes or with its caller's token.
//
// Nothing more is called once the client is gone, the stream was refused or the server drains:
// what Take has changed must stand by itself. Destroyed on any thread.
template <class Request, class Response>
class Exchange : public AnyExchange {
 public:
  using Responses = google::protobuf::RepeatedPtrField<Response>;

  // Answers one message by adding to `responses`, which is empty. An error ends the stream with it,
  // after what was added is written.
  virtual absl::Status Take(const CallContext& context, const Request& request,
                            Responses& responses) = 0;

  // As Take, for a message that failed its checks with `fault`. Asked of methods that are bound
  // with Faults::kAnswered; a fault ends the stream of others. The context's organisation is then
  // that of the messages before, or empty.
  virtual absl::Status Refuse(const CallContext& /*context*/, const Request& /*request*/,
                              const absl::Status& fault, Responses& /*responses*/) {
    return fault;
  }

  // The client has sent its last message: the last responses and how the stream ends.
  virtual absl::Status Finish(const CallContext& context, Responses& responses) = 0;

  absl::Status TakeAny(const CallContext& context, const google::protobuf::Message& request) final {
    responses_.Clear();
    return Take(context, static_cast<const Request&>(request), responses_);
  }
  absl::Status RefuseAny(const CallContext& context, const google::protobuf::Message& request,
                         const absl::Status& fault) final {
    responses_.Clear();
    return Refuse(context, static_cast<const Request&>(request), fault, responses_);
  }
  absl::Status FinishAny(const CallContext& context) final {
    responses_.Clear();
    return Finish(context, responses_);
  }
  int responses() const final { return responses_.size(); }
  const google::protobuf::Message& response(int i) const final { return responses_[i]; }

 private:
  Responses responses_;
};

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_EXCHANGE_H_
