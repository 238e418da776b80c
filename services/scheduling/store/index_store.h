#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_INDEX_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_INDEX_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/domain/booking.h"

// What the index of free time is made of, and what a search looks up in the database itself.
namespace rapport::scheduling::store {

// Where in the event log a resource came to a version, or beyond; nothing: it is not numbered yet.
absl::StatusOr<std::optional<int64_t>> FindPosition(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view resource, int64_t version);

// In a session with sql::Access::Feed().
absl::StatusOr<std::vector<std::string>> ListOrganizationIds(sql::Session& session);

struct IndexedClinician {
  v1::Clinician clinician;
  int open_courses = 0;
};
struct IndexedClaim {
  std::string resource;  // 'clinicians/…' or 'rooms/{clinic}/{room}'
  std::string booking;
  int64_t version = 0;  // of the appointment, or the session of a group
  Interval time;
};
struct IndexedTimeOff {
  std::string clinician_id;
  std::string time_off_id;
  int64_t version = 0;
  Interval time;
};

// All of an organisation, a page of rows a statement; claims and time off that end after
// `range.start` and begin before `range.end`.
absl::Status ForEachClinician(sql::Session& session, absl::string_view organization_id,
                              absl::FunctionRef<void(const IndexedClinician&)> visit);
absl::Status ForEachRoom(sql::Session& session, absl::string_view organization_id,
                         absl::FunctionRef<void(const v1::Room&, int64_t version)> visit);
absl::Status ForEachTimeOff(sql::Session& session, absl::string_view organization_id,
                            const Interval& range,
                            absl::FunctionRef<void(const IndexedTimeOff&)> visit);
absl::Status ForEachClaim(sql::Session& session, absl::string_view organization_id,
                          const Interval& range,
                          absl::FunctionRef<void(const IndexedClaim&)> visit);

// What one booking claims of clinicians and rooms, whatever its version.
absl::StatusOr<std::vector<IndexedClaim>> ListClaimsOf(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view booking);

// kNotFound ("Clinician").
absl::StatusOr<IndexedClinician> GetIndexedClinician(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view clinician_id);

// When each of at most 4 patients is taken within `range`.
absl::StatusOr<std::vector<Interval>> ListBusyOf(sql::Session& session,
                                                 absl::string_view organization_id,
                                                 absl::Span<const std::string> patient_ids,
                                                 const Interval& range);

// Whether the patient has, or had, any course, as patient or partner.
absl::StatusOr<bool> HasCourse(sql::Session& session, absl::string_view organization_id,
                               absl::string_view patient_id);

// Ids of the clinicians with whom each of at most 4 patients had or has a course.
absl::StatusOr<std::vector<std::string>> ListFormerClinicians(
    sql::Session& session, absl::string_view organization_id,
    absl::Span<const std::string> patient_ids);

// Who covers for a clinician when, within `range`: by start.
struct CoverSpan {
  std::string clinician_id;  // the covering one
  Interval time;
};
absl::StatusOr<std::vector<CoverSpan>> ListCoversOf(sql::Session& session,
                                                    absl::string_view clinician,
                                                    const Interval& range);

// The sessions of a segment of a course that count or are held: how many, and when the first
// begins.
struct PlannedSessions {
  int count = 0;
  std::optional<absl::Time> first;
};
absl::StatusOr<PlannedSessions> CountPlanned(sql::Session& session, absl::string_view course,
                                             int segment);

// Which of `wanted` (a resource, as claims name it, and a time) are taken, by their place.
struct WantedTime {
  std::string resource;
  Interval time;
};
absl::StatusOr<std::vector<size_t>> FindTaken(sql::Session& session,
                                              absl::string_view organization_id,
                                              absl::Span<const WantedTime> wanted);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_INDEX_STORE_H_
