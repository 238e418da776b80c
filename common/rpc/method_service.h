#ifndef RAPPORT_COMMON_RPC_METHOD_SERVICE_H_
#define RAPPORT_COMMON_RPC_METHOD_SERVICE_H_

#include <grpcpp/impl/service_type.h>

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/call/registry.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/rpc/front_door.h"

namespace rapport::rpc {

// Requests of more bytes, or of more messages and texts within, are refused before they are parsed.
inline constexpr size_t kMaxRequestBytes = 4 * 1024 * 1024;
inline constexpr int kMaxRequestParts = 250'000;

// Looks after open streams that wait: every 25 ms, on one thread, those that have something to do
// go back to their executor, and those whose client is gone or whose time is up end.
class StreamMinder {
 public:
  StreamMinder();

  // Asks `resume` every 25 ms until it returns true. It must not block.
  void Add(std::function<bool()> resume);

  // From now on every stream ends cleanly at its next look, so that clients resume elsewhere.
  void EndStreams() { ending_.store(true); }
  bool ending() const { return ending_.load(); }

  void Stop();

 private:
  void Tick();

  std::atomic<bool> ending_{false};
  Mutex mutex_;
  std::list<std::function<bool()>> waiting_ ABSL_GUARDED_BY(mutex_);
  PeriodicThread ticker_;
};

// One proto service, served by descriptor: a gRPC callback service whose every method, unary or
// streaming, passes the same adapter. Registered like a generated one, so that reflection lists it.
class MethodService final : public grpc::Service {
 public:
  MethodService(const google::protobuf::ServiceDescriptor* service,
                const std::map<int, call::Method>& methods, FrontDoor& front, StreamMinder& minder);

 private:
  struct Bound {
    Bound(std::string bound_path, const call::Method& method, FrontDoor& front)
        : path(std::move(bound_path)), door(method, front) {}
    const std::string path;  // "/package.Service/Method"; gRPC keeps a pointer to it
    const FrontDoor::Door door;
  };
  std::vector<std::unique_ptr<Bound>> bound_;
};

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_METHOD_SERVICE_H_
