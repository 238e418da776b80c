#ifndef RAPPORT_COMMON_CACHE_CACHE_H_
#define RAPPORT_COMMON_CACHE_CACHE_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/integrity.h"
#include "common/cache/memory.h"
#include "common/cache/redis.h"
#include "common/cache/sealer.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/errors/status_macros.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/message.h"
#include "rapport/common/v1/event.pb.h"

// What a service keeps of its own database to answer sooner: in the process, then in Redis, then
// the store. Its README has the argument, and the table of what is kept.
namespace rapport::cache {

struct CacheOptions {
  std::string service;  // "scheduling"
  int64_t bytes = 64 << 20;
  std::shared_ptr<const auth::IntegrityKey> integrity;
  std::optional<RedisOptions> redis;  // nothing: the process alone
  absl::Duration max_lag = absl::Seconds(1);
  absl::Duration tick = absl::Milliseconds(50);
  // How long changes of the log are remembered, at least; values in Redis live shorter.
  absl::Duration memory_of_changes = absl::Minutes(6);
  // How many positions of the log are read back at the start, so that Redis helps at once.
  int64_t read_back = 20'000;
  telemetry::Metrics* metrics = nullptr;  // outlives the cache; null: not measured
};

// "64MiB", "1GiB", "4096": bytes. kInvalidArgument.
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);

// One kind of value.
struct TableOptions {
  std::string kind;  // "course"
  int format = 1;    // another one where what is kept comes to mean something else
  absl::Duration life = absl::Minutes(5);  // at most; less by a random tenth
  bool in_redis = true;
  // The types of events that may change a value, by their full names, and whose it changes: calls
  // `changed` with the name of each. None: what is kept stands for `life` (or for ever, being
  // immutable), whatever happens.
  std::vector<std::string> events = {};
  std::function<void(const common::v1::Event& event,
                     absl::FunctionRef<void(absl::string_view name)> changed)>
      changed_by;
};

// The version of a value's row goes with it.
template <class Message>
struct Versioned {
  Message value;
  int64_t version = 0;
};

// Keeps values by kind, organisation and name. Follows the service's own event log to forget what
// changed; until it does so closely, and whenever it is more than `max_lag` behind, it keeps and
// gives out nothing. Holds nothing of who may see what. Thread-safe.
class Cache {
 public:
  //   kInvalidArgument  of Redis; see there
  static absl::StatusOr<std::unique_ptr<Cache>> Make(sql::Database& database, CacheOptions options);
  ~Cache();

  // The database, through which the service is to do all its work: what its transactions change is
  // forgotten before they return, so that who wrote reads what they wrote.
  sql::Database& database() { return *watched_; }

  // Follows the log from here until Stop. After all tables are made.
  void Start();
  void Stop();

  // Takes up all that is committed by now, in the caller's thread.
  absl::Status CatchUp();

  // For how long it may not know of a change; infinite before the first look at the log.
  absl::Duration lag() const;

  Redis* redis() { return redis_.get(); }
  const Memory& memory() const { return memory_; }

 private:
  template <class Message>
  friend class Table;
  class WatchedDatabase;

  struct Kind {
    TableOptions options;
    std::string redis_kind;  // "course.1"
    char id;
    std::optional<telemetry::Counter> memory, flight, redis, store, bypass, stale, forged;
  };
  struct Loaded {
    Memory::Value value;
    int64_t version = 0;
    int64_t bytes = 0;
  };
  // How values of one type are read and written.
  struct Codec {
    std::string (*write)(const void* value);
    std::optional<Loaded> (*read)(absl::string_view bytes);
  };
  using Load = absl::FunctionRef<absl::StatusOr<Loaded>(sql::Session&)>;

  Cache(sql::Database& database, CacheOptions options);

  const Kind& AddKind(TableOptions options);
  absl::StatusOr<Memory::Value> Get(const Kind& kind, const Codec& codec,
                                    absl::string_view organization_id, absl::string_view name,
                                    absl::Time deadline, Load load);
  absl::StatusOr<Memory::Value> Fetch(const Kind& kind, const Codec& codec, const std::string& key,
                                      absl::string_view organization_id, absl::string_view name,
                                      absl::Time deadline, Load load);
  static std::string KeyOf(const Kind& kind, absl::string_view organization_id,
                           absl::string_view name);
  absl::Duration Life(const Kind& kind) const;
  bool Follows(const Kind& kind) const;
  std::string epoch() const;

  // Each name of each kind that `event` changes.
  void ForEachChanged(
      const common::v1::Event& event,
      absl::FunctionRef<void(const Kind& kind, const std::string& key,
                             absl::string_view organization_id, absl::string_view name)>
          changed) const;
  // Transactions of this process have ended that appended these.
  void Wrote(const std::vector<common::v1::Event>& events);
  absl::Status Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(follow_mutex_);

  sql::Database& database_;
  const CacheOptions options_;
  const Sealer sealer_;
  Memory memory_;
  std::unique_ptr<Redis> redis_;
  std::unique_ptr<sql::Database> watched_;
  std::optional<telemetry::Family<telemetry::Counter>> reads_;
  std::optional<telemetry::Family<telemetry::Counter>> refused_;

  // Made before Start, not changed after.
  std::deque<Kind> kinds_;
  std::vector<std::string> event_types_;

  mutable Mutex epoch_mutex_;
  std::string epoch_ ABSL_GUARDED_BY(epoch_mutex_);

  // Those who follow, one at a time.
  Mutex follow_mutex_;
  bool begun_ ABSL_GUARDED_BY(follow_mutex_) = false;
  int64_t position_ ABSL_GUARDED_BY(follow_mutex_) = 0;
  int64_t forgot_at_ ABSL_GUARDED_BY(follow_mutex_) = 0;
  bool healthy_ ABSL_GUARDED_BY(follow_mutex_) = true;

  std::atomic<int64_t> as_of_{0};  // µs of the steady clock; 0: never
  std::unique_ptr<PeriodicThread> thread_;
};

// The values of one kind, each a message.
template <class Message>
class Table {
 public:
  // Before the cache starts.
  Table(Cache& cache, TableOptions options)
      : cache_(cache), kind_(cache.AddKind(std::move(options))) {}

  // What is kept under `name`, else what `load` reads in one snapshot of the organisation's data,
  // which must not depend on who asks. Errors are those of `load`, and are not kept. What is
  // returned holds all that was acknowledged in this process when the call began, and all that was
  // acknowledged anywhere `max_lag` before.
  absl::StatusOr<std::shared_ptr<const Message>> Get(
      absl::string_view organization_id, absl::string_view name, absl::Time deadline,
      absl::FunctionRef<absl::StatusOr<Versioned<Message>>(sql::Session&)> load) {
    static constexpr Cache::Codec kCodec = {&Write, &Read};
    ASSIGN_OR_RETURN(Memory::Value value,
                     cache_.Get(kind_, kCodec, organization_id, name, deadline,
                                [&](sql::Session& session) -> absl::StatusOr<Cache::Loaded> {
                                  ASSIGN_OR_RETURN(Versioned<Message> read, load(session));
                                  auto kept =
                                      std::make_shared<const Message>(std::move(read.value));
                                  const auto bytes = static_cast<int64_t>(kept->SpaceUsedLong());
                                  return Cache::Loaded{std::move(kept), read.version, bytes};
                                }));
    return std::static_pointer_cast<const Message>(std::move(value));
  }

 private:
  static std::string Write(const void* value) {
    return static_cast<const Message*>(value)->SerializeAsString();
  }
  static std::optional<Cache::Loaded> Read(absl::string_view bytes) {
    auto message = std::make_shared<Message>();
    if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
    const auto space = static_cast<int64_t>(message->SpaceUsedLong());
    return Cache::Loaded{std::shared_ptr<const Message>(std::move(message)), 0, space};
  }

  Cache& cache_;
  const Cache::Kind& kind_;
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_CACHE_H_
