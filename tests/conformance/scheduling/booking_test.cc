#include <atomic>
#include <set>
#include <thread>

#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BookingTest : public SchedulingTest {
 protected:
  absl::StatusOr<v1::Appointment> Book(const Who& who, const v1::BookAppointmentRequest& request) {
    return Do(&AppointmentHandlers::BookAppointment, who, request);
  }

  absl::Status Cancel(const v1::Appointment& appointment) {
    v1::CancelAppointmentRequest request;
    request.set_name(appointment.name());
    request.set_reason(v1::CANCEL_REASON_PATIENT);
    return Do(&AppointmentHandlers::CancelAppointment, scheduler_, request).status();
  }

  std::vector<v1::Appointment> ListOf(const Who& who, const std::string& query,
                                      int page_size = 50) {
    auto request = Parse<v1::ListAppointmentsRequest>(
        absl::StrCat("parent: 'organizations/acme' page_size: ", page_size, " ", query));
    std::vector<v1::Appointment> all;
    do {
      const auto page = Do(&AppointmentHandlers::ListAppointments, who, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      all.insert(all.end(), page->appointments().begin(), page->appointments().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return all;
  }

  static std::string Of(const v1::Course& course) {
    return absl::StrCat("course: '", course.name(), "'");
  }

  // Runs `call(i)` on 16 threads at once and returns how many succeeded; the others must say
  // TIME_TAKEN.
  template <class Call>
  int Race(Call call) {
    std::atomic<int> won = 0;
    std::atomic<int> waiting = 16;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        const absl::Status status = call(i);
        if (status.ok()) {
          ++won;
        } else {
          EXPECT_EQ(errors::Reason(status), "TIME_TAKEN") << status;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return won;
  }
};
INSTANTIATE_ON_ENGINES(BookingTest);

TEST_P(BookingTest, ABookedSessionSaysWhenByWhichClock) {
  const v1::Course course = Begun("p");
  const auto booked = Book(scheduler_, At(course, 7, 6, 14, 30));
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(
      absl::FormatTime(absl::FromUnixSeconds(booked->start_time().seconds()), absl::UTCTimeZone()),
      "2026-07-06T13:30:00+00:00");
  EXPECT_EQ(booked->end_time().seconds() - booked->start_time().seconds(), 50 * 60);
  EXPECT_EQ(booked->local_time().hours(), 14);
  EXPECT_EQ(booked->local_date().day(), 6);
  EXPECT_EQ(booked->time_zone(), "Europe/London");
  EXPECT_NE(booked->tzdata_version(), "");
  EXPECT_EQ(booked->modality(), v1::MODALITY_IN_PERSON);
  EXPECT_EQ(booked->session_number(), 1);
  EXPECT_EQ(booked->clinician(), course.clinician());
  v1::GetAppointmentRequest get;
  get.set_name(booked->name());
  EXPECT_EQ(Do(&AppointmentHandlers::GetAppointment, anna_, get)->DebugString(),
            booked->DebugString());
}

TEST_P(BookingTest, NeitherClinicianNorPatientIsBookedTwice) {
  const v1::Course p = Begun("p");
  const v1::Course q = Begun("q");
  const v1::Course p_with_ben = Begun("p", "ben");
  const v1::Appointment first = Booked(p, 2, 10, 9);
  const absl::Status clinician = Book(scheduler_, At(q, 2, 10, 9, 49)).status();
  EXPECT_EQ(errors::Reason(clinician), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(clinician, "date"), "2026-02-10");
  EXPECT_EQ(errors::Reason(Book(scheduler_, At(p_with_ben, 2, 10, 9, 49)).status()), "TIME_TAKEN");
  EXPECT_TRUE(Book(scheduler_, At(q, 2, 10, 9, 50)).ok());
  EXPECT_TRUE(Book(scheduler_, At(p_with_ben, 2, 10, 9, 50)).ok());
}

TEST_P(BookingTest, WhatIsInTheWayIsNamedOnlyToThoseWhoMayKnowIt) {
  const v1::Course p = Begun("p");
  const v1::Course p_with_ben = Begun("p", "ben");
  const v1::Appointment first = Booked(p, 2, 10, 9);
  const auto names = [&](const Who& who) {
    const absl::Status status = Book(who, At(p_with_ben, 2, 10, 9)).status();
    EXPECT_EQ(errors::Reason(status), "TIME_TAKEN");
    bool named = false;
    status.ForEachPayload([&](absl::string_view, const absl::Cord& payload) {
      named |= absl::StrContains(std::string(payload), first.name());
    });
    return named;
  };
  EXPECT_TRUE(names(scheduler_));
  EXPECT_FALSE(names(ben_));
}

TEST_P(BookingTest, OneOfSixteenWinsAClinician) {
  std::vector<v1::Course> courses;
  for (int i = 0; i < 16; ++i) courses.push_back(Begun(absl::StrCat("p", i)));
  EXPECT_EQ(Race([&](int i) {
              const auto request = At(courses[i], 2, 10, 9, i);
              return appointments_.BookAppointment(Context(scheduler_, request), request).status();
            }),
            1);
  EXPECT_THAT(ListOf(scheduler_, "clinician: 'organizations/acme/clinicians/anna'"), SizeIs(1));
}

TEST_P(BookingTest, OneOfSixteenWinsAPatient) {
  std::vector<v1::Course> courses;
  for (int i = 0; i < 16; ++i) courses.push_back(Begun("p", i % 2 == 0 ? "anna" : "ben"));
  EXPECT_EQ(Race([&](int i) {
              const auto request = At(courses[i], 2, 10, 9, i);
              return appointments_.BookAppointment(Context(scheduler_, request), request).status();
            }),
            1);
  EXPECT_THAT(ListOf(scheduler_, "patient: 'organizations/acme/patients/p'"), SizeIs(1));
}

TEST_P(BookingTest, RacingSeriesAreWholeOrNothing) {
  std::vector<v1::Course> courses;
  for (int i = 0; i < 16; ++i) courses.push_back(Begun(absl::StrCat("p", i)));
  // Every second one begins a week later: each two overlap.
  EXPECT_EQ(Race([&](int i) {
              const auto request = SeriesOf(courses[i], 12, 2, i % 2 == 0 ? 3 : 10, 9);
              return appointments_.BookSeries(Context(scheduler_, request), request).status();
            }),
            1);
  EXPECT_THAT(ListOf(scheduler_, "clinician: 'organizations/acme/clinicians/anna'"), SizeIs(12));
}

TEST_P(BookingTest, TheDatabaseItselfRefusesAnOverlap) {
  const v1::Appointment booked = Booked(Begun("p"), 2, 10, 9);
  const absl::Time start = absl::FromUnixSeconds(booked.start_time().seconds());
  for (const std::string key : {"clinicians/anna", "patients/p"}) {
    const absl::Status status = database_->Write(
        sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
        [&](sql::Transaction& tx) -> absl::Status {
          const store::ClaimRow claim = {key, {start, start + absl::Minutes(5)}, "by-hand"};
          store::InsertClaims(tx, "acme", {claim});
          return absl::OkStatus();
        });
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(errors::MetadataValue(status, "constraint"), store::kClaimOverlap);
    EXPECT_EQ(errors::Reason(ExplainOverlap(status)), "TIME_TAKEN");
  }
}

TEST_P(BookingTest, SixteenWeeksKeepTheirLocalTimeAcrossTheClockChange) {
  const v1::Course course = Begun("p");
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 16, 2, 3, 14));
  ASSERT_TRUE(series.ok()) << series.status();
  ASSERT_EQ(series->appointments_size(), 16);
  for (int i = 0; i < 16; ++i) {
    const v1::Appointment& appointment = series->appointments(i);
    EXPECT_EQ(appointment.series(), series->series());
    EXPECT_EQ(appointment.session_number(), i + 1);
    EXPECT_EQ(appointment.local_time().hours(), 14);
    EXPECT_EQ(appointment.start_time().seconds() / 3600 % 24, i < 8 ? 14 : 13);
  }
  int told = 0;
  for (const common::v1::Event& event : Events()) {
    v1::AppointmentEvent payload;
    if (!event.payload().UnpackTo(&payload)) continue;
    EXPECT_TRUE(payload.counts_towards_course());
    ++told;
  }
  EXPECT_EQ(told, 16);
}

TEST_P(BookingTest, ASeriesWithOneTakenWeekBooksNothing) {
  const v1::Course p = Begun("p");
  const v1::Course q = Begun("q");
  const v1::Appointment taken = Booked(q, 3, 31, 14);
  const size_t before = Events().size();
  const absl::Status status =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(p, 16, 2, 3, 14)).status();
  EXPECT_EQ(errors::Reason(status), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(status, "date"), "2026-03-31");
  EXPECT_THAT(ListOf(scheduler_, Of(p)), IsEmpty());
  EXPECT_THAT(Events(), SizeIs(before));
  ASSERT_TRUE(Cancel(taken).ok());
  EXPECT_TRUE(Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(p, 16, 2, 3, 14)).ok());
}

TEST_P(BookingTest, ReasonsComeFromTheDirectoryAndTheCourse) {
  const v1::Course course = Begun("p");
  const auto reason = [&](int month, int day, int hour) {
    return errors::Reason(Book(scheduler_, At(course, month, day, hour)).status());
  };
  EXPECT_EQ(reason(2, 1, 9), "OUTSIDE_HOURS");
  EXPECT_EQ(reason(1, 30, 13), "SHORT_NOTICE");
  EXPECT_EQ(
      errors::Reason(
          Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 17, 2, 3, 9)).status()),
      "SESSION_CAP_REACHED");
  ASSERT_TRUE(Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 14, 2, 3, 9)).ok());
  EXPECT_EQ(reason(7, 1, 9), "COURSE_SPAN_EXCEEDED");
  EXPECT_EQ(reason(6, 22, 9), "");
  EXPECT_EQ(reason(6, 23, 9), "");
  EXPECT_EQ(reason(6, 16, 9), "SESSION_CAP_REACHED");
  const auto unlicensed = Parse<v1::UpdateClinicianRequest>(R"pb(
    clinician { name: "organizations/acme/clinicians/ben" }
    update_mask { paths: "licence_number" })pb");
  ASSERT_TRUE(Do(&DirectoryHandlers::UpdateClinician, admin_, unlicensed).ok());
  EXPECT_EQ(errors::Reason(Book(scheduler_, At(Begun("q", "ben"), 2, 3, 9)).status()),
            "CLINICIAN_UNLICENSED");
}

TEST_P(BookingTest, ARepeatReturnsTheFirstResultAndBooksNothing) {
  const v1::Course course = Begun("p");
  auto one = At(course, 2, 10, 9);
  one.set_request_id("r1");
  const auto first = Book(scheduler_, one);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Book(scheduler_, one)->DebugString(), first->DebugString());
  EXPECT_TRUE(replayed_);
  one.mutable_local_time()->set_hours(10);
  EXPECT_EQ(errors::Reason(Book(scheduler_, one).status()), "REQUEST_ID_REUSED");
  // Another caller's request_id is another request.
  one.mutable_local_time()->set_hours(9);
  EXPECT_EQ(errors::Reason(Book(anna_, one).status()), "TIME_TAKEN");

  auto many = SeriesOf(course, 12, 2, 17, 9);
  many.set_request_id("r1");
  const auto series = Do(&AppointmentHandlers::BookSeries, scheduler_, many);
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_EQ(Do(&AppointmentHandlers::BookSeries, scheduler_, many)->DebugString(),
            series->DebugString());
  EXPECT_TRUE(replayed_);
  EXPECT_THAT(ListOf(scheduler_, Of(course)), SizeIs(13));
}

TEST_P(BookingTest, ConcurrentTwinsBookOnce) {
  const v1::Course course = Begun("p");
  auto request = At(course, 2, 10, 9);
  request.set_request_id("r1");
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto booked = appointments_.BookAppointment(Context(scheduler_, request), request);
      if (booked.ok()) {
        ++same;
      } else {
        EXPECT_EQ(errors::Reason(booked.status()), "REQUEST_IN_PROGRESS") << booked.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(same, 1);
  EXPECT_THAT(ListOf(scheduler_, Of(course)), SizeIs(1));
}

TEST_P(BookingTest, CancellingFreesJustItsTime) {
  const v1::Course p = Begun("p");
  const v1::Course q = Begun("q");
  const v1::Appointment first = Booked(p, 2, 10, 9);
  const v1::Appointment second = Booked(p, 2, 10, 10);
  ASSERT_TRUE(Cancel(first).ok());
  EXPECT_EQ(errors::Reason(Cancel(first)), "APPOINTMENT_STATE");
  EXPECT_EQ(errors::Reason(Book(scheduler_, At(q, 2, 10, 10)).status()), "TIME_TAKEN");
  EXPECT_TRUE(Book(scheduler_, At(q, 2, 10, 9)).ok());
  EXPECT_EQ(errors::Reason(Book(scheduler_, At(p, 2, 10, 9)).status()), "TIME_TAKEN");
}

TEST_P(BookingTest, NumbersFollowTheSessionsThatCount) {
  const v1::Course course = Begun("p");
  const v1::Appointment second = Booked(course, 2, 10, 9);
  EXPECT_EQ(second.session_number(), 1);
  const v1::Appointment first = Booked(course, 2, 3, 9);
  EXPECT_EQ(first.session_number(), 1);
  Booked(course, 2, 17, 9);
  const auto numbers = [&] {
    std::vector<int> ranks;
    for (const v1::Appointment& appointment : ListOf(anna_, Of(course), 2)) {
      ranks.push_back(appointment.session_number());
    }
    return ranks;
  };
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3));
  // A no-show does not count in the classic protocol; the patient is booked again.
  v1::MarkNoShowRequest missed;
  missed.set_name(first.name());
  EXPECT_EQ(errors::Reason(Do(&AppointmentHandlers::MarkNoShow, anna_, missed).status()),
            "TOO_EARLY");
  now_ = absl::FromUnixSeconds(first.start_time().seconds());
  missed.set_etag("1");
  const auto no_show = Do(&AppointmentHandlers::MarkNoShow, anna_, missed);
  ASSERT_TRUE(no_show.ok()) << no_show.status();
  EXPECT_EQ(no_show->session_number(), 0);
  EXPECT_THAT(numbers(), ElementsAre(0, 1, 2));
  Booked(course, 2, 5, 9);
  EXPECT_THAT(numbers(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(errors::Reason(Do(&AppointmentHandlers::MarkNoShow, anna_, missed).status()),
            "STALE_ETAG");
}

TEST_P(BookingTest, AttendanceIsRecordedAndTold) {
  const v1::Course course = Begun("p");
  const v1::Appointment appointment = Booked(course, 2, 10, 9);
  v1::CheckInRequest check_in;
  check_in.set_name(appointment.name());
  EXPECT_EQ(errors::Reason(Do(&AppointmentHandlers::CheckIn, scheduler_, check_in).status()),
            "TOO_EARLY");
  now_ = absl::FromUnixSeconds(appointment.start_time().seconds());
  check_in.set_request_id("c1");
  const auto here = Do(&AppointmentHandlers::CheckIn, scheduler_, check_in);
  ASSERT_TRUE(here.ok()) << here.status();
  EXPECT_EQ(here->state(), v1::APPOINTMENT_STATE_CHECKED_IN);
  EXPECT_EQ(here->check_in_time().seconds(), absl::ToUnixSeconds(now_));
  EXPECT_EQ(here->session_number(), 1);
  EXPECT_EQ(Do(&AppointmentHandlers::CheckIn, scheduler_, check_in)->etag(), "2");
  v1::CompleteAppointmentRequest complete;
  complete.set_name(appointment.name());
  const auto held = Do(&AppointmentHandlers::CompleteAppointment, anna_, complete);
  ASSERT_TRUE(held.ok()) << held.status();
  const common::v1::Event last = Events().back();
  EXPECT_EQ(last.resource(), appointment.name());
  EXPECT_EQ(last.version(), 3);
  v1::AppointmentEvent payload;
  ASSERT_TRUE(last.payload().UnpackTo(&payload));
  EXPECT_EQ(payload.state(), v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_TRUE(payload.counts_towards_course());
}

TEST_P(BookingTest, ListsBelongToOneOfCourseClinicianAndPatient) {
  const v1::Course p = Begun("p");
  const v1::Course p_with_ben = Begun("p", "ben");
  Booked(p, 2, 10, 9);
  Booked(p, 2, 11, 9);
  Booked(p_with_ben, 2, 12, 9);
  EXPECT_THAT(ListOf(scheduler_, "patient: 'organizations/acme/patients/p'", 1), SizeIs(3));
  EXPECT_THAT(ListOf(anna_, "patient: 'organizations/acme/patients/p'"), SizeIs(2));
  EXPECT_THAT(ListOf(ben_, Of(p)), IsEmpty());
  Who south = scheduler_;
  south.clinics = {{"south"}};
  EXPECT_THAT(ListOf(south, Of(p)), IsEmpty());
  EXPECT_THAT(ListOf(scheduler_, Of(p) + " start_from { seconds: 1770768000 }"), SizeIs(1));
  EXPECT_THAT(ListOf(scheduler_, Of(p) + " start_before { seconds: 1770768000 }"), SizeIs(1));
  for (const std::string& wrong :
       {std::string("parent: 'organizations/acme'"),
        absl::StrCat("parent: 'organizations/acme' patient: 'organizations/acme/patients/p' ",
                     Of(p))}) {
    EXPECT_EQ(Do(&AppointmentHandlers::ListAppointments, scheduler_,
                 Parse<v1::ListAppointmentsRequest>(wrong))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(BookingTest, ASuspendedOrganizationBooksNothing) {
  const v1::Course course = Begun("p");
  static const sql::Statement suspend{"test.suspend", R"sql(
    UPDATE organization SET state = 'SUSPENDED' WHERE organization_id = $1)sql"};
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                          [&](sql::Transaction& tx) {
                            return tx.Query(suspend, {sql::Text("acme")}).status();
                          })
                  .ok());
  EXPECT_EQ(errors::Reason(Book(scheduler_, At(course, 2, 10, 9)).status()),
            "ORGANIZATION_SUSPENDED");
}

}  // namespace
}  // namespace rapport::scheduling
