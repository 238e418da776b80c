#include "common/audit/heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixMicros(1772951400000001);

std::string Hash(int64_t i) { return auth::Sha256(absl::StrCat(i)); }

std::vector<std::string> Hashes(int64_t begin, int64_t end) {
  std::vector<std::string> hashes;
  for (int64_t i = begin; i < end; ++i) hashes.push_back(Hash(i));
  return hashes;
}

std::shared_ptr<const auth::KeySet> KeysOf(const auth::TokenSigner& key,
                                           const std::string& service = "notes") {
  return *auth::KeySet::Parse(absl::StrCat("{\"keys\":[", key.PublicJwk(service), "]}"));
}

class HeadsTest : public ::testing::Test {
 protected:
  Head At(int64_t size) { return signer_.Sign("acme", size, Hash(size), kNow); }

  std::string Folder() const { return dir_.File("anchors/notes-acme"); }
  static std::string Text(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  rapport::testing::TempDir dir_;
  std::shared_ptr<const auth::TokenSigner> key_ =
      auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  HeadSigner signer_ = *HeadSigner::Make("notes", key_, KeysOf(*key_));
  std::unique_ptr<AnchorLog> log_ = *AnchorLog::Open(dir_.File("anchors"), "notes");
};

TEST_F(HeadsTest, EachPartOfAHeadIsSigned) {
  const Head head = At(7);
  EXPECT_TRUE(IsTrusted(head, *signer_.trusted()));
  for (auto change : std::initializer_list<void (*)(Head&)>{
           [](Head& h) { h.organization_id += "x"; }, [](Head& h) { h.service += "x"; },
           [](Head& h) { ++h.tree_size; }, [](Head& h) { h.root_hash[0] ^= 1; },
           [](Head& h) { h.sign_time += absl::Microseconds(1); }, [](Head& h) { h.key_id += "x"; },
           [](Head& h) { h.signature[0] ^= 1; }}) {
    Head other = head;
    change(other);
    EXPECT_FALSE(IsTrusted(other, *signer_.trusted()));
  }
}

TEST_F(HeadsTest, AKeyOfAnotherServiceOrAnotherKeyIsNotTrusted) {
  EXPECT_FALSE(IsTrusted(At(7), *KeysOf(*key_, "scheduling")));
  EXPECT_FALSE(IsTrusted(At(7), *KeysOf(*auth::TokenSigner::Generate(auth::Algorithm::kEdDsa))));
  EXPECT_EQ(HeadSigner::Make("scheduling", key_, KeysOf(*key_)).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::shared_ptr<const auth::TokenSigner> rsa =
      auth::TokenSigner::Generate(auth::Algorithm::kEs256);
  EXPECT_THAT(std::string(HeadSigner::Make("notes", rsa, KeysOf(*rsa)).status().message()),
              HasSubstr("Ed25519"));
}

TEST_F(HeadsTest, WhatWasAnchoredIsThereAgain) {
  EXPECT_EQ(log_->Look("acme")->leaves, 0);
  ASSERT_TRUE(log_->Append("acme", 0, Hashes(0, 5), At(5)).ok());
  ASSERT_TRUE(log_->Append("acme", 5, Hashes(5, 300), At(300)).ok());

  const auto again = *AnchorLog::Open(dir_.File("anchors"), "notes");
  EXPECT_EQ(again->Look("acme")->leaves, 300);
  EXPECT_EQ(again->Look("acme")->last, At(300));
  EXPECT_EQ(again->Look("beta")->leaves, 0);
  const Anchored all = *again->Read("acme", 0, 300);
  EXPECT_THAT(all.heads, ElementsAre(At(5), At(300)));
  ASSERT_EQ(all.leaf_hashes.size(), 300u);
  for (int64_t i = 0; i < 300; ++i) EXPECT_EQ(all.leaf_hashes.at(i), Hash(i));
  const Anchored some = *again->Read("acme", 5, 7);
  EXPECT_TRUE(some.heads.empty());
  EXPECT_EQ(some.leaf_hashes.begin()->first, 5);
  EXPECT_EQ(some.leaf_hashes.rbegin()->first, 6);
}

TEST_F(HeadsTest, ALineThatACrashCutOffIsPassedOver) {
  ASSERT_TRUE(log_->Append("acme", 0, Hashes(0, 3), At(3)).ok());
  const std::string path = absl::StrCat(Folder(), "/00000000.log");
  const std::string whole = Text(path);
  for (const size_t cut :
       {whole.size() - 1, whole.size() - 20, whole.find("head") + 8, whole.find("head") + 2,
        whole.find("head") - 1, size_t{100}, size_t{3}}) {
    std::filesystem::remove(path);
    std::ofstream(path) << whole.substr(0, cut);
    const AnchorLog::State state = *log_->Look("acme");
    EXPECT_EQ(state.last.tree_size, 0) << cut;
    ASSERT_TRUE(log_->Append("acme", state.leaves, Hashes(state.leaves, 4), At(4)).ok());
    const Anchored anchored = *log_->Read("acme", 0, 4);
    EXPECT_THAT(anchored.heads, ElementsAre(At(4))) << cut;
    ASSERT_EQ(anchored.leaf_hashes.size(), 4u) << cut;
    for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(anchored.leaf_hashes.at(i), Hash(i)) << cut;
  }
}

TEST_F(HeadsTest, OfWhatIsSaidTwiceTheFirstCounts) {
  ASSERT_TRUE(log_->Append("acme", 0, Hashes(0, 3), At(3)).ok());
  ASSERT_TRUE(log_->Append("acme", 0, Hashes(100, 103), At(3)).ok());
  EXPECT_EQ((*log_->Read("acme", 0, 3)).leaf_hashes.at(1), Hash(1));
}

TEST_F(HeadsTest, AFileHoldsSoManyLeavesAndTheHeadStandsWithTheLast) {
  const int64_t size = AnchorLog::kLeavesAFile + 2;
  ASSERT_TRUE(log_->Append("acme", 0, Hashes(0, size), At(size)).ok());
  EXPECT_THAT(Text(absl::StrCat(Folder(), "/00000000.log")), ::testing::Not(HasSubstr("head")));
  EXPECT_THAT(Text(absl::StrCat(Folder(), "/00000001.log")),
              ::testing::StartsWith(absl::StrCat("leaves ", AnchorLog::kLeavesAFile, " ")));
  EXPECT_EQ(log_->Look("acme")->leaves, size);
  EXPECT_EQ(log_->Look("acme")->last, At(size));
  const Anchored around = *log_->Read("acme", AnchorLog::kLeavesAFile - 1, size);
  EXPECT_EQ(around.leaf_hashes.size(), 3u);
  EXPECT_EQ(around.heads.size(), 1u);
}

TEST_F(HeadsTest, ADirectoryThatCantBeWrittenIsAnError) {
  std::ofstream(dir_.File("file")) << "x";
  EXPECT_EQ(AnchorLog::Open(dir_.File("file") + "/anchors", "notes").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rapport::audit
