#include "common/audit/audit_log.h"
#include "common/feed/feed.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/scheduling/rpc/follower.h"
#include "services/scheduling/rpc/service.h"
#include "tests/conformance/events/in_process_feed.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

const sql::Statement kLeaves{"test.scheduling.leaves", R"sql(
  SELECT entry FROM audit_leaf WHERE organization_id = $1 ORDER BY leaf_index DESC)sql"};

// What notes tells of a case.
enum Told { kNothing, kInFavour, kReopened };

class SuitabilityReviewTest : public SchedulingTest {
 protected:
  static std::string CaseOf(const std::string& course) {
    return absl::StrCat("organizations/acme/cases/", course.substr(course.rfind('/') + 1));
  }

  static notes::v1::CaseEvent Case(const std::string& course, Told told) {
    notes::v1::CaseEvent payload;
    payload.set_course(course);
    payload.set_eligible(told == kInFavour);
    payload.set_determination_reopened(told == kReopened);
    return payload;
  }

  // Applies notes' event of the course's case, as the consumer does.
  void Tell(const std::string& course, int64_t case_version, Told told) {
    common::v1::Event event;
    event.set_organization("organizations/acme");
    event.set_resource(CaseOf(course));
    event.set_version(case_version);
    event.mutable_payload()->PackFrom(Case(course, told));
    time::ManualClock clock(now_);
    const NotesFollower follower(revisions_, clock);
    const absl::Status applied =
        database_->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                         [&](sql::Transaction& tx) { return follower.Apply(tx, event); });
    EXPECT_TRUE(applied.ok()) << applied;
  }

  v1::Course Get(const std::string& name) {
    v1::GetCourseRequest request;
    request.set_name(name);
    const auto course = Do(&CourseHandlers::GetCourse, anna_, request);
    EXPECT_TRUE(course.ok()) << course.status();
    return course.ok() ? *course : v1::Course();
  }

  // As "ACTIVE 3" or "ACTIVE 4 due": state and version.
  std::string Standing(const std::string& name) {
    const v1::Course course = Get(name);
    return absl::StrCat(absl::StripPrefix(v1::CourseState_Name(course.state()), "COURSE_STATE_"),
                        " ", course.etag(), course.suitability_review_due() ? " due" : "");
  }

  // The newest entry; sequences first.
  audit::Entry LastAudit() {
    Events();
    audit::Entry entry;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result rows,
                                              session.Query(kLeaves, {sql::Text("acme")}));
                             entry = audit::Decode(rows.Bytes(0, 0)).value();
                             return absl::OkStatus();
                           })
                    .ok());
    return entry;
  }
};

TEST_P(SuitabilityReviewTest, AReopenedDeterminationMarksTheCourseUntilOneInFavourIsSigned) {
  const std::string name = Active("p").name();
  Tell(name, 2, kInFavour);
  EXPECT_EQ(Standing(name), "ACTIVE 3");
  now_ += absl::Hours(1);
  Tell(name, 3, kReopened);
  EXPECT_EQ(Standing(name), "ACTIVE 4 due");
  EXPECT_EQ(time::ToTime(Get(name).update_time()), now_);

  const common::v1::Event event = Events().back();
  EXPECT_EQ(event.resource(), name);
  EXPECT_EQ(event.version(), 4);
  EXPECT_EQ(time::ToTime(event.occur_time()), now_);
  v1::CourseEvent payload;
  ASSERT_TRUE(event.payload().UnpackTo(&payload));
  EXPECT_EQ(payload.state(), v1::COURSE_STATE_ACTIVE);
  const audit::Entry expected{.organization_id = "acme",
                              .principal = "service:scheduling",
                              .method = "scheduling/SetSuitabilityReviewDue",
                              .resource = name,
                              .version = 4,
                              .occur_time = now_,
                              .trace_id = ""};
  EXPECT_EQ(LastAudit(), expected);

  Tell(name, 4, kReopened);  // the case changed otherwise
  Tell(name, 5, kNothing);   // a judgement against it was signed
  EXPECT_EQ(Standing(name), "ACTIVE 4 due");
  Tell(name, 7, kInFavour);
  EXPECT_EQ(Standing(name), "ACTIVE 5");
  EXPECT_EQ(Events().back().version(), 5);
}

TEST_P(SuitabilityReviewTest, ARedeliveredOrOlderEventChangesNothing) {
  const std::string name = Active("p").name();
  Tell(name, 3, kReopened);
  const size_t events = Events().size();
  Tell(name, 3, kReopened);
  Tell(name, 2, kInFavour);
  EXPECT_EQ(Standing(name), "ACTIVE 4 due");
  Tell(name, 5, kInFavour);
  Tell(name, 4, kReopened);
  Tell(name, 3, kReopened);
  EXPECT_EQ(Standing(name), "ACTIVE 5");
  EXPECT_EQ(Events().size(), events + 1);
}

TEST_P(SuitabilityReviewTest, APausedCourseIsMarkedOthersAreNot) {
  const std::string paused = Active("p1").name();
  ASSERT_TRUE(Do(&CourseHandlers::PauseCourse, anna_,
                 Parse<v1::PauseCourseRequest>(absl::StrCat(
                     "name: '", paused,
                     "' reason: PAUSE_REASON_ILLNESS return_date { year: 2026 month: 3 day: 1 } "
                     "future_appointments: FUTURE_APPOINTMENTS_KEEP")))
                  .ok());
  const std::string ended = Active("p2").name();
  ASSERT_TRUE(Do(&CourseHandlers::DiscontinueCourse, anna_,
                 Parse<v1::DiscontinueCourseRequest>(
                     absl::StrCat("name: '", ended,
                                  "' reason: DISCONTINUE_REASON_PATIENT_CHOICE "
                                  "future_appointments: FUTURE_APPOINTMENTS_KEEP")))
                  .ok());
  const std::string assessing = Begun("p3").name();
  for (const std::string& name : {paused, ended, assessing}) Tell(name, 2, kReopened);
  Tell("organizations/acme/courses/none", 2, kReopened);
  EXPECT_EQ(Standing(paused), "PAUSED 5 due");
  EXPECT_EQ(Standing(ended), "DISCONTINUED 4");
  EXPECT_EQ(Standing(assessing), "ASSESSING 2");
  Tell(paused, 3, kInFavour);
  EXPECT_EQ(Standing(paused), "PAUSED 6");
}

TEST_P(SuitabilityReviewTest, ADeterminationReopenedDuringActivationMarksTheCourse) {
  const std::string name = Begun("p").name();
  notes_.before_answer = [&] { Tell(name, 3, kReopened); };
  v1::ActivateCourseRequest activate;
  activate.set_name(name);
  const auto course = Do(&CourseHandlers::ActivateCourse, anna_, activate);
  ASSERT_TRUE(course.ok()) << course.status();
  EXPECT_TRUE(course->suitability_review_due());
  EXPECT_EQ(Standing(name), "ACTIVE 3 due");
  Tell(name, 4, kInFavour);
  EXPECT_EQ(Standing(name), "ACTIVE 4");
}

TEST_P(SuitabilityReviewTest, TheServiceFollowsNotes) {
  const std::string name = Active("p").name();
  const auto source = sql::testing::Sqlite().make();
  time::ManualClock clock(now_);
  feed::Feed feed(*source, clock, {.tick = absl::Milliseconds(2)});
  feed.Start();
  const auto say = [&](int64_t case_version, const google::protobuf::Message& payload) {
    const absl::Status said = source->Write(
        sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30), [&](sql::Transaction& tx) {
          events::Append(tx, "acme", CaseOf(name), case_version, now_, payload);
          return absl::OkStatus();
        });
    EXPECT_TRUE(said.ok()) << said;
  };
  const auto metrics = telemetry::Metrics::Unserved();
  SchedulingService service({.database = *database_,
                             .clock = clock,
                             .metrics = *metrics,
                             .notes = notes_,
                             .notes_feed = rapport::testing::InProcess(feed)});
  call::Registry registry;
  service.Register(registry);
  EXPECT_TRUE(registry.Complete().ok()) << registry.Complete();

  const auto await = [&](int64_t position) {
    const absl::Time give_up = absl::Now() + absl::Seconds(30);
    while (service.consumer().position() < position) {
      ASSERT_LT(absl::Now(), give_up);
    }
  };
  say(1, Case(name, kReopened));
  service.Start();
  await(1);
  EXPECT_EQ(Standing(name), "ACTIVE 4 due");
  service.Stop();
  say(2, notes::v1::GoalEvent());
  say(3, Case(name, kInFavour));
  service.Start();
  await(3);
  service.Stop();
  EXPECT_EQ(Standing(name), "ACTIVE 5");
  EXPECT_EQ(service.consumer().parked(), 0);
  EXPECT_THAT(service.RetryParked(), ::testing::Property(&absl::StatusOr<int>::ok, true));
}

INSTANTIATE_ON_ENGINES(SuitabilityReviewTest);

}  // namespace
}  // namespace rapport::scheduling
