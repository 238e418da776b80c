#include "common/audit/audit_log.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "common/auth/integrity.h"
#include "common/errors/status_macros.h"

namespace rapport::audit {
namespace {

const sql::Statement kAppend{"audit.append", R"sql(
  INSERT INTO audit_pending (organization_id, entry, content_hash, occur_time)
  VALUES ($1, $2, $3, $4))sql"};

// Each row comes with the number of leaves that its organisation has already.
const sql::Statement kTake{"audit.take", R"sql(
  DELETE FROM audit_pending WHERE id IN (SELECT id FROM audit_pending ORDER BY id LIMIT $1)
  RETURNING id, organization_id, entry, content_hash, occur_time,
    (SELECT coalesce(max(leaf.leaf_index) + 1, 0) FROM audit_leaf AS leaf
     WHERE leaf.organization_id = audit_pending.organization_id))sql",
                           sql::Reach::kFeed};

const sql::Statement kAddLeaf{"audit.add_leaf", R"sql(
  INSERT INTO audit_leaf (organization_id, leaf_index, entry, content_hash, salt, leaf_hash,
                          occur_time, sequence_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",
                              sql::Reach::kFeed};

constexpr char kVersion = 1;
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
  std::string out(1, kVersion);
  AppendPart(out, entry.organization_id);
  AppendPart(out, entry.principal);
  AppendPart(out, entry.method);
  AppendPart(out, entry.resource);
  AppendNumber(out, static_cast<uint64_t>(entry.version));
  AppendNumber(out, static_cast<uint64_t>(absl::ToUnixMicros(entry.occur_time)));
  AppendPart(out, entry.trace_id);
  return out;
}

std::optional<Entry> Decode(absl::string_view bytes) {
  if (bytes.empty() || bytes[0] != kVersion) return std::nullopt;
  bytes.remove_prefix(1);
  Entry entry;
  uint64_t version, occur_time;
  if (!TakePart(bytes, entry.organization_id) || !TakePart(bytes, entry.principal) ||
      !TakePart(bytes, entry.method) || !TakePart(bytes, entry.resource) ||
      !TakeNumber(bytes, version) || !TakeNumber(bytes, occur_time) ||
      !TakePart(bytes, entry.trace_id) || !bytes.empty()) {
    return std::nullopt;
  }
  entry.version = static_cast<int64_t>(version);
  entry.occur_time = absl::FromUnixMicros(static_cast<int64_t>(occur_time));
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

absl::StatusOr<int> Sequence(sql::Transaction& tx, int limit, absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result taken, tx.Query(kTake, {sql::Int(limit)}));
  std::vector<size_t> rows(taken.rows());
  for (size_t row = 0; row < rows.size(); ++row) rows[row] = row;
  std::sort(rows.begin(), rows.end(),
            [&](size_t a, size_t b) { return taken.Int(a, 0) < taken.Int(b, 0); });

  std::map<std::string, int64_t> next;
  for (size_t row : rows) {
    const std::string& organization = taken.Text(row, 1);
    const std::string& entry = taken.Bytes(row, 2);
    const std::string& content_hash = taken.Bytes(row, 3);
    int64_t& index = next.try_emplace(organization, taken.Int(row, 5)).first->second;
    const std::string salt = NewSalt();
    tx.Defer(kAddLeaf,
             {sql::Text(organization), sql::Int(index++), sql::Bytes(entry),
              sql::Bytes(content_hash), sql::Bytes(salt),
              sql::Bytes(LeafHash(entry, salt, content_hash)), taken.at(row, 4), sql::Micros(now)});
  }
  return static_cast<int>(rows.size());
}

}  // namespace rapport::audit
