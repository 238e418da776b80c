#include "common/audit/tree.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"

namespace rapport::audit {
namespace {

std::string Leaf(absl::string_view data) {
  return auth::Sha256(absl::StrCat(std::string(1, '\0'), data));
}

std::vector<std::string> Leaves(int64_t count) {
  std::vector<std::string> leaves;
  for (int64_t i = 0; i < count; ++i) leaves.push_back(Leaf(absl::StrCat("leaf ", i)));
  return leaves;
}

// The definitions of RFC 6962 section 2.1, word for word.
int64_t Split(int64_t size) {
  int64_t k = 1;
  while (2 * k < size) k *= 2;
  return k;
}
std::string Mth(const std::vector<std::string>& leaves, int64_t begin, int64_t end) {
  if (begin == end) return auth::Sha256("");
  if (end - begin == 1) return leaves[static_cast<size_t>(begin)];
  const int64_t middle = begin + Split(end - begin);
  return auth::Sha256(absl::StrCat("\x01", Mth(leaves, begin, middle), Mth(leaves, middle, end)));
}

std::vector<std::string> HashesOf(const std::vector<std::string>& leaves,
                                  const std::vector<Range>& ranges) {
  std::vector<std::string> hashes;
  for (const Range& range : ranges) hashes.push_back(Mth(leaves, range.begin, range.end));
  return hashes;
}

TEST(TreeTest, HasTheRootsOfThePublishedVectors) {
  const char* inputs[] = {"",
                          "00",
                          "10",
                          "2021",
                          "3031",
                          "40414243",
                          "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
  Frontier tree;
  EXPECT_EQ(absl::BytesToHexString(tree.Root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  tree.Add(Leaf(absl::HexStringToBytes(inputs[0])));
  EXPECT_EQ(absl::BytesToHexString(tree.Root()),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  for (int i = 1; i < 8; ++i) tree.Add(Leaf(absl::HexStringToBytes(inputs[i])));
  EXPECT_EQ(absl::BytesToHexString(tree.Root()),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(TreeTest, GrowsToTheDefinedRootAndTellsOfEachFullSubtree) {
  const std::vector<std::string> leaves = Leaves(130);
  Frontier tree;
  std::map<std::pair<int, int64_t>, std::string> nodes;
  for (int64_t size = 0; size < 130; ++size) {
    ASSERT_EQ(tree.size(), size);
    ASSERT_EQ(tree.Root(), Mth(leaves, 0, size)) << size;
    tree = *Frontier::Parse(size, tree.Bytes());
    tree.Add(leaves[static_cast<size_t>(size)],
             [&](int height, int64_t index, const std::string& hash) {
               EXPECT_TRUE(nodes.try_emplace({height, index}, hash).second);
             });
  }
  size_t expected = 0;
  for (int height = 1; 1 << height <= 130; ++height) expected += 130u >> height;
  EXPECT_EQ(nodes.size(), expected);
  for (const auto& [place, hash] : nodes) {
    const auto [height, index] = place;
    EXPECT_EQ(hash, Mth(leaves, index << height, (index + 1) << height));
  }
}

TEST(TreeTest, AFrontierOfAnotherSizeIsNone) {
  Frontier tree;
  for (const std::string& leaf : Leaves(5)) tree.Add(leaf);
  EXPECT_TRUE(Frontier::Parse(5, tree.Bytes()).has_value());
  EXPECT_FALSE(Frontier::Parse(7, tree.Bytes()).has_value());
  EXPECT_FALSE(Frontier::Parse(-5, tree.Bytes()).has_value());
  EXPECT_FALSE(Frontier::Parse(5, tree.Bytes() + "x").has_value());
}

TEST(TreeTest, EachLeafIsProvenAndNoOtherInItsPlace) {
  const std::vector<std::string> leaves = Leaves(40);
  for (int64_t size = 1; size <= 40; ++size) {
    const std::string root = Mth(leaves, 0, size);
    for (int64_t index = 0; index < size; ++index) {
      const std::string& leaf = leaves[static_cast<size_t>(index)];
      const auto path = HashesOf(leaves, InclusionRanges(index, size));
      ASSERT_TRUE(ProvesInclusion(index, size, leaf, path, root)) << index << " of " << size;
      EXPECT_FALSE(ProvesInclusion(index, size, Leaf("other"), path, root));
      EXPECT_FALSE(ProvesInclusion(index + 1, size, leaf, path, root));
      auto longer = path;
      longer.push_back(root);
      EXPECT_FALSE(ProvesInclusion(index, size, leaf, longer, root));
      if (!path.empty()) {
        auto changed = path;
        changed.back()[0] ^= 1;
        EXPECT_FALSE(ProvesInclusion(index, size, leaf, changed, root));
      }
    }
  }
}

TEST(TreeTest, EachBeginningIsProvenAndNoOther) {
  const std::vector<std::string> leaves = Leaves(40);
  for (int64_t second = 1; second <= 40; ++second) {
    const std::string second_root = Mth(leaves, 0, second);
    for (int64_t first = 1; first <= second; ++first) {
      const std::string first_root = Mth(leaves, 0, first);
      const auto path = HashesOf(leaves, ConsistencyRanges(first, second));
      ASSERT_TRUE(ProvesConsistency(first, first_root, second, second_root, path))
          << first << " in " << second;
      EXPECT_FALSE(ProvesConsistency(first, Leaf("other"), second, second_root, path));
      EXPECT_FALSE(ProvesConsistency(first, first_root, second, Leaf("other"), path));
      for (size_t i = 0; i < path.size(); ++i) {
        auto changed = path;
        changed[i][0] ^= 1;
        EXPECT_FALSE(ProvesConsistency(first, first_root, second, second_root, changed));
      }
    }
  }
  EXPECT_FALSE(ProvesConsistency(0, EmptyRoot(), 1, leaves[0], {}));
  EXPECT_FALSE(ProvesConsistency(2, leaves[0], 1, leaves[0], {}));
}

}  // namespace
}  // namespace rapport::audit
