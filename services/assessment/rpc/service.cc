#include "services/assessment/rpc/service.h"

#include <utility>

#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/rpc/survey.h"

namespace rapport::assessment {

AssessmentService::AssessmentService(Dependencies dependencies)
    : database_(dependencies.database),
      clock_(dependencies.clock),
      catalogues_(ShippedInstruments()),
      instruments_(database_, catalogues_),
      scoring_(database_, catalogues_),
      assessments_(database_, catalogues_, dependencies.vault),
      measure_requests_(database_, catalogues_, dependencies.vault),
      progress_(database_, catalogues_, dependencies.vault, dependencies.notes),
      caseload_(database_, catalogues_),
      alerts_(database_, clock_, dependencies.vault, dependencies.notes),
      follower_(clock_),
      consumer_(database_,
                {.consumer = "assessment",
                 .feed = "scheduling",
                 .types = care::EventTypes(),
                 .metrics = &dependencies.metrics},
                std::move(dependencies.scheduling_feed),
                [this](sql::Transaction& tx, const common::v1::Event& event) {
                  return follower_.Apply(tx, event);
                }),
      outcomes_(database_, catalogues_),
      notes_follower_(clock_, catalogues_, dependencies.vault),
      notes_consumer_(database_,
                      {.consumer = "assessment",
                       .feed = "notes",
                       .types = NotesFollower::EventTypes(),
                       .metrics = &dependencies.metrics},
                      std::move(dependencies.notes_feed),
                      [this](sql::Transaction& tx, const common::v1::Event& event) {
                        return notes_follower_.Apply(tx, event);
                      }),
      background_(database_, clock_, dependencies.metrics, dependencies.scheduling),
      survey_(database_, clock_, dependencies.metrics, SurveyFigures(), LookAtAlerts) {
  measure_requests_.Register(background_.worker());
  background_.worker().On(kOutcomeWork, OutcomeAct(catalogues_));
  background_.worker().On(kRebuildWork, ContinueRebuild);
}

AssessmentService::~AssessmentService() { Stop(); }

void AssessmentService::Register(call::Registry& registry) {
  instruments_.Register(registry);
  scoring_.Register(registry);
  assessments_.Register(registry);
  measure_requests_.Register(registry);
  progress_.Register(registry);
  caseload_.Register(registry);
  alerts_.Register(registry);
  outcomes_.Register(registry);
}

void AssessmentService::Start() {
  consumer_.Start();
  notes_consumer_.Start();
  background_.Start();
  survey_.Start();
}

void AssessmentService::Stop() {
  survey_.Stop();
  background_.Stop();
  notes_consumer_.Stop();
  consumer_.Stop();
}

absl::StatusOr<int> AssessmentService::RetryParked() {
  ASSIGN_OR_RETURN(const int of_scheduling, consumer_.RetryParked());
  ASSIGN_OR_RETURN(const int of_notes, notes_consumer_.RetryParked());
  return of_scheduling + of_notes;
}

}  // namespace rapport::assessment
