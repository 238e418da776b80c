#ifndef RAPPORT_COMMON_CARE_CARE_H_
#define RAPPORT_COMMON_CARE_CARE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/auth/principal.h"
#include "common/call/call_context.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// What the assessment and notes services know of scheduling: courses, appointments, and who may see
// to whom. A replica kept by scheduling's event feed, one copy in each service's own database, so
// that access and ownership are decided without asking anyone.
//
// Clinicians, courses and so on are named by their full resource names; an organisation may also be
// by its id.
namespace rapport::care {

// The migrations of the replica's tables (component "care").
const sql::Component& Migrations();

// Payload types that Apply understands, for ConsumerOptions.types.
std::vector<std::string> EventTypes();

// Brings the replica up to `event`; does nothing for one that is not newer than what is known. A
// new organisation becomes ready with its first event.
absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event);

struct CourseFacts {
  std::string course;
  int64_t version = 0;
  scheduling::v1::CourseEvent state;
};

struct AppointmentFacts {
  std::string appointment;
  scheduling::v1::AppointmentEvent state;
  // Rank by start among the appointments of the course's segment that count, from 1; 0: does not
  // count.
  int session_number = 0;
  absl::Time start() const;
  absl::Time end() const;
};

struct OrganizationFacts {
  std::string organization;
  scheduling::v1::OrganizationEvent state;
};

// kNotFound ("Course") where the replica has none.
absl::StatusOr<CourseFacts> GetCourse(sql::Session& session, absl::string_view course);

// All appointments of a course by start, numbered.
absl::StatusOr<std::vector<AppointmentFacts>> ListAppointments(sql::Session& session,
                                                               absl::string_view course);

// kNotFound ("Appointment").
absl::StatusOr<AppointmentFacts> GetAppointment(sql::Session& session,
                                                absl::string_view appointment);

// kUnavailable ORGANIZATION_NOT_READY before its first event.
absl::StatusOr<OrganizationFacts> GetOrganization(sql::Session& session,
                                                  absl::string_view organization);

// What an organisation has settled, and one of its clinics. Empty where the replica knows of none.
struct Settings {
  scheduling::v1::OrganizationEvent organization;
  scheduling::v1::ClinicEvent clinic;
};
absl::StatusOr<Settings> GetSettings(sql::Session& session, absl::string_view organization,
                                     absl::string_view clinic);

// The clinician whose tokens bear `subject`; nothing where the directory has none, or, while events
// are under way, two.
absl::StatusOr<std::optional<std::string>> ClinicianOfSubject(sql::Session& session,
                                                              absl::string_view organization,
                                                              absl::string_view subject);

// Names of the clinicians whose courses `clinician` may see to at `now`: their own and those they
// cover, themselves first.
absl::StatusOr<std::vector<std::string>> SeesTo(sql::Session& session, absl::string_view clinician,
                                                absl::Time now);

// The caller as a clinician, whose courses they see to, and whose they may read as a supervisor.
struct Reach {
  std::string clinician;                // empty: not a clinician of the directory
  std::vector<std::string> clinicians;  // SeesTo
  std::vector<std::string> supervised;  // by a pair in force now
  // Whether they see to, or may read, the courses of `responsible`.
  bool Treats(absl::string_view responsible) const;
  bool Reaches(absl::string_view responsible) const;
};
absl::StatusOr<Reach> ReachOf(sql::Session& session, const call::CallContext& context);

// What a clinician may sign, and who signs beside them.
struct Standing {
  std::optional<absl::CivilDay> licence_until;  // its last day; nothing: no licence
  bool trainee = false;
  std::vector<std::string> supervisors;  // by pairs in force now, by name
  bool LicensedOn(absl::CivilDay day) const { return licence_until && day <= *licence_until; }
};
// Of one whom the replica does not know: no licence, nobody.
absl::StatusOr<Standing> StandingOf(sql::Session& session, absl::string_view clinician,
                                    absl::Time now);

// A pair of supervision, [start, end); one that goes on ends in the infinite future.
struct Pair {
  std::string supervisor;
  absl::Time start;
  absl::Time end;
  bool InForceAt(absl::Time time) const { return start <= time && time < end; }
};
// The pairs in which `clinician` is, was or will be supervised, by start.
absl::StatusOr<std::vector<Pair>> PairsOf(sql::Session& session, absl::string_view clinician);

// Leave of a clinician, [start, end).
struct TimeOff {
  absl::Time start;
  absl::Time end;
};
// That of `clinician` which is not over at `now`, by start, 50 at most.
absl::StatusOr<std::vector<TimeOff>> ListTimeOff(sql::Session& session, absl::string_view clinician,
                                                 absl::Time now);

// Whether the caller is a patient's own device: its only role is patient_proxy, and its subject is
// the patient's id.
bool IsPatientProxy(const auth::Principal& principal);

// The one decision whether the caller may know of a course's clinical content: its therapist, who
// covers for them now, who supervises them now, a service in its own right, an integration (which
// the method's permission has limited to recording), or the device of one of its patients. Else
// kNotFound(`type`), as if absent.
absl::StatusOr<CourseFacts> RequireCourse(sql::Session& session, const call::CallContext& context,
                                          absl::string_view course, absl::string_view type);

// As RequireCourse, for changes: kPermissionDenied NOT_THE_THERAPIST for who only supervises.
absl::StatusOr<CourseFacts> RequireTreated(sql::Session& session, const call::CallContext& context,
                                           absl::string_view course, absl::string_view type);

// PERMISSION_DENIED NOT_THE_THERAPIST.
absl::Status NotTheTherapist();

// Who must see to a risk at `now` (clinical rule 1.1): the responsible clinician, unless away; else
// who covers for them, unless away; else the first present of the clinic's duty list; else the
// first present of the organisation's; else, when all are away, the first of the organisation's
// list, or of the clinic's, or the responsible clinician: never nobody.
enum class OwnerBasis { kResponsible, kCover, kClinicDuty, kOrganizationDuty };
struct Owner {
  std::string clinician;
  OwnerBasis basis = OwnerBasis::kResponsible;
  friend bool operator==(const Owner&, const Owner&) = default;
};

// The facts on which ownership rests.
struct OwnershipFacts {
  std::string responsible;
  std::vector<std::string> covers;  // present or not, of the responsible, at the instant
  std::vector<std::string> clinic_duty;
  std::vector<std::string> organization_duty;
  std::vector<std::string> away;  // who is on leave at the instant
};
// Pure. Never nobody where `responsible` is somebody.
Owner DecideOwner(const OwnershipFacts& facts);

// The facts, and DecideOwner, over the replica.
absl::StatusOr<OwnershipFacts> OwnershipFactsOf(sql::Session& session,
                                                const scheduling::v1::CourseEvent& course,
                                                absl::string_view organization, absl::Time now);
absl::StatusOr<Owner> OwnerOf(sql::Session& session, const scheduling::v1::CourseEvent& course,
                              absl::string_view organization, absl::Time now);

// The first instant after `now` at which ownership in `organization` may change by itself (leave or
// cover begins or ends); nothing: none.
absl::StatusOr<std::optional<absl::Time>> NextOwnershipChange(sql::Session& session,
                                                              absl::string_view organization,
                                                              absl::Time now);

}  // namespace rapport::care

#endif  // RAPPORT_COMMON_CARE_CARE_H_
