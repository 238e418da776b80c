#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_REMINDER_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_REMINDER_STORE_H_

#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "services/scheduling/domain/reminders.h"

// How far the reminders of an organisation are given, and what to remind of.
namespace rapport::scheduling::store {

absl::StatusOr<std::vector<ReminderMark>> ListReminderMarks(sql::Session& session,
                                                            absl::string_view organization_id);

// Both deferred.
void PutReminderMark(sql::Transaction& tx, absl::string_view organization_id,
                     const ReminderMark& mark);
void DropReminderMark(sql::Transaction& tx, absl::string_view organization_id,
                      absl::Duration lead_time);

// The last one of a page.
struct StartKey {
  int64_t start_micros = std::numeric_limits<int64_t>::min();
  std::string id;
};
// BOOKED appointments, none of them private, that begin after `after` and at the latest at `until`,
// by start.
absl::StatusOr<std::vector<v1::Appointment>> ListToRemindOf(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::Time after, absl::Time until,
                                                            const StartKey& last, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_REMINDER_STORE_H_
