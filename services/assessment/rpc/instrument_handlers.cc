#include "services/assessment/rpc/instrument_handlers.h"

#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::assessment {

void InstrumentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.InstrumentService", this)
      .Unary("GetInstrument", &InstrumentHandlers::GetInstrument)
      .Unary("ListInstruments", &InstrumentHandlers::ListInstruments);
}

absl::StatusOr<v1::Instrument> InstrumentHandlers::GetInstrument(
    const call::CallContext&, const v1::GetInstrumentRequest& request) {
  const InstrumentRules* rules = catalogue_.Find(request.name());
  if (rules == nullptr) return errors::NotFound("Instrument");
  return rules->instrument();
}

absl::StatusOr<v1::ListInstrumentsResponse> InstrumentHandlers::ListInstruments(
    const call::CallContext& context, const v1::ListInstrumentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  v1::ListInstrumentsResponse response;
  absl::string_view last;
  for (const InstrumentRules* rules : catalogue_.newest()) {
    if (rules->id() <= page.after) continue;
    if (response.instruments_size() == page.size) {
      response.set_next_page_token(call::NextPageToken(context, last));
      break;
    }
    *response.add_instruments() = rules->instrument();
    last = rules->id();
  }
  return response;
}

}  // namespace rapport::assessment
