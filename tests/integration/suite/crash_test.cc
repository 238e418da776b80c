// The scheduling service killed while it books: a series is whole or absent, and what was
// acknowledged is there.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {
namespace {

using namespace scheduling::v1;  // NOLINT: the messages of one package

constexpr int kSeries = 12;
constexpr int kKills = 12;

class CrashTest : public ::testing::TestWithParam<sql::Engine> {};

TEST_P(CrashTest, ASeriesIsWholeOrAbsentWheneverTheServiceIsKilled) {
  Suite suite(GetParam());
  suite.StartAll();
  const auto patient = suite.NewCaller();
  const auto hasty = suite.NewCaller(absl::ZeroDuration());
  const Practice practice(*patient, "crash");
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  int absent = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    CreateCourseRequest create;
    create.set_parent(practice.organization);
    *create.mutable_course() = practice.course;
    create.mutable_course()->set_patient(practice.Name(absl::StrCat("patients/p-", kill)));
    const auto course = patient->Call<Course>(
        practice.therapist, "rapport.scheduling.v1.CourseService/CreateCourse", create);
    ASSERT_TRUE(course.ok()) << course.status();
    BeginAssessmentRequest begin;
    begin.set_name(course->name());
    ASSERT_TRUE(patient
                    ->Call<Course>(practice.therapist,
                                   "rapport.scheduling.v1.CourseService/BeginAssessment", begin)
                    .ok());

    BookSeriesRequest book;
    book.set_course(course->name());
    book.mutable_first_date()->set_year(2026);
    book.mutable_first_date()->set_month(1);
    book.mutable_first_date()->set_day(5);
    book.mutable_local_time()->set_hours(8 + kill);
    book.set_count(kSeries);
    book.set_request_id(absl::StrCat("series-", kill));
    const auto send = [&](ctl::Caller& caller) {
      return caller.Call<BookSeriesResponse>(
          practice.therapist, "rapport.scheduling.v1.AppointmentService/BookSeries", book);
    };
    absl::StatusOr<BookSeriesResponse> first = absl::UnknownError("not sent");
    std::thread sender([&] { first = send(*hasty); });
    absl::SleepFor(absl::Microseconds(random() % 15000));
    suite.Kill("scheduling");
    sender.join();
    suite.Start("scheduling");

    ListAppointmentsRequest list;
    list.set_parent(practice.organization);
    list.set_course(course->name());
    const auto count = [&] {
      const auto listed = patient->Call<ListAppointmentsResponse>(
          practice.therapist, "rapport.scheduling.v1.AppointmentService/ListAppointments", list);
      EXPECT_TRUE(listed.ok()) << listed.status();
      return listed.ok() ? listed->appointments_size() : -1;
    };
    const int there = count();
    EXPECT_TRUE(there == 0 || there == kSeries) << there;
    if (first.ok()) {
      EXPECT_EQ(there, kSeries) << "acknowledged";
    }
    absent += there == 0;
    const auto again = send(*patient);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->appointments_size(), kSeries);
    EXPECT_EQ(count(), kSeries);
  }
  RecordProperty("absent", absent);
}

INSTANTIATE_TEST_SUITE_P(Engines, CrashTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         [](const ::testing::TestParamInfo<sql::Engine>& engine) {
                           return engine.param == sql::Engine::kSqlite ? "sqlite" : "postgres";
                         });

}  // namespace
}  // namespace rapport::testing
