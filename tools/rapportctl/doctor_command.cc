#include <cstdio>
#include <optional>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/rpc/channel.h"
#include "common/rpc/tls_flags.h"
#include "google/protobuf/wrappers.pb.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/describe.h"

ABSL_DECLARE_FLAG(std::string, scheduling_target);
ABSL_DECLARE_FLAG(std::string, assessment_target);
ABSL_DECLARE_FLAG(std::string, notes_target);

namespace rapport::ctl {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(3);

class Examination {
 public:
  // One line, and what to do where it is not well.
  void Tell(bool well, const std::string& what, const std::string& remedy = "") {
    std::printf("%s %s\n", well ? "ok   " : "WRONG", what.c_str());
    if (well) return;
    ++wrong_;
    if (!remedy.empty()) std::printf("      %s\n", remedy.c_str());
  }

  int wrong() const { return wrong_; }

 private:
  int wrong_ = 0;
};

// Whether `target` answers, and whether its service is ready.
bool AskHealth(const std::string& service, const std::string& target,
               const std::optional<rpc::ChannelTls>& tls, Examination& examination) {
  const rpc::Channel channel({target, /*service_config=*/"", tls});
  // The same on the wire as HealthCheckRequest and HealthCheckResponse, where 1 is SERVING.
  google::protobuf::StringValue request;
  google::protobuf::Int32Value response;
  request.set_value(service);
  const absl::Status status =
      channel.Call("grpc.health.v1.Health/Check", {}, absl::Now() + kPatience, request, response);
  if (!status.ok()) {
    examination.Tell(false,
                     absl::StrCat(service, " does not answer at ", target, ": ", status.message()),
                     absl::StrCat("is it running, is --", service,
                                  "_target right, and does it want TLS (--peer_tls_ca_file)?"));
    return false;
  }
  examination.Tell(
      response.value() == 1,
      absl::StrCat(service, response.value() == 1 ? " serves at " : " is not ready at ", target),
      absl::StrCat("its log says what it waits for: the database, or its schema "
                   "(`rapportctl migrate ",
                   service, "`)"));
  return response.value() == 1;
}

// Whether the token is accepted there, by a read that needs nothing else.
void AskWithToken(GrpcCaller& caller, const Identity& who, const std::string& service,
                  Examination& examination) {
  absl::Status status;
  const std::string parent = absl::StrCat("organizations/", who.organization_id);
  if (service == "scheduling") {
    scheduling::v1::GetOrganizationRequest request;
    request.set_name(parent);
    scheduling::v1::Organization response;
    status =
        caller.CallAt(service, who, "rapport.scheduling.v1.OrganizationService/GetOrganization",
                      request, response);
  } else if (service == "assessment") {
    assessment::v1::GetInstrumentRequest request;
    request.set_name("instruments/phq-9");
    assessment::v1::Instrument response;
    status = caller.CallAt(service, who, "rapport.assessment.v1.InstrumentService/GetInstrument",
                           request, response);
  } else {
    notes::v1::ListCasesRequest request;
    request.set_parent(parent);
    notes::v1::ListCasesResponse response;
    status =
        caller.CallAt(service, who, "rapport.notes.v1.CaseService/ListCases", request, response);
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kPermissionDenied:  // known, but without the right for this one read
      return examination.Tell(true, absl::StrCat(service, " accepts the token"));
    case absl::StatusCode::kUnauthenticated:
      return examination.Tell(false, absl::StrCat(service, " refuses the token"),
                              "its --jwks_file must hold the key that signed it, --token_issuer "
                              "and --token_audience what it says, and the clocks must agree");
    case absl::StatusCode::kNotFound:
      return examination.Tell(
          false, absl::StrCat(service, " knows no organisation '", who.organization_id, "'"),
          "--organization names it; `rapportctl organization bootstrap` makes it");
    case absl::StatusCode::kUnavailable:
      return examination.Tell(
          false, absl::StrCat(service, ": ", errors::Reason(status), " ", status.message()),
          "the service has not yet heard of the organisation, or waits for its "
          "database: see rapport_consumer_lag and its log");
    default:
      return examination.Tell(false, absl::StrCat(service, ": ", Describe(status)));
  }
}

}  // namespace

absl::Status Doctor(const Words& words) {
  if (!words.empty()) return absl::InvalidArgumentError("usage: rapportctl doctor [--flags]");
  Examination examination;
  ASSIGN_OR_RETURN(const std::optional<rpc::ChannelTls> tls, rpc::PeerTlsFromFlags());
  const std::pair<std::string, std::string> targets[] = {
      {"scheduling", absl::GetFlag(FLAGS_scheduling_target)},
      {"assessment", absl::GetFlag(FLAGS_assessment_target)},
      {"notes", absl::GetFlag(FLAGS_notes_target)}};
  std::vector<std::string> ready;
  for (const auto& [service, target] : targets) {
    if (AskHealth(service, target, tls, examination)) ready.push_back(service);
  }
  absl::StatusOr<std::unique_ptr<GrpcCaller>> caller = CallerFromFlags();
  if (!caller.ok()) {
    examination.Tell(false, "there is no token to ask with",
                     std::string(caller.status().message()));
  } else {
    Identity who = IdentityFromFlags();
    if (who.roles.empty()) who.roles = {"therapist"};
    for (const std::string& service : ready) AskWithToken(**caller, who, service, examination);
  }
  if (examination.wrong() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      examination.wrong(), examination.wrong() == 1 ? " thing is wrong" : " things are wrong"));
}

}  // namespace rapport::ctl
