#ifndef RAPPORT_SERVICES_NOTES_RPC_FIDELITY_RECORD_H_
#define RAPPORT_SERVICES_NOTES_RPC_FIDELITY_RECORD_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/names/names.h"
#include "common/sql/database.h"
#include "services/notes/domain/fidelity.h"

namespace rapport::notes {

// Reads what the fidelity of a case is reckoned from. Says nothing of who may see it. Lives no
// longer than the session.
class FidelityRecord {
 public:
  FidelityRecord(sql::Session& session, const crypto::Vault& vault, const care::CourseFacts& course)
      : session_(session), vault_(vault), course_(course) {}

  // What bears on all sessions. kNotFound ("Case").
  absl::StatusOr<FidelityCase> Case();

  // A session, by its signed note.
  absl::StatusOr<FidelitySession> Session(v1::Note note);

  // Who of the readers sees a session's fidelity.
  struct Viewer {
    bool own = false;  // the clinician whose sessions they are; else one of their supervisors
    absl::Time now;
  };
  // The sessions that `clinician` held, by what `viewer` may see.
  absl::StatusOr<CourseRecord> Course(const std::string& clinician, const Viewer& viewer);

 private:
  sql::Session& session_;
  const crypto::Vault& vault_;
  const care::CourseFacts& course_;
  const std::string organization_id_{names::OrganizationId(course_.course)};
  const std::string case_id_{names::Last(course_.course)};
  std::optional<v1::NotePolicy> policy_;               // of the clinic, once read
  std::map<std::string, v1::NoteTemplate> templates_;  // own ones, once read
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_FIDELITY_RECORD_H_
