#include "services/scheduling/rpc/directory_import.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/scheduling/domain/directory.h"
#include "services/scheduling/rpc/access.h"

namespace rapport::scheduling {
namespace {

// Whether the row is to blame, not the service.
bool IsOfTheRow(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

}  // namespace

template <class Entry>
absl::StatusOr<v1::ImportOutcome> DirectoryImport::TakeEntry(const call::CallContext& context,
                                                             const Entry& row,
                                                             absl::string_view field,
                                                             bool validate_only) {
  const std::string name_field = absl::StrCat(field, ".name");
  RETURN_IF_ERROR(RequireName(row.name(), name_field));
  ASSIGN_OR_RETURN(Entry wanted, Said(row));
  const std::string said = wanted.SerializeAsString();
  wanted.set_name(row.name());
  auto outcome = v1::IMPORT_OUTCOME_UNSPECIFIED;
  const absl::Status status = call::MutateRaw(
      database_, context, "", [](sql::Session&, absl::string_view) { return absl::OkStatus(); },
      [&](call::Change& change) -> absl::Status {
        change.tx().Lock({row.name()});
        absl::StatusOr<store::Stored<Entry>> stored = Table<Entry>::Get(change.tx(), row.name());
        if (!stored.ok() && !absl::IsNotFound(stored.status())) return stored.status();
        const store::Stored<Entry>* before = stored.ok() ? &*stored : nullptr;
        if (before == nullptr) {
          RETURN_IF_ERROR(CheckChosenId(row.name(), name_field));
          outcome = v1::IMPORT_OUTCOME_CREATED;
        } else {
          ASSIGN_OR_RETURN(const Entry known, Said(before->resource));
          if (known.SerializeAsString() == said) {
            outcome = v1::IMPORT_OUTCOME_UNCHANGED;
            return absl::OkStatus();
          }
          RETURN_IF_ERROR(call::CheckEtag(row.etag(), before->version));
          outcome = v1::IMPORT_OUTCOME_UPDATED;
        }
        if (validate_only) return Check(change, before, wanted, &assumed_);
        return Save(change, before, wanted).status();
      });
  if (!status.ok()) return status;
  if (validate_only) {
    if constexpr (std::is_same_v<Entry, v1::Clinic>) assumed_.clinics.insert(wanted.name());
    if constexpr (std::is_same_v<Entry, v1::Clinician>) {
      assumed_.clinicians[wanted.name()] = {wanted.clinics().begin(), wanted.clinics().end()};
    }
  }
  return outcome;
}

absl::Status DirectoryImport::Take(const call::CallContext& context,
                                   const v1::ImportDirectoryRequest& request,
                                   Responses& responses) {
  const bool only = request.validate_only();
  const auto outcome = [&]() -> absl::StatusOr<v1::ImportOutcome> {
    switch (request.entry_case()) {
      case v1::ImportDirectoryRequest::kClinic:
        return TakeEntry(context, request.clinic(), "clinic", only);
      case v1::ImportDirectoryRequest::kRoom:
        return TakeEntry(context, request.room(), "room", only);
      case v1::ImportDirectoryRequest::kClinician:
        return TakeEntry(context, request.clinician(), "clinician", only);
      case v1::ImportDirectoryRequest::kCover:
        return TakeEntry(context, request.cover(), "cover", only);
      case v1::ImportDirectoryRequest::kSupervision:
        return TakeEntry(context, request.supervision(), "supervision", only);
      case v1::ImportDirectoryRequest::ENTRY_NOT_SET:
        break;
    }
    return errors::InvalidArgument("entry", "is required");
  }();
  return Answer(request.row(), outcome, responses);
}

absl::Status DirectoryImport::Refuse(const call::CallContext&,
                                     const v1::ImportDirectoryRequest& request,
                                     const absl::Status& fault, Responses& responses) {
  return Answer(request.row(), fault, responses);
}

absl::Status DirectoryImport::Finish(const call::CallContext&, Responses&) {
  return absl::OkStatus();
}

absl::Status DirectoryImport::Answer(int64_t row, const absl::StatusOr<v1::ImportOutcome>& outcome,
                                     Responses& responses) {
  const absl::Status& status = outcome.status();
  if (!status.ok() && !IsOfTheRow(status)) return status;
  v1::ImportDirectoryResponse& response = *responses.Add();
  response.set_row(row);
  response.set_outcome(status.ok() ? *outcome : v1::IMPORT_OUTCOME_FAILED);
  if (!status.ok()) {
    const auto violations = errors::FieldViolations(status);
    response.set_reason(errors::Reason(status));
    if (!violations.empty()) response.set_field(violations[0].field);
    response.set_message(std::string(status.message()));
    ++rows_failed_;
  }
  response.set_rows_done(++rows_done_);
  response.set_rows_failed(rows_failed_);
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
