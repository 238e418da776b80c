#ifndef RAPPORT_SERVICES_NOTES_RPC_ENTRY_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_ENTRY_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// CaseEntryService: what each method does and answers is written in entry_service.proto.
class EntryHandlers {
 public:
  EntryHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Entry> CreateEntry(const call::CallContext& context,
                                        const v1::CreateEntryRequest& request);
  absl::StatusOr<v1::Entry> ReviseEntry(const call::CallContext& context,
                                        const v1::ReviseEntryRequest& request);
  absl::StatusOr<v1::Entry> VoidEntry(const call::CallContext& context,
                                      const v1::VoidEntryRequest& request);
  absl::StatusOr<v1::Entry> GetEntry(const call::CallContext& context,
                                     const v1::GetEntryRequest& request);
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const call::CallContext& context,
                                                      const v1::ListEntriesRequest& request);
  absl::StatusOr<v1::ListEntryRevisionsResponse> ListEntryRevisions(
      const call::CallContext& context, const v1::ListEntryRevisionsRequest& request);
  absl::StatusOr<v1::ClosingObstacles> GetClosingObstacles(
      const call::CallContext& context, const v1::GetClosingObstaclesRequest& request);

 private:
  absl::StatusOr<v1::Entry> ReadEntry(sql::Session& session, const call::CallContext& context,
                                      absl::string_view name) const;

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_ENTRY_HANDLERS_H_
