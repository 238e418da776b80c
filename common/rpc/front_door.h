#ifndef RAPPORT_COMMON_RPC_FRONT_DOOR_H_
#define RAPPORT_COMMON_RPC_FRONT_DOOR_H_

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/audit/access_log.h"
#include "common/auth/jwt.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/call/validate.h"
#include "common/concurrency/executor.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/tls.h"
#include "common/telemetry/metrics.h"
#include "common/telemetry/tracing.h"
#include "common/time/clock.h"
#include "google/protobuf/message.h"

namespace rapport::rpc {

// What arrives with a call beside its request.
struct Arrival {
  absl::string_view authorization;  // metadata `authorization`, "Bearer <token>"; empty: none
  absl::string_view service_token;  // metadata `x-rapport-service`; empty: none
  std::optional<absl::string_view> traceparent;
  absl::string_view position;                    // metadata `rapport-position`; empty: none
  absl::Time deadline = absl::InfiniteFuture();  // the client's, by the real clock
  std::string identity;  // the SPIFFE id of the connection's verified certificate; empty: none
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
    audit::AccessLog* access_log = nullptr;  // null: reads and denials leave no entry
    telemetry::Tracer* tracer = nullptr;     // null: no spans are made
    std::shared_ptr<const AllowedClients> clients = nullptr;  // null: tokens alone decide
    absl::Duration default_deadline = absl::Seconds(10);
    absl::Duration max_deadline = absl::Seconds(60);
    // Of bidirectional streams: the longest, how long one waits for its client to send or to read,
    // and how many are open at once, a quarter of them of one organisation.
    absl::Duration exchange_deadline = absl::Minutes(30);
    absl::Duration exchange_patience = absl::Minutes(2);
    int exchange_limit = 64;
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
    // The name in `request` that the audit log files a read under: of `name`, `parent` or the first
    // other name, of the request itself or of the resource in it; else of the organisation.
    std::string Record(const google::protobuf::Message* request,
                       const std::string& organization_id) const;

    const call::Method method_;
    const std::string name_;
    const call::Validator validator_;
    const bool fingerprinted_;
    BoundedExecutor* const executor_;
    const telemetry::Histogram duration_;
    const telemetry::Counter answered_;  // with OK
  };

  // Whether a call's TLS identity matters.
  bool asks_identity() const { return dependencies_.clients != nullptr; }

  // Fills `context` with who calls, until when, and on whose behalf. Account follows, once.
  //   kUnauthenticated, kPermissionDenied
  absl::Status Authenticate(const Door& door, const Arrival& arrival, call::CallContext& context);

  // Validates `request` and names its organisation in `context`, where it stays for the messages
  // that follow.
  //   kInvalidArgument  with every wrong field
  //   kNotFound         a name of another organisation
  absl::Status Inspect(const Door& door, const google::protobuf::Message& request,
                       call::CallContext& context) const;

  // kResourceExhausted with the time after which to try again.
  absl::Status Refused(const Door& door) const;

  // Tells the audit log of a read or a denial, once for each unary call and each stream that opens;
  // `request` is null where it was not parsed. True: the reply waits, and `done` is called with its
  // status once the entry is durable, on another thread. False: there is nothing to wait for. An
  // empty `done` never waits.
  [[nodiscard]] bool Tell(const Door& door, const call::CallContext& context,
                          const google::protobuf::Message* request, const absl::Status& status,
                          std::function<void(const absl::Status&)> done) const;

  // What the thread does until the scope's end is part of the call's trace.
  telemetry::TraceScope Trace(const call::CallContext& context) const {
    return telemetry::TraceScope(dependencies_.tracer, context.trace);
  }

  // Metrics, the log of calls and the call's span, once for each call.
  void Account(const Door& door, const call::CallContext& context, absl::Time arrived,
               const absl::Status& status) const;

  // Whether the caller's token still holds, for open streams.
  bool StillHolds(const call::CallContext& context) const;

  // A place for a bidirectional stream of the caller; false if there is none. To be given back.
  [[nodiscard]] bool OpenExchange(const call::CallContext& context);
  void CloseExchange(const call::CallContext& context);

  // Before each message of a bidirectional stream that ends at `end`: when it arrived and until
  // when it is answered.
  void Renew(call::CallContext& context, absl::Time end) const;
  absl::Duration exchange_patience() const { return dependencies_.exchange_patience; }

  // Runs what is queued, refuses what comes.
  void Drain();

 private:
  absl::Status CheckIdentity(const call::CallContext& context, absl::string_view identity) const;

  const Dependencies dependencies_;
  BoundedExecutor read_;
  BoundedExecutor write_;
  BoundedExecutor peer_;
  telemetry::Family<telemetry::Counter> calls_;
  telemetry::Family<telemetry::Histogram> durations_;
  telemetry::Family<telemetry::Counter> refused_;
  telemetry::Family<telemetry::Counter> token_faults_;
  telemetry::Gauge in_flight_;
  telemetry::Gauge streams_open_;
  Mutex exchanges_mutex_;
  int exchanges_ ABSL_GUARDED_BY(exchanges_mutex_) = 0;
  absl::flat_hash_map<std::string, int> exchanges_by_organization_
      ABSL_GUARDED_BY(exchanges_mutex_);
};

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_FRONT_DOOR_H_
