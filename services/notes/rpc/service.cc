#include "services/notes/rpc/service.h"

#include <utility>

#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/session_store.h"

namespace rapport::notes {
namespace {

constexpr char kConsumer[] = "notes";
constexpr char kFeed[] = "scheduling";

}  // namespace

absl::Status ApplySchedulingEvent(sql::Transaction& tx, const common::v1::Event& event) {
  RETURN_IF_ERROR(care::Apply(tx, event));
  if (event.payload().Is<scheduling::v1::CourseEvent>()) {
    scheduling::v1::CourseEvent course;
    if (!event.payload().UnpackTo(&course)) return errors::Internal("unreadable CourseEvent");
    return ApplyCourse(tx, event, course);
  }
  if (event.payload().Is<scheduling::v1::AppointmentEvent>()) {
    scheduling::v1::AppointmentEvent appointment;
    if (!event.payload().UnpackTo(&appointment)) {
      return errors::Internal("unreadable AppointmentEvent");
    }
    return ApplyAppointment(tx, event, appointment);
  }
  return absl::OkStatus();
}

NotesService::NotesService(Dependencies dependencies)
    : consumer_(dependencies.database,
                {.consumer = kConsumer,
                 .feed = kFeed,
                 .types = care::EventTypes(),
                 .metrics = &dependencies.metrics},
                std::move(dependencies.scheduling_feed), ApplySchedulingEvent),
      access_([this] { return consumer_.lag(); }),
      cases_(dependencies.database, access_),
      notes_(dependencies.database, access_, dependencies.scheduling, dependencies.assessment),
      suitability_(dependencies.database, access_) {}

void NotesService::Register(call::Registry& registry) {
  cases_.Register(registry);
  notes_.Register(registry);
  suitability_.Register(registry);
}

void NotesService::Start() { consumer_.Start(); }

void NotesService::Stop() { consumer_.Stop(); }

}  // namespace rapport::notes
