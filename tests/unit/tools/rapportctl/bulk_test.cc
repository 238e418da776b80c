// Files of a directory, their import over streams that break, and exports that are broken off.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tests/support/postgres/temp_dir.h"
#include "tools/rapportctl/bulk/checksum.h"
#include "tools/rapportctl/bulk/directory_file.h"
#include "tools/rapportctl/bulk/exporter.h"
#include "tools/rapportctl/bulk/importer.h"

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Identity kAda{.subject = "ada", .organization_id = "acme", .roles = {"organization_admin"}};

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}
std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(ChecksumTest, IsSha256OfAllPieces) {
  Checksum checksum;
  checksum.Add("a");
  const std::string first = checksum.Hex();
  checksum.Add("bc");
  EXPECT_EQ(first, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
  EXPECT_EQ(checksum.Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(CsvTest, CellsWithCommasQuotesAndLines) {
  EXPECT_THAT(*SplitCsv(R"(a,"b, c","say ""x""",,"two)"
                        "\nlines\""),
              ElementsAre("a", "b, c", "say \"x\"", "", "two\nlines"));
  EXPECT_FALSE(SplitCsv("a\"b").ok());
  EXPECT_FALSE(SplitCsv("\"a\"b,c").ok());
  EXPECT_FALSE(SplitCsv("\"a").ok());
}

const DirectoryFileOptions kAcme{.organization_id = "acme", .kind = "", .csv = false};

TEST(DirectoryFileTest, ARecordOfCsvIsAnEntryWithWholeNames) {
  const auto row = RowOfCells(
      {"id", "display_name", "profession", "licence_expire_date", "clinics", "weekly_hours",
       "certified_protocols", "trainee", "buffer_minutes"},
      {"thea", "Thea, T.", "psychologist", "2040-01-31", "harbour; organizations/acme/clinics/n",
       "mon-tue 09:00-17:30; sat 10:00-24:00 @n", "classic;brief", "true", "5"},
      {.organization_id = "acme", .kind = "clinician", .csv = true});
  ASSERT_TRUE(row.ok()) << row.status();
  const sv1::Clinician& thea = row->clinician();
  EXPECT_EQ(thea.name(), "organizations/acme/clinicians/thea");
  EXPECT_EQ(thea.display_name(), "Thea, T.");
  EXPECT_EQ(thea.profession(), sv1::PROFESSION_PSYCHOLOGIST);
  EXPECT_EQ(thea.licence_expire_date().day(), 31);
  EXPECT_THAT(thea.clinics(),
              ElementsAre("organizations/acme/clinics/harbour", "organizations/acme/clinics/n"));
  EXPECT_THAT(thea.certified_protocols(), ElementsAre("classic", "brief"));
  EXPECT_TRUE(thea.trainee());
  EXPECT_EQ(thea.buffer_minutes(), 5);
  ASSERT_THAT(thea.weekly_hours(), SizeIs(3));
  EXPECT_EQ(thea.weekly_hours(1).day_of_week(), google::type::TUESDAY);
  EXPECT_EQ(thea.weekly_hours(1).clinic(), "organizations/acme/clinics/harbour");
  EXPECT_EQ(thea.weekly_hours(1).end_time().minutes(), 30);
  EXPECT_EQ(thea.weekly_hours(2).day_of_week(), google::type::SATURDAY);
  EXPECT_EQ(thea.weekly_hours(2).clinic(), "organizations/acme/clinics/n");
  EXPECT_EQ(thea.weekly_hours(2).end_time().hours(), 24);
}

TEST(DirectoryFileTest, ARoomIsNamedByItsClinicAndItself) {
  const auto row = RowOfCells({"id", "display_name", "capacity"}, {"harbour/r1", "Room 1", "3"},
                              {.organization_id = "acme", .kind = "room", .csv = true});
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->room().name(), "organizations/acme/clinics/harbour/rooms/r1");
}

TEST(DirectoryFileTest, ACellThatDoesNotFitSaysWhatWould) {
  const DirectoryFileOptions clinician{.organization_id = "acme", .kind = "clinician", .csv = true};
  const auto fault = [&](const std::string& header, const std::string& cell) {
    return std::string(
        RowOfCells({"id", "clinics", header}, {"x", "c", cell}, clinician).status().message());
  };
  EXPECT_THAT(fault("profession", "astronaut"), HasSubstr("PSYCHOLOGIST"));
  EXPECT_THAT(fault("licence_expire_date", "soon"), HasSubstr("2026-03-02"));
  EXPECT_THAT(fault("weekly_hours", "someday 9-5"), HasSubstr("'someday' is no day"));
  EXPECT_THAT(fault("weekly_hours", "mon 9-5"), HasSubstr("'9' is no time of day"));
  EXPECT_THAT(fault("capacity", "3"), HasSubstr("a clinician has no 'capacity'"));
  EXPECT_THAT(std::string(RowOfCells({"id"}, {"x", "y"}, clinician).status().message()),
              HasSubstr("2 cells, the headers are 1"));
}

TEST(DirectoryFileTest, ALineOfJsonIsAnEntryOrSaysOfWhichKindItIs) {
  const auto named = RowOfJson(
      R"({"name": "organizations/acme/clinics/n/rooms/r", "display_name": "R", "capacity": 2,
          "etag": "7", "create_time": "2026-01-01T00:00:00Z"})",
      kAcme);
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->room().capacity(), 2);
  EXPECT_EQ(named->room().etag(), "");
  EXPECT_FALSE(named->room().has_create_time());
  const auto wrapped = RowOfJson(
      R"({"cover": {"name": "covers/x", "clinician": "ann", "covering_clinician": "bea"}})", kAcme);
  ASSERT_TRUE(wrapped.ok()) << wrapped.status();
  EXPECT_EQ(wrapped->cover().name(), "organizations/acme/covers/x");
  EXPECT_EQ(wrapped->cover().clinician(), "organizations/acme/clinicians/ann");
  EXPECT_THAT(std::string(RowOfJson(R"({"display_name": "?"})", kAcme).status().message()),
              HasSubstr("--kind"));
  EXPECT_FALSE(RowOfJson("[]", kAcme).ok());
  EXPECT_FALSE(RowOfJson(R"({"name": "clinics/x", "no_such_field": 1})", kAcme).ok());
}

// All rows of a file: line and name, or line and what is wrong.
std::vector<std::string> Rows(const std::string& path, DirectoryFileOptions options) {
  std::vector<std::string> rows;
  auto file = DirectoryFile::Open(path, std::move(options));
  if (!file.ok()) return {std::string(file.status().message())};
  while (true) {
    const auto row = (*file)->Next();
    if (!row.ok() || !*row) return rows;
    rows.push_back(absl::StrCat(
        (*row)->line, " ",
        (*row)->fault.ok() ? (*row)->row.clinic().name() : std::string((*row)->fault.message())));
    EXPECT_EQ((*row)->sha256, SumFile(path, (*row)->end)->sha256);
  }
}

TEST(DirectoryFileTest, RowsKnowTheirLinesAndTheFileUpToThere) {
  const testing::TempDir dir;
  const std::string path = dir.File("clinics.csv");
  Write(path,
        "\xEF\xBB\xBFkind,id,address\r\nclinic,a,\"two\r\nlines\"\r\n\r\nship,b,\r\nclinic,c,x");
  EXPECT_THAT(Rows(path, {.organization_id = "acme", .kind = "", .csv = true}),
              ElementsAre("2 organizations/acme/clinics/a", HasSubstr("5 'ship' is no kind"),
                          "6 organizations/acme/clinics/c"));
  Write(path, "{\"name\": \"clinics/a\"}\n\n{\n");
  EXPECT_THAT(Rows(path, kAcme), ElementsAre("1 organizations/acme/clinics/a",
                                             HasSubstr("3 the line is not an object of JSON")));
}

TEST(DirectoryFileTest, HeadersThatNothingHasAreToldAtOnce) {
  const testing::TempDir dir;
  Write(dir.File("x.csv"), "id,favourite_colour\n");
  EXPECT_THAT(Rows(dir.File("x.csv"), {.organization_id = "acme", .kind = "clinic", .csv = true}),
              ElementsAre(HasSubstr("no entry has a field 'favourite_colour'")));
  Write(dir.File("x.csv"), "id,display_name\n");
  EXPECT_THAT(Rows(dir.File("x.csv"), {.organization_id = "acme", .kind = "", .csv = true}),
              ElementsAre(HasSubstr("--kind or a column `kind`")));
}

// A directory behind streams that break after so many answers; the one taken last is not answered.
class BreakingDirectory : public Caller {
 public:
  std::vector<int> breaks_after;  // of each stream, in turn; none left: it does not
  absl::StatusCode breaks_with = absl::StatusCode::kDeadlineExceeded;
  std::map<std::string, int> taken;  // how often, by name
  int streams = 0;

  absl::Status Call(const Identity&, absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message&) override {
    return absl::UnimplementedError("none");
  }

  absl::Status Exchange(const Identity&, absl::string_view, const google::protobuf::Message& type,
                        const NextRequest& next, const google::protobuf::Message&,
                        const ReceiveResponse& receive) override {
    const auto stream = static_cast<size_t>(streams++);
    const int most = stream < breaks_after.size() ? breaks_after[stream] : 1 << 30;
    const std::unique_ptr<google::protobuf::Message> message(type.New());
    auto& request = static_cast<sv1::ImportDirectoryRequest&>(*message);
    int answered = 0;
    while (true) {
      request.Clear();
      const auto more = next(request);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
      const bool is_new = taken[request.clinic().name()]++ == 0;
      if (answered++ == most) return absl::Status(breaks_with, "broken");
      sv1::ImportDirectoryResponse response;
      response.set_row(request.row());
      response.set_outcome(is_new ? sv1::IMPORT_OUTCOME_CREATED : sv1::IMPORT_OUTCOME_UNCHANGED);
      const absl::Status received = receive(response);
      if (!received.ok()) return received;
    }
  }
};

class ImportTest : public ::testing::Test {
 protected:
  // Imports rows 1 to `count`, of which those in `bad_` can't be sent.
  absl::StatusOr<ImportTally> Import(int count, ImportOptions options = {}) {
    int next = 0;
    options.first_pause = absl::Microseconds(1);
    return ImportRows(
        directory_, kAda,
        [this, &next, count]() -> absl::StatusOr<std::optional<DirectoryRow>> {
          if (next == count) return std::optional<DirectoryRow>();
          DirectoryRow row;
          row.line = ++next;
          row.row.set_row(next);
          row.row.mutable_clinic()->set_name(absl::StrCat("c", next));
          if (bad_.contains(next)) row.fault = absl::InvalidArgumentError("no row");
          return std::optional<DirectoryRow>(std::move(row));
        },
        [this](const DirectoryRow& row, const sv1::ImportDirectoryResponse& answer) {
          EXPECT_EQ(row.line, answer.row());
          told_.push_back(absl::StrCat(row.line, answer.reason()));
        },
        options);
  }

  BreakingDirectory directory_;
  std::set<int> bad_;
  std::vector<std::string> told_;
};

TEST_F(ImportTest, GoesOnOverStreamsThatEndUntilEachRowIsAnsweredOnce) {
  directory_.breaks_after = {3, 0, 5};
  const auto tally = Import(20);
  ASSERT_TRUE(tally.ok()) << tally.status();
  EXPECT_EQ(directory_.streams, 4);
  EXPECT_EQ(tally->rows(), 20);
  EXPECT_EQ(tally->unchanged, 2);  // taken, but not answered: row 4 twice, row 9
  EXPECT_EQ(tally->failed, 0);
  std::vector<std::string> lines;
  for (int i = 1; i <= 20; ++i) lines.push_back(absl::StrCat(i));
  EXPECT_EQ(told_, lines);
  EXPECT_THAT(directory_.taken, SizeIs(20));
}

TEST_F(ImportTest, RowsThatCanNotBeSentHaveTheirTurn) {
  bad_ = {1, 4, 5, 9};
  directory_.breaks_after = {2};
  const auto tally = Import(9);
  ASSERT_TRUE(tally.ok()) << tally.status();
  EXPECT_EQ(tally->failed, 4);
  EXPECT_EQ(tally->rows(), 9);
  EXPECT_THAT(told_, ElementsAre("1BAD_LINE", "2", "3", "4BAD_LINE", "5BAD_LINE", "6", "7", "8",
                                 "9BAD_LINE"));
}

TEST_F(ImportTest, ATokenThatEndsMidwayIsGotAnewButARefusedOneIsTold) {
  directory_.breaks_with = absl::StatusCode::kUnauthenticated;
  directory_.breaks_after = {2};
  EXPECT_TRUE(Import(5).ok());
  directory_.breaks_after = {0};
  directory_.streams = 0;
  EXPECT_TRUE(absl::IsUnauthenticated(Import(5).status()));
  EXPECT_EQ(directory_.streams, 1);
}

TEST_F(ImportTest, GivesUpWhereNothingIsAnsweredForSoLong) {
  directory_.breaks_with = absl::StatusCode::kUnavailable;
  directory_.breaks_after = std::vector<int>(1000, 0);
  EXPECT_TRUE(absl::IsUnavailable(Import(5, {.patience = absl::Milliseconds(5)}).status()));
  EXPECT_GT(directory_.streams, 1);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ImportTest, WhatTheServiceCanNotMendComesBackAtOnce) {
  directory_.breaks_with = absl::StatusCode::kPermissionDenied;
  directory_.breaks_after = {1, 1};
  EXPECT_TRUE(absl::IsPermissionDenied(Import(5).status()));
  EXPECT_EQ(directory_.streams, 1);
}

TEST_F(ImportTest, ACheckIsNotGoneOnWithOverAnotherStream) {
  directory_.breaks_after = {2};
  EXPECT_TRUE(absl::IsDeadlineExceeded(Import(5, {.validate_only = true}).status()));
  EXPECT_EQ(directory_.streams, 1);
}

TEST(ImportStateTest, IsReadAsItWasWritten) {
  const testing::TempDir dir;
  EXPECT_FALSE(ReadImportState(dir.File("none")));
  ASSERT_TRUE(WriteImportState(dir.File("state"),
                               {.organization_id = "acme",
                                .line = 7,
                                .bytes = 99,
                                .sha256 = "ab",
                                .tally = {.created = 1, .updated = 2, .unchanged = 3, .failed = 1}})
                  .ok());
  const auto state = ReadImportState(dir.File("state"));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->organization_id, "acme");
  EXPECT_EQ(state->line, 7);
  EXPECT_EQ(state->bytes, 99);
  EXPECT_EQ(state->sha256, "ab");
  EXPECT_EQ(state->tally.rows(), 7);
  Write(dir.File("state"), "{ torn");
  EXPECT_FALSE(ReadImportState(dir.File("state")));
}

// 3 clinics, 250 appointments of each, in pages of 100; fails from call `fails_from` on.
class Lists : public Caller {
 public:
  int calls = 0;
  int fails_from = 1 << 30;

  absl::Status Call(const Identity&, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    if (++calls >= fails_from) return absl::UnavailableError("away");
    if (absl::EndsWith(method, "ListClinics")) {
      for (const char* id : {"a", "b", "c"}) {
        static_cast<sv1::ListClinicsResponse&>(response).add_clinics()->set_name(
            absl::StrCat("organizations/acme/clinics/", id));
      }
    } else if (absl::EndsWith(method, "ListAppointments")) {
      const auto& asked = static_cast<const sv1::ListAppointmentsRequest&>(request);
      auto& page = static_cast<sv1::ListAppointmentsResponse&>(response);
      const int from = asked.page_token().empty() ? 0 : std::stoi(asked.page_token());
      const int to = std::min(250, from + asked.page_size());
      for (int i = from; i < to; ++i) {
        page.add_appointments()->set_name(absl::StrCat(asked.clinic(), "/", i));
      }
      if (to < 250) page.set_next_page_token(absl::StrCat(to));
    }
    return absl::OkStatus();
  }
};

class ExportTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<ExportedFile>> Export(const std::string& to) {
    return ExportData(lists_, kAda, dir_.File(to),
                      {.organization_id = "acme", .parts = {"appointments"}});
  }

  const testing::TempDir dir_;
  Lists lists_;
};

TEST_F(ExportTest, WritesEachResourceOnceWithItsChecksum) {
  const auto files = Export("x");
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_THAT(*files, SizeIs(2));
  EXPECT_EQ((*files)[0].name, "clinics.ndjson");
  EXPECT_EQ((*files)[1].rows, 750);
  const std::string text = Read(dir_.File("x/appointments.ndjson"));
  EXPECT_THAT(text, HasSubstr("{\"name\":\"organizations/acme/clinics/c/249\"}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 750);
  EXPECT_EQ((*files)[1].sha256, SumFile(dir_.File("x/appointments.ndjson"))->sha256);
  EXPECT_EQ(Read(dir_.File("x/SHA256SUMS")),
            absl::StrCat((*files)[0].sha256, "  clinics.ndjson\n", (*files)[1].sha256,
                         "  appointments.ndjson\n"));
  const auto verified = VerifyExport(dir_.File("x"));
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ((*verified)[1].rows, 750);
  EXPECT_TRUE(absl::IsFailedPrecondition(Export("x").status()));
}

TEST_F(ExportTest, BrokenOffAnywhereItGoesOnToTheSameBytes) {
  ASSERT_TRUE(Export("whole").ok());
  const int calls = lists_.calls;
  for (int broken = 1; broken <= calls; ++broken) {
    const std::string to = absl::StrCat("broken-", broken);
    lists_.calls = 0;
    lists_.fails_from = broken;
    EXPECT_TRUE(absl::IsUnavailable(Export(to).status()));
    EXPECT_TRUE(absl::IsFailedPrecondition(VerifyExport(dir_.File(to)).status()) || broken == 1);
    // What a killed run wrote beyond its last page is taken back.
    std::ofstream(dir_.File(to + "/appointments.ndjson"), std::ios::app) << "{\"name\":\"torn";
    lists_.calls = 0;
    lists_.fails_from = 1 << 30;
    const auto files = Export(to);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(lists_.calls, calls - broken + 1);
    EXPECT_EQ(Read(dir_.File(to + "/SHA256SUMS")), Read(dir_.File("whole/SHA256SUMS"))) << broken;
    EXPECT_TRUE(VerifyExport(dir_.File(to)).ok());
  }
}

TEST_F(ExportTest, NothingIsMixedWithAnotherExport) {
  lists_.fails_from = 3;
  EXPECT_FALSE(Export("x").ok());
  lists_.fails_from = 1 << 30;
  EXPECT_TRUE(
      absl::IsFailedPrecondition(ExportData(lists_, kAda, dir_.File("x"),
                                            {.organization_id = "other", .parts = {"appointments"}})
                                     .status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      ExportData(lists_, kAda, dir_.File("y"), {.organization_id = "acme", .parts = {"notes"}})
          .status()));
}

TEST_F(ExportTest, VerifyingNamesEachFileThatIsNotWhatItWas) {
  ASSERT_TRUE(Export("x").ok());
  EXPECT_TRUE(absl::IsNotFound(VerifyExport(dir_.File("none")).status()));
  std::string text = Read(dir_.File("x/appointments.ndjson"));
  text[100] ^= 1;
  Write(dir_.File("x/appointments.ndjson"), text);
  std::filesystem::remove(dir_.File("x/clinics.ndjson"));
  const absl::Status status = VerifyExport(dir_.File("x")).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("clinics.ndjson is missing"),
                               HasSubstr("appointments.ndjson was changed")));
}

}  // namespace
}  // namespace rapport::ctl
