#ifndef RAPPORT_COMMON_AUDIT_AUDIT_LOG_H_
#define RAPPORT_COMMON_AUDIT_AUDIT_LOG_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"

// Who did what to which resource, appended in the change's own transaction and moved by the
// sequencer into a dense, tamper-evident log of the organisation.
namespace rapport::audit {

struct Entry {
  std::string organization_id;
  std::string principal;  // subject of the token
  std::string method;     // "rapport.notes.v1.NoteService/SignNote"
  std::string resource;   // name
  int64_t version = 0;
  absl::Time occur_time;  // domain clock
  std::string trace_id;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Appends a pending entry; deferred to the transaction's next round trip. `stored` is what the
// change stored; its SHA-256 goes into the entry's leaf, so that a later edit of the row shows.
void Append(sql::Transaction& tx, const Entry& entry, absl::string_view stored);

// Numbers at most `limit` pending entries, dense from 0 in each organisation, in the order of their
// insertion; runs inside the sequencer's transaction. Returns how many.
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
