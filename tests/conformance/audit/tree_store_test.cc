#include "common/audit/tree_store.h"

#include "tests/conformance/audit/fixture.h"
#include "tests/support/postgres/catalogue.h"

namespace rapport::audit {
namespace {

class TreeStoreTest : public testing::AuditTest {};

TEST_P(TreeStoreTest, ProvesEachLeafAndEachBeginningOfTheTree) {
  constexpr int64_t kSize = 70;
  for (int i = 0; i < kSize; ++i) Put("p", i + 1, absl::StrCat("text ", i));
  SequenceAll(/*batch=*/9);
  const sql::Result leaves = Leaves();
  ASSERT_EQ(static_cast<int64_t>(leaves.rows()), kSize);
  std::vector<std::string> roots = {EmptyRoot()};
  Frontier grown;
  for (size_t row = 0; row < leaves.rows(); ++row) {
    grown.Add(leaves.Bytes(row, 4));
    roots.push_back(grown.Root());
  }
  EXPECT_EQ(Tree().size, kSize);
  EXPECT_EQ(Tree().root, roots.back());
  Read([&](sql::Session& session) -> absl::Status {
    for (const int64_t size : {1, 2, 16, 17, 33, 64, 70}) {
      StoredTree tree(session, "acme");
      const std::string& root = roots[static_cast<size_t>(size)];
      ASSIGN_OR_RETURN(const std::string stored_root, tree.Hash({0, size}));
      EXPECT_EQ(stored_root, root) << size;
      for (int64_t index = 0; index < size; ++index) {
        ASSIGN_OR_RETURN(const auto path, tree.Hashes(InclusionRanges(index, size)));
        EXPECT_TRUE(
            ProvesInclusion(index, size, leaves.Bytes(static_cast<size_t>(index), 4), path, root))
            << index << " of " << size;
      }
      for (int64_t first = 1; first <= size; ++first) {
        ASSIGN_OR_RETURN(const auto path, tree.Hashes(ConsistencyRanges(first, size)));
        EXPECT_TRUE(ProvesConsistency(first, roots[static_cast<size_t>(first)], size, root, path))
            << first << " in " << size;
      }
    }
    return absl::OkStatus();
  });
}

TEST_P(TreeStoreTest, EachOrganisationHasATreeOfItsOwn) {
  Put("p", 1, "one");
  Put("p", 1, "two", "beta");
  Put("p", 2, "three");
  SequenceAll();
  EXPECT_EQ(Leaves("acme").rows(), 2u);
  EXPECT_EQ(Leaves("beta").rows(), 1u);
  EXPECT_EQ(Tree().size, 2);
}

TEST_P(TreeStoreTest, LeavesFromBeforeThereWereTreesAreTakenIn) {
  for (int i = 1; i <= 20; ++i) Put("p", i, "text");
  SequenceAll();
  const TreeState before = Tree();
  Tamper(
      "DELETE FROM audit_tree; DELETE FROM audit_node;"
      "UPDATE audit_leaf SET kind = NULL, principal = NULL, resource = NULL, version = NULL");
  Put("p", 21, "text");
  SequenceAll();
  EXPECT_EQ(Tree().size, 21);
  Read([&](sql::Session& session) -> absl::Status {
    StoredTree tree(session, "acme");
    ASSIGN_OR_RETURN(const std::string root, tree.Hash({0, 20}));
    EXPECT_EQ(root, before.root);
    return absl::OkStatus();
  });
}

TEST_P(TreeStoreTest, AMissingHashIsAnErrorAndNoWrongProof) {
  for (int i = 1; i <= 20; ++i) Put("p", i, "text");
  SequenceAll();
  Tamper("DELETE FROM audit_node");
  Read([&](sql::Session& session) -> absl::Status {
    EXPECT_EQ(StoredTree(session, "acme").Hash({0, 20}).status().code(),
              absl::StatusCode::kInternal);
    return absl::OkStatus();
  });
}

INSTANTIATE_TEST_SUITE_P(Engines, TreeStoreTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         testing::EngineOf);

TEST(AuditStatementsTest, BindTheOrganisation) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace rapport::audit
