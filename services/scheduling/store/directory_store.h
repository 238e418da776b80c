#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_DIRECTORY_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_DIRECTORY_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/store/stored.h"

// Clinics, rooms, clinicians, time off, covers and supervisions, by the ids in their names. Every
// `Get` answers kNotFound with the type; every `Insert` kAlreadyExists where the id is taken, and
// kAborted LOST_RACE where what it refers to is gone; every `Update` and `Delete` compares the
// version and answers kAborted LOST_RACE. Updates go to version + 1. An insert returns the version
// that it begins with: 1, or one more than the deletion of the name's last bearer had.
namespace rapport::scheduling::store {

absl::StatusOr<Stored<v1::Clinic>> GetClinic(sql::Session& session, absl::string_view name);
absl::StatusOr<int64_t> InsertClinic(sql::Transaction& tx, const v1::Clinic& clinic);
absl::Status UpdateClinic(sql::Transaction& tx, const v1::Clinic& clinic, int64_t version);
absl::Status DeleteClinic(sql::Transaction& tx, absl::string_view name, int64_t version);
// By id, those after `after_id`.
absl::StatusOr<std::vector<v1::Clinic>> ListClinics(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view after_id, int limit);

absl::StatusOr<Stored<v1::Room>> GetRoom(sql::Session& session, absl::string_view name);
absl::StatusOr<int64_t> InsertRoom(sql::Transaction& tx, const v1::Room& room);
absl::Status UpdateRoom(sql::Transaction& tx, const v1::Room& room, int64_t version);
absl::Status DeleteRoom(sql::Transaction& tx, absl::string_view name, int64_t version);
// By id, those of `clinic` after `after_id`.
absl::StatusOr<std::vector<v1::Room>> ListRooms(sql::Session& session, absl::string_view clinic,
                                                absl::string_view after_id, int limit);

// Insert and update: kFailedPrecondition SUBJECT_TAKEN.
absl::StatusOr<Stored<v1::Clinician>> GetClinician(sql::Session& session, absl::string_view name);
absl::StatusOr<int64_t> InsertClinician(sql::Transaction& tx, const v1::Clinician& clinician);
absl::Status UpdateClinician(sql::Transaction& tx, const v1::Clinician& clinician, int64_t version);
absl::Status DeleteClinician(sql::Transaction& tx, absl::string_view name, int64_t version);
absl::StatusOr<std::vector<v1::Clinician>> ListClinicians(sql::Session& session,
                                                          absl::string_view organization_id,
                                                          absl::string_view after_id, int limit);

// kFailedPrecondition SUBJECT_TAKEN where another than `clinician` signs in with `subject`.
absl::Status RequireSubjectFree(sql::Session& session, absl::string_view clinician,
                                absl::string_view subject);

// The first of `names` that is absent; empty: all are there.
absl::StatusOr<std::string> FirstUnknownClinic(sql::Session& session,
                                               absl::string_view organization_id,
                                               const std::vector<std::string>& names);
absl::StatusOr<std::string> FirstUnknownClinician(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const std::vector<std::string>& names);

// What refers to it, as the collection of the first found ("courses"); empty: nothing.
absl::StatusOr<std::string> ClinicUsedBy(sql::Session& session, absl::string_view name);
absl::StatusOr<std::string> RoomUsedBy(sql::Session& session, absl::string_view name);
absl::StatusOr<std::string> ClinicianUsedBy(sql::Session& session, absl::string_view name);

// What a list by start goes on after.
struct StartKey {
  int64_t start_micros;
  std::string id;
};

absl::StatusOr<Stored<v1::TimeOff>> GetTimeOff(sql::Session& session, absl::string_view name);
absl::Status InsertTimeOff(sql::Transaction& tx, const v1::TimeOff& time_off);
absl::Status DeleteTimeOff(sql::Transaction& tx, absl::string_view name, int64_t version);
absl::StatusOr<std::vector<v1::TimeOff>> ListTimeOffs(sql::Session& session,
                                                      absl::string_view clinician,
                                                      const StartKey& after, int limit);

absl::StatusOr<Stored<v1::Cover>> GetCover(sql::Session& session, absl::string_view name);
absl::StatusOr<int64_t> InsertCover(sql::Transaction& tx, const v1::Cover& cover);
absl::Status UpdateCover(sql::Transaction& tx, const v1::Cover& cover, int64_t version);
absl::Status DeleteCover(sql::Transaction& tx, absl::string_view name, int64_t version);
absl::StatusOr<std::vector<v1::Cover>> ListCovers(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const StartKey& after, int limit);

absl::StatusOr<Stored<v1::Supervision>> GetSupervision(sql::Session& session,
                                                       absl::string_view name);
absl::StatusOr<int64_t> InsertSupervision(sql::Transaction& tx, const v1::Supervision& supervision);
absl::Status UpdateSupervision(sql::Transaction& tx, const v1::Supervision& supervision,
                               int64_t version);
// Names of clinicians; empty: of any.
struct SupervisionFilter {
  std::string supervisor;
  std::string supervisee;
};
absl::StatusOr<std::vector<v1::Supervision>> ListSupervisions(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              const SupervisionFilter& filter,
                                                              const StartKey& after, int limit);
// The name of another pair of the same two that is in force at some time with `supervision`; empty:
// none. Under the lock of the supervisee's name.
absl::StatusOr<std::string> OverlappingSupervision(sql::Session& session,
                                                   const v1::Supervision& supervision);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_DIRECTORY_STORE_H_
