// The audit logs of a whole course of therapy: as they were signed, and edited.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "rapport/common/v1/audit_service.pb.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::testing {
namespace {

using ::testing::HasSubstr;

class AuditStoryTest : public ::testing::TestWithParam<sql::Engine> {
 protected:
  void SetUp() override {
    suite_.StartAll();
    const auto told = story::LoadStory(absl::StrCat(RAPPORT_STORIES, "/s1-role-dispute.textproto"));
    ASSERT_TRUE(told.ok()) << told.status();
    const auto caller = suite_.NewCaller();
    story::Player player(*caller, story::FileClock(suite_.clock_file()),
                         {.suffix = "", .between_steps = nullptr, .tell = nullptr});
    const auto outcome = player.Play(*told);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    therapist_ = outcome->therapist;
    // An entry is a leaf within a second.
    absl::SleepFor(absl::Seconds(1));
  }

  std::string Folder() const {
    return std::filesystem::path(suite_.clock_file()).parent_path().string();
  }

  Ended Verify(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        absl::StrCat(RAPPORT_BINARIES, "/rapportctl"),
        "audit",
        "verify",
        absl::StrCat("--organization=", therapist_.organization_id),
        absl::StrCat("--keys_dir=", suite_.keys_dir()),
        absl::StrCat("--scheduling_target=", suite_.targets().scheduling),
        absl::StrCat("--assessment_target=", suite_.targets().assessment),
        absl::StrCat("--notes_target=", suite_.targets().notes)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunToEnd(arguments);
  }
  Ended VerifyAgainstTheAnchor() const {
    return Verify({absl::StrCat("--audit_anchor_dir=", Folder(), "/anchors"),
                   absl::StrCat("--audit_jwks_file=", suite_.keys_dir(), "/audit-jwks.json")});
  }

  common::v1::VerifyAuditResponse VerifiedBy(const std::string& service) const {
    common::v1::VerifyAuditRequest request;
    request.set_parent(absl::StrCat("organizations/", therapist_.organization_id));
    const auto response = suite_.NewCaller()->CallAt<common::v1::VerifyAuditResponse>(
        service, Officer(), "rapport.common.v1.AuditService/VerifyAudit", request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : common::v1::VerifyAuditResponse();
  }

  ctl::Identity Officer() const {
    return {.subject = "officer",
            .organization_id = therapist_.organization_id,
            .roles = {"privacy_officer"}};
  }

  Suite suite_{GetParam()};
  ctl::Identity therapist_;
};

TEST_P(AuditStoryTest, EveryRecordOfTheCourseIsAsItsEntriesTell) {
  const Ended whole = Verify();
  EXPECT_EQ(whole.exit_status, 0) << whole.error_text;
  const common::v1::VerifyAuditResponse notes = VerifiedBy("notes");
  EXPECT_GT(notes.verified_records(), 30);
  EXPECT_GT(VerifiedBy("assessment").verified_records(), 15);

  // Who read the notes is there too; the story's report reads them.
  common::v1::ListAuditEntriesRequest request;
  request.set_parent(absl::StrCat("organizations/", therapist_.organization_id));
  request.add_kinds(common::v1::AUDIT_KIND_ACCESS);
  const auto read = suite_.NewCaller()->CallAt<common::v1::ListAuditEntriesResponse>(
      "notes", Officer(), "rapport.common.v1.AuditService/ListAuditEntries", request);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_GT(read->entries_size(), 0);

  for (const std::string& service : Suite::Services()) EXPECT_EQ(suite_.Terminate(service), 0);
  suite_.StartAll();
  const Ended anchored = VerifyAgainstTheAnchor();
  EXPECT_EQ(anchored.exit_status, 0) << anchored.error_text;
  EXPECT_GT(VerifiedBy("notes").verified_heads(), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, AuditStoryTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         [](const ::testing::TestParamInfo<sql::Engine>& engine) {
                           return engine.param == sql::Engine::kSqlite ? "sqlite" : "postgres";
                         });

// What somebody with the file can do.
class EditedStoryTest : public AuditStoryTest {
 protected:
  // Stops the service, edits its file past all triggers and starts it again.
  void Edit(const std::string& service, const std::string& sql) {
    EXPECT_EQ(suite_.Terminate(service), 0);
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(absl::StrCat(Folder(), "/data/", service, ".db").c_str(), &raw),
              SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_close(raw);
    suite_.Start(service);
    suite_.AwaitReady(service);
  }
};

TEST_P(EditedStoryTest, AnEditedNoteAndADeletedEntryAreNamed) {
  Edit("notes",
       "DROP TRIGGER IF EXISTS note_version_update; DROP TRIGGER IF EXISTS note_version_change;"
       "UPDATE note_version SET document = zeroblob(length(document))"
       " WHERE rowid IN (SELECT rowid FROM note_version LIMIT 1)");
  const Ended edited = Verify();
  EXPECT_EQ(edited.exit_status, 1);
  EXPECT_THAT(edited.error_text, HasSubstr("notes: AUDIT_FAULT_KIND_RECORD_EDITED"));

  Edit("assessment", "DELETE FROM audit_leaf WHERE leaf_index = 3");
  const Ended deleted = Verify({"--audit_service=assessment"});
  EXPECT_EQ(deleted.exit_status, 1);
  EXPECT_THAT(deleted.error_text,
              HasSubstr("assessment: AUDIT_FAULT_KIND_ENTRY_DELETED, first bad leaf 3"));
}

INSTANTIATE_TEST_SUITE_P(Engines, EditedStoryTest, ::testing::Values(sql::Engine::kSqlite),
                         [](const ::testing::TestParamInfo<sql::Engine>&) { return "sqlite"; });

}  // namespace
}  // namespace rapport::testing
