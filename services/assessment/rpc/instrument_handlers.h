#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {

// InstrumentService.
class InstrumentHandlers {
 public:
  explicit InstrumentHandlers(const Catalogue& catalogue) : catalogue_(catalogue) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Instrument> GetInstrument(const call::CallContext& context,
                                               const v1::GetInstrumentRequest& request);
  absl::StatusOr<v1::ListInstrumentsResponse> ListInstruments(
      const call::CallContext& context, const v1::ListInstrumentsRequest& request);

 private:
  const Catalogue& catalogue_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_INSTRUMENT_HANDLERS_H_
