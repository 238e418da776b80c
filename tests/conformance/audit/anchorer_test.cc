#include "common/auditing/anchorer.h"

#include "common/errors/errors.h"
#include "common/telemetry/metric_names.h"
#include "tests/conformance/audit/fixture.h"

namespace rapport::auditing {
namespace {

class AnchorerTest : public audit::testing::AuditTest {
 protected:
  std::vector<int64_t> Heads(audit::AnchorLog& log, const std::string& organization = "acme") {
    std::vector<int64_t> sizes;
    const audit::Anchored anchored = *log.Read(organization, 0, 100000);
    for (const audit::Head& head : anchored.heads) {
      EXPECT_TRUE(audit::IsTrusted(head, *signer_.trusted()));
      sizes.push_back(head.tree_size);
    }
    return sizes;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1772951400);
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  Anchorer anchorer_{*database_, signer_, *anchors_, metrics_.get()};
};

TEST_P(AnchorerTest, AnchorsAGrownTreeOnceAMinute) {
  EXPECT_EQ(*anchorer_.RunOnce(start_, false), 0);
  Put("p", 1, "one");
  SequenceAll();
  EXPECT_EQ(*anchorer_.RunOnce(start_, false), 1);
  EXPECT_EQ(*anchorer_.RunOnce(start_ + absl::Minutes(5), false), 0);  // has not grown
  Put("p", 2, "two");
  SequenceAll();
  EXPECT_EQ(*anchorer_.RunOnce(start_ + absl::Seconds(59), false), 0);
  EXPECT_EQ(*anchorer_.RunOnce(start_ + absl::Seconds(60), false), 1);
  EXPECT_THAT(Heads(*anchors_), ::testing::ElementsAre(1, 2));
  const audit::Head last = anchors_->Look("acme")->last;
  EXPECT_EQ(last.root_hash, Tree().root);
  EXPECT_EQ(last.sign_time, start_ + absl::Seconds(60));
  EXPECT_EQ((*anchors_->Read("acme", 0, 2)).leaf_hashes.at(1), Leaves().Bytes(1, 4));
}

TEST_P(AnchorerTest, AnchorsEachOrganisation) {
  Put("p", 1, "one");
  Put("p", 1, "one", "beta");
  Put("p", 2, "two", "beta");
  SequenceAll();
  EXPECT_EQ(*anchorer_.RunOnce(start_, false), 2);
  EXPECT_THAT(Heads(*anchors_, "beta"), ::testing::ElementsAre(2));
  EXPECT_THAT(metrics_->Text(),
              ::testing::HasSubstr(absl::StrCat(telemetry::metric::kAuditTreeSize, " 3")));
}

TEST_P(AnchorerTest, ReplicasShareTheWorkAndEachAnchorIsWhole) {
  const auto elsewhere = *audit::AnchorLog::Open(dir_.File("elsewhere"), "notes");
  Anchorer replica(*database_, signer_, *elsewhere, nullptr);
  for (int version = 1; version <= 6; ++version) {
    Put("p", version, "text");
    SequenceAll();
    const absl::Time now = start_ + absl::Minutes(version);
    Anchorer& first = version % 3 == 0 ? replica : anchorer_;
    Anchorer& second = version % 3 == 0 ? anchorer_ : replica;
    EXPECT_EQ(*first.RunOnce(now, false), 1);
    EXPECT_EQ(*second.RunOnce(now, false), 0);
  }
  EXPECT_THAT(Heads(*anchors_), ::testing::ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(Heads(*elsewhere), ::testing::ElementsAre(3, 6));
  EXPECT_EQ((*anchors_->Read("acme", 0, 100)).leaf_hashes.size(), 5u);
  EXPECT_EQ((*elsewhere->Read("acme", 0, 100)).leaf_hashes.size(), 6u);
}

TEST_P(AnchorerTest, AnchorsWhatHasGrownWhenItStops) {
  Anchorer anchorer(*database_, signer_, *anchors_, nullptr,
                    {.tick = absl::Hours(1), .apart = absl::Hours(1)});
  Put("p", 1, "one");
  SequenceAll();
  anchorer.Start();
  ASSERT_TRUE(anchorer.RunOnce(absl::Now(), false).ok());
  Put("p", 2, "two");
  SequenceAll();
  anchorer.Stop();
  EXPECT_EQ(anchors_->Look("acme")->last.tree_size, 2);
}

TEST_P(AnchorerTest, ACrashBetweenTheAnchorAndTheDatabaseDoesNoHarm) {
  Put("p", 1, "one");
  SequenceAll();
  ASSERT_TRUE(anchorer_.RunOnce(start_, false).ok());
  Put("p", 2, "two");
  SequenceAll();
  ASSERT_TRUE(anchorer_.RunOnce(start_ + absl::Minutes(1), false).ok());
  Tamper("DELETE FROM audit_head WHERE tree_size = 2");
  Put("p", 3, "three");
  SequenceAll();
  EXPECT_EQ(*anchorer_.RunOnce(start_ + absl::Minutes(2), false), 1);
  EXPECT_THAT(Heads(*anchors_), ::testing::ElementsAre(1, 2, 3));
  EXPECT_EQ((*anchors_->Read("acme", 0, 100)).leaf_hashes.size(), 3u);
}

TEST_P(AnchorerTest, ATruncatedLogIsNotAnchored) {
  for (int version = 1; version <= 3; ++version) Put("p", version, "text");
  SequenceAll();
  ASSERT_TRUE(anchorer_.RunOnce(start_, false).ok());
  Tamper("DELETE FROM audit_leaf WHERE leaf_index = 2");
  RebuildTree();
  EXPECT_EQ(errors::Reason(anchorer_.RunOnce(start_ + absl::Minutes(1), false).status()),
            "AUDIT_REWRITTEN");
  EXPECT_THAT(
      metrics_->Text(),
      ::testing::HasSubstr("rapport_audit_anchor_failed_total{reason=\"AUDIT_REWRITTEN\"}"));
}

INSTANTIATE_TEST_SUITE_P(Engines, AnchorerTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         audit::testing::EngineOf);

}  // namespace
}  // namespace rapport::auditing
