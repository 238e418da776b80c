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

// Clinics, clinicians, time off and covers, by the ids in their names. Every `Get` answers
// kNotFound with the type; every `Insert` kAlreadyExists where the id is taken; every `Update` and
// `Delete` compares the version and answers kAborted LOST_RACE. Updates go to version + 1.
namespace rapport::scheduling::store {

absl::StatusOr<Stored<v1::Clinic>> GetClinic(sql::Session& session, absl::string_view name);
absl::Status InsertClinic(sql::Transaction& tx, const v1::Clinic& clinic);
absl::Status UpdateClinic(sql::Transaction& tx, const v1::Clinic& clinic, int64_t version);
// By id, those after `after_id`.
absl::StatusOr<std::vector<v1::Clinic>> ListClinics(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view after_id, int limit);

// Insert and update: kFailedPrecondition SUBJECT_TAKEN.
absl::StatusOr<Stored<v1::Clinician>> GetClinician(sql::Session& session, absl::string_view name);
absl::Status InsertClinician(sql::Transaction& tx, const v1::Clinician& clinician);
absl::Status UpdateClinician(sql::Transaction& tx, const v1::Clinician& clinician, int64_t version);
absl::StatusOr<std::vector<v1::Clinician>> ListClinicians(sql::Session& session,
                                                          absl::string_view organization_id,
                                                          absl::string_view after_id, int limit);

// The first of `names` that is absent; empty: all are there.
absl::StatusOr<std::string> FirstUnknownClinic(sql::Session& session,
                                               absl::string_view organization_id,
                                               const std::vector<std::string>& names);
absl::StatusOr<std::string> FirstUnknownClinician(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const std::vector<std::string>& names);

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
absl::Status InsertCover(sql::Transaction& tx, const v1::Cover& cover);
absl::Status DeleteCover(sql::Transaction& tx, absl::string_view name, int64_t version);
absl::StatusOr<std::vector<v1::Cover>> ListCovers(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const StartKey& after, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_DIRECTORY_STORE_H_
