#include "services/scheduling/store/index_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/scheduling/store/stored.h"

namespace rapport::scheduling::store {
namespace {

constexpr int kPage = 2000;
constexpr size_t kPatients = 4;
constexpr size_t kWanted = 16;
constexpr absl::Duration kLongestClaim = absl::Hours(9);

const sql::Statement kPosition{"scheduling.index.position", R"sql(
  SELECT position FROM event
  WHERE organization_id = $1 AND resource = $2 AND version >= $3
  ORDER BY position LIMIT 1)sql"};

const sql::Statement kOrganizations{"scheduling.index.organizations",
                                    "SELECT organization_id FROM organization ORDER BY 1",
                                    sql::Reach::kFeed};

#define CLINICIAN_COLUMNS                                                                   \
  "SELECT t.clinician_id, t.version, t.document, (SELECT COUNT(*) FROM course c"            \
  " WHERE c.organization_id = $1 AND c.clinician_id = t.clinician_id AND c.state BETWEEN 1" \
  " AND 5) FROM clinician t WHERE t.organization_id = $1 "

const sql::Statement kClinicians{"scheduling.index.clinicians", CLINICIAN_COLUMNS
                                 "AND t.clinician_id > $2 ORDER BY t.clinician_id LIMIT $3"};

const sql::Statement kClinician{"scheduling.index.clinician",
                                CLINICIAN_COLUMNS "AND t.clinician_id = $2"};

const sql::Statement kRooms{"scheduling.index.rooms", R"sql(
  SELECT clinic_id, room_id, version, document FROM room
  WHERE organization_id = $1 AND (clinic_id, room_id) > ($2, $3)
  ORDER BY clinic_id, room_id LIMIT $4)sql"};

const sql::Statement kTimeOffs{"scheduling.index.time_offs", R"sql(
  SELECT clinician_id, time_off_id, version, starts_at, ends_at FROM time_off
  WHERE organization_id = $1 AND ends_at > $2 AND starts_at < $3
    AND (clinician_id, time_off_id) > ($4, $5)
  ORDER BY clinician_id, time_off_id LIMIT $6)sql"};

const sql::Statement kClaims{"scheduling.index.claims", R"sql(
  SELECT c.resource, c.starts_at, c.booking, c.ends_at, COALESCE(a.version, g.version, 0)
  FROM claim c
  LEFT JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = c.booking
  LEFT JOIN group_session g ON g.organization_id = $1 AND g.session_id = c.booking
  WHERE c.organization_id = $1 AND c.ends_at > $2 AND c.starts_at < $3
    AND c.resource >= $7 AND c.resource < $8
    AND (c.resource, c.starts_at, c.booking) > ($4, $5, $6)
  ORDER BY c.resource, c.starts_at, c.booking LIMIT $9)sql"};

const sql::Statement kClaimsOf{"scheduling.index.claims_of", R"sql(
  SELECT resource, starts_at, ends_at FROM claim
  WHERE organization_id = $1 AND booking = $2
    AND (resource >= 'clinicians/' AND resource < 'clinicians0'
         OR resource >= 'rooms/' AND resource < 'rooms0'))sql"};

const sql::Statement kHasCourse{"scheduling.index.has_course", R"sql(
  SELECT EXISTS (SELECT 1 FROM course WHERE organization_id = $1 AND patient_id = $2)
    OR EXISTS (SELECT 1 FROM course
               WHERE organization_id = $1 AND partner_id <> '' AND partner_id = $2))sql"};

const sql::Statement kCoversOf{"scheduling.index.covers_of", R"sql(
  SELECT covering_clinician_id, starts_at, ends_at FROM cover
  WHERE organization_id = $1 AND clinician_id = $2 AND starts_at < $4 AND ends_at > $3
  ORDER BY starts_at, cover_id)sql"};

const sql::Statement kBusyOf{"scheduling.index.busy_of", R"sql(
  SELECT starts_at, ends_at FROM claim
  WHERE organization_id = $1 AND resource IN ($2, $3, $4, $5)
    AND starts_at > $6 - 32400000000 AND starts_at < $7 AND ends_at > $6)sql"};

const sql::Statement kFormer{"scheduling.index.former_clinicians", R"sql(
  SELECT clinician_id FROM course WHERE organization_id = $1 AND patient_id IN ($2, $3, $4, $5)
  UNION
  SELECT clinician_id FROM course
  WHERE organization_id = $1 AND partner_id <> '' AND partner_id IN ($2, $3, $4, $5))sql"};

const sql::Statement kPlanned{"scheduling.index.planned", R"sql(
  SELECT COUNT(*), MIN(starts_at) FROM appointment
  WHERE organization_id = $1 AND course_id = $2 AND segment = $3 AND private = 0
    AND (counts = 1 OR state = 6))sql"};

// Of 16 times, those that a claim overlaps; ones that are not used have an empty resource.
const sql::Statement kTaken{"scheduling.index.taken", R"sql(
  WITH wanted(place, resource, starts_at, ends_at, since) AS (VALUES
    (0, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT)),
    (1, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT)),
    (2, $10, CAST($11 AS BIGINT), CAST($12 AS BIGINT), CAST($13 AS BIGINT)),
    (3, $14, CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT)),
    (4, $18, CAST($19 AS BIGINT), CAST($20 AS BIGINT), CAST($21 AS BIGINT)),
    (5, $22, CAST($23 AS BIGINT), CAST($24 AS BIGINT), CAST($25 AS BIGINT)),
    (6, $26, CAST($27 AS BIGINT), CAST($28 AS BIGINT), CAST($29 AS BIGINT)),
    (7, $30, CAST($31 AS BIGINT), CAST($32 AS BIGINT), CAST($33 AS BIGINT)),
    (8, $34, CAST($35 AS BIGINT), CAST($36 AS BIGINT), CAST($37 AS BIGINT)),
    (9, $38, CAST($39 AS BIGINT), CAST($40 AS BIGINT), CAST($41 AS BIGINT)),
    (10, $42, CAST($43 AS BIGINT), CAST($44 AS BIGINT), CAST($45 AS BIGINT)),
    (11, $46, CAST($47 AS BIGINT), CAST($48 AS BIGINT), CAST($49 AS BIGINT)),
    (12, $50, CAST($51 AS BIGINT), CAST($52 AS BIGINT), CAST($53 AS BIGINT)),
    (13, $54, CAST($55 AS BIGINT), CAST($56 AS BIGINT), CAST($57 AS BIGINT)),
    (14, $58, CAST($59 AS BIGINT), CAST($60 AS BIGINT), CAST($61 AS BIGINT)),
    (15, $62, CAST($63 AS BIGINT), CAST($64 AS BIGINT), CAST($65 AS BIGINT)))
  SELECT w.place FROM wanted w WHERE EXISTS (
    SELECT 1 FROM claim c
    WHERE c.organization_id = $1 AND c.resource = w.resource
      AND c.starts_at > w.since AND c.starts_at < w.ends_at
      AND c.ends_at > w.starts_at)
  ORDER BY w.place)sql"};

absl::StatusOr<IndexedClinician> ReadClinician(const sql::Result& rows, size_t i) {
  IndexedClinician row;
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 2), rows.Int(i, 1), row.clinician));
  row.open_courses = static_cast<int>(rows.Int(i, 3));
  return row;
}

// As many parameters as there may be patients, the rest empty.
std::vector<sql::Value> Padded(absl::string_view organization_id, absl::string_view prefix,
                               absl::Span<const std::string> ids) {
  std::vector<sql::Value> values = {sql::Text(organization_id)};
  for (size_t i = 0; i < kPatients; ++i) {
    values.push_back(sql::Text(i < ids.size() ? absl::StrCat(prefix, ids[i]) : ""));
  }
  return values;
}

absl::Status ForEachClaimOf(sql::Session& session, absl::string_view organization_id,
                            const Interval& range, absl::string_view prefix,
                            absl::FunctionRef<void(const IndexedClaim&)> visit) {
  // '0' is the character after '/': all resources that begin with the prefix.
  const std::string first = absl::StrCat(prefix, "/"), end = absl::StrCat(prefix, "0");
  IndexedClaim last;
  int64_t last_start = 0;
  while (true) {
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session.Query(kClaims, {sql::Text(organization_id), sql::Micros(range.start),
                                             sql::Micros(range.end), sql::Text(last.resource),
                                             sql::Int(last_start), sql::Text(last.booking),
                                             sql::Text(first), sql::Text(end), sql::Int(kPage)}));
    for (size_t i = 0; i < rows.rows(); ++i) {
      last.resource = rows.Text(i, 0);
      last_start = rows.Int(i, 1);
      last.booking = rows.Text(i, 2);
      last.time = {rows.Time(i, 1), rows.Time(i, 3)};
      last.version = rows.Int(i, 4);
      visit(last);
    }
    if (rows.rows() < kPage) return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<std::optional<int64_t>> FindPosition(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view resource, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kPosition, {sql::Text(organization_id), sql::Text(resource),
                                             sql::Int(version)}));
  return rows.empty() ? std::nullopt : std::optional(rows.Int(0, 0));
}

absl::StatusOr<std::vector<std::string>> ListOrganizationIds(sql::Session& session) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kOrganizations, {}));
  std::vector<std::string> ids;
  for (size_t i = 0; i < rows.rows(); ++i) ids.push_back(rows.Text(i, 0));
  return ids;
}

absl::Status ForEachClinician(sql::Session& session, absl::string_view organization_id,
                              absl::FunctionRef<void(const IndexedClinician&)> visit) {
  std::string after;
  while (true) {
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session.Query(kClinicians, {sql::Text(organization_id), sql::Text(after),
                                                 sql::Int(kPage)}));
    for (size_t i = 0; i < rows.rows(); ++i) {
      ASSIGN_OR_RETURN(const IndexedClinician row, ReadClinician(rows, i));
      visit(row);
      after = rows.Text(i, 0);
    }
    if (rows.rows() < kPage) return absl::OkStatus();
  }
}

absl::Status ForEachRoom(sql::Session& session, absl::string_view organization_id,
                         absl::FunctionRef<void(const v1::Room&, int64_t version)> visit) {
  std::string clinic, room;
  while (true) {
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session.Query(kRooms, {sql::Text(organization_id), sql::Text(clinic),
                                            sql::Text(room), sql::Int(kPage)}));
    for (size_t i = 0; i < rows.rows(); ++i) {
      clinic = rows.Text(i, 0);
      room = rows.Text(i, 1);
      v1::Room resource;
      RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 3), rows.Int(i, 2), resource));
      visit(resource, rows.Int(i, 2));
    }
    if (rows.rows() < kPage) return absl::OkStatus();
  }
}

absl::Status ForEachTimeOff(sql::Session& session, absl::string_view organization_id,
                            const Interval& range,
                            absl::FunctionRef<void(const IndexedTimeOff&)> visit) {
  IndexedTimeOff row;
  while (true) {
    ASSIGN_OR_RETURN(const sql::Result rows,
                     session.Query(kTimeOffs, {sql::Text(organization_id), sql::Micros(range.start),
                                               sql::Micros(range.end), sql::Text(row.clinician_id),
                                               sql::Text(row.time_off_id), sql::Int(kPage)}));
    for (size_t i = 0; i < rows.rows(); ++i) {
      row = {rows.Text(i, 0), rows.Text(i, 1), rows.Int(i, 2), {rows.Time(i, 3), rows.Time(i, 4)}};
      visit(row);
    }
    if (rows.rows() < kPage) return absl::OkStatus();
  }
}

absl::Status ForEachClaim(sql::Session& session, absl::string_view organization_id,
                          const Interval& range,
                          absl::FunctionRef<void(const IndexedClaim&)> visit) {
  RETURN_IF_ERROR(ForEachClaimOf(session, organization_id, range, "clinicians", visit));
  return ForEachClaimOf(session, organization_id, range, "rooms", visit);
}

absl::StatusOr<std::vector<IndexedClaim>> ListClaimsOf(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view booking) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kClaimsOf, {sql::Text(organization_id), sql::Text(booking)}));
  std::vector<IndexedClaim> claims;
  for (size_t i = 0; i < rows.rows(); ++i) {
    claims.push_back({.resource = rows.Text(i, 0),
                      .booking = std::string(booking),
                      .version = 0,
                      .time = {rows.Time(i, 1), rows.Time(i, 2)}});
  }
  return claims;
}

absl::StatusOr<IndexedClinician> GetIndexedClinician(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view clinician_id) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kClinician, {sql::Text(organization_id),
                                                                      sql::Text(clinician_id)}));
  if (rows.empty()) return errors::NotFound("Clinician");
  return ReadClinician(rows, 0);
}

absl::StatusOr<std::vector<Interval>> ListBusyOf(sql::Session& session,
                                                 absl::string_view organization_id,
                                                 absl::Span<const std::string> patient_ids,
                                                 const Interval& range) {
  std::vector<sql::Value> values = Padded(organization_id, "patients/", patient_ids);
  values.push_back(sql::Micros(range.start));
  values.push_back(sql::Micros(range.end));
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kBusyOf, std::move(values)));
  std::vector<Interval> busy;
  for (size_t i = 0; i < rows.rows(); ++i) busy.push_back({rows.Time(i, 0), rows.Time(i, 1)});
  return busy;
}

absl::StatusOr<std::vector<CoverSpan>> ListCoversOf(sql::Session& session,
                                                    absl::string_view clinician,
                                                    const Interval& range) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCoversOf, {sql::Text(names::OrganizationId(clinician)),
                                             sql::Text(names::Last(clinician)),
                                             sql::Micros(range.start), sql::Micros(range.end)}));
  std::vector<CoverSpan> covers;
  for (size_t i = 0; i < rows.rows(); ++i) {
    covers.push_back({rows.Text(i, 0), {rows.Time(i, 1), rows.Time(i, 2)}});
  }
  return covers;
}

absl::StatusOr<bool> HasCourse(sql::Session& session, absl::string_view organization_id,
                               absl::string_view patient_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kHasCourse, {sql::Text(organization_id), sql::Text(patient_id)}));
  return rows.Bool(0, 0);
}

absl::StatusOr<std::vector<std::string>> ListFormerClinicians(
    sql::Session& session, absl::string_view organization_id,
    absl::Span<const std::string> patient_ids) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFormer, Padded(organization_id, "", patient_ids)));
  std::vector<std::string> ids;
  for (size_t i = 0; i < rows.rows(); ++i) ids.push_back(rows.Text(i, 0));
  return ids;
}

absl::StatusOr<PlannedSessions> CountPlanned(sql::Session& session, absl::string_view course,
                                             int segment) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kPlanned, {sql::Text(names::OrganizationId(course)),
                                            sql::Text(names::Last(course)), sql::Int(segment)}));
  PlannedSessions planned{.count = static_cast<int>(rows.Int(0, 0)), .first = std::nullopt};
  if (!rows.IsNull(0, 1)) planned.first = rows.Time(0, 1);
  return planned;
}

absl::StatusOr<std::vector<size_t>> FindTaken(sql::Session& session,
                                              absl::string_view organization_id,
                                              absl::Span<const WantedTime> wanted) {
  std::vector<size_t> taken;
  for (size_t begin = 0; begin < wanted.size(); begin += kWanted) {
    std::vector<sql::Value> values = {sql::Text(organization_id)};
    for (size_t i = begin; i < begin + kWanted; ++i) {
      const bool used = i < wanted.size();
      values.push_back(sql::Text(used ? wanted[i].resource : ""));
      values.push_back(sql::Micros(used ? wanted[i].time.start : absl::UnixEpoch()));
      values.push_back(sql::Micros(used ? wanted[i].time.end : absl::UnixEpoch()));
      values.push_back(
          sql::Micros((used ? wanted[i].time.start : absl::UnixEpoch()) - kLongestClaim));
    }
    ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kTaken, std::move(values)));
    for (size_t i = 0; i < rows.rows(); ++i) {
      taken.push_back(begin + static_cast<size_t>(rows.Int(i, 0)));
    }
  }
  return taken;
}

}  // namespace rapport::scheduling::store
