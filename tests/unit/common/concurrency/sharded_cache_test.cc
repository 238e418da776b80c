#include "common/concurrency/sharded_cache.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);
const absl::Time kLater = kNow + absl::Minutes(5);

TEST(ShardedCacheTest, ReturnsWhatWasPutUntilItExpires) {
  ShardedCache<std::string> cache(16);
  cache.Put("key", "value", kLater);
  EXPECT_EQ(cache.Get("key", kNow), "value");
  EXPECT_EQ(cache.Get("key", kLater - absl::Microseconds(1)), "value");
  EXPECT_EQ(cache.Get("key", kLater), std::nullopt);
  EXPECT_EQ(cache.size(), 0u) << "an expired entry goes when it is met";
  EXPECT_EQ(cache.Get("other", kNow), std::nullopt);
}

TEST(ShardedCacheTest, APutReplacesValueAndExpiry) {
  ShardedCache<int> cache(16);
  cache.Put("key", 1, kNow);
  cache.Put("key", 2, kLater);
  EXPECT_EQ(cache.Get("key", kNow), 2);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(ShardedCacheTest, ForgetsTheLeastRecentlyUsed) {
  ShardedCache<int> cache(3, /*shards=*/1);
  cache.Put("a", 1, kLater);
  cache.Put("b", 2, kLater);
  cache.Put("c", 3, kLater);
  EXPECT_TRUE(cache.Get("a", kNow));
  cache.Put("d", 4, kLater);
  EXPECT_TRUE(cache.Get("a", kNow));
  EXPECT_FALSE(cache.Get("b", kNow));
  EXPECT_TRUE(cache.Get("c", kNow));
  EXPECT_TRUE(cache.Get("d", kNow));
}

TEST(ShardedCacheTest, NeverHoldsMoreThanItsCapacity) {
  for (size_t capacity : {1, 7, 16, 100}) {
    ShardedCache<int> cache(capacity);
    for (int i = 0; i < 5000; ++i) {
      cache.Put(absl::StrCat("key", i), i, kLater);
      ASSERT_LE(cache.size(), capacity);
    }
    EXPECT_GE(cache.size(), capacity / 2);
  }
}

TEST(ShardedCacheTest, ErasesOneOrAll) {
  ShardedCache<int> cache(16);
  cache.Put("a", 1, kLater);
  cache.Put("b", 2, kLater);
  cache.Erase("a");
  cache.Erase("absent");
  EXPECT_FALSE(cache.Get("a", kNow));
  EXPECT_TRUE(cache.Get("b", kNow));
  cache.Clear();
  EXPECT_FALSE(cache.Get("b", kNow));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(ShardedCacheTest, ValuesOutliveTheirEntries) {
  ShardedCache<std::shared_ptr<const std::string>> cache(1);
  cache.Put("a", std::make_shared<const std::string>("held"), kLater);
  const auto held = *cache.Get("a", kNow);
  cache.Put("b", nullptr, kLater);
  EXPECT_EQ(*held, "held");
}

TEST(ShardedCacheTest, ThreadsSeeOnlyWholeValuesOfTheirKey) {
  ShardedCache<std::string> cache(64);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (int i = 0; i < 20000; ++i) {
        const std::string key = absl::StrCat("key", (i * 31 + t) % 200);
        if (auto value = cache.Get(key, kNow)) {
          ASSERT_EQ(*value, key);
        } else {
          cache.Put(key, key, kLater);
        }
        if (i % 1000 == 0) cache.Clear();
        if (i % 77 == 0) cache.Erase(key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rapport
