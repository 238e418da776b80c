#ifndef RAPPORT_SERVICES_NOTES_RPC_EXPORT_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_EXPORT_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/export_service.pb.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/review_loader.h"

namespace rapport::notes {

// ExportService: what each method does and answers is written in export_service.proto.
class ExportHandlers {
 public:
  ExportHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault,
                 call::Peer& assessment)
      : loader_(database, access, vault, assessment), assessment_(assessment) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::ExportCaseResponse> ExportCase(const call::CallContext& context,
                                                    const v1::ExportCaseRequest& request);
  absl::StatusOr<v1::ExportCaseInPagesResponse> ExportCaseInPages(
      const call::CallContext& context, const v1::ExportCaseInPagesRequest& request);
  absl::StatusOr<v1::RenderedDocument> RenderCaseSummary(
      const call::CallContext& context, const v1::RenderCaseSummaryRequest& request);
  absl::StatusOr<v1::RenderedDocument> RenderBooklet(const call::CallContext& context,
                                                     const v1::RenderBookletRequest& request);

 private:
  // The file for a document that leaves the service.
  absl::StatusOr<LoadedFile> LoadFor(const call::CallContext& context, absl::string_view case_name,
                                     absl::string_view patient, const FileParts& parts) const;

  // The bundle, with all that goes with it, as of `now`; of any size.
  template <class Request>
  absl::StatusOr<v1::ExportCaseResponse> Bundle(const call::CallContext& context,
                                                const Request& request, absl::Time now) const;

  const ReviewLoader loader_;
  call::Peer& assessment_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_EXPORT_HANDLERS_H_
