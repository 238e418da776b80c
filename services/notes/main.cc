#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/rpc/service_main.h"
#include "common/work/work.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/notes/migrations/migrations.h"
#include "services/notes/rpc/service.h"

namespace rapport::notes {

int Main(int argc, char** argv) {
  return rapport::rpc::ServiceMain(
      argc, argv,
      {.name = "notes",
       .port = 7403,
       .health_port = 7413,
       .metrics_port = 7423,
       .peers = {"scheduling", "assessment"},
       .migrations = {rapport::care::Migrations(), rapport::work::Migrations(),
                      rapport::crypto::Migrations(), rapport::notes::Migrations()},
       .make =
           [](rapport::rpc::Process& process) {
             return rapport::rpc::Host(std::make_unique<NotesService>(
                 Dependencies{.database = process.database,
                              .clock = process.clock,
                              .metrics = process.metrics,
                              .vault = *process.vault,
                              .scheduling = process.peer("scheduling"),
                              .assessment = process.peer("assessment"),
                              .scheduling_feed = process.feed("scheduling"),
                              .assessment_feed = process.feed("assessment")}));
           },
       .service_event_types = {rapport::notes::v1::CaseSafetyEvent::descriptor()->full_name()},
       .encrypts = true});
}

}  // namespace rapport::notes
