#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_

#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/organization.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/store/scope.h"
#include "services/scheduling/store/stored.h"

// Appointments and the claims on people's time, by the ids in their names. The session number is
// derived on reading.
//
// A claim that would overlap another of the same person fails the transaction, whatever the path:
// kFailedPrecondition with constraint kClaimOverlap.
namespace rapport::scheduling::store {

inline constexpr absl::string_view kClaimOverlap = "claim_overlap";

// What is stored of `appointment`: all but what is derived.
std::string Document(const v1::Appointment& appointment);

struct AppointmentRow : Stored<v1::Appointment> {
  bool sees_to = false;  // the scope's clinician treats, or covers for who does
};

// Whoever asks: the caller decides by the row what may be known. kNotFound.
absl::StatusOr<AppointmentRow> GetAppointment(sql::Session& session, absl::string_view name,
                                              const Scope& scope);

// What its course and organisation say, beside it.
struct AppointmentContext {
  AppointmentRow row;
  v1::Course course;
  int sessions_used = 0;
  v1::OrganizationSettings settings;
};
absl::StatusOr<AppointmentContext> GetAppointmentContext(sql::Session& session,
                                                         absl::string_view name,
                                                         const Scope& scope);

// All that decides on bookings of one course.
struct BookingContext {
  Stored<v1::Course> course;
  v1::Clinic clinic;
  v1::Clinician clinician;
  v1::OrganizationSettings settings;
};
// kNotFound ("Course").
absl::StatusOr<BookingContext> GetBookingContext(sql::Session& session, absl::string_view course);

// Of `facts`: the course's sessions that count, and what of the clinician's and the patient's time
// is taken by time off and appointments within `range`.
absl::Status ReadBookingFacts(sql::Session& session, const v1::Course& course,
                              const Interval& range, BookingFacts& facts);

// Both deferred. Claims follow from the state.
void InsertAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                       const v1::Protocol& protocol);
void DeferUpdate(sql::Transaction& tx, const v1::Appointment& appointment,
                 const v1::Protocol& protocol, int64_t version);

// To version + 1, freeing the claims of one that takes no time. kAborted LOST_RACE.
absl::Status UpdateAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                               const v1::Protocol& protocol, int64_t version);

enum class AppointmentsOf { kCourse, kClinician, kPatient };
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
// By start, those within the scope.
absl::StatusOr<std::vector<v1::Appointment>> ListAppointments(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const AppointmentFilter& filter, const AppointmentKey& after, int limit);

// Those booked together, by start.
absl::StatusOr<std::vector<v1::Appointment>> ListSeries(sql::Session& session,
                                                        absl::string_view organization_id,
                                                        absl::string_view course_id,
                                                        absl::string_view series_id);

// Those of a course that are BOOKED to begin after `now`.
absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListToCome(sql::Session& session,
                                                                absl::string_view course,
                                                                absl::Time now);

// Names of a clinician's BOOKED appointments that overlap `range`, by start; at most `limit`.
absl::StatusOr<std::vector<std::string>> ListBookedWithin(sql::Session& session,
                                                          absl::string_view clinician,
                                                          const Interval& range, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_APPOINTMENT_STORE_H_
