#include "services/scheduling/rpc/service.h"

#include <utility>

#include "rapport/notes/v1/events.pb.h"
#include "services/scheduling/data/shipped_protocols.h"

namespace rapport::scheduling {

SchedulingService::SchedulingService(Dependencies dependencies)
    : organizations_(dependencies.database),
      directory_(dependencies.database),
      protocols_(ShippedProtocols()),
      courses_(dependencies.database, ShippedProtocols(), dependencies.notes),
      appointments_(dependencies.database, ShippedProtocols()),
      follower_(ShippedProtocols(), dependencies.clock),
      consumer_(dependencies.database,
                {.consumer = "scheduling",
                 .feed = "notes",
                 .types = {notes::v1::CaseEvent::descriptor()->full_name()},
                 .metrics = &dependencies.metrics},
                std::move(dependencies.notes_feed),
                [this](sql::Transaction& tx, const common::v1::Event& event) {
                  return follower_.Apply(tx, event);
                }) {}

void SchedulingService::Register(call::Registry& registry) {
  organizations_.Register(registry);
  directory_.Register(registry);
  protocols_.Register(registry);
  courses_.Register(registry);
  appointments_.Register(registry);
}

}  // namespace rapport::scheduling
