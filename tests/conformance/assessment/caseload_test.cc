#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "services/assessment/rpc/caseload_handlers.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

// Sue supervises Ada, whose courses are c1 and c2; c3 is Ben's.
class CaseloadTest : public WorldTest {
 protected:
  CaseloadTest() {
    world.Clinician("acme", "sue");
    proto::SupervisionEvent pair;
    pair.set_supervisor(World::Of("clinicians", "sue"));
    pair.set_supervisee(World::Of("clinicians", "ada"));
    *pair.mutable_start_time() = time::ToTimestamp(World::kStart - absl::Hours(24));
    world.Tell("acme", World::Of("supervisions", "s1"), 1, pair);
    world.Course("acme", "c2", "p2", "ada");
    world.Course("acme", "c3", "p3", "ben");
  }
  static v1::GetCourseNeedsRequest Request(std::vector<std::string> courses = {"c1", "c2", "c3",
                                                                               "none"}) {
    v1::GetCourseNeedsRequest request;
    request.set_parent("organizations/acme");
    for (const std::string& id : courses) request.add_courses(World::Of("courses", id));
    return request;
  }
  v1::GetCourseNeedsResponse Needs(absl::string_view who) {
    const auto needs = handlers.GetCourseNeeds(world.By(who), Request());
    EXPECT_TRUE(needs.ok()) << needs.status();
    return needs.ok() ? *needs : v1::GetCourseNeedsResponse();
  }

  const Catalogues catalogues{ShippedInstruments()};
  CaseloadHandlers handlers{world.database(), catalogues};
};

TEST_P(CaseloadTest, TellsOfEachCourseThatTheCallerMayKnow) {
  ASSERT_TRUE(world.Record("phq-9", "111111110").ok());
  world.clock.Set(World::kFirst + absl::Hours(168 - 20));
  ASSERT_TRUE(world.Record("phq-9", "333333333").ok());

  const v1::GetCourseNeedsResponse told = Needs("sue");
  ASSERT_THAT(told.courses(), SizeIs(2));
  const v1::CourseNeeds& needs = told.courses(0);
  EXPECT_EQ(needs.course(), World::Of("courses", "c1"));
  ASSERT_THAT(needs.alerts(), SizeIs(1));
  EXPECT_EQ(needs.alerts(0).alert(), world.Alerts("ada")[0].name());
  EXPECT_EQ(needs.alerts(0).severity(), v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_THAT(told.courses(1).alerts(), IsEmpty());

  v1::GetProgressRequest ask;
  ask.set_course(World::Of("courses", "c1"));
  const auto progress = world.progress.GetProgress(world.By("sue", "supervisor"), ask);
  ASSERT_TRUE(progress.ok()) << progress.status();
  std::vector<std::string> flags, expected;
  for (const v1::ProgressFlag& flag : needs.flags()) flags.push_back(flag.ShortDebugString());
  for (const v1::ProgressFlag& flag : progress->flags()) {
    if (flag.holds()) expected.push_back(flag.ShortDebugString());
  }
  EXPECT_EQ(flags, expected) << "as ProgressService tells";
  bool worse = false;
  for (const v1::ProgressFlag& flag : needs.flags()) {
    worse |= flag.kind() == v1::PROGRESS_FLAG_KIND_RELIABLE_WORSENING;
  }
  EXPECT_TRUE(worse);
  std::vector<int> terms;
  for (const v1::Milestone& milestone : progress->milestones()) {
    if (milestone.holds()) terms.push_back(milestone.term());
  }
  EXPECT_THAT(needs.terms(), ElementsAreArray(terms));

  EXPECT_THAT(Needs("ada").courses(), SizeIs(2));
  EXPECT_THAT(Needs("ben").courses(), SizeIs(1));
  EXPECT_THAT(Needs("cleo").courses(), IsEmpty());
}

TEST_P(CaseloadTest, AResolvedAlertIsNoNeedAnyMore) {
  ASSERT_TRUE(world.Record("phq-9", "111111113").ok());
  ASSERT_THAT(Needs("sue").courses(0).alerts(), SizeIs(1));
  v1::AcknowledgeAlertRequest acknowledge;
  acknowledge.set_name(world.Alerts("ada")[0].name());
  ASSERT_TRUE(world.alerts.AcknowledgeAlert(world.By("ada"), acknowledge).ok());
  EXPECT_THAT(Needs("sue").courses(0).alerts(), SizeIs(1)) << "someone is on it, no more";
}

TEST_P(CaseloadTest, TakesAsManyStatementsForManyCoursesAsForOne) {
  CountingDatabase counting(world.database());
  CaseloadHandlers counted(counting, catalogues);
  ASSERT_TRUE(counted.GetCourseNeeds(world.By("sue"), Request({"c1"})).ok());
  const int for_one = counting.statements;
  std::vector<std::string> courses;
  for (int i = 0; i < 40; ++i) {
    courses.push_back(absl::StrCat("m", i));
    world.Course("acme", courses.back(), absl::StrCat("q", i), "ada");
    world.Appointment("acme", absl::StrCat("x", i), courses.back(), absl::StrCat("q", i),
                      World::kFirst);
  }
  counting.statements = 0;
  const auto needs = counted.GetCourseNeeds(world.By("sue"), Request(courses));
  ASSERT_TRUE(needs.ok()) << needs.status();
  EXPECT_THAT(needs->courses(), SizeIs(40));
  EXPECT_EQ(counting.statements, for_one);
  EXPECT_LE(for_one, 6);
}

INSTANTIATE_TEST_SUITE_P(Engines, CaseloadTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
