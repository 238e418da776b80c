#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_IMPORT_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_IMPORT_H_

#include <cstdint>

#include "common/call/exchange.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "services/scheduling/rpc/directory_entries.h"

namespace rapport::scheduling {

// One stream of ImportDirectory. Each row is a transaction of its own, answered before the next is
// read: a client may wait for each answer, and what was answered stands whatever becomes of the
// stream. What is wrong with a row makes it FAILED; what is wrong with the service ends the stream.
class DirectoryImport final
    : public call::Exchange<v1::ImportDirectoryRequest, v1::ImportDirectoryResponse> {
 public:
  explicit DirectoryImport(sql::Database& database) : database_(database) {}

  absl::Status Take(const call::CallContext& context, const v1::ImportDirectoryRequest& request,
                    Responses& responses) override;
  absl::Status Refuse(const call::CallContext& context, const v1::ImportDirectoryRequest& request,
                      const absl::Status& fault, Responses& responses) override;
  absl::Status Finish(const call::CallContext& context, Responses& responses) override;

 private:
  template <class Entry>
  absl::StatusOr<v1::ImportOutcome> TakeEntry(const call::CallContext& context, const Entry& row,
                                              absl::string_view field, bool validate_only);
  absl::Status Answer(int64_t row, const absl::StatusOr<v1::ImportOutcome>& outcome,
                      Responses& responses);

  sql::Database& database_;
  Assumed assumed_;  // by rows that were only to be checked
  int64_t rows_done_ = 0;
  int64_t rows_failed_ = 0;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_IMPORT_H_
