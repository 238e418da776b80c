// The command line's own commands against the real suite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/bulk/checksum.h"
#include "tools/rapportctl/bulk/importer.h"
#include "tools/rapportctl/seed/seeder.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::testing {
namespace {

namespace sv1 = scheduling::v1;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Said {
  int exit_status = -1;
  std::string out;
  std::string error;
};

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}
void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}
int64_t Lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class RapportctlTest : public ::testing::Test {
 protected:
  // Runs rapportctl with these words, against the suite.
  Said Ctl(const std::vector<std::string>& words) {
    std::vector<std::string> all = {absl::StrCat(RAPPORT_BINARIES, "/rapportctl")};
    all.insert(all.end(), words.begin(), words.end());
    for (const char* service : {"scheduling", "assessment", "notes"}) {
      const ctl::Targets& targets = suite_.targets();
      all.push_back(absl::StrCat("--", service, "_target=",
                                 *service == 's'   ? targets.scheduling
                                 : *service == 'a' ? targets.assessment
                                                   : targets.notes));
    }
    all.push_back(absl::StrCat("--keys_dir=", suite_.keys_dir()));
    std::string command = absl::StrCat("exec env RAPPORT_CONFIG=", File("no-config"));
    for (const std::string& word : all) absl::StrAppend(&command, " '", word, "'");
    const Ended ended =
        RunToEnd({"/bin/sh", "-c", absl::StrCat(command, " >", File("out"), " </dev/null")});
    return {ended.exit_status, Read(File("out")), ended.error_text};
  }

  void MakeOrganization(const std::string& id) {
    sv1::CreateOrganizationRequest create;
    create.set_organization_id(id);
    create.mutable_organization()->set_display_name("Network");
    const auto made = suite_.NewCaller()->Call<sv1::Organization>(
        {.subject = "operator", .organization_id = "", .roles = {"platform_operator"}},
        "rapport.scheduling.v1.OrganizationService/CreateOrganization", create);
    ASSERT_TRUE(made.ok()) << made.status();
  }

  std::string File(const std::string& name) const { return dir_.File(name); }

  const TempDir dir_;
  Suite suite_{sql::Engine::kSqlite};
};

constexpr char kStaff[] =
    "kind,id,display_name,time_zone,jurisdiction,profession,clinics,weekly_hours\n"
    "clinic,harbour,Harbour,Europe/London,GB-ENG,,,\n"
    "clinician,thea,\"Okafor, Thea\",,,psychologist,harbour,mon-fri 09:00-17:00; sat 10:00-12:00\n"
    "clinician,ann,Ann,,,psychologist,nowhere,\n"
    "clinician,bea,Bea,,,astronaut,harbour,\n"
    "clinician,cas,Cas,,,nurse,harbour,\n";

TEST_F(RapportctlTest, ImportsADirectoryGoesOnAndExportsIt) {
  suite_.Start("scheduling");
  suite_.AwaitReady("scheduling");
  MakeOrganization("net");
  const std::string staff = File("staff.csv");
  Write(staff, kStaff);

  const Said checked = Ctl({"import", staff, "--organization=net", "--validate_only"});
  EXPECT_THAT(checked.out, HasSubstr("only checked: 5 rows: 3 created"));
  const Said first = Ctl({"import", staff, "--organization=net"});
  EXPECT_EQ(first.exit_status, 1);
  EXPECT_EQ(first.out, "5 rows: 3 created, 0 updated, 0 unchanged, 2 not taken\n");
  EXPECT_THAT(first.error,
              HasSubstr("staff.csv:4: organizations/net/clinicians/ann UNKNOWN_CLINIC"));
  EXPECT_THAT(first.error, HasSubstr("staff.csv:5: BAD_LINE"));
  EXPECT_THAT(first.error, HasSubstr("PSYCHOLOGIST"));
  EXPECT_THAT(first.error, HasSubstr("2 rows were not taken"));

  // Again, with a token of another's making, and errors in a file.
  const std::string token = absl::StrCat(RAPPORT_BINARIES, "/rapportctl token --subject=ada ",
                                         "--organization=net --roles=organization_admin ",
                                         "--keys_dir=", suite_.keys_dir());
  const Said again = Ctl({"import", staff, "--organization=net", "--token_command=" + token,
                          "--errors_file=" + File("errors")});
  EXPECT_EQ(again.out, "5 rows: 0 created, 0 updated, 3 unchanged, 2 not taken\n");
  EXPECT_THAT(Read(File("errors")),
              AllOf(StartsWith("{\"line\":4,\"name\":\"organizations/net/clinicians/ann\","
                               "\"reason\":\"UNKNOWN_CLINIC\","),
                    HasSubstr("\n{\"line\":5,")));

  // It goes on after line 3, and only where the file is the same up to there.
  std::string mended = kStaff;
  const int64_t three = static_cast<int64_t>(mended.find("clinician,ann"));
  mended.replace(mended.find("nowhere"), 7, "harbour");
  mended.replace(mended.find("astronaut"), 9, "nurse");
  Write(staff, mended);
  const auto keep = [&] {
    ASSERT_TRUE(
        ctl::WriteImportState(staff + ".import", {.organization_id = "net",
                                                  .line = 3,
                                                  .bytes = three,
                                                  .sha256 = ctl::SumFile(staff, three)->sha256,
                                                  .tally = {.created = 2}})
            .ok());
  };
  keep();
  const Said resumed = Ctl({"import", staff, "--organization=net", "--resume"});
  EXPECT_EQ(resumed.exit_status, 0) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("going on after line 3"));
  EXPECT_EQ(resumed.out, "5 rows: 4 created, 0 updated, 1 unchanged, 0 not taken\n");
  EXPECT_FALSE(std::filesystem::exists(staff + ".import"));
  keep();
  mended.replace(mended.find("Harbour"), 7, "Haven-1");  // as long as before
  Write(staff, mended);
  const Said changed = Ctl({"import", staff, "--organization=net", "--resume"});
  EXPECT_THAT(changed.error, HasSubstr("read from the start"));
  EXPECT_EQ(changed.out, "5 rows: 0 created, 1 updated, 4 unchanged, 0 not taken\n");

  // Out, verified, and in again.
  const std::string to = File("export");
  const Said out = Ctl({"export", "data", to, "--organization=net"});
  EXPECT_EQ(out.exit_status, 0) << out.error;
  EXPECT_THAT(out.out, AllOf(HasSubstr("clinicians.ndjson              4 rows"),
                             HasSubstr("appointments.ndjson            0 rows")));
  EXPECT_EQ(
      RunToEnd({"/bin/sh", "-c", "cd " + to + " && sha256sum --quiet -c SHA256SUMS"}).exit_status,
      0);
  EXPECT_THAT(Ctl({"export", "verify", to}).out, HasSubstr("8 files, 5 rows"));
  EXPECT_EQ(Ctl({"import", to + "/clinicians.ndjson", "--organization=net"}).out,
            "4 rows: 0 created, 0 updated, 4 unchanged, 0 not taken\n");
  Write(to + "/clinics.ndjson", "{}\n");
  const Said damaged = Ctl({"export", "verify", to});
  EXPECT_EQ(damaged.exit_status, 1);
  EXPECT_THAT(damaged.error, HasSubstr("clinics.ndjson was changed"));

  // A wrong field is told once, by its path.
  const Said wrong =
      Ctl({"clinic", "create", "clinic_id=NOT AN ID", "display_name=x", "time_zone=Europe/London",
           "jurisdiction=GB", "--organization=net", "--roles=organization_admin"});
  EXPECT_EQ(wrong.exit_status, 2);
  EXPECT_THAT(wrong.error, HasSubstr("INVALID_ARGUMENT INVALID_FIELD:\n  clinic_id "));
  EXPECT_EQ(wrong.error.find("clinic_id"), wrong.error.rfind("clinic_id")) << wrong.error;
  for (const char* command : {"completion", "manual"}) {
    const Said told = Ctl({command, *command == 'c' ? "bash" : "--ascii"});
    EXPECT_THAT(told.out, AllOf(HasSubstr("import"), HasSubstr("agenda"), HasSubstr("seed")))
        << told.error;
  }
}

TEST_F(RapportctlTest, AnImportGoesOnByItselfWhereSchedulingIsKilledAndStartedAgain) {
  suite_.Start("scheduling");
  suite_.AwaitReady("scheduling");
  MakeOrganization("net");
  const auto caller = suite_.NewCaller();
  int next = 0, answers = 0;
  const auto tally = ctl::ImportRows(
      *caller, {.subject = "ada", .organization_id = "net", .roles = {"organization_admin"}},
      [&next]() -> absl::StatusOr<std::optional<ctl::DirectoryRow>> {
        if (next == 300) return std::optional<ctl::DirectoryRow>();
        ctl::DirectoryRow row;
        row.line = ++next;
        row.row.set_row(next);
        sv1::Clinic& clinic = *row.row.mutable_clinic();
        clinic.set_name(absl::StrCat("organizations/net/clinics/c-", next));
        clinic.set_display_name("Clinic");
        clinic.set_time_zone("Europe/London");
        clinic.set_jurisdiction("GB-ENG");
        return std::optional<ctl::DirectoryRow>(std::move(row));
      },
      [&](const ctl::DirectoryRow& row, const sv1::ImportDirectoryResponse& answer) {
        EXPECT_EQ(row.line, ++answers);
        EXPECT_EQ(answer.reason(), "");
        if (answers != 100) return;
        suite_.Kill("scheduling");
        suite_.Start("scheduling");
      },
      {});
  ASSERT_TRUE(tally.ok()) << tally.status();
  EXPECT_EQ(tally->rows(), 300);
  EXPECT_EQ(tally->created + tally->unchanged, 300);
  sv1::ListClinicsRequest list;
  list.set_parent("organizations/net");
  list.set_page_size(500);
  const auto clinics = caller->Call<sv1::ListClinicsResponse>(
      {.subject = "ada", .organization_id = "net", .roles = {"organization_admin"}},
      "rapport.scheduling.v1.DirectoryService/ListClinics", list);
  ASSERT_TRUE(clinics.ok()) << clinics.status();
  EXPECT_EQ(clinics->clinics_size(), 300);
}

// Fails for good at its call number `last`.
class Failing : public ctl::Caller {
 public:
  Failing(ctl::Caller& caller, int last) : caller_(caller), left_(last) {}

  absl::Status Call(const ctl::Identity& who, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    if (--left_ <= 0) return absl::CancelledError("broken off");
    return caller_.Call(who, method, request, response);
  }
  absl::Status Exchange(const ctl::Identity& who, absl::string_view method,
                        const google::protobuf::Message& request_type, const NextRequest& next,
                        const google::protobuf::Message& response_type,
                        const ReceiveResponse& receive) override {
    return caller_.Exchange(who, method, request_type, next, response_type, receive);
  }

 private:
  ctl::Caller& caller_;
  int left_;
};

TEST_F(RapportctlTest, ASeedGrowsANetworkGoesOnAndShowsInAgendaAndCalendar) {
  suite_.Start("scheduling");
  suite_.AwaitReady("scheduling");
  const seed::NetworkOptions options{.organization_id = "grown",
                                     .clinicians = 7,
                                     .seed = 42,
                                     .start = absl::CivilDay(2026, 1, 5),
                                     .courses_each = 3};
  const seed::Network network = seed::MakeNetwork(options);
  int64_t sessions = 0;
  for (const seed::CoursePlan& plan : network.courses) sessions += plan.sessions.count();
  const auto caller = suite_.NewCaller();
  Failing failing(*caller, 14);
  EXPECT_TRUE(absl::IsCancelled(seed::Seed(failing, options, {}).status()));

  const std::vector<std::string> sow = {"seed",      "--organization=grown", "--clinicians=7",
                                        "--seed=42", "--start=2026-01-05",   "--courses_each=3"};
  const Said grown = Ctl(sow);
  ASSERT_EQ(grown.exit_status, 0) << grown.error;
  EXPECT_THAT(grown.out, Not(HasSubstr("; 0 courses were there")));
  EXPECT_THAT(Ctl(sow).out,
              AllOf(HasSubstr(" 0 courses with 0 sessions"),
                    HasSubstr(absl::StrCat("; ", network.courses.size(), " courses were there"))));
  const Said out = Ctl({"export", "data", File("export"), "--organization=grown"});
  ASSERT_EQ(out.exit_status, 0) << out.error;
  EXPECT_EQ(Lines(Read(File("export/appointments.ndjson"))), sessions);
  EXPECT_EQ(Lines(Read(File("export/courses.ndjson"))),
            static_cast<int64_t>(network.courses.size()));

  const sv1::Course& course = network.courses[0].course;
  const std::string clinician = course.clinician().substr(course.clinician().rfind('/') + 1);
  const auto& first = network.courses[0].sessions.first_date();
  const Said agenda =
      Ctl({"agenda", clinician, "--organization=grown", "--week",
           absl::StrCat("--date=", first.year(), "-", first.month(), "-", first.day())});
  EXPECT_EQ(agenda.exit_status, 0) << agenda.error;
  EXPECT_THAT(agenda.out, AllOf(HasSubstr(", times of "), HasSubstr("free  "),
                                HasSubstr(course.patient().substr(course.patient().rfind('/') + 1)),
                                HasSubstr("session 1"), HasSubstr(" free\n")));
  const Said calendar =
      Ctl({"export", "calendar", "clinicians/" + clinician, "--organization=grown",
           "--since=2026-01-05", "--until=2026-12-31", "--out=" + File("c.ics")});
  EXPECT_EQ(calendar.exit_status, 0) << calendar.error;
  EXPECT_THAT(Read(File("c.ics")), AllOf(StartsWith("BEGIN:VCALENDAR"), HasSubstr("BEGIN:VEVENT")));
}

TEST_F(RapportctlTest, ATreatedCourseIsDrawnSummedUpAndExported) {
  suite_.StartAll();
  const auto told = story::LoadStory(absl::StrCat(RAPPORT_STORIES, "/s1-role-dispute.textproto"));
  ASSERT_TRUE(told.ok()) << told.status();
  const auto caller = suite_.NewCaller();
  story::Player player(*caller, story::FileClock(suite_.clock_file()),
                       {.suffix = "", .between_steps = nullptr, .tell = nullptr});
  const auto outcome = player.Play(*told);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const std::string organization = "--organization=" + outcome->therapist.organization_id;
  const std::string therapist = "--subject=" + outcome->therapist.subject;
  const std::string course = outcome->course.substr(outcome->course.rfind('/') + 1);

  const Said chart = Ctl({"chart", course, organization, therapist});
  EXPECT_EQ(chart.exit_status, 0) << chart.error;
  EXPECT_THAT(chart.out, AllOf(HasSubstr("severe"), HasSubstr("│initial"), HasSubstr("│middle"),
                               HasSubstr("│termination"), HasSubstr("baseline "),
                               HasSubstr("reliably better"), HasSubstr("remission")));
  const Said gad = Ctl({"chart", course, organization, therapist, "--instrument=gad-7", "--ascii"});
  EXPECT_EQ(gad.exit_status, 0) << gad.error;
  EXPECT_THAT(gad.out, HasSubstr("|ini|middle |termination\n"));
  EXPECT_THAT(Ctl({"chart", course, organization, therapist, "--instrument=nothing"}).error,
              HasSubstr("filled in were"));
  EXPECT_EQ(Ctl({"chart", course, organization, therapist, "--svg=" + File("c.svg")}).exit_status,
            0);
  EXPECT_THAT(Read(File("c.svg")), AllOf(HasSubstr("<svg"), HasSubstr("</svg>")));

  const Said summary = Ctl({"case", "summary", outcome->case_file, therapist, "--as=text"});
  EXPECT_EQ(summary.exit_status, 0) << summary.error;
  EXPECT_THAT(summary.out, AllOf(HasSubstr("\n====="), HasSubstr("\n-----"), Not(HasSubstr("<p")),
                                 Not(HasSubstr("&amp;")), HasSubstr("[picture: ")));
  EXPECT_THAT(Ctl({"case", "summary", outcome->case_file, therapist}).out,
              StartsWith("<!DOCTYPE html>"));

  const Said fhir = Ctl({"export", "fhir", "courses/" + course, organization, therapist,
                         "--out=" + File("bundle.json")});
  EXPECT_EQ(fhir.exit_status, 0) << fhir.error;
  const auto bundle =
      nlohmann::json::parse(Read(File("bundle.json")), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(bundle.is_object());
  EXPECT_EQ(bundle["resourceType"], "Bundle");
  EXPECT_THAT(fhir.error, AllOf(HasSubstr("left out: OMISSION_REASON_PSYCHOTHERAPY_NOTES"),
                                HasSubstr(absl::StrCat(bundle["entry"].size(), " resources, "))));
  EXPECT_EQ(Lines(Ctl({"case", "fhir", outcome->case_file, therapist}).out),
            Lines(Read(File("bundle.json"))));

  const Said outcomes =
      Ctl({"export", "outcomes", organization, "--instrument=phq-9", "--by=clinic,year"});
  EXPECT_EQ(outcomes.exit_status, 0) << outcomes.error;
  EXPECT_THAT(outcomes.out,
              AllOf(StartsWith("clinic,clinician,protocol,period_start,"), HasSubstr(",true,,,,")));
  EXPECT_THAT(outcomes.error, HasSubstr("must stand beside it: "));
  EXPECT_THAT(Ctl({"export", "outcomes", organization, "--instrument=phq-9", "--nocsv"}).out,
              AllOf(StartsWith("{"), HasSubstr("\"suppressed\":true")));
}

}  // namespace
}  // namespace rapport::testing
