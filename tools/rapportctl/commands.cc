#include "tools/rapportctl/commands.h"

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/auth/development_keys.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/rpc/channel.h"
#include "common/rpc/tls_flags.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/wrappers.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/outcome_service.pb.h"
#include "rapport/common/v1/event_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tools/rapportctl/methods.h"

ABSL_FLAG(std::string, keys_dir, "",
          "Directory with development keys, as `keys generate` makes it.");
ABSL_FLAG(bool, if_absent, false, "Leave keys that are there, and make none.");
ABSL_FLAG(std::string, scheduling_target, "127.0.0.1:7401", "Where the scheduling service is.");
ABSL_FLAG(std::string, assessment_target, "127.0.0.1:7402", "Where the assessment service is.");
ABSL_FLAG(std::string, notes_target, "127.0.0.1:7403", "Where the notes service is.");
ABSL_FLAG(std::string, subject, "developer", "`sub` of the token.");
ABSL_FLAG(std::string, organization, "", "Id of the token's organisation.");
ABSL_FLAG(std::vector<std::string>, roles, {}, "Roles of the token, apart by commas.");
ABSL_FLAG(std::string, token_file, "", "File with an access token; read again each minute.");
ABSL_FLAG(std::string, token_command, "", "Command that prints an access token.");
ABSL_FLAG(absl::Duration, life, absl::Minutes(15), "How long the token is valid; at most 15m.");

namespace rapport::ctl {
namespace {

constexpr absl::Duration kHealthPatience = absl::Seconds(30);
constexpr char kPlatformOperator[] = "platform_operator";

absl::Status WantWords(const Words& words, size_t count, absl::string_view usage) {
  if (words.size() == count) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("usage: rapportctl ", usage));
}

absl::StatusOr<std::string> UserKey() {
  const std::string directory = absl::GetFlag(FLAGS_keys_dir);
  if (directory.empty()) {
    return absl::InvalidArgumentError(
        "a token is needed: --token_command, --token_file or, in development, --keys_dir, the "
        "directory that `rapportctl keys generate` made");
  }
  return absl::StrCat(directory, "/user.pem");
}

// What a token may be used for without asking for it again.
constexpr absl::Duration kBorrowed = absl::Minutes(2);

absl::StatusOr<AccessToken> Read(std::FILE* from, absl::string_view what) {
  char text[16384];
  const size_t size = std::fread(text, 1, sizeof(text), from);
  const absl::string_view token = absl::StripAsciiWhitespace({text, size});
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " gives no token"));
  return AccessToken{std::string(token), absl::Now() + kBorrowed};
}

absl::StatusOr<TokenSource> TokensFromFlags() {
  if (const std::string command = absl::GetFlag(FLAGS_token_command); !command.empty()) {
    return TokenSource([command](const Identity&, absl::Duration) -> absl::StatusOr<AccessToken> {
      std::FILE* pipe = popen(command.c_str(), "r");
      if (pipe == nullptr) return absl::InternalError("--token_command can not be run");
      absl::StatusOr<AccessToken> token = Read(pipe, "--token_command");
      if (pclose(pipe) != 0) return absl::InvalidArgumentError("--token_command failed");
      return token;
    });
  }
  if (const std::string path = absl::GetFlag(FLAGS_token_file); !path.empty()) {
    return TokenSource([path](const Identity&, absl::Duration) -> absl::StatusOr<AccessToken> {
      std::FILE* file = std::fopen(path.c_str(), "r");
      if (file == nullptr) return absl::InvalidArgumentError("--token_file can not be read");
      absl::StatusOr<AccessToken> token = Read(file, "--token_file");
      std::fclose(file);
      return token;
    });
  }
  ASSIGN_OR_RETURN(const std::string key, UserKey());
  ASSIGN_OR_RETURN(auto signer, auth::TokenSigner::FromPemFile(key));
  return MintedTokens(std::move(signer));
}

}  // namespace

const std::vector<Command>& Commands() {
  static const auto* const commands = new std::vector<Command>{
      {"keys generate", "DIRECTORY", "make keys for development", KeysGenerate},
      {"token", "", "print an access token for --subject, --organization and --roles", Token},
      {"health", "[SERVICE…]", "ask services, all three by default, whether they serve", Health},
      {"call", "METHOD JSON", "call any RPC, as rapport.scheduling.v1.CourseService/GetCourse",
       CallMethod},
      {"organization bootstrap", "ID NAME", "create an organisation and wait until all know it",
       OrganizationBootstrap},
      {"migrate", "SERVICE", "bring a service's PostgreSQL schema up to date", Migrate},
      {"wait-for-schema", "SERVICE", "wait until a service's schema suits this release",
       WaitForSchema},
      {"case summary", "CASE", "print a case for a reader: text on a terminal, else HTML",
       CaseSummary},
      {"case booklet", "CASE", "print the patient's own booklet: text or HTML", CaseBooklet},
      {"case fhir", "CASE", "as export fhir", ExportFhir},
      {"chart", "COURSE", "draw a course's scores: in the terminal, or with --svg to a file",
       PrintChart},
      {"agenda", "CLINICIAN", "show a clinician's day, or with --week their week", PrintAgenda},
      {"import", "FILE", "import a directory: JSON lines or CSV; --resume goes on", ImportFile},
      {"export data", "DIRECTORY",
       "write directory, courses, appointments to files, with checksums", ExportDataTo},
      {"export verify", "DIRECTORY", "hold exported files to their checksums", ExportVerify},
      {"export fhir", "COURSE|CASE", "write a patient's record as a FHIR R4 bundle", ExportFhir},
      {"export outcomes", "", "write outcomes as CSV", ExportOutcomes},
      {"export calendar", "CLINICIAN|COURSE|PATIENT", "write sessions as iCalendar",
       ExportCalendar},
      {"seed", "", "make a network of --clinicians=N from --seed=S in a running suite",
       SeedNetwork},
      {"events retry", "SERVICE", "apply the parked events of a service again", EventsRetry},
      {"audit fhir", "[RESOURCE]",
       "print who saw or changed what at --audit_service as FHIR R4 bundles, one a line",
       AuditFhir},
      {"audit verify", "", "hash the audit logs of --organization again, and what they cover",
       AuditVerify},
      {"outcomes rebuild", "ORGANIZATION", "have an organisation's outcomes reckoned anew",
       OutcomesRebuild},
      {"score", "", "score forms: JSON lines from standard input to standard output", ScoreForms},
      {"instruments unconfirmed", "", "list the facts that a clinician has yet to confirm",
       InstrumentsUnconfirmed},
      {"openings", "", "search free times across an organisation's clinics", Openings},
      {"series", "", "plan a series of sessions at one time, with what has to be moved", Series},
      {"doctor", "", "say what is wrong with this installation and how to mend it", Doctor},
      {"context list", "", "list the contexts: flags kept under a name", ContextList},
      {"context use", "NAME", "make a context the one that is used unasked", ContextUse},
      {"context set", "NAME FLAG=VALUE…", "keep flags in a context", ContextSet},
      {"completion", "bash|zsh", "print a completion script", PrintCompletion},
      {"manual", "", "print the manual page, for man", PrintManual},
      {"help", "[NOUN [VERB]]", "tell of every RPC, of a resource's or of one", Help},
      {"story play", "FILE", "play a course of therapy through the suite and print its report",
       StoryPlay},
  };
  return *commands;
}

absl::StatusOr<std::unique_ptr<GrpcCaller>> CallerFromFlags() {
  ASSIGN_OR_RETURN(TokenSource tokens, TokensFromFlags());
  ASSIGN_OR_RETURN(std::optional<rpc::ChannelTls> tls, rpc::PeerTlsFromFlags());
  return std::make_unique<GrpcCaller>(Targets{.scheduling = absl::GetFlag(FLAGS_scheduling_target),
                                              .assessment = absl::GetFlag(FLAGS_assessment_target),
                                              .notes = absl::GetFlag(FLAGS_notes_target),
                                              .tls = std::move(tls)},
                                      std::move(tokens));
}

std::string WholeName(const std::string& word, absl::string_view collection) {
  const std::string organization = absl::GetFlag(FLAGS_organization);
  if (organization.empty() || absl::StartsWith(word, "organizations/")) return word;
  if (collection.empty() || absl::StrContains(word, '/')) {
    return absl::StrCat(names::Organization(organization), "/", word);
  }
  return names::InOrganization(organization, collection, word);
}

Identity IdentityFromFlags() {
  return {.subject = absl::GetFlag(FLAGS_subject),
          .organization_id = absl::GetFlag(FLAGS_organization),
          .roles = absl::GetFlag(FLAGS_roles)};
}

absl::Status KeysGenerate(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 1, "keys generate DIRECTORY"));
  // The key set is written last.
  if (absl::GetFlag(FLAGS_if_absent) && std::filesystem::exists(words[0] + "/jwks.json")) {
    return absl::OkStatus();
  }
  return auth::WriteDevelopmentKeys(words[0]);
}

absl::Status Health(const Words& words) {
  const std::map<std::string, std::string> targets = {
      {"scheduling", absl::GetFlag(FLAGS_scheduling_target)},
      {"assessment", absl::GetFlag(FLAGS_assessment_target)},
      {"notes", absl::GetFlag(FLAGS_notes_target)}};
  ASSIGN_OR_RETURN(const std::optional<rpc::ChannelTls> tls, rpc::PeerTlsFromFlags());
  for (const std::string& service :
       words.empty() ? Words{"scheduling", "assessment", "notes"} : words) {
    const auto target = targets.find(service);
    if (target == targets.end()) {
      return absl::InvalidArgumentError("usage: rapportctl health [scheduling|assessment|notes …]");
    }
    const rpc::Channel channel({target->second, /*service_config=*/"", tls});
    // The same on the wire as HealthCheckRequest and HealthCheckResponse, where 1 is SERVING.
    google::protobuf::StringValue request;
    google::protobuf::Int32Value response;
    request.set_value(service);
    const absl::Time give_up = absl::Now() + kHealthPatience;
    absl::Status status;
    while (true) {
      status = channel.Call("grpc.health.v1.Health/Check", {}, absl::Now() + absl::Seconds(5),
                            request, response);
      if (status.ok() && response.value() != 1) {
        status = absl::UnavailableError(absl::StrCat(service, " is up but not ready"));
      }
      if (!absl::IsUnavailable(status) || absl::Now() > give_up) break;
      absl::SleepFor(absl::Milliseconds(500));
    }
    RETURN_IF_ERROR(status);
    std::printf("%s serves\n", service.c_str());
  }
  return absl::OkStatus();
}

absl::Status Token(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 0, "token"));
  ASSIGN_OR_RETURN(const std::string key, UserKey());
  ASSIGN_OR_RETURN(auto signer, auth::TokenSigner::FromPemFile(key));
  std::puts(MintToken(*signer, IdentityFromFlags(), absl::GetFlag(FLAGS_life)).c_str());
  return absl::OkStatus();
}

absl::Status CallMethod(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 2, "call PACKAGE.SERVICE/METHOD JSON"));
  const auto* method = FindUnaryMethod(words[0]);
  if (method == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("'", words[0], "' is not a unary RPC"));
  }
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> request(
      factory->GetPrototype(method->input_type())->New());
  std::unique_ptr<google::protobuf::Message> response(
      factory->GetPrototype(method->output_type())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(words[1], request.get());
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the JSON is not a ", method->input_type()->full_name()));
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  RETURN_IF_ERROR(caller->Call(IdentityFromFlags(), words[0], *request, *response));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(*response, &json, options);
  if (!printed.ok()) return absl::InternalError("the response can not be printed as JSON");
  std::fputs(json.c_str(), stdout);
  return absl::OkStatus();
}

absl::Status EventsRetry(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 1, "events retry scheduling|assessment|notes"));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  ASSIGN_OR_RETURN(
      const auto response,
      caller->CallAt<common::v1::RetryParkedEventsResponse>(
          words[0], {.subject = "operator", .organization_id = "", .roles = {kPlatformOperator}},
          "rapport.common.v1.EventService/RetryParkedEvents",
          common::v1::RetryParkedEventsRequest()));
  std::printf("applied %d\n", response.applied_count());
  return absl::OkStatus();
}

absl::Status OutcomesRebuild(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 1, "outcomes rebuild ORGANIZATION"));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  assessment::v1::RebuildOutcomesRequest rebuild;
  rebuild.set_parent(absl::StrCat("organizations/", words[0]));
  RETURN_IF_ERROR(
      caller
          ->Call<assessment::v1::RebuildOutcomesResponse>(
              {.subject = "operator", .organization_id = words[0], .roles = {"organization_admin"}},
              "rapport.assessment.v1.OutcomeService/RebuildOutcomes", rebuild)
          .status());
  std::puts("begun: the assessment service's metric rapport_work_done_total tells how far it is");
  return absl::OkStatus();
}

absl::Status OrganizationBootstrap(const Words& words) {
  RETURN_IF_ERROR(WantWords(words, 2, "organization bootstrap ID NAME"));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  scheduling::v1::CreateOrganizationRequest create;
  create.set_organization_id(words[0]);
  create.mutable_organization()->set_display_name(words[1]);
  create.set_request_id(absl::StrCat("bootstrap-", words[0]));
  ASSIGN_OR_RETURN(const auto organization,
                   caller->Call<scheduling::v1::Organization>(
                       {.subject = "operator", .organization_id = "", .roles = {kPlatformOperator}},
                       "rapport.scheduling.v1.OrganizationService/CreateOrganization", create));

  // The other two answer once they have heard of it; the caller repeats UNAVAILABLE until then.
  const Identity therapist{
      .subject = "bootstrap", .organization_id = words[0], .roles = {"therapist"}};
  assessment::v1::ListDueMeasuresRequest due;
  due.set_parent(organization.name());
  due.set_clinician(absl::StrCat(organization.name(), "/clinicians/none"));
  const absl::Status asked =
      caller
          ->Call<assessment::v1::ListDueMeasuresResponse>(
              therapist, "rapport.assessment.v1.AssessmentService/ListDueMeasures", due)
          .status();
  if (absl::IsUnavailable(asked)) return asked;
  notes::v1::ListCasesRequest cases;
  cases.set_parent(organization.name());
  const absl::Status listed = caller
                                  ->Call<notes::v1::ListCasesResponse>(
                                      therapist, "rapport.notes.v1.CaseService/ListCases", cases)
                                  .status();
  if (absl::IsUnavailable(listed)) return listed;
  std::printf("%s is ready\n", organization.name().c_str());
  return absl::OkStatus();
}

}  // namespace rapport::ctl
