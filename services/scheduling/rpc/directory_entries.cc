#include "services/scheduling/rpc/directory_entries.h"

#include <algorithm>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/scheduling/domain/directory.h"

namespace rapport::scheduling {
namespace {

using Names = std::vector<std::string>;

Names ToNames(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}

std::string ClinicOf(const v1::Room& room) {
  return names::InOrganization(names::OrganizationId(room.name()), "clinics",
                               names::Id(room.name(), "clinics"));
}

absl::Status UnknownClinic(const std::string& clinic) {
  return errors::FailedPrecondition(
      "UNKNOWN_CLINIC", absl::StrCat(clinic, " is not in the directory."), {{"clinic", clinic}});
}

absl::Status RequireClinics(sql::Session& session, const call::CallContext& context, Names clinics,
                            const Assumed* assumed) {
  if (assumed != nullptr) {
    clinics.erase(std::remove_if(clinics.begin(), clinics.end(),
                                 [&](const auto& name) { return assumed->clinics.contains(name); }),
                  clinics.end());
  }
  ASSIGN_OR_RETURN(const std::string unknown,
                   store::FirstUnknownClinic(session, context.organization_id, clinics));
  return unknown.empty() ? absl::OkStatus() : UnknownClinic(unknown);
}

// A change of who is on duty holds off the deletion of those who are.
absl::Status RequireDuty(call::Change& change, const Names& duty, const Assumed* assumed) {
  if (duty.empty()) return absl::OkStatus();
  change.tx().Lock(duty);
  return RequireClinicians(change.tx(), change.context(), duty, assumed);
}

bool Same(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return time::ToTime(a) == time::ToTime(b);
}

// A pair tells who could see what, and when: what has begun is history.
absl::Status CheckSupervisionChange(const v1::Supervision& before, const v1::Supervision& after,
                                    absl::Time now) {
  const absl::string_view kFixed = "can not be changed; end this pair and enter another";
  if (before.supervisor() != after.supervisor()) {
    return errors::InvalidArgument("supervision.supervisor", kFixed);
  }
  if (before.supervisee() != after.supervisee()) {
    return errors::InvalidArgument("supervision.supervisee", kFixed);
  }
  if (before.has_end_time() && time::ToTime(before.end_time()) <= now) {
    return errors::FailedPrecondition("SUPERVISION_ENDED",
                                      "The pair has ended; enter another to go on.");
  }
  if (!Same(before.start_time(), after.start_time()) &&
      std::min(time::ToTime(before.start_time()), time::ToTime(after.start_time())) < now) {
    return errors::InvalidArgument("supervision.start_time",
                                   "can not be changed once it has begun, nor be put in the past");
  }
  if (after.has_end_time() && time::ToTime(after.end_time()) < now) {
    return errors::InvalidArgument("supervision.end_time", "must not be in the past");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RequireManages(const call::CallContext& context,
                            const std::vector<std::string>& clinics) {
  const auth::Principal& principal = *context.principal;
  if (!principal.clinics || principal.HasRole("organization_admin")) return absl::OkStatus();
  for (const std::string& clinic : clinics) {
    if (std::find(principal.clinics->begin(), principal.clinics->end(), names::Last(clinic)) ==
        principal.clinics->end()) {
      return errors::PermissionDenied("OTHER_CLINIC",
                                      "This reaches beyond the clinics that the token names.");
    }
  }
  return absl::OkStatus();
}

absl::Status RequireManagesClinician(sql::Session& session, const call::CallContext& context,
                                     absl::string_view clinician, const Assumed* assumed) {
  if (!context.principal->clinics) return absl::OkStatus();
  if (assumed != nullptr) {
    const auto entry = assumed->clinicians.find(clinician);
    if (entry != assumed->clinicians.end()) return RequireManages(context, entry->second);
  }
  ASSIGN_OR_RETURN(const auto stored, store::GetClinician(session, clinician));
  return RequireManages(context, ToNames(stored.resource.clinics()));
}

absl::Status RequireClinicians(sql::Session& session, const call::CallContext& context,
                               const std::vector<std::string>& clinicians, const Assumed* assumed) {
  Names wanted;
  for (const std::string& name : clinicians) {
    if (assumed == nullptr || !assumed->clinicians.contains(name)) wanted.push_back(name);
  }
  ASSIGN_OR_RETURN(const std::string unknown,
                   store::FirstUnknownClinician(session, context.organization_id, wanted));
  if (unknown.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("UNKNOWN_CLINICIAN",
                                    absl::StrCat(unknown, " is not in the directory."),
                                    {{"clinician", unknown}});
}

absl::Status Check(call::Change& change, const store::Stored<v1::Clinic>*, const v1::Clinic& entry,
                   const Assumed* assumed) {
  RETURN_IF_ERROR(RequireManages(change.context(), {entry.name()}));
  RETURN_IF_ERROR(CheckClinic(entry));
  return RequireDuty(change, ToNames(entry.duty_list()), assumed);
}

absl::Status Check(call::Change& change, const store::Stored<v1::Room>* before,
                   const v1::Room& entry, const Assumed* assumed) {
  const std::string clinic = ClinicOf(entry);
  RETURN_IF_ERROR(RequireManages(change.context(), {clinic}));
  RETURN_IF_ERROR(CheckRoom(entry));
  if (before != nullptr) return absl::OkStatus();
  return RequireClinics(change.tx(), change.context(), {clinic}, assumed);
}

absl::Status Check(call::Change& change, const store::Stored<v1::Clinician>* before,
                   const v1::Clinician& entry, const Assumed* assumed) {
  const call::CallContext& context = change.context();
  if (before != nullptr) {
    RETURN_IF_ERROR(RequireManages(context, ToNames(before->resource.clinics())));
  }
  RETURN_IF_ERROR(CheckClinician(entry));
  const Names clinics = ToNames(entry.clinics());
  RETURN_IF_ERROR(RequireManages(context, clinics));
  RETURN_IF_ERROR(RequireClinics(change.tx(), context, clinics, assumed));
  if (before != nullptr && before->resource.subject() == entry.subject()) return absl::OkStatus();
  return store::RequireSubjectFree(change.tx(), entry.name(), entry.subject());
}

absl::Status Check(call::Change& change, const store::Stored<v1::Cover>* before,
                   const v1::Cover& entry, const Assumed* assumed) {
  const call::CallContext& context = change.context();
  if (before != nullptr && before->resource.clinician() != entry.clinician()) {
    RETURN_IF_ERROR(RequireManagesClinician(change.tx(), context, before->resource.clinician()));
  }
  RETURN_IF_ERROR(CheckCover(entry));
  RETURN_IF_ERROR(RequireClinicians(change.tx(), context,
                                    {entry.clinician(), entry.covering_clinician()}, assumed));
  return RequireManagesClinician(change.tx(), context, entry.clinician(), assumed);
}

absl::Status Check(call::Change& change, const store::Stored<v1::Supervision>* before,
                   const v1::Supervision& entry, const Assumed* assumed) {
  const call::CallContext& context = change.context();
  RETURN_IF_ERROR(CheckSupervision(entry));
  if (before != nullptr) {
    // To the microsecond, as instants are kept.
    const absl::Time now = time::ToTime(time::ToTimestamp(context.now));
    RETURN_IF_ERROR(CheckSupervisionChange(before->resource, entry, now));
  }
  // Bookings of a trainee rest on their supervision.
  change.tx().Lock({entry.supervisee()});
  RETURN_IF_ERROR(
      RequireClinicians(change.tx(), context, {entry.supervisor(), entry.supervisee()}, assumed));
  RETURN_IF_ERROR(RequireManagesClinician(change.tx(), context, entry.supervisee(), assumed));
  ASSIGN_OR_RETURN(const std::string other, store::OverlappingSupervision(change.tx(), entry));
  if (other.empty()) return absl::OkStatus();
  return errors::Conflict("SUPERVISION_OVERLAPS",
                          "The same two are a pair already in that time; end or change that one.",
                          "Supervision", other, {{"supervision", other}});
}

}  // namespace rapport::scheduling
