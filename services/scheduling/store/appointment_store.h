#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/organization.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Appointments, the claims on the time of people and rooms, and whose appointments they are, by the
// ids in their names. The session number is derived on reading.
//
// A claim that would overlap another of the same resource fails the transaction, whatever the path:
// kFailedPrecondition with constraint kClaimOverlap.
namespace rapport::scheduling::store {

inline constexpr absl::string_view kClaimOverlap = "claim_overlap";

// What is stored of `appointment`: all but what is derived.
std::string Document(const v1::Appointment& appointment);

struct AppointmentRow : Stored<v1::Appointment> {
  // The scope's clinician holds it, has its course, or covers for who does.
  bool treats = false;
  bool supervises = false;  // the scope's clinician supervises who does
  // When its clinician's time is free again; InfiniteFuture: it takes none of it.
  absl::Time busy_until = absl::InfiniteFuture();
};

// Whoever asks: the caller decides by the row what may be known. kNotFound.
absl::StatusOr<AppointmentRow> GetAppointment(sql::Session& session, absl::string_view name,
                                              const Scope& scope);

// What its course, clinician, clinic and organisation say, beside it; of what is deleted nothing.
struct AppointmentContext {
  AppointmentRow row;
  v1::Course course;  // without name: there is none yet
  int sessions_used = 0;
  v1::OrganizationSettings settings;
  v1::Clinic clinic;
  v1::Clinician clinician;
};
absl::StatusOr<AppointmentContext> GetAppointmentContext(sql::Session& session,
                                                         absl::string_view name,
                                                         const Scope& scope);

// A session of a course's running segment that counts, or is held.
struct CourseSession {
  absl::Time start;
  std::string id;
  bool counts = false;
  absl::Time expires = absl::InfiniteFuture();  // of a hold
};

// What decides on bookings of one course, or at a clinic.
struct BookingContext {
  v1::Course course;  // without name: none
  bool treats = false;
  bool supervises = false;
  v1::Clinic clinic;
  v1::OrganizationSettings settings;
  std::vector<CourseSession> sessions;
};
// With the course's clinic. kNotFound ("Course").
absl::StatusOr<BookingContext> GetBookingContext(sql::Session& session, absl::string_view course,
                                                 const Scope& scope);
// Without a course, for `clinician`. kNotFound ("Clinic").
absl::StatusOr<BookingContext> GetPlaceContext(sql::Session& session, absl::string_view clinic,
                                               absl::string_view clinician, const Scope& scope);

// Which times are concerned.
struct TimesAsk {
  std::set<std::string> keys;    // of clinicians, patients and persons; see ClaimKey
  std::string clinic_id;         // whose rooms may be needed; empty: none
  std::string room_id;           // just this one; empty: any
  bool any_hours = false;        // the clinicians' clinics are wanted too; see AnyHoursWillDo
  std::set<std::string> moving;  // ids of bookings that are no obstacle
  struct Window {
    Interval day;      // what of people's time may matter
    Interval session;  // when a room may be needed
  };
  std::vector<Window> windows;
};
// Fills in clinicians, with their clinics if wanted, rooms and claims of `facts`, which has `now`.
// Claims of holds that ended before it are left out; those holds are returned.
absl::StatusOr<std::vector<Stored<v1::Appointment>>> ReadTimes(sql::Session& session,
                                                               absl::string_view organization_id,
                                                               const TimesAsk& ask,
                                                               BookingFacts& facts);

// All of the following are deferred.

// At version 1. `patients` are the names of those whose appointment it is. Claims are apart.
void InsertAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                       const v1::Protocol& protocol, absl::Span<const std::string> patients);
struct ClaimRow {
  std::string key;
  Interval time;
  std::string booking;
  absl::Time expires = absl::InfiniteFuture();  // of a hold
};
void InsertClaims(sql::Transaction& tx, absl::string_view organization_id,
                  absl::Span<const ClaimRow> claims);
void DeleteClaims(sql::Transaction& tx, absl::string_view organization_id,
                  absl::string_view booking);
// A hold's claims become a booking's.
void BookClaims(sql::Transaction& tx, absl::string_view organization_id, absl::string_view booking);

void InsertAttendee(sql::Transaction& tx, const v1::Appointment& appointment,
                    absl::string_view patient);
// To the appointment's start.
void MoveAttendees(sql::Transaction& tx, const v1::Appointment& appointment);

// Not deferred: to version + 1, freeing the claims of one that takes no time. kAborted LOST_RACE.
absl::Status UpdateAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                               const v1::Protocol& protocol, int64_t version);

enum class AppointmentsOf { kCourse, kClinician, kPatient, kClinic };
struct AppointmentFilter {
  AppointmentsOf of = AppointmentsOf::kCourse;
  std::string id;
  int64_t from_micros = std::numeric_limits<int64_t>::min();
  int64_t before_micros = std::numeric_limits<int64_t>::max();
};
struct AppointmentKey {
  int64_t start_micros = std::numeric_limits<int64_t>::min();
  std::string id;
};
// By start, those within the scope. Private ones of a course or a patient only for those who treat
// or supervise.
absl::StatusOr<std::vector<AppointmentRow>> ListAppointments(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const AppointmentFilter& filter, const AppointmentKey& after, int limit);

// Those booked together, by start.
absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListSeries(sql::Session& session,
                                                                absl::string_view organization_id,
                                                                absl::string_view course_id,
                                                                absl::string_view series_id);

// Names of a clinician's BOOKED appointments that overlap `range`, by start; at most `limit`.
absl::StatusOr<std::vector<std::string>> ListBookedWithin(sql::Session& session,
                                                          absl::string_view clinician,
                                                          const Interval& range, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_
