#include "services/scheduling/rpc/service.h"

#include <utility>

#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/rpc/leave_hints.h"
#include "services/scheduling/rpc/survey.h"

namespace rapport::scheduling {
namespace {

NearestFree NearestIn(const LiveIndex& index) {
  return [&index](absl::string_view clinician, absl::string_view clinic, absl::Time around,
                  int minutes) { return index.NearestFree(clinician, clinic, around, minutes); };
}

std::unique_ptr<CourseCache> KeptIn(cache::Cache* cache) {
  if (cache == nullptr) return nullptr;
  return std::make_unique<CourseCache>(*cache, CourseCacheOptions());
}

}  // namespace

SchedulingService::SchedulingService(Dependencies dependencies)
    : revisions_(ShippedProtocols()),
      kept_courses_(KeptIn(dependencies.cache)),
      index_(dependencies.database, dependencies.clock, dependencies.metrics,
             dependencies.index_bound),
      booker_(revisions_, NearestIn(index_)),
      waiting_(revisions_, booker_, NearestIn(index_)),
      organizations_(dependencies.database),
      revocations_(dependencies.database),
      directory_(dependencies.database),
      supervisions_(dependencies.database),
      protocols_(dependencies.database, revisions_),
      courses_(dependencies.database, revisions_, booker_, NearestIn(index_), dependencies.notes,
               kept_courses_.get()),
      appointments_(dependencies.database, booker_),
      urgent_(dependencies.database, revisions_, index_, booker_),
      openings_(dependencies.database, revisions_, index_, dependencies.metrics),
      waitlist_(dependencies.database, waiting_),
      leave_(dependencies.database, revisions_, booker_, HintsOf(index_)),
      groups_(dependencies.database, revisions_, booker_),
      follower_(revisions_, dependencies.clock),
      consumer_(dependencies.database,
                {.consumer = "scheduling",
                 .feed = "notes",
                 .types = NotesFollower::EventTypes(),
                 .metrics = &dependencies.metrics},
                std::move(dependencies.notes_feed),
                [this](sql::Transaction& tx, const common::v1::Event& event) {
                  return follower_.Apply(tx, event);
                }),
      background_(dependencies.database, dependencies.clock, dependencies.metrics, booker_,
                  waiting_),
      survey_(dependencies.database, dependencies.clock, dependencies.metrics, SurveyFigures(),
              LookAtWaitlist) {}

void SchedulingService::Register(call::Registry& registry) {
  organizations_.Register(registry);
  revocations_.Register(registry);
  directory_.Register(registry);
  supervisions_.Register(registry);
  protocols_.Register(registry);
  courses_.Register(registry);
  appointments_.Register(registry);
  urgent_.Register(registry);
  openings_.Register(registry);
  waitlist_.Register(registry);
  leave_.Register(registry);
  groups_.Register(registry);
}

void SchedulingService::Start() {
  index_.Start();
  consumer_.Start();
  background_.Start();
  survey_.Start();
}

void SchedulingService::Stop() {
  survey_.Stop();
  background_.Stop();
  consumer_.Stop();
  index_.Stop();
}

}  // namespace rapport::scheduling
