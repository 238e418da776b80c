#include <algorithm>
#include <map>

#include "absl/strings/escaping.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/directory_import.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr auto kCreated = v1::IMPORT_OUTCOME_CREATED;
constexpr auto kUpdated = v1::IMPORT_OUTCOME_UPDATED;
constexpr auto kUnchanged = v1::IMPORT_OUTCOME_UNCHANGED;
constexpr auto kFailed = v1::IMPORT_OUTCOME_FAILED;

using Row = v1::ImportDirectoryRequest;

std::string Rendered(const sql::Value& value) {
  struct Render {
    std::string operator()(const sql::Null&) { return "-"; }
    std::string operator()(int64_t number) { return absl::StrCat(number); }
    std::string operator()(double number) { return absl::StrCat(number); }
    std::string operator()(const std::string& text) { return text; }
    std::string operator()(const sql::Blob& blob) { return absl::BytesToHexString(blob.bytes); }
  };
  return std::visit(Render(), value);
}

class ImportTest : public SchedulingTest {
 protected:
  // A file with one row of each kind and a second clinician.
  static std::vector<Row> File() {
    std::vector<Row> file;
    const auto add = [&](const std::string& entry) {
      file.push_back(Parse<Row>(entry));
      file.back().set_row(static_cast<int64_t>(file.size()) + 10);
    };
    add(R"pb(clinic {
               name: "organizations/acme/clinics/east"
               display_name: "East"
               time_zone: "Europe/London"
               jurisdiction: "GB-ENG"
               holidays { date { year: 2026 month: 12 day: 25 } }
             })pb");
    add(R"pb(room {
               name: "organizations/acme/clinics/east/rooms/blue"
               display_name: "Blue"
               capacity: 3
             })pb");
    for (const char* id : {"zoe", "yan"}) {
      add(absl::StrCat("clinician { name: 'organizations/acme/clinicians/", id,
                       "' display_name: 'N' subject: '", id,
                       "' profession: PROFESSION_NURSE clinics: 'organizations/acme/clinics/east' "
                       "clinics: 'organizations/acme/clinics/north' buffer_minutes: 10 }"));
    }
    add(R"pb(cover {
               name: "organizations/acme/covers/summer"
               clinician: "organizations/acme/clinicians/zoe"
               covering_clinician: "organizations/acme/clinicians/yan"
               start_time { seconds: 1785000000 }
               end_time { seconds: 1786000000 }
             })pb");
    add(R"pb(supervision {
               name: "organizations/acme/supervisions/zoe-yan"
               supervisor: "organizations/acme/clinicians/zoe"
               supervisee: "organizations/acme/clinicians/yan"
               start_time { seconds: 1785000000 }
             })pb");
    return file;
  }

  // As one stream.
  std::vector<v1::ImportDirectoryResponse> Import(const std::vector<Row>& rows) {
    return ImportAs(admin_, rows);
  }
  std::vector<v1::ImportDirectoryResponse> ImportAs(const Who& who, const std::vector<Row>& rows) {
    std::vector<v1::ImportDirectoryResponse> all;
    auto stream = directory_.ImportDirectory(Context(who, Row()));
    EXPECT_TRUE(stream.ok()) << stream.status();
    for (const Row& row : rows) {
      google::protobuf::RepeatedPtrField<v1::ImportDirectoryResponse> responses;
      const absl::Status status = (*stream)->Take(Context(who, row), row, responses);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_THAT(responses, SizeIs(1));
      for (auto& response : responses) all.push_back(std::move(response));
    }
    google::protobuf::RepeatedPtrField<v1::ImportDirectoryResponse> last;
    EXPECT_TRUE((*stream)->Finish(Context(who, Row()), last).ok());
    EXPECT_THAT(last, SizeIs(0));
    return all;
  }
  std::vector<v1::ImportOutcome> Outcomes(const std::vector<Row>& rows) {
    std::vector<v1::ImportOutcome> outcomes;
    for (const auto& response : Import(rows)) {
      outcomes.push_back(response.outcome());
      if (response.outcome() == kFailed) ADD_FAILURE() << response.DebugString();
    }
    return outcomes;
  }
  v1::ImportDirectoryResponse Only(const std::string& entry) {
    const auto responses = Import({Parse<Row>(entry)});
    return responses.empty() ? v1::ImportDirectoryResponse() : responses[0];
  }

  // Every row of every table that an import could touch.
  std::vector<std::string> Everything() {
    static auto& statements = *new std::map<std::string, std::unique_ptr<sql::Statement>>;
    std::vector<std::string> rows;
    const std::pair<std::string, std::string> tables[] = {
        {"organization", "state"},
        {"organization_profile", "version, document"},
        {"clinic", "clinic_id, version, document"},
        {"room", "clinic_id, room_id, version, capacity, out_of_use, document"},
        {"clinician", "clinician_id, version, subject, document"},
        {"clinician_clinic", "clinician_id, clinic_id"},
        {"time_off", "time_off_id, version, document"},
        {"cover",
         "cover_id, version, clinician_id, covering_clinician_id, starts_at, ends_at, "
         "document"},
        {"supervision", "supervision_id, version, starts_at, ends_at, document"},
        {"retired_name", "name, version"},
        {"idempotency", "method, request_id"},
        {"outbox_pending", "resource, version, payload"},
        {"event", "position, resource, version, payload"},
        {"audit_pending", "entry"},
        {"audit_leaf", "leaf_index, entry"}};
    for (const auto& [table, columns] : tables) {
      auto& statement = statements[table];
      if (statement == nullptr) {
        statement = std::make_unique<sql::Statement>(
            absl::StrCat("test.everything.", table),
            absl::StrCat("SELECT ", columns, " FROM ", table, " WHERE organization_id = $1"));
      }
      sql::Result result;
      const absl::Status status = database_->Read(
          sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
          [&](sql::Session& session) -> absl::Status {
            ASSIGN_OR_RETURN(result, session.Query(*statement, {sql::Text("acme")}));
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok()) << table << ": " << status;
      const auto count = static_cast<int>(std::count(columns.begin(), columns.end(), ',')) + 1;
      for (size_t row = 0; row < result.rows(); ++row) {
        std::string text = table;
        for (int column = 0; column < count; ++column) {
          absl::StrAppend(&text, " ", Rendered(result.at(row, column)));
        }
        rows.push_back(text);
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
};
INSTANTIATE_ON_ENGINES(ImportTest);

TEST_P(ImportTest, AFileIsTakenRowByRowInOrder) {
  const auto responses = Import(File());
  ASSERT_THAT(responses, SizeIs(6));
  for (size_t i = 0; i < responses.size(); ++i) {
    EXPECT_EQ(responses[i].outcome(), kCreated) << responses[i].DebugString();
    EXPECT_EQ(responses[i].row(), static_cast<int64_t>(i) + 11);
    EXPECT_EQ(responses[i].rows_done(), static_cast<int64_t>(i) + 1);
    EXPECT_EQ(responses[i].rows_failed(), 0);
  }
  v1::GetClinicianRequest get;
  get.set_name("organizations/acme/clinicians/zoe");
  const auto zoe = Do(&DirectoryHandlers::GetClinician, admin_, get);
  ASSERT_TRUE(zoe.ok()) << zoe.status();
  EXPECT_EQ(zoe->etag(), "1");
  EXPECT_EQ(time::ToTime(zoe->create_time()), now_);
  EXPECT_EQ(zoe->buffer_minutes(), 10);
  v1::SupervisionEvent told;
  ASSERT_TRUE(Events().back().payload().UnpackTo(&told));
  EXPECT_EQ(told.supervisee(), "organizations/acme/clinicians/yan");
}

TEST_P(ImportTest, TheSameFileAgainChangesNothingAtAll) {
  Import(File());
  Events();  // numbers what is pending
  const std::vector<std::string> before = Everything();
  EXPECT_GT(before.size(), 30u);
  now_ += absl::Hours(1);
  EXPECT_EQ(Outcomes(File()), std::vector<v1::ImportOutcome>(6, kUnchanged));
  EXPECT_EQ(Everything(), before);
  // Nor does what the service itself said of them.
  v1::GetClinicianRequest get;
  get.set_name("organizations/acme/clinicians/zoe");
  Row row;
  *row.mutable_clinician() = *Do(&DirectoryHandlers::GetClinician, admin_, get);
  EXPECT_THAT(Outcomes({row}), ElementsAre(kUnchanged));
  EXPECT_EQ(Everything(), before);
}

TEST_P(ImportTest, ARowIsTheWholeEntry) {
  Import(File());
  std::vector<Row> file = File();
  file[0].mutable_clinic()->clear_holidays();
  file[1].mutable_room()->set_out_of_use(true);
  file[2].mutable_clinician()->clear_clinics();
  file[2].mutable_clinician()->add_clinics("organizations/acme/clinics/south");
  file[4].mutable_cover()->mutable_end_time()->set_seconds(1786000001);
  file[5].mutable_supervision()->mutable_end_time()->set_seconds(1786000000);
  EXPECT_THAT(Outcomes(file),
              ElementsAre(kUpdated, kUpdated, kUpdated, kUnchanged, kUpdated, kUpdated));
  EXPECT_EQ(Outcomes(file), std::vector<v1::ImportOutcome>(6, kUnchanged));
  v1::GetClinicRequest get;
  get.set_name("organizations/acme/clinics/east");
  const auto east = Do(&DirectoryHandlers::GetClinic, admin_, get);
  EXPECT_EQ(east->holidays_size(), 0);
  EXPECT_EQ(east->etag(), "2");
  v1::ListCoversRequest covers;
  covers.set_parent("organizations/acme");
  const auto listed = Do(&DirectoryHandlers::ListCovers, admin_, covers);
  ASSERT_EQ(listed->covers_size(), 1);
  EXPECT_EQ(listed->covers(0).end_time().seconds(), 1786000001);
  EXPECT_EQ(listed->covers(0).etag(), "2");
}

TEST_P(ImportTest, ABadRowSaysWhyAndDoesNotStopTheOthers) {
  std::vector<Row> file = File();
  file[0].mutable_clinic()->clear_time_zone();
  const auto responses = Import(file);
  std::vector<std::string> reasons;
  for (const auto& response : responses) reasons.push_back(response.reason());
  EXPECT_THAT(reasons, ElementsAre("INVALID_FIELD", "UNKNOWN_CLINIC", "UNKNOWN_CLINIC",
                                   "UNKNOWN_CLINIC", "UNKNOWN_CLINICIAN", "UNKNOWN_CLINICIAN"));
  EXPECT_EQ(responses[0].field(), "clinic.time_zone");
  EXPECT_THAT(responses[1].message(), HasSubstr("organizations/acme/clinics/east"));
  EXPECT_EQ(responses[5].rows_done(), 6);
  EXPECT_EQ(responses[5].rows_failed(), 6);

  EXPECT_EQ(Only("").field(), "entry");
  EXPECT_EQ(Only("clinic { display_name: 'x' }").field(), "clinic.name");
  EXPECT_EQ(Only("clinic { name: 'organizations/acme/clinics/East' display_name: 'E' time_zone: "
                 "'Europe/London' jurisdiction: 'GB' }")
                .field(),
            "clinic.name");
  Import(File());
  std::string zoe =
      "clinician { name: 'organizations/acme/clinicians/zoe' display_name: 'N' profession: "
      "PROFESSION_NURSE clinics: 'organizations/acme/clinics/east' ";
  EXPECT_EQ(Only(zoe + "subject: 'anna' }").reason(), "SUBJECT_TAKEN");
  EXPECT_EQ(Only(zoe + "etag: '9' }").reason(), "STALE_ETAG");
  EXPECT_EQ(Only(zoe + "clinics: 'organizations/acme/clinics/none' }").reason(), "UNKNOWN_CLINIC");
  EXPECT_EQ(Only("supervision { name: 'organizations/acme/supervisions/other' supervisor: "
                 "'organizations/acme/clinicians/zoe' supervisee: "
                 "'organizations/acme/clinicians/yan' start_time { seconds: 1785000001 } }")
                .reason(),
            "SUPERVISION_OVERLAPS");
}

// A pair tells who could see what.
TEST_P(ImportTest, APairKeepsItsTwoAndItsPast) {
  Import(File());
  const auto pair = [&](const std::string& supervisor, int64_t start, int64_t end) {
    const auto response = Only(absl::StrCat(
        "supervision { name: 'organizations/acme/supervisions/zoe-yan' supervisor: "
        "'organizations/acme/clinicians/",
        supervisor, "' supervisee: 'organizations/acme/clinicians/yan' start_time { seconds: ",
        start, " } end_time { seconds: ", end, " } }"));
    return response.outcome() == kFailed ? response.reason() + " " + response.field() : "";
  };
  EXPECT_EQ(pair("anna", 1785000000, 1786000000), "INVALID_FIELD supervision.supervisor");
  EXPECT_EQ(pair("zoe", 1, 1786000000), "INVALID_FIELD supervision.start_time");
  EXPECT_EQ(pair("zoe", 1785000001, 1786000000), "");
  now_ = absl::FromUnixSeconds(1785500000);
  EXPECT_EQ(pair("zoe", 1785500002, 1786000000), "INVALID_FIELD supervision.start_time");
  EXPECT_EQ(pair("zoe", 1785000001, 1785400000), "INVALID_FIELD supervision.end_time");
  now_ = absl::FromUnixSeconds(1786000000);
  EXPECT_EQ(pair("zoe", 1785000001, 1787000000), "SUPERVISION_ENDED ");
}

TEST_P(ImportTest, ADryRunOfAWholeFileChangesNothing) {
  const std::vector<std::string> before = Everything();
  std::vector<Row> file = File();
  file.push_back(
      Parse<Row>("clinician { name: 'organizations/acme/clinicians/xia' display_name: "
                 "'N' profession: PROFESSION_NURSE clinics: "
                 "'organizations/acme/clinics/none' }"));
  for (Row& row : file) row.set_validate_only(true);
  const auto responses = Import(file);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(responses[i].outcome(), kCreated) << responses[i].DebugString();
  }
  EXPECT_EQ(responses[6].reason(), "UNKNOWN_CLINIC");
  EXPECT_EQ(Everything(), before);
  // What one stream assumed the next does not.
  EXPECT_EQ(Import({file[1]})[0].reason(), "UNKNOWN_CLINIC");
}

TEST_P(ImportTest, AManagerOfOneClinicImportsForThatOne) {
  Who south = manager_;
  south.clinics = {{"south"}};
  for (const auto& response : ImportAs(south, File())) EXPECT_EQ(response.outcome(), kFailed);
  const Row row = Parse<Row>(R"pb(
    clinician {
      name: "organizations/acme/clinicians/xia"
      display_name: "N"
      profession: PROFESSION_NURSE
      clinics: "organizations/acme/clinics/south"
    })pb");
  EXPECT_EQ(ImportAs(south, {row})[0].outcome(), kCreated);
  const auto dry = [&](Row taken) {
    taken.set_validate_only(true);
    return taken;
  };
  Row cover = Parse<Row>(R"pb(
    cover {
      name: "organizations/acme/covers/c"
      clinician: "organizations/acme/clinicians/xia"
      covering_clinician: "organizations/acme/clinicians/anna"
      start_time { seconds: 1 }
      end_time { seconds: 2 }
    })pb");
  EXPECT_EQ(ImportAs(south, {dry(cover)})[0].outcome(), kCreated);
  cover.mutable_cover()->set_clinician("organizations/acme/clinicians/ben");
  EXPECT_EQ(ImportAs(south, {dry(cover)})[0].reason(), "OTHER_CLINIC");
}

TEST_P(ImportTest, WhatTheFrontDoorRefusesIsAFailedRowToo) {
  auto stream = directory_.ImportDirectory(Context(admin_, Row()));
  Row row;
  row.set_row(7);
  google::protobuf::RepeatedPtrField<v1::ImportDirectoryResponse> responses;
  ASSERT_TRUE((*stream)
                  ->Refuse(Context(admin_, row), row,
                           errors::InvalidArgument("room.capacity", "must be at most 500"),
                           responses)
                  .ok());
  ASSERT_THAT(responses, SizeIs(1));
  EXPECT_EQ(responses[0].row(), 7);
  EXPECT_EQ(responses[0].field(), "room.capacity");
  EXPECT_EQ(responses[0].rows_failed(), 1);
  // What is wrong with the service is not the row's fault.
  EXPECT_EQ((*stream)->Refuse(Context(admin_, row), row, errors::Internal("x"), responses).code(),
            absl::StatusCode::kInternal);
  EXPECT_THAT(responses, SizeIs(1));
}

}  // namespace
}  // namespace rapport::scheduling
