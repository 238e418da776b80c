#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_LEAVE_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_LEAVE_STORE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/leave.pb.h"
#include "services/scheduling/domain/hours.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Leave plans and what they are made of, by the ids in their names. A plan and its items are stored
// apart, as each item gets its outcome in a transaction of its own.
namespace rapport::scheduling::store {

// Whose items a caller sees: all, or those of clinics (see Scope::clinics).
struct ClinicReach {
  bool all = false;
  std::string clinics;
};

struct LeaveSession {
  v1::Appointment appointment;  // with session_number
  v1::Course course;
};
// What is BOOKED with `clinician` to begin after `now` and overlaps `time_off`, by start.
absl::StatusOr<std::vector<LeaveSession>> ListLeaveSessions(sql::Session& session,
                                                            absl::string_view clinician,
                                                            const Interval& time_off,
                                                            absl::Time now,
                                                            const ClinicReach& reach, int limit);

// When the others of those sessions (patients, participants) are taken by other bookings that begin
// within `range`; by id of the appointment. One statement.
absl::StatusOr<std::map<std::string, std::vector<Interval>>> ListBusyOthers(
    sql::Session& session, absl::string_view clinician, const Interval& time_off, absl::Time now,
    const Interval& range);

struct CoverInForce {
  std::string clinician;  // name, who covers
  Interval time;
};
// Who covers for `clinician` at some time of `range`, by start.
absl::StatusOr<std::vector<CoverInForce>> ListCoversOf(sql::Session& session,
                                                       absl::string_view clinician,
                                                       const Interval& range, int limit);

struct LeavePlanRow : Stored<v1::LeavePlan> {  // without items
  int sessions = 0;
  int settled = 0;                   // that have an outcome
  std::string clinician;             // name
  std::vector<std::string> clinics;  // names, where they work
  bool treats = false;               // the scope's clinician is that clinician, or covers for them
};
// Whoever asks. kNotFound ("LeavePlan").
absl::StatusOr<LeavePlanRow> GetLeavePlan(sql::Session& session, absl::string_view name,
                                          const Scope& scope);

struct LeaveItemRow {
  v1::LeavePlanItem item;
  std::string clinic_id;
  bool private_session = false;
  bool in_group = false;  // a member's place
};
// What the audit log calls an item: it tells of each at the version of its plan that wrote it.
std::string LeaveItemName(absl::string_view plan, const v1::LeavePlanItem& item);
// At version 1. Deferred.
void InsertLeavePlan(sql::Transaction& tx, const LeavePlanRow& plan,
                     const std::vector<LeaveItemRow>& items);
// By start.
absl::StatusOr<std::vector<LeaveItemRow>> ListLeaveItems(sql::Session& session,
                                                         absl::string_view plan,
                                                         const ClinicReach& reach);
// kNotFound ("LeavePlan").
absl::StatusOr<LeaveItemRow> GetLeaveItem(sql::Session& session, absl::string_view plan,
                                          absl::string_view appointment);
// The plan to version + 1, with the item. kAborted LOST_RACE.
absl::Status UpdateLeavePlan(sql::Transaction& tx, const LeavePlanRow& plan,
                             const v1::LeavePlanItem& item);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_LEAVE_STORE_H_
