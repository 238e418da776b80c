#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Passes reads on and counts their statements.
class CountingDatabase final : public sql::Database {
 public:
  explicit CountingDatabase(sql::Database& database) : database_(database) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, [&](sql::Session& session) {
      Counting counting(session, statements);
      return body(counting);
    });
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    return database_.Write(access, deadline, body);
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }

  int statements = 0;

 private:
  class Counting final : public sql::Session {
   public:
    Counting(sql::Session& session, int& statements) : session_(session), statements_(statements) {}
    sql::Engine engine() const override { return session_.engine(); }
    using sql::Session::Query;
    absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                      absl::Span<const sql::Value> parameters) override {
      ++statements_;
      return session_.Query(statement, parameters);
    }

   private:
    sql::Session& session_;
    int& statements_;
  };

  sql::Database& database_;
};

class ProgressTest : public WorldTest {
 protected:
  // Records a form a day before session `number`, at that time.
  std::string Before(int number, absl::string_view instrument, absl::string_view digits,
                     absl::string_view patient = "") {
    world.clock.Set(World::kFirst + absl::Hours(168 * (number - 1) - 20));
    v1::RecordAssessmentRequest request = world.Form(instrument, digits);
    if (!patient.empty()) {
      request.mutable_assessment()->set_patient(World::Of("patients", patient));
    }
    const auto recorded = world.assessments.RecordAssessment(world.By("ada"), request);
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    return recorded.ok() ? recorded->assessment().name() : "";
  }
  static v1::GetProgressRequest Request(absl::string_view patient = "") {
    v1::GetProgressRequest request;
    request.set_course(World::Of("courses", "c1"));
    if (!patient.empty()) request.set_patient(World::Of("patients", patient));
    return request;
  }
  v1::Progress Get(absl::string_view patient = "") {
    const auto progress = world.progress.GetProgress(world.By("ada"), Request(patient));
    EXPECT_TRUE(progress.ok()) << progress.status();
    return progress.ok() ? *progress : v1::Progress();
  }
  static v1::RenderProgressChartRequest Picture(absl::string_view instrument) {
    v1::RenderProgressChartRequest request;
    request.set_course(World::Of("courses", "c1"));
    request.set_instrument(std::string(instrument));
    return request;
  }
  static std::string FieldOf(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const auto violations = errors::FieldViolations(status);
    return violations.size() == 1 ? violations[0].field : "";
  }
};

TEST_P(ProgressTest, TellsTheSeriesTheChangeAndTheItems) {
  Before(1, "phq-9", "222222220");
  Before(2, "phq-9", "222221110");
  Before(3, "phq-9", "1111-----");
  Before(4, "phq-9", "122111100");
  const v1::Progress progress = Get();
  EXPECT_EQ(progress.course(), World::Of("courses", "c1"));
  EXPECT_EQ(progress.patient(), World::Of("patients", "p1"));
  ASSERT_THAT(progress.instruments(), SizeIs(1));
  const v1::InstrumentProgress& phq = progress.instruments(0);
  EXPECT_EQ(phq.revision(), "instruments/phq-9/revisions/1");
  EXPECT_THAT(phq.points(), SizeIs(4));
  EXPECT_EQ(phq.baseline().total(), 16);
  EXPECT_EQ(phq.change().points(), -7);
  EXPECT_TRUE(phq.change().reliable_improvement());
  ASSERT_THAT(phq.item_changes(), SizeIs(9)) << "from the sealed answers";
  EXPECT_EQ(phq.item_changes(0).label(), "little interest");
  EXPECT_EQ(phq.item_changes(0).baseline(), 2);
  EXPECT_EQ(phq.item_changes(0).newest(), 1);
  EXPECT_EQ(phq.item_changes(7).baseline(), 2);
  EXPECT_EQ(phq.item_changes(7).newest(), 0);
}

TEST_P(ProgressTest, DoesNotCountVoidedForms) {
  Before(1, "phq-9", "222222220");
  const std::string wrong = Before(2, "phq-9", "000000000");
  EXPECT_EQ(Get().instruments(0).change().points(), -16);
  v1::VoidAssessmentRequest request;
  request.set_name(wrong);
  request.set_reason(v1::VOID_REASON_ENTRY_ERROR);
  ASSERT_TRUE(world.assessments.VoidAssessment(world.By("ada"), request).ok());
  const v1::Progress progress = Get();
  EXPECT_THAT(progress.instruments(0).points(), SizeIs(1));
  EXPECT_FALSE(progress.instruments(0).has_change());
}

TEST_P(ProgressTest, KeepsThePartnersOfACoupleApart) {
  world.Couple();
  const std::string sixteen(16, '2');
  Before(1, "csi-16", sixteen, "p1");
  Before(1, "csi-16", std::string(16, '3'), "p2");
  Before(3, "csi-16", std::string(16, '4'), "p2");
  const v1::Progress patient = Get();
  const v1::Progress partner = Get("p2");
  ASSERT_THAT(patient.instruments(), SizeIs(1));
  EXPECT_EQ(patient.patient(), World::Of("patients", "p1"));
  EXPECT_THAT(patient.instruments(0).points(), SizeIs(1));
  EXPECT_EQ(patient.instruments(0).baseline().total(), 32);
  EXPECT_EQ(partner.patient(), World::Of("patients", "p2"));
  EXPECT_THAT(partner.instruments(0).points(), SizeIs(2));
  EXPECT_EQ(partner.instruments(0).change().points(), 16);
  EXPECT_EQ(Get("p1").SerializeAsString(), patient.SerializeAsString());
}

TEST_P(ProgressTest, RefusesSomeoneElsesNameAndHidesOthersCourses) {
  EXPECT_EQ(FieldOf(world.progress.GetProgress(world.By("ada"), Request("p2")).status()),
            "patient");
  EXPECT_EQ(world.progress.GetProgress(world.By("ben"), Request()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(world.progress.RenderProgressChart(world.By("ben"), Picture("phq-9")).status().code(),
            absl::StatusCode::kNotFound);
  v1::GetProgressRequest absent;
  absent.set_course(World::Of("courses", "c9"));
  EXPECT_EQ(world.progress.GetProgress(world.By("ada"), absent).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(ProgressTest, FlagsSessionsThatWereHeldWithoutAForm) {
  Before(1, "phq-9", "222222220");
  world.clock.Set(World::kFirst + absl::Hours(168 * 2 - 1));
  EXPECT_THAT(Get().flags(), IsEmpty()) << "one session without a form";
  world.clock.Set(World::kFirst + absl::Hours(168 * 2 + 1));
  const v1::Progress progress = Get();
  ASSERT_THAT(progress.flags(), SizeIs(1));
  EXPECT_EQ(progress.flags(0).kind(), v1::PROGRESS_FLAG_KIND_MISSING_DATA);
  EXPECT_EQ(progress.flags(0).session_number(), 3);
  EXPECT_TRUE(progress.flags(0).holds());
  EXPECT_THAT(progress.flags(0).rule(), HasSubstr("2 held sessions in a row (2, 3)"));
}

TEST_P(ProgressTest, TellsNoRemissionAfterASuddenFallUntilManiaIsRuledOut) {
  Before(1, "phq-9", "232332210");
  Before(2, "phq-9", "002000110");
  const auto kinds = [](const v1::Progress& progress) {
    std::vector<v1::ProgressFlagKind> told;
    for (const auto& flag : progress.flags()) told.push_back(flag.kind());
    return told;
  };
  const auto tells = [](const v1::Progress& progress, v1::Term term) {
    for (const auto& series : progress.instruments()) {
      for (const auto& milestone : series.milestones()) {
        if (milestone.term() == term) return true;
      }
    }
    return false;
  };
  EXPECT_THAT(kinds(Get()), ElementsAre(v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION));
  EXPECT_FALSE(tells(Get(), v1::TERM_REMISSION_LEVEL));
  EXPECT_TRUE(tells(Get(), v1::TERM_RESPONSE));

  Before(2, "asrm", "32222");
  EXPECT_THAT(kinds(Get()), UnorderedElementsAre(v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION,
                                                 v1::PROGRESS_FLAG_KIND_DIAGNOSTIC_REVIEW));
  EXPECT_FALSE(tells(Get(), v1::TERM_RESPONSE));
}

TEST_P(ProgressTest, TellsTheSocialRhythmByWeek) {
  world.clock.Set(World::kFirst + absl::Hours(24 * 20));
  const absl::CivilDay first(2026, 3, 3);
  for (int day = 0; day < 10; ++day) {
    v1::RecordRhythmDayRequest request;
    request.set_parent("organizations/acme");
    request.mutable_day()->set_course(World::Of("courses", "c1"));
    *request.mutable_day()->mutable_date() = time::ToDate(first + day);
    for (int activity = 1; activity <= 5; ++activity) {
      auto& entry = *request.mutable_day()->add_entries();
      entry.set_activity(activity);
      *entry.mutable_time() = time::ToTimeOfDay(240 * (activity - 1));
    }
    const auto recorded = world.assessments.RecordRhythmDay(world.By("ada"), request);
    ASSERT_TRUE(recorded.ok()) << recorded.status();
  }
  const v1::Progress progress = Get();
  ASSERT_THAT(progress.rhythm(), SizeIs(2));
  EXPECT_EQ(progress.rhythm(0).score(), 7);
  EXPECT_TRUE(progress.rhythm(0).complete());
  EXPECT_EQ(progress.rhythm(1).start_date().day(), 10);
  EXPECT_EQ(progress.rhythm(1).diary_days(), 3);
  EXPECT_FALSE(progress.rhythm(1).complete());

  Before(1, "asrm", "11000");
  Before(4, "asrm", "10000");
  const auto picture = world.progress.RenderProgressChart(world.By("ada"), Picture("asrm"));
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_THAT(picture->svg(), HasSubstr("class=\"strip\""));
}

TEST_P(ProgressTest, DrawsTheSeriesWithoutWhoseItIs) {
  Before(1, "phq-9", "222222220");
  Before(2, "phq-9", "222221110");
  world.Appointment("acme", "a3", "c1", "p1", World::kFirst + absl::Hours(168 * 2),
                    proto::APPOINTMENT_STATE_NO_SHOW);
  world.clock.Set(World::kFirst + absl::Hours(168 * 3));
  const auto picture = world.progress.RenderProgressChart(world.By("ada"), Picture("phq-9"));
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_THAT(picture->unavailable_sources(), IsEmpty());
  EXPECT_THAT(picture->svg(), HasSubstr("width=\"960\" height=\"480\""));
  EXPECT_THAT(picture->svg(), HasSubstr("class=\"missed\""));
  EXPECT_THAT(picture->svg(), HasSubstr("baseline 16"));
  for (const char* never : {"p1", "c1", "acme", "ada"}) {
    EXPECT_THAT(picture->svg(), Not(HasSubstr(absl::StrCat("/", never))));
    EXPECT_THAT(picture->svg(), Not(HasSubstr(absl::StrCat(">", never, "<"))));
  }

  v1::RenderProgressChartRequest request = Picture("phq-9");
  request.set_width(1200);
  request.set_height(600);
  EXPECT_THAT(world.progress.RenderProgressChart(world.By("ada"), request)->svg(),
              HasSubstr("width=\"1200\" height=\"600\""));
  request.set_width(100);
  EXPECT_EQ(FieldOf(world.progress.RenderProgressChart(world.By("ada"), request).status()),
            "width");
  EXPECT_EQ(FieldOf(world.progress.RenderProgressChart(world.By("ada"), Picture("gad-7")).status()),
            "instrument");
  Before(3, "gad-7", "1------");
  EXPECT_EQ(FieldOf(world.progress.RenderProgressChart(world.By("ada"), Picture("gad-7")).status()),
            "instrument")
      << "a form without a total is nothing to draw";
}

TEST_P(ProgressTest, ChangesOfTreatmentStandOnThePicture) {
  Before(1, "phq-9", "222222220");
  Before(2, "phq-9", "222221110");
  world.clock.Set(World::kFirst + absl::Hours(168 * 3));
  auto& event = *world.notes.treatment.add_entries()->mutable_treatment_event();
  event.set_treatment("Sertraline 50 mg");
  event.set_change(rapport::notes::v1::TREATMENT_CHANGE_STARTED);
  *event.mutable_change_date() =
      time::ToDate(absl::ToCivilDay(World::kFirst + absl::Hours(72), absl::UTCTimeZone()));
  const auto picture = world.progress.RenderProgressChart(world.By("ada"), Picture("phq-9"));
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_THAT(picture->svg(), HasSubstr("Sertraline 50 mg started"));
  ASSERT_THAT(world.notes.asked, SizeIs(1));
  EXPECT_EQ(world.notes.asked[0].parent(), World::Of("cases", "c1"));

  v1::RenderProgressChartRequest without = Picture("phq-9");
  without.set_without_events(true);
  EXPECT_THAT(world.progress.RenderProgressChart(world.By("ada"), without)->svg(),
              Not(HasSubstr("Sertraline")));

  world.notes.down = true;
  const auto less = world.progress.RenderProgressChart(world.By("ada"), Picture("phq-9"));
  ASSERT_TRUE(less.ok()) << less.status();
  EXPECT_THAT(less->svg(), Not(HasSubstr("Sertraline")));
  EXPECT_THAT(less->unavailable_sources(), ElementsAre("notes"));
}

TEST_P(ProgressTest, TakesAsManyStatementsHoweverManyFormsThereAre) {
  CountingDatabase counting(world.database());
  ProgressHandlers handlers(counting, world.catalogues, world.vault, world.notes);
  const auto statements = [&] {
    counting.statements = 0;
    EXPECT_TRUE(handlers.GetProgress(world.By("ada"), Request()).ok());
    return counting.statements;
  };
  Before(1, "phq-9", "222222220");
  Before(2, "phq-9", "222221110");
  const int few = statements();
  Before(2, "gad-7", "2222211");
  Before(2, "who-5", "11111");
  Before(3, "phq-9", "222211110");
  Before(3, "gad-7", "2221111");
  Before(3, "who-5", "22222");
  Before(4, "phq-9", "222111110");
  EXPECT_EQ(statements(), few);
}

INSTANTIATE_TEST_SUITE_P(Engines, ProgressTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
