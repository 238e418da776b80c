#ifndef RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_
#define RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/audit/verify.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/survey.h"
#include "rapport/common/v1/event.pb.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/background.h"
#include "services/notes/rpc/case_handlers.h"
#include "services/notes/rpc/entry_handlers.h"
#include "services/notes/rpc/export_handlers.h"
#include "services/notes/rpc/fidelity_handlers.h"
#include "services/notes/rpc/note_handlers.h"
#include "services/notes/rpc/privacy_handlers.h"
#include "services/notes/rpc/psychotherapy_handlers.h"
#include "services/notes/rpc/release_handlers.h"
#include "services/notes/rpc/review_handlers.h"
#include "services/notes/rpc/suitability_handlers.h"
#include "services/notes/rpc/supervision_handlers.h"
#include "services/notes/rpc/template_handlers.h"
#include "services/notes/store/audited.h"

namespace rapport::notes {

// Payload types that ApplySchedulingEvent understands.
std::vector<std::string> SchedulingEventTypes();

// Brings the replica of scheduling, the cases and the sessions to be noted up to `event`, all in
// its one transaction.
absl::Status ApplySchedulingEvent(sql::Transaction& tx, const crypto::Vault& vault,
                                  const common::v1::Event& event);

struct Dependencies {
  sql::Database& database;  // with the migrations of "care", "work", "crypto" and "notes"
  time::Clock& clock;
  telemetry::Metrics& metrics;
  const crypto::Vault& vault;
  call::Peer& scheduling;
  call::Peer& assessment;
  events::OpenFeed scheduling_feed;
  events::OpenFeed assessment_feed;
};

// The notes service without its transport.
class NotesService {
 public:
  explicit NotesService(Dependencies dependencies);

  void Register(call::Registry& registry);

  // Follows the events of scheduling and assessment, does what is due and counts it, from here
  // until Stop.
  void Start();
  void Stop();

  // Applies the events that were set aside; see events::Consumer.
  absl::StatusOr<int> RetryParked();

  // How what the audit entries cover is stored.
  static std::vector<audit::RecordKind> RecordKinds() { return notes::RecordKinds(); }

  // How far scheduling's events are applied.
  events::Consumer& consumer() { return consumer_; }

 private:
  events::Consumer consumer_;
  events::Consumer assessment_consumer_;
  Access access_;
  CaseHandlers cases_;
  EntryHandlers entries_;
  NoteHandlers notes_;
  NoteTemplateHandlers templates_;
  NotePolicyHandlers policies_;
  PsychotherapyHandlers psychotherapy_;
  ReleaseHandlers releases_;
  SuitabilityHandlers suitability_;
  ReviewHandlers reviews_;
  ExportHandlers exports_;
  PrivacyHandlers privacy_;
  FidelityHandlers fidelity_;
  SupervisionHandlers supervision_;
  Background background_;
  work::Survey survey_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SERVICE_H_
