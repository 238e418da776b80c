#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// InstrumentService.
class InstrumentHandlers {
 public:
  InstrumentHandlers(sql::Database& database, const Catalogues& catalogues)
      : database_(database), catalogues_(catalogues) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Instrument> GetInstrument(const call::CallContext& context,
                                               const v1::GetInstrumentRequest& request);
  absl::StatusOr<v1::ListInstrumentsResponse> ListInstruments(
      const call::CallContext& context, const v1::ListInstrumentsRequest& request);
  absl::StatusOr<v1::Instrument> CreateInstrument(const call::CallContext& context,
                                                  const v1::CreateInstrumentRequest& request);
  absl::StatusOr<v1::InstrumentWording> SetInstrumentWording(
      const call::CallContext& context, const v1::SetInstrumentWordingRequest& request);
  absl::StatusOr<v1::InstrumentWording> GetInstrumentWording(
      const call::CallContext& context, const v1::GetInstrumentWordingRequest& request);

 private:
  sql::Database& database_;
  const Catalogues& catalogues_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_
