#include "services/scheduling/rpc/service.h"

#include "services/scheduling/data/shipped_protocols.h"

namespace rapport::scheduling {

SchedulingService::SchedulingService(const Dependencies& dependencies)
    : organizations_(dependencies.database),
      directory_(dependencies.database),
      protocols_(ShippedProtocols()),
      courses_(dependencies.database, ShippedProtocols(), dependencies.notes),
      appointments_(dependencies.database, ShippedProtocols()) {}

void SchedulingService::Register(call::Registry& registry) {
  organizations_.Register(registry);
  directory_.Register(registry);
  protocols_.Register(registry);
  courses_.Register(registry);
  appointments_.Register(registry);
}

}  // namespace rapport::scheduling
