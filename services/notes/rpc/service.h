#ifndef RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_
#define RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/case_handlers.h"
#include "services/notes/rpc/note_handlers.h"
#include "services/notes/rpc/suitability_handlers.h"

namespace rapport::notes {

// Brings the replica of scheduling, the cases and the sessions to be noted up to `event`, all in
// its one transaction.
absl::Status ApplySchedulingEvent(sql::Transaction& tx, const common::v1::Event& event);

struct Dependencies {
  sql::Database& database;  // with the migrations of "care" and "notes"
  time::Clock& clock;
  telemetry::Metrics& metrics;
  call::Peer& scheduling;
  call::Peer& assessment;
  events::OpenFeed scheduling_feed;
};

// The notes service without its transport.
class NotesService {
 public:
  explicit NotesService(Dependencies dependencies);

  void Register(call::Registry& registry);

  // Follows scheduling's events from here until Stop.
  void Start();
  void Stop();

  // Applies the events that were set aside; see events::Consumer.
  absl::StatusOr<int> RetryParked() { return consumer_.RetryParked(); }

  // How far scheduling's events are applied.
  events::Consumer& consumer() { return consumer_; }

 private:
  events::Consumer consumer_;
  Access access_;
  CaseHandlers cases_;
  NoteHandlers notes_;
  SuitabilityHandlers suitability_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_
