#ifndef RAPPORT_COMMON_CACHE_REDIS_CONNECTION_H_
#define RAPPORT_COMMON_CACHE_REDIS_CONNECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct redisContext;
struct redisReply;

namespace rapport::cache {

// One node of Redis: "cache-1:6379", "[::1]:6379" or "unix:/run/redis.sock".
struct RedisAddress {
  std::string host;  // or the path of a socket
  int port = 0;      // 0: a socket

  //   kInvalidArgument  none of these
  static absl::StatusOr<RedisAddress> Parse(absl::string_view text);
};

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using Reply = std::unique_ptr<redisReply, FreeReply>;
using Command = std::vector<absl::string_view>;

// The bytes of a string; "" for anything else.
absl::string_view TextOf(const Reply& reply);
// Whether it is an error that begins so, as "NOSCRIPT".
bool IsError(const Reply& reply, absl::string_view code = "");

// A connection to one node. Nothing waits beyond the deadline that it is given, but for the look-up
// of a host's name. After an error it is of no use any more. The process ignores SIGPIPE. Not
// thread-safe.
class RedisConnection {
 public:
  // Connects and, unless `password` is empty, authenticates.
  //   kUnavailable        nobody answers there
  //   kDeadlineExceeded   not in time
  //   kPermissionDenied   another password is wanted
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Connect(const RedisAddress& address,
                                                                  absl::string_view password,
                                                                  absl::Time deadline);
  ~RedisConnection();

  // Sends all commands at once and takes as many replies, of which each may be an error of its own.
  //   kUnavailable, kDeadlineExceeded  as above
  //   kPermissionDenied                a reply asks for authentication
  absl::StatusOr<std::vector<Reply>> Run(const std::vector<Command>& commands, absl::Time deadline);

 private:
  struct FreeContext {
    void operator()(redisContext* context) const;
  };
  explicit RedisConnection(redisContext* context) : context_(context) {}

  absl::Status Await(short events, absl::Time deadline) const;

  const std::unique_ptr<redisContext, FreeContext> context_;
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_REDIS_CONNECTION_H_
