#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_BOOKER_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_BOOKER_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/appointment_store.h"

// The one way in which time is taken, moved and given back: whoever asks (a booking, a series, a
// hold, the waitlist, a leave plan, a transfer, a group), the same locks, rules, claims, events and
// audit entries. Everything happens inside the act's transaction; a failure leaves it to be rolled
// back.
//
// Locks, by resource names and in this order, each step sorted: the courses concerned (or the
// appointment itself, while it is of no course); then clinicians, patients, persons and, as
// ".../clinics/{clinic}/rooms", the rooms of a clinic. Who holds the lock of a course may call; who
// holds one of the second step may not.
//
// Who confirms or gives back an offer of the waitlist leaves its item of kHoldWork due at once,
// which then finds it no longer HELD and settles the entry. The item of a hold that has outlived
// its time is left alone: it is due, and may be under way.
namespace rapport::scheduling {

// One session to book, by the clock of the clinic.
struct SessionAsk {
  absl::CivilDay date;
  int minute_of_day = 0;
  int minutes = 0;                                   // 0: the protocol's for that session
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;  // unspecified: the protocol's, else in person
  v1::RoomNeed room_need;
  std::vector<v1::Participant> participants;  // besides the course's own patients
  std::string telehealth_uri;                 // empty: the clinician's
  std::string clinician;                      // name; empty: the course's
  std::string private_with;                   // name of a patient; empty: not private
};

// A series by its rule; see BookSeriesRequest.
struct SeriesAsk {
  std::string course;
  std::string series;  // id
  absl::CivilDay first;
  SessionAsk each;  // its date is not used
  int count = 0;
  google::protobuf::RepeatedPtrField<v1::SeriesException> exceptions;
};

// What a booking is of: a course, or for a hold a patient who has none yet.
struct BookingAsk {
  std::string course;  // name; empty: the three below
  std::string patient;
  std::string clinician;
  std::string clinic;
  std::vector<SessionAsk> sessions;      // by start, at least one
  std::string series;                    // id shared by all; empty: none
  std::optional<absl::Time> hold_until;  // held until then, or its start, instead of booked
  std::string waitlist_entry;            // name, for an offer
  std::string replaces;                  // name of what is given up for it: no place of the course
  bool urgent = false;                   // the minimum notice does not count
};

// A place for a member in each of the given sessions of their group. Takes the member's time alone.
struct SeatAsk {
  std::string course;
  int seat = 0;
  struct Session {
    std::string name;  // organizations/…/groups/…/sessions/…
    absl::CivilDay date;
    int minute_of_day = 0;
    int minutes = 0;
    v1::Modality modality = v1::MODALITY_IN_PERSON;
    std::string clinician;
    std::string clinic;
  };
  std::vector<Session> sessions;  // by start
};

// Where sessions go.
struct MoveAsk {
  std::string appointment;
  bool and_following = false;  // those of its series that are BOOKED and begin later, by the same
                               // difference of local date and time
  absl::CivilDay date;
  int minute_of_day = 0;
  int minutes = 0;                                   // 0: as it was
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;  // unspecified: as it was
  std::optional<v1::RoomNeed> room_need;             // unset: the same room
  std::string clinician;                             // empty: as it was
  std::string etag;                                  // empty: whatever its version
};

// The nearest free start of a clinician at a clinic near `around`, for an error's "alternative"; a
// hint. Nothing: none is known.
using NearestFree = std::function<std::optional<absl::Time>(
    absl::string_view clinician, absl::string_view clinic, absl::Time around, int minutes)>;

class Booker {
 public:
  // `nearest` may be null.
  Booker(const Protocols& protocols, NearestFree nearest)
      : protocols_(protocols), nearest_(std::move(nearest)) {}

  // All sessions or none, in the order of the ask. Access of the caller: kNotFound ("Course").
  // Refusals as AppointmentService lists them; besides
  //   kInvalidArgument     private_with is none of the course's patients, or none is private there
  //   kFailedPrecondition  UNKNOWN_CLINICIAN
  absl::StatusOr<std::vector<v1::Appointment>> Book(Act& act, const BookingAsk& ask) const;

  // The same for a series.
  //   kInvalidArgument  an exception whose date is none of the series, or that repeats one
  absl::StatusOr<std::vector<v1::Appointment>> BookSeries(Act& act, const SeriesAsk& ask) const;

  // HELD → BOOKED. `course`: for a hold made without one. HOLD_EXPIRED past its time.
  absl::StatusOr<v1::Appointment> Confirm(Act& act, absl::string_view appointment,
                                          absl::string_view course, absl::string_view etag) const;

  // HELD → `to` (RELEASED or EXPIRED). Its time is offered to the waitlist.
  absl::StatusOr<v1::Appointment> Release(Act& act, absl::string_view appointment,
                                          v1::AppointmentState to, absl::string_view etag) const;

  // All or none, by start.
  absl::StatusOr<std::vector<v1::Appointment>> Move(Act& act, const MoveAsk& ask) const;

  // Any step of an appointment's life that takes or moves no time: `step` changes the appointment,
  // and what it has taken is freed, or taken again, as its new state has it.
  //   kNotFound ("Appointment"), kPermissionDenied NOT_THE_THERAPIST, kAborted STALE_ETAG; what
  //   `step` says
  absl::StatusOr<v1::Appointment> Change(
      Act& act, absl::string_view appointment, absl::string_view etag,
      absl::FunctionRef<absl::Status(store::AppointmentContext&, const v1::Protocol&)> step) const;

  // BOOKED → CANCELLED; late or not by the organisation's window. Its time is offered to the
  // waitlist.
  absl::StatusOr<v1::Appointment> Cancel(Act& act, absl::string_view appointment,
                                         v1::CancelReason reason, absl::string_view etag) const;

  // Places for a member; see SeatAsk. The seats' rows are the caller's.
  absl::StatusOr<std::vector<v1::Appointment>> BookSeats(Act& act, const SeatAsk& ask) const;

  // The time of sessions that are no appointments (a group's): checks clinicians and picks the room
  // as for a booking, then claims it. `booking` is the id of each session; the answer is the name
  // of each one's room (empty: none).
  struct SharedSession {
    std::string booking;
    absl::CivilDay date;
    int minute_of_day = 0;
    int minutes = 0;
    v1::Modality modality = v1::MODALITY_IN_PERSON;
    v1::RoomNeed room_need;
  };
  absl::StatusOr<std::vector<std::string>> ClaimShared(
      Act& act, absl::Span<const std::string> clinicians, absl::string_view clinic,
      absl::Span<const SharedSession> sessions) const;
  void FreeShared(Act& act, absl::string_view booking) const;

  // An appointment as the caller of `context` may see it. kNotFound ("Appointment").
  static absl::StatusOr<v1::Appointment> Read(sql::Session& session,
                                              const call::CallContext& context,
                                              absl::string_view name);

 private:
  const Protocols& protocols_;
  NearestFree nearest_;
};

// Appends the event and audit entry of an appointment that is now at `version`: of a private one
// the masked event, and the whole one where services alone can read it. `busy_until`: see
// PayloadOf.
void RecordAppointment(Act& act, const v1::Appointment& appointment, const v1::Protocol& protocol,
                       int64_t version, absl::Time busy_until = absl::InfiniteFuture());

// The database's own refusal of an overlap, told as TIME_TAKEN; any other status as it is. For what
// comes out of a transaction in which time was taken.
absl::Status ExplainOverlap(const absl::Status& status);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_BOOKER_H_
