#include "services/assessment/rpc/service.h"

#include <utility>

#include "common/care/care.h"
#include "common/telemetry/log.h"
#include "services/assessment/data/shipped.h"

namespace rapport::assessment {

AssessmentService::AssessmentService(Dependencies dependencies)
    : database_(dependencies.database),
      clock_(dependencies.clock),
      instruments_(ShippedInstruments()),
      scoring_(ShippedInstruments()),
      assessments_(database_, ShippedInstruments()),
      progress_(database_, ShippedInstruments()),
      alerts_(database_, dependencies.notes),
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
      watch_(database_, clock_) {}

AssessmentService::~AssessmentService() { Stop(); }

void AssessmentService::Register(call::Registry& registry) {
  instruments_.Register(registry);
  scoring_.Register(registry);
  assessments_.Register(registry);
  progress_.Register(registry);
  alerts_.Register(registry);
}

void AssessmentService::Start() {
  consumer_.Start();
  ownership_ = std::make_unique<PeriodicThread>("ownership", absl::Seconds(1), [this] {
    if (const absl::Status status = watch_.Tick(); !status.ok()) {
      telemetry::Log(telemetry::Severity::kWarning,
                     "alert owners were not looked at; next try in 1 s",
                     {{"code", absl::StatusCodeToString(status.code())}});
    }
  });
}

void AssessmentService::Stop() {
  ownership_.reset();
  consumer_.Stop();
}

}  // namespace rapport::assessment
