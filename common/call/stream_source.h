#ifndef RAPPORT_COMMON_CALL_STREAM_SOURCE_H_
#define RAPPORT_COMMON_CALL_STREAM_SOURCE_H_

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace rapport::call {

// The messages of one server stream, pulled one at a time by the front door, which writes each
// before it asks for the next, so that a slow client costs no memory.
class StreamSource {
 public:
  enum class Next {
    kMessage,  // `response` was filled
    kWait,     // nothing to tell; ask again once Ready()
    kEnd,      // the stream ends with OK
  };
  virtual ~StreamSource() = default;

  // Whether Pull would have something. Cheap, never blocks; asked every 25 ms on one thread.
  virtual bool Ready() = 0;

  // Runs on the method's executor, never twice at once. An error ends the stream with it.
  virtual absl::StatusOr<Next> Pull(google::protobuf::Message& response) = 0;
};

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_STREAM_SOURCE_H_
