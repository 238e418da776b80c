#ifndef RAPPORT_SERVICES_NOTES_RPC_REVIEW_LOADER_H_
#define RAPPORT_SERVICES_NOTES_RPC_REVIEW_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "services/notes/domain/case_file.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// What of a case file is wanted besides case, course, sittings and entries.
struct FileParts {
  bool clinical = false;       // goals, formulations, determinations, risk, safety plan, screens
  bool notes = false;          // signed notes
  bool disclosure = false;     // labels, consents
  bool relationships = false;  // every version of the inventory, into LoadedFile::relationships
  bool progress = false;       // of each patient; asks assessment, as do those below
  bool alerts = false;
  bool forms = false;  // assessments with their instruments
};

struct LoadedFile {
  CaseFile file;
  std::vector<v1::Entry> relationships;  // oldest version of each first
  bool treats = false;                   // the caller
};

// Reads a case file as its reviews and documents need it: this service's part in one transaction
// with the decision on access, then the other service's. What a service that can't be asked would
// have told is left out, and the service named in CaseFile::unavailable_sources. Thread-safe.
class ReviewLoader {
 public:
  ReviewLoader(sql::Database& database, const Access& access, const crypto::Vault& vault,
               call::Peer& assessment)
      : database_(database), access_(access), vault_(vault), assessment_(assessment) {}

  // Errors are those of Access::RequireCase; also
  //   kInvalidArgument `patient_field`  `patient` is no patient of the case, or is empty where the
  //                                     case is of a couple and `patient_needed`
  // On return CaseFile::zone is that of `patient`, of the case's patient where it is empty.
  absl::StatusOr<LoadedFile> Load(const call::CallContext& context, absl::string_view case_name,
                                  const FileParts& parts, Purpose purpose,
                                  absl::string_view patient, absl::string_view patient_field,
                                  bool patient_needed) const;

 private:
  absl::Status ReadOwn(sql::Session& session, const call::CallContext& context,
                       absl::string_view case_name, const FileParts& parts, Purpose purpose,
                       LoadedFile& loaded) const;
  absl::Status AskProgress(const call::CallContext& context, CaseFile& file) const;
  absl::Status AskAlerts(const call::CallContext& context, CaseFile& file) const;
  absl::Status AskForms(const call::CallContext& context, CaseFile& file) const;

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
  call::Peer& assessment_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_REVIEW_LOADER_H_
