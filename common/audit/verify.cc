#include "common/audit/verify.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/audit/tree_store.h"
#include "common/auth/integrity.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::audit {
namespace {

const sql::Statement kLeaves{"audit.verify.leaves", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash, kind, principal, resource, version
  FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index >= $2 AND leaf_index < $3 ORDER BY leaf_index)sql"};

const sql::Statement kAfter{"audit.verify.after", R"sql(
  SELECT leaf_index FROM audit_leaf WHERE organization_id = $1 AND leaf_index > $2
  ORDER BY leaf_index LIMIT 1)sql"};

const sql::Statement kByHash{"audit.verify.by_hash", R"sql(
  SELECT leaf_index FROM audit_leaf WHERE organization_id = $1 AND leaf_hash = $2 LIMIT 1)sql"};

const sql::Statement kLastOf{"audit.verify.last_of", R"sql(
  SELECT max(leaf_index) FROM audit_leaf
  WHERE organization_id = $1 AND resource = $2 AND version = $3)sql"};

const sql::Statement kNewestOf{"audit.verify.newest_of", R"sql(
  SELECT entry FROM audit_leaf
  WHERE organization_id = $1 AND resource = $2 AND kind = 1
  ORDER BY version DESC LIMIT 1)sql"};

const sql::Statement kErasures{"audit.verify.erasures", R"sql(
  SELECT entry FROM audit_leaf WHERE organization_id = $1 AND kind = 4)sql"};

const sql::Statement kPending{"audit.verify.pending", R"sql(
  SELECT entry, occur_time FROM audit_pending WHERE organization_id = $1 ORDER BY id)sql"};

const sql::Statement kHeads{"audit.verify.heads", R"sql(
  SELECT tree_size, root_hash, sign_time, key_id, signature FROM audit_head
  WHERE organization_id = $1 AND tree_size > $2 ORDER BY tree_size LIMIT $3)sql"};

constexpr absl::Duration kSequencedWithin = absl::Minutes(1);

class Verification {
 public:
  Verification(sql::Session& session, absl::string_view organization_id,
               const std::vector<RecordKind>& kinds, const Expectation& expectation,
               Progress& progress)
      : session_(session),
        organization_id_(organization_id),
        kinds_(kinds),
        expectation_(expectation),
        progress_(progress) {}

  absl::StatusOr<Findings> Run(const Stretch& stretch) {
    const int64_t begin = progress_.frontier.size();
    ASSIGN_OR_RETURN(const TreeState tree, ReadTree(session_, organization_id_));
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session_.Query(kLeaves, {Organization(), sql::Int(begin),
                                              sql::Int(begin + stretch.limit)}));
    RETURN_IF_ERROR(ReadHeads(begin, stretch.limit));
    RETURN_IF_ERROR(ReadErasures());
    RETURN_IF_ERROR(ReadPending());
    RETURN_IF_ERROR(ReadNodes(begin, begin + static_cast<int64_t>(rows.rows())));
    for (size_t row = 0; row < rows.rows(); ++row) {
      if (row > 0 && absl::Now() >= stretch.until) return findings_;
      RETURN_IF_ERROR(CheckLeaf(rows, row));
      if (findings_.fault) return findings_;
    }
    const int64_t end = progress_.frontier.size();
    ASSIGN_OR_RETURN(const sql::Result more,
                     session_.Query(kAfter, {Organization(), sql::Int(end - 1)}));
    if (!more.empty()) {
      if (more.Int(0, 0) > end) MissingLeaf(end);
      return findings_;
    }
    RETURN_IF_ERROR(CheckEnd(tree, end, stretch.now));
    findings_.done = true;
    return findings_;
  }

 private:
  sql::Value Organization() const { return sql::Text(organization_id_); }

  void Bad(FaultKind kind, int64_t leaf_index, int64_t last_suspect, absl::string_view resource,
           std::string detail) {
    findings_.fault =
        Fault{kind, leaf_index, last_suspect, std::string(resource), std::move(detail)};
  }
  void Bad(FaultKind kind, int64_t leaf_index, absl::string_view resource, std::string detail) {
    Bad(kind, leaf_index, leaf_index, resource, std::move(detail));
  }

  void MissingLeaf(int64_t index) {
    Bad(FaultKind::kEntryDeleted, index, "", "There is no such leaf, but there are later ones.");
  }

  absl::Status ReadHeads(int64_t begin, int64_t limit) {
    heads_ = expectation_.heads;
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session_.Query(kHeads, {Organization(), sql::Int(begin), sql::Int(limit)}));
    for (size_t row = 0; row < rows.rows(); ++row) {
      heads_.push_back({.organization_id = organization_id_,
                        .service = service(),
                        .tree_size = rows.Int(row, 0),
                        .root_hash = rows.Bytes(row, 1),
                        .sign_time = rows.Time(row, 2),
                        .key_id = rows.Text(row, 3),
                        .signature = rows.Bytes(row, 4)});
    }
    std::stable_sort(heads_.begin(), heads_.end(),
                     [](const Head& a, const Head& b) { return a.tree_size < b.tree_size; });
    next_head_ =
        static_cast<size_t>(std::find_if(heads_.begin(), heads_.end(),
                                         [&](const Head& head) { return head.tree_size > begin; }) -
                            heads_.begin());
    return absl::OkStatus();
  }

  const std::string& service() const { return expectation_.service; }

  absl::Status ReadErasures() {
    ASSIGN_OR_RETURN(const sql::Result rows, session_.Query(kErasures, {Organization()}));
    for (size_t row = 0; row < rows.rows(); ++row) {
      const std::optional<Entry> entry = Decode(rows.Bytes(row, 0));
      if (!entry) continue;
      for (absl::string_view name : entry->covers) {
        if (absl::ConsumeSuffix(&name, "*")) {
          covered_below_.emplace_back(name);
        } else {
          covered_.emplace(name);
        }
      }
    }
    return absl::OkStatus();
  }

  bool IsErased(const std::string& resource) const {
    return covered_.count(resource) > 0 || std::any_of(covered_below_.begin(), covered_below_.end(),
                                                       [&](const std::string& prefix) {
                                                         return absl::StartsWith(resource, prefix);
                                                       });
  }

  absl::Status ReadPending() {
    ASSIGN_OR_RETURN(const sql::Result rows, session_.Query(kPending, {Organization()}));
    for (size_t row = 0; row < rows.rows(); ++row) {
      if (const std::optional<Entry> entry = Decode(rows.Bytes(row, 0))) {
        pending_.emplace(entry->resource, entry->version);
        if (const RecordKind* kind = KindOf(entry->resource); kind && Deletes(*kind, *entry)) {
          deletions_pending_.insert(entry->resource);
        }
      }
      oldest_pending_ = std::min(oldest_pending_, rows.Time(row, 1));
    }
    return absl::OkStatus();
  }

  // The stored nodes that leaves [begin, end) complete.
  absl::Status ReadNodes(int64_t begin, int64_t end) {
    for (int level = 1; end >> (level * kStoredHeights) > 0; ++level) {
      const int shift = level * kStoredHeights;
      const int64_t first = begin >> shift;
      ASSIGN_OR_RETURN(const std::vector<std::string> hashes,
                       ReadLevel(session_, organization_id_, level, first, (end >> shift) - first));
      for (size_t i = 0; i < hashes.size(); ++i) {
        nodes_[{level, first + static_cast<int64_t>(i)}] = hashes[i];
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckLeaf(const sql::Result& rows, size_t row) {
    const int64_t index = progress_.frontier.size();
    if (rows.Int(row, 0) != index) {
      MissingLeaf(index);
      return absl::OkStatus();
    }
    const std::string& encoded = rows.Bytes(row, 1);
    const std::string& content_hash = rows.Bytes(row, 2);
    const std::string& stored_hash = rows.Bytes(row, 4);
    const std::string hash = LeafHash(encoded, rows.Bytes(row, 3), content_hash);
    const std::optional<Entry> entry = Decode(encoded);
    const std::string resource = entry ? entry->resource : "";
    const auto anchored = expectation_.leaf_hashes.find(index);
    const bool is_anchored = anchored != expectation_.leaf_hashes.end();
    if (is_anchored && anchored->second != hash) {
      return CheckMisplaced(index, hash, stored_hash, anchored->second, resource);
    }
    if (hash != stored_hash || !entry || entry->organization_id != organization_id_) {
      Bad(FaultKind::kEntryEdited, index, resource, "The entry does not make the leaf's hash.");
      return absl::OkStatus();
    }
    if (!IndexedAs(rows, row, *entry)) {
      Bad(FaultKind::kEntryEdited, index, resource, "The entry is filed as another.");
      return absl::OkStatus();
    }
    if (entry->kind == Kind::kChange) {
      RETURN_IF_ERROR(CheckRecord(index, *entry, content_hash));
      if (findings_.fault) return absl::OkStatus();
    }
    progress_.frontier.Add(hash, [&](int height, int64_t number, const std::string& node) {
      if (height % kStoredHeights != 0 || findings_.fault) return;
      const auto stored = nodes_.find({height / kStoredHeights, number});
      if (stored != nodes_.end() && stored->second == node) return;
      Bad(FaultKind::kTreeEdited, number << height, index, "",
          absl::StrCat("The stored node ", number, " over ", int64_t{1} << height,
                       " leaves is not what they make."));
    });
    if (!findings_.fault) CheckHeads(is_anchored);
    return absl::OkStatus();
  }

  // Leaf `index` is not what was anchored. Is it another leaf, moved here?
  absl::Status CheckMisplaced(int64_t index, const std::string& hash,
                              const std::string& stored_hash, const std::string& anchored,
                              const std::string& resource) {
    const bool moved = std::any_of(expectation_.leaf_hashes.begin(), expectation_.leaf_hashes.end(),
                                   [&](const auto& other) { return other.second == hash; });
    if (moved) {
      ASSIGN_OR_RETURN(const sql::Result elsewhere,
                       session_.Query(kByHash, {Organization(), sql::Bytes(anchored)}));
      if (elsewhere.empty()) {
        Bad(FaultKind::kEntryDeleted, index, "", "The anchored leaf is gone; later ones moved up.");
      } else {
        Bad(FaultKind::kReordered, index, resource,
            absl::StrCat("The leaf that was anchored here is now leaf ", elsewhere.Int(0, 0), "."));
      }
    } else if (hash != stored_hash) {
      Bad(FaultKind::kEntryEdited, index, resource, "The entry does not make the leaf's hash.");
    } else {
      Bad(FaultKind::kRebuilt, index, resource,
          "The leaf is whole in itself but not the one that was anchored.");
    }
    return absl::OkStatus();
  }

  // Leaves from before there were such columns have none, all later ones have them.
  bool IndexedAs(const sql::Result& rows, size_t row, const Entry& entry) {
    if (rows.IsNull(row, 5) && rows.IsNull(row, 6) && rows.IsNull(row, 7) && rows.IsNull(row, 8)) {
      return !progress_.indexed;
    }
    progress_.indexed = true;
    return !rows.IsNull(row, 5) && !rows.IsNull(row, 6) && !rows.IsNull(row, 7) &&
           !rows.IsNull(row, 8) && rows.Int(row, 5) == static_cast<int64_t>(entry.kind) &&
           rows.Text(row, 6) == entry.principal && rows.Text(row, 7) == entry.resource &&
           rows.Int(row, 8) == entry.version;
  }

  const RecordKind* KindOf(const std::string& resource) const {
    for (const RecordKind& kind : kinds_) {
      if (names::Matches(kind.pattern, resource)) return &kind;
    }
    return nullptr;
  }

  // Whether an entry tells of the resource at this version, later than leaf `index`.
  absl::StatusOr<bool> IsToldLater(int64_t index, const std::string& resource, int64_t version) {
    if (pending_.count({resource, version}) > 0) return true;
    ASSIGN_OR_RETURN(
        const sql::Result last,
        session_.Query(kLastOf, {Organization(), sql::Text(resource), sql::Int(version)}));
    return !last.IsNull(0, 0) && last.Int(0, 0) > index;
  }

  static bool IsOneOf(const std::vector<std::string>& methods, const Entry& entry) {
    return std::any_of(methods.begin(), methods.end(), [&](const std::string& method) {
      return names::Last(entry.method) == method;
    });
  }
  static bool Deletes(const RecordKind& kind, const Entry& entry) {
    return IsOneOf(kind.deleted_by, entry);
  }

  // Whether the last that is told of the resource is that it was deleted.
  absl::StatusOr<bool> WasDeleted(const RecordKind& kind, const std::string& resource) {
    if (kind.deleted_by.empty()) return false;
    if (deletions_pending_.count(resource) > 0) return true;
    ASSIGN_OR_RETURN(const sql::Result newest,
                     session_.Query(kNewestOf, {Organization(), sql::Text(resource)}));
    if (newest.empty()) return false;
    const std::optional<Entry> entry = Decode(newest.Bytes(0, 0));
    return entry && Deletes(kind, *entry);
  }

  absl::Status CheckRecord(int64_t index, const Entry& entry, const std::string& content_hash) {
    const RecordKind* kind = KindOf(entry.resource);
    const bool by_pieces = kind != nullptr && !kind->pieces_of.empty();
    if (kind == nullptr || (by_pieces && !IsOneOf(kind->pieces_of, entry)) ||
        Deletes(*kind, entry)) {
      ++findings_.uncompared;
      return absl::OkStatus();
    }
    std::vector<sql::Value> ids;
    const std::vector<absl::string_view> segments = absl::StrSplit(entry.resource, '/');
    const std::vector<absl::string_view> places = absl::StrSplit(kind->pattern, '/');
    for (size_t i = 0; i < segments.size(); ++i) {
      if (absl::StartsWith(places[i], "{")) ids.push_back(sql::Text(segments[i]));
    }
    if (kind->each_version) ids.push_back(sql::Int(entry.version));
    ASSIGN_OR_RETURN(const sql::Result rows, session_.Query(*kind->read, ids));
    if (rows.empty()) {
      ASSIGN_OR_RETURN(const bool deleted, WasDeleted(*kind, entry.resource));
      if (deleted || IsErased(entry.resource)) {
        ++findings_.uncompared;
      } else {
        Bad(FaultKind::kRecordDeleted, index, entry.resource,
            "The record is gone, and no entry tells of a deletion or erasure.");
      }
      return absl::OkStatus();
    }
    for (size_t row = 0; row < rows.rows(); ++row) {
      std::string stored = kind->content != nullptr ? kind->content(rows, row) : "";
      for (int column = 1; column <= kind->columns && kind->content == nullptr; ++column) {
        if (!rows.IsNull(row, column)) stored += rows.Bytes(row, column);
      }
      if ((by_pieces || rows.Int(row, 0) == entry.version) &&
          auth::Sha256(stored) == content_hash) {
        ++findings_.records;
        return absl::OkStatus();
      }
    }
    if (by_pieces) {
      if (IsErased(entry.resource)) {
        ++findings_.uncompared;
      } else {
        Bad(FaultKind::kRecordEdited, index, entry.resource,
            "None of what is stored of it is what this entry covers.");
      }
      return absl::OkStatus();
    }
    const int64_t version = rows.Int(0, 0);
    if (version < entry.version) {
      Bad(FaultKind::kRecordEdited, index, entry.resource,
          absl::StrCat("Version ", entry.version, " was taken back to ", version, "."));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const bool told, IsToldLater(index, entry.resource, version));
    if (told || IsErased(entry.resource)) {
      ++findings_.uncompared;
    } else if (version == entry.version) {
      Bad(FaultKind::kRecordEdited, index, entry.resource,
          absl::StrCat("What is stored as version ", version, " is not what this entry covers."));
    } else if (progress_.untold_leaf < 0) {
      progress_.untold_leaf = index;
      progress_.untold_resource = entry.resource;
    }
    return absl::OkStatus();
  }

  // Holds the leaves so far to the heads of this size.
  void CheckHeads(bool is_anchored) {
    const int64_t size = progress_.frontier.size();
    for (; next_head_ < heads_.size() && heads_[next_head_].tree_size == size; ++next_head_) {
      const Head& head = heads_[next_head_];
      const int64_t first = std::min(progress_.good_head, size - 1);
      if (!IsTrusted(head, *expectation_.trusted)) {
        return Bad(FaultKind::kUntrustedKey, first, size - 1, "",
                   absl::StrCat("No trusted key signed the head of ", size, " leaves."));
      }
      if (head.root_hash != progress_.frontier.Root()) {
        return Bad(FaultKind::kRebuilt, first, size - 1, "",
                   is_anchored ? "The leaves do not make the signed root; each is as anchored."
                               : "The leaves do not make the signed root.");
      }
      ++progress_.verified_heads;
      progress_.good_head = size;
    }
  }

  absl::Status CheckEnd(const TreeState& tree, int64_t end, absl::Time now) {
    int64_t expected = expectation_.size;
    if (!heads_.empty()) expected = std::max(expected, heads_.back().tree_size);
    if (std::max(tree.size, expected) > end) {
      for (size_t i = next_head_; i < heads_.size(); ++i) {
        if (IsTrusted(heads_[i], *expectation_.trusted)) continue;
        Bad(FaultKind::kUntrustedKey, progress_.good_head, heads_[i].tree_size - 1, "",
            absl::StrCat("No trusted key signed the head of ", heads_[i].tree_size, " leaves."));
        return absl::OkStatus();
      }
      Bad(FaultKind::kTruncated, end, std::max(tree.size, expected) - 1, "",
          absl::StrCat("The log ends after ", end, " leaves; there were ",
                       std::max(tree.size, expected), "."));
      return absl::OkStatus();
    }
    if (tree.size != end || tree.root != progress_.frontier.Root()) {
      const int64_t first = std::min(tree.size, end);
      Bad(FaultKind::kTreeEdited, first, std::max(first, end - 1), "",
          "The stored size and root are not those of the leaves.");
      return absl::OkStatus();
    }
    if (progress_.untold_leaf >= 0) {
      Bad(FaultKind::kRecordEdited, progress_.untold_leaf, progress_.untold_resource,
          "It is stored at a later version, of which no entry tells.");
      return absl::OkStatus();
    }
    if (oldest_pending_ + kSequencedWithin < now) {
      Bad(FaultKind::kUnsequenced, end, "", "Entries wait for more than a minute.");
      return absl::OkStatus();
    }
    for (const RecordKind& kind : kinds_) {
      if (kind.unaudited == nullptr) continue;
      ASSIGN_OR_RETURN(const sql::Result rows, session_.Query(*kind.unaudited, {Organization()}));
      for (size_t row = 0; row < rows.rows(); ++row) {
        if (pending_.count({rows.Text(row, 0), rows.Int(row, 1)}) > 0) continue;
        Bad(FaultKind::kRecordWithoutEntry, end, rows.Text(row, 0),
            absl::StrCat("No entry tells of version ", rows.Int(row, 1), "."));
        return absl::OkStatus();
      }
    }
    return absl::OkStatus();
  }

  sql::Session& session_;
  const std::string organization_id_;
  const std::vector<RecordKind>& kinds_;
  const Expectation& expectation_;
  Progress& progress_;
  Findings findings_;
  std::vector<Head> heads_;
  size_t next_head_ = 0;
  std::set<std::string> covered_;
  std::vector<std::string> covered_below_;
  std::set<std::pair<std::string, int64_t>> pending_;
  std::set<std::string> deletions_pending_;
  absl::Time oldest_pending_ = absl::InfiniteFuture();
  std::map<std::pair<int, int64_t>, std::string> nodes_;  // level, number
};

}  // namespace

std::string Progress::Bytes() const {
  return absl::StrCat(frontier.size(), "\n", good_head, "\n", verified_heads, "\n", indexed ? 1 : 0,
                      "\n", untold_leaf, "\n", untold_resource, "\n", frontier.Bytes());
}

std::optional<Progress> Progress::Parse(absl::string_view bytes) {
  const std::vector<absl::string_view> parts = absl::StrSplit(bytes, absl::MaxSplits('\n', 6));
  Progress progress;
  int64_t size = 0;
  int indexed = 0;
  if (parts.size() != 7 || !absl::SimpleAtoi(parts[0], &size) ||
      !absl::SimpleAtoi(parts[1], &progress.good_head) ||
      !absl::SimpleAtoi(parts[2], &progress.verified_heads) ||
      !absl::SimpleAtoi(parts[3], &indexed) || !absl::SimpleAtoi(parts[4], &progress.untold_leaf)) {
    return std::nullopt;
  }
  std::optional<Frontier> frontier = Frontier::Parse(size, parts[6]);
  if (!frontier) return std::nullopt;
  progress.frontier = *std::move(frontier);
  progress.indexed = indexed != 0;
  progress.untold_resource = std::string(parts[5]);
  return progress;
}

absl::StatusOr<Findings> Verify(sql::Session& session, absl::string_view organization_id,
                                const std::vector<RecordKind>& kinds,
                                const Expectation& expectation, const Stretch& stretch,
                                Progress& progress) {
  return Verification(session, organization_id, kinds, expectation, progress).Run(stretch);
}

}  // namespace rapport::audit
