#include "services/scheduling/store/reminder_store.h"

#include "common/errors/status_macros.h"
#include "services/scheduling/store/stored.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kMarks{"scheduling.reminder.marks", R"sql(
  SELECT lead_micros, reminded_until FROM reminder_progress WHERE organization_id = $1)sql"};

const sql::Statement kPutMark{"scheduling.reminder.put_mark", R"sql(
  INSERT INTO reminder_progress (organization_id, lead_micros, reminded_until) VALUES ($1, $2, $3)
  ON CONFLICT (organization_id, lead_micros) DO UPDATE
  SET reminded_until = excluded.reminded_until)sql"};

const sql::Statement kDropMark{"scheduling.reminder.drop_mark", R"sql(
  DELETE FROM reminder_progress WHERE organization_id = $1 AND lead_micros = $2)sql"};

const sql::Statement kToRemindOf{"scheduling.reminder.appointments", R"sql(
  SELECT document, version FROM appointment
  WHERE organization_id = $1 AND starts_at > $2 AND starts_at <= $3
    AND state = 1 AND private = 0 AND (starts_at, appointment_id) > ($4, $5)
  ORDER BY starts_at, appointment_id LIMIT $6)sql"};

}  // namespace

absl::StatusOr<std::vector<ReminderMark>> ListReminderMarks(sql::Session& session,
                                                            absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kMarks, {sql::Text(organization_id)}));
  std::vector<ReminderMark> marks(rows.rows());
  for (size_t i = 0; i < marks.size(); ++i) {
    marks[i] = {absl::Microseconds(rows.Int(i, 0)), rows.Time(i, 1)};
  }
  return marks;
}

void PutReminderMark(sql::Transaction& tx, absl::string_view organization_id,
                     const ReminderMark& mark) {
  tx.Defer(kPutMark,
           {sql::Text(organization_id), sql::Int(absl::ToInt64Microseconds(mark.lead_time)),
            sql::Micros(mark.reminded_until)});
}

void DropReminderMark(sql::Transaction& tx, absl::string_view organization_id,
                      absl::Duration lead_time) {
  tx.Defer(kDropMark, {sql::Text(organization_id), sql::Int(absl::ToInt64Microseconds(lead_time))});
}

absl::StatusOr<std::vector<v1::Appointment>> ListToRemindOf(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::Time after, absl::Time until,
                                                            const StartKey& last, int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kToRemindOf, {sql::Text(organization_id), sql::Micros(after),
                                               sql::Micros(until), sql::Int(last.start_micros),
                                               sql::Text(last.id), sql::Int(limit)}));
  std::vector<v1::Appointment> appointments(rows.rows());
  for (size_t i = 0; i < appointments.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), rows.Int(i, 1), appointments[i]));
  }
  return appointments;
}

}  // namespace rapport::scheduling::store
