#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/rpc/service_main.h"
#include "common/work/work.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/service.h"

namespace rapport::assessment {

int Main(int argc, char** argv) {
  return rapport::rpc::ServiceMain(
      argc, argv,
      {.name = "assessment",
       .port = 7402,
       .health_port = 7412,
       .metrics_port = 7422,
       .peers = {"scheduling", "notes"},
       .migrations = {rapport::care::Migrations(), rapport::work::Migrations(),
                      rapport::crypto::Migrations(), rapport::assessment::Migrations()},
       .make =
           [](rapport::rpc::Process& process) {
             return rapport::rpc::Host(std::make_unique<AssessmentService>(
                 Dependencies{.database = process.database,
                              .clock = process.clock,
                              .metrics = process.metrics,
                              .vault = *process.vault,
                              .scheduling = process.peer("scheduling"),
                              .notes = process.peer("notes"),
                              .scheduling_feed = process.feed("scheduling"),
                              .notes_feed = process.feed("notes")}));
           },
       .service_event_types = {rapport::common::v1::ErasurePartEvent::descriptor()->full_name()},
       .encrypts = true});
}

}  // namespace rapport::assessment
