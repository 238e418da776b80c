#include "services/scheduling/domain/reminders.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kHour = absl::Hours(1);

// An organisation's appointments and its reminder worker.
class Worker {
 public:
  explicit Worker(std::vector<absl::Duration> leads, absl::Duration longest = 365 * kDay)
      : leads_(std::move(leads)), longest_(longest) {}

  void Book(const std::string& id, absl::Time start, absl::Time at) { booked_[id] = {start, at}; }
  void SetLeads(std::vector<absl::Duration> leads) { leads_ = std::move(leads); }

  // "id lead" of what one run gives, in whole minutes.
  std::vector<std::string> Run(absl::Time now) {
    std::vector<std::string> given;
    std::vector<ReminderMark> kept;
    caught_up_ = true;
    for (const ReminderWindow& window : ReminderWindows(leads_, marks_, now, longest_)) {
      for (const auto& [id, times] : booked_) {
        if (!RemindsOf(window, times.first, times.second)) continue;
        EXPECT_GT(times.first, now) << "reminded of a session that has begun";
        given.push_back(id + " " + absl::FormatDuration(window.lead_time));
      }
      caught_up_ = caught_up_ && CatchesUp(window, now);
      kept.push_back(window.mark);
    }
    marks_ = kept;
    return given;
  }

  bool caught_up() const { return caught_up_; }
  const std::vector<ReminderMark>& marks() const { return marks_; }

 private:
  std::vector<absl::Duration> leads_;
  absl::Duration longest_;
  std::vector<ReminderMark> marks_;
  std::map<std::string, std::pair<absl::Time, absl::Time>> booked_;
  bool caught_up_ = true;
};

const absl::Time kNow = absl::FromUnixSeconds(1772445600);  // 2 March 2026, 10:00 UTC

// A minute after the moment at which what is due at `due` can be given.
absl::Time After(absl::Time due) { return due + kBookingSettles + absl::Minutes(1); }

TEST(RemindersTest, EachLeadTimeRemindsOnceWhenItIsReached) {
  Worker worker({kDay, 2 * kHour});
  const absl::Time start = kNow + 3 * kDay;
  worker.Run(kNow);
  worker.Book("a", start, kNow);
  std::map<std::string, absl::Time> given;
  for (absl::Time now = kNow; now < start + kDay; now += absl::Minutes(1)) {
    for (const std::string& reminder : worker.Run(now)) {
      EXPECT_TRUE(given.emplace(reminder, now).second) << reminder << " twice";
    }
  }
  ASSERT_EQ(given.size(), 2u);
  const absl::Duration late_at_most = kBookingSettles + absl::Minutes(1);
  EXPECT_GE(given["a 24h"], start - kDay);
  EXPECT_LE(given["a 24h"], start - kDay + late_at_most);
  EXPECT_GE(given["a 2h"], start - 2 * kHour);
  EXPECT_LE(given["a 2h"], start - 2 * kHour + late_at_most);
}

TEST(RemindersTest, WindowsAreHalfOpenSoThatNoStartIsInTwo) {
  const std::vector<ReminderMark> marks = {{kDay, kNow}};
  const absl::Time now = kNow + kHour;
  const auto window = ReminderWindows({kDay}, marks, now, kDay).at(0);
  EXPECT_EQ(window.after, kNow + kDay);
  EXPECT_EQ(window.until, now - kBookingSettles + kDay);
  EXPECT_EQ(window.mark.reminded_until, now - kBookingSettles);
  EXPECT_FALSE(RemindsOf(window, window.after, kNow - kHour));
  EXPECT_TRUE(RemindsOf(window, window.after + absl::Microseconds(1), kNow - kHour));
  EXPECT_TRUE(RemindsOf(window, window.until, kNow - kHour));
  EXPECT_FALSE(RemindsOf(window, window.until + absl::Microseconds(1), kNow - kHour));
  const auto next = ReminderWindows({kDay}, {{window.mark}}, now + kHour, kDay).at(0);
  EXPECT_EQ(next.after, window.until);
}

TEST(RemindersTest, AfterDowntimeWhatIsStillToComeIsRemindedOfOnceForEachLeadTime) {
  Worker worker({2 * kDay, kDay, kHour});
  worker.Run(kNow);
  worker.Book("begun", kNow + 3 * kDay, kNow);
  worker.Book("now", kNow + 4 * kDay, kNow);
  worker.Book("soon", kNow + 4 * kDay + absl::Minutes(30), kNow);
  worker.Book("tomorrow", kNow + 5 * kDay, kNow);
  worker.Book("later", kNow + 9 * kDay, kNow);
  EXPECT_THAT(
      worker.Run(After(kNow + 4 * kDay)),
      UnorderedElementsAre("soon 48h", "soon 24h", "soon 1h", "tomorrow 48h", "tomorrow 24h"));
  EXPECT_THAT(worker.Run(After(kNow + 4 * kDay) + absl::Minutes(5)), IsEmpty());
}

TEST(RemindersTest, NothingIsRemindedOfOnceItBegins) {
  Worker worker({kHour});
  worker.Run(kNow);
  worker.Book("a", kNow + kDay, kNow);
  EXPECT_THAT(worker.Run(kNow + kDay), IsEmpty());
  Worker earlier({kHour});
  earlier.Run(kNow);
  earlier.Book("a", kNow + kDay, kNow);
  EXPECT_THAT(earlier.Run(kNow + kDay - absl::Microseconds(1)), ElementsAre("a 1h"));
}

TEST(RemindersTest, DowntimeIsCaughtUpWithInBoundedRuns) {
  Worker worker({kDay}, 6 * kHour);
  worker.Run(kNow);
  for (int i = 0; i < 40; ++i) {
    worker.Book(std::to_string(i), kNow + kDay + (i + 1) * kHour, kNow);
  }
  const absl::Time back = After(kNow + 20 * kHour);
  std::vector<std::string> given;
  int runs = 0;
  do {
    for (const std::string& reminder : worker.Run(back)) given.push_back(reminder);
    ++runs;
  } while (!worker.caught_up());
  EXPECT_EQ(given.size(), 20u);
  EXPECT_EQ(runs, 4);
  EXPECT_THAT(std::vector<std::string>(given.begin(), given.begin() + 2),
              ElementsAre("0 24h", "1 24h"));
}

TEST(RemindersTest, AMovedSessionIsRemindedOfAtItsNewTime) {
  Worker worker({kDay});
  worker.Run(kNow);
  worker.Book("a", kNow + 2 * kDay, kNow);
  const absl::Time reminded = After(kNow + kDay);
  EXPECT_THAT(worker.Run(reminded), ElementsAre("a 24h"));
  worker.Book("a", kNow + 5 * kDay, reminded + kHour);
  EXPECT_THAT(worker.Run(After(kNow + 2 * kDay)), IsEmpty());
  EXPECT_THAT(worker.Run(After(kNow + 4 * kDay)), ElementsAre("a 24h"));
  // Brought forward within the lead time: the change itself has told.
  worker.Book("a", After(kNow + 4 * kDay) + 3 * kHour, After(kNow + 4 * kDay));
  EXPECT_THAT(worker.Run(After(kNow + 4 * kDay) + kHour), IsEmpty());
}

TEST(RemindersTest, ASessionMovedBeforeItsReminderGetsOnlyTheNewOne) {
  Worker worker({kDay});
  worker.Run(kNow);
  worker.Book("a", kNow + 2 * kDay, kNow);
  worker.Book("a", kNow + 4 * kDay, kNow + kHour);
  EXPECT_THAT(worker.Run(After(kNow + kDay)), IsEmpty());
  EXPECT_THAT(worker.Run(After(kNow + 3 * kDay)), ElementsAre("a 24h"));
}

TEST(RemindersTest, WhatIsBookedAtShorterNoticeIsNotRemindedOfAlsoAfterDowntime) {
  Worker worker({kDay, kHour});
  worker.Run(kNow);
  const absl::Time start = kNow + 2 * kDay;
  worker.Book("on time", start, start - kDay);
  worker.Book("short", start, start - kDay + absl::Microseconds(1));
  EXPECT_THAT(worker.Run(start - 2 * kHour), ElementsAre("on time 24h"));
  EXPECT_THAT(worker.Run(After(start - kHour)), UnorderedElementsAre("on time 1h", "short 1h"));
}

TEST(RemindersTest, ABookingThatCommitsLateIsNotPassedBy) {
  Worker worker({kDay});
  worker.Run(kNow);
  // Booked at the last moment for the lead time, seen only a minute later.
  const absl::Time booked = kNow + kHour;
  worker.Run(booked);
  worker.Run(booked + absl::Minutes(1));
  worker.Book("a", booked + kDay, booked);
  EXPECT_THAT(worker.Run(After(booked)), ElementsAre("a 24h"));
}

TEST(RemindersTest, ANewLeadTimeBeginsNowAndLeavesTheOthersAlone) {
  Worker worker({kDay});
  worker.Run(kNow);
  worker.Book("near", kNow + 10 * kHour, kNow - 2 * kDay);
  worker.Book("far", kNow + 2 * kDay, kNow - 2 * kDay);
  worker.SetLeads({kDay, 12 * kHour});
  EXPECT_THAT(worker.Run(kNow + kHour), IsEmpty());
  EXPECT_THAT(worker.Run(After(kNow + kDay)), ElementsAre("far 24h"));
  worker.SetLeads({12 * kHour});
  EXPECT_THAT(worker.Run(After(kNow + 36 * kHour)), ElementsAre("far 12h"));
  ASSERT_EQ(worker.marks().size(), 1u);
  EXPECT_EQ(worker.marks()[0].lead_time, 12 * kHour);
}

TEST(RemindersTest, AClockThatGoesBackRepeatsNothing) {
  Worker worker({kDay});
  worker.Run(kNow);
  worker.Book("a", kNow + 2 * kDay, kNow);
  EXPECT_THAT(worker.Run(After(kNow + kDay)), ElementsAre("a 24h"));
  const absl::Time mark = worker.marks()[0].reminded_until;
  EXPECT_THAT(worker.Run(kNow + kHour), IsEmpty());
  EXPECT_EQ(worker.marks()[0].reminded_until, mark);
  EXPECT_THAT(worker.Run(After(kNow + kDay) + kHour), IsEmpty());
}

TEST(RemindersTest, LeadTimesAreFewDistinctAndWithinBounds) {
  const auto check = [](std::vector<absl::Duration> leads) {
    const absl::Status status = CheckLeadTimes(leads, "reminder_lead_times");
    if (!status.ok()) {
      EXPECT_EQ(errors::FieldViolations(status).at(0).field, "reminder_lead_times");
    }
    return status.ok();
  };
  EXPECT_TRUE(check({}));
  EXPECT_TRUE(check({absl::Minutes(5), kHour, kDay, 2 * kDay, 30 * kDay}));
  EXPECT_FALSE(check({kHour, 2 * kHour, 3 * kHour, 4 * kHour, 5 * kHour, 6 * kHour}));
  EXPECT_FALSE(check({absl::Minutes(5) - absl::Nanoseconds(1)}));
  EXPECT_FALSE(check({30 * kDay + absl::Nanoseconds(1)}));
  EXPECT_FALSE(check({-kHour}));
  EXPECT_FALSE(check({kHour, kDay, absl::Minutes(60)}));
}

}  // namespace
}  // namespace rapport::scheduling
