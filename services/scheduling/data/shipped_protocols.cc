#include "services/scheduling/data/shipped_protocols.h"

#include <utility>

namespace rapport::scheduling {

const ProtocolCatalogue& ShippedProtocols() {
  static const auto& catalogue =
      *new ProtocolCatalogue(ProtocolCatalogue::Make(ShippedProtocolTexts()).value());
  return catalogue;
}

}  // namespace rapport::scheduling
