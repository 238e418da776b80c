#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_

#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/course_handlers.h"
#include "services/scheduling/rpc/directory_handlers.h"
#include "services/scheduling/rpc/organization_handlers.h"
#include "services/scheduling/rpc/protocol_handlers.h"

namespace rapport::scheduling {

// What the service works with; all outlive it.
struct Dependencies {
  sql::Database& database;  // with Migrations()
  time::Clock& clock;
  telemetry::Metrics& metrics;
  call::Peer& notes;
};

// The handlers of the scheduling service, wired.
class SchedulingService {
 public:
  explicit SchedulingService(const Dependencies& dependencies);

  void Register(call::Registry& registry);

  // Nothing runs in the background yet.
  void Start() {}
  void Stop() {}

 private:
  OrganizationHandlers organizations_;
  DirectoryHandlers directory_;
  ProtocolHandlers protocols_;
  CourseHandlers courses_;
  AppointmentHandlers appointments_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
