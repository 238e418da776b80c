#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "services/assessment/store/rhythm.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const sql::Statement kStored{"test.rhythm.stored", R"sql(
  SELECT date, entry, sealed FROM rhythm_day WHERE organization_id = $1
  ORDER BY date, entry)sql"};
// What was sealed of the entry on $2 as the first entry of 2026-01-02.
const sql::Statement kMove{"test.rhythm.move", R"sql(
  INSERT INTO rhythm_day (organization_id, course, patient, date, entry, record_time, sealed)
  SELECT organization_id, course, patient, '2026-01-02', entry, record_time, sealed
  FROM rhythm_day WHERE organization_id = $1 AND date = $2)sql"};

class RhythmTest : public WorldTest {
 protected:
  // A day on which activity i was done at times[i - 1] minutes after midnight; −1: not done.
  static v1::RecordRhythmDayRequest Day(absl::CivilDay date, const std::vector<int>& times) {
    v1::RecordRhythmDayRequest request;
    request.set_parent("organizations/acme");
    request.mutable_day()->set_course(World::Of("courses", "c1"));
    *request.mutable_day()->mutable_date() = time::ToDate(date);
    for (size_t i = 0; i < times.size(); ++i) {
      if (times[i] < 0) continue;
      auto& entry = *request.mutable_day()->add_entries();
      entry.set_activity(static_cast<int>(i) + 1);
      *entry.mutable_time() = time::ToTimeOfDay(times[i]);
    }
    return request;
  }
  absl::StatusOr<v1::RhythmDay> Record(absl::CivilDay date, const std::vector<int>& times) {
    return world.assessments.RecordRhythmDay(world.By("ada"), Day(date, times));
  }
  absl::StatusOr<v1::ListRhythmDaysResponse> List(absl::string_view patient = "") {
    v1::ListRhythmDaysRequest request;
    request.set_course(World::Of("courses", "c1"));
    if (!patient.empty()) request.set_patient(World::Of("patients", patient));
    return world.assessments.ListRhythmDays(world.By("ada"), request);
  }
  static std::string FieldOf(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const auto violations = errors::FieldViolations(status);
    return violations.size() == 1 ? violations[0].field : "";
  }
  absl::StatusOr<sql::Result> Run(const sql::Statement& statement,
                                  std::vector<sql::Value> parameters) {
    sql::Result result;
    const absl::Status status = world.database().Write(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Transaction& tx) -> absl::Status {
          auto rows = tx.Query(statement, parameters);
          if (rows.ok()) result = *std::move(rows);
          return rows.status();
        });
    if (!status.ok()) return status;
    return result;
  }

  const absl::CivilDay today_ = absl::ToCivilDay(World::kStart, absl::UTCTimeZone());
};

TEST_P(RhythmTest, TheLastEntryOfADayCountsAndEarlierOnesAreKept) {
  ASSERT_TRUE(Record(today_ - 1, {420, 450}).ok());
  v1::RecordRhythmDayRequest again = Day(today_ - 1, {425, 455, -1, 1080, 15});
  again.mutable_day()->set_mood(-2);
  again.mutable_day()->set_energy(3);
  again.mutable_day()->mutable_entries(0)->set_involvement(2);
  world.clock.Set(World::kStart + absl::Hours(1));
  const auto recorded = world.assessments.RecordRhythmDay(world.By("ada"), again);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->patient(), World::Of("patients", "p1"));
  ASSERT_TRUE(Record(today_ - 2, {}).ok()) << "a day on which nothing was done";

  const auto listed = List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_THAT(listed->days(), SizeIs(2));
  EXPECT_THAT(listed->days(0).entries(), IsEmpty());
  EXPECT_EQ(listed->days(1).SerializeAsString(), recorded->SerializeAsString());
  EXPECT_EQ(listed->days(1).entries(3).time().minutes(), 15);
  EXPECT_EQ(time::ToTime(listed->days(1).record_time()), World::kStart + absl::Hours(1));
  EXPECT_EQ(Run(kStored, {sql::Text("acme")})->rows(), 3u);
  EXPECT_THAT(world.Events(), SizeIs(3));
}

TEST_P(RhythmTest, KeepsNoTimeInPlainAndOpensItAtItsPlaceAlone) {
  const v1::RecordRhythmDayRequest request = Day(today_ - 1, {421, 457, 541, 1081, 1401});
  ASSERT_TRUE(world.assessments.RecordRhythmDay(world.By("ada"), request).ok());
  v1::RhythmDay entries;
  *entries.mutable_entries() = request.day().entries();
  const auto stored = Run(kStored, {sql::Text("acme")});
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_EQ(stored->rows(), 1u);
  EXPECT_EQ(stored->Bytes(0, 2).find(entries.SerializeAsString()), std::string::npos);
  ASSERT_TRUE(Run(kMove, {sql::Text("acme"), sql::Text(stored->Text(0, 0))}).ok());
  EXPECT_EQ(List().status().code(), absl::StatusCode::kInternal);
}

TEST_P(RhythmTest, TakesDaysOfThePatientsCalendarUpTo60DaysBack) {
  world.clock.Set(absl::FromCivil(absl::CivilSecond(2026, 7, 1, 23, 30, 0), absl::UTCTimeZone()));
  const absl::CivilDay in_london(2026, 7, 2);
  EXPECT_TRUE(Record(in_london, {420}).ok());
  EXPECT_EQ(FieldOf(Record(in_london + 1, {420}).status()), "day.date");
  EXPECT_TRUE(Record(in_london - 60, {420}).ok());
  EXPECT_EQ(FieldOf(Record(in_london - 61, {420}).status()), "day.date");
  v1::RecordRhythmDayRequest none = Day(in_london, {420});
  none.mutable_day()->mutable_date()->set_day(31);
  none.mutable_day()->mutable_date()->set_month(2);
  EXPECT_EQ(FieldOf(world.assessments.RecordRhythmDay(world.By("ada"), none).status()), "day.date");

  world.Couple();  // she lives in New York
  v1::RecordRhythmDayRequest hers = Day(in_london, {420});
  hers.mutable_day()->set_patient(World::Of("patients", "p2"));
  EXPECT_EQ(FieldOf(world.assessments.RecordRhythmDay(world.By("ada"), hers).status()), "day.date");
}

TEST_P(RhythmTest, TakesTheDiarysActivitiesOnceEach) {
  EXPECT_EQ(FieldOf(Record(today_, {420, 430, 440, 450, 460, 470}).status()),
            "day.entries[5].activity");
  v1::RecordRhythmDayRequest twice = Day(today_, {420, 430});
  twice.mutable_day()->mutable_entries(1)->set_activity(1);
  EXPECT_EQ(FieldOf(world.assessments.RecordRhythmDay(world.By("ada"), twice).status()),
            "day.entries[1].activity");
  v1::RecordRhythmDayRequest late = Day(today_, {420});
  late.mutable_day()->mutable_entries(0)->mutable_time()->set_hours(24);
  late.mutable_day()->mutable_entries(0)->mutable_time()->clear_minutes();
  EXPECT_EQ(FieldOf(world.assessments.RecordRhythmDay(world.By("ada"), late).status()),
            "day.entries[0].time");
  EXPECT_THAT(List()->days(), IsEmpty());
}

TEST_P(RhythmTest, OfACoupleAreApartAndADeviceRecordsForItsPatientAlone) {
  world.Couple();
  call::CallContext proxy = world.By("", "patient_proxy");
  auto principal = std::make_shared<auth::Principal>(*proxy.principal);
  principal->subject = "p2";
  proxy.principal = principal;
  v1::RecordRhythmDayRequest hers = Day(today_ - 1, {420});
  EXPECT_EQ(FieldOf(world.assessments.RecordRhythmDay(proxy, hers).status()), "day.patient");
  hers.mutable_day()->set_patient(World::Of("patients", "p2"));
  const auto kept = world.assessments.RecordRhythmDay(proxy, hers);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_THAT(kept->entries(), IsEmpty()) << "a device reads nothing";
  EXPECT_THAT(List()->days(), IsEmpty());
  EXPECT_THAT(List("p2")->days(), SizeIs(1));
  EXPECT_EQ(FieldOf(List("p9").status()), "patient");
  EXPECT_TRUE(absl::IsNotFound(
      world.assessments.RecordRhythmDay(world.By("ben"), Day(today_, {420})).status()));
}

TEST_P(RhythmTest, ListsDaysByDateInPagesBetweenDates) {
  for (int back = 7; back >= 1; --back) ASSERT_TRUE(Record(today_ - back, {420}).ok());
  v1::ListRhythmDaysRequest request;
  request.set_course(World::Of("courses", "c1"));
  request.set_page_size(2);
  *request.mutable_start_date() = time::ToDate(today_ - 6);
  *request.mutable_end_date() = time::ToDate(today_ - 2);
  std::vector<int> back;
  do {
    const auto page = world.assessments.ListRhythmDays(world.By("ada"), request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& day : page->days()) {
      back.push_back(static_cast<int>(today_ - time::ToCivilDay(day.date())));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(back, ElementsAre(6, 5, 4, 3, 2));
}

INSTANTIATE_TEST_SUITE_P(Engines, RhythmTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
