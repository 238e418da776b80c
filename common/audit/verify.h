#ifndef RAPPORT_COMMON_AUDIT_VERIFY_H_
#define RAPPORT_COMMON_AUDIT_VERIFY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/audit/heads.h"
#include "common/audit/tree.h"
#include "common/auth/keys.h"
#include "common/sql/database.h"

// Hashes an organisation's log again, and the records that it covers as they are stored.
namespace rapport::audit {

// How the records of one kind are stored. Each service declares those that its entries cover.
struct RecordKind {
  // Of names, as "organizations/{organization}/cases/{case}/notes/{note}".
  std::string pattern;
  // Binds the ids of the pattern, the organisation's first, and with `each_version` the version.
  // Returns (version, what its entry covers) of at most one row, but see `pieces_of`.
  const sql::Statement* read;
  // Over how many columns lies what the entry covers; NULLs are passed over.
  int columns = 1;
  // Makes what the entry covers of a row, where no column holds just that; null: `columns` says.
  std::function<std::string(const sql::Result& rows, size_t row)> content = nullptr;
  // Whether every version stays as it was, or only the newest is there.
  bool each_version = false;
  // Of a record that grows by pieces, each kept for ever: the methods whose entries each cover one
  // of the rows that `read` then returns, whatever their version. Entries of other methods, as of
  // drafts, are not compared.
  std::vector<std::string> pieces_of = {};
  // The methods that delete it: a row is rightly gone if the newest entry of it is of one of them.
  // What such an entry covers is not stored and not compared.
  std::vector<std::string> deleted_by = {};
  // Binds the organisation; returns (name, version) of a row without an entry, if there is one. A
  // join with audit_leaf by (organization_id, resource, version). Null: not looked for.
  const sql::Statement* unaudited = nullptr;
};

// As AuditFaultKind of the API.
enum class FaultKind {
  kEntryEdited = 1,
  kRecordEdited = 2,
  kRecordDeleted = 3,
  kEntryDeleted = 4,
  kReordered = 5,
  kTruncated = 6,
  kRebuilt = 7,
  kUntrustedKey = 8,
  kTreeEdited = 9,
  kUnsequenced = 10,
  kRecordWithoutEntry = 11,
};

struct Fault {
  FaultKind kind;
  int64_t leaf_index;    // the first bad leaf, or the first that may be it
  int64_t last_suspect;  // and the last
  std::string resource;
  std::string detail;
};

// What the log is held to.
struct Expectation {
  const auth::KeySet* trusted;
  std::string service;                         // whose log it is
  std::vector<Head> heads;                     // of the stretch looked at, by size
  std::map<int64_t, std::string> leaf_hashes;  // anchored, of the stretch looked at; may be partial
  int64_t size = 0;                            // the log must be at least this long
};

// How far a verification has come; what goes from one stretch to the next.
struct Progress {
  Frontier frontier;      // of the leaves that are done
  int64_t good_head = 0;  // size of the last head that they fitted
  int64_t verified_heads = 0;
  bool indexed = false;  // a leaf that says by itself what it is found by was seen
  // The first change whose record is stored at a later version that no entry tells of. Told at the
  // end, as it may be that the log was cut off.
  int64_t untold_leaf = -1;
  std::string untold_resource;

  std::string Bytes() const;
  static std::optional<Progress> Parse(absl::string_view bytes);
};

struct Findings {
  int64_t records = 0;     // hashed again and right
  int64_t uncompared = 0;  // changed since, erased, or of no kind that was given
  std::optional<Fault> fault;
  bool done = false;  // the end was reached
};

struct Stretch {
  int64_t limit = 5000;                       // leaves
  absl::Time until = absl::InfiniteFuture();  // real clock: looks at no further leaf then
  absl::Time now;                             // domain clock
};

// Goes on from `progress`, in one snapshot. Stops at the first fault.
absl::StatusOr<Findings> Verify(sql::Session& session, absl::string_view organization_id,
                                const std::vector<RecordKind>& kinds,
                                const Expectation& expectation, const Stretch& stretch,
                                Progress& progress);

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_VERIFY_H_
