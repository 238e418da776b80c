#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/scheduling/rpc/booker.h"

namespace rapport::scheduling {

// Answers AppointmentService.
class AppointmentHandlers {
 public:
  AppointmentHandlers(sql::Database& database, const Booker& booker)
      : database_(database), booker_(booker) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Appointment> HoldAppointment(const call::CallContext& context,
                                                  const v1::HoldAppointmentRequest& request);
  absl::StatusOr<v1::Appointment> ConfirmHold(const call::CallContext& context,
                                              const v1::ConfirmHoldRequest& request);
  absl::StatusOr<v1::Appointment> ReleaseHold(const call::CallContext& context,
                                              const v1::ReleaseHoldRequest& request);
  absl::StatusOr<v1::Appointment> BookAppointment(const call::CallContext& context,
                                                  const v1::BookAppointmentRequest& request);
  absl::StatusOr<v1::BookSeriesResponse> BookSeries(const call::CallContext& context,
                                                    const v1::BookSeriesRequest& request);
  absl::StatusOr<v1::Appointment> GetAppointment(const call::CallContext& context,
                                                 const v1::GetAppointmentRequest& request);
  absl::StatusOr<v1::ListAppointmentsResponse> ListAppointments(
      const call::CallContext& context, const v1::ListAppointmentsRequest& request);
  absl::StatusOr<v1::RescheduleAppointmentResponse> RescheduleAppointment(
      const call::CallContext& context, const v1::RescheduleAppointmentRequest& request);
  absl::StatusOr<v1::Appointment> CheckIn(const call::CallContext& context,
                                          const v1::CheckInRequest& request);
  absl::StatusOr<v1::Appointment> CompleteAppointment(
      const call::CallContext& context, const v1::CompleteAppointmentRequest& request);
  absl::StatusOr<v1::Appointment> MarkNoShow(const call::CallContext& context,
                                             const v1::MarkNoShowRequest& request);
  absl::StatusOr<v1::Appointment> CancelAppointment(const call::CallContext& context,
                                                    const v1::CancelAppointmentRequest& request);
  absl::StatusOr<v1::Appointment> CorrectAttendance(const call::CallContext& context,
                                                    const v1::CorrectAttendanceRequest& request);
  absl::StatusOr<v1::ExportCalendarResponse> ExportCalendar(
      const call::CallContext& context, const v1::ExportCalendarRequest& request);

 private:
  // One appointment, changed by `change`; a repeat returns it as it is now.
  absl::StatusOr<v1::Appointment> Mutate(
      const call::CallContext& context, absl::string_view request_id,
      absl::FunctionRef<absl::StatusOr<v1::Appointment>(Act&)> change);

  sql::Database& database_;
  const Booker& booker_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_
