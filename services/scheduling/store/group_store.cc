#include "services/scheduling/store/group_store.h"

#include <map>
#include <utility>

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling::store {
namespace {

// SQL over a row of `care_group g`: whether `condition` holds for who leads it, alias `l`.
#define BY_LEADER(condition)                                          \
  "EXISTS (SELECT 1 FROM group_leader l WHERE l.organization_id = $1" \
  " AND l.group_id = g.group_id AND " condition ")"
#define LEADS(s, n) BY_LEADER(RAPPORT_SEES_TO("l", s, n))
#define SUPERVISES(s, n) BY_LEADER(RAPPORT_SUPERVISES("l", s, n))

const sql::Statement kGet{
    "scheduling.group.get",
    "SELECT g.document, g.version, " LEADS("$3", "$4") ", " SUPERVISES(
        "$5", "$4") " FROM care_group g WHERE g.organization_id = $1 AND g.group_id = $2"};

const sql::Statement kInsert{"scheduling.group.insert", R"sql(
  INSERT INTO care_group (organization_id, group_id, version, clinician_id, clinic_id, capacity,
                          create_time, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7))sql"};

const sql::Statement kInsertLeader{"scheduling.group_leader.insert", R"sql(
  INSERT INTO group_leader (organization_id, group_id, clinician_id) VALUES ($1, $2, $3))sql"};

const sql::Statement kUpdate{"scheduling.group.update", R"sql(
  UPDATE care_group SET version = version + 1, document = $4
  WHERE organization_id = $1 AND group_id = $2 AND version = $3)sql"};

const sql::Statement kList{
    "scheduling.group.list",
    "SELECT g.document, g.version, " LEADS("$2", "$3") ", " SUPERVISES("$9", "$3")
    " FROM care_group g WHERE g.organization_id = $1"
    " AND (($4 = 1 AND " RAPPORT_IN_CLINICS("g", "$5") ") OR " LEADS("$2", "$3")
    " OR " SUPERVISES("$9", "$3") ")"
    " AND (g.create_time, g.group_id) < ($6, $7)"
    " ORDER BY g.create_time DESC, g.group_id DESC LIMIT $8"};

const sql::Statement kListLeaders{"scheduling.group_leader.list", R"sql(
  SELECT t.document FROM group_leader l
  JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = l.clinician_id
  WHERE l.organization_id = $1 AND l.group_id = $2
  ORDER BY l.clinician_id)sql"};

const sql::Statement kListMembers{"scheduling.group_member.list", R"sql(
  SELECT m.seat, m.course_id, m.join_time, c.patient_id FROM group_member m
  JOIN course c ON c.organization_id = $1 AND c.course_id = m.course_id
  WHERE m.organization_id = $1 AND m.group_id = $2 AND m.seat > $3
  ORDER BY m.seat LIMIT $4)sql"};

const sql::Statement kTakenSeats{"scheduling.group_member.taken_seats", R"sql(
  SELECT seat FROM group_member WHERE organization_id = $1 AND group_id = $2
  UNION
  SELECT p.seat FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.state = 1 AND s.starts_at > $3)sql"};

const sql::Statement kInsertMember{"scheduling.group_member.insert", R"sql(
  INSERT INTO group_member (organization_id, group_id, seat, capacity, course_id, join_time)
  VALUES ($1, $2, $3, $4, $5, $6))sql"};

const sql::Statement kDeleteMember{"scheduling.group_member.delete", R"sql(
  DELETE FROM group_member
  WHERE organization_id = $1 AND group_id = $2 AND course_id = $3)sql"};

const sql::Statement kGetSession{"scheduling.group_session.get", R"sql(
  SELECT document, version FROM group_session
  WHERE organization_id = $1 AND session_id = $2 AND group_id = $3)sql"};

const sql::Statement kInsertSession{"scheduling.group_session.insert", R"sql(
  INSERT INTO group_session (organization_id, group_id, session_id, version, series_id, starts_at,
                             ends_at, state, document)
  VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8))sql"};

const sql::Statement kUpdateSession{"scheduling.group_session.update", R"sql(
  UPDATE group_session SET version = version + 1, state = $4, document = $5
  WHERE organization_id = $1 AND session_id = $2 AND version = $3)sql"};

const sql::Statement kListSessions{"scheduling.group_session.list", R"sql(
  SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND (starts_at, session_id) > ($3, $4)
  ORDER BY starts_at, session_id LIMIT $5)sql"};

const sql::Statement kListSeries{"scheduling.group_session.list_of_series", R"sql(
  SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND series_id = $3
  ORDER BY starts_at, session_id)sql"};

const sql::Statement kListToCome{"scheduling.group_session.list_to_come", R"sql(
  SELECT document, version FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND starts_at > $3 AND state = 1
  ORDER BY starts_at, session_id)sql"};

const sql::Statement kCountSessions{"scheduling.group_session.count", R"sql(
  SELECT COUNT(*) FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND state = 1)sql"};

// Of the sessions that begin from $3 to $4.
const sql::Statement kListSeatsBetween{"scheduling.seat.list_between", R"sql(
  SELECT p.session_id, p.seat, p.appointment_id, a.state FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.starts_at >= $3 AND s.starts_at <= $4
  ORDER BY p.session_id, p.seat)sql"};

const sql::Statement kListSeats{"scheduling.seat.list", R"sql(
  SELECT p.session_id, p.seat, p.appointment_id, a.state FROM seat p
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE p.organization_id = $1 AND p.session_id = $2
  ORDER BY p.seat)sql"};

const sql::Statement kListSeatsToCome{"scheduling.seat.list_to_come", R"sql(
  SELECT p.session_id, p.seat, p.appointment_id, a.state FROM group_session s
  JOIN seat p ON p.organization_id = $1 AND p.session_id = s.session_id
  JOIN appointment a ON a.organization_id = $1 AND a.appointment_id = p.appointment_id
  WHERE s.organization_id = $1 AND s.group_id = $2 AND s.starts_at > $4 AND s.state = 1
    AND a.course_id = $3
  ORDER BY s.starts_at, s.session_id)sql"};

const sql::Statement kInsertSeat{"scheduling.seat.insert", R"sql(
  INSERT INTO seat (organization_id, session_id, seat, capacity, appointment_id)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kDeleteSeat{"scheduling.seat.delete", R"sql(
  DELETE FROM seat WHERE organization_id = $1 AND appointment_id = $2)sql"};

sql::Value Organization(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }
sql::Value Id(absl::string_view name) { return sql::Text(names::Last(name)); }

absl::Status ReadGroup(const sql::Result& rows, size_t i, GroupRow& row) {
  row.version = rows.Int(i, 1);
  row.leads = rows.Bool(i, 2);
  row.supervises = rows.Bool(i, 3);
  return ParseDocument(rows.Bytes(i, 0), row.version, row.resource);
}

absl::StatusOr<std::vector<v1::GroupSession>> Sessions(const absl::StatusOr<sql::Result>& rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<v1::GroupSession> sessions(rows->rows());
  for (size_t i = 0; i < sessions.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 0), rows->Int(i, 1), sessions[i]));
  }
  return sessions;
}

v1::GroupSeat Seat(const sql::Result& rows, size_t i, absl::string_view organization_id) {
  v1::GroupSeat seat;
  seat.set_seat(static_cast<int32_t>(rows.Int(i, 1)));
  seat.set_appointment(names::InOrganization(organization_id, "appointments", rows.Text(i, 2)));
  seat.set_state(static_cast<v1::AppointmentState>(rows.Int(i, 3)));
  return seat;
}

absl::StatusOr<std::vector<v1::GroupSeat>> Seats(const absl::StatusOr<sql::Result>& rows,
                                                 absl::string_view organization_id) {
  RETURN_IF_ERROR(rows.status());
  std::vector<v1::GroupSeat> seats;
  for (size_t i = 0; i < rows->rows(); ++i) seats.push_back(Seat(*rows, i, organization_id));
  return seats;
}

absl::StatusOr<std::vector<v1::GroupSession>> WithSeats(
    sql::Session& session, absl::string_view group,
    absl::StatusOr<std::vector<v1::GroupSession>> sessions) {
  RETURN_IF_ERROR(sessions.status());
  if (sessions->empty()) return sessions;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListSeatsBetween, {Organization(group), Id(group),
                                        sql::Micros(time::ToTime(sessions->front().start_time())),
                                        sql::Micros(time::ToTime(sessions->back().start_time()))}));
  std::map<absl::string_view, v1::GroupSession*> by_id;
  for (v1::GroupSession& one : *sessions) by_id[names::Last(one.name())] = &one;
  for (size_t i = 0; i < rows.rows(); ++i) {
    if (const auto found = by_id.find(rows.Text(i, 0)); found != by_id.end()) {
      *found->second->add_seats() = Seat(rows, i, names::OrganizationId(group));
    }
  }
  return sessions;
}

}  // namespace

absl::StatusOr<GroupRow> GetGroup(sql::Session& session, absl::string_view name,
                                  const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {Organization(name), Id(name), sql::Text(scope.subject),
                                        sql::Micros(scope.now), sql::Text(scope.supervisor)}));
  if (rows.empty()) return errors::NotFound("Group");
  GroupRow row;
  RETURN_IF_ERROR(ReadGroup(rows, 0, row));
  return row;
}

absl::Status InsertGroup(sql::Transaction& tx, const v1::Group& group) {
  RETURN_IF_ERROR(
      tx.Query(kInsert,
               {Organization(group.name()), Id(group.name()), Id(group.clinician()),
                Id(group.clinic()), sql::Int(group.capacity()),
                sql::Micros(time::ToTime(group.create_time())), sql::Bytes(Document(group))})
          .status());
  std::vector<std::string> leaders = {group.clinician()};
  leaders.insert(leaders.end(), group.co_clinicians().begin(), group.co_clinicians().end());
  for (const std::string& leader : leaders) {
    tx.Defer(kInsertLeader, {Organization(group.name()), Id(group.name()), Id(leader)});
  }
  return absl::OkStatus();
}

absl::Status UpdateGroup(sql::Transaction& tx, const v1::Group& group, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kUpdate, {Organization(group.name()), Id(group.name()),
                                      sql::Int(version), sql::Bytes(Document(group))}));
  return RequireOneRow(result);
}

absl::StatusOr<std::vector<GroupRow>> ListGroups(sql::Session& session,
                                                 absl::string_view organization_id,
                                                 const Scope& scope, const GroupKey& after,
                                                 int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList,
                    {sql::Text(organization_id), sql::Text(scope.subject), sql::Micros(scope.now),
                     sql::Bool(scope.desk), sql::Text(scope.clinics), sql::Int(after.create_micros),
                     sql::Text(after.id), sql::Int(limit), sql::Text(scope.supervisor)}));
  std::vector<GroupRow> groups(rows.rows());
  for (size_t i = 0; i < groups.size(); ++i) RETURN_IF_ERROR(ReadGroup(rows, i, groups[i]));
  return groups;
}

absl::StatusOr<std::vector<v1::Clinician>> ListLeaders(sql::Session& session,
                                                       absl::string_view group) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListLeaders, {Organization(group), Id(group)}));
  std::vector<v1::Clinician> leaders(rows.rows());
  for (size_t i = 0; i < leaders.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), 0, leaders[i]));
  }
  return leaders;
}

absl::StatusOr<std::vector<MemberRow>> ListMembers(sql::Session& session, absl::string_view group,
                                                   int after_seat, int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListMembers, {Organization(group), Id(group),
                                                sql::Int(after_seat), sql::Int(limit)}));
  const absl::string_view organization_id = names::OrganizationId(group);
  std::vector<MemberRow> members(rows.rows());
  for (size_t i = 0; i < members.size(); ++i) {
    members[i].member.set_seat(static_cast<int32_t>(rows.Int(i, 0)));
    members[i].member.set_course(
        names::InOrganization(organization_id, "courses", rows.Text(i, 1)));
    *members[i].member.mutable_join_time() = time::ToTimestamp(rows.Time(i, 2));
    members[i].patient = names::InOrganization(organization_id, "patients", rows.Text(i, 3));
  }
  return members;
}

absl::StatusOr<std::set<int>> TakenSeats(sql::Session& session, absl::string_view group,
                                         absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kTakenSeats, {Organization(group), Id(group), sql::Micros(now)}));
  std::set<int> taken;
  for (size_t i = 0; i < rows.rows(); ++i) taken.insert(static_cast<int>(rows.Int(i, 0)));
  return taken;
}

void InsertMember(sql::Transaction& tx, const v1::Group& group, const v1::GroupMember& member) {
  tx.Defer(kInsertMember, {Organization(group.name()), Id(group.name()), sql::Int(member.seat()),
                           sql::Int(group.capacity()), Id(member.course()),
                           sql::Micros(time::ToTime(member.join_time()))});
}

void DeleteMember(sql::Transaction& tx, absl::string_view group, absl::string_view course) {
  tx.Defer(kDeleteMember, {Organization(group), Id(group), Id(course)});
}

absl::StatusOr<Stored<v1::GroupSession>> GetGroupSession(sql::Session& session,
                                                         absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetSession, {Organization(name), Id(name),
                                               sql::Text(names::Id(name, "groups"))}));
  if (rows.empty()) return errors::NotFound("GroupSession");
  Stored<v1::GroupSession> stored;
  stored.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), stored.version, stored.resource));
  return stored;
}

void InsertGroupSession(sql::Transaction& tx, const v1::GroupSession& group_session,
                        absl::string_view series_id) {
  const std::string& name = group_session.name();
  tx.Defer(kInsertSession,
           {Organization(name), sql::Text(names::Id(name, "groups")), Id(name),
            sql::Text(series_id), sql::Micros(time::ToTime(group_session.start_time())),
            sql::Micros(time::ToTime(group_session.end_time())), sql::Int(group_session.state()),
            sql::Bytes(Document(group_session))});
}

absl::Status UpdateGroupSession(sql::Transaction& tx, const v1::GroupSession& group_session,
                                int64_t version) {
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kUpdateSession,
               {Organization(group_session.name()), Id(group_session.name()), sql::Int(version),
                sql::Int(group_session.state()), sql::Bytes(Document(group_session))}));
  return RequireOneRow(result);
}

absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSessions(sql::Session& session,
                                                                absl::string_view group,
                                                                const GroupSessionKey& after,
                                                                int limit) {
  return WithSeats(session, group,
                   Sessions(session.Query(
                       kListSessions, {Organization(group), Id(group), sql::Int(after.start_micros),
                                       sql::Text(after.id), sql::Int(limit)})));
}

absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSeries(sql::Session& session,
                                                              absl::string_view group,
                                                              absl::string_view series_id) {
  return WithSeats(
      session, group,
      Sessions(session.Query(kListSeries, {Organization(group), Id(group), sql::Text(series_id)})));
}

absl::StatusOr<std::vector<v1::GroupSession>> ListGroupSessionsToCome(sql::Session& session,
                                                                      absl::string_view group,
                                                                      absl::Time now) {
  return Sessions(session.Query(kListToCome, {Organization(group), Id(group), sql::Micros(now)}));
}

absl::StatusOr<int> CountGroupSessions(sql::Session& session, absl::string_view group) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCountSessions, {Organization(group), Id(group)}));
  return static_cast<int>(rows.Int(0, 0));
}

absl::StatusOr<std::vector<v1::GroupSeat>> ListSeats(sql::Session& session,
                                                     absl::string_view group_session) {
  return Seats(session.Query(kListSeats, {Organization(group_session), Id(group_session)}),
               names::OrganizationId(group_session));
}

absl::StatusOr<std::vector<v1::GroupSeat>> ListSeatsToCome(sql::Session& session,
                                                           absl::string_view group,
                                                           absl::string_view course,
                                                           absl::Time now) {
  return Seats(session.Query(kListSeatsToCome,
                             {Organization(group), Id(group), Id(course), sql::Micros(now)}),
               names::OrganizationId(group));
}

void InsertSeat(sql::Transaction& tx, absl::string_view group_session, int capacity,
                const v1::GroupSeat& seat) {
  tx.Defer(kInsertSeat, {Organization(group_session), Id(group_session), sql::Int(seat.seat()),
                         sql::Int(capacity), Id(seat.appointment())});
}

void DeleteSeat(sql::Transaction& tx, absl::string_view appointment) {
  tx.Defer(kDeleteSeat, {Organization(appointment), Id(appointment)});
}

}  // namespace rapport::scheduling::store
