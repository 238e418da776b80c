#include "services/scheduling/store/leave_store.h"

#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/domain/booking.h"

namespace rapport::scheduling::store {
namespace {

// Of `appointment a`: BOOKED with $2, overlapping $3 to $4, beginning after $5. None is longer than
// 8 hours.
#define ON_LEAVE                                                                \
  "a.organization_id = $1 AND a.clinician_id = $2 AND a.state = 1"              \
  " AND a.starts_at > $3 - 28800000000 AND a.starts_at < $4 AND a.ends_at > $3" \
  " AND a.starts_at > $5"

const sql::Statement kSessions{
    "scheduling.leave.sessions",
    "SELECT a.document, c.document, CASE WHEN a.counts = 1 THEN"
    " (SELECT COUNT(*) FROM appointment b WHERE b.organization_id = $1"
    " AND b.course_id = a.course_id AND b.segment = a.segment AND b.counts = 1"
    " AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END"
    " FROM appointment a"
    " JOIN course c ON c.organization_id = $1 AND c.course_id = a.course_id"
    " WHERE " ON_LEAVE " AND ($6 = 1 OR " RAPPORT_IN_CLINICS("a", "$7") ")"
    " ORDER BY a.starts_at, a.appointment_id LIMIT $8"};

// No claim is longer than 9 hours.
const sql::Statement kBusyOthers{
    "scheduling.leave.busy_others",
    "SELECT DISTINCT a.appointment_id, other.starts_at, other.ends_at FROM appointment a"
    " JOIN claim mine ON mine.organization_id = $1 AND mine.booking = a.appointment_id"
    " JOIN claim other ON other.organization_id = $1 AND other.resource = mine.resource"
    " AND other.booking <> mine.booking AND other.starts_at > $7 - 32400000000"
    " AND other.starts_at < $8"
    " WHERE " ON_LEAVE
    " AND mine.resource <> $6 AND substr(mine.resource, 1, 6) <> 'rooms/'"
    " ORDER BY a.appointment_id, other.starts_at"};

const sql::Statement kCovers{"scheduling.leave.covers", R"sql(
  SELECT covering_clinician_id, starts_at, ends_at FROM cover
  WHERE organization_id = $1 AND clinician_id = $2 AND starts_at < $4 AND ends_at > $3
  ORDER BY starts_at, cover_id LIMIT $5)sql"};

const sql::Statement kGetPlan{
    "scheduling.leave_plan.get",
    "SELECT p.document, p.version, p.sessions, p.settled, p.clinician_id, t.document, "
    RAPPORT_SEES_TO("p", "$3", "$4")
    " FROM leave_plan p"
    " JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = p.clinician_id"
    " WHERE p.organization_id = $1 AND p.leave_plan_id = $2"};

const sql::Statement kInsertPlan{"scheduling.leave_plan.insert", R"sql(
  INSERT INTO leave_plan (organization_id, leave_plan_id, version, clinician_id, sessions, settled,
                          document)
  VALUES ($1, $2, 1, $3, $4, $5, $6))sql"};

const sql::Statement kUpdatePlan{"scheduling.leave_plan.update", R"sql(
  UPDATE leave_plan SET version = version + 1, settled = $4, document = $5
  WHERE organization_id = $1 AND leave_plan_id = $2 AND version = $3)sql"};

const sql::Statement kInsertItem{"scheduling.leave_plan_item.insert", R"sql(
  INSERT INTO leave_plan_item (organization_id, leave_plan_id, appointment_id, starts_at, clinic_id,
                               private, in_group, document, version)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1))sql"};

const sql::Statement kUpdateItem{"scheduling.leave_plan_item.update", R"sql(
  UPDATE leave_plan_item SET document = $4, version = $5
  WHERE organization_id = $1 AND leave_plan_id = $2 AND appointment_id = $3)sql"};

const sql::Statement kGetItem{"scheduling.leave_plan_item.get", R"sql(
  SELECT document, clinic_id, private, in_group FROM leave_plan_item
  WHERE organization_id = $1 AND leave_plan_id = $2 AND appointment_id = $3)sql"};

const sql::Statement kListItems{
    "scheduling.leave_plan_item.list",
    "SELECT i.document, i.clinic_id, i.private, i.in_group FROM leave_plan_item i"
    " WHERE i.organization_id = $1 AND i.leave_plan_id = $2"
    " AND ($3 = 1 OR " RAPPORT_IN_CLINICS("i", "$4") ")"
    " ORDER BY i.starts_at, i.appointment_id"};

sql::Value Organization(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }
sql::Value Id(absl::string_view name) { return sql::Text(names::Last(name)); }

absl::StatusOr<LeaveItemRow> ReadItem(const sql::Result& rows, size_t i) {
  LeaveItemRow row;
  if (!row.item.ParseFromString(rows.Bytes(i, 0))) {
    return errors::Internal("A stored document is no LeavePlanItem");
  }
  row.clinic_id = rows.Text(i, 1);
  row.private_session = rows.Bool(i, 2);
  row.in_group = rows.Bool(i, 3);
  return row;
}

}  // namespace

absl::StatusOr<std::vector<LeaveSession>> ListLeaveSessions(sql::Session& session,
                                                            absl::string_view clinician,
                                                            const Interval& time_off,
                                                            absl::Time now,
                                                            const ClinicReach& reach, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kSessions, {Organization(clinician), Id(clinician), sql::Micros(time_off.start),
                                sql::Micros(time_off.end), sql::Micros(now), sql::Bool(reach.all),
                                sql::Text(reach.clinics), sql::Int(limit)}));
  std::vector<LeaveSession> sessions(rows.rows());
  for (size_t i = 0; i < sessions.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), 0, sessions[i].appointment));
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 1), 0, sessions[i].course));
    sessions[i].appointment.set_session_number(static_cast<int32_t>(rows.Int(i, 2)));
  }
  return sessions;
}

absl::StatusOr<std::map<std::string, std::vector<Interval>>> ListBusyOthers(
    sql::Session& session, absl::string_view clinician, const Interval& time_off, absl::Time now,
    const Interval& range) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kBusyOthers,
                    {Organization(clinician), Id(clinician), sql::Micros(time_off.start),
                     sql::Micros(time_off.end), sql::Micros(now), sql::Text(ClaimKey(clinician)),
                     sql::Micros(range.start), sql::Micros(range.end)}));
  std::map<std::string, std::vector<Interval>> busy;
  for (size_t i = 0; i < rows.rows(); ++i) {
    busy[rows.Text(i, 0)].push_back({rows.Time(i, 1), rows.Time(i, 2)});
  }
  return busy;
}

absl::StatusOr<std::vector<CoverInForce>> ListCoversOf(sql::Session& session,
                                                       absl::string_view clinician,
                                                       const Interval& range, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kCovers, {Organization(clinician), Id(clinician), sql::Micros(range.start),
                              sql::Micros(range.end), sql::Int(limit)}));
  std::vector<CoverInForce> covers;
  for (size_t i = 0; i < rows.rows(); ++i) {
    covers.push_back(
        {names::InOrganization(names::OrganizationId(clinician), "clinicians", rows.Text(i, 0)),
         {rows.Time(i, 1), rows.Time(i, 2)}});
  }
  return covers;
}

absl::StatusOr<LeavePlanRow> GetLeavePlan(sql::Session& session, absl::string_view name,
                                          const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetPlan, {Organization(name), Id(name), sql::Text(scope.subject),
                                            sql::Micros(scope.now)}));
  if (rows.empty()) return errors::NotFound("LeavePlan");
  LeavePlanRow row;
  row.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), row.version, row.resource));
  row.sessions = static_cast<int>(rows.Int(0, 2));
  row.settled = static_cast<int>(rows.Int(0, 3));
  row.clinician = names::InOrganization(names::OrganizationId(name), "clinicians", rows.Text(0, 4));
  v1::Clinician clinician;
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 5), 0, clinician));
  row.clinics.assign(clinician.clinics().begin(), clinician.clinics().end());
  row.treats = rows.Bool(0, 6);
  return row;
}

std::string LeaveItemName(absl::string_view plan, const v1::LeavePlanItem& item) {
  return absl::StrCat(plan, "/items/", names::Last(item.appointment()));
}

void InsertLeavePlan(sql::Transaction& tx, const LeavePlanRow& plan,
                     const std::vector<LeaveItemRow>& items) {
  const std::string& name = plan.resource.name();
  tx.Defer(kInsertPlan, {Organization(name), Id(name), Id(plan.clinician), sql::Int(plan.sessions),
                         sql::Int(plan.settled), sql::Bytes(Document(plan.resource))});
  for (const LeaveItemRow& row : items) {
    tx.Defer(kInsertItem, {Organization(name), Id(name), Id(row.item.appointment()),
                           sql::Micros(time::ToTime(row.item.start_time())),
                           sql::Text(row.clinic_id), sql::Bool(row.private_session),
                           sql::Bool(row.in_group), sql::Bytes(row.item.SerializeAsString())});
  }
}

absl::StatusOr<std::vector<LeaveItemRow>> ListLeaveItems(sql::Session& session,
                                                         absl::string_view plan,
                                                         const ClinicReach& reach) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListItems, {Organization(plan), Id(plan), sql::Bool(reach.all),
                                              sql::Text(reach.clinics)}));
  std::vector<LeaveItemRow> items(rows.rows());
  for (size_t i = 0; i < items.size(); ++i) {
    ASSIGN_OR_RETURN(items[i], ReadItem(rows, i));
  }
  return items;
}

absl::StatusOr<LeaveItemRow> GetLeaveItem(sql::Session& session, absl::string_view plan,
                                          absl::string_view appointment) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetItem, {Organization(plan), Id(plan), Id(appointment)}));
  if (rows.empty()) return errors::NotFound("LeavePlan");
  return ReadItem(rows, 0);
}

absl::Status UpdateLeavePlan(sql::Transaction& tx, const LeavePlanRow& plan,
                             const v1::LeavePlanItem& item) {
  const std::string& name = plan.resource.name();
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kUpdatePlan, {Organization(name), Id(name), sql::Int(plan.version),
                             sql::Int(plan.settled), sql::Bytes(Document(plan.resource))}));
  RETURN_IF_ERROR(RequireOneRow(result));
  tx.Defer(kUpdateItem, {Organization(name), Id(name), Id(item.appointment()),
                         sql::Bytes(item.SerializeAsString()), sql::Int(plan.version + 1)});
  return absl::OkStatus();
}

}  // namespace rapport::scheduling::store
