#include "common/audit/tree_store.h"

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::audit {
namespace {

const sql::Statement kTree{"audit.tree.get", R"sql(
  SELECT tree_size, root_hash FROM audit_tree WHERE organization_id = $1)sql"};

const sql::Statement kLeafHashes{"audit.leaf.hashes", R"sql(
  SELECT leaf_index, leaf_hash FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index >= $2 AND leaf_index < $3 ORDER BY leaf_index)sql"};

const sql::Statement kNodeHashes{"audit.node.hashes", R"sql(
  SELECT node_index, node_hash FROM audit_node
  WHERE organization_id = $1 AND node_index >= $2 AND node_index < $3 AND level = $4
  ORDER BY node_index)sql"};

constexpr int64_t kBlock = int64_t{1} << kStoredHeights;

}  // namespace

absl::StatusOr<TreeState> ReadTree(sql::Session& session, absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kTree, {sql::Text(organization_id)}));
  if (rows.empty()) return TreeState();
  return TreeState{rows.Int(0, 0), rows.Bytes(0, 1)};
}

absl::StatusOr<std::vector<std::string>> ReadLevel(sql::Session& session,
                                                   absl::string_view organization_id, int level,
                                                   int64_t first, int64_t limit) {
  std::vector<sql::Value> parameters = {sql::Text(organization_id), sql::Int(first),
                                        sql::Int(first + limit)};
  if (level > 0) parameters.push_back(sql::Int(level));
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(level == 0 ? kLeafHashes : kNodeHashes, parameters));
  std::vector<std::string> hashes;
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.Int(row, 0) != first + static_cast<int64_t>(row)) break;
    hashes.push_back(rows.Bytes(row, 1));
  }
  return hashes;
}

absl::StatusOr<std::string> StoredTree::Hash(Range range) {
  return RangeHash(range, [this](int height, int64_t index) { return Node(height, index); });
}

absl::StatusOr<std::vector<std::string>> StoredTree::Hashes(const std::vector<Range>& ranges) {
  std::vector<std::string> hashes;
  for (const Range& range : ranges) {
    ASSIGN_OR_RETURN(hashes.emplace_back(), Hash(range));
  }
  return hashes;
}

absl::StatusOr<std::string> StoredTree::Node(int height, int64_t index) {
  if (height % kStoredHeights == 0) return Stored(height / kStoredHeights, index);
  ASSIGN_OR_RETURN(const std::string left, Node(height - 1, 2 * index));
  ASSIGN_OR_RETURN(const std::string right, Node(height - 1, 2 * index + 1));
  return NodeHash(left, right);
}

absl::StatusOr<std::string> StoredTree::Stored(int level, int64_t index) {
  const int64_t number = index / kBlock;
  auto block = blocks_.find({level, number});
  if (block == blocks_.end()) {
    ASSIGN_OR_RETURN(std::vector<std::string> hashes,
                     ReadLevel(session_, organization_id_, level, number * kBlock, kBlock));
    block = blocks_.emplace(std::make_pair(level, number), std::move(hashes)).first;
  }
  const auto at = static_cast<size_t>(index % kBlock);
  if (at >= block->second.size()) {
    return errors::Internal(absl::StrCat("The audit tree of ", organization_id_, " lacks the hash ",
                                         index, " of level ", level, "."));
  }
  return block->second[at];
}

}  // namespace rapport::audit
