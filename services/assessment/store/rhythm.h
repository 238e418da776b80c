#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_RHYTHM_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_RHYTHM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/social_rhythm.pb.h"
#include "services/assessment/store/due.h"

// Days of social-rhythm diaries. A day recorded anew is one more entry; the last counts. What was
// done and when, mood and energy are sealed for who keeps the diary.
namespace rapport::assessment::store {

// `organizations/{organization}/courses/{course}/patients/{patient}/rhythmDays/{date}`: under which
// events and audit entries tell of a day.
std::string RhythmDayName(const v1::RhythmDay& day);

struct StoredDay {
  int64_t version = 0;  // how many entries the day has
  std::string stored;   // for the audit entry
};
// Adds an entry, with its record time, to the day that it names.
//   kFailedPrecondition ERASED  its patient was erased
absl::StatusOr<StoredDay> AddRhythmDay(sql::Transaction& tx, const crypto::Vault& vault,
                                       const v1::RhythmDay& day);

// kNotFound ("RhythmDay").
absl::StatusOr<v1::RhythmDay> GetRhythmDay(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name);

// The days of one diary from `first` to `last`, both included, by date; at most `limit`.
absl::StatusOr<std::vector<v1::RhythmDay>> ListRhythmDays(
    sql::Session& session, const crypto::Vault& vault, absl::string_view course,
    absl::string_view patient, absl::CivilDay first, absl::CivilDay last, int limit);

struct DiaryDay {
  std::string course;
  std::string patient;
  absl::CivilDay date;
};
// Which days have an entry, from `first` to `last`, by course, patient and date.
absl::StatusOr<std::vector<DiaryDay>> ListDiaryDays(sql::Session& session, const Whose& whose,
                                                    absl::CivilDay first, absl::CivilDay last);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_RHYTHM_H_
