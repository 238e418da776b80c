#ifndef RAPPORT_SERVICES_SCHEDULING_DATA_SHIPPED_PROTOCOLS_H_
#define RAPPORT_SERVICES_SCHEDULING_DATA_SHIPPED_PROTOCOLS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {

// The text-format files of data/protocols, checked when the program was built.
absl::Span<const absl::string_view> ShippedProtocolTexts();

// The catalogue of them; lives as long as the process.
const ProtocolCatalogue& ShippedProtocols();

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DATA_SHIPPED_PROTOCOLS_H_
