#include "common/audit/audit_log.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/audit/tree.h"
#include "common/audit/tree_store.h"
#include "common/auth/integrity.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::audit {
namespace {

const sql::Statement kAppend{"audit.append", R"sql(
  INSERT INTO audit_pending (organization_id, entry, content_hash, occur_time)
  VALUES ($1, $2, $3, $4))sql"};

// Each row comes with where its organisation's tree stands.
const sql::Statement kTake{"audit.take", R"sql(
  DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT $1)
  RETURNING id, organization_id, entry, content_hash, occur_time,
    (SELECT tree.tree_size FROM audit_tree AS tree
     WHERE tree.organization_id = audit_pending.organization_id),
    (SELECT tree.frontier FROM audit_tree AS tree
     WHERE tree.organization_id = audit_pending.organization_id))sql",
                           sql::Reach::kFeed};

const sql::Statement kAddLeaf{"audit.add_leaf", R"sql(
  INSERT INTO audit_leaf (organization_id, leaf_index, entry, content_hash, salt, leaf_hash,
                          occur_time, sequence_time, kind, principal, resource, version)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))sql",
                              sql::Reach::kFeed};

const sql::Statement kAddNode{"audit.add_node", R"sql(
  INSERT INTO audit_node (organization_id, level, node_index, node_hash)
  VALUES ($1, $2, $3, $4))sql",
                              sql::Reach::kFeed};

const sql::Statement kMoveTree{"audit.move_tree", R"sql(
  INSERT INTO audit_tree (organization_id, tree_size, root_hash, frontier) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id) DO UPDATE
  SET tree_size = excluded.tree_size, root_hash = excluded.root_hash,
      frontier = excluded.frontier)sql",
                               sql::Reach::kFeed};

// Leaves from before there were trees.
const sql::Statement kEarlierLeaves{"audit.earlier_leaves", R"sql(
  SELECT leaf_hash FROM audit_leaf WHERE organization_id = $1 ORDER BY leaf_index)sql",
                                    sql::Reach::kFeed};

constexpr char kPlainChange = 1;  // the versions
constexpr char kAny = 2;
constexpr char kLeaf = 0;
constexpr size_t kSaltSize = 16;

std::string NewSalt() {
  std::string salt(kSaltSize, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), kSaltSize) != 1) std::abort();
  return salt;
}

void AppendNumber(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

void AppendPart(std::string& out, absl::string_view part) {
  AppendNumber(out, part.size());
  out.append(part.data(), part.size());
}

bool TakeNumber(absl::string_view& in, uint64_t& number) {
  if (in.size() < 8) return false;
  number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(8);
  return true;
}

bool TakePart(absl::string_view& in, std::string& part) {
  uint64_t size;
  if (!TakeNumber(in, size) || size > in.size()) return false;
  part = std::string(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}

}  // namespace

std::string Encode(const Entry& entry) {
  const bool plain = entry.kind == Kind::kChange && entry.purpose.empty() && entry.count == 1 &&
                     entry.covers.empty();
  std::string out(1, plain ? kPlainChange : kAny);
  AppendPart(out, entry.organization_id);
  AppendPart(out, entry.principal);
  AppendPart(out, entry.method);
  AppendPart(out, entry.resource);
  AppendNumber(out, static_cast<uint64_t>(entry.version));
  AppendNumber(out, static_cast<uint64_t>(absl::ToUnixMicros(entry.occur_time)));
  AppendPart(out, entry.trace_id);
  if (plain) return out;
  AppendNumber(out, static_cast<uint64_t>(entry.kind));
  AppendPart(out, entry.purpose);
  AppendNumber(out, static_cast<uint64_t>(entry.count));
  AppendNumber(out, entry.covers.size());
  for (const std::string& name : entry.covers) AppendPart(out, name);
  return out;
}

std::optional<Entry> Decode(absl::string_view bytes) {
  if (bytes.empty() || (bytes[0] != kPlainChange && bytes[0] != kAny)) return std::nullopt;
  const absl::string_view all = bytes;
  bytes.remove_prefix(1);
  Entry entry;
  uint64_t version, occur_time;
  if (!TakePart(bytes, entry.organization_id) || !TakePart(bytes, entry.principal) ||
      !TakePart(bytes, entry.method) || !TakePart(bytes, entry.resource) ||
      !TakeNumber(bytes, version) || !TakeNumber(bytes, occur_time) ||
      !TakePart(bytes, entry.trace_id)) {
    return std::nullopt;
  }
  entry.version = static_cast<int64_t>(version);
  entry.occur_time = absl::FromUnixMicros(static_cast<int64_t>(occur_time));
  if (all[0] == kAny) {
    uint64_t kind, count, covers;
    if (!TakeNumber(bytes, kind) || !TakePart(bytes, entry.purpose) || !TakeNumber(bytes, count) ||
        !TakeNumber(bytes, covers) || covers > bytes.size()) {
      return std::nullopt;
    }
    entry.kind = static_cast<Kind>(kind);
    entry.count = static_cast<int64_t>(count);
    entry.covers.resize(covers);
    for (std::string& name : entry.covers) {
      if (!TakePart(bytes, name)) return std::nullopt;
    }
  }
  if (Encode(entry) != all) return std::nullopt;
  return entry;
}

std::string LeafHash(absl::string_view entry, absl::string_view salt,
                     absl::string_view content_hash) {
  std::string leaf(1, kLeaf);
  AppendPart(leaf, entry);
  AppendPart(leaf, salt);
  AppendPart(leaf, content_hash);
  return auth::Sha256(leaf);
}

void Append(sql::Transaction& tx, const Entry& entry, absl::string_view stored) {
  tx.Defer(kAppend, {sql::Text(entry.organization_id), sql::Bytes(Encode(entry)),
                     sql::Bytes(auth::Sha256(stored)), sql::Micros(entry.occur_time)});
}

namespace {

// The tree of one organisation while leaves are added to it.
struct Growing {
  Frontier frontier;

  void Add(sql::Transaction& tx, const std::string& organization_id, std::string leaf_hash) {
    frontier.Add(std::move(leaf_hash), [&](int height, int64_t index, const std::string& hash) {
      if (height % kStoredHeights != 0) return;
      tx.Defer(kAddNode, {sql::Text(organization_id), sql::Int(height / kStoredHeights),
                          sql::Int(index), sql::Bytes(hash)});
    });
  }
};

absl::StatusOr<Growing> TreeOf(sql::Transaction& tx, const sql::Result& taken, size_t row) {
  Growing tree;
  const std::string& organization_id = taken.Text(row, 1);
  if (!taken.IsNull(row, 5)) {
    std::optional<Frontier> frontier = Frontier::Parse(taken.Int(row, 5), taken.Bytes(row, 6));
    if (!frontier) {
      return errors::Internal(
          absl::StrCat("The audit tree of ", organization_id, " has a frontier of another size."));
    }
    tree.frontier = *std::move(frontier);
    return tree;
  }
  ASSIGN_OR_RETURN(const sql::Result leaves,
                   tx.Query(kEarlierLeaves, {sql::Text(organization_id)}));
  for (size_t leaf = 0; leaf < leaves.rows(); ++leaf) {
    tree.Add(tx, organization_id, leaves.Bytes(leaf, 0));
  }
  return tree;
}

}  // namespace

absl::StatusOr<int> Sequence(sql::Transaction& tx, int limit, absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result taken, tx.Query(kTake, {sql::Int(limit)}));
  std::vector<size_t> rows(taken.rows());
  for (size_t row = 0; row < rows.size(); ++row) rows[row] = row;
  std::sort(rows.begin(), rows.end(),
            [&](size_t a, size_t b) { return taken.Int(a, 0) < taken.Int(b, 0); });

  std::map<std::string, Growing> trees;
  for (size_t row : rows) {
    const std::string& organization_id = taken.Text(row, 1);
    const std::string& encoded = taken.Bytes(row, 2);
    const std::string& content_hash = taken.Bytes(row, 3);
    auto tree = trees.find(organization_id);
    if (tree == trees.end()) {
      ASSIGN_OR_RETURN(Growing grown, TreeOf(tx, taken, row));
      tree = trees.emplace(organization_id, std::move(grown)).first;
    }
    // What can't be read is kept as it is, for the verifier to tell of.
    const Entry entry = Decode(encoded).value_or(Entry());
    const std::string salt = NewSalt();
    std::string leaf_hash = LeafHash(encoded, salt, content_hash);
    tx.Defer(kAddLeaf, {sql::Text(organization_id), sql::Int(tree->second.frontier.size()),
                        sql::Bytes(encoded), sql::Bytes(content_hash), sql::Bytes(salt),
                        sql::Bytes(leaf_hash), taken.at(row, 4), sql::Micros(now),
                        sql::Int(static_cast<int64_t>(entry.kind)), sql::Text(entry.principal),
                        sql::Text(entry.resource), sql::Int(entry.version)});
    tree->second.Add(tx, organization_id, std::move(leaf_hash));
  }
  for (const auto& [organization_id, tree] : trees) {
    tx.Defer(kMoveTree, {sql::Text(organization_id), sql::Int(tree.frontier.size()),
                         sql::Bytes(tree.frontier.Root()), sql::Bytes(tree.frontier.Bytes())});
  }
  return static_cast<int>(rows.size());
}

}  // namespace rapport::audit
