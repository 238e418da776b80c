#include "services/notes/store/session_store.h"

#include <map>
#include <utility>

#include "absl/strings/strip.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/phases.h"

namespace rapport::notes {
namespace {

constexpr absl::Duration kLongestCounted = absl::Hours(24 * 30);

const sql::Statement kKeep{"notes.noted_session.keep", R"sql(
  INSERT INTO noted_session (organization_id, appointment, case_id, clinician, end_time, held,
                             version, clinic, patient, group_session, private)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  ON CONFLICT (organization_id, appointment) DO UPDATE
  SET case_id = excluded.case_id, clinician = excluded.clinician, end_time = excluded.end_time,
      held = excluded.held, version = excluded.version, clinic = excluded.clinic,
      patient = excluded.patient, group_session = excluded.group_session,
      private = excluded.private
  WHERE noted_session.version < excluded.version)sql"};

const sql::Statement kGet{"notes.noted_session.get", R"sql(
  SELECT appointment, case_id, clinician, held, private, patient FROM noted_session
  WHERE organization_id = $1 AND appointment = $2)sql"};

const sql::Statement kSeats{"notes.noted_session.seats", R"sql(
  SELECT appointment, case_id, clinician, held, private, patient FROM noted_session
  WHERE organization_id = $1 AND group_session = $2 AND group_session <> ''
  ORDER BY appointment)sql"};

// A session of a couple is noted by their joint note; one partner's beside it does not stand for
// it.
const sql::Statement kDue{"notes.due.list", R"sql(
  SELECT * FROM (
    SELECT 1 AS kind, s.appointment AS id, s.appointment AS appointment, s.case_id AS case_id,
           s.clinician AS clinician, s.end_time AS end_time, s.clinic AS clinic,
           d.note_id AS draft, '' AS note, CAST(NULL AS BIGINT) AS sign_time, s.private AS hidden
    FROM noted_session AS s
    JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
    LEFT JOIN session_note AS d
      ON d.organization_id = $1 AND d.appointment = s.appointment AND d.author = $6
      AND (d.kind <> 3 OR s.private = 1)
    WHERE s.organization_id = $1 AND s.held = 1 AND $5 IN (0, 1)
      AND ($4 = 1 OR c.clinician IN (SELECT value FROM json_each($2))
           OR s.clinic IN (SELECT value FROM json_each($3)))
      AND ($7 = '' OR s.clinician = $7)
      AND NOT EXISTS (SELECT 1 FROM session_note AS n
                      WHERE n.organization_id = $1 AND n.appointment = s.appointment
                        AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
      AND (s.end_time, s.appointment) > ($8, $9)
    UNION ALL
    SELECT n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END, n.note_id, n.appointment, n.case_id,
           n.author, n.session_end_time, n.clinic, NULL, n.note_id, n.sign_time,
           CASE WHEN n.kind = 3 THEN 1 ELSE 0 END
    FROM session_note AS n
    WHERE n.organization_id = $1 AND n.cosign IN (1, 3) AND (n.cosign = 1 OR n.draft_version > 0)
      AND $5 IN (0, n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END)
      AND ($4 = 1 OR n.author IN (SELECT value FROM json_each($2))
           OR n.clinic IN (SELECT value FROM json_each($3)))
      AND ($7 = '' OR n.author = $7)
      AND (n.session_end_time, n.note_id) > ($8, $9)) AS due
  ORDER BY end_time, id
  LIMIT $10)sql"};

const sql::Statement kCountDue{"notes.due.count", R"sql(
  SELECT kind, count(*), CAST(sum(CASE WHEN end_time < $2 THEN 1 ELSE 0 END) AS BIGINT),
         min(end_time)
  FROM (
    SELECT 1 AS kind, s.end_time AS end_time
    FROM noted_session AS s
    JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
    WHERE s.organization_id = $1 AND s.held = 1 AND s.end_time >= $3
      AND NOT EXISTS (SELECT 1 FROM session_note AS n
                      WHERE n.organization_id = $1 AND n.appointment = s.appointment
                        AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
    UNION ALL
    SELECT n.cosign + CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END, n.session_end_time
    FROM session_note AS n
    WHERE n.organization_id = $1 AND n.cosign IN (1, 3)
      AND (n.cosign = 1 OR n.draft_version > 0)) AS due
  GROUP BY kind)sql"};

// Nearest-rank percentiles in one pass. Groups: 1 the author, 2 their supervisors at $7, 3 the
// clinic.
const sql::Statement kTimeliness{"notes.timeliness.signed", R"sql(
  WITH one AS (
    SELECT CASE $4 WHEN 1 THEN n.author WHEN 2 THEN p.supervisor ELSE n.clinic END AS whose,
           n.first_sign_time - n.session_end_time AS taken,
           CASE WHEN n.first_sign_time > n.due_time THEN 1 ELSE 0 END AS late,
           CASE WHEN n.cosign = 1 THEN 1 ELSE 0 END AS awaits,
           n.cosign_time - n.sign_time AS cosign_taken,
           n.copied_percent AS copied
    FROM session_note AS n
    LEFT JOIN care_supervision AS p
      ON p.organization_id = $1 AND p.supervisee = n.author AND $4 = 2
      AND p.start_time <= $7 AND p.end_time > $7
    WHERE n.organization_id = $1 AND n.session_end_time >= $5 AND n.session_end_time < $6
      AND n.signed_version > 0 AND ($4 <> 2 OR p.supervisor IS NOT NULL)
      AND ($8 = 1 OR n.author IN (SELECT value FROM json_each($2))
           OR n.clinic IN (SELECT value FROM json_each($3)))),
  ranked AS (
    SELECT whose, taken, late, awaits, cosign_taken, copied,
           row_number() OVER (PARTITION BY whose ORDER BY taken) AS rank,
           count(*) OVER (PARTITION BY whose) AS total,
           row_number() OVER (PARTITION BY whose
                              ORDER BY CASE WHEN cosign_taken IS NULL THEN 1 ELSE 0 END,
                                       cosign_taken) AS cosign_rank,
           count(cosign_taken) OVER (PARTITION BY whose) AS cosign_total
    FROM one)
  SELECT whose, count(*), CAST(sum(late) AS BIGINT), CAST(sum(awaits) AS BIGINT),
         count(cosign_taken), CAST(sum(copied) / count(*) AS BIGINT),
         max(CASE WHEN rank = (total * 50 + 99) / 100 THEN taken END),
         max(CASE WHEN rank = (total * 90 + 99) / 100 THEN taken END),
         max(CASE WHEN rank = (total * 99 + 99) / 100 THEN taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 50 + 99) / 100 THEN cosign_taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 90 + 99) / 100 THEN cosign_taken END),
         max(CASE WHEN cosign_rank = (cosign_total * 99 + 99) / 100 THEN cosign_taken END)
  FROM ranked GROUP BY whose ORDER BY whose LIMIT 1000)sql"};

const sql::Statement kOverdue{"notes.timeliness.overdue", R"sql(
  SELECT CASE $4 WHEN 1 THEN s.clinician WHEN 2 THEN p.supervisor ELSE s.clinic END, count(*)
  FROM noted_session AS s
  JOIN note_case AS c ON c.organization_id = $1 AND c.case_id = s.case_id
  LEFT JOIN care_supervision AS p
    ON p.organization_id = $1 AND p.supervisee = s.clinician AND $4 = 2
    AND p.start_time <= $7 AND p.end_time > $7
  WHERE s.organization_id = $1 AND s.held = 1 AND s.end_time >= $5 AND s.end_time < $6
    AND s.end_time < $9 AND ($4 <> 2 OR p.supervisor IS NOT NULL)
    AND ($8 = 1 OR s.clinician IN (SELECT value FROM json_each($2))
         OR s.clinic IN (SELECT value FROM json_each($3)))
    AND NOT EXISTS (SELECT 1 FROM session_note AS n
                    WHERE n.organization_id = $1 AND n.appointment = s.appointment
                      AND n.signed_version > 0 AND (n.kind <> 3 OR s.private = 1))
  GROUP BY 1 ORDER BY 1 LIMIT 1000)sql"};

NotedSession ReadSession(const sql::Result& rows, size_t row) {
  return {rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2), rows.Bool(row, 3),
          rows.Bool(row, 4) ? rows.Text(row, 5) : ""};
}

double Hours(const sql::Result& rows, size_t row, int column) {
  return absl::ToDoubleHours(absl::Microseconds(rows.Int(row, column)));
}

void ReadPercentiles(const sql::Result& rows, size_t row, int first, v1::Percentiles& out) {
  if (rows.IsNull(row, first)) return;
  out.set_p50(Hours(rows, row, first));
  out.set_p90(Hours(rows, row, first + 1));
  out.set_p99(Hours(rows, row, first + 2));
}

}  // namespace

absl::Status ApplyAppointment(sql::Transaction& tx, const common::v1::Event& event,
                              const scheduling::v1::AppointmentEvent& appointment) {
  absl::string_view name = event.resource();
  const bool private_part = absl::ConsumeSuffix(&name, "/private");
  if (appointment.course().empty() || (appointment.private_session() && !private_part)) {
    return absl::OkStatus();
  }
  return tx
      .Query(kKeep,
             {sql::Text(names::OrganizationId(event.organization())), sql::Text(name),
              sql::Text(names::Last(appointment.course())), sql::Text(appointment.clinician()),
              sql::Micros(time::ToTime(appointment.end_time())),
              sql::Bool(IsHeld(appointment.state())), sql::Int(event.version()),
              sql::Text(appointment.clinic()), sql::Text(appointment.patient()),
              sql::Text(appointment.group_session()), sql::Bool(private_part)})
      .status();
}

absl::StatusOr<std::optional<NotedSession>> GetNotedSession(sql::Session& session,
                                                            absl::string_view appointment) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(appointment)), sql::Text(appointment)}));
  if (rows.empty()) return std::nullopt;
  return ReadSession(rows, 0);
}

absl::StatusOr<std::vector<NotedSession>> ListGroupSeats(sql::Session& session,
                                                         absl::string_view group_session) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSeats, {sql::Text(names::OrganizationId(group_session)),
                                          sql::Text(group_session)}));
  std::vector<NotedSession> seats;
  for (size_t row = 0; row < rows.rows(); ++row) seats.push_back(ReadSession(rows, row));
  return seats;
}

absl::StatusOr<Listed<Due>> ListDue(sql::Session& session, const DueQuery& query,
                                    const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  const NoteScopeQuery& scope = query.scope;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(
          kDue, {sql::Text(scope.organization_id), sql::Text(JsonArray(scope.clinicians)),
                 sql::Text(JsonArray(scope.clinics)), sql::Bool(scope.all), sql::Int(query.kind),
                 sql::Text(query.author), sql::Text(query.clinician), sql::Int(after.number),
                 sql::Text(after.id), sql::Int(page.size + 1)}));
  const auto note = [&](size_t row, int column) {
    return names::Make({{"organizations", scope.organization_id},
                        {"cases", rows.Text(row, 3)},
                        {"notes", rows.Text(row, column)}});
  };
  return TakePage<Due>(
      rows, page,
      [&](size_t row) {
        Due due;
        v1::DueNote& resource = due.resource;
        resource.set_kind(static_cast<v1::DueKind>(rows.Int(row, 0)));
        resource.set_appointment(rows.Text(row, 2));
        resource.set_case_(
            names::InOrganization(scope.organization_id, "cases", rows.Text(row, 3)));
        resource.set_clinician(rows.Text(row, 4));
        *resource.mutable_session_end_time() = time::ToTimestamp(rows.Time(row, 5));
        resource.set_clinic(rows.Text(row, 6));
        if (!rows.IsNull(row, 7)) resource.set_draft(note(row, 7));
        if (!rows.Text(row, 8).empty()) resource.set_note(note(row, 8));
        if (!rows.IsNull(row, 9)) {
          *resource.mutable_sign_time() = time::ToTimestamp(rows.Time(row, 9));
        }
        due.is_private = rows.Bool(row, 10);
        return due;
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 5), rows.Text(row, 1)};
      });
}

absl::StatusOr<std::vector<DueCount>> CountDue(sql::Session& session,
                                               absl::string_view organization_id,
                                               absl::Time overdue_before) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kCountDue, {sql::Text(organization_id), sql::Micros(overdue_before),
                                sql::Micros(overdue_before - kLongestCounted)}));
  std::vector<DueCount> counts;
  for (size_t row = 0; row < rows.rows(); ++row) {
    counts.push_back({.kind = static_cast<v1::DueKind>(rows.Int(row, 0)),
                      .due = rows.Int(row, 1),
                      .overdue = rows.Int(row, 2),
                      .oldest_session_end = rows.Time(row, 3)});
  }
  return counts;
}

absl::StatusOr<std::vector<v1::Timeliness>> ReckonTimeliness(
    sql::Session& session, const NoteScopeQuery& scope, v1::TimelinessGroup group, absl::Time start,
    absl::Time end, absl::Duration due_after, absl::Time now) {
  std::vector<sql::Value> parameters = {sql::Text(scope.organization_id),
                                        sql::Text(JsonArray(scope.clinicians)),
                                        sql::Text(JsonArray(scope.clinics)),
                                        sql::Int(group),
                                        sql::Micros(start),
                                        sql::Micros(end),
                                        sql::Micros(now),
                                        sql::Bool(scope.all)};
  ASSIGN_OR_RETURN(const sql::Result timely, session.Query(kTimeliness, parameters));
  parameters.push_back(sql::Micros(now - due_after));
  ASSIGN_OR_RETURN(const sql::Result overdue, session.Query(kOverdue, parameters));
  std::map<std::string, v1::Timeliness> by_name;
  for (size_t row = 0; row < timely.rows(); ++row) {
    v1::Timeliness& of = by_name[timely.Text(row, 0)];
    of.set_signed_(static_cast<int32_t>(timely.Int(row, 1)));
    of.set_signed_late(static_cast<int32_t>(timely.Int(row, 2)));
    of.set_awaiting_cosign(static_cast<int32_t>(timely.Int(row, 3)));
    of.set_cosigned(static_cast<int32_t>(timely.Int(row, 4)));
    of.set_copied_percent(static_cast<int32_t>(timely.Int(row, 5)));
    ReadPercentiles(timely, row, 6, *of.mutable_hours_to_sign());
    ReadPercentiles(timely, row, 9, *of.mutable_hours_to_cosign());
  }
  for (size_t row = 0; row < overdue.rows(); ++row) {
    by_name[overdue.Text(row, 0)].set_overdue(static_cast<int32_t>(overdue.Int(row, 1)));
  }
  std::vector<v1::Timeliness> all;
  for (auto& [name, of] : by_name) {
    of.set_of(name);
    all.push_back(std::move(of));
  }
  return all;
}

}  // namespace rapport::notes
