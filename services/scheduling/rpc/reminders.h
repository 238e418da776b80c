#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_REMINDERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_REMINDERS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/work/work.h"

namespace rapport::scheduling {

// The kind of work item that reminds of an organisation's sessions; it has one, without key, which
// schedules itself anew for each minute.
inline constexpr absl::string_view kRemindersWork = "reminders";

// One run: a ReminderDueEvent for each session and lead time that fell due since the last, as
// domain/reminders.h says, with the marks in the same transaction. An organisation that is
// suspended or has reminders off has none, also afterwards for what fell due meanwhile. The event's
// version is the appointment's sequence and 1, so that the reminder of a moved session is a newer
// version of the same resource.
absl::Status RemindOfSessions(sql::Transaction& tx, const work::Item& item, absl::Time now);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_REMINDERS_H_
