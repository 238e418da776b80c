#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "tests/conformance/scheduling/background.h"

namespace rapport::scheduling {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kSoon[] = "urgency: WAITLIST_URGENCY_SOON";
constexpr char kUrgent[] = "urgency: WAITLIST_URGENCY_URGENT";

class WaitlistTest : public BackgroundTest {
 protected:
  // A booked session of somebody else with anna on Monday, 2 February at 10.
  void SetUp() override {
    BackgroundTest::SetUp();
    monday_ = Booked(Active("other"), 2, 2, 10);
  }
  v1::Appointment monday_;
};

TEST_P(WaitlistTest, FreedTimeIsHeldForTheMostUrgentWhoHasWaitedLongest) {
  const std::string routine = Joined(Active("a"));
  Advance(absl::Minutes(1));
  const std::string soon = Joined(Active("b"), kSoon);
  Advance(absl::Minutes(1));
  const std::string sooner = Joined(Active("c"), kSoon);
  Cancel(monday_);
  Work();
  EXPECT_EQ(StateOf(routine), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(StateOf(sooner), v1::WAITLIST_STATE_WAITING);
  const v1::WaitlistEntry entry = Entry(soon);
  ASSERT_EQ(entry.state(), v1::WAITLIST_STATE_OFFERED);
  EXPECT_EQ(time::ToTime(entry.offer_expire_time()), now_ + absl::Hours(4));
  const v1::Appointment held = Session(entry.offer());
  EXPECT_EQ(held.state(), v1::APPOINTMENT_STATE_HELD);
  EXPECT_EQ(held.course(), entry.course());
  EXPECT_EQ(held.waitlist_entry(), soon);
  EXPECT_EQ(held.start_time().seconds(), monday_.start_time().seconds());
  const auto events = EventsOf<v1::WaitlistEntryEvent>();
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[3].first.resource(), soon);
  EXPECT_EQ(events[3].first.version(), 2);
  EXPECT_EQ(events[3].second.offer(), entry.offer());
}

TEST_P(WaitlistTest, AnOfferIsAcceptedOnce) {
  const v1::Course course = Active("a");
  const v1::Appointment later = Booked(course, 2, 9, 10);
  const std::string entry = Joined(course, absl::StrCat("replaces: '", later.name(), "'"));
  EXPECT_EQ(time::ToTime(Entry(entry).latest()), time::ToTime(later.start_time()));
  Cancel(monday_);
  Work();
  const auto accepted = Accept(entry, "b2f6a1de-0f6e-4c3a-9b0a-2f43f0f4a001");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->waitlist_entry().state(), v1::WAITLIST_STATE_ACCEPTED);
  EXPECT_FALSE(accepted->waitlist_entry().has_offer_expire_time());
  EXPECT_EQ(accepted->appointment().state(), v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_EQ(accepted->appointment().session_number(), 1);
  const v1::Appointment replaced = Session(later.name());
  EXPECT_EQ(replaced.state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(replaced.cancel_reason(), v1::CANCEL_REASON_CLINIC);

  const size_t events = Events().size();
  const auto repeated = Accept(entry, "b2f6a1de-0f6e-4c3a-9b0a-2f43f0f4a001");
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->appointment().name(), accepted->appointment().name());
  EXPECT_EQ(repeated->waitlist_entry().etag(), accepted->waitlist_entry().etag());
  EXPECT_EQ(errors::Reason(Accept(entry).status()), "WAITLIST_STATE");
  EXPECT_EQ(errors::Reason(Decline(entry)), "WAITLIST_STATE");
  EXPECT_EQ(errors::Reason(Leave(entry)), "WAITLIST_STATE");
  Advance(absl::Hours(24 * 20));
  Work();
  EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_ACCEPTED);
  EXPECT_EQ(Events().size(), events);
  EXPECT_THAT(Items(), IsEmpty());
}

TEST_P(WaitlistTest, ATimeMayBeOfferedInsteadOfOneThoughAllAreBooked) {
  const v1::Course course = Active("a");
  v1::BookSeriesRequest all = SeriesOf(course, course.planned_sessions(), 2, 3, 11);
  const auto series = Do(&AppointmentHandlers::BookSeries, scheduler_, all);
  ASSERT_TRUE(series.ok()) << series.status();
  const std::string replaced = series->appointments(5).name();
  const std::string entry = Joined(course, absl::StrCat("replaces: '", replaced, "'"));
  Cancel(monday_);
  Work();
  ASSERT_EQ(StateOf(entry), v1::WAITLIST_STATE_OFFERED);
  const auto accepted = Accept(entry);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(Session(replaced).state(), v1::APPOINTMENT_STATE_CANCELLED);
}

TEST_P(WaitlistTest, WhatIsDeclinedGoesToTheNextAndNotToTheSameAgain) {
  const std::string first = Joined(Active("a"));
  Advance(absl::Minutes(1));
  const std::string second = Joined(Active("b"));
  Cancel(monday_);
  Work();
  const std::string hold = Entry(first).offer();
  ASSERT_TRUE(Decline(first).ok());
  EXPECT_EQ(Session(hold).state(), v1::APPOINTMENT_STATE_RELEASED);
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_WAITING);
  Work();
  EXPECT_EQ(Entry(first).passed_offers(), 1);
  EXPECT_EQ(Entry(first).offer(), "");
  ASSERT_EQ(StateOf(second), v1::WAITLIST_STATE_OFFERED);
  ASSERT_TRUE(Decline(second).ok());
  Work();
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(StateOf(second), v1::WAITLIST_STATE_WAITING);
  // Another time suits them.
  Cancel(Booked(Active("c"), 2, 3, 10));
  Work();
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_OFFERED);
}

TEST_P(WaitlistTest, WhatExpiresGoesToTheNext) {
  const std::string first = Joined(Active("a"));
  Advance(absl::Minutes(1));
  const std::string second = Joined(Active("b"));
  Cancel(monday_);
  Work();
  const std::string hold = Entry(first).offer();
  Advance(absl::Hours(4) - absl::Minutes(1));
  Work();
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_OFFERED);
  Advance(absl::Minutes(1));
  EXPECT_EQ(errors::Reason(Accept(first).status()), "HOLD_EXPIRED");
  Work();
  EXPECT_EQ(Session(hold).state(), v1::APPOINTMENT_STATE_EXPIRED);
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(Entry(first).passed_offers(), 1);
  EXPECT_EQ(StateOf(second), v1::WAITLIST_STATE_OFFERED);
}

TEST_P(WaitlistTest, AnEntryFollowsAHoldThatEndsElsewhere) {
  const std::string first = Joined(Active("a"));
  Advance(absl::Minutes(1));
  const std::string second = Joined(Active("b"));
  Cancel(monday_);
  Work();
  v1::ReleaseHoldRequest release;
  release.set_name(Entry(first).offer());
  ASSERT_TRUE(Do(&AppointmentHandlers::ReleaseHold, scheduler_, release).ok());
  Work();
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_WAITING);
  ASSERT_EQ(StateOf(second), v1::WAITLIST_STATE_OFFERED);
  v1::ConfirmHoldRequest confirm;
  confirm.set_name(Entry(second).offer());
  ASSERT_TRUE(Do(&AppointmentHandlers::ConfirmHold, scheduler_, confirm).ok());
  Work();
  EXPECT_EQ(StateOf(second), v1::WAITLIST_STATE_ACCEPTED);
}

TEST_P(WaitlistTest, AnExpiredOfferDoesNotStandInTheWayOfABookingAndItsEntryFollows) {
  const std::string entry = Joined(Active("a"));
  Cancel(monday_);
  Work();
  const std::string hold = Entry(entry).offer();
  Advance(absl::Hours(5));
  Booked(Active("b"), 2, 2, 10);  // before the worker comes
  EXPECT_EQ(Session(hold).state(), v1::APPOINTMENT_STATE_EXPIRED);
  Work();
  EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(Entry(entry).passed_offers(), 1);
}

TEST_P(WaitlistTest, WhoLeavesGivesTheirOfferToTheNext) {
  const std::string first = Joined(Active("a"));
  Advance(absl::Minutes(1));
  const std::string second = Joined(Active("b"));
  Cancel(monday_);
  Work();
  ASSERT_TRUE(Leave(first).ok());
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_LEFT);
  Work();
  EXPECT_EQ(StateOf(second), v1::WAITLIST_STATE_OFFERED);
  ASSERT_TRUE(Leave(second).ok());
}

TEST_P(WaitlistTest, AWaitLapsesAtItsLatestAndAnOfferOnlyWhenPassed) {
  const std::string idle = Joined(Active("a"), "days: SUNDAY");
  const std::string offered = Joined(
      Active("b"),
      absl::StrCat("latest { seconds: ",
                   time::ToTimestamp(now_ + absl::Hours(70) + absl::Minutes(1)).seconds(), " }"));
  AdvanceTo("2026-02-02T07:00:00Z");
  Cancel(monday_);
  Work();
  ASSERT_EQ(StateOf(offered), v1::WAITLIST_STATE_OFFERED);
  EXPECT_EQ(time::ToTime(Entry(offered).offer_expire_time()), time::ToTime(monday_.start_time()));
  AdvanceTo("2026-02-02T10:05:00Z");  // both are past
  Work();
  EXPECT_EQ(StateOf(offered), v1::WAITLIST_STATE_LAPSED);
  EXPECT_EQ(Entry(offered).passed_offers(), 1);
  AdvanceTo("2026-02-27T11:59:00Z");
  Work();
  EXPECT_EQ(StateOf(idle), v1::WAITLIST_STATE_WAITING);
  Advance(absl::Minutes(1));
  Work();
  EXPECT_EQ(StateOf(idle), v1::WAITLIST_STATE_LAPSED);
}

TEST_P(WaitlistTest, WhoseCourseHasEndedLapsesAndWhoseIsPausedWaits) {
  const v1::Course ended = Active("a"), paused = Active("b"), going = Active("c");
  const std::string first = Joined(ended);
  const std::string second = Joined(paused);
  Advance(absl::Minutes(1));
  const std::string third = Joined(going);
  v1::DiscontinueCourseRequest end;
  end.set_name(ended.name());
  end.set_reason(v1::DISCONTINUE_REASON_PATIENT_CHOICE);
  ASSERT_TRUE(Do(&CourseHandlers::DiscontinueCourse, anna_, end).ok());
  v1::PauseCourseRequest pause;
  pause.set_name(paused.name());
  pause.set_reason(v1::PAUSE_REASON_ILLNESS);
  *pause.mutable_return_date() = time::ToDate(absl::CivilDay(2026, 3, 2));
  const auto stopped = Do(&CourseHandlers::PauseCourse, anna_, pause);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  Cancel(monday_);
  Work();
  EXPECT_EQ(StateOf(first), v1::WAITLIST_STATE_LAPSED);
  EXPECT_EQ(StateOf(second), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(StateOf(third), v1::WAITLIST_STATE_OFFERED);
}

TEST_P(WaitlistTest, ATransferredCourseWaitsForItsNewClinician) {
  const v1::Course course = Active("a");
  const std::string entry = Joined(course);
  const auto transferred = Do(&CourseHandlers::TransferCourse, manager_,
                              Parse<v1::TransferCourseRequest>(
                                  absl::StrCat("name: '", course.name(),
                                               "' clinician: 'organizations/acme/clinicians/ben'"
                                               " reason: TRANSFER_REASON_CLINICIAN_LEAVES"
                                               " sessions: TRANSFER_SESSIONS_MOVE")));
  ASSERT_TRUE(transferred.ok()) << transferred.status();
  Cancel(monday_);
  Work();
  EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_WAITING);
  Cancel(Booked(Active("b", "ben"), 2, 2, 10));
  Work();
  EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_OFFERED);
}

TEST_P(WaitlistTest, WhoCanNotComeIsPassedOver) {
  // Their patients are with ben at that time.
  std::vector<std::string> busy;
  for (const char* patient : {"a", "b"}) {
    const v1::Course course = Active(patient);
    const v1::Course other = Active(patient, "ben");
    const auto booked = Do(&AppointmentHandlers::BookAppointment, scheduler_,
                           At(other, 2, 2, patient[0] == 'a' ? 9 : 10, 30));
    ASSERT_TRUE(booked.ok()) << booked.status();
    busy.push_back(Joined(course, kSoon));
  }
  const std::string free = Joined(Active("c"));
  Cancel(monday_);
  Work();
  for (const std::string& entry : busy) {
    EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_WAITING);
    EXPECT_EQ(Entry(entry).passed_offers(), 0);
  }
  EXPECT_EQ(StateOf(free), v1::WAITLIST_STATE_OFFERED);
}

TEST_P(WaitlistTest, WhatIsLeftOfAFreedTimeGoesToTheNext) {
  const std::string first = Joined(Active("a"), "minutes: 20");
  Advance(absl::Minutes(1));
  const std::string second = Joined(Active("b"), "minutes: 30");
  const std::string third = Joined(Active("c"), "minutes: 30");
  Cancel(monday_);
  Work();
  EXPECT_EQ(Session(Entry(first).offer()).start_time().seconds(), monday_.start_time().seconds());
  const v1::WaitlistState states[] = {StateOf(second), StateOf(third)};
  EXPECT_EQ(std::count(states, states + 2, v1::WAITLIST_STATE_OFFERED), 1);
}

TEST_P(WaitlistTest, NothingIsDoneWhereNobodyWaits) {
  Joined(Active("a", "ben"));
  Cancel(monday_);
  EXPECT_THAT(Items(), Not(Contains(StartsWith("freed_time"))));
}

TEST_P(WaitlistTest, TimesTooSoonAreNotOffered) {
  const std::string entry = Joined(Active("a"));
  AdvanceTo("2026-02-02T08:30:00Z");  // within the minimum notice of two hours
  Cancel(monday_);
  Work();
  EXPECT_EQ(StateOf(entry), v1::WAITLIST_STATE_WAITING);
}

TEST_P(WaitlistTest, TheUrgentAreOfferedTheNearestFreeTimeAtOnce) {
  // The hint says that Monday at 10 is free, which it is not, and then 11.
  nearest_ = [&](absl::string_view clinician, absl::string_view clinic, absl::Time around,
                 int minutes) -> std::optional<absl::Time> {
    EXPECT_EQ(clinician, "organizations/acme/clinicians/anna");
    EXPECT_EQ(clinic, "organizations/acme/clinics/north");
    EXPECT_EQ(minutes, 50);
    const absl::Time ten = time::ToTime(monday_.start_time());
    return around <= ten ? ten : ten + absl::Hours(1);
  };
  const auto urgent = Join(Active("a"), kUrgent);
  ASSERT_TRUE(urgent.ok()) << urgent.status();
  EXPECT_EQ(urgent->state(), v1::WAITLIST_STATE_OFFERED);
  EXPECT_EQ(urgent->etag(), "2");
  EXPECT_EQ(time::ToTime(Session(urgent->offer()).start_time()),
            time::ToTime(monday_.start_time()) + absl::Hours(1));
  EXPECT_EQ(Entry(urgent->name()).SerializeAsString(), urgent->SerializeAsString());
  const auto accepted = Accept(urgent->name());
  EXPECT_TRUE(accepted.ok()) << accepted.status();

  EXPECT_EQ(Join(Active("b"), kSoon)->state(), v1::WAITLIST_STATE_WAITING);
  const auto booster = Join(Active("c"), "urgency: WAITLIST_URGENCY_BOOSTER days: TUESDAY");
  ASSERT_TRUE(booster.ok()) << booster.status();
  EXPECT_EQ(booster->state(), v1::WAITLIST_STATE_WAITING);
  nearest_ = [&](absl::string_view, absl::string_view, absl::Time,
                 int) -> std::optional<absl::Time> { return now_ + absl::Hours(24 * 7); };
  EXPECT_EQ(Join(Active("d"), kUrgent)->state(), v1::WAITLIST_STATE_WAITING);
}

TEST_P(WaitlistTest, JoiningAsksForACourseThatMayBeBookedAndDoesNotWaitYet) {
  const v1::Course course = Active("a");
  const v1::Course proposed = *Do(&CourseHandlers::CreateCourse, anna_, NewCourse("p"));
  EXPECT_EQ(errors::Reason(Join(proposed).status()), "COURSE_STATE");
  for (const std::string& other : {monday_.name(), absl::StrCat(monday_.name(), "x")}) {
    EXPECT_EQ(errors::Reason(Join(course, absl::StrCat("replaces: '", other, "'")).status()),
              "APPOINTMENT_MISMATCH");
  }
  const std::string entry = Joined(course);
  EXPECT_EQ(errors::Reason(Join(course).status()), "ALREADY_WAITING");
  ASSERT_TRUE(Leave(entry).ok());
  EXPECT_TRUE(Join(course).ok());
}

TEST_P(WaitlistTest, WhoMayKnowTheTimesOfTheCourseMayKnowItsEntries) {
  const v1::Course course = Active("a");
  const auto join = [&](const Who& who) {
    return Ask(
        &WaitlistHandlers::JoinWaitlist, who,
        Parse<v1::JoinWaitlistRequest>(absl::StrCat(
            "parent: 'organizations/acme' waitlist_entry { course: '", course.name(), "' }")));
  };
  const Who south{"desk", {"scheduler"}, {{"south"}}, "acme"};
  for (const Who& stranger : {ben_, south}) {
    EXPECT_TRUE(absl::IsNotFound(join(stranger).status()));
  }
  const auto entry = join(anna_);
  ASSERT_TRUE(entry.ok()) << entry.status();
  v1::GetWaitlistEntryRequest get;
  get.set_name(entry->name());
  v1::LeaveWaitlistRequest leave;
  leave.set_name(entry->name());
  leave.set_etag("7");
  v1::ListWaitlistEntriesRequest list;
  list.set_parent("organizations/acme");
  for (const Who& stranger : {ben_, south}) {
    EXPECT_TRUE(absl::IsNotFound(Ask(&WaitlistHandlers::GetWaitlistEntry, stranger, get).status()));
    EXPECT_TRUE(absl::IsNotFound(Ask(&WaitlistHandlers::LeaveWaitlist, stranger, leave).status()));
    EXPECT_EQ(Ask(&WaitlistHandlers::ListWaitlistEntries, stranger, list)->waitlist_entries_size(),
              0);
  }
  for (const Who& who : {anna_, scheduler_, manager_}) {
    EXPECT_TRUE(Ask(&WaitlistHandlers::GetWaitlistEntry, who, get).ok());
    EXPECT_EQ(errors::Reason(Ask(&WaitlistHandlers::LeaveWaitlist, who, leave).status()),
              "STALE_ETAG");
    EXPECT_EQ(Ask(&WaitlistHandlers::ListWaitlistEntries, who, list)->waitlist_entries_size(), 1);
  }
}

TEST_P(WaitlistTest, ListsInTheOrderOfService) {
  std::vector<std::string> entries;
  for (const char* more : {"", kSoon, "", kUrgent, kSoon}) {
    Advance(absl::Minutes(1));
    entries.push_back(Joined(
        Active(absl::StrCat("p", entries.size()), entries.size() == 2 ? "ben" : "anna"), more));
  }
  v1::ListWaitlistEntriesRequest list;
  list.set_parent("organizations/acme");
  list.set_page_size(2);
  const auto pages = [&] {
    std::vector<std::string> listed;
    do {
      const auto page = Ask(&WaitlistHandlers::ListWaitlistEntries, scheduler_, list);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const auto& entry : page->waitlist_entries()) listed.push_back(entry.name());
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return listed;
  };
  EXPECT_THAT(pages(), ElementsAre(entries[3], entries[1], entries[4], entries[0], entries[2]));
  list.set_clinician("organizations/acme/clinicians/anna");
  EXPECT_THAT(pages(), ElementsAre(entries[3], entries[1], entries[4], entries[0]));
  list.clear_clinician();
  list.set_course(Entry(entries[4]).course());
  EXPECT_THAT(pages(), ElementsAre(entries[4]));
  ASSERT_TRUE(Leave(entries[4]).ok());
  EXPECT_THAT(pages(), IsEmpty());
  list.set_include_closed(true);
  EXPECT_THAT(pages(), ElementsAre(entries[4]));
}

// Accepting, declining, expiring and passing on race; whatever comes of it, it holds together.
TEST_P(WaitlistTest, OneFreedTimeIsTakenAtMostOnceHoweverManyTry) {
  std::vector<std::string> entries;
  for (int i = 0; i < 8; ++i) {
    Advance(absl::Minutes(1));
    entries.push_back(Joined(Active(absl::StrCat("p", i))));
  }
  const v1::Appointment freed = Booked(Active("last"), 2, 16, 10);
  Cancel(freed);

  std::atomic<bool> taken{false};
  std::atomic<int> strange{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      const auto pick = [&] { return entries[random() % entries.size()]; };
      // What a race may answer.
      const auto expect = [&](const absl::Status& status) {
        const std::string reason = errors::Reason(status);
        if (!status.ok() && reason != "WAITLIST_STATE" && reason != "HOLD_EXPIRED" &&
            reason != "LOST_RACE" && reason != "APPOINTMENT_STATE") {
          ++strange;
          ADD_FAILURE() << status;
        }
      };
      for (int i = 0; i < 60 && !taken; ++i) {
        if (t < 2) {
          const auto done = background_.RunOnce();
          if (!done.ok()) ADD_FAILURE() << done.status();
        } else if (t == 2) {
          clock_.Advance(absl::Minutes(40));
        } else if (t < 6) {
          expect(Decline(pick()));
        } else if (i > 20) {
          const auto accepted = Accept(pick());
          expect(accepted.status());
          if (accepted.ok()) taken = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(strange, 0);
  now_ = clock_.Now();
  for (int i = 0; i < 20; ++i) {  // what failed is put off
    Work();
    Advance(absl::Seconds(5));
  }

  int accepted = 0;
  std::map<std::string, std::string> offers;
  for (const std::string& name : entries) {
    const v1::WaitlistEntry entry = Entry(name);
    EXPECT_THAT(entry.state(), AnyOf(v1::WAITLIST_STATE_WAITING, v1::WAITLIST_STATE_OFFERED,
                                     v1::WAITLIST_STATE_ACCEPTED));
    if (entry.state() == v1::WAITLIST_STATE_ACCEPTED) ++accepted;
    if (!entry.offer().empty()) offers[entry.offer()] = name;
    EXPECT_LE(entry.passed_offers(), 1);  // it is not offered the same again
  }
  EXPECT_EQ(accepted, taken ? 1 : 0);
  EXPECT_LE(offers.size(), 1u);
  v1::ListAppointmentsRequest list;
  list.set_parent("organizations/acme");
  list.set_clinician("organizations/acme/clinicians/anna");
  list.set_page_size(500);
  const auto appointments = Do(&AppointmentHandlers::ListAppointments, scheduler_, list);
  ASSERT_TRUE(appointments.ok()) << appointments.status();
  std::map<std::string, int> ended;
  for (const v1::Appointment& appointment : appointments->appointments()) {
    if (appointment.waitlist_entry().empty()) continue;
    switch (appointment.state()) {
      case v1::APPOINTMENT_STATE_BOOKED:
      case v1::APPOINTMENT_STATE_HELD:
        EXPECT_EQ(offers[appointment.name()], appointment.waitlist_entry());
        EXPECT_EQ(StateOf(appointment.waitlist_entry()),
                  appointment.state() == v1::APPOINTMENT_STATE_HELD ? v1::WAITLIST_STATE_OFFERED
                                                                    : v1::WAITLIST_STATE_ACCEPTED);
        break;
      default:
        ++ended[appointment.waitlist_entry()];
    }
  }
  for (const std::string& name : entries) {
    EXPECT_EQ(Entry(name).passed_offers(), ended[name]);
  }
  std::map<std::string, int64_t> versions;
  for (const common::v1::Event& event : Events()) {
    EXPECT_EQ(event.version(), ++versions[event.resource()]) << event.resource();
  }
}

INSTANTIATE_ON_ENGINES(WaitlistTest);

}  // namespace
}  // namespace rapport::scheduling
