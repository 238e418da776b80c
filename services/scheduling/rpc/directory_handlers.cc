#include "services/scheduling/rpc/directory_handlers.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/masks.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/directory.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/directory_store.h"

namespace rapport::scheduling {
namespace {

constexpr int kMostAffected = 100;

std::vector<std::string> Names(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}

absl::Status RequireClinicians(sql::Session& session, const call::CallContext& context,
                               const std::vector<std::string>& clinicians) {
  ASSIGN_OR_RETURN(const std::string unknown,
                   store::FirstUnknownClinician(session, context.organization_id, clinicians));
  if (unknown.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("UNKNOWN_CLINICIAN", "That clinician is not in the directory.",
                                    {{"clinician", unknown}});
}

absl::Status RequireClinics(sql::Session& session, const call::CallContext& context,
                            const std::vector<std::string>& clinics) {
  ASSIGN_OR_RETURN(const std::string unknown,
                   store::FirstUnknownClinic(session, context.organization_id, clinics));
  if (unknown.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("UNKNOWN_CLINIC", "That clinic is not in the directory.",
                                    {{"clinic", unknown}});
}

// A token that is limited to clinics manages what lies wholly within them: hours, leave and cover
// decide who sees a patient and who owns a risk. The organisation's admin manages all.
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
                                     absl::string_view clinician) {
  if (!context.principal->clinics) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto stored, store::GetClinician(session, clinician));
  return RequireManages(context, Names(stored.resource.clinics()));
}

std::string IdOr(const std::string& chosen) { return chosen.empty() ? NewId() : chosen; }

// Reads one by a store function, for gets and replays.
template <class Resource>
auto One(absl::StatusOr<store::Stored<Resource>> (*get)(sql::Session&, absl::string_view)) {
  return [get](sql::Session& session, absl::string_view name) -> absl::StatusOr<Resource> {
    ASSIGN_OR_RETURN(auto stored, get(session, name));
    return std::move(stored.resource);
  };
}

template <class Resource>
absl::StatusOr<Resource> Get(sql::Database& database, const call::CallContext& context,
                             absl::string_view name,
                             absl::StatusOr<store::Stored<Resource>> (*get)(sql::Session&,
                                                                            absl::string_view)) {
  return call::Read<Resource>(database, context,
                              [&](sql::Session& session) { return One(get)(session, name); });
}

// Records the creation and returns what the caller sees of it.
template <class Resource>
Resource Created(call::Change& change, Resource resource) {
  change.Record(resource.name(), 1, PayloadOf(resource), store::Document(resource));
  resource.set_etag(call::Etag(1));
  return resource;
}

template <class Resource>
Resource Updated(call::Change& change, Resource resource, int64_t version) {
  change.Record(resource.name(), version, PayloadOf(resource), store::Document(resource));
  resource.set_etag(call::Etag(version));
  return resource;
}

store::StartKey ReadStartKey(const call::Page& page) {
  store::StartKey key{std::numeric_limits<int64_t>::min(), ""};
  if (!page.after.empty()) {
    const auto [start, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(start, &key.start_micros);
    key.id = id;
  }
  return key;
}

template <class Resource>
std::string KeyOfStart(const Resource& resource) {
  return call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(resource.start_time()))),
                       names::Last(resource.name()));
}

template <class Resource>
std::string KeyOfId(const Resource& resource) {
  return std::string(names::Last(resource.name()));
}

// Moves what was read, one more than the page takes, into the response.
template <class Resource, class Repeated>
std::string FillPage(const call::CallContext& context, const call::Page& page,
                     std::vector<Resource> resources, Repeated* out,
                     std::string (*key)(const Resource&)) {
  const bool more = resources.size() > static_cast<size_t>(page.size);
  if (more) resources.resize(page.size);
  for (Resource& resource : resources) *out->Add() = std::move(resource);
  return more ? call::NextPageToken(context, key(out->Get(page.size - 1))) : std::string();
}

}  // namespace

void DirectoryHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.DirectoryService", this)
      .Unary("CreateClinic", &DirectoryHandlers::CreateClinic)
      .Unary("GetClinic", &DirectoryHandlers::GetClinic)
      .Unary("ListClinics", &DirectoryHandlers::ListClinics)
      .Unary("UpdateClinic", &DirectoryHandlers::UpdateClinic)
      .Unary("CreateClinician", &DirectoryHandlers::CreateClinician)
      .Unary("GetClinician", &DirectoryHandlers::GetClinician)
      .Unary("ListClinicians", &DirectoryHandlers::ListClinicians)
      .Unary("UpdateClinician", &DirectoryHandlers::UpdateClinician)
      .Unary("CreateTimeOff", &DirectoryHandlers::CreateTimeOff)
      .Unary("GetTimeOff", &DirectoryHandlers::GetTimeOff)
      .Unary("ListTimeOffs", &DirectoryHandlers::ListTimeOffs)
      .Unary("DeleteTimeOff", &DirectoryHandlers::DeleteTimeOff)
      .Unary("CreateCover", &DirectoryHandlers::CreateCover)
      .Unary("GetCover", &DirectoryHandlers::GetCover)
      .Unary("ListCovers", &DirectoryHandlers::ListCovers)
      .Unary("DeleteCover", &DirectoryHandlers::DeleteCover);
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::CreateClinic(const call::CallContext& context,
                                                           const v1::CreateClinicRequest& request) {
  return call::Mutate<v1::Clinic>(
      database_, context, request.request_id(), One(store::GetClinic),
      [&](call::Change& change) -> absl::StatusOr<v1::Clinic> {
        v1::Clinic clinic;
        RETURN_IF_ERROR(call::ApplyMask({}, request.clinic(), clinic));
        RETURN_IF_ERROR(CheckClinic(clinic));
        RETURN_IF_ERROR(RequireClinicians(change.tx(), context, Names(clinic.duty_list())));
        clinic.set_name(
            names::InOrganization(context.organization_id, "clinics", IdOr(request.clinic_id())));
        RETURN_IF_ERROR(RequireManages(context, {clinic.name()}));
        *clinic.mutable_create_time() = time::ToTimestamp(context.now);
        *clinic.mutable_update_time() = clinic.create_time();
        RETURN_IF_ERROR(store::InsertClinic(change.tx(), clinic));
        return Created(change, std::move(clinic));
      });
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::GetClinic(const call::CallContext& context,
                                                        const v1::GetClinicRequest& request) {
  return Get(database_, context, request.name(), store::GetClinic);
}

absl::StatusOr<v1::ListClinicsResponse> DirectoryHandlers::ListClinics(
    const call::CallContext& context, const v1::ListClinicsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto clinics,
      call::Read<std::vector<v1::Clinic>>(database_, context, [&](sql::Session& session) {
        return store::ListClinics(session, context.organization_id, page.after, page.size + 1);
      }));
  v1::ListClinicsResponse response;
  response.set_next_page_token(
      FillPage(context, page, std::move(clinics), response.mutable_clinics(), KeyOfId<v1::Clinic>));
  return response;
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::UpdateClinic(const call::CallContext& context,
                                                           const v1::UpdateClinicRequest& request) {
  const std::string& name = request.clinic().name();
  RETURN_IF_ERROR(RequireName(name, "clinic.name"));
  return call::Mutate<v1::Clinic>(
      database_, context, request.request_id(), One(store::GetClinic),
      [&](call::Change& change) -> absl::StatusOr<v1::Clinic> {
        change.tx().Lock({name});
        ASSIGN_OR_RETURN(auto stored, store::GetClinic(change.tx(), name));
        RETURN_IF_ERROR(RequireManages(context, {name}));
        RETURN_IF_ERROR(call::CheckEtag(request.clinic().etag(), stored.version));
        v1::Clinic& clinic = stored.resource;
        RETURN_IF_ERROR(call::ApplyMask(request.update_mask(), request.clinic(), clinic));
        RETURN_IF_ERROR(CheckClinic(clinic));
        RETURN_IF_ERROR(RequireClinicians(change.tx(), context, Names(clinic.duty_list())));
        *clinic.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::UpdateClinic(change.tx(), clinic, stored.version));
        return Updated(change, std::move(clinic), stored.version + 1);
      });
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::CreateClinician(
    const call::CallContext& context, const v1::CreateClinicianRequest& request) {
  return call::Mutate<v1::Clinician>(
      database_, context, request.request_id(), One(store::GetClinician),
      [&](call::Change& change) -> absl::StatusOr<v1::Clinician> {
        v1::Clinician clinician;
        RETURN_IF_ERROR(call::ApplyMask({}, request.clinician(), clinician));
        RETURN_IF_ERROR(CheckClinician(clinician));
        RETURN_IF_ERROR(RequireClinics(change.tx(), context, Names(clinician.clinics())));
        RETURN_IF_ERROR(RequireManages(context, Names(clinician.clinics())));
        clinician.set_name(names::InOrganization(context.organization_id, "clinicians",
                                                 IdOr(request.clinician_id())));
        *clinician.mutable_create_time() = time::ToTimestamp(context.now);
        *clinician.mutable_update_time() = clinician.create_time();
        RETURN_IF_ERROR(store::InsertClinician(change.tx(), clinician));
        return Created(change, std::move(clinician));
      });
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::GetClinician(
    const call::CallContext& context, const v1::GetClinicianRequest& request) {
  return Get(database_, context, request.name(), store::GetClinician);
}

absl::StatusOr<v1::ListCliniciansResponse> DirectoryHandlers::ListClinicians(
    const call::CallContext& context, const v1::ListCliniciansRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto clinicians,
      call::Read<std::vector<v1::Clinician>>(database_, context, [&](sql::Session& session) {
        return store::ListClinicians(session, context.organization_id, page.after, page.size + 1);
      }));
  v1::ListCliniciansResponse response;
  response.set_next_page_token(FillPage(context, page, std::move(clinicians),
                                        response.mutable_clinicians(), KeyOfId<v1::Clinician>));
  return response;
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::UpdateClinician(
    const call::CallContext& context, const v1::UpdateClinicianRequest& request) {
  const std::string& name = request.clinician().name();
  RETURN_IF_ERROR(RequireName(name, "clinician.name"));
  return call::Mutate<v1::Clinician>(
      database_, context, request.request_id(), One(store::GetClinician),
      [&](call::Change& change) -> absl::StatusOr<v1::Clinician> {
        change.tx().Lock({name});
        ASSIGN_OR_RETURN(auto stored, store::GetClinician(change.tx(), name));
        RETURN_IF_ERROR(RequireManages(context, Names(stored.resource.clinics())));
        RETURN_IF_ERROR(call::CheckEtag(request.clinician().etag(), stored.version));
        v1::Clinician& clinician = stored.resource;
        RETURN_IF_ERROR(call::ApplyMask(request.update_mask(), request.clinician(), clinician));
        RETURN_IF_ERROR(CheckClinician(clinician));
        RETURN_IF_ERROR(RequireClinics(change.tx(), context, Names(clinician.clinics())));
        RETURN_IF_ERROR(RequireManages(context, Names(clinician.clinics())));
        *clinician.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::UpdateClinician(change.tx(), clinician, stored.version));
        return Updated(change, std::move(clinician), stored.version + 1);
      });
}

absl::StatusOr<v1::TimeOff> DirectoryHandlers::CreateTimeOff(
    const call::CallContext& context, const v1::CreateTimeOffRequest& request) {
  const std::string& clinician = request.parent();
  return call::Mutate<v1::TimeOff>(
      database_, context, request.request_id(), One(store::GetTimeOff),
      [&](call::Change& change) -> absl::StatusOr<v1::TimeOff> {
        // Against a booking that does not see this yet, and which this would not see.
        change.tx().Lock({clinician});
        ASSIGN_OR_RETURN(const auto away, store::GetClinician(change.tx(), clinician));
        RETURN_IF_ERROR(RequireManages(context, Names(away.resource.clinics())));
        v1::TimeOff time_off;
        RETURN_IF_ERROR(call::ApplyMask({}, request.time_off(), time_off));
        RETURN_IF_ERROR(CheckTimeOff(time_off));
        time_off.set_name(absl::StrCat(clinician, "/timeOffs/", NewId()));
        *time_off.mutable_create_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::vector<std::string> affected,
                         store::ListBookedWithin(change.tx(), clinician,
                                                 {time::ToTime(time_off.start_time()),
                                                  time::ToTime(time_off.end_time())},
                                                 kMostAffected));
        for (const std::string& name : affected) time_off.add_affected_appointments(name);
        RETURN_IF_ERROR(store::InsertTimeOff(change.tx(), time_off));
        return Created(change, std::move(time_off));
      });
}

absl::StatusOr<v1::TimeOff> DirectoryHandlers::GetTimeOff(const call::CallContext& context,
                                                          const v1::GetTimeOffRequest& request) {
  return Get(database_, context, request.name(), store::GetTimeOff);
}

absl::StatusOr<v1::ListTimeOffsResponse> DirectoryHandlers::ListTimeOffs(
    const call::CallContext& context, const v1::ListTimeOffsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto time_offs,
      call::Read<std::vector<v1::TimeOff>>(database_, context, [&](sql::Session& session) {
        return store::ListTimeOffs(session, request.parent(), ReadStartKey(page), page.size + 1);
      }));
  v1::ListTimeOffsResponse response;
  response.set_next_page_token(FillPage(context, page, std::move(time_offs),
                                        response.mutable_time_offs(), KeyOfStart<v1::TimeOff>));
  return response;
}

absl::StatusOr<google::protobuf::Empty> DirectoryHandlers::DeleteTimeOff(
    const call::CallContext& context, const v1::DeleteTimeOffRequest& request) {
  using google::protobuf::Empty;
  return call::Mutate<Empty>(
      database_, context, request.request_id(),
      [](sql::Session&, absl::string_view) -> absl::StatusOr<Empty> { return Empty(); },
      [&](call::Change& change) -> absl::StatusOr<Empty> {
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(const auto stored, store::GetTimeOff(change.tx(), request.name()));
        RETURN_IF_ERROR(RequireManagesClinician(
            change.tx(), context,
            names::InOrganization(context.organization_id, "clinicians",
                                  names::Id(request.name(), "clinicians"))));
        RETURN_IF_ERROR(store::DeleteTimeOff(change.tx(), request.name(), stored.version));
        change.Record(request.name(), stored.version + 1,
                      PayloadOf(stored.resource, /*deleted=*/true));
        return Empty();
      });
}

absl::StatusOr<v1::Cover> DirectoryHandlers::CreateCover(const call::CallContext& context,
                                                         const v1::CreateCoverRequest& request) {
  return call::Mutate<v1::Cover>(
      database_, context, request.request_id(), One(store::GetCover),
      [&](call::Change& change) -> absl::StatusOr<v1::Cover> {
        v1::Cover cover;
        RETURN_IF_ERROR(call::ApplyMask({}, request.cover(), cover));
        RETURN_IF_ERROR(CheckCover(cover));
        RETURN_IF_ERROR(RequireClinicians(change.tx(), context,
                                          {cover.clinician(), cover.covering_clinician()}));
        RETURN_IF_ERROR(RequireManagesClinician(change.tx(), context, cover.clinician()));
        cover.set_name(names::InOrganization(context.organization_id, "covers", NewId()));
        *cover.mutable_create_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::InsertCover(change.tx(), cover));
        return Created(change, std::move(cover));
      });
}

absl::StatusOr<v1::Cover> DirectoryHandlers::GetCover(const call::CallContext& context,
                                                      const v1::GetCoverRequest& request) {
  return Get(database_, context, request.name(), store::GetCover);
}

absl::StatusOr<v1::ListCoversResponse> DirectoryHandlers::ListCovers(
    const call::CallContext& context, const v1::ListCoversRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(auto covers, call::Read<std::vector<v1::Cover>>(
                                    database_, context, [&](sql::Session& session) {
                                      return store::ListCovers(session, context.organization_id,
                                                               ReadStartKey(page), page.size + 1);
                                    }));
  v1::ListCoversResponse response;
  response.set_next_page_token(
      FillPage(context, page, std::move(covers), response.mutable_covers(), KeyOfStart<v1::Cover>));
  return response;
}

absl::StatusOr<google::protobuf::Empty> DirectoryHandlers::DeleteCover(
    const call::CallContext& context, const v1::DeleteCoverRequest& request) {
  using google::protobuf::Empty;
  return call::Mutate<Empty>(
      database_, context, request.request_id(),
      [](sql::Session&, absl::string_view) -> absl::StatusOr<Empty> { return Empty(); },
      [&](call::Change& change) -> absl::StatusOr<Empty> {
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(const auto stored, store::GetCover(change.tx(), request.name()));
        RETURN_IF_ERROR(RequireManagesClinician(change.tx(), context, stored.resource.clinician()));
        RETURN_IF_ERROR(store::DeleteCover(change.tx(), request.name(), stored.version));
        change.Record(request.name(), stored.version + 1,
                      PayloadOf(stored.resource, /*deleted=*/true));
        return Empty();
      });
}

}  // namespace rapport::scheduling
