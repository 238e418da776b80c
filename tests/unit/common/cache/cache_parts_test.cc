#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/cache/breaker.h"
#include "common/cache/memory.h"
#include "common/cache/sealer.h"

namespace rapport::cache {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
const absl::Time kLater = kNow + absl::Minutes(1);

Memory::Value Of(int number) { return std::make_shared<const int>(number); }
int In(const Memory::Value& value) {
  return value == nullptr ? 0 : *static_cast<const int*>(value.get());
}

TEST(BreakerTest, OpensAfterFailuresInARowAndClosesByAProbe) {
  Breaker breaker(3, absl::Seconds(1), absl::Seconds(3));
  breaker.Failed(kNow);
  breaker.Failed(kNow);
  breaker.Succeeded();
  breaker.Failed(kNow);
  breaker.Failed(kNow);
  EXPECT_TRUE(breaker.closed());
  breaker.Failed(kNow);
  EXPECT_EQ(breaker.state(), Breaker::State::kOpen);
  EXPECT_FALSE(breaker.MayProbe(kNow + absl::Milliseconds(999)));
  EXPECT_TRUE(breaker.MayProbe(kNow + absl::Seconds(1)));
  EXPECT_FALSE(breaker.MayProbe(kNow + absl::Seconds(1)));
  EXPECT_EQ(breaker.state(), Breaker::State::kHalfOpen);
  breaker.Succeeded();
  EXPECT_TRUE(breaker.closed());
}

TEST(BreakerTest, PausesTwiceAsLongAfterEachFailedProbeUpToABound) {
  Breaker breaker(1, absl::Seconds(1), absl::Seconds(3));
  absl::Time now = kNow;
  breaker.Failed(now);
  for (const int pause : {1, 2, 3, 3}) {
    EXPECT_FALSE(breaker.MayProbe(now + absl::Seconds(pause) - absl::Milliseconds(1)));
    now += absl::Seconds(pause);
    ASSERT_TRUE(breaker.MayProbe(now));
    breaker.Failed(now);
  }
}

TEST(BreakerTest, FailuresOfCallsUnderWayDoNotMakeThePauseLonger) {
  Breaker breaker(1, absl::Seconds(1), absl::Seconds(60));
  for (int i = 0; i < 8; ++i) breaker.Failed(kNow);
  EXPECT_TRUE(breaker.MayProbe(kNow + absl::Seconds(1)));
}

TEST(MemoryTest, ForgetsAtTheExpiryAndWhatWasAskedForLongestAgo) {
  Memory memory(/*bytes=*/4000, /*shards=*/1);
  EXPECT_TRUE(memory.Put("a", Of(1), 400, kLater, 0));
  EXPECT_EQ(In(memory.Get("a", kNow)), 1);
  EXPECT_EQ(memory.Get("a", kLater), nullptr);
  for (const char* key : {"a", "b", "c"}) memory.Put(key, Of(1), 800, kLater, 0);
  EXPECT_NE(memory.Get("a", kNow), nullptr);
  for (const char* key : {"d", "e"}) memory.Put(key, Of(1), 800, kLater, 0);
  EXPECT_NE(memory.Get("a", kNow), nullptr);
  EXPECT_EQ(memory.Get("b", kNow), nullptr);
  EXPECT_LE(memory.bytes(), 4000);
  EXPECT_EQ(memory.entries(), 4);
  // One that would push all others out is not kept.
  EXPECT_TRUE(memory.Put("large", Of(1), 3000, kLater, 0));
  EXPECT_EQ(memory.Get("large", kNow), nullptr);
  memory.Clear(0);
  EXPECT_EQ(memory.bytes(), 0);
  EXPECT_EQ(memory.entries(), 0);
}

TEST(MemoryTest, TakesNothingFromBeforeAChange) {
  Memory memory(1 << 20);
  memory.Put("a", Of(1), 8, kLater, 5);
  memory.Changed("a", 7);
  EXPECT_EQ(memory.Get("a", kNow), nullptr);
  EXPECT_FALSE(memory.Fresh("a", 6));
  EXPECT_FALSE(memory.Put("a", Of(1), 8, kLater, 6));
  EXPECT_TRUE(memory.Put("b", Of(1), 8, kLater, 6));
  EXPECT_TRUE(memory.Put("a", Of(2), 8, kLater, 7));
  EXPECT_EQ(In(memory.Get("a", kNow)), 2);
}

TEST(MemoryTest, TakesNothingOfADirtyKeyBeforeALookThatBeganLater) {
  Memory memory(1 << 20);
  const uint64_t under_way = memory.BeginLook();
  memory.Dirty("a");
  EXPECT_FALSE(memory.Put("a", Of(1), 8, kLater, 100));
  memory.EndLook(under_way);
  EXPECT_FALSE(memory.Put("a", Of(1), 8, kLater, 100));
  const uint64_t later = memory.BeginLook();
  memory.Changed("a", 8);
  EXPECT_FALSE(memory.Put("a", Of(1), 8, kLater, 100));
  memory.EndLook(later);
  EXPECT_FALSE(memory.Put("a", Of(1), 8, kLater, 7));
  EXPECT_TRUE(memory.Put("a", Of(1), 8, kLater, 8));
}

TEST(MemoryTest, ForgottenChangesMakeEverythingOlderStale) {
  Memory memory(1 << 20);
  memory.Clear(10);
  memory.Changed("a", 15);
  memory.Dirty("dirty");
  memory.ForgetChanges(20);
  EXPECT_TRUE(memory.Fresh("b", 12));
  EXPECT_FALSE(memory.Fresh("a", 14));
  memory.ForgetChanges(30);
  // Nothing is known any more of what changed before 20.
  EXPECT_FALSE(memory.Fresh("b", 19));
  EXPECT_FALSE(memory.Fresh("a", 14));
  EXPECT_TRUE(memory.Fresh("a", 20));
  EXPECT_FALSE(memory.Fresh("dirty", 100));
  memory.EndLook(memory.BeginLook());
  EXPECT_TRUE(memory.Fresh("dirty", 100));
  // One that is not in the log yet counts as at the next position.
  memory.Changed("c", 41);
  memory.ForgetChanges(40);
  memory.ForgetChanges(50);
  EXPECT_FALSE(memory.Fresh("c", 40));
}

TEST(MemoryTest, AChangeEndsAFlightForThoseWhoComeLater) {
  Memory memory(1 << 20);
  const auto first = memory.GetOrJoin("a", kNow);
  EXPECT_TRUE(first.leads);
  const auto second = memory.GetOrJoin("a", kNow);
  EXPECT_FALSE(second.leads);
  EXPECT_EQ(second.flight, first.flight);
  memory.Dirty("a");
  const auto third = memory.GetOrJoin("a", kNow);
  EXPECT_TRUE(third.leads);
  memory.Land("a", first.flight, absl::OkStatus(), Of(1));
  EXPECT_FALSE(memory.GetOrJoin("a", kNow).leads);
  Memory::Value value;
  EXPECT_TRUE(memory.Await("a", *second.flight, kNow, value).ok());
  EXPECT_EQ(In(value), 1);
  EXPECT_EQ(memory.Await("a", *third.flight, absl::InfinitePast(), value).code(),
            absl::StatusCode::kDeadlineExceeded);
}

// Whoever reads a key while others change it never keeps a value that is older than a change that
// was told before the value was asked for. Under the thread sanitizer this is its test, too.
TEST(MemoryTest, ManyThreadsNeverKeepWhatIsOld) {
  Memory memory(1 << 20, 2);
  std::atomic<int64_t> truth{1};
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const int64_t told = truth;
        const auto found = memory.GetOrJoin("a", kNow);
        if (found.value != nullptr) {
          EXPECT_GE(In(found.value), told);
        } else if (found.leads) {
          const int64_t read = truth;
          const Memory::Value value = Of(static_cast<int>(read));
          memory.Put("a", value, 8, kLater, read);
          memory.Land("a", found.flight, absl::OkStatus(), value);
        }
      }
    });
  }
  for (int64_t next = 2; next < 3000; ++next) {
    // Committed, then told, then acknowledged.
    memory.Changed("a", next);
    truth = next;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

class SealerTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const auth::IntegrityKey> Integrity(char digit) {
    return auth::IntegrityKey::Parse(std::string(64, digit)).value();
  }
  const Sealer sealer_{Integrity('a'), "things"};
  const Stamp stamp_{7, 99, kNow};
};

TEST_F(SealerTest, OpensWhatItSealedForThatKey) {
  const std::string key = sealer_.Key("thing.1", "epoch", "acme", "organizations/acme/things/t1");
  EXPECT_TRUE(absl::StartsWith(key, "rapport:1:things:thing.1:epoch:acme:"));
  const std::string sealed = sealer_.Seal(key, stamp_, "what patients tell");
  EXPECT_FALSE(absl::StrContains(sealed, "patients"));
  EXPECT_NE(sealed, sealer_.Seal(key, stamp_, "what patients tell"));
  const auto opened = sealer_.Open(key, sealed);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->bytes, "what patients tell");
  EXPECT_EQ(opened->stamp, stamp_);
}

TEST_F(SealerTest, OpensNothingElse) {
  const std::string key = sealer_.Key("thing.1", "e", "acme", "n");
  const std::string sealed = sealer_.Seal(key, stamp_, "value");
  EXPECT_FALSE(sealer_.Open(sealer_.Key("thing.1", "e", "zeta", "n"), sealed));
  EXPECT_FALSE(sealer_.Open(sealer_.Key("thing.2", "e", "acme", "n"), sealed));
  EXPECT_FALSE(Sealer(Integrity('b'), "things").Open(key, sealed));
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(sealer_.Open(key, changed)) << i;
    EXPECT_FALSE(sealer_.Open(key, sealed.substr(0, i))) << i;
  }
  EXPECT_FALSE(sealer_.Open(key, sealed + "x"));
}

TEST_F(SealerTest, OrdersByVersionThenPosition) {
  const auto order = [&](int64_t version, int64_t position) {
    return sealer_.Seal("k", {version, position, kNow}, "").substr(0, Sealer::kOrder);
  };
  EXPECT_LT(order(9, 500), order(10, 1));
  EXPECT_LT(order(10, 99), order(10, 100));
}

}  // namespace
}  // namespace rapport::cache
