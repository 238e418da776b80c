// A history of many callers at once, and what must hold after it (the seed is logged).
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/store/appointment_store.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::IsEmpty;

constexpr int kThreads = 16;
constexpr int kSteps = 60;
constexpr int kSeries = 3;
constexpr absl::Duration kLongestRun = absl::Seconds(8);
constexpr const char* kClinicians[] = {"anna", "ben", "carl", "dora", "emil"};

// What a caller may be told of the others.
const std::set<std::string>& Documented() {
  static const auto* const reasons = new std::set<std::string>{"TIME_TAKEN",
                                                               "NO_ROOM",
                                                               "DAY_FULL",
                                                               "OUTSIDE_HOURS",
                                                               "SESSION_CAP_REACHED",
                                                               "HOLD_EXPIRED",
                                                               "APPOINTMENT_STATE",
                                                               "NOT_IN_SERIES",
                                                               "COURSE_SPAN_EXCEEDED",
                                                               "REQUEST_IN_PROGRESS"};
  return *reasons;
}

class BookingRaceTest : public SchedulingTest {
 protected:
  void SetUp() override {
    SchedulingTest::SetUp();
    for (const char* name : {"carl", "dora", "emil"}) {
      ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", name)).ok());
    }
    for (const char* name : kClinicians) {
      ASSERT_TRUE(Do(&DirectoryHandlers::UpdateClinician, admin_,
                     Parse<v1::UpdateClinicianRequest>(absl::StrCat(
                         "clinician { name: 'organizations/acme/clinicians/", name,
                         "' buffer_minutes: 10 max_sessions_per_day: 3 } update_mask { paths: "
                         "'buffer_minutes' paths: 'max_sessions_per_day' }")))
                      .ok());
    }
    for (const char* room : {"a", "b"}) {
      ASSERT_TRUE(Do(&DirectoryHandlers::CreateRoom, admin_,
                     Parse<v1::CreateRoomRequest>(
                         absl::StrCat("parent: 'organizations/acme/clinics/north' room_id: '", room,
                                      "' room { display_name: 'R' capacity: 3 }")))
                      .ok());
    }
    // Each patient is with two clinicians.
    for (int i = 0; i < 10; ++i) {
      courses_of_.push_back(Begun(absl::StrCat("p", i / 2), kClinicians[i % 5]));
    }
    clock_ = absl::ToUnixMicros(now_);
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Call(absl::StatusOr<Response> (AppointmentHandlers::*method)(
                                    const call::CallContext&, const Request&),
                                const Request& request, absl::Time now) {
    call::CallContext context = Context(scheduler_, request);
    context.now = now;
    absl::StatusOr<Response> response = (appointments_.*method)(context, request);
    if (!response.ok() && !Documented().contains(errors::Reason(response.status()))) {
      const std::lock_guard<std::mutex> lock(mutex_);
      surprises_.push_back(
          absl::StrCat(Request::descriptor()->name(), ": ", response.status().ToString()));
    }
    return response;
  }

  absl::Time Tick() { return absl::FromUnixMicros(clock_ += 1'000'000); }

  void Keep(const v1::Appointment& appointment) {
    const std::lock_guard<std::mutex> lock(mutex_);
    known_.push_back(appointment);
  }

  void Step(std::mt19937& random, int thread, int step);

  std::vector<v1::Course> courses_of_;
  std::atomic<int64_t> clock_ = 0;
  std::mutex mutex_;
  std::vector<v1::Appointment> known_;
  std::set<std::string> series_;  // acknowledged
  std::map<std::string, std::string> outcomes_;
  std::vector<std::string> surprises_;
};
INSTANTIATE_ON_ENGINES(BookingRaceTest);

void BookingRaceTest::Step(std::mt19937& random, int thread, int step) {
  const auto any = [&](int below) { return static_cast<int>(random() % below); };
  const absl::Time now = Tick();
  const v1::Course& course = courses_of_[any(static_cast<int>(courses_of_.size()))];
  const int day = 9 + any(4), hour = 9 + any(6), minute = 15 * any(4);
  const auto need_room = [&](v1::RoomNeed* need) {
    if (any(2) == 0) need->set_capacity(2);
  };
  v1::Appointment chosen;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!known_.empty()) chosen = known_[any(static_cast<int>(known_.size()))];
  }
  switch (any(10)) {
    case 0:
    case 1: {
      auto request = At(course, 2, day, hour, minute);
      need_room(request.mutable_room_need());
      request.set_request_id(absl::StrCat("r-", thread, "-", step));
      const auto first = Call(&AppointmentHandlers::BookAppointment, request, now);
      if (!first.ok()) break;
      Keep(*first);
      const auto again = Call(&AppointmentHandlers::BookAppointment, request, Tick());
      const std::lock_guard<std::mutex> lock(mutex_);
      outcomes_[request.request_id()] = first->name();
      if (again.ok() && again->name() != first->name()) surprises_.push_back("two outcomes");
      break;
    }
    case 2: {
      auto request = SeriesOf(course, kSeries, 2, day, hour);
      need_room(request.mutable_room_need());
      const auto booked = Call(&AppointmentHandlers::BookSeries, request, now);
      if (!booked.ok()) break;
      for (const v1::Appointment& one : booked->appointments()) Keep(one);
      const std::lock_guard<std::mutex> lock(mutex_);
      series_.insert(booked->series());
      break;
    }
    case 3:
    case 4: {
      auto request = Parse<v1::HoldAppointmentRequest>(absl::StrCat(
          "parent: 'organizations/acme' course: '", course.name(),
          "' session { local_date { year: 2026 month: 2 day: ", day,
          " } local_time { hours: ", hour, " minutes: ", minute, " } } hold_for { seconds: 60 }"));
      need_room(request.mutable_session()->mutable_room_need());
      const auto held = Call(&AppointmentHandlers::HoldAppointment, request, now);
      if (held.ok()) Keep(*held);
      break;
    }
    case 5:
    case 6: {
      if (chosen.name().empty()) break;
      v1::ConfirmHoldRequest request;
      request.set_name(chosen.name());
      const auto confirmed = Call(&AppointmentHandlers::ConfirmHold, request, now);
      if (confirmed.ok() && time::ToTime(chosen.hold_expire_time()) <= now) {
        const std::lock_guard<std::mutex> lock(mutex_);
        surprises_.push_back("an expired hold was confirmed");
      }
      break;
    }
    case 7: {
      if (chosen.name().empty()) break;
      v1::ReleaseHoldRequest request;
      request.set_name(chosen.name());
      (void)Call(&AppointmentHandlers::ReleaseHold, request, now);
      break;
    }
    case 8: {
      if (chosen.name().empty()) break;
      v1::CancelAppointmentRequest request;
      request.set_name(chosen.name());
      request.set_reason(v1::CANCEL_REASON_PATIENT);
      (void)Call(&AppointmentHandlers::CancelAppointment, request, now);
      break;
    }
    default: {
      if (chosen.name().empty()) break;
      auto request = Parse<v1::RescheduleAppointmentRequest>(absl::StrCat(
          "name: '", chosen.name(), "' local_date { year: 2026 month: 2 day: ", day,
          " } local_time { hours: ", hour, " minutes: ", minute, " } clinician: '",
          any(2) == 0 ? chosen.clinician()
                      : absl::StrCat("organizations/acme/clinicians/", kClinicians[any(5)]),
          "'"));
      if (any(2) == 0) request.set_scope(v1::RESCHEDULE_SCOPE_THIS_AND_FOLLOWING);
      (void)Call(&AppointmentHandlers::RescheduleAppointment, request, now);
      break;
    }
  }
}

TEST_P(BookingRaceTest, WhateverTheyDoTheBooksBalance) {
  const char* given = std::getenv("RAPPORT_RACE_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE(absl::StrCat("RAPPORT_RACE_SEED=", seed));
  const absl::Time until = absl::Now() + kLongestRun;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(seed + thread);
      for (int step = 0; step < kSteps && absl::Now() < until; ++step) Step(random, thread, step);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(surprises_, IsEmpty());
  EXPECT_GT(known_.size(), 20u);

  static const sql::Statement overlaps{"test.race.overlaps", R"sql(
    SELECT COUNT(*) FROM claim a JOIN claim b
      ON b.organization_id = $1 AND b.resource = a.resource AND b.booking > a.booking
     AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at
    WHERE a.organization_id = $1)sql"};
  static const sql::Statement claims{"test.race.claims", R"sql(
    SELECT resource, booking, starts_at, ends_at, state FROM claim WHERE organization_id = $1)sql"};
  static const sql::Statement rows{"test.race.appointments", R"sql(
    SELECT document, version, counts FROM appointment WHERE organization_id = $1)sql"};
  static const sql::Statement attendees{"test.race.attendees", R"sql(
    SELECT person, appointment_id, starts_at FROM attendee WHERE organization_id = $1)sql"};

  using Row = std::tuple<std::string, std::string, int64_t, int64_t, std::string>;
  std::set<Row> taken, expected;
  std::set<std::tuple<std::string, std::string, int64_t>> listed, of_patients;
  std::map<std::string, std::pair<v1::Appointment, int64_t>> table;
  std::map<std::string, int> of_series, of_course, of_day;
  ASSERT_TRUE(
      database_
          ->Read(
              sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
              [&](sql::Session& session) -> absl::Status {
                ASSIGN_OR_RETURN(sql::Result found, session.Query(overlaps, {sql::Text("acme")}));
                EXPECT_EQ(found.Int(0, 0), 0);
                ASSIGN_OR_RETURN(found, session.Query(claims, {sql::Text("acme")}));
                for (size_t i = 0; i < found.rows(); ++i) {
                  taken.emplace(found.Text(i, 0), found.Text(i, 1), found.Int(i, 2),
                                found.Int(i, 3), found.Text(i, 4));
                }
                ASSIGN_OR_RETURN(found, session.Query(attendees, {sql::Text("acme")}));
                for (size_t i = 0; i < found.rows(); ++i) {
                  listed.emplace(found.Text(i, 0), found.Text(i, 1), found.Int(i, 2));
                }
                ASSIGN_OR_RETURN(found, session.Query(rows, {sql::Text("acme")}));
                for (size_t i = 0; i < found.rows(); ++i) {
                  v1::Appointment appointment;
                  EXPECT_TRUE(appointment.ParseFromString(found.Bytes(i, 0)));
                  table[appointment.name()] = {appointment, found.Int(i, 1)};
                  const bool held = appointment.state() == v1::APPOINTMENT_STATE_HELD;
                  if (found.Bool(i, 2)) ++of_course[appointment.course()];
                  ++of_series[appointment.series()];
                  const std::string id(names::Last(appointment.name()));
                  const int64_t start = absl::ToUnixMicros(time::ToTime(appointment.start_time()));
                  const int64_t end = absl::ToUnixMicros(time::ToTime(appointment.end_time()));
                  of_patients.emplace(ClaimKey(appointment.patient()), id, start);
                  if (!TakesTime(appointment.state())) continue;
                  const std::string state = held ? "HELD" : "BOOKED";
                  ++of_day[absl::StrCat(appointment.clinician(), " ",
                                        appointment.local_date().ShortDebugString())];
                  expected.emplace(ClaimKey(appointment.clinician()), id, start, end + 600'000'000,
                                   state);
                  expected.emplace(ClaimKey(appointment.patient()), id, start, end, state);
                  if (!appointment.room().empty()) {
                    expected.emplace(ClaimKey(appointment.room()), id, start, end, state);
                  }
                }
                return absl::OkStatus();
              })
          .ok());
  EXPECT_EQ(taken, expected);
  EXPECT_EQ(listed, of_patients);
  for (const auto& [course, sessions] : of_course) EXPECT_LE(sessions, 16) << course;
  for (const auto& [day, sessions] : of_day) EXPECT_LE(sessions, 3) << day;
  of_series.erase("");
  EXPECT_EQ(of_series.size(), series_.size());
  for (const auto& [series, sessions] : of_series) {
    EXPECT_TRUE(series_.contains(series));
    EXPECT_EQ(sessions, kSeries);
  }
  for (const auto& [request, name] : outcomes_) EXPECT_TRUE(table.contains(name)) << request;

  // What the feed told is what the table says.
  std::map<std::string, int64_t> versions;
  std::map<std::string, v1::AppointmentEvent> told;
  for (int pass = 0; pass < 20; ++pass) (void)events::Sequencer(*database_).RunOnce(absl::Now());
  for (const common::v1::Event& event : Events()) {
    v1::AppointmentEvent payload;
    if (!event.payload().UnpackTo(&payload)) continue;
    EXPECT_EQ(event.version(), ++versions[event.resource()]) << event.resource();
    told[event.resource()] = payload;
  }
  EXPECT_EQ(told.size(), table.size());
  const v1::Protocol& classic = *ShippedProtocols().Find("protocols/classic/revisions/1");
  for (const auto& [name, row] : table) {
    EXPECT_EQ(versions[name], row.second) << name;
    const absl::Time busy_until = TakesTime(row.first.state())
                                      ? time::ToTime(row.first.end_time()) + absl::Minutes(10)
                                      : absl::InfiniteFuture();
    EXPECT_EQ(told[name].DebugString(), PayloadOf(row.first, classic, busy_until).DebugString());
  }
}

}  // namespace
}  // namespace rapport::scheduling
