#include "common/cache/redis.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/cache/sealer.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::cache {
namespace {

namespace metric = telemetry::metric;

constexpr absl::Duration kTendPeriod = absl::Milliseconds(100);
// What waits to be stored; beyond, the oldest is given up.
constexpr size_t kMostWishes = 4096;
constexpr size_t kMostWishedBytes = 16 << 20;
constexpr size_t kBatch = 64;

// Keeps what is newer by the digits at its beginning. What is there may be anything: another type,
// garbage whose beginning orders above all; the former is replaced here, the latter forgotten by
// who reads it. What is compared is digits alone, whose order no locale changes.
constexpr absl::string_view kKeepNewer = R"lua(
local old = redis.pcall('GETRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)
if type(old) == 'string' and #old == tonumber(ARGV[3]) and string.match(old, '^R1%d+$')
    and old >= string.sub(ARGV[1], 1, tonumber(ARGV[3])) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)lua";

std::string ReadPassword(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return std::string(absl::StripAsciiWhitespace(text.str()));
}

// The higher, the sooner `node` has `key`. FNV-1a and a final mix: the same in every build.
uint64_t Weight(absl::string_view node, absl::string_view key) {
  uint64_t hash = 14695981039346656037u;
  for (absl::string_view part : {node, absl::string_view("\n"), key}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

}  // namespace

class Redis::Node {
 public:
  Node(std::string name, RedisAddress address, const RedisOptions& options)
      : name_(std::move(name)),
        address_(std::move(address)),
        options_(options),
        breaker_(options.failures, options.first_pause, options.longest_pause) {}

  const std::string& name() const { return name_; }
  Breaker& breaker() { return breaker_; }

  // One that is free; null where none is, or the node is left alone.
  std::unique_ptr<RedisConnection> Take() {
    if (!breaker_.closed()) return nullptr;
    MutexLock lock(mutex_);
    if (free_.empty()) {
      missed_ = std::min(missed_ + 1, options_.connections);
      return nullptr;
    }
    std::unique_ptr<RedisConnection> connection = std::move(free_.back());
    free_.pop_back();
    return connection;
  }
  void GiveBack(std::unique_ptr<RedisConnection> connection) {
    MutexLock lock(mutex_);
    if (breaker_.closed()) {
      free_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  void Dropped() {
    MutexLock lock(mutex_);
    --open_;
  }
  bool wants() {
    MutexLock lock(mutex_);
    return missed_ > 0 && open_ < options_.connections;
  }

  // Connects where it is wanted; probes where the time has come. By one thread.
  absl::Status Tend() {
    const bool probe = breaker_.MayProbe(absl::Now());
    if (!probe && !breaker_.closed()) {
      MutexLock lock(mutex_);  // as they are, they may be broken
      open_ -= static_cast<int>(free_.size());
      free_.clear();
      return absl::OkStatus();
    }
    while (true) {
      {
        MutexLock lock(mutex_);
        const int wanted = std::clamp(open_ + missed_, 1, options_.connections);
        if (!probe && open_ >= wanted) return absl::OkStatus();
      }
      absl::StatusOr<std::unique_ptr<RedisConnection>> connection = RedisConnection::Connect(
          address_, options_.password_file.empty() ? "" : ReadPassword(options_.password_file),
          absl::Now() + options_.timeout);
      absl::Status status = connection.status();
      if (status.ok()) {
        const auto pong = (*connection)->Run({{"PING"}}, absl::Now() + options_.timeout);
        status = pong.status();
        if (status.ok() && IsError((*pong)[0])) {
          status = absl::UnavailableError("redis is not ready");  // loading, for one
        }
      }
      if (!status.ok()) {
        breaker_.Failed(absl::Now());
        return status;
      }
      breaker_.Succeeded();
      MutexLock lock(mutex_);
      ++open_;
      missed_ = std::max(missed_ - 1, 0);
      free_.push_back(*std::move(connection));
      if (probe) return absl::OkStatus();
    }
  }

 private:
  const std::string name_;
  const RedisAddress address_;
  const RedisOptions& options_;
  Breaker breaker_;
  Mutex mutex_;
  std::vector<std::unique_ptr<RedisConnection>> free_ ABSL_GUARDED_BY(mutex_);
  int open_ ABSL_GUARDED_BY(mutex_) = 0;    // free or taken
  int missed_ ABSL_GUARDED_BY(mutex_) = 0;  // asked for when none was free
};

absl::StatusOr<std::unique_ptr<Redis>> Redis::Make(RedisOptions options) {
  if (options.nodes.empty()) return absl::InvalidArgumentError("Redis without a node");
  if (!options.password_file.empty() && !std::ifstream(options.password_file)) {
    return absl::InvalidArgumentError(
        absl::StrCat("can't read the password of Redis from '", options.password_file, "'"));
  }
  std::unique_ptr<Redis> redis(new Redis(std::move(options)));
  std::set<std::string> known;
  for (const std::string& name : redis->options_.nodes) {
    ASSIGN_OR_RETURN(RedisAddress address, RedisAddress::Parse(name));
    if (!known.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the node ", name, " of Redis is there twice"));
    }
    redis->nodes_.push_back(std::make_unique<Node>(name, std::move(address), redis->options_));
  }
  if (telemetry::Metrics* metrics = redis->options_.metrics; metrics != nullptr) {
    for (const auto& node : redis->nodes_) {
      metrics->Read(metric::kRedisBreaker,
                    "Whether a node of Redis is asked: 0 it is, 1 a probe, 2 it is not.",
                    [node = node.get()] { return static_cast<double>(node->breaker().state()); },
                    {{"node", node->name()}});
    }
  }
  redis->tender_ =
      std::make_unique<PeriodicThread>("redis", kTendPeriod, [r = redis.get()] { r->Tend(); });
  redis->granter_ = std::make_unique<PeriodicThread>("redis-store", absl::Seconds(1),
                                                     [r = redis.get()] { r->Grant(); });
  return redis;
}

Redis::Redis(RedisOptions options) : options_(std::move(options)) {
  if (options_.metrics == nullptr) return;
  faults_ =
      options_.metrics->Counters(metric::kRedisFaults, "What kept Redis from helping.", {"fault"});
  duration_ = options_.metrics
                  ->Histograms(metric::kRedisDuration, "Round trips that a call waited for.", {},
                               {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1})
                  .With({});
}

Redis::~Redis() {
  granter_.reset();
  tender_.reset();
}

Redis::Node& Redis::NodeOf(absl::string_view key) const {
  Node* best = nodes_.front().get();
  if (nodes_.size() == 1) return *best;
  uint64_t highest = 0;
  for (const auto& node : nodes_) {
    const uint64_t weight = Weight(node->name(), key);
    if (weight >= highest) {
      highest = weight;
      best = node.get();
    }
  }
  return *best;
}

void Redis::Count(absl::string_view fault, double by) const {
  if (faults_) faults_->With({fault}).Increment(by);
}

void Redis::Tell(Node& node, const absl::Status& status) const {
  if (status.ok()) {
    node.breaker().Succeeded();
    return;
  }
  Count(absl::IsDeadlineExceeded(status)   ? "timeout"
        : absl::IsPermissionDenied(status) ? "password"
                                           : "connection");
  node.Dropped();
  const bool was_closed = node.breaker().closed();
  node.breaker().Failed(absl::Now());
  if (was_closed && !node.breaker().closed()) {
    telemetry::Log(telemetry::Severity::kWarning, "redis is left alone",
                   {{"node", node.name()}, {"reason", std::string(status.message())}});
  }
}

std::vector<std::optional<std::string>> Redis::Get(absl::Span<const std::string> keys) {
  std::vector<std::optional<std::string>> values(keys.size());
  std::map<Node*, std::vector<size_t>> places;
  for (size_t i = 0; i < keys.size(); ++i) places[&NodeOf(keys[i])].push_back(i);
  const absl::Time begun = absl::Now();
  const std::string last = absl::StrCat(kLongest);  // one more than allowed
  for (const auto& [node, own] : places) {
    std::unique_ptr<RedisConnection> connection = node->Take();
    if (connection == nullptr) {
      if (node->wants()) tender_->Wake();
      Count(node->breaker().closed() ? "busy" : "open", static_cast<double>(own.size()));
      continue;
    }
    std::vector<Command> commands;
    for (const size_t i : own) commands.push_back({"GETRANGE", keys[i], "0", last});
    const auto replies = connection->Run(commands, begun + options_.timeout);
    Tell(*node, replies.status());
    if (!replies.ok()) continue;
    node->GiveBack(std::move(connection));
    for (size_t i = 0; i < own.size(); ++i) {
      const absl::string_view text = TextOf((*replies)[i]);
      if (IsError((*replies)[i])) {
        Count("reply");
        if (IsError((*replies)[i], "WRONGTYPE")) Forget(keys[own[i]]);
      } else if (!text.empty() && text.size() <= kLongest) {
        values[own[i]] = std::string(text);
      }
    }
  }
  if (duration_) duration_->Observe(absl::ToDoubleSeconds(absl::Now() - begun));
  return values;
}

void Redis::Set(std::string key, std::string sealed, absl::Duration life) {
  if (sealed.size() <= kLongest) Enqueue({std::move(key), std::move(sealed), life});
}

void Redis::Forget(std::string key) { Enqueue({std::move(key), "", absl::ZeroDuration()}); }

void Redis::Enqueue(Wish wish) {
  if (!NodeOf(wish.key).breaker().closed()) return;
  {
    MutexLock lock(mutex_);
    wished_bytes_ += wish.sealed.size();
    wishes_.push_back(std::move(wish));
    while (wishes_.size() > kMostWishes || wished_bytes_ > kMostWishedBytes) {
      wished_bytes_ -= wishes_.front().sealed.size();
      wishes_.pop_front();
      Count("queue");
    }
  }
  granter_->Wake();
}

bool Redis::Settle(absl::Time deadline) {
  MutexLock lock(mutex_);
  while (!wishes_.empty() || granting_) {
    if (!settled_.WaitUntil(mutex_, deadline)) return wishes_.empty() && !granting_;
  }
  return true;
}

int Redis::nodes_up() const {
  return static_cast<int>(std::count_if(nodes_.begin(), nodes_.end(),
                                        [](const auto& node) { return node->breaker().closed(); }));
}

Breaker::State Redis::state(absl::string_view key) const { return NodeOf(key).breaker().state(); }

void Redis::Tend() {
  for (const auto& node : nodes_) {
    const Breaker::State before = node->breaker().state();
    const absl::Status status = node->Tend();
    if (!status.ok()) Count("connect");
    const Breaker::State after = node->breaker().state();
    if (before != after &&
        (before == Breaker::State::kClosed || after == Breaker::State::kClosed)) {
      const bool up = after == Breaker::State::kClosed;
      telemetry::Log(up ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
                     up ? "redis is asked again" : "redis is left alone",
                     {{"node", node->name()}, {"reason", std::string(status.message())}});
    }
  }
}

void Redis::Grant() {
  while (true) {
    std::vector<Wish> batch;
    {
      MutexLock lock(mutex_);
      while (!wishes_.empty() && batch.size() < kBatch) {
        wished_bytes_ -= wishes_.front().sealed.size();
        batch.push_back(std::move(wishes_.front()));
        wishes_.pop_front();
      }
      granting_ = !batch.empty();
      if (!granting_) {
        settled_.SignalAll();
        return;
      }
    }
    std::map<Node*, std::vector<const Wish*>> by_node;
    for (const Wish& wish : batch) by_node[&NodeOf(wish.key)].push_back(&wish);
    for (const auto& [node, wishes] : by_node) GrantAt(*node, wishes);
  }
}

void Redis::GrantAt(Node& node, const std::vector<const Wish*>& wishes) {
  std::unique_ptr<RedisConnection> connection = node.Take();
  if (connection == nullptr) {
    tender_->Wake();
    Count(node.breaker().closed() ? "busy" : "open", static_cast<double>(wishes.size()));
    return;
  }
  const std::string order = absl::StrCat(Sealer::kOrder);
  std::vector<std::string> lives;
  for (const Wish* wish : wishes) {
    lives.push_back(absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(wish->life))));
  }
  std::vector<Command> commands;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i]->sealed.empty()) {
      commands.push_back({"DEL", wishes[i]->key});
    } else {
      commands.push_back(
          {"EVAL", kKeepNewer, "1", wishes[i]->key, wishes[i]->sealed, lives[i], order});
    }
  }
  const auto replies = connection->Run(commands, absl::Now() + options_.timeout);
  Tell(node, replies.status());
  if (!replies.ok()) return;
  node.GiveBack(std::move(connection));
  for (const Reply& reply : *replies) {
    if (IsError(reply)) Count(IsError(reply, "OOM") ? "full" : "reply");
  }
}

}  // namespace rapport::cache
