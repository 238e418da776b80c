#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_

#include "absl/status/statusor.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/course_handlers.h"
#include "services/scheduling/rpc/directory_handlers.h"
#include "services/scheduling/rpc/follower.h"
#include "services/scheduling/rpc/organization_handlers.h"
#include "services/scheduling/rpc/protocol_handlers.h"

namespace rapport::scheduling {

// What the service works with; all outlive it.
struct Dependencies {
  sql::Database& database;  // with Migrations()
  time::Clock& clock;
  telemetry::Metrics& metrics;
  call::Peer& notes;
  events::OpenFeed notes_feed;
};

// The scheduling service: its handlers, and what it does by itself (follow notes' events). Knows no
// transport.
class SchedulingService {
 public:
  explicit SchedulingService(Dependencies dependencies);

  void Register(call::Registry& registry);

  // Follows notes' events from here until Stop.
  void Start() { consumer_.Start(); }
  void Stop() { consumer_.Stop(); }

  // Applies the events that were set aside; see events::Consumer.
  absl::StatusOr<int> RetryParked() { return consumer_.RetryParked(); }

  // How far notes' events are applied.
  events::Consumer& consumer() { return consumer_; }

 private:
  OrganizationHandlers organizations_;
  DirectoryHandlers directory_;
  ProtocolHandlers protocols_;
  CourseHandlers courses_;
  AppointmentHandlers appointments_;
  NotesFollower follower_;
  events::Consumer consumer_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
