#include "services/scheduling/rpc/directory_handlers.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/directory.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/directory_entries.h"
#include "services/scheduling/rpc/directory_import.h"
#include "services/scheduling/rpc/directory_pages.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/directory_store.h"

namespace rapport::scheduling {
namespace {

using google::protobuf::Empty;

constexpr int kMostAffected = 100;

std::string IdOr(const std::string& chosen) { return chosen.empty() ? NewId() : chosen; }

template <class Entry>
absl::StatusOr<Entry> ReadEntry(sql::Database& database, const call::CallContext& context,
                                absl::string_view name) {
  return call::Read<Entry>(database, context,
                           [&](sql::Session& session) { return GetEntry<Entry>(session, name); });
}

absl::StatusOr<Empty> NothingToRead(sql::Session&, absl::string_view) { return Empty(); }

// A call that deletes an entry: `may` says whether the caller may, `used_by` what refers to it.
// `locks` hold off what would.
template <class Entry, class Request, class May>
absl::StatusOr<Empty> DeleteEntry(
    sql::Database& database, const call::CallContext& context, const Request& request,
    const std::vector<std::string>& locks, const May& may,
    absl::StatusOr<std::string> (*used_by)(sql::Session&, absl::string_view),
    absl::Status (*remove)(sql::Transaction&, absl::string_view, int64_t)) {
  return call::Mutate<Empty>(
      database, context, request.request_id(), NothingToRead,
      [&](call::Change& change) -> absl::StatusOr<Empty> {
        change.tx().Lock(locks);
        ASSIGN_OR_RETURN(const auto stored, Table<Entry>::Get(change.tx(), request.name()));
        RETURN_IF_ERROR(may(stored.resource));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), stored.version));
        ASSIGN_OR_RETURN(const std::string by, used_by(change.tx(), request.name()));
        if (!by.empty()) {
          return errors::FailedPrecondition(
              "IN_USE", absl::StrCat("It can not be deleted, as it is named by ", by, "."),
              {{"used_by", by}});
        }
        RETURN_IF_ERROR(remove(change.tx(), request.name(), stored.version));
        change.Record(request.name(), stored.version + 1,
                      PayloadOf(stored.resource, /*deleted=*/true));
        return Empty();
      });
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
      .Unary("DeleteCover", &DirectoryHandlers::DeleteCover)
      .Unary("DeleteClinic", &DirectoryHandlers::DeleteClinic)
      .Unary("DeleteClinician", &DirectoryHandlers::DeleteClinician)
      .Unary("CreateRoom", &DirectoryHandlers::CreateRoom)
      .Unary("GetRoom", &DirectoryHandlers::GetRoom)
      .Unary("ListRooms", &DirectoryHandlers::ListRooms)
      .Unary("UpdateRoom", &DirectoryHandlers::UpdateRoom)
      .Unary("DeleteRoom", &DirectoryHandlers::DeleteRoom)
      .Bidi("ImportDirectory", &DirectoryHandlers::ImportDirectory, call::Faults::kAnswered);
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::CreateClinic(const call::CallContext& context,
                                                           const v1::CreateClinicRequest& request) {
  return CreateEntry(
      database_, context, request.request_id(), request.clinic(),
      names::InOrganization(context.organization_id, "clinics", IdOr(request.clinic_id())));
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::GetClinic(const call::CallContext& context,
                                                        const v1::GetClinicRequest& request) {
  return ReadEntry<v1::Clinic>(database_, context, request.name());
}

absl::StatusOr<v1::ListClinicsResponse> DirectoryHandlers::ListClinics(
    const call::CallContext& context, const v1::ListClinicsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto clinics,
      call::ReadTrailing<std::vector<v1::Clinic>>(database_, context, [&](sql::Session& session) {
        return store::ListClinics(session, context.organization_id, page.after, page.size + 1);
      }));
  v1::ListClinicsResponse response;
  response.set_next_page_token(
      FillPage(context, page, std::move(clinics), response.mutable_clinics(), KeyOfId<v1::Clinic>));
  return response;
}

absl::StatusOr<v1::Clinic> DirectoryHandlers::UpdateClinic(const call::CallContext& context,
                                                           const v1::UpdateClinicRequest& request) {
  return UpdateEntry(database_, context, request.request_id(), "clinic", request.clinic(),
                     request.update_mask());
}

absl::StatusOr<Empty> DirectoryHandlers::DeleteClinic(const call::CallContext& context,
                                                      const v1::DeleteClinicRequest& request) {
  return DeleteEntry<v1::Clinic>(
      database_, context, request, {request.name()},
      [&](const v1::Clinic&) { return RequireManages(context, {request.name()}); },
      store::ClinicUsedBy, store::DeleteClinic);
}

absl::StatusOr<v1::Room> DirectoryHandlers::CreateRoom(const call::CallContext& context,
                                                       const v1::CreateRoomRequest& request) {
  return CreateEntry(database_, context, request.request_id(), request.room(),
                     absl::StrCat(request.parent(), "/rooms/", IdOr(request.room_id())));
}

absl::StatusOr<v1::Room> DirectoryHandlers::GetRoom(const call::CallContext& context,
                                                    const v1::GetRoomRequest& request) {
  return ReadEntry<v1::Room>(database_, context, request.name());
}

absl::StatusOr<v1::ListRoomsResponse> DirectoryHandlers::ListRooms(
    const call::CallContext& context, const v1::ListRoomsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto rooms,
      call::ReadTrailing<std::vector<v1::Room>>(database_, context, [&](sql::Session& session) {
        return store::ListRooms(session, request.parent(), page.after, page.size + 1);
      }));
  v1::ListRoomsResponse response;
  response.set_next_page_token(
      FillPage(context, page, std::move(rooms), response.mutable_rooms(), KeyOfId<v1::Room>));
  return response;
}

absl::StatusOr<v1::Room> DirectoryHandlers::UpdateRoom(const call::CallContext& context,
                                                       const v1::UpdateRoomRequest& request) {
  return UpdateEntry(database_, context, request.request_id(), "room", request.room(),
                     request.update_mask());
}

absl::StatusOr<Empty> DirectoryHandlers::DeleteRoom(const call::CallContext& context,
                                                    const v1::DeleteRoomRequest& request) {
  const std::string clinic = names::InOrganization(context.organization_id, "clinics",
                                                   names::Id(request.name(), "clinics"));
  // As a booking does that looks for a room of the clinic.
  return DeleteEntry<v1::Room>(
      database_, context, request, {request.name(), absl::StrCat(clinic, "/rooms")},
      [&](const v1::Room&) { return RequireManages(context, {clinic}); }, store::RoomUsedBy,
      store::DeleteRoom);
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::CreateClinician(
    const call::CallContext& context, const v1::CreateClinicianRequest& request) {
  return CreateEntry(
      database_, context, request.request_id(), request.clinician(),
      names::InOrganization(context.organization_id, "clinicians", IdOr(request.clinician_id())));
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::GetClinician(
    const call::CallContext& context, const v1::GetClinicianRequest& request) {
  return ReadEntry<v1::Clinician>(database_, context, request.name());
}

absl::StatusOr<v1::ListCliniciansResponse> DirectoryHandlers::ListClinicians(
    const call::CallContext& context, const v1::ListCliniciansRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(auto clinicians, call::ReadTrailing<std::vector<v1::Clinician>>(
                                        database_, context, [&](sql::Session& session) {
                                          return store::ListClinicians(session,
                                                                       context.organization_id,
                                                                       page.after, page.size + 1);
                                        }));
  v1::ListCliniciansResponse response;
  response.set_next_page_token(FillPage(context, page, std::move(clinicians),
                                        response.mutable_clinicians(), KeyOfId<v1::Clinician>));
  return response;
}

absl::StatusOr<v1::Clinician> DirectoryHandlers::UpdateClinician(
    const call::CallContext& context, const v1::UpdateClinicianRequest& request) {
  return UpdateEntry(database_, context, request.request_id(), "clinician", request.clinician(),
                     request.update_mask());
}

absl::StatusOr<Empty> DirectoryHandlers::DeleteClinician(
    const call::CallContext& context, const v1::DeleteClinicianRequest& request) {
  return DeleteEntry<v1::Clinician>(
      database_, context, request, {request.name()},
      [&](const v1::Clinician& clinician) {
        return RequireManages(context, {clinician.clinics().begin(), clinician.clinics().end()});
      },
      store::ClinicianUsedBy, store::DeleteClinician);
}

absl::StatusOr<v1::TimeOff> DirectoryHandlers::CreateTimeOff(
    const call::CallContext& context, const v1::CreateTimeOffRequest& request) {
  const std::string& clinician = request.parent();
  return call::Mutate<v1::TimeOff>(
      database_, context, request.request_id(), GetEntry<v1::TimeOff>,
      [&](call::Change& change) -> absl::StatusOr<v1::TimeOff> {
        // Against a booking that does not see this yet, and which this would not see.
        change.tx().Lock({clinician});
        ASSIGN_OR_RETURN(const v1::Clinician away, GetEntry<v1::Clinician>(change.tx(), clinician));
        RETURN_IF_ERROR(RequireManages(context, {away.clinics().begin(), away.clinics().end()}));
        ASSIGN_OR_RETURN(v1::TimeOff time_off, Said(request.time_off()));
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
        change.Record(time_off.name(), 1, PayloadOf(time_off), store::Document(time_off));
        time_off.set_etag(call::Etag(1));
        return time_off;
      });
}

absl::StatusOr<v1::TimeOff> DirectoryHandlers::GetTimeOff(const call::CallContext& context,
                                                          const v1::GetTimeOffRequest& request) {
  return ReadEntry<v1::TimeOff>(database_, context, request.name());
}

absl::StatusOr<v1::ListTimeOffsResponse> DirectoryHandlers::ListTimeOffs(
    const call::CallContext& context, const v1::ListTimeOffsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(
      auto time_offs,
      call::ReadTrailing<std::vector<v1::TimeOff>>(database_, context, [&](sql::Session& session) {
        return store::ListTimeOffs(session, request.parent(), ReadStartKey(page), page.size + 1);
      }));
  v1::ListTimeOffsResponse response;
  response.set_next_page_token(FillPage(context, page, std::move(time_offs),
                                        response.mutable_time_offs(), KeyOfStart<v1::TimeOff>));
  return response;
}

absl::StatusOr<Empty> DirectoryHandlers::DeleteTimeOff(const call::CallContext& context,
                                                       const v1::DeleteTimeOffRequest& request) {
  return call::Mutate<Empty>(
      database_, context, request.request_id(), NothingToRead,
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
  return CreateEntry(database_, context, request.request_id(), request.cover(),
                     names::InOrganization(context.organization_id, "covers", NewId()));
}

absl::StatusOr<v1::Cover> DirectoryHandlers::GetCover(const call::CallContext& context,
                                                      const v1::GetCoverRequest& request) {
  return ReadEntry<v1::Cover>(database_, context, request.name());
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

absl::StatusOr<Empty> DirectoryHandlers::DeleteCover(const call::CallContext& context,
                                                     const v1::DeleteCoverRequest& request) {
  return call::Mutate<Empty>(
      database_, context, request.request_id(), NothingToRead,
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

absl::StatusOr<std::unique_ptr<DirectoryHandlers::Import>> DirectoryHandlers::ImportDirectory(
    const call::CallContext&) {
  return std::make_unique<DirectoryImport>(database_);
}

}  // namespace rapport::scheduling
