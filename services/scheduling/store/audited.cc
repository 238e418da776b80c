#include "services/scheduling/store/audited.h"

namespace rapport::scheduling::store {
namespace {

// Rows of TABLE, as r, whose NAME below the organisation's and VERSION no leaf tells of.
#define WITHOUT_ENTRY(TABLE, NAME, VERSION)                                                     \
  "SELECT 'organizations/' || r.organization_id || " NAME ", " VERSION " FROM " TABLE           \
  " AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = " VERSION \
  " AND leaf.resource = 'organizations/' || r.organization_id || " NAME                         \
  " WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100"

const sql::Statement kOrganization{"scheduling.audited.organization", R"sql(
  SELECT version, document FROM organization_profile
  WHERE organization_id = $1)sql"};

const sql::Statement kClinic{"scheduling.audited.clinic", R"sql(
  SELECT version, document FROM clinic
  WHERE organization_id = $1 AND clinic_id = $2)sql"};
const sql::Statement kClinicAlone{
    "scheduling.audited.clinic_alone",
    WITHOUT_ENTRY("clinic", "'/clinics/' || r.clinic_id", "r.version")};

const sql::Statement kRoom{"scheduling.audited.room", R"sql(
  SELECT version, document FROM room
  WHERE organization_id = $1 AND clinic_id = $2 AND room_id = $3)sql"};
const sql::Statement kRoomAlone{
    "scheduling.audited.room_alone",
    WITHOUT_ENTRY("room", "'/clinics/' || r.clinic_id || '/rooms/' || r.room_id", "r.version")};

const sql::Statement kClinician{"scheduling.audited.clinician", R"sql(
  SELECT version, document FROM clinician
  WHERE organization_id = $1 AND clinician_id = $2)sql"};
const sql::Statement kClinicianAlone{
    "scheduling.audited.clinician_alone",
    WITHOUT_ENTRY("clinician", "'/clinicians/' || r.clinician_id", "r.version")};

const sql::Statement kTimeOff{"scheduling.audited.time_off", R"sql(
  SELECT version, document FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3)sql"};
const sql::Statement kTimeOffAlone{
    "scheduling.audited.time_off_alone",
    WITHOUT_ENTRY("time_off", "'/clinicians/' || r.clinician_id || '/timeOffs/' || r.time_off_id",
                  "r.version")};

const sql::Statement kCover{"scheduling.audited.cover", R"sql(
  SELECT version, document FROM cover
  WHERE organization_id = $1 AND cover_id = $2)sql"};
const sql::Statement kCoverAlone{"scheduling.audited.cover_alone",
                                 WITHOUT_ENTRY("cover", "'/covers/' || r.cover_id", "r.version")};

const sql::Statement kSupervision{"scheduling.audited.supervision", R"sql(
  SELECT version, document FROM supervision
  WHERE organization_id = $1 AND supervision_id = $2)sql"};
const sql::Statement kSupervisionAlone{
    "scheduling.audited.supervision_alone",
    WITHOUT_ENTRY("supervision", "'/supervisions/' || r.supervision_id", "r.version")};

const sql::Statement kProtocol{"scheduling.audited.protocol", R"sql(
  SELECT 1, document FROM protocol_revision
  WHERE organization_id = $1 AND protocol_id = $2 AND CAST(revision AS TEXT) = $3)sql"};
const sql::Statement kProtocolAlone{
    "scheduling.audited.protocol_alone",
    WITHOUT_ENTRY("protocol_revision",
                  "'/protocols/' || r.protocol_id || '/revisions/' || r.revision", "1")};

const sql::Statement kCourse{"scheduling.audited.course", R"sql(
  SELECT version, document FROM course
  WHERE organization_id = $1 AND course_id = $2)sql"};
const sql::Statement kCourseAlone{
    "scheduling.audited.course_alone",
    WITHOUT_ENTRY("course", "'/courses/' || r.course_id", "r.version")};

const sql::Statement kAppointment{"scheduling.audited.appointment", R"sql(
  SELECT version, document FROM appointment
  WHERE organization_id = $1 AND appointment_id = $2)sql"};
const sql::Statement kAppointmentAlone{
    "scheduling.audited.appointment_alone",
    WITHOUT_ENTRY("appointment", "'/appointments/' || r.appointment_id", "r.version")};

const sql::Statement kGroup{"scheduling.audited.group", R"sql(
  SELECT version, document FROM care_group
  WHERE organization_id = $1 AND group_id = $2)sql"};
const sql::Statement kGroupAlone{
    "scheduling.audited.group_alone",
    WITHOUT_ENTRY("care_group", "'/groups/' || r.group_id", "r.version")};

const sql::Statement kGroupSession{"scheduling.audited.group_session", R"sql(
  SELECT version, document FROM group_session
  WHERE organization_id = $1 AND group_id = $2 AND session_id = $3)sql"};
const sql::Statement kGroupSessionAlone{
    "scheduling.audited.group_session_alone",
    WITHOUT_ENTRY("group_session", "'/groups/' || r.group_id || '/sessions/' || r.session_id",
                  "r.version")};

const sql::Statement kWaitlistEntry{"scheduling.audited.waitlist_entry", R"sql(
  SELECT version, document FROM waitlist_entry
  WHERE organization_id = $1 AND entry_id = $2)sql"};
const sql::Statement kWaitlistEntryAlone{
    "scheduling.audited.waitlist_entry_alone",
    WITHOUT_ENTRY("waitlist_entry", "'/waitlistEntries/' || r.entry_id", "r.version")};

// Of a plan's changes each covers the item that it wrote.
const sql::Statement kLeavePlan{"scheduling.audited.leave_plan", R"sql(
  SELECT version, document FROM leave_plan
  WHERE organization_id = $1 AND leave_plan_id = $2
  UNION ALL
  SELECT p.version, i.document FROM leave_plan AS p
  JOIN leave_plan_item AS i ON i.organization_id = $1 AND i.leave_plan_id = p.leave_plan_id
  WHERE p.organization_id = $1 AND p.leave_plan_id = $2)sql"};
const sql::Statement kLeavePlanAlone{
    "scheduling.audited.leave_plan_alone",
    WITHOUT_ENTRY("leave_plan", "'/leavePlans/' || r.leave_plan_id", "r.version")};

const sql::Statement kLeaveItem{"scheduling.audited.leave_plan_item", R"sql(
  SELECT version, document FROM leave_plan_item
  WHERE organization_id = $1 AND leave_plan_id = $2 AND appointment_id = $3
    AND version IS NOT NULL)sql"};
const sql::Statement kLeaveItemAlone{"scheduling.audited.leave_plan_item_alone", R"sql(
  SELECT 'organizations/' || r.organization_id || '/leavePlans/' || r.leave_plan_id || '/items/'
         || r.appointment_id, r.version
  FROM leave_plan_item AS r
  LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = r.version
    AND leaf.resource = 'organizations/' || r.organization_id || '/leavePlans/' || r.leave_plan_id
                        || '/items/' || r.appointment_id
  WHERE r.organization_id = $1 AND r.version IS NOT NULL AND leaf.leaf_index IS NULL
  LIMIT 100)sql"};

const sql::Statement kRevocation{"scheduling.audited.revocation", R"sql(
  SELECT 1, document FROM revocation
  WHERE organization_id = $1 AND revocation_id = $2)sql"};
const sql::Statement kRevocationAlone{
    "scheduling.audited.revocation_alone",
    WITHOUT_ENTRY("revocation", "'/revocations/' || r.revocation_id", "1")};

#undef WITHOUT_ENTRY

}  // namespace

std::vector<audit::RecordKind> RecordKinds() {
  return {
      {.pattern = "organizations/{organization}", .read = &kOrganization},
      {.pattern = "organizations/{organization}/clinics/{clinic}",
       .read = &kClinic,
       .deleted_by = {"DeleteClinic"},
       .unaudited = &kClinicAlone},
      {.pattern = "organizations/{organization}/clinics/{clinic}/rooms/{room}",
       .read = &kRoom,
       .deleted_by = {"DeleteRoom"},
       .unaudited = &kRoomAlone},
      {.pattern = "organizations/{organization}/clinicians/{clinician}",
       .read = &kClinician,
       .deleted_by = {"DeleteClinician"},
       .unaudited = &kClinicianAlone},
      {.pattern = "organizations/{organization}/clinicians/{clinician}/timeOffs/{time_off}",
       .read = &kTimeOff,
       .deleted_by = {"DeleteTimeOff"},
       .unaudited = &kTimeOffAlone},
      {.pattern = "organizations/{organization}/covers/{cover}",
       .read = &kCover,
       .deleted_by = {"DeleteCover"},
       .unaudited = &kCoverAlone},
      {.pattern = "organizations/{organization}/supervisions/{supervision}",
       .read = &kSupervision,
       .unaudited = &kSupervisionAlone},
      {.pattern = "organizations/{organization}/protocols/{protocol}/revisions/{revision}",
       .read = &kProtocol,
       .unaudited = &kProtocolAlone},
      {.pattern = "organizations/{organization}/courses/{course}",
       .read = &kCourse,
       .unaudited = &kCourseAlone},
      {.pattern = "organizations/{organization}/appointments/{appointment}",
       .read = &kAppointment,
       .unaudited = &kAppointmentAlone},
      {.pattern = "organizations/{organization}/groups/{group}",
       .read = &kGroup,
       .unaudited = &kGroupAlone},
      {.pattern = "organizations/{organization}/groups/{group}/sessions/{session}",
       .read = &kGroupSession,
       .unaudited = &kGroupSessionAlone},
      {.pattern = "organizations/{organization}/waitlistEntries/{entry}",
       .read = &kWaitlistEntry,
       .unaudited = &kWaitlistEntryAlone},
      {.pattern = "organizations/{organization}/leavePlans/{leave_plan}",
       .read = &kLeavePlan,
       .unaudited = &kLeavePlanAlone},
      {.pattern = "organizations/{organization}/leavePlans/{leave_plan}/items/{appointment}",
       .read = &kLeaveItem,
       .unaudited = &kLeaveItemAlone},
      {.pattern = "organizations/{organization}/revocations/{revocation}",
       .read = &kRevocation,
       .unaudited = &kRevocationAlone},
  };
}

}  // namespace rapport::scheduling::store
