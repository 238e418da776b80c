#include "services/scheduling/store/appointment_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/appointments.h"

namespace rapport::scheduling::store {
namespace {

// No claim is longer: the longest session and the longest buffer.
#define LONGEST_CLAIM "32400000000"

// A row of `appointment a`, with its rank among those of its course and segment that count.
#define APPOINTMENT_COLUMNS                                                                \
  "a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b" \
  " WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.segment = a.segment"  \
  " AND b.counts = 1"                                                                      \
  " AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END"

#define BUSY_UNTIL                                              \
  "(SELECT x.ends_at FROM claim x WHERE x.organization_id = $1" \
  " AND x.booking = a.appointment_id AND x.resource = 'clinicians/' || a.clinician_id)"

// Who sees to the clinician of its course sees to an appointment whoever holds or held it; likewise
// who supervises them.
#define BY_COURSE(condition)                                        \
  "EXISTS (SELECT 1 FROM course own WHERE own.organization_id = $1" \
  " AND own.course_id = a.course_id AND " condition ")"
#define SEES_TO_IT(s, n) \
  "(" RAPPORT_SEES_TO("a", s, n) " OR " BY_COURSE(RAPPORT_SEES_TO("own", s, n)) ")"
#define SUPERVISES_IT(s, n) \
  "(" RAPPORT_SUPERVISES("a", s, n) " OR " BY_COURSE(RAPPORT_SUPERVISES("own", s, n)) ")"

// By the parameters $3 subject, $4 now and $5 supervisor.
#define ROW_IN_SCOPE \
  APPOINTMENT_COLUMNS ", " SEES_TO_IT("$3", "$4") ", " SUPERVISES_IT("$5", "$4") ", " BUSY_UNTIL

const sql::Statement kGet{"scheduling.appointment.get",
                          "SELECT " ROW_IN_SCOPE
                          " FROM appointment a"
                          " WHERE a.organization_id = $1 AND a.appointment_id = $2"};

const sql::Statement kGetContext{
    "scheduling.appointment.context",
    "SELECT " ROW_IN_SCOPE
    ", c.document, c.version, (SELECT COUNT(*) FROM appointment u WHERE u.organization_id = $1"
    " AND u.course_id = a.course_id AND u.segment = c.segment AND u.used = 1),"
    " p.document, k.document, t.document"
    " FROM appointment a"
    " LEFT JOIN course c ON c.organization_id = $1 AND c.course_id = a.course_id"
    " JOIN organization_profile p ON p.organization_id = $1"
    " LEFT JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = a.clinic_id"
    " LEFT JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = a.clinician_id"
    " WHERE a.organization_id = $1 AND a.appointment_id = $2"};

// The course with what stands around it, then its sessions. A held one counts towards the cap.
const sql::Statement kBookingContext{
    "scheduling.booking.context",
    "SELECT 1, c.document, k.document, p.document,"
    " CASE WHEN " RAPPORT_SEES_TO("c", "$3", "$4") " THEN 1 ELSE 0 END,"
    " CASE WHEN " RAPPORT_SUPERVISES("c", "$5", "$4") " THEN 1 ELSE 0 END,"
    " c.version, '', CAST(NULL AS BIGINT)"
    " FROM course c"
    " JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id"
    " JOIN organization_profile p ON p.organization_id = $1"
    " WHERE c.organization_id = $1 AND c.course_id = $2"
    " UNION ALL"
    " SELECT 2, NULL, NULL, NULL, a.counts, 0, a.starts_at, a.appointment_id,"
    " (SELECT MAX(x.expires_at) FROM claim x WHERE x.organization_id = $1"
    " AND x.booking = a.appointment_id)"
    " FROM course c JOIN appointment a ON a.organization_id = $1 AND a.course_id = c.course_id"
    " AND a.segment = c.segment AND a.private = 0 AND (a.counts = 1 OR a.state = 6)"
    " WHERE c.organization_id = $1 AND c.course_id = $2"};

const sql::Statement kPlaceContext{
    "scheduling.booking.place",
    "SELECT k.document, p.document,"
    " EXISTS (SELECT 1 FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $5 AND "
    RAPPORT_SEES_TO("t", "$3", "$4") ")"
    " FROM clinic k JOIN organization_profile p ON p.organization_id = $1"
    " WHERE k.organization_id = $1 AND k.clinic_id = $2"};

enum TimesRow {
  kClinicianRow = 1,
  kAwayRow,
  kSupervisedRow,
  kClaimRow,
  kRoomRow,
  kRoomClaimRow,
  kClinicRow
};

constexpr int kFirstKey = 6;
constexpr absl::Duration kLongestClaim = absl::Hours(9);

// What is known of the times of `keys` people and of rooms around `windows` sessions. Parameters:
// $2 the clinic whose rooms may be needed, $3 just this room, $4 now, $5 whether the clinics of
// clinicians are wanted, the keys (each with its id, if a clinician's), and for each window its day
// (from, to), its session (from, to) and when the longest claim into each may have begun; those
// that are not used are empty. All of them are made ready by the caller: under row-level security
// PostgreSQL looks nothing up in an index by what a function that may leak (substr, ||, -) has made
// of a column. A row: kind, key, start, end, booking, clinic, end of the
// session, expiry, version, document; the last two of what has one, and of holds that have ended.
std::string TimesSql(int keys, int windows) {
  int parameter = kFirstKey;
  std::string sql = "WITH who(key, clinician) AS (VALUES ";
  for (int i = 0; i < keys; ++i) {
    absl::StrAppend(&sql, i == 0 ? "" : ", ", "(CAST($", parameter, " AS TEXT), CAST($",
                    parameter + 1, " AS TEXT))");
    parameter += 2;
  }
  absl::StrAppend(&sql, "), win(lo, hi, s, e, lo_from, s_from) AS (VALUES ");
  for (int i = 0; i < windows; ++i) {
    absl::StrAppend(&sql, i == 0 ? "(" : ", (");
    for (int j = 0; j < 6; ++j) {
      absl::StrAppend(&sql, j == 0 ? "" : ", ", "CAST($", parameter++, " AS BIGINT)");
    }
    absl::StrAppend(&sql, ")");
  }
  absl::StrAppend(&sql, R"sql()
  SELECT 1, who.key, t.version, t.version, '', '', CAST(NULL AS BIGINT), CAST(NULL AS BIGINT),
         t.version, t.document
  FROM who JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = who.clinician
  UNION ALL
  SELECT 2, who.key, o.starts_at, o.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN time_off o ON o.organization_id = $1 AND o.clinician_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE o.starts_at < win.hi AND o.ends_at > win.lo)
  UNION ALL
  SELECT 3, who.key, s.starts_at, s.ends_at, '', '', NULL, NULL, 0, NULL
  FROM who JOIN supervision s ON s.organization_id = $1 AND s.supervisee_id = who.clinician
  WHERE EXISTS (SELECT 1 FROM win WHERE s.starts_at < win.hi AND s.ends_at > win.lo)
  UNION ALL
  SELECT 4, c.resource, c.starts_at, c.ends_at, c.booking, COALESCE(a.clinic_id, g.clinic_id, ''),
         COALESCE(a.ends_at, n.ends_at), c.expires_at, COALESCE(a.version, 0),
         CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM who CROSS JOIN win
  JOIN claim c ON c.organization_id = $1 AND c.resource = who.key
    AND c.starts_at > win.lo_from AND c.starts_at < win.hi AND c.ends_at > win.lo
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session n ON n.organization_id = $1 AND n.session_id = c.booking
  LEFT JOIN care_group g ON g.organization_id = $1 AND g.group_id = n.group_id
  UNION ALL
  SELECT 5, '', 0, 0, '', '', NULL, NULL, r.version, r.document
  FROM room r WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 6, c.resource, c.starts_at, c.ends_at, c.booking, '', NULL, c.expires_at,
         COALESCE(a.version, 0), CASE WHEN c.expires_at <= $4 THEN a.document END
  FROM room r CROSS JOIN win
  JOIN claim c ON c.organization_id = $1
    AND c.resource = r.resource
    AND c.starts_at > win.s_from AND c.starts_at < win.e AND c.ends_at > win.s
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  WHERE r.organization_id = $1 AND r.clinic_id = $2 AND ($3 = '' OR r.room_id = $3)
  UNION ALL
  SELECT 7, who.key, 0, 0, '', '', NULL, NULL, k.version, k.document
  FROM who
  JOIN clinician_clinic w ON w.organization_id = $1 AND w.clinician_id = who.clinician
  JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = w.clinic_id
  WHERE $5 = 1)sql");
  return sql;
}

struct TimesStatement {
  size_t keys;
  size_t windows;
  sql::Statement statement;
};
const TimesStatement kTimes[] = {
    {4, 1, {"scheduling.booking.times_4_1", TimesSql(4, 1)}},
    {4, 16, {"scheduling.booking.times_4_16", TimesSql(4, 16)}},
    {16, 16, {"scheduling.booking.times_16_16", TimesSql(16, 16)}},
};

// "INSERT INTO {into} VALUES" with `rows` rows of `columns`, of which the first is $1 in each.
std::string InsertSql(absl::string_view into, int columns, int rows) {
  std::string sql = absl::StrCat("INSERT INTO ", into, " VALUES ");
  int parameter = 2;
  for (int row = 0; row < rows; ++row) {
    absl::StrAppend(&sql, row == 0 ? "" : ", ", "($1");
    for (int column = 1; column < columns; ++column) absl::StrAppend(&sql, ", $", parameter++);
    absl::StrAppend(&sql, ")");
  }
  return sql;
}

const sql::Statement kInsert{"scheduling.appointment.insert", R"sql(
  INSERT INTO appointment (organization_id, appointment_id, version, course_id, patient_id,
                           clinician_id, clinic_id, series_id, starts_at, ends_at, state, counts,
                           used, private, segment, room, tzdata_version, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17))sql"};

const sql::Statement kUpdate{"scheduling.appointment.update", R"sql(
  UPDATE appointment
  SET version = version + 1, course_id = $4, clinician_id = $5, starts_at = $6, ends_at = $7,
      state = $8, counts = $9, used = $10, segment = $11, room = $12, tzdata_version = $13,
      document = $14
  WHERE organization_id = $1 AND appointment_id = $2 AND version = $3)sql"};

constexpr size_t kManyRows = 16;
constexpr char kIntoClaim[] =
    "claim (organization_id, resource, booking, starts_at, ends_at, state, expires_at)";
const sql::Statement kInsertClaim{"scheduling.claim.insert", InsertSql(kIntoClaim, 7, 1)};
const sql::Statement kInsertClaims{"scheduling.claim.insert_many",
                                   InsertSql(kIntoClaim, 7, kManyRows)};

const sql::Statement kDeleteClaims{"scheduling.claim.delete", R"sql(
  DELETE FROM claim WHERE organization_id = $1 AND booking = $2)sql"};

const sql::Statement kBookClaims{"scheduling.claim.book", R"sql(
  UPDATE claim SET state = 'BOOKED', expires_at = NULL
  WHERE organization_id = $1 AND booking = $2)sql"};

const sql::Statement kInsertAttendee{"scheduling.attendee.insert", R"sql(
  INSERT INTO attendee (organization_id, person, starts_at, appointment_id)
  VALUES ($1, $2, $3, $4))sql"};

const sql::Statement kMoveAttendees{"scheduling.attendee.move", R"sql(
  UPDATE attendee SET starts_at = $3 WHERE organization_id = $1 AND appointment_id = $2)sql"};

// A list by the rows of `table` with `column`; parameters: $2 its value, $3 and $4 the span, $5 and
// $6 the key before, $7 and $8 the clinics of a desk, $9 subject, $10 now, $11 supervisor, $12 all.
#define LIST_APPOINTMENTS(from, key, column, more)                                          \
  "SELECT " APPOINTMENT_COLUMNS ", " SEES_TO_IT("$9", "$10") ", " SUPERVISES_IT(            \
      "$11", "$10") " FROM " from " WHERE " key ".organization_id = $1 AND " key "." column \
                    " = $2"                                                                 \
                    " AND " key ".starts_at >= $3 AND " key                                 \
                    ".starts_at < $4"                                                       \
                    " AND (" key ".starts_at, " key                                         \
                    ".appointment_id) > ($5, $6)"                                           \
                    " AND (($7 = 1 AND " RAPPORT_IN_CLINICS("a", "$8") ") OR " SEES_TO_IT(  \
                        "$9", "$10") " OR " SUPERVISES_IT("$11",                            \
                                                          "$10") ")" more " ORDER BY " key  \
                                                                 ".starts_at, " key         \
                                                                 ".appointment_id LIMIT $13"

#define BUT_PRIVATE                                                                        \
  " AND (a.private = 0 OR $12 = 1 OR " SEES_TO_IT("$9", "$10") " OR " SUPERVISES_IT("$11", \
                                                                                    "$10") ")"

// Private ones are seen there by everyone, as times.
#define WITH_PRIVATE " AND $12 >= 0"

const sql::Statement kListOfCourse{
    "scheduling.appointment.list_of_course",
    LIST_APPOINTMENTS("appointment a", "a", "course_id", BUT_PRIVATE)};
const sql::Statement kListOfClinician{
    "scheduling.appointment.list_of_clinician",
    LIST_APPOINTMENTS("appointment a", "a", "clinician_id", WITH_PRIVATE)};
const sql::Statement kListOfClinic{
    "scheduling.appointment.list_of_clinic",
    LIST_APPOINTMENTS("appointment a", "a", "clinic_id", WITH_PRIVATE)};
const sql::Statement kListOfPatient{
    "scheduling.appointment.list_of_patient",
    LIST_APPOINTMENTS("attendee w JOIN appointment a ON a.organization_id = $1"
                      " AND a.appointment_id = w.appointment_id",
                      "w", "person", BUT_PRIVATE)};

const sql::Statement kListSeries{
    "scheduling.appointment.list_of_series",
    "SELECT " APPOINTMENT_COLUMNS
    " FROM appointment a"
    " WHERE a.organization_id = $1 AND a.course_id = $2 AND a.series_id = $3"
    " ORDER BY a.starts_at, a.appointment_id"};

const sql::Statement kListBookedWithin{"scheduling.appointment.list_booked_within",
                                       "SELECT appointment_id FROM appointment"
                                       " WHERE organization_id = $1 AND clinician_id = $2"
                                       " AND state = 1 AND starts_at > $3 - " LONGEST_CLAIM
                                       " AND starts_at < $4 AND ends_at > $3"
                                       " ORDER BY starts_at, appointment_id LIMIT $5"};

absl::Status ReadRow(const sql::Result& rows, size_t i, Stored<v1::Appointment>& row) {
  row.version = rows.Int(i, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), row.version, row.resource));
  row.resource.set_session_number(static_cast<int32_t>(rows.Int(i, 2)));
  return absl::OkStatus();
}

// Of ROW_IN_SCOPE.
absl::Status ReadRow(const sql::Result& rows, AppointmentRow& row) {
  RETURN_IF_ERROR(ReadRow(rows, 0, static_cast<Stored<v1::Appointment>&>(row)));
  row.treats = rows.Bool(0, 3);
  row.supervises = rows.Bool(0, 4);
  row.busy_until = rows.Time(0, 5);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Stored<v1::Appointment>>> All(const absl::StatusOr<sql::Result>& rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Stored<v1::Appointment>> appointments(rows->rows());
  for (size_t i = 0; i < appointments.size(); ++i) {
    RETURN_IF_ERROR(ReadRow(*rows, i, appointments[i]));
  }
  return appointments;
}

absl::Status ReadSettings(const std::string& document, v1::OrganizationSettings& settings) {
  v1::Organization organization;
  RETURN_IF_ERROR(ParseDocument(document, 0, organization));
  settings = std::move(*organization.mutable_settings());
  return absl::OkStatus();
}

std::vector<sql::Value> ScopeValues(absl::string_view name, const Scope& scope) {
  return {sql::Text(names::OrganizationId(name)), sql::Text(names::Last(name)),
          sql::Text(scope.subject), sql::Micros(scope.now), sql::Text(scope.supervisor)};
}

sql::Value CourseId(const v1::Appointment& appointment) {
  if (appointment.course().empty()) return sql::Null{};
  return sql::Text(names::Last(appointment.course()));
}

std::vector<sql::Value> UpdateValues(const v1::Appointment& appointment,
                                     const v1::Protocol& protocol, int64_t version) {
  return {sql::Text(names::OrganizationId(appointment.name())),
          sql::Text(names::Last(appointment.name())),
          sql::Int(version),
          CourseId(appointment),
          sql::Text(names::Last(appointment.clinician())),
          sql::Micros(time::ToTime(appointment.start_time())),
          sql::Micros(time::ToTime(appointment.end_time())),
          sql::Int(appointment.state()),
          sql::Bool(CountsTowardsCourse(appointment, protocol)),
          sql::Bool(UsesSession(appointment, protocol)),
          sql::Int(appointment.segment()),
          sql::Text(names::Last(appointment.room())),
          sql::Text(appointment.tzdata_version()),
          sql::Bytes(Document(appointment))};
}

void FreeTime(sql::Transaction& tx, const v1::Appointment& appointment) {
  if (TakesTime(appointment.state())) return;
  DeleteClaims(tx, names::OrganizationId(appointment.name()), names::Last(appointment.name()));
}

// Gathers the rows of TimesSql.
class TimesReader {
 public:
  TimesReader(const TimesAsk& ask, BookingFacts& facts) : ask_(ask), facts_(facts) {}

  absl::Status Take(const sql::Result& rows) {
    for (size_t i = 0; i < rows.rows(); ++i) RETURN_IF_ERROR(TakeRow(rows, i));
    return absl::OkStatus();
  }

  std::vector<Stored<v1::Appointment>> TakeEndedHolds() {
    std::vector<Stored<v1::Appointment>> holds;
    for (auto& [id, hold] : ended_) holds.push_back(std::move(hold));
    return holds;
  }

 private:
  absl::Status TakeRow(const sql::Result& rows, size_t i) {
    const std::string& key = rows.Text(i, 1);
    switch (rows.Int(i, 0)) {
      case kClinicianRow:
        if (!seen_.insert(key).second) break;
        return ParseDocument(rows.Bytes(i, 9), rows.Int(i, 8), facts_.clinicians[key].clinician);
      case kAwayRow:
        facts_.clinicians[key].time_off.push_back({rows.Time(i, 2), rows.Time(i, 3)});
        break;
      case kSupervisedRow:
        facts_.clinicians[key].supervised.push_back({rows.Time(i, 2), rows.Time(i, 3)});
        break;
      case kClaimRow:
      case kRoomClaimRow:
        return TakeClaim(rows, i);
      case kClinicRow: {
        ClinicFacts clinic;
        RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 9), rows.Int(i, 8), clinic.clinic));
        ASSIGN_OR_RETURN(clinic.zone, time::LoadZone(clinic.clinic.time_zone()));
        if (seen_.insert(absl::StrCat(key, " ", clinic.clinic.name())).second) {
          facts_.clinicians[key].clinics.push_back(std::move(clinic));
        }
        break;
      }
      case kRoomRow: {
        v1::Room room;
        RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 9), rows.Int(i, 8), room));
        if (seen_.insert(room.name()).second) facts_.rooms.push_back(std::move(room));
        break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeClaim(const sql::Result& rows, size_t i) {
    const std::string& key = rows.Text(i, 1);
    const std::string& booking = rows.Text(i, 4);
    if (ask_.moving.contains(booking)) return absl::OkStatus();
    if (!rows.IsNull(i, 9)) {
      Stored<v1::Appointment>& hold = ended_[booking];
      hold.version = rows.Int(i, 8);
      return ParseDocument(rows.Bytes(i, 9), hold.version, hold.resource);
    }
    if (!seen_.insert(absl::StrCat(key, " ", booking)).second) return absl::OkStatus();
    Claim claim;
    claim.time = {rows.Time(i, 2), rows.Time(i, 3)};
    claim.booking = booking;
    claim.clinic = rows.Text(i, 5);
    claim.session_end = rows.IsNull(i, 6) ? claim.time.end : rows.Time(i, 6);
    facts_.claims[key].push_back(std::move(claim));
    return absl::OkStatus();
  }

  const TimesAsk& ask_;
  BookingFacts& facts_;
  std::set<std::string> seen_;
  std::map<std::string, Stored<v1::Appointment>> ended_;
};

}  // namespace

std::string Document(const v1::Appointment& appointment) {
  v1::Appointment stored = appointment;
  stored.clear_session_number();
  return Document<v1::Appointment>(stored);
}

absl::StatusOr<AppointmentRow> GetAppointment(sql::Session& session, absl::string_view name,
                                              const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kGet, ScopeValues(name, scope)));
  if (rows.empty()) return errors::NotFound("Appointment");
  AppointmentRow row;
  RETURN_IF_ERROR(ReadRow(rows, row));
  return row;
}

absl::StatusOr<AppointmentContext> GetAppointmentContext(sql::Session& session,
                                                         absl::string_view name,
                                                         const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kGetContext, ScopeValues(name, scope)));
  if (rows.empty()) return errors::NotFound("Appointment");
  AppointmentContext context;
  RETURN_IF_ERROR(ReadRow(rows, context.row));
  if (!rows.IsNull(0, 6)) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 6), rows.Int(0, 7), context.course));
  }
  context.sessions_used = static_cast<int>(rows.Int(0, 8));
  RETURN_IF_ERROR(ReadSettings(rows.Bytes(0, 9), context.settings));
  if (!rows.IsNull(0, 10)) RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 10), 0, context.clinic));
  if (!rows.IsNull(0, 11)) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 11), 0, context.clinician));
  }
  return context;
}

absl::StatusOr<BookingContext> GetBookingContext(sql::Session& session, absl::string_view course,
                                                 const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kBookingContext, ScopeValues(course, scope)));
  BookingContext context;
  for (size_t i = 0; i < rows.rows(); ++i) {
    if (rows.Int(i, 0) == 1) {
      RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 1), rows.Int(i, 6), context.course));
      RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 2), 0, context.clinic));
      RETURN_IF_ERROR(ReadSettings(rows.Bytes(i, 3), context.settings));
      context.treats = rows.Bool(i, 4);
      context.supervises = rows.Bool(i, 5);
    } else {
      context.sessions.push_back(
          {rows.Time(i, 6), rows.Text(i, 7), rows.Bool(i, 4), rows.Time(i, 8)});
    }
  }
  if (context.course.name().empty()) return errors::NotFound("Course");
  return context;
}

absl::StatusOr<BookingContext> GetPlaceContext(sql::Session& session, absl::string_view clinic,
                                               absl::string_view clinician, const Scope& scope) {
  std::vector<sql::Value> values = ScopeValues(clinic, scope);
  values.back() = sql::Text(names::Last(clinician));
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kPlaceContext, values));
  if (rows.empty()) return errors::NotFound("Clinic");
  BookingContext context;
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), 0, context.clinic));
  RETURN_IF_ERROR(ReadSettings(rows.Bytes(0, 1), context.settings));
  context.treats = rows.Bool(0, 2);
  return context;
}

absl::StatusOr<std::vector<Stored<v1::Appointment>>> ReadTimes(sql::Session& session,
                                                               absl::string_view organization_id,
                                                               const TimesAsk& ask,
                                                               BookingFacts& facts) {
  const std::vector<std::string> keys(ask.keys.begin(), ask.keys.end());
  const auto statement =
      std::find_if(std::begin(kTimes), std::end(kTimes) - 1, [&](const TimesStatement& candidate) {
        return keys.size() <= candidate.keys && ask.windows.size() <= candidate.windows;
      });
  TimesReader reader(ask, facts);
  for (size_t key = 0; key == 0 || key < keys.size(); key += statement->keys) {
    for (size_t window = 0; window < ask.windows.size(); window += statement->windows) {
      std::vector<sql::Value> values = {sql::Text(organization_id), sql::Text(ask.clinic_id),
                                        sql::Text(ask.room_id), sql::Micros(facts.now),
                                        sql::Bool(ask.any_hours)};
      for (size_t i = key; i < key + statement->keys; ++i) {
        absl::string_view id = i < keys.size() ? keys[i] : absl::string_view();
        values.push_back(sql::Text(id));
        values.push_back(sql::Text(absl::ConsumePrefix(&id, "clinicians/") ? id : ""));
      }
      for (size_t i = window; i < window + statement->windows; ++i) {
        TimesAsk::Window none{{absl::UnixEpoch(), absl::UnixEpoch()},
                              {absl::UnixEpoch(), absl::UnixEpoch()}};
        const TimesAsk::Window& of = i < ask.windows.size() ? ask.windows[i] : none;
        for (const Interval& interval : {of.day, of.session}) {
          values.push_back(sql::Micros(interval.start));
          values.push_back(sql::Micros(interval.end));
        }
        for (const Interval& interval : {of.day, of.session}) {
          values.push_back(sql::Micros(interval.start - kLongestClaim));
        }
      }
      ASSIGN_OR_RETURN(const sql::Result rows, session.Query(statement->statement, values));
      RETURN_IF_ERROR(reader.Take(rows));
    }
  }
  return reader.TakeEndedHolds();
}

void InsertAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                       const v1::Protocol& protocol, absl::Span<const std::string> patients) {
  tx.Defer(kInsert,
           {sql::Text(names::OrganizationId(appointment.name())),
            sql::Text(names::Last(appointment.name())), CourseId(appointment),
            sql::Text(names::Last(appointment.patient())),
            sql::Text(names::Last(appointment.clinician())),
            sql::Text(names::Last(appointment.clinic())), sql::Text(appointment.series()),
            sql::Micros(time::ToTime(appointment.start_time())),
            sql::Micros(time::ToTime(appointment.end_time())), sql::Int(appointment.state()),
            sql::Bool(CountsTowardsCourse(appointment, protocol)),
            sql::Bool(UsesSession(appointment, protocol)), sql::Bool(appointment.private_session()),
            sql::Int(appointment.segment()), sql::Text(names::Last(appointment.room())),
            sql::Text(appointment.tzdata_version()), sql::Bytes(Document(appointment))});
  for (const std::string& patient : patients) InsertAttendee(tx, appointment, patient);
}

absl::Status UpdateAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                               const v1::Protocol& protocol, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kUpdate, UpdateValues(appointment, protocol, version)));
  RETURN_IF_ERROR(RequireOneRow(result));
  FreeTime(tx, appointment);
  return absl::OkStatus();
}

void InsertClaims(sql::Transaction& tx, absl::string_view organization_id,
                  absl::Span<const ClaimRow> claims) {
  for (size_t next = 0; next < claims.size();) {
    const size_t rows = claims.size() - next >= kManyRows ? kManyRows : 1;
    std::vector<sql::Value> values = {sql::Text(organization_id)};
    for (const ClaimRow& claim : claims.subspan(next, rows)) {
      values.push_back(sql::Text(claim.key));
      values.push_back(sql::Text(claim.booking));
      values.push_back(sql::Micros(claim.time.start));
      values.push_back(sql::Micros(claim.time.end));
      values.push_back(sql::Text(claim.expires == absl::InfiniteFuture() ? "BOOKED" : "HELD"));
      values.push_back(sql::MicrosOrNull(claim.expires));
    }
    tx.Defer(rows == 1 ? kInsertClaim : kInsertClaims, values);
    next += rows;
  }
}

void DeleteClaims(sql::Transaction& tx, absl::string_view organization_id,
                  absl::string_view booking) {
  tx.Defer(kDeleteClaims, {sql::Text(organization_id), sql::Text(booking)});
}

void BookClaims(sql::Transaction& tx, absl::string_view organization_id,
                absl::string_view booking) {
  tx.Defer(kBookClaims, {sql::Text(organization_id), sql::Text(booking)});
}

void InsertAttendee(sql::Transaction& tx, const v1::Appointment& appointment,
                    absl::string_view patient) {
  tx.Defer(kInsertAttendee,
           {sql::Text(names::OrganizationId(appointment.name())), sql::Text(ClaimKey(patient)),
            sql::Micros(time::ToTime(appointment.start_time())),
            sql::Text(names::Last(appointment.name()))});
}

void MoveAttendees(sql::Transaction& tx, const v1::Appointment& appointment) {
  tx.Defer(kMoveAttendees, {sql::Text(names::OrganizationId(appointment.name())),
                            sql::Text(names::Last(appointment.name())),
                            sql::Micros(time::ToTime(appointment.start_time()))});
}

absl::StatusOr<std::vector<AppointmentRow>> ListAppointments(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const AppointmentFilter& filter, const AppointmentKey& after, int limit) {
  const bool of_patient = filter.of == AppointmentsOf::kPatient;
  const sql::Statement& statement = of_patient                                ? kListOfPatient
                                    : filter.of == AppointmentsOf::kCourse    ? kListOfCourse
                                    : filter.of == AppointmentsOf::kClinician ? kListOfClinician
                                                                              : kListOfClinic;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(statement,
                    {sql::Text(organization_id),
                     sql::Text(of_patient ? absl::StrCat("patients/", filter.id) : filter.id),
                     sql::Int(filter.from_micros), sql::Int(filter.before_micros),
                     sql::Int(after.start_micros), sql::Text(after.id), sql::Bool(scope.desk),
                     sql::Text(scope.clinics), sql::Text(scope.subject), sql::Micros(scope.now),
                     sql::Text(scope.supervisor), sql::Bool(scope.all), sql::Int(limit)}));
  std::vector<AppointmentRow> appointments(rows.rows());
  for (size_t i = 0; i < appointments.size(); ++i) {
    RETURN_IF_ERROR(ReadRow(rows, i, appointments[i]));
    appointments[i].treats = rows.Bool(i, 3);
    appointments[i].supervises = rows.Bool(i, 4);
  }
  return appointments;
}

absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListSeries(sql::Session& session,
                                                                absl::string_view organization_id,
                                                                absl::string_view course_id,
                                                                absl::string_view series_id) {
  return All(session.Query(
      kListSeries, {sql::Text(organization_id), sql::Text(course_id), sql::Text(series_id)}));
}

absl::StatusOr<std::vector<std::string>> ListBookedWithin(sql::Session& session,
                                                          absl::string_view clinician,
                                                          const Interval& range, int limit) {
  const absl::string_view organization_id = names::OrganizationId(clinician);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListBookedWithin,
                    {sql::Text(organization_id), sql::Text(names::Last(clinician)),
                     sql::Micros(range.start), sql::Micros(range.end), sql::Int(limit)}));
  std::vector<std::string> appointments;
  for (size_t i = 0; i < rows.rows(); ++i) {
    appointments.push_back(names::InOrganization(organization_id, "appointments", rows.Text(i, 0)));
  }
  return appointments;
}

}  // namespace rapport::scheduling::store
