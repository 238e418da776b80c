#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/audit/verify.h"
#include "common/cache/cache.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/survey.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/background.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/course_handlers.h"
#include "services/scheduling/rpc/directory_handlers.h"
#include "services/scheduling/rpc/follower.h"
#include "services/scheduling/rpc/group_handlers.h"
#include "services/scheduling/rpc/leave_handlers.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/opening_handlers.h"
#include "services/scheduling/rpc/organization_handlers.h"
#include "services/scheduling/rpc/protocol_handlers.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/rpc/revocation_handlers.h"
#include "services/scheduling/rpc/supervision_handlers.h"
#include "services/scheduling/rpc/urgent_handlers.h"
#include "services/scheduling/rpc/waitlist.h"
#include "services/scheduling/rpc/waitlist_handlers.h"
#include "services/scheduling/store/audited.h"

namespace rapport::scheduling {

// What the service works with; all outlive it.
struct Dependencies {
  sql::Database& database;  // with Migrations() and work::Migrations()
  time::Clock& clock;
  telemetry::Metrics& metrics;
  call::Peer& notes;
  events::OpenFeed notes_feed;
  // Searches do not trust an index of free time that is more than this behind.
  absl::Duration index_bound = absl::Seconds(5);
  cache::Cache* cache = nullptr;  // over the same database; null: nothing is kept
};

// The scheduling service: its handlers, and what it does by itself (follow notes' events and, for
// the index of free time, its own; end holds, pass freed time on, remind, watch the clocks, count
// who waits). Knows no transport.
class SchedulingService {
 public:
  explicit SchedulingService(Dependencies dependencies);

  void Register(call::Registry& registry);

  // Does what it does by itself from here until Stop.
  void Start();
  void Stop();

  // How what the audit entries cover is stored.
  static std::vector<audit::RecordKind> RecordKinds() { return store::RecordKinds(); }

  // Applies the events that were set aside; see events::Consumer.
  absl::StatusOr<int> RetryParked() { return consumer_.RetryParked(); }

  // How far notes' events are applied.
  events::Consumer& consumer() { return consumer_; }

  // When free time is.
  LiveIndex& index() { return index_; }

 private:
  Protocols revisions_;
  std::unique_ptr<CourseCache> kept_courses_;  // null without a cache
  LiveIndex index_;
  Booker booker_;
  Waitlist waiting_;
  OrganizationHandlers organizations_;
  RevocationHandlers revocations_;
  DirectoryHandlers directory_;
  SupervisionHandlers supervisions_;
  ProtocolHandlers protocols_;
  CourseHandlers courses_;
  AppointmentHandlers appointments_;
  UrgentHandlers urgent_;
  OpeningHandlers openings_;
  WaitlistHandlers waitlist_;
  LeaveHandlers leave_;
  GroupHandlers groups_;
  NotesFollower follower_;
  events::Consumer consumer_;
  Background background_;
  work::Survey survey_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_SERVICE_H_
