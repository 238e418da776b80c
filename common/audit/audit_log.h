#ifndef RAPPORT_COMMON_AUDIT_AUDIT_LOG_H_
#define RAPPORT_COMMON_AUDIT_AUDIT_LOG_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"

// Who did what to which resource: a log that shows whatever is changed in it later, one for each
// organisation at each service.
//
// An entry is inserted unnumbered, in the transaction of the change that it tells of, and waits in
// no queue for another transaction: writers share no row and no lock. Within a second the
// sequencer, one replica at a time, numbers what is committed, a thousand entries a transaction,
// and adds them as leaves to the organisation's Merkle tree (tree.h), whose frontier it keeps, so
// that adding a leaf costs one hash and one row, and one more row for every 15.
namespace rapport::audit {

// As AuditKind of the API.
enum class Kind : int64_t { kChange = 1, kAccess = 2, kDenial = 3, kErasure = 4 };

struct Entry {
  std::string organization_id;
  std::string principal;  // subject of the token
  std::string method;     // "rapport.notes.v1.NoteService/SignNote"
  std::string resource;   // name
  int64_t version = 0;
  absl::Time occur_time;  // domain clock
  std::string trace_id;
  Kind kind = Kind::kChange;
  std::string purpose = "";              // of a read out of the usual; of a denial, its code
  int64_t count = 1;                     // how often
  std::vector<std::string> covers = {};  // of an erasure: names; one that ends in "/*" covers below
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Appends a pending entry; deferred to the transaction's next round trip. `stored` is what the
// change stored; its SHA-256 goes into the entry's leaf, so that a later edit of the row shows.
void Append(sql::Transaction& tx, const Entry& entry, absl::string_view stored);

// Makes at most `limit` pending entries leaves, dense from 0 in each organisation, in the order of
// their insertion; runs inside the sequencer's transaction. Returns how many.
absl::StatusOr<int> Sequence(sql::Transaction& tx, int limit, absl::Time now);

// The bytes in which an entry is kept: a version byte, then each field behind its length.
std::string Encode(const Entry& entry);
// Nothing unless Encode() made `bytes`.
std::optional<Entry> Decode(absl::string_view bytes);

// What the organisation's tree holds of an entry (RFC 6962): SHA-256 of 0x00, then `entry` as
// encoded, its 16-byte `salt` and `content_hash`, the SHA-256 of what was stored, each behind its
// length. An auditor makes it again from the stored row.
std::string LeafHash(absl::string_view entry, absl::string_view salt,
                     absl::string_view content_hash);

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_AUDIT_LOG_H_
