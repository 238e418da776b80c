// The commands of the runbook on backups, as they stand there: what was restored is held to the
// heads that were anchored outside of the database, and to what was acknowledged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/names/names.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/robustness/suite/sqlite_rows.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::testing {
namespace {

using sql::testing::PostgresServer;
using ::testing::HasSubstr;

// The commands below "<!-- test: NAME -->".
std::string Commands(const std::string& name) {
  std::ifstream file(RAPPORT_RUNBOOK);
  std::string commands;
  bool found = false, within = false;
  for (std::string line; std::getline(file, line);) {
    if (within && line == "```") return commands;
    if (within) commands += line + "\n";
    if (found && absl::StartsWith(line, "```")) within = true;
    if (line == absl::StrCat("<!-- test: ", name, " -->")) found = true;
  }
  ADD_FAILURE() << "the runbook has no commands of " << name;
  return "false";
}

class RestoreTest : public ::testing::TestWithParam<sql::Engine> {
 protected:
  ~RestoreTest() override {
    for (const std::string& service : Suite::Services()) {
      if (suite_.Runs(service)) suite_.Kill(service);
    }
    for (const std::string& name : made_) {
      PostgresServer::Shared().Admin(
          "postgres", absl::StrCat("DROP DATABASE IF EXISTS ", name, " WITH (FORCE)"));
    }
  }

  bool postgres() const { return GetParam() == sql::Engine::kPostgres; }
  std::string Folder() const {
    return std::filesystem::path(suite_.clock_file()).parent_path().string();
  }
  std::string DatabaseOf(const std::string& service) const {
    if (restored_.contains(service)) return restored_.at(service);
    for (const std::string& argument : suite_.Arguments(service)) {
      absl::string_view value = argument;
      if (absl::ConsumePrefix(&value, "--postgres_name=")) return std::string(value);
    }
    return "";
  }

  Ended Run(const std::string& name, std::map<std::string, std::string> with = {}) {
    with["BACKUP"] = backup_.path();
    with["DATA"] = Folder() + "/data";
    with["ANCHORS"] = Folder() + "/anchors";
    with["AUDIT_KEYS"] = suite_.keys_dir() + "/audit-jwks.json";
    with["ORGANIZATION"] = practice_->organization_id;
    with["FLAGS"] = absl::StrCat("--keys_dir=", suite_.keys_dir(),
                                 " --scheduling_target=", suite_.targets().scheduling,
                                 " --assessment_target=", suite_.targets().assessment,
                                 " --notes_target=", suite_.targets().notes);
    with["PGHOST"] = PostgresServer::Shared().host();
    with["PGPORT"] = absl::StrCat(PostgresServer::Shared().port());
    with["PATH"] = absl::StrCat(RAPPORT_BINARIES, ":", std::getenv("PATH"));
    for (const auto& [key, value] : with) setenv(key.c_str(), value.c_str(), 1);
    return RunToEnd({"/bin/bash", "-euo", "pipefail", "-c", Commands(name)});
  }
  void MustRun(const std::string& name, const std::map<std::string, std::string>& with = {}) {
    const Ended ended = Run(name, with);
    EXPECT_EQ(ended.exit_status, 0) << name << ": " << ended.error_text;
  }

  void Start() {
    for (const std::string& service : Suite::Services()) {
      std::vector<std::string> arguments = suite_.Arguments(service);
      // The last of a flag counts.
      if (postgres()) arguments.push_back("--postgres_name=" + DatabaseOf(service));
      suite_.StartWith(service, arguments);
    }
    for (const std::string& service : Suite::Services()) suite_.AwaitReady(service);
  }
  // Drains; all that is in the log is anchored.
  void Stop() {
    for (const std::string& service : Suite::Services()) {
      EXPECT_EQ(suite_.Terminate(service), 0) << service;
    }
  }

  void Backup() {
    for (const std::string& service : Suite::Services()) {
      MustRun(postgres() ? "dump" : "dump-sqlite",
              {{"SERVICE", service}, {"DATABASE", DatabaseOf(service)}});
    }
  }
  // The services are stopped.
  void Restore(const std::string& suffix) {
    for (const std::string& service : Suite::Services()) {
      const std::string name = absl::StrCat(DatabaseOf(service), suffix);
      MustRun(postgres() ? "restore" : "restore-sqlite",
              {{"SERVICE", service}, {"RESTORED", name}});
      if (postgres()) {
        made_.push_back(name);
        restored_[service] = name;
      }
    }
  }

  void AwaitCase() {
    notes::v1::GetCaseRequest request;
    request.set_name(
        practice_->Name(absl::StrCat("cases/", names::Id(practice_->course.name(), "courses"))));
    EXPECT_TRUE(Eventually([&] {
      return caller_
          ->Call<notes::v1::Case>(practice_->therapist, "rapport.notes.v1.CaseService/GetCase",
                                  request)
          .ok();
    }));
  }
  // What notes has heard of is what scheduling tells.
  void AwaitHeard(int appointments) {
    const std::string sql = "SELECT count(*) FROM care_appointment";
    EXPECT_TRUE(Eventually([&] {
      const auto rows = postgres() ? PostgresServer::Shared().Admin(DatabaseOf("notes"), sql)
                                   : SqliteRows(DatabaseFile(suite_, "notes"), sql);
      return rows == std::vector<std::string>{absl::StrCat(appointments)};
    }));
  }

  // Appointments there are.
  int Booked() {
    scheduling::v1::ListAppointmentsRequest list;
    list.set_parent(practice_->organization);
    list.set_course(practice_->course.name());
    const auto listed = caller_->Call<scheduling::v1::ListAppointmentsResponse>(
        practice_->therapist, "rapport.scheduling.v1.AppointmentService/ListAppointments", list);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.ok() ? listed->appointments_size() : -1;
  }

  TempDir backup_;
  Suite suite_{GetParam()};
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> practice_;
  std::map<std::string, std::string> restored_;  // by service, the database that serves now
  std::vector<std::string> made_;
};

TEST_P(RestoreTest, WhatIsRestoredFitsTheAnchorsOrSaysFromWhereItIsLost) {
  Start();
  caller_ = suite_.NewCaller();
  practice_ = std::make_unique<Practice>(*caller_, "kept");
  if (postgres()) {
    MustRun("backup-role", {{"PGUSER", "postgres"}, {"PGDATABASE", DatabaseOf("notes")}});
  }
  AwaitCase();
  practice_->Book(*caller_, 5);
  AwaitHeard(1);
  Backup();  // while it is served: nothing needs to stop
  // And once more when nothing can be written after it, not even who has read.
  Stop();
  Backup();

  // Nothing was written since.
  Restore("_r1");
  Start();
  MustRun("verify");
  EXPECT_EQ(Booked(), 1);
  practice_->Book(*caller_, 12);
  AwaitHeard(2);
  Stop();

  // What was booked since is lost, and the anchors know.
  Restore("_r2");
  Start();
  const Ended lost = Run("verify");
  EXPECT_EQ(lost.exit_status, 1);
  EXPECT_THAT(lost.error_text, HasSubstr("scheduling: AUDIT_FAULT_KIND_TRUNCATED"));
  EXPECT_EQ(Booked(), 1);
  Stop();

  // Signed off and set aside, the log goes on.
  MustRun("set-anchors-aside");
  Start();
  practice_->Book(*caller_, 19);
  AwaitHeard(2);
  EXPECT_EQ(Booked(), 2);
  Stop();
  Start();
  MustRun("verify");
}

INSTANTIATE_TEST_SUITE_P(Engines, RestoreTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         [](const ::testing::TestParamInfo<sql::Engine>& engine) {
                           return engine.param == sql::Engine::kSqlite ? "sqlite" : "postgres";
                         });

}  // namespace
}  // namespace rapport::testing
