#include "absl/flags/flag.h"
#include "common/rpc/service_main.h"
#include "common/work/work.h"
#include "rapport/common/v1/privacy.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/migrations/migrations.h"
#include "services/scheduling/rpc/service.h"

ABSL_FLAG(absl::Duration, openings_index_bound, absl::Seconds(5),
          "Searches that find the index of free time further behind read the database instead.");

namespace rapport::scheduling {

int Main(int argc, char** argv) {
  return rapport::rpc::ServiceMain(
      argc, argv,
      {.name = "scheduling",
       .port = 7401,
       .health_port = 7411,
       .metrics_port = 7421,
       .peers = {"notes"},
       .migrations = {rapport::work::Migrations(), rapport::scheduling::Migrations()},
       .make =
           [](rapport::rpc::Process& process) {
             return rapport::rpc::Host(std::make_unique<SchedulingService>(
                 Dependencies{.database = process.database,
                              .clock = process.clock,
                              .metrics = process.metrics,
                              .notes = process.peer("notes"),
                              .notes_feed = process.feed("notes"),
                              .index_bound = absl::GetFlag(FLAGS_openings_index_bound),
                              .cache = &process.cache}));
           },
       .service_event_types = {
           rapport::scheduling::v1::PrivateAppointmentEvent::descriptor()->full_name(),
           rapport::common::v1::ErasurePartEvent::descriptor()->full_name()}});
}

}  // namespace rapport::scheduling
