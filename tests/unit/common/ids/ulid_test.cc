#include "common/ids/ulid.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace rapport::ids {
namespace {

TEST(UlidTest, NewIdsAreWellFormedAndDistinct) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) {
    const std::string id = NewUlid();
    EXPECT_TRUE(IsUlid(id)) << id;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 10000u);
}

TEST(UlidTest, TimePartIsThatOfTheSpecification) {
  // 1469918176385 ms is 01ARYZ6S41 in the specification's own example.
  EXPECT_EQ(NewUlid(absl::FromUnixMillis(1469918176385)).substr(0, 10), "01ARYZ6S41");
  EXPECT_EQ(NewUlid(absl::UnixEpoch()).substr(0, 10), "0000000000");
}

TEST(UlidTest, LaterIdsSortLater) {
  const absl::Time start = absl::FromUnixMillis(1469918176385);
  std::string last = NewUlid(start);
  for (int i = 1; i < 2000; ++i) {
    const std::string next = NewUlid(start + absl::Milliseconds(i));
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(UlidTest, RejectsWhatIsNoUlid) {
  const std::string good = "01ARYZ6S41TSV4RRFFQ69G5FAV";
  EXPECT_TRUE(IsUlid(good));
  EXPECT_FALSE(IsUlid(""));
  EXPECT_FALSE(IsUlid(good.substr(1)));
  EXPECT_FALSE(IsUlid(good + "0"));
  EXPECT_FALSE(IsUlid("01aryz6s41tsv4rrffq69g5fav"));
  EXPECT_FALSE(IsUlid("81ARYZ6S41TSV4RRFFQ69G5FAV")) << "more than 48 bits of time";
  for (char c : {'I', 'L', 'O', 'U', '-', '/', ' ', '\0'}) {
    std::string bad = good;
    bad[12] = c;
    EXPECT_FALSE(IsUlid(bad)) << c;
  }
}

}  // namespace
}  // namespace rapport::ids
