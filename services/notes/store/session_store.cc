#include "services/notes/store/session_store.h"

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/phases.h"

namespace rapport::notes {
namespace {

const sql::Statement kKeep{"notes.noted_session.keep", R"sql(
  INSERT INTO noted_session (organization_id, appointment, case_id, clinician, end_time, held,
                             version)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (organization_id, appointment) DO UPDATE
  SET case_id = excluded.case_id, clinician = excluded.clinician, end_time = excluded.end_time,
      held = excluded.held, version = excluded.version
  WHERE noted_session.version < excluded.version)sql"};

const sql::Statement kUnsigned{"notes.noted_session.unsigned", R"sql(
  SELECT s.appointment, s.case_id, s.clinician, s.end_time, d.note_id
  FROM noted_session AS s
  JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
  LEFT JOIN session_note AS d
    ON d.organization_id = $1 AND d.appointment = s.appointment AND d.author = $4
  WHERE s.organization_id = $1 AND s.held = 1
    AND c.clinician IN (SELECT value FROM json_each($2))
    AND ($3 = '' OR s.clinician = $3)
    AND NOT EXISTS (SELECT 1 FROM session_note AS n
                    WHERE n.organization_id = $1 AND n.appointment = s.appointment
                      AND n.state = 2)
    AND (s.end_time, s.appointment) > ($5, $6)
  ORDER BY s.end_time, s.appointment
  LIMIT $7)sql"};

}  // namespace

absl::Status ApplyAppointment(sql::Transaction& tx, const common::v1::Event& event,
                              const scheduling::v1::AppointmentEvent& appointment) {
  return tx
      .Query(kKeep,
             {sql::Text(names::OrganizationId(event.organization())), sql::Text(event.resource()),
              sql::Text(names::Last(appointment.course())), sql::Text(appointment.clinician()),
              sql::Micros(time::ToTime(appointment.end_time())),
              sql::Bool(IsHeld(appointment.state())), sql::Int(event.version())})
      .status();
}

absl::StatusOr<Listed<v1::DueNote>> ListUnsignedSessions(sql::Session& session,
                                                         const DueQuery& query,
                                                         const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kUnsigned,
                    {sql::Text(query.organization_id), sql::Text(JsonArray(query.clinicians)),
                     sql::Text(query.clinician), sql::Text(query.author), sql::Int(after.number),
                     sql::Text(after.id), sql::Int(page.size + 1)}));
  return TakePage<v1::DueNote>(
      rows, page,
      [&](size_t row) {
        v1::DueNote due;
        due.set_appointment(rows.Text(row, 0));
        due.set_case_(names::InOrganization(query.organization_id, "cases", rows.Text(row, 1)));
        due.set_clinician(rows.Text(row, 2));
        *due.mutable_session_end_time() = time::ToTimestamp(rows.Time(row, 3));
        if (!rows.IsNull(row, 4)) {
          due.set_draft(names::Make({{"organizations", query.organization_id},
                                     {"cases", rows.Text(row, 1)},
                                     {"notes", rows.Text(row, 4)}}));
        }
        return due;
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 3), rows.Text(row, 0)};
      });
}

}  // namespace rapport::notes
