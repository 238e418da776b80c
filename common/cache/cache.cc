#include "common/cache/cache.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/random/random.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::cache {
namespace {

namespace metric = telemetry::metric;

constexpr absl::Duration kLookPatience = absl::Seconds(10);
constexpr int kBatch = 1000;
// More than the sequencer leaves behind unless nobody sequences.
constexpr int kMostPending = 20'000;
constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();
// Replicas' clocks differ by less.
constexpr absl::Duration kClockSkew = absl::Minutes(1);

// Lag is not of the clock on the wall, which may be set.
int64_t SteadyMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class WatchedTransaction final : public sql::Transaction {
 public:
  WatchedTransaction(sql::Transaction& tx, std::vector<common::v1::Event>& appended)
      : tx_(tx), appended_(appended) {}
  using Session::Query;
  using Transaction::Defer;
  sql::Engine engine() const override { return tx_.engine(); }
  absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                    absl::Span<const sql::Value> parameters) override {
    return tx_.Query(statement, parameters);
  }
  void Defer(const sql::Statement& statement, absl::Span<const sql::Value> parameters) override {
    if (auto event = events::AppendedBy(statement, parameters)) {
      appended_.push_back(*std::move(event));
    }
    tx_.Defer(statement, parameters);
  }
  void Lock(std::vector<std::string> keys) override { tx_.Lock(std::move(keys)); }
  absl::Status TryLock(absl::string_view key) override { return tx_.TryLock(key); }

 private:
  sql::Transaction& tx_;
  std::vector<common::v1::Event>& appended_;
};

}  // namespace

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  absl::string_view digits = text;
  int shift = 0;
  for (const auto& [unit, of] :
       {std::pair("KiB", 10), std::pair("MiB", 20), std::pair("GiB", 30)}) {
    if (absl::ConsumeSuffix(&digits, unit)) shift = of;
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(digits, &number) || number < 0 || number > (int64_t{1} << 40) >> shift) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number of bytes, as 64MiB"));
  }
  return number << shift;
}

class Cache::WatchedDatabase final : public sql::Database {
 public:
  WatchedDatabase(sql::Database& database, Cache& cache) : database_(database), cache_(cache) {}

  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, body);
  }
  // Whatever its outcome: a commit whose reply is lost may have been made.
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    std::vector<common::v1::Event> appended;
    const absl::Status status =
        database_.Write(access, deadline, [&](sql::Transaction& tx) -> absl::Status {
          appended.clear();
          WatchedTransaction watched(tx, appended);
          return body(watched);
        });
    cache_.Wrote(appended);
    return status;
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }

 private:
  sql::Database& database_;
  Cache& cache_;
};

absl::StatusOr<std::unique_ptr<Cache>> Cache::Make(sql::Database& database, CacheOptions options) {
  std::unique_ptr<Cache> cache(new Cache(database, std::move(options)));
  if (cache->options_.redis) {
    RedisOptions redis = *cache->options_.redis;
    redis.metrics = cache->options_.metrics;
    ASSIGN_OR_RETURN(cache->redis_, Redis::Make(std::move(redis)));
  }
  return cache;
}

Cache::Cache(sql::Database& database, CacheOptions options)
    : database_(database),
      options_(std::move(options)),
      sealer_(options_.integrity, options_.service),
      memory_(options_.bytes),
      watched_(std::make_unique<WatchedDatabase>(database, *this)) {
  telemetry::Metrics* metrics = options_.metrics;
  if (metrics == nullptr) return;
  reads_ = metrics->Counters(metric::kCacheReads, "What was asked of the cache, by who had it.",
                             {"kind", "from"});
  refused_ = metrics->Counters(metric::kCacheStale, "Values of Redis that were not taken.",
                               {"kind", "why"});
  metrics->Read(metric::kCacheBytes, "Bytes kept in the process.",
                [this] { return static_cast<double>(memory_.bytes()); });
  metrics->Read(metric::kCacheEntries, "Values kept in the process.",
                [this] { return static_cast<double>(memory_.entries()); });
  metrics->Read(metric::kCacheLag, "For how long the cache may not know of a change.",
                [this] { return absl::ToDoubleSeconds(std::min(lag(), absl::Hours(24))); });
}

Cache::~Cache() { Stop(); }

const Cache::Kind& Cache::AddKind(TableOptions options) {
  Kind& kind = kinds_.emplace_back();
  kind.redis_kind = absl::StrCat(options.kind, ".", options.format);
  kind.id = static_cast<char>('a' + kinds_.size() - 1);
  if (reads_) {
    const auto of = [&](const char* from) { return reads_->With({options.kind, from}); };
    kind.memory = of("memory");
    kind.flight = of("flight");
    kind.redis = of("redis");
    kind.store = of("store");
    kind.bypass = of("bypass");
    kind.stale = refused_->With({options.kind, "stale"});
    kind.forged = refused_->With({options.kind, "forged"});
  }
  for (const std::string& type : options.events) {
    if (std::find(event_types_.begin(), event_types_.end(), type) == event_types_.end()) {
      event_types_.push_back(type);
    }
  }
  kind.options = std::move(options);
  return kind;
}

void Cache::Start() {
  thread_ = std::make_unique<PeriodicThread>("cache", options_.tick, [this] {
    const absl::Status status = CatchUp();
    MutexLock lock(follow_mutex_);
    if (status.ok() == healthy_) return;
    healthy_ = status.ok();
    telemetry::Log(healthy_ ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
                   healthy_ ? "the cache follows the log again" : "the cache can't follow the log",
                   {{"code", absl::StatusCodeToString(status.code())}});
  });
}

void Cache::Stop() { thread_.reset(); }

absl::Duration Cache::lag() const {
  const int64_t as_of = as_of_;
  if (as_of == 0) return absl::InfiniteDuration();
  return absl::Microseconds(SteadyMicros() - as_of);
}

std::string Cache::epoch() const {
  MutexLock lock(epoch_mutex_);
  return epoch_;
}

std::string Cache::KeyOf(const Kind& kind, absl::string_view organization_id,
                         absl::string_view name) {
  return absl::StrCat(absl::string_view(&kind.id, 1), organization_id, "\n", name);
}

absl::Duration Cache::Life(const Kind& kind) const {
  if (kind.options.life == absl::InfiniteDuration()) return kind.options.life;
  absl::InsecureBitGen random;
  return kind.options.life * absl::Uniform(random, 0.9, 1.0);
}

bool Cache::Follows(const Kind& kind) const {
  return kind.options.events.empty() || lag() <= options_.max_lag;
}

absl::StatusOr<Memory::Value> Cache::Get(const Kind& kind, const Codec& codec,
                                         absl::string_view organization_id, absl::string_view name,
                                         absl::Time deadline, Load load) {
  const auto count = [](const std::optional<telemetry::Counter>& counter) {
    if (counter) counter->Increment();
  };
  if (!Follows(kind)) {
    count(kind.bypass);
    Loaded loaded;
    RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(organization_id), deadline,
                                   [&](sql::Session& session) -> absl::Status {
                                     ASSIGN_OR_RETURN(loaded, load(session));
                                     return absl::OkStatus();
                                   }));
    return std::move(loaded.value);
  }
  const std::string key = KeyOf(kind, organization_id, name);
  Memory::Found found = memory_.GetOrJoin(key, absl::Now());
  if (found.value != nullptr) {
    count(kind.memory);
    return std::move(found.value);
  }
  if (!found.leads) {
    Memory::Value value;
    const absl::Status status = memory_.Await(key, *found.flight, deadline, value);
    if (status.ok()) {
      count(kind.flight);
      return value;
    }
    if (absl::IsNotFound(status)) return status;
    // The leader's trouble, as its deadline, need not be ours.
    return Fetch(kind, codec, key, organization_id, name, deadline, load);
  }
  absl::StatusOr<Memory::Value> fetched =
      Fetch(kind, codec, key, organization_id, name, deadline, load);
  memory_.Land(key, found.flight, fetched.status(), fetched.ok() ? *fetched : nullptr);
  return fetched;
}

absl::StatusOr<Memory::Value> Cache::Fetch(const Kind& kind, const Codec& codec,
                                           const std::string& key,
                                           absl::string_view organization_id,
                                           absl::string_view name, absl::Time deadline, Load load) {
  const auto count = [](const std::optional<telemetry::Counter>& counter) {
    if (counter) counter->Increment();
  };
  const bool changes = !kind.options.events.empty();
  const std::string known_epoch = epoch();
  const bool with_redis = redis_ != nullptr && kind.options.in_redis && !known_epoch.empty();
  const absl::Duration life = Life(kind);
  std::string redis_key;
  if (with_redis) {
    redis_key = sealer_.Key(kind.redis_kind, known_epoch, organization_id, name);
    const std::optional<std::string> sealed = redis_->Get({redis_key})[0];
    const absl::Time now = absl::Now();
    if (sealed) {
      const std::optional<Opened> opened = sealer_.Open(redis_key, *sealed);
      std::optional<Loaded> loaded;
      if (opened) loaded = codec.read(opened->bytes);
      if (!loaded) {
        count(kind.forged);
        redis_->Forget(redis_key);
      } else {
        const absl::Time expiry = opened->stamp.fill_time + life;
        const int64_t position = changes ? opened->stamp.position : kAlways;
        if (opened->stamp.fill_time < now + kClockSkew && expiry > now &&
            memory_.Put(key, loaded->value, loaded->bytes, std::min(expiry, now + life),
                        position)) {
          count(kind.redis);
          return std::move(loaded->value);
        }
        count(kind.stale);
      }
    }
  }

  events::LogState log;
  Loaded loaded;
  const absl::Time now = absl::Now();
  RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(organization_id), deadline,
                                 [&](sql::Session& session) -> absl::Status {
                                   if (changes) {
                                     ASSIGN_OR_RETURN(log, events::ReadState(session));
                                   }
                                   ASSIGN_OR_RETURN(loaded, load(session));
                                   return absl::OkStatus();
                                 }));
  count(kind.store);
  if (changes && log.epoch != epoch()) return std::move(loaded.value);
  const int64_t position = changes ? log.last_position : kAlways;
  const bool fresh = memory_.Put(key, loaded.value, loaded.bytes, now + life, position);
  if (fresh && with_redis) {
    redis_->Set(redis_key,
                sealer_.Seal(redis_key, {loaded.version, log.last_position, now},
                             codec.write(loaded.value.get())),
                std::min(life, absl::Hours(24 * 30)));
  }
  return std::move(loaded.value);
}

void Cache::ForEachChanged(
    const common::v1::Event& event,
    absl::FunctionRef<void(const Kind& kind, const std::string& key,
                           absl::string_view organization_id, absl::string_view name)>
        changed) const {
  const absl::string_view type = names::Last(event.payload().type_url());
  const absl::string_view organization_id = names::Last(event.organization());
  for (const Kind& kind : kinds_) {
    const std::vector<std::string>& types = kind.options.events;
    if (std::find(types.begin(), types.end(), type) == types.end()) continue;
    kind.options.changed_by(event, [&](absl::string_view name) {
      changed(kind, KeyOf(kind, organization_id, name), organization_id, name);
    });
  }
}

void Cache::Wrote(const std::vector<common::v1::Event>& events) {
  for (const common::v1::Event& event : events) {
    ForEachChanged(event, [&](const Kind& kind, const std::string& key,
                              absl::string_view organization_id, absl::string_view name) {
      memory_.Dirty(key);
      const std::string known_epoch = epoch();
      if (redis_ != nullptr && kind.options.in_redis && !known_epoch.empty()) {
        redis_->Forget(sealer_.Key(kind.redis_kind, known_epoch, organization_id, name));
      }
    });
  }
}

absl::Status Cache::CatchUp() {
  MutexLock lock(follow_mutex_);
  return Look();
}

// All in one snapshot: what is committed in it is either in the log up to its last position, or
// still pending, so that it does not matter whether anybody sequences.
absl::Status Cache::Look() {
  const uint64_t look = memory_.BeginLook();
  const int64_t begun = SteadyMicros();
  events::LogState log;
  std::vector<common::v1::Event> found;
  int64_t after = position_;
  bool start_over = false;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Feed(), absl::Now() + kLookPatience, [&](sql::Session& session) -> absl::Status {
        found.clear();
        ASSIGN_OR_RETURN(log, events::ReadState(session));
        start_over = !begun_ || log.epoch != epoch() || log.last_position < position_;
        after =
            start_over ? std::max<int64_t>(0, log.last_position - options_.read_back) : position_;
        const int64_t first = after;
        if (event_types_.empty()) return absl::OkStatus();
        while (after < log.last_position) {
          ASSIGN_OR_RETURN(std::vector<common::v1::Event> some,
                           events::ReadEvents(session, {.organization_id = "",
                                                        .types = event_types_,
                                                        .after = after,
                                                        .up_to = log.last_position,
                                                        .limit = kBatch}));
          after = some.size() < kBatch ? log.last_position : some.back().position();
          for (common::v1::Event& event : some) found.push_back(std::move(event));
        }
        after = first;
        ASSIGN_OR_RETURN(std::vector<common::v1::Event> pending,
                         events::ReadPending(session, event_types_, kMostPending));
        if (pending.size() == kMostPending) {
          return errors::Unavailable("EVENTS_NOT_NUMBERED", "Too many events wait to be numbered.",
                                     "events");
        }
        for (common::v1::Event& event : pending) {
          event.set_position(log.last_position + 1);
          found.push_back(std::move(event));
        }
        return absl::OkStatus();
      }));
  if (start_over) {
    memory_.Clear(after);
    MutexLock lock(epoch_mutex_);
    epoch_ = log.epoch;
  }
  for (const common::v1::Event& event : found) {
    ForEachChanged(event, [&](const Kind&, const std::string& key, absl::string_view,
                              absl::string_view) { memory_.Changed(key, event.position()); });
  }
  memory_.EndLook(look);
  begun_ = true;
  position_ = log.last_position;
  as_of_ = begun;
  if (begun - forgot_at_ >= absl::ToInt64Microseconds(options_.memory_of_changes)) {
    memory_.ForgetChanges(position_);
    forgot_at_ = begun;
  }
  return absl::OkStatus();
}

}  // namespace rapport::cache
