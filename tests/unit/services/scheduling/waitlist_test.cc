#include "services/scheduling/domain/waitlist.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "google/protobuf/text_format.h"

namespace rapport::scheduling {
namespace {

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text;
  return time;
}

const absl::Time kNow = At("2026-01-30T12:00:00Z");  // a Friday

v1::WaitlistEntry Entry(const std::string& text) {
  v1::WaitlistEntry entry;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &entry)) << text;
  return entry;
}

v1::WaitlistEntry Waiting(const std::string& text = "") {
  auto entry = NewWaitlistEntry(Entry(text), std::nullopt, kNow);
  EXPECT_TRUE(entry.ok()) << entry.status();
  return *entry;
}

TEST(NewWaitlistEntryTest, TakesTheUsualWaitAndRoutineWhereNothingIsSaid) {
  const v1::WaitlistEntry entry = Waiting("course: 'c' offer: 'x' passed_offers: 7");
  EXPECT_EQ(time::ToTime(entry.latest()), kNow + absl::Hours(24 * 28));
  EXPECT_EQ(entry.urgency(), v1::WAITLIST_URGENCY_ROUTINE);
  EXPECT_EQ(entry.state(), v1::WAITLIST_STATE_WAITING);
  EXPECT_EQ(entry.offer(), "");
  EXPECT_EQ(entry.passed_offers(), 0);
}

TEST(NewWaitlistEntryTest, CountsTheUsualWaitFromTheEarliest) {
  v1::WaitlistEntry asked;
  *asked.mutable_earliest() = time::ToTimestamp(kNow + absl::Hours(48));
  const auto entry = NewWaitlistEntry(asked, std::nullopt, kNow);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(time::ToTime(entry->latest()), kNow + absl::Hours(24 * 30));
}

TEST(NewWaitlistEntryTest, OnlyWhatIsEarlierReplacesAnAppointment) {
  const absl::Time booked = kNow + absl::Hours(24 * 10);
  const auto entry = NewWaitlistEntry({}, booked, kNow);
  ASSERT_TRUE(entry.ok());
  EXPECT_FALSE(Suits(*entry, booked, 50, absl::UTCTimeZone()));
  EXPECT_TRUE(Suits(*entry, booked - absl::Minutes(5), 50, absl::UTCTimeZone()));
  EXPECT_FALSE(NewWaitlistEntry({}, kNow, kNow).ok());
}

TEST(NewWaitlistEntryTest, RefusesWindowsStretchesAndDaysThatAreNone) {
  const struct {
    std::string asked;
    std::string field;
  } cases[] = {
      {"latest { seconds: 1769774400 }", "waitlist_entry.latest"},  // now
      {"latest { seconds: 1801483200 }", "waitlist_entry.latest"},  // 367 days
      {"earliest { seconds: 1770000000 } latest { seconds: 1770000000 }", "waitlist_entry.latest"},
      {"earliest { nanos: -1 }", "waitlist_entry.earliest"},
      {"times { start_time { hours: 9 } end_time { hours: 9 } }",
       "waitlist_entry.times[0].end_time"},
      {"times { start_time { hours: 9 } end_time { hours: 25 } }",
       "waitlist_entry.times[0].end_time"},
      {"days: MONDAY days: DAY_OF_WEEK_UNSPECIFIED", "waitlist_entry.days[1]"},
  };
  for (const auto& [asked, field] : cases) {
    const absl::Status status = NewWaitlistEntry(Entry(asked), std::nullopt, kNow).status();
    ASSERT_EQ(errors::FieldViolations(status).size(), 1u) << asked << status;
    EXPECT_EQ(errors::FieldViolations(status)[0].field, field);
  }
}

// Every step from every state.
TEST(WaitlistStatesTest, OnlyTheNamedStepsAreTaken) {
  using Step = std::function<absl::Status(v1::WaitlistEntry&)>;
  const struct {
    std::string name;
    Step step;
    std::vector<std::pair<v1::WaitlistState, v1::WaitlistState>> taken;
  } steps[] = {
      {"offer",
       [](v1::WaitlistEntry& e) { return OfferTime(e, "a", kNow + absl::Hours(1)); },
       {{v1::WAITLIST_STATE_WAITING, v1::WAITLIST_STATE_OFFERED}}},
      {"accept",
       [](v1::WaitlistEntry& e) { return AcceptOffer(e); },
       {{v1::WAITLIST_STATE_OFFERED, v1::WAITLIST_STATE_ACCEPTED}}},
      {"pass",
       [](v1::WaitlistEntry& e) { return PassOffer(e, kNow); },
       {{v1::WAITLIST_STATE_OFFERED, v1::WAITLIST_STATE_WAITING}}},
      {"pass too late",
       [](v1::WaitlistEntry& e) { return PassOffer(e, kNow + absl::Hours(24 * 28)); },
       {{v1::WAITLIST_STATE_OFFERED, v1::WAITLIST_STATE_LAPSED}}},
      {"leave",
       [](v1::WaitlistEntry& e) { return LeaveWaitlist(e); },
       {{v1::WAITLIST_STATE_WAITING, v1::WAITLIST_STATE_LEFT},
        {v1::WAITLIST_STATE_OFFERED, v1::WAITLIST_STATE_LEFT}}},
      {"lapse",
       [](v1::WaitlistEntry& e) { return LapseEntry(e); },
       {{v1::WAITLIST_STATE_WAITING, v1::WAITLIST_STATE_LAPSED}}},
  };
  for (const auto& [name, step, taken] : steps) {
    for (int from = 1; from <= 5; ++from) {
      v1::WaitlistEntry entry = Waiting();
      entry.set_state(static_cast<v1::WaitlistState>(from));
      if (from == v1::WAITLIST_STATE_OFFERED) {
        entry.set_offer("a");
        *entry.mutable_offer_expire_time() = time::ToTimestamp(kNow);
      }
      const v1::WaitlistEntry before = entry;
      const absl::Status status = step(entry);
      int to = 0;
      for (const auto& [allowed, then] : taken) {
        if (allowed == from) to = then;
      }
      if (to != 0) {
        EXPECT_TRUE(status.ok()) << name << from << status;
        EXPECT_EQ(entry.state(), to) << name << from;
        EXPECT_EQ(entry.has_offer_expire_time(), to == v1::WAITLIST_STATE_OFFERED);
        EXPECT_EQ(entry.offer().empty(),
                  to != v1::WAITLIST_STATE_OFFERED && to != v1::WAITLIST_STATE_ACCEPTED);
      } else {
        EXPECT_EQ(errors::Reason(status), "WAITLIST_STATE") << name << from;
        EXPECT_EQ(errors::MetadataValue(status, "state"), v1::WaitlistState_Name(before.state()));
        EXPECT_EQ(entry.SerializeAsString(), before.SerializeAsString());
      }
    }
  }
}

TEST(WaitlistStatesTest, EachOfferThatIsPassedCounts) {
  v1::WaitlistEntry entry = Waiting();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(OfferTime(entry, "a", kNow).ok());
    ASSERT_TRUE(PassOffer(entry, kNow).ok());
    EXPECT_EQ(entry.passed_offers(), i);
  }
}

TEST(SuitsTest, GoesByTheClocksOfTheClinic) {
  const absl::TimeZone london = *time::LoadZone("Europe/London");
  const v1::WaitlistEntry entry = Waiting(
      "days: MONDAY days: THURSDAY latest { seconds: 1777000000 }"
      " times { start_time { hours: 9 } end_time { hours: 12 } }"
      " times { start_time { hours: 17 minutes: 30 } end_time { hours: 24 } }");
  const struct {
    std::string start;
    bool suits;
  } cases[] = {
      {"2026-02-02T09:00:00Z", true},                                   // Monday
      {"2026-02-03T09:00:00Z", false},                                  // Tuesday
      {"2026-02-05T09:00:00Z", true},                                   // Thursday
      {"2026-02-02T08:55:00Z", false}, {"2026-02-02T11:10:00Z", true},  // ends at 12:00
      {"2026-02-02T11:15:00Z", false},                                  // ends after
      {"2026-02-02T17:25:00Z", false}, {"2026-02-02T17:30:00Z", true},
      {"2026-02-02T23:10:00Z", true},                                    // ends at midnight
      {"2026-02-02T23:15:00Z", false},                                   // on the next day
      {"2026-03-30T08:00:00Z", true},                                    // summer time: 9:00
      {"2026-03-30T07:55:00Z", false}, {"2026-03-30T23:00:00Z", false},  // Tuesday by the clock
      {"2026-04-27T08:00:00Z", false},                                   // past the latest
      {"2026-01-26T09:00:00Z", true},  // the past is not its affair
  };
  for (const auto& [start, suits] : cases) {
    EXPECT_EQ(Suits(entry, At(start), 50, london), suits) << start;
  }
}

TEST(SuitsTest, TheSecondOfTwoEqualLocalTimesCanNotBeNamed) {
  const absl::TimeZone london = *time::LoadZone("Europe/London");
  const v1::WaitlistEntry entry = Waiting("latest { seconds: 1800000000 }");
  EXPECT_TRUE(Suits(entry, At("2026-10-25T00:30:00Z"), 30, london));
  EXPECT_FALSE(Suits(entry, At("2026-10-25T01:30:00Z"), 30, london));
}

TEST(SuitsTest, TheWindowHoldsTheStart) {
  v1::WaitlistEntry entry = Waiting();
  *entry.mutable_earliest() = time::ToTimestamp(kNow + absl::Hours(1));
  *entry.mutable_latest() = time::ToTimestamp(kNow + absl::Hours(2));
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_FALSE(Suits(entry, kNow + absl::Minutes(55), 50, utc));
  EXPECT_TRUE(Suits(entry, kNow + absl::Minutes(60), 50, utc));
  EXPECT_TRUE(Suits(entry, kNow + absl::Minutes(115), 50, utc));
  EXPECT_FALSE(Suits(entry, kNow + absl::Minutes(120), 50, utc));
}

TEST(FirstSuitableTest, IsTheFirstThatIsLongEnoughLateEnoughAndNotPassed) {
  const v1::WaitlistEntry entry = Waiting();
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time start = kNow + absl::Hours(24);
  const Interval free = {start, start + absl::Minutes(60)};
  EXPECT_EQ(FirstSuitable(entry, 60, utc, free, kNow, {}), start);
  EXPECT_EQ(FirstSuitable(entry, 61, utc, free, kNow, {}), std::nullopt);
  EXPECT_EQ(FirstSuitable(entry, 50, utc, free, kNow, {}), start);
  EXPECT_EQ(FirstSuitable(entry, 50, utc, free, start + absl::Minutes(1), {}),
            start + absl::Minutes(5));
  EXPECT_EQ(FirstSuitable(entry, 50, utc, free, start + absl::Minutes(11), {}), std::nullopt);
  EXPECT_EQ(FirstSuitable(entry, 50, utc, free, kNow, {start}), start + absl::Minutes(5));
  EXPECT_EQ(FirstSuitable(entry, 60, utc, free, kNow, {start}), std::nullopt);
}

TEST(FirstSuitableTest, BeginsWhereTheStretchOfTheDayBegins) {
  const v1::WaitlistEntry entry =
      Waiting("times { start_time { hours: 10 minutes: 20 } end_time { hours: 11 minutes: 30 } }");
  const Interval free = {At("2026-02-02T09:00:00Z"), At("2026-02-02T12:00:00Z")};
  EXPECT_EQ(FirstSuitable(entry, 50, absl::UTCTimeZone(), free, kNow, {}),
            At("2026-02-02T10:20:00Z"));
}

TEST(WaitlistEventTest, TellsStateAndOffer) {
  v1::WaitlistEntry entry = Waiting("course: 'c' urgency: WAITLIST_URGENCY_URGENT");
  ASSERT_TRUE(OfferTime(entry, "a", kNow).ok());
  const v1::WaitlistEntryEvent event = PayloadOf(entry);
  EXPECT_EQ(event.course(), "c");
  EXPECT_EQ(event.urgency(), v1::WAITLIST_URGENCY_URGENT);
  EXPECT_EQ(event.state(), v1::WAITLIST_STATE_OFFERED);
  EXPECT_EQ(event.offer(), "a");
  EXPECT_EQ(time::ToTime(event.offer_expire_time()), kNow);
}

TEST(PromptOfferTest, IsForBoostersAndTheUrgent) {
  for (const auto& [urgency, prompt] : {std::pair{v1::WAITLIST_URGENCY_ROUTINE, false},
                                        {v1::WAITLIST_URGENCY_SOON, false},
                                        {v1::WAITLIST_URGENCY_BOOSTER, true},
                                        {v1::WAITLIST_URGENCY_URGENT, true}}) {
    v1::WaitlistEntry entry;
    entry.set_urgency(urgency);
    EXPECT_EQ(NeedsPromptOffer(entry), prompt);
  }
}

}  // namespace
}  // namespace rapport::scheduling
