#include "common/cache/cache.h"

#include <atomic>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/errors/errors.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/conformance/events/fixture.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/redis/redis_server.h"

namespace rapport::cache {
namespace {

using events::testing::ChangeThing;
using events::testing::Eventually;
using events::testing::kPutOrganization;
using events::testing::Soon;
using events::testing::ThingName;
using google::protobuf::Int64Value;
using rapport::testing::RedisServer;
using rapport::testing::SlowSocket;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const sql::Statement kGetThing{"test.thing.get", R"sql(
  SELECT version FROM thing WHERE organization_id = $1 AND resource = $2)sql"};

TableOptions Things() {
  return {.kind = "thing",
          .events = {scheduling::v1::ClinicEvent::descriptor()->full_name()},
          .changed_by = [](const common::v1::Event& event,
                           absl::FunctionRef<void(absl::string_view)> changed) {
            changed(event.resource());
          }};
}

absl::StatusOr<Versioned<Int64Value>> LoadThing(sql::Session& session,
                                                absl::string_view organization_id, int number) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetThing, {sql::Text(organization_id),
                                             sql::Text(ThingName(organization_id, number))}));
  if (rows.empty()) return errors::NotFound("Thing");
  Versioned<Int64Value> loaded;
  loaded.value.set_value(rows.Int(0, 0));
  loaded.version = rows.Int(0, 0);
  return loaded;
}

// A service's process, as far as it caches.
struct Replica {
  Replica(sql::Database& of, std::vector<std::string> nodes, const std::string& password_file = "",
          absl::Duration max_lag = absl::Hours(1))
      : sequencer(of) {
    CacheOptions options;
    options.service = "things";
    options.integrity = auth::IntegrityKey::Parse(std::string(64, 'a')).value();
    options.metrics = metrics.get();
    options.max_lag = max_lag;
    if (!nodes.empty()) {
      options.redis = RedisOptions{.nodes = std::move(nodes),
                                   .password_file = password_file,
                                   .first_pause = absl::Milliseconds(20),
                                   .longest_pause = absl::Milliseconds(50)};
    }
    cache = Cache::Make(of, std::move(options)).value();
    things = std::make_unique<Table<Int64Value>>(*cache, Things());
    EXPECT_TRUE(cache->CatchUp().ok());
  }

  int64_t Get(int number, const std::string& organization_id = "acme") {
    const auto got = things->Get(organization_id, ThingName(organization_id, number), Soon(),
                                 [&](sql::Session& session) {
                                   ++loads;
                                   return LoadThing(session, organization_id, number);
                                 });
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? (*got)->value() : -1;
  }
  void Change(int number, const std::string& organization_id = "acme") {
    ChangeThing(cache->database(), organization_id, number);
  }
  // With all events numbered: while one waits for its number, what it changed is not kept.
  void CatchUp() {
    ASSERT_TRUE(sequencer.RunOnce(absl::Now()).ok());
    ASSERT_TRUE(cache->CatchUp().ok());
  }
  bool Settle() { return cache->redis()->Settle(Soon()); }
  // Redis has connections to hand out.
  bool Connected() {
    return Eventually([&] { return cache->redis()->nodes_up() > 0 && Reaches(); });
  }
  bool Reaches() {
    const int64_t before = Faults("busy") + Faults("open");
    (void)cache->redis()->Get({"rapport:probe"});
    return Faults("busy") + Faults("open") == before;
  }
  int64_t Count(const std::string& line) const {
    for (absl::string_view text : absl::StrSplit(metrics->Text(), '\n')) {
      if (absl::ConsumePrefix(&text, line + " ")) {
        double value = 0;
        EXPECT_TRUE(absl::SimpleAtod(text, &value));
        return static_cast<int64_t>(value);
      }
    }
    return 0;
  }
  int64_t From(const std::string& from) const {
    return Count("rapport_cache_reads_total{from=\"" + from + "\",kind=\"thing\"}");
  }
  int64_t Refused(const std::string& why) const {
    return Count("rapport_cache_refused_total{kind=\"thing\",why=\"" + why + "\"}");
  }
  int64_t Faults(const std::string& fault) const {
    return Count("rapport_redis_faults_total{fault=\"" + fault + "\"}");
  }

  events::Sequencer sequencer;
  std::unique_ptr<telemetry::Metrics> metrics = telemetry::Metrics::Unserved();
  std::unique_ptr<Cache> cache;
  std::unique_ptr<Table<Int64Value>> things;
  std::atomic<int> loads{0};
};

void AddOrganization(sql::Database& database, const std::string& id) {
  ASSERT_TRUE(database
                  .Write(sql::Access::Tenant(id), Soon(),
                         [&](sql::Transaction& tx) {
                           return tx.Query(kPutOrganization, {sql::Text(id)}).status();
                         })
                  .ok());
}

// What becomes of Redis.
enum class Fate {
  kOff,  // none is configured
  kUp,
  kAbsent,
  kStopped,
  kFrozen,
  kFlushed,
  kSlow,
  kFull,
  kRestarted,
  kGarbage
};
struct Condition {
  std::string name;
  Fate fate;
  bool postgres = false;
};
void PrintTo(const Condition& condition, std::ostream* out) { *out << condition.name; }

class UnderTest : public ::testing::TestWithParam<Condition> {
 protected:
  void SetUp() override {
    const Fate fate = GetParam().fate;
    if (fate != Fate::kOff && fate != Fate::kAbsent) {
      redis_.emplace(fate == Fate::kFull
                         ? std::vector<std::string>{"--maxmemory", "1100kb", "--maxmemory-policy",
                                                    "noeviction"}
                         : std::vector<std::string>());
    }
    if (fate == Fate::kSlow) slow_.emplace(redis_->socket(), 40);
    AddOrganization(*database_, "acme");
  }

  std::vector<std::string> Nodes() const {
    if (GetParam().fate == Fate::kOff) return {};
    if (GetParam().fate == Fate::kAbsent) return {"unix:/nowhere/redis.sock"};
    return {slow_ ? slow_->address() : redis_->address()};
  }

  void Strike() {
    switch (GetParam().fate) {
      case Fate::kStopped:
        return redis_->Kill();
      case Fate::kFrozen:
        return redis_->Freeze();
      case Fate::kFlushed:
        EXPECT_EQ(redis_->Do({"FLUSHALL"}), "OK");
        return;
      case Fate::kRestarted:
        redis_->Kill();
        return redis_->Start();
      case Fate::kGarbage:
        for (const std::string& key : redis_->Keys("rapport:*")) {
          redis_->Do({"SET", key, "R1" + std::string(120, '9')});
        }
        return;
      default:
        return;
    }
  }

  const std::unique_ptr<sql::Database> database_ =
      (GetParam().postgres ? sql::testing::Postgres({events::testing::Things()})
                           : sql::testing::Sqlite({events::testing::Things()}))
          .make();
  std::optional<RedisServer> redis_;
  std::optional<SlowSocket> slow_;
};

INSTANTIATE_TEST_SUITE_P(Redis, UnderTest,
                         ::testing::ValuesIn(std::vector<Condition>{
                             {"Off", Fate::kOff},
                             {"OffPostgres", Fate::kOff, true},
                             {"Up", Fate::kUp},
                             {"UpPostgres", Fate::kUp, true},
                             {"Absent", Fate::kAbsent},
                             {"Stopped", Fate::kStopped},
                             {"Frozen", Fate::kFrozen},
                             {"FrozenPostgres", Fate::kFrozen, true},
                             {"Flushed", Fate::kFlushed},
                             {"Slow", Fate::kSlow},
                             {"Full", Fate::kFull},
                             {"Restarted", Fate::kRestarted},
                             {"Garbage", Fate::kGarbage}}),
                         [](const auto& of) { return of.param.name; });

// Who wrote reads what they wrote, at once; another replica once it has looked at the log, whether
// or not anybody has numbered the event yet.
TEST_P(UnderTest, AnswersAreThoseOfTheStore) {
  Replica replicas[] = {{*database_, Nodes()}, {*database_, Nodes()}};
  events::Sequencer sequencer(*database_);
  constexpr int kThings = 12;
  std::map<int, int64_t> truth;
  for (int number = 0; number < kThings; ++number) {
    replicas[0].Change(number);
    truth[number] = 1;
  }
  std::mt19937 random(7);
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  std::set<std::pair<int, int>> behind;  // replica and thing
  for (int step = 0; step < 600; ++step) {
    if (step == 300) Strike();
    Replica& replica = replicas[pick(2)];
    const int which = &replica == &replicas[0] ? 0 : 1;
    const int number = pick(kThings);
    switch (pick(8)) {
      case 0:
        replica.Change(number);
        ++truth[number];
        behind.insert({1 - which, number});
        break;
      case 1:
        ASSERT_TRUE(sequencer.RunOnce(absl::Now()).ok());
        break;
      case 2:
        ASSERT_TRUE(replica.cache->CatchUp().ok());
        std::erase_if(behind, [&](const auto& pair) { return pair.first == which; });
        break;
      default:
        if (behind.count({which, number}) == 0) {
          ASSERT_EQ(replica.Get(number), truth[number]) << "step " << step;
        } else {
          ASSERT_LE(replica.Get(number), truth[number]) << "step " << step;
        }
    }
  }
  for (Replica& replica : replicas) {
    replica.CatchUp();
    for (const auto& [number, version] : truth) EXPECT_EQ(replica.Get(number), version);
    EXPECT_GT(replica.From("memory"), 0);
  }
}

// What a caller waits for Redis is a time-out for each failure until it is left alone, however many
// call; not one for each call.
TEST_P(UnderTest, FewCallsWaitForARedisThatDoesNotAnswer) {
  Replica replica(*database_, Nodes());
  constexpr int kThings = 400;
  for (int number = 0; number < kThings; ++number) replica.Change(number);
  replica.CatchUp();
  if (GetParam().fate == Fate::kUp) {
    EXPECT_TRUE(replica.Connected());
  }
  Strike();
  std::vector<std::thread> callers;
  std::atomic<int> next{0};
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int number = next++; number < kThings; number = next++) {
        EXPECT_EQ(replica.Get(number), 1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  if (GetParam().fate == Fate::kFrozen || GetParam().fate == Fate::kSlow) {
    // Three in a row open the breaker; the other callers and the store's thread may be under way.
    EXPECT_LE(replica.Faults("timeout"), 3 + 8 + 1);
    EXPECT_TRUE(Eventually([&] { return replica.cache->redis()->nodes_up() == 0; }));
  }
  EXPECT_EQ(replica.From("store") + replica.From("redis"), kThings);
}

TEST_P(UnderTest, HelpsAgainWithoutAnybody) {
  const Fate fate = GetParam().fate;
  if (fate == Fate::kOff || fate == Fate::kAbsent || fate == Fate::kSlow || fate == Fate::kFull) {
    GTEST_SKIP() << "Redis does not come back.";
  }
  {
    Replica replica(*database_, Nodes());
    replica.Change(1);
    replica.CatchUp();
    ASSERT_TRUE(replica.Connected());
    Strike();
    EXPECT_EQ(replica.Get(1), 1);
    if (fate == Fate::kFrozen) redis_->Thaw();
    if (fate == Fate::kStopped) redis_->Start();
    ASSERT_TRUE(replica.Connected());
    // A replica's own values go there again,
    replica.Change(1);
    replica.CatchUp();
    EXPECT_EQ(replica.Get(1), 2);
    ASSERT_TRUE(replica.Settle());
  }
  // and serve another.
  Replica other(*database_, Nodes());
  ASSERT_TRUE(other.Connected());
  EXPECT_EQ(other.Get(1), 2);
  EXPECT_EQ(other.From("redis"), 1);
  EXPECT_EQ(other.loads, 0);
}

class CacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AddOrganization(*database_, "acme");
    AddOrganization(*database_, "zeta");
  }

  // A replica that has put thing 1 into Redis at version 1.
  std::unique_ptr<Replica> Warm(const std::string& organization_id = "acme") {
    auto replica = std::make_unique<Replica>(*database_, Nodes());
    replica->Change(1, organization_id);
    replica->CatchUp();
    EXPECT_TRUE(replica->Connected());
    EXPECT_EQ(replica->Get(1, organization_id), 1);
    EXPECT_TRUE(replica->Settle());
    EXPECT_THAT(KeysOf(organization_id), SizeIs(1));
    if (HasFailure()) std::abort();  // what follows makes no sense
    return replica;
  }
  std::vector<std::string> Nodes() const { return {redis_.address()}; }
  std::vector<std::string> KeysOf(const std::string& organization_id) {
    return redis_.Keys("rapport:1:things:thing.1:*:" + organization_id + ":*");
  }

  // A replica that knows nothing yet reads the truth, and says why it did not take what is there.
  void ExpectRefused(int64_t truth, const std::string& why) {
    Replica fresh(*database_, Nodes());
    ASSERT_TRUE(fresh.Connected());
    EXPECT_EQ(fresh.Get(1), truth);
    EXPECT_EQ(fresh.From("store"), 1);
    EXPECT_EQ(fresh.Refused("stale"), why == "stale" ? 1 : 0);
    EXPECT_EQ(fresh.Refused("forged"), why == "forged" ? 1 : 0);
    EXPECT_TRUE(fresh.Settle());
    // What was there is replaced, and helps again.
    Replica next(*database_, Nodes());
    ASSERT_TRUE(next.Connected());
    EXPECT_EQ(next.Get(1), truth);
  }

  const std::unique_ptr<sql::Database> database_ =
      sql::testing::Sqlite({events::testing::Things()}).make();
  RedisServer redis_;
};

TEST_F(CacheTest, AnotherReplicaIsServedByRedis) {
  Warm();
  Replica other(*database_, Nodes());
  ASSERT_TRUE(other.Connected());
  EXPECT_EQ(other.Get(1), 1);
  EXPECT_EQ(other.Get(1), 1);
  EXPECT_EQ(other.loads, 0);
  EXPECT_EQ(other.From("redis"), 1);
  EXPECT_EQ(other.From("memory"), 1);
}

TEST_F(CacheTest, RedisSeesNeitherNamesNorValues) {
  Warm();
  const std::string key = KeysOf("acme")[0];
  EXPECT_FALSE(absl::StrContains(key, "t1"));
  const std::string value = redis_.Do({"GET", key});
  EXPECT_TRUE(absl::StartsWith(value, "R1"));
  Int64Value plain;
  plain.set_value(1);
  EXPECT_FALSE(absl::StrContains(value.substr(56), plain.SerializeAsString()));
  EXPECT_GT(std::stoll(redis_.Do({"PTTL", key})), 0);
}

TEST_F(CacheTest, GarbageIsNotTaken) {
  Warm();
  redis_.Do({"SET", KeysOf("acme")[0], "R1" + std::string(200, '9')});
  ExpectRefused(1, "forged");
}

TEST_F(CacheTest, AnotherTenantsValueIsNotTaken) {
  Warm();
  {
    Replica replica(*database_, Nodes());
    for (int i = 0; i < 5; ++i) replica.Change(1, "zeta");
    replica.CatchUp();
    ASSERT_TRUE(replica.Connected());
    EXPECT_EQ(replica.Get(1, "zeta"), 5);
    EXPECT_TRUE(replica.Settle());
  }
  ASSERT_EQ(redis_.Do({"COPY", KeysOf("zeta")[0], KeysOf("acme")[0], "REPLACE"}), "1");
  ExpectRefused(1, "forged");
}

TEST_F(CacheTest, AnOldVersionIsNotTaken) {
  const auto replica = Warm();
  const std::string key = KeysOf("acme")[0];
  ASSERT_EQ(redis_.Do({"COPY", key, "old"}), "1");
  replica->Change(1);
  ASSERT_TRUE(replica->Settle());
  EXPECT_THAT(KeysOf("acme"), IsEmpty());
  ASSERT_EQ(redis_.Do({"COPY", "old", key}), "1");
  EXPECT_EQ(replica->Get(1), 2);
  ASSERT_EQ(redis_.Do({"COPY", "old", key, "REPLACE"}), "1");
  ExpectRefused(2, "stale");
}

TEST_F(CacheTest, AnotherTypeIsNotTaken) {
  Warm();
  const std::string key = KeysOf("acme")[0];
  redis_.Do({"DEL", key});
  redis_.Do({"RPUSH", key, "a", "b"});
  ExpectRefused(1, "");
}

TEST_F(CacheTest, ATooLongValueIsNotRead) {
  Warm();
  redis_.Do({"SET", KeysOf("acme")[0], std::string(Redis::kLongest + 1, 'x')});
  ExpectRefused(1, "");
}

// One that dies after it read, and before it heard of a change, leaves what is old in Redis: nobody
// takes it.
TEST_F(CacheTest, WhatADeadReplicaLeftBehindIsNotTaken) {
  const auto alive = Warm();
  redis_.Do({"FLUSHALL"});
  {
    Replica dying(*database_, Nodes());
    ASSERT_TRUE(dying.Connected());
    const auto got =
        dying.things->Get("acme", ThingName("acme", 1), Soon(), [&](sql::Session& session) {
          auto read = LoadThing(session, "acme", 1);
          alive->Change(1);
          EXPECT_TRUE(alive->Settle());
          return read;
        });
    ASSERT_TRUE(got.ok());
    EXPECT_EQ((*got)->value(), 1);
    EXPECT_TRUE(dying.Settle());
  }
  EXPECT_THAT(KeysOf("acme"), SizeIs(1));
  EXPECT_EQ(alive->Get(1), 2);
  redis_.Do({"COPY", KeysOf("acme")[0], "left"});
  ExpectRefused(2, "stale");
}

// A reader that looked before a change and comes back after it keeps nothing.
TEST_F(CacheTest, AReaderThatWasOvertakenKeepsNothing) {
  Replica replica(*database_, {});
  Replica other(*database_, {});
  replica.Change(1);
  replica.CatchUp();
  for (const bool own : {true, false}) {
    const int64_t before = other.Get(1);
    const auto got =
        replica.things->Get("acme", ThingName("acme", 1), Soon(), [&](sql::Session& session) {
          auto read = LoadThing(session, "acme", 1);
          (own ? replica : other).Change(1);
          replica.CatchUp();
          return read;
        });
    ASSERT_TRUE(got.ok());
    EXPECT_EQ((*got)->value(), before);
    EXPECT_EQ(replica.Get(1), before + 1);
    replica.Change(1);
    replica.CatchUp();
    other.CatchUp();
  }
}

TEST_F(CacheTest, ManyWhoMissReadTheStoreOnce) {
  Replica replica(*database_, {});
  replica.Change(1);
  replica.CatchUp();
  constexpr int kCallers = 8;
  std::atomic<int> begun{0};
  std::atomic<int> loads{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      ++begun;
      const auto got =
          replica.things->Get("acme", ThingName("acme", 1), Soon(), [&](sql::Session& session) {
            ++loads;
            EXPECT_TRUE(Eventually([&] { return begun == kCallers; }));
            return LoadThing(session, "acme", 1);
          });
      EXPECT_TRUE(got.ok() && (*got)->value() == 1);
      ++answered;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answered, kCallers);
  EXPECT_EQ(loads, 1);
}

TEST_F(CacheTest, WhatIsNotThereIsAskedForAgain) {
  Replica replica(*database_, {});
  const auto get = [&] {
    return replica.things->Get("acme", ThingName("acme", 9), Soon(), [&](sql::Session& session) {
      return LoadThing(session, "acme", 9);
    });
  };
  EXPECT_EQ(get().status().code(), absl::StatusCode::kNotFound);
  replica.Change(9);
  EXPECT_EQ((*get())->value(), 1);
}

// Behind the log by more than it may be, it keeps and gives out nothing.
TEST_F(CacheTest, BypassesWhenItCantFollow) {
  Replica replica(*database_, Nodes(), "", /*max_lag=*/absl::ZeroDuration());
  replica.Change(1);
  replica.CatchUp();
  EXPECT_EQ(replica.Get(1), 1);
  EXPECT_EQ(replica.Get(1), 1);
  EXPECT_EQ(replica.loads, 2);
  EXPECT_EQ(replica.From("bypass"), 2);
  EXPECT_THAT(KeysOf("acme"), IsEmpty());
}

TEST_F(CacheTest, OneTenantsThingIsNotAnothers) {
  Replica replica(*database_, Nodes());
  replica.Change(1, "acme");
  replica.Change(1, "zeta");
  replica.Change(1, "zeta");
  replica.CatchUp();
  EXPECT_EQ(replica.Get(1, "acme"), 1);
  EXPECT_EQ(replica.Get(1, "zeta"), 2);
}

TEST_F(CacheTest, OlderDoesNotReplaceNewer) {
  auto redis = Redis::Make({.nodes = Nodes()}).value();
  const Sealer sealer(auth::IntegrityKey::Parse(std::string(64, 'a')).value(), "things");
  ASSERT_TRUE(Eventually([&] {
    redis->Set("probe", sealer.Seal("probe", {1, 1, absl::Now()}, ""), absl::Minutes(1));
    EXPECT_TRUE(redis->Settle(Soon()));
    return redis->Get({"probe"})[0].has_value();
  }));
  const auto put = [&](int64_t version, int64_t position) {
    redis->Set("k", sealer.Seal("k", {version, position, absl::Now()}, "x"), absl::Minutes(1));
    EXPECT_TRUE(redis->Settle(Soon()));
    const auto opened = sealer.Open("k", redis->Get({"k"})[0].value_or(""));
    return opened ? std::pair(opened->stamp.version, opened->stamp.position)
                  : std::pair<int64_t, int64_t>();
  };
  using Stamped = std::pair<int64_t, int64_t>;
  EXPECT_EQ(put(9, 100), Stamped(9, 100));
  EXPECT_EQ(put(8, 200), Stamped(9, 100));
  EXPECT_EQ(put(9, 99), Stamped(9, 100));
  EXPECT_EQ(put(10, 99), Stamped(10, 99));
  EXPECT_EQ(put(10, 101), Stamped(10, 101));
}

TEST_F(CacheTest, SeveralNodesShareTheKeysAndOneMayGo) {
  RedisServer second;
  auto redis = Redis::Make({.nodes = {redis_.address(), second.address()}}).value();
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("k" + std::to_string(i));
  const auto stored = [&] {
    for (const std::string& key : keys) redis->Set(key, "R1 " + key, absl::Minutes(1));
    EXPECT_TRUE(redis->Settle(Soon()));
    const auto values = redis->Get(keys);
    int there = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!values[i]) continue;
      EXPECT_EQ(*values[i], "R1 " + keys[i]);
      ++there;
    }
    return there;
  };
  ASSERT_TRUE(Eventually([&] { return stored() == 100; }));
  const size_t of_first = redis_.Keys("k*").size();
  EXPECT_GT(of_first, 25u);
  EXPECT_LT(of_first, 75u);
  EXPECT_EQ(second.Keys("k*").size(), 100 - of_first);
  second.Kill();
  ASSERT_TRUE(Eventually([&] {
    (void)redis->Get(keys);
    return redis->nodes_up() == 1;
  }));
  EXPECT_EQ(stored(), static_cast<int>(of_first));
}

TEST_F(CacheTest, ThePasswordIsReadAnewWhereItIsRefused) {
  RedisServer guarded({"--requirepass", "first"});
  rapport::testing::TempDir dir;
  const auto write = [&](const std::string& password) {
    std::ofstream(dir.File("password")) << password << "\n";
  };
  write("wrong");
  Replica replica(*database_, {guarded.address()}, dir.File("password"));
  replica.Change(1);
  EXPECT_TRUE(Eventually([&] { return replica.cache->redis()->nodes_up() == 0; }));
  EXPECT_EQ(replica.Get(1), 1);
  write("first");
  EXPECT_TRUE(replica.Connected());
  guarded.Do({"CONFIG", "SET", "requirepass", "second"});
  guarded.Do({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  write("second");
  EXPECT_TRUE(replica.Connected());
}

TEST_F(CacheTest, RefusesAConfigurationThatCantBe) {
  const auto code = [&](std::vector<std::string> nodes, const std::string& file = "") {
    return Redis::Make({.nodes = std::move(nodes), .password_file = file}).status().code();
  };
  EXPECT_EQ(code({}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"cache"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"cache:99999"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"unix:relative"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"a:1", "a:1"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"a:1"}, "/nowhere/password"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseBytes("64MiB").value(), 64 << 20);
  EXPECT_EQ(ParseBytes("0").value(), 0);
  for (const char* text : {"", "64MB", "-1", "1.5GiB", "9999999999999GiB"}) {
    EXPECT_FALSE(ParseBytes(text).ok()) << text;
  }
}

}  // namespace
}  // namespace rapport::cache
