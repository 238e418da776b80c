#ifndef RAPPORT_COMMON_AUDIT_TREE_STORE_H_
#define RAPPORT_COMMON_AUDIT_TREE_STORE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/audit/tree.h"
#include "common/sql/database.h"

namespace rapport::audit {

// Roots of full subtrees of 2^h leaves are stored for each multiple h of this; others are made from
// at most eight stored ones. A leaf costs 1/15 row more, a proof one read of 16 hashes for each
// stored height that it passes.
inline constexpr int kStoredHeights = 4;

// Where a tree stands.
struct TreeState {
  int64_t size = 0;
  std::string root = EmptyRoot();
};
absl::StatusOr<TreeState> ReadTree(sql::Session& session, absl::string_view organization_id);

// Reads hashes of one organisation's stored tree, each block of 16 once. Lives no longer than its
// session.
class StoredTree {
 public:
  StoredTree(sql::Session& session, absl::string_view organization_id)
      : session_(session), organization_id_(organization_id) {}

  // The tree hash of `range`, as RangeHash; kInternal where a hash is missing. The range [0, n)
  // gives the root of the tree when it had n leaves.
  absl::StatusOr<std::string> Hash(Range range);

  // The hashes of `ranges`, in order: a proof.
  absl::StatusOr<std::vector<std::string>> Hashes(const std::vector<Range>& ranges);

 private:
  absl::StatusOr<std::string> Node(int height, int64_t index);
  // Of stored level `level`: 0 are the leaves.
  absl::StatusOr<std::string> Stored(int level, int64_t index);

  sql::Session& session_;
  const std::string organization_id_;
  std::map<std::pair<int, int64_t>, std::vector<std::string>> blocks_;  // level, number
};

// Hashes [first, first + limit) of a stored level, fewer at the end; a hole ends them.
absl::StatusOr<std::vector<std::string>> ReadLevel(sql::Session& session,
                                                   absl::string_view organization_id, int level,
                                                   int64_t first, int64_t limit);

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_TREE_STORE_H_
