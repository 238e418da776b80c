#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/store/appointment_store.h"

namespace rapport::scheduling {

// Answers AppointmentService.
class AppointmentHandlers {
 public:
  AppointmentHandlers(sql::Database& database, const ProtocolCatalogue& protocols)
      : database_(database), protocols_(protocols) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Appointment> BookAppointment(const call::CallContext& context,
                                                  const v1::BookAppointmentRequest& request);
  absl::StatusOr<v1::BookSeriesResponse> BookSeries(const call::CallContext& context,
                                                    const v1::BookSeriesRequest& request);
  absl::StatusOr<v1::Appointment> GetAppointment(const call::CallContext& context,
                                                 const v1::GetAppointmentRequest& request);
  absl::StatusOr<v1::ListAppointmentsResponse> ListAppointments(
      const call::CallContext& context, const v1::ListAppointmentsRequest& request);
  absl::StatusOr<v1::Appointment> CheckIn(const call::CallContext& context,
                                          const v1::CheckInRequest& request);
  absl::StatusOr<v1::Appointment> CompleteAppointment(
      const call::CallContext& context, const v1::CompleteAppointmentRequest& request);
  absl::StatusOr<v1::Appointment> MarkNoShow(const call::CallContext& context,
                                             const v1::MarkNoShowRequest& request);
  absl::StatusOr<v1::Appointment> CancelAppointment(const call::CallContext& context,
                                                    const v1::CancelAppointmentRequest& request);

 private:
  struct Wish {
    std::string course;
    absl::CivilDay first;
    int minute_of_day = 0;
    int count = 1;
    int minutes = 0;  // 0: the protocol's
    v1::Modality modality = v1::MODALITY_UNSPECIFIED;
    std::string series;  // id; empty: none
  };

  // Books all sessions of `wish` or none, inside `change`.
  absl::StatusOr<std::vector<v1::Appointment>> Book(call::Change& change, const Wish& wish) const;

  // Makes one transition of an appointment: access, etag, `step`, the write with its event.
  template <class Request>
  absl::StatusOr<v1::Appointment> Transition(
      const call::CallContext& context, const Request& request,
      absl::FunctionRef<absl::Status(store::AppointmentContext&, const v1::Protocol&)> step);

  absl::StatusOr<const v1::Protocol*> ProtocolOf(const v1::Course& course) const;

  sql::Database& database_;
  const ProtocolCatalogue& protocols_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_APPOINTMENT_HANDLERS_H_
