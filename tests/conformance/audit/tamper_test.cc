// What an administrator of the database can do, and how the verifier names it.
#include "common/auditing/anchorer.h"
#include "common/auth/integrity.h"
#include "common/errors/errors.h"
#include "tests/conformance/audit/fixture.h"

namespace rapport::audit {
namespace {

using auditing::Anchorer;

class TamperTest : public testing::AuditTest {
 protected:
  // 40 leaves: of papers p0 to p9, four versions each, the last of which are leaves 30 to 39; then
  // a page with two versions, leaves 40 and 41. Heads of 20 and 42 leaves are anchored.
  void SetUp() override {
    for (int version = 1; version <= 4; ++version) {
      for (int paper = 0; paper < 10; ++paper) {
        Put(absl::StrCat("p", paper), version, absl::StrCat("text ", paper, " ", version));
      }
      if (version == 2) AnchorAll(absl::UnixEpoch());
    }
    PutPage("p0", 1, "page one");
    PutPage("p0", 2, "page two");
    AnchorAll(absl::UnixEpoch() + absl::Hours(1));
  }

  void AnchorAll(absl::Time now) {
    SequenceAll();
    ASSERT_EQ(*anchorer_.RunOnce(now, /*all=*/false), 1);
  }

  // Verifies to the end, `limit` leaves at a time: "RECORD_EDITED 30-30 of p0", or "OK 12 records,
  // 30 uncompared, 2 heads".
  std::string Verified(int64_t limit = 7, std::vector<Head> heads = {},
                       const auth::KeySet* trusted = nullptr) {
    Progress progress;
    int64_t records = 0, uncompared = 0;
    for (;;) {
      Expectation expectation{.trusted = trusted == nullptr ? signer_.trusted().get() : trusted,
                              .service = "notes",
                              .heads = heads,
                              .leaf_hashes = {},
                              .size = 0};
      const int64_t begin = progress.frontier.size();
      if (heads.empty()) {
        const Anchored anchored = *anchors_->Read("acme", begin, begin + limit);
        expectation.heads = anchored.heads;
        expectation.leaf_hashes = anchored.leaf_hashes;
        expectation.size = anchors_->Look("acme")->leaves;
      }
      Findings findings;
      Read([&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(findings,
                         Verify(session, "acme", testing::PaperKinds(), expectation,
                                {.limit = limit, .now = now_ + absl::Seconds(30)}, progress));
        return absl::OkStatus();
      });
      records += findings.records;
      uncompared += findings.uncompared;
      if (findings.fault) {
        const Fault& fault = *findings.fault;
        static const char* const kNames[] = {"",
                                             "ENTRY_EDITED",
                                             "RECORD_EDITED",
                                             "RECORD_DELETED",
                                             "ENTRY_DELETED",
                                             "REORDERED",
                                             "TRUNCATED",
                                             "REBUILT",
                                             "UNTRUSTED_KEY",
                                             "TREE_EDITED",
                                             "UNSEQUENCED",
                                             "RECORD_WITHOUT_ENTRY"};
        return absl::StrCat(kNames[static_cast<int>(fault.kind)], " ", fault.leaf_index, "-",
                            fault.last_suspect);
      }
      if (findings.done) {
        return absl::StrCat("OK ", records, " records, ", uncompared, " uncompared, ",
                            progress.verified_heads, " heads");
      }
      progress = *Progress::Parse(progress.Bytes());
    }
  }

  std::vector<Head> AnchoredHeads() { return anchors_->Read("acme", 0, 1000)->heads; }

  // Rewrites leaf `index` so that its entry tells of other text, as does the record.
  void Forge(int64_t index, const std::string& paper, const std::string& text) {
    Tamper(absl::StrCat("UPDATE paper SET document = ", Literal(text), " WHERE paper_id = '", paper,
                        "'; UPDATE audit_leaf SET content_hash = ", Literal(auth::Sha256(text)),
                        " WHERE organization_id = 'acme' AND leaf_index = ", index));
  }

  Anchorer anchorer_{*database_, signer_, *anchors_, nullptr};
};

// Both sources of heads are in the directory and in the database: each counts.
TEST_P(TamperTest, AnUntouchedLogIsRightInStretchesOfAnyLength) {
  for (const int64_t limit : {1, 2, 7, 20, 21, 41, 42, 43, 1000}) {
    EXPECT_EQ(Verified(limit), "OK 12 records, 30 uncompared, 4 heads") << limit;
  }
}

TEST_P(TamperTest, AnEditedEntry) {
  const sql::Result leaves = Leaves();
  Entry entry = *Decode(leaves.Bytes(13, 1));
  entry.principal = "bob";
  Tamper(absl::StrCat("UPDATE audit_leaf SET principal = 'bob', entry = ", Literal(Encode(entry)),
                      " WHERE leaf_index = 13"));
  EXPECT_EQ(Verified(), "ENTRY_EDITED 13-13");
  EXPECT_EQ(Verified(7, AnchoredHeads()), "ENTRY_EDITED 13-13");
}

TEST_P(TamperTest, AnEntryThatIsFiledAsAnother) {
  Tamper("UPDATE audit_leaf SET principal = 'bob' WHERE leaf_index = 13");
  EXPECT_EQ(Verified(), "ENTRY_EDITED 13-13");
}

TEST_P(TamperTest, AnEntryThatIsNoLongerFiled) {
  Tamper(
      "UPDATE audit_leaf SET kind = NULL, principal = NULL, resource = NULL, version = NULL "
      "WHERE leaf_index = 13");
  EXPECT_EQ(Verified(), "ENTRY_EDITED 13-13");
}

TEST_P(TamperTest, AnEditedRecord) {
  Tamper(absl::StrCat("UPDATE paper SET document = ", Literal("forged"), " WHERE paper_id = 'p3'"));
  EXPECT_EQ(Verified(), "RECORD_EDITED 33-33");
}

TEST_P(TamperTest, AnEditedRecordThatSaysToBeNewer) {
  Tamper(absl::StrCat("UPDATE paper SET version = 5, document = ", Literal("forged"),
                      " WHERE paper_id = 'p3'"));
  EXPECT_EQ(Verified(), "RECORD_EDITED 3-3");
}

TEST_P(TamperTest, ARecordThatIsTakenBackToAnEarlierVersion) {
  Tamper(absl::StrCat("UPDATE paper SET version = 3, document = ", Literal("text 3 3"),
                      " WHERE paper_id = 'p3'"));
  EXPECT_EQ(Verified(), "RECORD_EDITED 33-33");
}

TEST_P(TamperTest, AnEditedVersionOfWhatIsKeptForEver) {
  Tamper(absl::StrCat("UPDATE page SET document = ", Literal("forged"), " WHERE version = 1"));
  EXPECT_EQ(Verified(), "RECORD_EDITED 40-40");
}

TEST_P(TamperTest, ADeletedRecord) {
  Tamper("DELETE FROM paper WHERE paper_id = 'p4'");
  EXPECT_EQ(Verified(), "RECORD_DELETED 4-4");
}

TEST_P(TamperTest, ARecordThatAnErasureCovers) {
  Write([&](sql::Transaction& tx) {
    Entry entry = EntryOf("organizations/acme/erasures/e", 1);
    entry.kind = Kind::kErasure;
    entry.covers = {PaperName("p4"), PaperName("p0") + "/*"};
    Append(tx, entry, "");
    return absl::OkStatus();
  });
  SequenceAll();
  Tamper("DELETE FROM paper WHERE paper_id = 'p4'; DELETE FROM page WHERE paper_id = 'p0'");
  EXPECT_EQ(Verified(), "OK 9 records, 33 uncompared, 4 heads");
  Tamper("DELETE FROM paper WHERE paper_id = 'p5'");
  EXPECT_EQ(Verified(), "RECORD_DELETED 5-5");
}

TEST_P(TamperTest, ARecordWithoutEntry) {
  Tamper(absl::StrCat("INSERT INTO page VALUES ('acme', 'p0', 3, ", Literal("forged"), ")"));
  EXPECT_EQ(Verified(), "RECORD_WITHOUT_ENTRY 42-42");
}

TEST_P(TamperTest, ARecordWhoseEntryIsNotALeafYet) {
  PutPage("p0", 3, "page three");
  Put("p1", 5, "text");
  EXPECT_EQ(Verified(), "OK 11 records, 31 uncompared, 4 heads");
}

TEST_P(TamperTest, AnEntryThatWaitsForMoreThanAMinute) {
  PutPage("p0", 3, "page three");
  now_ += absl::Minutes(2);
  EXPECT_EQ(Verified(), "UNSEQUENCED 42-42");
}

TEST_P(TamperTest, ADeletedEntry) {
  Tamper("DELETE FROM audit_leaf WHERE leaf_index = 13");
  EXPECT_EQ(Verified(), "ENTRY_DELETED 13-13");
  EXPECT_EQ(Verified(7, AnchoredHeads()), "ENTRY_DELETED 13-13");
}

TEST_P(TamperTest, ADeletedEntryWhoseGapIsClosed) {
  Tamper("DELETE FROM audit_leaf WHERE leaf_index = 13");
  for (int index = 14; index < 42; ++index) {
    Tamper(absl::StrCat("UPDATE audit_leaf SET leaf_index = ", index - 1,
                        " WHERE leaf_index = ", index));
  }
  RebuildTree();
  EXPECT_EQ(Verified(1000), "ENTRY_DELETED 13-13");
  // Heads alone, without the leaves' own hashes: a stretch.
  EXPECT_EQ(Verified(7, AnchoredHeads()), "REBUILT 0-19");
}

TEST_P(TamperTest, ReorderedEntries) {
  Tamper(
      "UPDATE audit_leaf SET leaf_index = 999 WHERE leaf_index = 13;"
      "UPDATE audit_leaf SET leaf_index = 13 WHERE leaf_index = 15;"
      "UPDATE audit_leaf SET leaf_index = 15 WHERE leaf_index = 999");
  EXPECT_EQ(Verified(1000), "REORDERED 13-13");
  // Without the leaves' own hashes, the stored nodes still tell; rebuilt too, the head.
  EXPECT_EQ(Verified(7, AnchoredHeads()), "TREE_EDITED 0-15");
  RebuildTree();
  EXPECT_EQ(Verified(1000), "REORDERED 13-13");
  EXPECT_EQ(Verified(7, AnchoredHeads()), "REBUILT 0-19");
}

TEST_P(TamperTest, ATruncatedLog) {
  Tamper("DELETE FROM audit_leaf WHERE leaf_index >= 31");
  EXPECT_EQ(Verified(), "TRUNCATED 31-41");
  RebuildTree();
  EXPECT_EQ(Verified(), "TRUNCATED 31-41");
  EXPECT_EQ(Verified(7, AnchoredHeads()), "TRUNCATED 31-41");
  Tamper("DELETE FROM audit_head WHERE tree_size > 31");
  EXPECT_EQ(Verified(), "TRUNCATED 31-41");
}

TEST_P(TamperTest, ALogThatIsGone) {
  Tamper(
      "DELETE FROM audit_leaf; DELETE FROM audit_node; DELETE FROM audit_tree;"
      "DELETE FROM audit_head; DELETE FROM paper; DELETE FROM page");
  EXPECT_EQ(Verified(), "TRUNCATED 0-41");
}

TEST_P(TamperTest, ARebuiltLog) {
  Forge(33, "p3", "forged");
  RebuildTree();
  EXPECT_EQ(Verified(1000), "REBUILT 33-33");
  EXPECT_EQ(Verified(7), "REBUILT 33-33");
  // The head that was good before narrows it down.
  EXPECT_EQ(Verified(7, AnchoredHeads()), "REBUILT 20-41");
}

TEST_P(TamperTest, ARebuiltLogWithHeadsSignedAnew) {
  Forge(33, "p3", "forged");
  RebuildTree();
  const std::shared_ptr<const auth::TokenSigner> other =
      auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  const HeadSigner forger = *HeadSigner::Make("notes", other, KeysOf(*other));
  const Head forged = forger.Sign("acme", 42, Tree().root, absl::UnixEpoch());
  EXPECT_EQ(Verified(7, {forged}), "UNTRUSTED_KEY 20-41");
  EXPECT_EQ(Verified(7, {AnchoredHeads()[0], forged}), "UNTRUSTED_KEY 20-41");
  // A forger who signs under the trusted key's name.
  Head renamed = forged;
  renamed.key_id = key_->key_id();
  EXPECT_EQ(Verified(7, {renamed}), "UNTRUSTED_KEY 20-41");
}

TEST_P(TamperTest, HeadsOfTheDatabaseThatNoTrustedKeySigned) {
  Tamper(absl::StrCat("UPDATE audit_head SET signature = ", Literal(std::string(64, 'x')),
                      " WHERE tree_size = 42"));
  EXPECT_EQ(Verified(), "UNTRUSTED_KEY 41-41");
}

TEST_P(TamperTest, AnEditedNode) {
  Tamper(absl::StrCat("UPDATE audit_node SET node_hash = ", Literal(std::string(32, 'x')),
                      " WHERE level = 1 AND node_index = 1"));
  EXPECT_EQ(Verified(), "TREE_EDITED 16-31");
}

TEST_P(TamperTest, AnEditedSize) {
  Tamper("UPDATE audit_tree SET tree_size = 41");
  EXPECT_EQ(Verified(), "TREE_EDITED 41-41");
}

TEST_P(TamperTest, AnEditedRoot) {
  Tamper(absl::StrCat("UPDATE audit_tree SET root_hash = ", Literal(std::string(32, 'x'))));
  EXPECT_EQ(Verified(), "TREE_EDITED 42-42");
}

TEST_P(TamperTest, ARewrittenLogIsNotSignedAgain) {
  Forge(13, "p3", "forged");
  RebuildTree();
  Put("p0", 5, "text");
  SequenceAll();
  const absl::StatusOr<int> anchored = anchorer_.RunOnce(absl::Now(), /*all=*/true);
  EXPECT_EQ(errors::Reason(anchored.status()), "AUDIT_REWRITTEN") << anchored.status();
  EXPECT_EQ(AnchoredHeads().size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Engines, TamperTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         testing::EngineOf);

}  // namespace
}  // namespace rapport::audit
