#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/hours.h"
#include "services/scheduling/domain/series.h"

// Whether sessions may be booked.
namespace rapport::scheduling {

// The key under which the time of a clinician, patient, person or room is claimed:
// "clinicians/anna", "patients/p", "persons/x", "rooms/north/r1".
std::string ClaimKey(absl::string_view name);
// The name of which `key` is, in the organisation.
std::string NameOfClaimKey(absl::string_view organization_id, absl::string_view key);

// Time that is taken.
struct Claim {
  Interval time;           // with the clinician's buffer
  std::string booking;     // id of the appointment, or of a group's session
  std::string clinic;      // id; of a clinician's claim, where known
  absl::Time session_end;  // without the buffer
};

struct ClinicFacts {
  v1::Clinic clinic;
  absl::TimeZone zone;
};

struct ClinicianFacts {
  v1::Clinician clinician;
  std::vector<Interval> time_off;    // at least what overlaps the sessions; likewise
  std::vector<Interval> supervised;  // while somebody supervises them
  std::vector<ClinicFacts>
      clinics;  // where they work, for sessions that any of their hours will do
};

// What decides on times, of one moment, under the locks of all concerned.
struct BookingFacts {
  absl::Time now;
  absl::Duration minimum_notice;
  absl::Duration travel_time;  // between sessions of a clinician at two clinics
  v1::Clinic clinic;
  absl::TimeZone zone;                               // of the clinic
  std::map<std::string, ClinicianFacts> clinicians;  // by key
  std::vector<v1::Room> rooms;                       // of the clinic; may be just the one asked for
  std::map<std::string, std::vector<Claim>> claims;  // by key; of clinicians those of whole days
};

// A session that is asked for.
struct AskedSession {
  std::string booking;  // id; tells its claims from others'
  SessionTime time;
  v1::Modality modality = v1::MODALITY_IN_PERSON;
  std::vector<std::string> clinicians;  // keys: theirs must be hours, licence and so on
  std::vector<std::string> others;      // keys: their time alone is taken
  v1::RoomNeed room_need;
  std::string room;  // name, chosen by CheckTimes; empty: none
};

// Why it can't be.
struct Refusal {
  std::string reason;    // as AppointmentService lists them
  std::string message;   // what follows "The session of {date} "
  size_t session = 0;    // which
  std::string resource;  // TIME_TAKEN: key of whose time it is
  std::string booking;   // TIME_TAKEN: of what is in the way
};

// The first reason why `sessions` can't all be held, or nothing: then each has its room (the one
// asked for, or the smallest that suits and is free, by capacity and id). Sessions are also in each
// other's way. Whether two sessions are at two clinics goes by their clinics, however they are
// held: where a clinician is during a remote session is not known.
std::optional<Refusal> CheckTimes(const BookingFacts& facts, absl::Span<AskedSession> sessions);

// What can have changed since a time was held: licence, supervision and time off.
std::optional<Refusal> CheckStillPossible(const BookingFacts& facts, const AskedSession& session);

// Of whom the session takes which time: of clinicians with their buffer, of its room, of the
// others.
struct WantedClaim {
  std::string key;
  Interval time;
};
std::vector<WantedClaim> ClaimsOf(const BookingFacts& facts, const AskedSession& session);

// What a course allows.
struct CourseFacts {
  int planned_sessions = 0;
  int max_weeks = 0;
  std::optional<absl::CivilDay> ends_on;  // of maintenance, instead of max_weeks
  absl::TimeZone zone;
  std::vector<CountedSession> taken;  // sessions of its segment that count or are held
};
CourseFacts CourseFactsOf(const v1::Course& course, const v1::Protocol& protocol,
                          absl::TimeZone zone, std::vector<CountedSession> taken);

// Why `sessions` (by start) are too many or too late for the course, if they are. Its state is not
// looked at: see RequireUnderWay.
std::optional<Refusal> CheckCourse(const CourseFacts& course,
                                   absl::Span<const SessionTime> sessions);

// `refusal` of a session of `date`, as FAILED_PRECONDITION with the metadata "date", and where
// given "resource" (whose time is taken), "alternative" (a free start) and, as ResourceInfo, the
// appointment in the way.
struct RefusalContext {
  std::string resource;     // name, where the caller may know it
  std::string appointment;  // name, where the caller may know it
  std::string alternative;  // RFC 3339
};
absl::Status Refused(const Refusal& refusal, absl::CivilDay date, const RefusalContext& context);

// Whether reason and place of a refusal are such that another time may help.
bool AnotherTimeMayHelp(const Refusal& refusal);

// TIME_TAKEN without saying by what or when: the database's own word.
absl::Status TimeTaken();

// Whether `time` lies within the clinician's hours at `clinic`, by the clock of `zone`.
bool WithinHours(const v1::Clinician& clinician, const v1::Clinic& clinic, absl::TimeZone zone,
                 const Interval& time);

// How the clinician meets patients: in the clinic unless the entry says otherwise.
bool Offers(const v1::Clinician& clinician, v1::Modality modality);

// Whether hours at any of the clinician's clinics will do for such a session, not only those at its
// own: nobody has to come there.
bool AnyHoursWillDo(v1::Modality modality);

// Whether the patient is elsewhere.
bool IsRemote(v1::Modality modality);

// Whether the clinician may treat someone at a distance who is in `jurisdiction`: where the clinic
// is, or they hold a licence ("GB" is good for "GB-SCT").
bool MayTreatIn(const v1::Clinician& clinician, const v1::Clinic& clinic,
                absl::string_view jurisdiction);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_
