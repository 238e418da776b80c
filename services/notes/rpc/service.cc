#include "services/notes/rpc/service.h"

#include <utility>

#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/notes/rpc/survey.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/session_store.h"

namespace rapport::notes {
namespace {

constexpr char kConsumer[] = "notes";
constexpr char kFeed[] = "scheduling";

}  // namespace

std::vector<std::string> SchedulingEventTypes() {
  std::vector<std::string> types = care::EventTypes();
  types.push_back(common::v1::ErasurePartEvent::descriptor()->full_name());
  return types;
}

absl::Status ApplySchedulingEvent(sql::Transaction& tx, const crypto::Vault& vault,
                                  const common::v1::Event& event) {
  if (event.payload().Is<common::v1::ErasurePartEvent>()) return ConfirmErasure(tx, event);
  RETURN_IF_ERROR(care::Apply(tx, event));
  if (event.payload().Is<scheduling::v1::CourseEvent>()) {
    scheduling::v1::CourseEvent course;
    if (!event.payload().UnpackTo(&course)) return errors::Internal("unreadable CourseEvent");
    ExpectMajority(tx, event, course);
    return ApplyCourse(tx, vault, event, course);
  }
  if (event.payload().Is<scheduling::v1::AppointmentEvent>()) {
    scheduling::v1::AppointmentEvent appointment;
    if (!event.payload().UnpackTo(&appointment)) {
      return errors::Internal("unreadable AppointmentEvent");
    }
    return ApplyAppointment(tx, event, appointment);
  }
  if (event.payload().Is<scheduling::v1::PrivateAppointmentEvent>()) {
    scheduling::v1::PrivateAppointmentEvent whole;
    if (!event.payload().UnpackTo(&whole)) {
      return errors::Internal("unreadable PrivateAppointmentEvent");
    }
    return ApplyAppointment(tx, event, whole.appointment());
  }
  return absl::OkStatus();
}

NotesService::NotesService(Dependencies dependencies)
    : consumer_(
          dependencies.database,
          {.consumer = kConsumer,
           .feed = kFeed,
           .types = SchedulingEventTypes(),
           .metrics = &dependencies.metrics},
          std::move(dependencies.scheduling_feed),
          [&vault = dependencies.vault](sql::Transaction& tx, const common::v1::Event& event) {
            return ApplySchedulingEvent(tx, vault, event);
          }),
      assessment_consumer_(dependencies.database,
                           {.consumer = kConsumer,
                            .feed = "assessment",
                            .types = {common::v1::ErasurePartEvent::descriptor()->full_name()},
                            .metrics = &dependencies.metrics},
                           std::move(dependencies.assessment_feed), ConfirmErasure),
      access_([this] { return consumer_.lag(); }),
      cases_(dependencies.database, access_, dependencies.vault),
      entries_(dependencies.database, access_, dependencies.vault),
      notes_(dependencies.database, access_, dependencies.vault, dependencies.scheduling,
             dependencies.assessment),
      templates_(dependencies.database, access_),
      policies_(dependencies.database, access_),
      psychotherapy_(dependencies.database, access_, dependencies.vault),
      releases_(dependencies.database, access_, dependencies.vault),
      suitability_(dependencies.database, access_, dependencies.vault),
      reviews_(dependencies.database, access_, dependencies.vault, dependencies.assessment),
      exports_(dependencies.database, access_, dependencies.vault, dependencies.assessment),
      privacy_(dependencies.database, dependencies.vault),
      fidelity_(dependencies.database, access_, dependencies.vault),
      supervision_(dependencies.database, access_, dependencies.vault, dependencies.assessment),
      background_(dependencies.database, dependencies.clock, dependencies.metrics,
                  dependencies.vault),
      survey_(dependencies.database, dependencies.clock, dependencies.metrics, SurveyFigures(),
              LookAtDueNotes) {}

void NotesService::Register(call::Registry& registry) {
  cases_.Register(registry);
  entries_.Register(registry);
  notes_.Register(registry);
  templates_.Register(registry);
  policies_.Register(registry);
  psychotherapy_.Register(registry);
  releases_.Register(registry);
  suitability_.Register(registry);
  reviews_.Register(registry);
  exports_.Register(registry);
  privacy_.Register(registry);
  fidelity_.Register(registry);
  supervision_.Register(registry);
}

void NotesService::Start() {
  consumer_.Start();
  assessment_consumer_.Start();
  background_.Start();
  survey_.Start();
}

void NotesService::Stop() {
  survey_.Stop();
  background_.Stop();
  assessment_consumer_.Stop();
  consumer_.Stop();
}

absl::StatusOr<int> NotesService::RetryParked() {
  ASSIGN_OR_RETURN(const int of_scheduling, consumer_.RetryParked());
  ASSIGN_OR_RETURN(const int of_assessment, assessment_consumer_.RetryParked());
  return of_scheduling + of_assessment;
}

}  // namespace rapport::notes
