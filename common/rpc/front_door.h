#ifndef RAPPORT_COMMON_RPC_FRONT_DOOR_H_
#define RAPPORT_COMMON_RPC_FRONT_DOOR_H_

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/jwt.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/call/validate.h"
#include "common/concurrency/executor.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "google/protobuf/message.h"

namespace rapport::rpc {

// What arrives with a call beside its request.
struct Arrival {
  absl::string_view authorization;  // metadata `authorization`, "Bearer <token>"; empty: none
  absl::string_view service_token;  // metadata `x-rapport-service`; empty: none
  std::optional<absl::string_view> traceparent;
  absl::Time deadline = absl::InfiniteFuture();  // the client's, by the real clock
};

// The checks that every call of every method passes, in this order: authenticate, authorise,
// deadline, validate. Knows no transport.
class FrontDoor {
 public:
  struct Dependencies {
    auth::TokenVerifier* verifier;
    time::Clock* clock;
    std::shared_ptr<const auth::IntegrityKey> integrity;
    telemetry::Metrics* metrics;
    absl::Duration default_deadline = absl::Seconds(10);
    absl::Duration max_deadline = absl::Seconds(60);
    int read_threads = 8;
    int write_threads = 8;
    int peer_threads = 4;
    size_t queue_limit = 512;
  };

  explicit FrontDoor(Dependencies dependencies);

  // A method and what was prepared for it.
  class Door {
   public:
    Door(const call::Method& method, FrontDoor& front);
    const call::Method& method() const { return method_; }
    const std::string& name() const { return name_; }  // "package.Service/Method"
    // Null: runs where it is.
    BoundedExecutor* executor() const { return executor_; }

   private:
    friend class FrontDoor;
    const call::Method method_;
    const std::string name_;
    const call::Validator validator_;
    const bool fingerprinted_;
    BoundedExecutor* const executor_;
    const telemetry::Histogram duration_;
  };

  // Fills `context` with who calls, until when, and on whose behalf.
  //   kUnauthenticated, kPermissionDenied
  absl::Status Authenticate(const Door& door, const Arrival& arrival, call::CallContext& context);

  // Validates `request` and names its organisation in `context`.
  //   kInvalidArgument  with every wrong field
  //   kNotFound         a name of another organisation
  absl::Status Inspect(const Door& door, const google::protobuf::Message& request,
                       call::CallContext& context) const;

  // kResourceExhausted with the time after which to try again.
  absl::Status Refused(const Door& door) const;

  // Metrics and the access log, once for each call.
  void Account(const Door& door, const call::CallContext& context, absl::Time arrived,
               const absl::Status& status) const;

  // Whether the caller's token still holds, for open streams.
  bool StillHolds(const call::CallContext& context) const;

  // Runs what is queued, refuses what comes.
  void Drain();

 private:
  const Dependencies dependencies_;
  BoundedExecutor read_;
  BoundedExecutor write_;
  BoundedExecutor peer_;
  telemetry::Family<telemetry::Counter> calls_;
  telemetry::Family<telemetry::Histogram> durations_;
  telemetry::Family<telemetry::Counter> refused_;
  telemetry::Family<telemetry::Counter> token_faults_;
};

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_FRONT_DOOR_H_
