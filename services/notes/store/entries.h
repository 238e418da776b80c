#ifndef RAPPORT_SERVICES_NOTES_STORE_ENTRIES_H_
#define RAPPORT_SERVICES_NOTES_STORE_ENTRIES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/entry.pb.h"
#include "services/notes/store/paging.h"

// Entries of cases, every version of each; nothing is ever changed or deleted. What they say is
// sealed (see sealed.h): with the key of whom they are about, of a couple's shared ones with the
// case's. What was sealed for someone erased since reads as `erased`, without content. The etag is
// the version. Functions that keep something return the stored bytes, for the audit entry, and
// answer kFailedPrecondition ERASED where its subject was erased.
namespace rapport::notes {

struct EntryRecord {
  v1::Entry resource;
  int64_t version = 0;
  std::string subject;
};

// Keeps a new entry of the case `of` as version 1, which it sets with the etag.
//   kFailedPrecondition ENTRY_EXISTS  a twin made one of the same unique key meanwhile
absl::StatusOr<std::string> InsertEntry(sql::Transaction& tx, const crypto::Vault& vault,
                                        const v1::Case& of, v1::Entry& entry);

// Keeps `entry` as the version after `before`'s, which it sets with the etag.
//   kAborted LOST_RACE  it has changed since
absl::StatusOr<std::string> UpdateEntry(sql::Transaction& tx, const crypto::Vault& vault,
                                        const EntryRecord& before, v1::Entry& entry);

// The newest version. kNotFound ("Entry").
absl::StatusOr<EntryRecord> GetEntry(sql::Session& session, const crypto::Vault& vault,
                                     absl::string_view name);

struct EntryQuery {
  std::vector<v1::EntryKind> kinds = {};  // none: all
  std::string view = {};  // a patient: what is in their view (see IsInViewOf); empty: all
  bool open = false;      // only those
  bool voided = false;    // also those
};

// The newest versions, oldest entry first.
absl::StatusOr<Listed<v1::Entry>> ListEntries(sql::Session& session, const crypto::Vault& vault,
                                              absl::string_view organization_id,
                                              absl::string_view case_id, const EntryQuery& query,
                                              const call::Page& page);

// All that ListEntries would list.
absl::StatusOr<std::vector<v1::Entry>> AllEntries(sql::Session& session, const crypto::Vault& vault,
                                                  absl::string_view organization_id,
                                                  absl::string_view case_id,
                                                  const EntryQuery& query);

// The versions of an entry, newest first.
absl::StatusOr<Listed<v1::Entry>> ListEntryRevisions(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view name,
                                                     const call::Page& page);

// Every version of the entries of a kind that are not voided, at most `limit`: oldest entry first,
// each from its first version on.
absl::StatusOr<std::vector<v1::Entry>> AllRevisions(sql::Session& session,
                                                    const crypto::Vault& vault,
                                                    absl::string_view organization_id,
                                                    absl::string_view case_id, v1::EntryKind kind,
                                                    int64_t limit);

// Names of the open entries of a kind, oldest first; the private ones only where `also_private`.
absl::StatusOr<std::vector<std::string>> OpenEntries(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view case_id, v1::EntryKind kind,
                                                     bool also_private);

// Whom the entries of a kind that are not voided are about, each patient once.
absl::StatusOr<std::vector<std::string>> PatientsWith(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view case_id,
                                                      v1::EntryKind kind);

// How many versions there are of all entries of a kind.
absl::StatusOr<int64_t> CountRevisions(sql::Session& session, absl::string_view organization_id,
                                       absl::string_view case_id, v1::EntryKind kind);

// When each goal of the case was set, by full name.
absl::StatusOr<std::map<std::string, absl::Time>> GoalTimes(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view case_id);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_ENTRIES_H_
