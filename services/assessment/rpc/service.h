#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_SERVICE_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_SERVICE_H_

#include <memory>
#include <vector>

#include "common/audit/verify.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/survey.h"
#include "services/assessment/rpc/alert_handlers.h"
#include "services/assessment/rpc/assessment_handlers.h"
#include "services/assessment/rpc/background.h"
#include "services/assessment/rpc/caseload_handlers.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/follower.h"
#include "services/assessment/rpc/instrument_handlers.h"
#include "services/assessment/rpc/measure_request_handlers.h"
#include "services/assessment/rpc/notes_follower.h"
#include "services/assessment/rpc/outcome_handlers.h"
#include "services/assessment/rpc/progress_handlers.h"
#include "services/assessment/rpc/scoring_handlers.h"
#include "services/assessment/store/audited.h"

namespace rapport::assessment {

struct Dependencies {
  sql::Database& database;  // with the components of care, work, crypto and Migrations()
  time::Clock& clock;
  telemetry::Metrics& metrics;
  const crypto::Vault& vault;
  call::Peer& scheduling;
  call::Peer& notes;
  events::OpenFeed scheduling_feed;
  events::OpenFeed notes_feed;
};

// The assessment service: its handlers, and what it does by itself (follow scheduling's events,
// watch the clock for leave and cover, count the alerts that stand). Knows no transport. Its own
// events are served by a feed::Feed over the same database.
class AssessmentService {
 public:
  explicit AssessmentService(Dependencies dependencies);
  ~AssessmentService();

  void Register(call::Registry& registry);

  void Start();
  void Stop();

  // Applies the events that were set aside; see events::Consumer.
  absl::StatusOr<int> RetryParked();

  // How what the audit entries cover is stored.
  static std::vector<audit::RecordKind> RecordKinds() { return store::RecordKinds(); }

  // How far scheduling's events are applied.
  events::Consumer& consumer() { return consumer_; }

 private:
  sql::Database& database_;
  time::Clock& clock_;
  const Catalogues catalogues_;
  InstrumentHandlers instruments_;
  ScoringHandlers scoring_;
  AssessmentHandlers assessments_;
  MeasureRequestHandlers measure_requests_;
  ProgressHandlers progress_;
  CaseloadHandlers caseload_;
  AlertHandlers alerts_;
  SchedulingFollower follower_;
  events::Consumer consumer_;
  OutcomeHandlers outcomes_;
  const NotesFollower notes_follower_;
  events::Consumer notes_consumer_;
  Background background_;
  work::Survey survey_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_SERVICE_H_
