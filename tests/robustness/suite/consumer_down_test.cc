// A service that was away for an hour of a network's traffic, and then is told everything again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/names/names.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/robustness/suite/sqlite_rows.h"

namespace rapport::testing {
namespace {

using namespace scheduling::v1;  // NOLINT: the messages of one package

constexpr int kThreads = 4;
constexpr int kSeries = 12;

// 20,000 clinicians book some 10,000 sessions in an hour of the day. Here a tenth, else as many as
// RAPPORT_HOUR_OF_SESSIONS says.
int Sessions() {
  const char* given = std::getenv("RAPPORT_HOUR_OF_SESSIONS");
  return given == nullptr ? 960 : std::atoi(given);
}

class ConsumerDownTest : public ::testing::Test {
 protected:
  ConsumerDownTest() {
    suite_.StartAll();
    caller_ = suite_.NewCaller();
    practice_ = std::make_unique<Practice>(*caller_, "hour");
  }

  // A course, and a series of it; who books has a slot of the week for each.
  std::vector<std::string> BookSeries(ctl::Caller& caller, int number) {
    CreateCourseRequest create;
    create.set_parent(practice_->organization);
    *create.mutable_course() = practice_->course;
    create.mutable_course()->set_patient(practice_->Name(absl::StrCat("patients/s", number)));
    create.mutable_course()->set_clinician(Clinician(caller, number / 80));
    create.set_request_id(absl::StrCat("course-", number));
    const ctl::Identity therapist =
        number < 80 ? practice_->therapist
                    : ctl::Identity{absl::StrCat("c", number / 80), "hour", {"therapist"}};
    const auto course =
        caller.Call<Course>(therapist, "rapport.scheduling.v1.CourseService/CreateCourse", create);
    EXPECT_TRUE(course.ok()) << course.status();
    if (!course.ok()) return {};
    BeginAssessmentRequest begin;
    begin.set_name(course->name());
    EXPECT_TRUE(
        caller.Call<Course>(therapist, "rapport.scheduling.v1.CourseService/BeginAssessment", begin)
            .ok());
    BookSeriesRequest book;
    book.set_course(course->name());
    book.mutable_first_date()->set_year(2026);
    book.mutable_first_date()->set_month(1);
    book.mutable_first_date()->set_day(5 + number % 7);
    book.mutable_local_time()->set_hours(8 + number / 7 % 12);
    book.set_count(kSeries);
    book.set_request_id(absl::StrCat("series-", number));
    const auto booked = caller.Call<BookSeriesResponse>(
        desk_, "rapport.scheduling.v1.AppointmentService/BookSeries", book);
    EXPECT_TRUE(booked.ok()) << booked.status();
    std::vector<std::string> names;
    if (!booked.ok()) return names;
    for (const auto& appointment : booked->appointments()) names.push_back(appointment.name());
    return names;
  }

  // The first, or one more for every eighty courses: there are no more hours in a week.
  std::string Clinician(ctl::Caller& caller, int number) {
    if (number == 0) return practice_->clinician;
    GetClinicianRequest get;
    get.set_name(practice_->clinician);
    auto clinician = caller.Call<scheduling::v1::Clinician>(
        practice_->admin, "rapport.scheduling.v1.DirectoryService/GetClinician", get);
    EXPECT_TRUE(clinician.ok()) << clinician.status();
    CreateClinicianRequest create;
    create.set_parent(practice_->organization);
    create.set_clinician_id(absl::StrCat("c", number));
    *create.mutable_clinician() = *clinician;
    create.mutable_clinician()->set_subject(absl::StrCat("c", number));
    create.set_request_id(absl::StrCat("clinician-", number));
    const auto made = caller.Call<scheduling::v1::Clinician>(
        practice_->admin, "rapport.scheduling.v1.DirectoryService/CreateClinician", create);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? made->name() : practice_->clinician;
  }

  std::vector<std::string> Rows(const std::string& sql) {
    return SqliteRows(DatabaseFile(suite_, "assessment"), sql);
  }
  // Of the last event that was applied.
  std::string Position() {
    const std::vector<std::string> cursor =
        Rows("SELECT CAST(cursor AS TEXT) FROM consumer_cursor WHERE feed = 'scheduling'");
    return cursor.empty() ? "" : cursor[0].substr(0, cursor[0].find('\n'));
  }
  bool AwaitKnown(size_t count) {
    return Eventually([&] {
      return Rows("SELECT count(*) FROM care_appointment") ==
             std::vector<std::string>{absl::StrCat(count)};
    });
  }

  // All that assessment holds of scheduling's state.
  std::vector<std::string> WhatWasHeard() {
    std::vector<std::string> heard;
    for (const std::string& table : Rows("SELECT name FROM sqlite_master WHERE type = 'table' AND "
                                         "name LIKE 'care_%' ORDER BY name")) {
      std::vector<std::string> columns;
      for (const std::string& column :
           Rows(absl::StrCat("SELECT name FROM pragma_table_info('", table, "')"))) {
        columns.push_back(absl::StrCat("quote(", column, ")"));
      }
      const std::string line = absl::StrJoin(columns, " || ',' || ");
      for (const std::string& row :
           Rows(absl::StrCat("SELECT ", line, " FROM ", table, " ORDER BY 1"))) {
        heard.push_back(absl::StrCat(table, ": ", row));
      }
    }
    return heard;
  }

  Suite suite_{sql::Engine::kSqlite};
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> practice_;
  const ctl::Identity desk_{"desk", "hour", {"clinic_manager"}};
};

TEST_F(ConsumerDownTest, AnHourOfTrafficIsCaughtUpWithAndToldAgainChangesNothing) {
  suite_.Kill("assessment");
  const int courses = std::max(1, Sessions() / kSeries);
  std::atomic<int> next{0};
  Mutex mutex;
  std::set<std::string> booked;  // acknowledged
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const auto caller = suite_.NewCaller();
      for (int number; (number = next++) < courses;) {
        const std::vector<std::string> names = BookSeries(*caller, number);
        MutexLock lock(mutex);
        booked.insert(names.begin(), names.end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(booked.size(), static_cast<size_t>(courses * kSeries));

  const absl::Time back = absl::Now();
  suite_.Start("assessment");
  suite_.AwaitReady("assessment");
  // Who calls meanwhile is answered.
  assessment::v1::ScoreRequest score;
  score.set_instrument("instruments/phq-9");
  EXPECT_TRUE(caller_
                  ->Call<assessment::v1::ScoreResponse>(
                      practice_->app, "rapport.assessment.v1.ScoringService/Score", score)
                  .ok());
  ASSERT_TRUE(AwaitKnown(booked.size()));
  const double took = absl::ToDoubleSeconds(absl::Now() - back);
  std::printf("  %zu appointments heard of %.1f s after the start, %.0f a second\n", booked.size(),
              took, static_cast<double>(booked.size()) / took);
  std::set<std::string> known;
  for (const std::string& name : Rows("SELECT appointment FROM care_appointment")) {
    known.insert(practice_->Name(absl::StrCat("appointments/", names::Last(name))));
  }
  EXPECT_EQ(known, booked);

  // As after the loss of the cursor: all is told from the beginning, beside what comes anew.
  EXPECT_EQ(suite_.Terminate("assessment"), 0);
  const std::vector<std::string> once = WhatWasHeard();
  EXPECT_GT(once.size(), booked.size());
  const std::string position = Position();
  Rows("DELETE FROM consumer_cursor");
  suite_.Start("assessment");
  suite_.AwaitReady("assessment");
  ASSERT_TRUE(Eventually([&] { return Position() == position; }));
  EXPECT_EQ(suite_.Terminate("assessment"), 0);
  EXPECT_TRUE(WhatWasHeard() == once);
}

}  // namespace
}  // namespace rapport::testing
