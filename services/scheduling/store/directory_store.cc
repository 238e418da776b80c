#include "services/scheduling/store/directory_store.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/group.pb.h"
#include "rapport/scheduling/v1/organization.pb.h"
#include "services/scheduling/domain/booking.h"

namespace rapport::scheduling::store {
namespace {

// SQL: the version at which the last bearer of the name `n` was deleted; 0: there was none.
#define RAPPORT_RETIRED(n)                                  \
  "coalesce((SELECT retired_name.version FROM retired_name" \
  " WHERE retired_name.organization_id = $1 AND retired_name.name = " n "), 0)"

const sql::Statement kRetire{"scheduling.name.retire", R"sql(
  INSERT INTO retired_name (organization_id, name, version) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, name) DO UPDATE SET version = excluded.version)sql"};

const sql::Statement kGetClinic{"scheduling.clinic.get", R"sql(
  SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id = $2)sql"};
const sql::Statement kInsertClinic{"scheduling.clinic.insert", R"sql(
  INSERT INTO clinic (organization_id, clinic_id, version, document)
  VALUES ($1, $2, 1 + )sql" RAPPORT_RETIRED("$4") R"sql(, $3)
  RETURNING version)sql"};
const sql::Statement kUpdateClinic{"scheduling.clinic.update", R"sql(
  UPDATE clinic SET version = version + 1, document = $4
  WHERE organization_id = $1 AND clinic_id = $2 AND version = $3)sql"};
const sql::Statement kDeleteClinic{"scheduling.clinic.delete", R"sql(
  DELETE FROM clinic WHERE organization_id = $1 AND clinic_id = $2 AND version = $3)sql"};
const sql::Statement kListClinics{"scheduling.clinic.list", R"sql(
  SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id > $2
  ORDER BY clinic_id LIMIT $3)sql"};
// Of so many, by the index; also kKnownClinicians.
constexpr size_t kKnownAtOnce = 8;
const sql::Statement kKnownClinics{"scheduling.clinic.known", R"sql(
  SELECT clinic_id FROM clinic
  WHERE organization_id = $1 AND clinic_id IN ($2, $3, $4, $5, $6, $7, $8, $9))sql"};

const sql::Statement kClinicUsedBy{"scheduling.clinic.used_by", R"sql(
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM room WHERE organization_id = $1 AND clinic_id = $2) THEN 'rooms'
    WHEN EXISTS (SELECT 1 FROM clinician_clinic WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'clinicians'
    WHEN EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND clinic_id = $2) THEN 'courses'
    WHEN EXISTS (SELECT 1 FROM care_group WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'groups'
    WHEN EXISTS (SELECT 1 FROM appointment WHERE organization_id = $1 AND clinic_id = $2)
      THEN 'appointments'
    ELSE '' END)sql"};

const sql::Statement kGetRoom{"scheduling.room.get", R"sql(
  SELECT document, version FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3)sql"};
const sql::Statement kInsertRoom{"scheduling.room.insert", R"sql(
  INSERT INTO room (organization_id, clinic_id, room_id, version, capacity, out_of_use, resource,
                    document)
  VALUES ($1, $2, $3, 1 + )sql" RAPPORT_RETIRED("$7") R"sql(, $4, $5, $8, $6)
  RETURNING version)sql"};
const sql::Statement kUpdateRoom{"scheduling.room.update", R"sql(
  UPDATE room SET version = version + 1, capacity = $5, out_of_use = $6, document = $7
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3 AND version = $4)sql"};
const sql::Statement kDeleteRoom{"scheduling.room.delete", R"sql(
  DELETE FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3 AND version = $4)sql"};
const sql::Statement kListRooms{"scheduling.room.list", R"sql(
  SELECT document, version FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id > $3
  ORDER BY room_id LIMIT $4)sql"};
// A group's session claims its room without an appointment; one that is cancelled claims nothing.
const sql::Statement kRoomUsedBy{"scheduling.room.used_by", R"sql(
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM claim WHERE organization_id = $1 AND resource = $3)
      OR EXISTS (SELECT 1 FROM appointment
                 WHERE organization_id = $1 AND clinic_id = $2 AND room = $4)
      THEN 'appointments'
    ELSE '' END)sql"};

const sql::Statement kGetClinician{"scheduling.clinician.get", R"sql(
  SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id = $2)sql"};
const sql::Statement kInsertClinician{"scheduling.clinician.insert", R"sql(
  INSERT INTO clinician (organization_id, clinician_id, version, subject, document)
  VALUES ($1, $2, 1 + )sql" RAPPORT_RETIRED("$5") R"sql(, nullif($3, ''), $4)
  RETURNING version)sql"};
const sql::Statement kUpdateClinician{"scheduling.clinician.update", R"sql(
  UPDATE clinician SET version = version + 1, subject = nullif($4, ''), document = $5
  WHERE organization_id = $1 AND clinician_id = $2 AND version = $3)sql"};
const sql::Statement kDeleteClinician{"scheduling.clinician.delete", R"sql(
  DELETE FROM clinician
  WHERE organization_id = $1 AND clinician_id = $2 AND version = $3)sql"};
// Clinics come as ",north,south,".
const sql::Statement kLinkClinics{"scheduling.clinician.link_clinics", R"sql(
  INSERT INTO clinician_clinic (organization_id, clinician_id, clinic_id)
  SELECT $1, $2, clinic_id FROM clinic
  WHERE organization_id = $1 AND replace($3, ',' || clinic_id || ',', '') <> $3)sql"};
const sql::Statement kUnlinkClinics{"scheduling.clinician.unlink_clinics", R"sql(
  DELETE FROM clinician_clinic WHERE organization_id = $1 AND clinician_id = $2)sql"};
const sql::Statement kOtherWithSubject{"scheduling.clinician.other_with_subject", R"sql(
  SELECT 1 FROM clinician
  WHERE organization_id = $1 AND subject = $2 AND clinician_id <> $3)sql"};
const sql::Statement kListClinicians{"scheduling.clinician.list", R"sql(
  SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id > $2
  ORDER BY clinician_id LIMIT $3)sql"};
const sql::Statement kKnownClinicians{"scheduling.clinician.known", R"sql(
  SELECT clinician_id FROM clinician
  WHERE organization_id = $1 AND clinician_id IN ($2, $3, $4, $5, $6, $7, $8, $9))sql"};

const sql::Statement kClinicianUsedBy{"scheduling.clinician.used_by", R"sql(
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'courses'
    WHEN EXISTS (SELECT 1 FROM appointment WHERE organization_id = $1 AND clinician_id = $2)
      OR EXISTS (SELECT 1 FROM claim WHERE organization_id = $1 AND resource = $3)
      THEN 'appointments'
    WHEN EXISTS (SELECT 1 FROM care_group WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'groups'
    WHEN EXISTS (SELECT 1 FROM cover
                 WHERE organization_id = $1
                   AND (clinician_id = $2 OR covering_clinician_id = $2)) THEN 'covers'
    WHEN EXISTS (SELECT 1 FROM supervision
                 WHERE organization_id = $1
                   AND (supervisor_id = $2 OR supervisee_id = $2)) THEN 'supervisions'
    WHEN EXISTS (SELECT 1 FROM time_off WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'timeOffs'
    WHEN EXISTS (SELECT 1 FROM leave_plan WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'leavePlans'
    WHEN EXISTS (SELECT 1 FROM waitlist_entry WHERE organization_id = $1 AND clinician_id = $2)
      THEN 'waitlistEntries'
    ELSE '' END)sql"};
// What names clinicians within its document only.
const sql::Statement kClinicDocuments{"scheduling.clinic.documents", R"sql(
  SELECT document FROM clinic WHERE organization_id = $1)sql"};
const sql::Statement kGroupDocuments{"scheduling.group.documents", R"sql(
  SELECT document FROM care_group WHERE organization_id = $1)sql"};
const sql::Statement kOrganizationDocument{"scheduling.organization.document", R"sql(
  SELECT document FROM organization_profile WHERE organization_id = $1)sql"};

const sql::Statement kGetTimeOff{"scheduling.time_off.get", R"sql(
  SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3)sql"};
const sql::Statement kInsertTimeOff{"scheduling.time_off.insert", R"sql(
  INSERT INTO time_off (organization_id, clinician_id, time_off_id, version, starts_at, ends_at,
                        document)
  VALUES ($1, $2, $3, 1, $4, $5, $6))sql"};
const sql::Statement kDeleteTimeOff{"scheduling.time_off.delete", R"sql(
  DELETE FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3 AND version = $4)sql"};
const sql::Statement kListTimeOffs{"scheduling.time_off.list", R"sql(
  SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND (starts_at, time_off_id) > ($3, $4)
  ORDER BY starts_at, time_off_id LIMIT $5)sql"};

const sql::Statement kGetCover{"scheduling.cover.get", R"sql(
  SELECT document, version FROM cover WHERE organization_id = $1 AND cover_id = $2)sql"};
const sql::Statement kInsertCover{"scheduling.cover.insert", R"sql(
  INSERT INTO cover (organization_id, cover_id, version, clinician_id, covering_clinician_id,
                     starts_at, ends_at, document)
  VALUES ($1, $2, 1 + )sql" RAPPORT_RETIRED("$8") R"sql(, $3, $4, $5, $6, $7)
  RETURNING version)sql"};
const sql::Statement kUpdateCover{"scheduling.cover.update", R"sql(
  UPDATE cover SET version = version + 1, clinician_id = $4, covering_clinician_id = $5,
                   starts_at = $6, ends_at = $7, document = $8
  WHERE organization_id = $1 AND cover_id = $2 AND version = $3)sql"};
const sql::Statement kDeleteCover{"scheduling.cover.delete", R"sql(
  DELETE FROM cover WHERE organization_id = $1 AND cover_id = $2 AND version = $3)sql"};
const sql::Statement kListCovers{"scheduling.cover.list", R"sql(
  SELECT document, version FROM cover
  WHERE organization_id = $1 AND (starts_at, cover_id) > ($2, $3)
  ORDER BY starts_at, cover_id LIMIT $4)sql"};

const sql::Statement kGetSupervision{"scheduling.supervision.get", R"sql(
  SELECT document, version FROM supervision
  WHERE organization_id = $1 AND supervision_id = $2)sql"};
const sql::Statement kInsertSupervision{"scheduling.supervision.insert", R"sql(
  INSERT INTO supervision (organization_id, supervision_id, version, supervisor_id, supervisee_id,
                           starts_at, ends_at, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7)
  RETURNING version)sql"};
const sql::Statement kUpdateSupervision{"scheduling.supervision.update", R"sql(
  UPDATE supervision SET version = version + 1, starts_at = $4, ends_at = $5, document = $6
  WHERE organization_id = $1 AND supervision_id = $2 AND version = $3)sql"};
const sql::Statement kListSupervisions{"scheduling.supervision.list", R"sql(
  SELECT document, version FROM supervision
  WHERE organization_id = $1 AND (starts_at, supervision_id) > ($2, $3)
    AND ($4 = '' OR supervisor_id = $4) AND ($5 = '' OR supervisee_id = $5)
  ORDER BY starts_at, supervision_id LIMIT $6)sql"};
const sql::Statement kOverlappingSupervision{"scheduling.supervision.overlapping", R"sql(
  SELECT supervision_id FROM supervision
  WHERE organization_id = $1 AND supervisee_id = $2 AND supervisor_id = $3 AND starts_at < $5
    AND ends_at > $4 AND supervision_id <> $6
  ORDER BY starts_at, supervision_id LIMIT 1)sql"};

sql::Value Organization(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }
sql::Value Id(absl::string_view name) { return sql::Text(names::Last(name)); }
sql::Value Id(absl::string_view name, absl::string_view collection) {
  return sql::Text(names::Id(name, collection));
}

template <class Resource>
absl::StatusOr<Stored<Resource>> One(absl::StatusOr<sql::Result> rows) {
  RETURN_IF_ERROR(rows.status());
  if (rows->empty()) return errors::NotFound(Resource::descriptor()->name());
  Stored<Resource> stored;
  stored.version = rows->Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows->Bytes(0, 0), stored.version, stored.resource));
  return stored;
}

template <class Resource>
absl::StatusOr<std::vector<Resource>> All(absl::StatusOr<sql::Result> rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Resource> all(rows->rows());
  for (size_t i = 0; i < all.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 0), rows->Int(i, 1), all[i]));
  }
  return all;
}

absl::Status SubjectTaken() {
  return errors::FailedPrecondition("SUBJECT_TAKEN",
                                    "Another clinician signs in with that subject.");
}

absl::Status LostRace() {
  return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
}

// The failure of an insert or an update.
template <class Resource>
absl::Status Refusal(const absl::Status& status, const Resource& resource) {
  // What it refers to was looked for; it was deleted in between.
  if (errors::Reason(status) == "CONSTRAINT") return LostRace();
  if (!absl::IsAlreadyExists(status)) return status;
  if (errors::MetadataValue(status, "constraint") == "clinician_subject") return SubjectTaken();
  return errors::AlreadyExists(Resource::descriptor()->name(), resource.name());
}

// Of an insert, which returns the version.
template <class Resource>
absl::StatusOr<int64_t> Inserted(const absl::StatusOr<sql::Result>& result,
                                 const Resource& resource) {
  RETURN_IF_ERROR(Refusal(result.status(), resource));
  return result->Int(0, 0);
}

template <class Resource>
absl::Status Written(const absl::StatusOr<sql::Result>& result, const Resource& resource) {
  RETURN_IF_ERROR(Refusal(result.status(), resource));
  return RequireOneRow(*result);
}

// What refers to it was looked for; who comes in between loses or wins the race.
absl::Status Deleted(const absl::StatusOr<sql::Result>& result) {
  if (errors::Reason(result.status()) == "CONSTRAINT") return LostRace();
  RETURN_IF_ERROR(result.status());
  return RequireOneRow(*result);
}

// Of one whose name may be borne again.
absl::Status Retired(sql::Transaction& tx, const absl::StatusOr<sql::Result>& deleted,
                     absl::string_view name, int64_t version) {
  RETURN_IF_ERROR(Deleted(deleted));
  tx.Defer(kRetire, {Organization(name), sql::Text(name), sql::Int(version + 1)});
  return absl::OkStatus();
}

template <class Names>
std::string IdList(const Names& names) {
  std::string ids = ",";
  for (const std::string& name : names) absl::StrAppend(&ids, names::Last(name), ",");
  return ids;
}

// After the clinician's own row.
absl::Status LinkClinics(sql::Transaction& tx, const v1::Clinician& clinician) {
  const absl::StatusOr<sql::Result> linked =
      tx.Query(kLinkClinics, {Organization(clinician.name()), Id(clinician.name()),
                              sql::Text(IdList(clinician.clinics()))});
  RETURN_IF_ERROR(Refusal(linked.status(), clinician));
  return linked->affected() == clinician.clinics_size() ? absl::OkStatus() : LostRace();
}

absl::StatusOr<std::string> UsedBy(const absl::StatusOr<sql::Result>& rows) {
  RETURN_IF_ERROR(rows.status());
  return rows->Text(0, 0);
}

// Whether one of the documents, parsed as `Resource`, is `wanted`.
template <class Resource, class Predicate>
absl::StatusOr<bool> AnyDocument(const absl::StatusOr<sql::Result>& rows, const Predicate& wanted) {
  RETURN_IF_ERROR(rows.status());
  for (size_t i = 0; i < rows->rows(); ++i) {
    Resource resource;
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 0), 0, resource));
    if (wanted(resource)) return true;
  }
  return false;
}

bool Names(const google::protobuf::RepeatedPtrField<std::string>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

sql::Value EndOf(const v1::Supervision& supervision) {
  return supervision.has_end_time() ? sql::Micros(time::ToTime(supervision.end_time()))
                                    : sql::Int(std::numeric_limits<int64_t>::max());
}

absl::StatusOr<std::string> FirstUnknown(sql::Session& session, const sql::Statement& known,
                                         absl::string_view organization_id,
                                         const std::vector<std::string>& names) {
  for (size_t first = 0; first < names.size(); first += kKnownAtOnce) {
    const size_t end = std::min(names.size(), first + kKnownAtOnce);
    std::vector<sql::Value> parameters = {sql::Text(organization_id)};
    for (size_t i = first; i < end; ++i) parameters.push_back(Id(names[i]));
    parameters.resize(1 + kKnownAtOnce, parameters.back());
    ASSIGN_OR_RETURN(const sql::Result rows, session.Query(known, parameters));
    std::set<absl::string_view> found;
    for (size_t i = 0; i < rows.rows(); ++i) found.insert(rows.Text(i, 0));
    for (size_t i = first; i < end; ++i) {
      if (found.count(names::Last(names[i])) == 0) return names[i];
    }
  }
  return std::string();
}

}  // namespace

absl::StatusOr<Stored<v1::Clinic>> GetClinic(sql::Session& session, absl::string_view name) {
  return One<v1::Clinic>(session.Query(kGetClinic, {Organization(name), Id(name)}));
}

absl::StatusOr<int64_t> InsertClinic(sql::Transaction& tx, const v1::Clinic& clinic) {
  const std::string& name = clinic.name();
  return Inserted(tx.Query(kInsertClinic, {Organization(name), Id(name),
                                           sql::Bytes(Document(clinic)), sql::Text(name)}),
                  clinic);
}

absl::Status UpdateClinic(sql::Transaction& tx, const v1::Clinic& clinic, int64_t version) {
  return Written(tx.Query(kUpdateClinic, {Organization(clinic.name()), Id(clinic.name()),
                                          sql::Int(version), sql::Bytes(Document(clinic))}),
                 clinic);
}

absl::Status DeleteClinic(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Retired(tx, tx.Query(kDeleteClinic, {Organization(name), Id(name), sql::Int(version)}),
                 name, version);
}

absl::StatusOr<std::vector<v1::Clinic>> ListClinics(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view after_id, int limit) {
  return All<v1::Clinic>(session.Query(
      kListClinics, {sql::Text(organization_id), sql::Text(after_id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Room>> GetRoom(sql::Session& session, absl::string_view name) {
  return One<v1::Room>(
      session.Query(kGetRoom, {Organization(name), Id(name, "clinics"), Id(name)}));
}

absl::StatusOr<int64_t> InsertRoom(sql::Transaction& tx, const v1::Room& room) {
  const std::string& name = room.name();
  return Inserted(tx.Query(kInsertRoom, {Organization(name), Id(name, "clinics"), Id(name),
                                         sql::Int(room.capacity()), sql::Bool(room.out_of_use()),
                                         sql::Bytes(Document(room)), sql::Text(name),
                                         sql::Text(ClaimKey(name))}),
                  room);
}

absl::Status UpdateRoom(sql::Transaction& tx, const v1::Room& room, int64_t version) {
  const std::string& name = room.name();
  return Written(tx.Query(kUpdateRoom, {Organization(name), Id(name, "clinics"), Id(name),
                                        sql::Int(version), sql::Int(room.capacity()),
                                        sql::Bool(room.out_of_use()), sql::Bytes(Document(room))}),
                 room);
}

absl::Status DeleteRoom(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Retired(
      tx,
      tx.Query(kDeleteRoom, {Organization(name), Id(name, "clinics"), Id(name), sql::Int(version)}),
      name, version);
}

absl::StatusOr<std::vector<v1::Room>> ListRooms(sql::Session& session, absl::string_view clinic,
                                                absl::string_view after_id, int limit) {
  return All<v1::Room>(session.Query(
      kListRooms, {Organization(clinic), Id(clinic), sql::Text(after_id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Clinician>> GetClinician(sql::Session& session, absl::string_view name) {
  return One<v1::Clinician>(session.Query(kGetClinician, {Organization(name), Id(name)}));
}

absl::StatusOr<int64_t> InsertClinician(sql::Transaction& tx, const v1::Clinician& clinician) {
  const std::string& name = clinician.name();
  ASSIGN_OR_RETURN(const int64_t version,
                   Inserted(tx.Query(kInsertClinician,
                                     {Organization(name), Id(name), sql::Text(clinician.subject()),
                                      sql::Bytes(Document(clinician)), sql::Text(name)}),
                            clinician));
  RETURN_IF_ERROR(LinkClinics(tx, clinician));
  return version;
}

absl::Status UpdateClinician(sql::Transaction& tx, const v1::Clinician& clinician,
                             int64_t version) {
  const std::string& name = clinician.name();
  RETURN_IF_ERROR(Written(
      tx.Query(kUpdateClinician, {Organization(name), Id(name), sql::Int(version),
                                  sql::Text(clinician.subject()), sql::Bytes(Document(clinician))}),
      clinician));
  tx.Defer(kUnlinkClinics, {Organization(name), Id(name)});
  return LinkClinics(tx, clinician);
}

absl::Status DeleteClinician(sql::Transaction& tx, absl::string_view name, int64_t version) {
  tx.Defer(kUnlinkClinics, {Organization(name), Id(name)});
  return Retired(tx, tx.Query(kDeleteClinician, {Organization(name), Id(name), sql::Int(version)}),
                 name, version);
}

absl::Status RequireSubjectFree(sql::Session& session, absl::string_view clinician,
                                absl::string_view subject) {
  if (subject.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOtherWithSubject,
                                 {Organization(clinician), sql::Text(subject), Id(clinician)}));
  return rows.empty() ? absl::OkStatus() : SubjectTaken();
}

absl::StatusOr<std::vector<v1::Clinician>> ListClinicians(sql::Session& session,
                                                          absl::string_view organization_id,
                                                          absl::string_view after_id, int limit) {
  return All<v1::Clinician>(session.Query(
      kListClinicians, {sql::Text(organization_id), sql::Text(after_id), sql::Int(limit)}));
}

absl::StatusOr<std::string> FirstUnknownClinic(sql::Session& session,
                                               absl::string_view organization_id,
                                               const std::vector<std::string>& names) {
  return FirstUnknown(session, kKnownClinics, organization_id, names);
}

absl::StatusOr<std::string> FirstUnknownClinician(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const std::vector<std::string>& names) {
  return FirstUnknown(session, kKnownClinicians, organization_id, names);
}

absl::StatusOr<std::string> ClinicUsedBy(sql::Session& session, absl::string_view name) {
  return UsedBy(session.Query(kClinicUsedBy, {Organization(name), Id(name)}));
}

absl::StatusOr<std::string> RoomUsedBy(sql::Session& session, absl::string_view name) {
  const absl::string_view clinic = names::Id(name, "clinics");
  return UsedBy(session.Query(
      kRoomUsedBy, {Organization(name), sql::Text(clinic),
                    sql::Text(absl::StrCat("rooms/", clinic, "/", names::Last(name))), Id(name)}));
}

absl::StatusOr<std::string> ClinicianUsedBy(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      std::string used_by,
      UsedBy(session.Query(kClinicianUsedBy,
                           {Organization(name), Id(name),
                            sql::Text(absl::StrCat("clinicians/", names::Last(name)))})));
  if (!used_by.empty()) return used_by;
  ASSIGN_OR_RETURN(const bool leads,
                   AnyDocument<v1::Group>(
                       session.Query(kGroupDocuments, {Organization(name)}),
                       [&](const v1::Group& group) { return Names(group.co_clinicians(), name); }));
  if (leads) return std::string("groups");
  ASSIGN_OR_RETURN(bool on_duty,
                   AnyDocument<v1::Clinic>(
                       session.Query(kClinicDocuments, {Organization(name)}),
                       [&](const v1::Clinic& clinic) { return Names(clinic.duty_list(), name); }));
  if (on_duty) return std::string("clinics");
  ASSIGN_OR_RETURN(on_duty, AnyDocument<v1::Organization>(
                                session.Query(kOrganizationDocument, {Organization(name)}),
                                [&](const v1::Organization& organization) {
                                  return Names(organization.settings().duty_list(), name);
                                }));
  return std::string(on_duty ? "organizations" : "");
}

absl::StatusOr<Stored<v1::TimeOff>> GetTimeOff(sql::Session& session, absl::string_view name) {
  return One<v1::TimeOff>(
      session.Query(kGetTimeOff, {Organization(name), Id(name, "clinicians"), Id(name)}));
}

absl::Status InsertTimeOff(sql::Transaction& tx, const v1::TimeOff& time_off) {
  const std::string& name = time_off.name();
  return Written(tx.Query(kInsertTimeOff, {Organization(name), Id(name, "clinicians"), Id(name),
                                           sql::Micros(time::ToTime(time_off.start_time())),
                                           sql::Micros(time::ToTime(time_off.end_time())),
                                           sql::Bytes(Document(time_off))}),
                 time_off);
}

absl::Status DeleteTimeOff(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Deleted(tx.Query(
      kDeleteTimeOff, {Organization(name), Id(name, "clinicians"), Id(name), sql::Int(version)}));
}

absl::StatusOr<std::vector<v1::TimeOff>> ListTimeOffs(sql::Session& session,
                                                      absl::string_view clinician,
                                                      const StartKey& after, int limit) {
  return All<v1::TimeOff>(session.Query(
      kListTimeOffs, {Organization(clinician), Id(clinician), sql::Int(after.start_micros),
                      sql::Text(after.id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Cover>> GetCover(sql::Session& session, absl::string_view name) {
  return One<v1::Cover>(session.Query(kGetCover, {Organization(name), Id(name)}));
}

absl::StatusOr<int64_t> InsertCover(sql::Transaction& tx, const v1::Cover& cover) {
  const std::string& name = cover.name();
  return Inserted(tx.Query(kInsertCover, {Organization(name), Id(name), Id(cover.clinician()),
                                          Id(cover.covering_clinician()),
                                          sql::Micros(time::ToTime(cover.start_time())),
                                          sql::Micros(time::ToTime(cover.end_time())),
                                          sql::Bytes(Document(cover)), sql::Text(name)}),
                  cover);
}

absl::Status UpdateCover(sql::Transaction& tx, const v1::Cover& cover, int64_t version) {
  const std::string& name = cover.name();
  return Written(
      tx.Query(kUpdateCover,
               {Organization(name), Id(name), sql::Int(version), Id(cover.clinician()),
                Id(cover.covering_clinician()), sql::Micros(time::ToTime(cover.start_time())),
                sql::Micros(time::ToTime(cover.end_time())), sql::Bytes(Document(cover))}),
      cover);
}

absl::Status DeleteCover(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Retired(tx, tx.Query(kDeleteCover, {Organization(name), Id(name), sql::Int(version)}),
                 name, version);
}

absl::StatusOr<std::vector<v1::Cover>> ListCovers(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const StartKey& after, int limit) {
  return All<v1::Cover>(
      session.Query(kListCovers, {sql::Text(organization_id), sql::Int(after.start_micros),
                                  sql::Text(after.id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Supervision>> GetSupervision(sql::Session& session,
                                                       absl::string_view name) {
  return One<v1::Supervision>(session.Query(kGetSupervision, {Organization(name), Id(name)}));
}

absl::StatusOr<int64_t> InsertSupervision(sql::Transaction& tx,
                                          const v1::Supervision& supervision) {
  const std::string& name = supervision.name();
  return Inserted(
      tx.Query(kInsertSupervision,
               {Organization(name), Id(name), Id(supervision.supervisor()),
                Id(supervision.supervisee()), sql::Micros(time::ToTime(supervision.start_time())),
                EndOf(supervision), sql::Bytes(Document(supervision))}),
      supervision);
}

absl::Status UpdateSupervision(sql::Transaction& tx, const v1::Supervision& supervision,
                               int64_t version) {
  const std::string& name = supervision.name();
  return Written(
      tx.Query(kUpdateSupervision, {Organization(name), Id(name), sql::Int(version),
                                    sql::Micros(time::ToTime(supervision.start_time())),
                                    EndOf(supervision), sql::Bytes(Document(supervision))}),
      supervision);
}

absl::StatusOr<std::vector<v1::Supervision>> ListSupervisions(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              const SupervisionFilter& filter,
                                                              const StartKey& after, int limit) {
  return All<v1::Supervision>(
      session.Query(kListSupervisions,
                    {sql::Text(organization_id), sql::Int(after.start_micros), sql::Text(after.id),
                     Id(filter.supervisor), Id(filter.supervisee), sql::Int(limit)}));
}

absl::StatusOr<std::string> OverlappingSupervision(sql::Session& session,
                                                   const v1::Supervision& supervision) {
  const std::string& name = supervision.name();
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(
          kOverlappingSupervision,
          {Organization(name), Id(supervision.supervisee()), Id(supervision.supervisor()),
           sql::Micros(time::ToTime(supervision.start_time())), EndOf(supervision), Id(name)}));
  if (rows.empty()) return std::string();
  return names::InOrganization(names::OrganizationId(name), "supervisions", rows.Text(0, 0));
}

}  // namespace rapport::scheduling::store
