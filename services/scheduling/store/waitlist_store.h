#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_WAITLIST_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_WAITLIST_STORE_H_

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/waitlist.pb.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Waitlist entries, by the ids in their names. The column `urgency` holds its negative, so that the
// order in which entries are served is the ascending one of (urgency, create_time, entry_id).
namespace rapport::scheduling::store {

struct WaitlistRow : Stored<v1::WaitlistEntry> {
  bool treats = false;      // the scope's clinician treats, or covers for who does
  bool supervises = false;  // the scope's clinician supervises who treats
  std::string clinic;       // name, of the course
};

// Whoever asks: the caller decides by the row what may be known. kNotFound.
absl::StatusOr<WaitlistRow> GetWaitlistEntry(sql::Session& session, absl::string_view name,
                                             const Scope& scope);

// Whether the course has an entry that is WAITING or OFFERED.
absl::StatusOr<bool> IsOnWaitlist(sql::Session& session, absl::string_view course);

// `course`: the one it waits for. kAlreadyExists: that has an entry that waits.
absl::Status InsertWaitlistEntry(sql::Transaction& tx, const v1::WaitlistEntry& entry,
                                 const v1::Course& course);

// To version + 1. kAborted LOST_RACE. One that is over forgets what it passed.
absl::Status UpdateWaitlistEntry(sql::Transaction& tx, const v1::WaitlistEntry& entry,
                                 int64_t version);

// Deferred: the entry of `course` that waits follows it to its clinician and clinic. For whoever
// gives the course to another clinician.
void DeferFollowCourse(sql::Transaction& tx, const v1::Course& course);

// The place of an entry in the order of service.
struct WaitlistKey {
  int64_t urgency = std::numeric_limits<int64_t>::min();  // negative
  int64_t create_micros = std::numeric_limits<int64_t>::min();
  std::string id;
};
WaitlistKey KeyOf(const v1::WaitlistEntry& entry);

struct WaitlistFilter {
  std::string course_id;     // empty: any
  std::string clinician_id;  // empty: any
  bool include_closed = false;
};
// Those within the scope, in the order of service.
absl::StatusOr<std::vector<v1::WaitlistEntry>> ListWaitlistEntries(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const WaitlistFilter& filter, const WaitlistKey& after, int limit);

// One who waits, with what decides on a time for them.
struct Candidate : Stored<v1::WaitlistEntry> {
  v1::Course course;
  std::string time_zone;    // of the course's clinic
  int sessions_before = 0;  // of the course's count that is running, before the time in question
};
// Those of the clinician's courses that are WAITING, in the order of service; sessions are counted
// up to `start`.
absl::StatusOr<std::vector<Candidate>> ListCandidates(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view clinician_id,
                                                      absl::Time start, const WaitlistKey& after,
                                                      int limit);

// One entry that is WAITING. kNotFound.
absl::StatusOr<Candidate> GetCandidate(sql::Session& session, absl::string_view entry,
                                       absl::Time start);

// The entry that is OFFERED that appointment, if any.
absl::StatusOr<std::optional<Stored<v1::WaitlistEntry>>> FindOfferedEntry(
    sql::Session& session, absl::string_view appointment);

// How many wait or are offered a time, by urgency, and since when the first of them.
struct WaitingCount {
  v1::WaitlistUrgency urgency = v1::WAITLIST_URGENCY_UNSPECIFIED;
  int64_t entries = 0;
  absl::Time since;
};
absl::StatusOr<std::vector<WaitingCount>> CountWaiting(sql::Session& session,
                                                       absl::string_view organization_id);

// Deferred: `entry` was offered `start` and did not take it.
void DeferPass(sql::Transaction& tx, absl::string_view entry, absl::Time start);

// The starts within `range` that entries of the clinician's courses did not take, by entry id.
absl::StatusOr<std::map<std::string, std::vector<absl::Time>>> ListPasses(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician_id,
    const Interval& range);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_WAITLIST_STORE_H_
