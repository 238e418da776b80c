#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/names/names.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/group_handlers.h"
#include "services/scheduling/rpc/leave_handlers.h"
#include "services/scheduling/rpc/leave_hints.h"
#include "services/scheduling/rpc/live_index.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kAnna[] = "organizations/acme/clinicians/anna";
constexpr char kBen[] = "organizations/acme/clinicians/ben";
constexpr char kCarl[] = "organizations/acme/clinicians/carl";
constexpr char kNorth[] = "organizations/acme/clinics/north";

// Anna is away from Monday 9 to Sunday 15 February 2026. Hints are what the test says.
class LeaveTest : public SchedulingTest {
 protected:
  void SetUp() override {
    SchedulingTest::SetUp();
    ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", "carl")).ok());
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Ask(
      absl::StatusOr<Response> (LeaveHandlers::*method)(const call::CallContext&, const Request&),
      const Who& who, const Request& request) {
    const call::CallContext context = Context(who, request);
    absl::StatusOr<Response> response = (leave_.*method)(context, request);
    replayed_ = context.replayed;
    return response;
  }

  static absl::Time On(int day, int hour, int minute = 0) {
    return absl::FromCivil(absl::CivilSecond(2026, 2, day, hour, minute), absl::UTCTimeZone());
  }

  v1::TimeOff Away() {
    v1::CreateTimeOffRequest request;
    request.set_parent(kAnna);
    *request.mutable_time_off()->mutable_start_time() = time::ToTimestamp(On(9, 0));
    *request.mutable_time_off()->mutable_end_time() = time::ToTimestamp(On(16, 0));
    const auto away = Do(&DirectoryHandlers::CreateTimeOff, admin_, request);
    EXPECT_TRUE(away.ok()) << away.status();
    return away.ok() ? *away : v1::TimeOff();
  }
  void Covers(const std::string& who, int from, int until) {
    v1::CreateCoverRequest request;
    request.set_parent("organizations/acme");
    v1::Cover& cover = *request.mutable_cover();
    cover.set_clinician(kAnna);
    cover.set_covering_clinician(who);
    *cover.mutable_start_time() = time::ToTimestamp(On(from, 0));
    *cover.mutable_end_time() = time::ToTimestamp(On(until, 0));
    const auto made = Do(&DirectoryHandlers::CreateCover, admin_, request);
    EXPECT_TRUE(made.ok()) << made.status();
  }

  absl::StatusOr<v1::LeavePlan> Plan(const v1::TimeOff& away, const Who& who) {
    v1::PlanLeaveRequest request;
    request.set_time_off(away.name());
    return Ask(&LeaveHandlers::PlanLeave, who, request);
  }
  absl::StatusOr<v1::LeavePlan> Get(const v1::LeavePlan& plan, const Who& who) {
    v1::GetLeavePlanRequest request;
    request.set_name(plan.name());
    return Ask(&LeaveHandlers::GetLeavePlan, who, request);
  }
  // By session its option; none: the default.
  static v1::ApplyLeavePlanRequest Applying(const v1::LeavePlan& plan,
                                            const std::vector<std::pair<int, int>>& choices = {}) {
    v1::ApplyLeavePlanRequest request;
    request.set_name(plan.name());
    for (const auto& [item, option] : choices) {
      v1::LeaveChoice& choice = *request.add_choices();
      choice.set_appointment(plan.items(item).appointment());
      choice.set_option(option);
    }
    return request;
  }
  absl::StatusOr<v1::LeavePlan> Apply(const v1::ApplyLeavePlanRequest& request, const Who& who) {
    return Ask(&LeaveHandlers::ApplyLeavePlan, who, request);
  }

  static std::vector<std::string> Options(const v1::LeavePlanItem& item) {
    std::vector<std::string> told;
    for (const v1::LeaveOption& option : item.options()) {
      std::string one(absl::StripPrefix(v1::LeaveAction_Name(option.action()), "LEAVE_ACTION_"));
      if (!option.clinician().empty()) {
        absl::StrAppend(&one, " ", names::Last(option.clinician()));
      }
      if (option.has_start_time()) {
        absl::StrAppend(&one, " ", option.local_date().day(), " ", option.local_time().hours());
      }
      told.push_back(one);
    }
    return told;
  }
  static std::vector<std::string> Outcomes(const v1::LeavePlan& plan) {
    std::vector<std::string> told;
    for (const v1::LeavePlanItem& item : plan.items()) {
      told.push_back(
          absl::StrCat(absl::StripPrefix(v1::LeaveOutcome_Name(item.outcome()), "LEAVE_OUTCOME_"),
                       item.reason().empty() ? "" : " ", item.reason()));
    }
    return told;
  }
  v1::Appointment Appointment(const std::string& name) {
    v1::GetAppointmentRequest request;
    request.set_name(name);
    const auto found = Do(&AppointmentHandlers::GetAppointment, anna_, request);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : v1::Appointment();
  }

  LeaveHints Hints() {
    return {[this](const FreeTimesAsk& ask) -> absl::StatusOr<std::vector<absl::Time>> {
              if (!hints_.ok()) return hints_;
              asked_.push_back(ask);
              std::vector<absl::Time> free;
              for (const absl::Time start : free_[{ask.clinic, ask.remote}]) {
                const Interval time{start, start + absl::Minutes(ask.minutes)};
                bool busy = start < ask.starts.start || start >= ask.starts.end;
                for (const Interval& other : ask.busy) busy |= other.Overlaps(time);
                if (!busy && free.size() < ask.limit) free.push_back(start);
              }
              return free;
            },
            [this](const ColleaguesAsk& ask) -> absl::StatusOr<std::vector<std::string>> {
              std::vector<std::string> free;
              for (const std::string& one : colleagues_) {
                const auto has = [&](const std::vector<std::string>& all) {
                  return std::count(all.begin(), all.end(), one) > 0;
                };
                if (has(ask.but) || (!ask.among.empty() && !has(ask.among))) continue;
                EXPECT_EQ(ask.protocol, ask.among.empty() ? "classic" : "");
                if (free.size() < static_cast<size_t>(ask.limit)) free.push_back(one);
              }
              return free;
            }};
  }

  absl::Status hints_;
  std::map<std::pair<std::string, bool>, std::vector<absl::Time>> free_;
  std::vector<std::string> colleagues_;
  std::vector<FreeTimesAsk> asked_;
  LeaveHandlers leave_{*database_, revisions_, booker_, Hints()};
};

TEST_P(LeaveTest, APlanSaysOfEachSessionWhatMayBeDone) {
  v1::UpdateClinicianRequest video;
  *video.mutable_clinician() = NewClinician("acme", "anna").clinician();
  video.mutable_clinician()->set_name(kAnna);
  video.mutable_clinician()->add_modalities(v1::MODALITY_IN_PERSON);
  video.mutable_clinician()->add_modalities(v1::MODALITY_VIDEO);
  video.mutable_update_mask()->add_paths("modalities");
  ASSERT_TRUE(Do(&DirectoryHandlers::UpdateClinician, admin_, video).ok());
  const v1::Course course = Active("p");
  const v1::Appointment before = Booked(course, 2, 5, 10);
  const v1::Appointment first = Booked(course, 2, 10, 10);
  const v1::Appointment second = Booked(Active("q"), 2, 12, 15);
  Booked(Active("r", "ben"), 2, 10, 10);
  const v1::TimeOff away = Away();
  Covers(kCarl, 9, 11);
  free_[{kNorth, false}] = {On(6, 10), On(5, 10), On(17, 9), On(18, 9)};
  free_[{"organizations/acme/clinics/south", true}] = {On(20, 12)};
  colleagues_ = {kBen, kCarl};

  const auto plan = Plan(away, anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->time_off(), away.name());
  EXPECT_EQ(plan->etag(), "1");
  ASSERT_EQ(plan->items_size(), 2);
  EXPECT_EQ(plan->items(0).appointment(), first.name());
  EXPECT_EQ(plan->items(0).course(), course.name());
  EXPECT_EQ(plan->items(0).phase(), v1::PHASE_INITIAL);
  // The patient is taken on the 5th at 10; who covers comes first.
  EXPECT_THAT(Options(plan->items(0)),
              ElementsAre("MOVE anna 6 10", "MOVE anna 17 9", "HAND_OVER carl 10 10",
                          "HAND_OVER ben 10 10", "TELEHEALTH anna 20 12", "CANCEL"));
  // What was proposed to the first is not proposed to the second; carl covers no longer, but is
  // certified.
  EXPECT_THAT(Options(plan->items(1)),
              ElementsAre("MOVE anna 5 10", "MOVE anna 17 9", "HAND_OVER ben 12 15",
                          "HAND_OVER carl 12 15", "TELEHEALTH anna 20 12", "CANCEL"));
  EXPECT_EQ(asked_.at(0).starts, (Interval{On(2, 0), On(23, 0)}));
  EXPECT_EQ(Get(*plan, anna_)->SerializeAsString(), plan->SerializeAsString());
  EXPECT_EQ(Appointment(before.name()).etag(), before.etag());
  EXPECT_EQ(Appointment(second.name()).etag(), second.etag());
}

TEST_P(LeaveTest, WhoMayKnowTheClinicianMayPlan) {
  Booked(Active("p"), 2, 10, 10);
  Booked(Begun("q", "anna", "south"), 2, 11, 10);
  const v1::TimeOff away = Away();
  const auto plan = Plan(away, scheduler_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->items_size(), 2);
  EXPECT_EQ(Get(*plan, manager_)->items_size(), 2);
  // Of the sessions at their clinics.
  EXPECT_EQ(Get(*plan, {"desk", {"scheduler"}, {{"north"}}, "acme"})->items_size(), 1);
  EXPECT_EQ(Plan(away, {"desk", {"scheduler"}, {{"south"}}, "acme"})->items_size(), 1);
  const Who nowhere{"desk", {"scheduler"}, std::vector<std::string>(), "acme"};
  for (const Who& stranger : {ben_, nowhere}) {
    EXPECT_EQ(Plan(away, stranger).status(), errors::NotFound("TimeOff"));
    EXPECT_EQ(Get(*plan, stranger).status(), errors::NotFound("LeavePlan"));
    EXPECT_EQ(Apply(Applying(*plan), stranger).status(), errors::NotFound("LeavePlan"));
  }
  v1::TimeOff absent;
  absent.set_name(absl::StrCat(kAnna, "/timeOffs/none"));
  EXPECT_EQ(Plan(absent, anna_).status(), errors::NotFound("TimeOff"));
}

TEST_P(LeaveTest, WithoutTheIndexThereIsNoPlan) {
  Booked(Active("p"), 2, 10, 10);
  const v1::TimeOff away = Away();
  hints_ = errors::Unavailable("INDEX_NOT_READY", "Repeat.", "openings");
  EXPECT_EQ(errors::Reason(Plan(away, anna_).status()), "INDEX_NOT_READY");
}

TEST_P(LeaveTest, ARepeatedPlanIsTheFirst) {
  Booked(Active("p"), 2, 10, 10);
  v1::PlanLeaveRequest request;
  request.set_time_off(Away().name());
  request.set_request_id("123e4567-e89b-42d3-a456-426614174000");
  const auto first = Ask(&LeaveHandlers::PlanLeave, anna_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Ask(&LeaveHandlers::PlanLeave, anna_, request);
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
}

TEST_P(LeaveTest, EveryKindOfOptionIsCarriedOut) {
  free_[{kNorth, false}] = {On(17, 9)};
  colleagues_ = {kBen};
  const v1::Course p = Active("p"), q = Active("q"), r = Active("r");
  Booked(p, 2, 10, 10);
  Booked(q, 2, 11, 10);
  Booked(r, 2, 12, 10);
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_THAT(Options(plan->items(0)),
              ElementsAre("MOVE anna 17 9", "HAND_OVER ben 10 10", "CANCEL"));
  ASSERT_THAT(Options(plan->items(1)), ElementsAre("HAND_OVER ben 11 10", "CANCEL"));
  const auto applied = Apply(Applying(*plan, {{0, 0}, {1, 0}, {2, 1}}), anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Outcomes(*applied), ElementsAre("APPLIED", "APPLIED", "APPLIED"));
  EXPECT_EQ(applied->items(2).applied_option(), 1);
  EXPECT_EQ(applied->etag(), "4");
  EXPECT_EQ(time::ToTime(Appointment(plan->items(0).appointment()).start_time()), On(17, 9));
  v1::GetAppointmentRequest handed_over;
  handed_over.set_name(plan->items(1).appointment());
  EXPECT_EQ(Do(&AppointmentHandlers::GetAppointment, ben_, handed_over)->clinician(), kBen);
  const v1::Appointment cancelled = Appointment(plan->items(2).appointment());
  EXPECT_EQ(cancelled.state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(cancelled.cancel_reason(), v1::CANCEL_REASON_LEAVE);
  v1::LeavePlanEvent event;
  for (const auto& told : Events()) {
    if (told.resource() != plan->name()) continue;
    ASSERT_TRUE(told.payload().UnpackTo(&event));
  }
  EXPECT_EQ(event.sessions(), 3);
  EXPECT_EQ(event.settled(), 3);
}

TEST_P(LeaveTest, AtADistanceTheHoursOfAnotherClinicWillDo) {
  v1::UpdateClinicianRequest update;
  v1::Clinician& anna = *update.mutable_clinician();
  anna = NewClinician("acme", "anna").clinician();
  anna.set_name(kAnna);
  anna.add_modalities(v1::MODALITY_IN_PERSON);
  anna.add_modalities(v1::MODALITY_VIDEO);
  anna.set_telehealth_uri("https://video.example/anna");
  // At north until 17:00, at south until 20:00.
  for (v1::WorkingHours& hours : *anna.mutable_weekly_hours()) {
    if (hours.clinic() != kNorth) hours.mutable_end_time()->set_hours(20);
  }
  for (const char* path : {"modalities", "telehealth_uri", "weekly_hours"}) {
    update.mutable_update_mask()->add_paths(path);
  }
  ASSERT_TRUE(Do(&DirectoryHandlers::UpdateClinician, admin_, update).ok());
  const v1::Appointment session = Booked(Active("p"), 2, 10, 10);
  const v1::TimeOff away = Away();
  free_[{"organizations/acme/clinics/south", true}] = {On(17, 18)};
  const auto plan = Plan(away, anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_THAT(Options(plan->items(0)), ElementsAre("TELEHEALTH anna 17 18", "CANCEL"));
  // In the room they are at north alone.
  const auto in_the_room = Parse<v1::RescheduleAppointmentRequest>(
      absl::StrCat("name: '", session.name(), "' local_date { year: 2026 month: 2 day: 17 } ",
                   "local_time { hours: 18 }"));
  EXPECT_EQ(
      errors::Reason(Do(&AppointmentHandlers::RescheduleAppointment, anna_, in_the_room).status()),
      "OUTSIDE_HOURS");
  const auto applied = Apply(Applying(*plan), anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Outcomes(*applied), ElementsAre("APPLIED"));
  const v1::Appointment moved = Appointment(session.name());
  EXPECT_EQ(time::ToTime(moved.start_time()), On(17, 18));
  EXPECT_EQ(moved.modality(), v1::MODALITY_VIDEO);
  EXPECT_EQ(moved.clinic(), kNorth);
  EXPECT_EQ(moved.telehealth_uri(), "https://video.example/anna");
}

TEST_P(LeaveTest, WhatIsNotInThePlanIsRefusedBeforeAnythingChanges) {
  Booked(Active("p"), 2, 10, 10);
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(absl::IsInvalidArgument(Apply(Applying(*plan, {{0, 1}}), anna_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Apply(Applying(*plan, {{0, 0}, {0, 0}}), anna_).status()));
  auto foreign = Applying(*plan, {{0, 0}});
  foreign.mutable_choices(0)->set_appointment("organizations/acme/appointments/none");
  EXPECT_TRUE(absl::IsInvalidArgument(Apply(foreign, anna_).status()));
  auto stale = Applying(*plan);
  stale.set_etag("7");
  EXPECT_EQ(errors::Reason(Apply(stale, anna_).status()), "STALE_ETAG");
  EXPECT_THAT(Outcomes(*Get(*plan, anna_)), ElementsAre("UNSPECIFIED"));
}

TEST_P(LeaveTest, WhatIsNoLongerPossibleFailsAloneAndMayBeTriedAgain) {
  free_[{kNorth, false}] = {On(17, 9)};
  const v1::Appointment first = Booked(Active("p"), 2, 10, 10);
  const v1::Appointment second = Booked(Active("q"), 2, 11, 10);
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Booked(Active("r"), 2, 17, 9);
  const auto applied = Apply(Applying(*plan), anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Outcomes(*applied), ElementsAre("FAILED TIME_TAKEN", "APPLIED"));
  EXPECT_EQ(Appointment(first.name()).etag(), first.etag());
  EXPECT_EQ(Appointment(second.name()).state(), v1::APPOINTMENT_STATE_CANCELLED);
  // Not by default, but when it is chosen.
  EXPECT_EQ(Apply(Applying(*plan), anna_)->etag(), applied->etag());
  const auto chosen = Apply(Applying(*plan, {{0, 1}}), anna_);
  EXPECT_THAT(Outcomes(*chosen), ElementsAre("APPLIED", "APPLIED"));
  EXPECT_EQ(Appointment(first.name()).state(), v1::APPOINTMENT_STATE_CANCELLED);
}

TEST_P(LeaveTest, WhatChangedSinceIsOvertakenAndLeftAlone) {
  const v1::Appointment first = Booked(Active("p"), 2, 10, 10);
  const v1::Appointment second = Booked(Active("q"), 2, 11, 10);
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  v1::CancelAppointmentRequest cancel;
  cancel.set_name(first.name());
  cancel.set_reason(v1::CANCEL_REASON_PATIENT);
  ASSERT_TRUE(Do(&AppointmentHandlers::CancelAppointment, scheduler_, cancel).ok());
  auto move = Parse<v1::RescheduleAppointmentRequest>(
      absl::StrCat("name: '", second.name(), "' local_date { year: 2026 month: 2 day: 18 } ",
                   "local_time { hours: 11 }"));
  ASSERT_TRUE(Do(&AppointmentHandlers::RescheduleAppointment, scheduler_, move).ok());
  const auto applied = Apply(Applying(*plan), anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Outcomes(*applied), ElementsAre("OVERTAKEN", "OVERTAKEN"));
  EXPECT_EQ(Appointment(first.name()).cancel_reason(), v1::CANCEL_REASON_PATIENT);
  EXPECT_EQ(time::ToTime(Appointment(second.name()).start_time()), On(18, 11));
}

// A database that is gone after so many writes, as when the process dies between them.
class CutShort : public sql::Database {
 public:
  CutShort(sql::Database& database, int writes) : database_(database), writes_(writes) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, body);
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    if (writes_-- <= 0) return errors::Unavailable("GONE", "Repeat.", "database");
    return database_.Write(access, deadline, body);
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }

 private:
  sql::Database& database_;
  int writes_;
};

TEST_P(LeaveTest, ACallThatWasCutShortGoesOnWhenItIsSentAgain) {
  free_[{kNorth, false}] = {On(17, 9), On(18, 9)};
  Booked(Active("p"), 2, 10, 10);
  Booked(Active("q"), 2, 11, 10);
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  auto request = Applying(*plan, {{0, 0}, {1, 0}});
  request.set_request_id("123e4567-e89b-42d3-a456-426614174000");
  // The look for the request, and the first session.
  CutShort cut(*database_, 2);
  LeaveHandlers dying(cut, revisions_, booker_, Hints());
  EXPECT_EQ(errors::Reason(dying.ApplyLeavePlan(Context(anna_, request), request).status()),
            "GONE");
  EXPECT_THAT(Outcomes(*Get(*plan, anna_)), ElementsAre("APPLIED", "UNSPECIFIED"));
  const v1::Appointment moved = Appointment(plan->items(0).appointment());
  EXPECT_EQ(time::ToTime(moved.start_time()), On(17, 9));

  const auto applied = Apply(request, anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_FALSE(replayed_);
  EXPECT_THAT(Outcomes(*applied), ElementsAre("APPLIED", "APPLIED"));
  EXPECT_EQ(Appointment(moved.name()).etag(), moved.etag());
  const auto again = Apply(request, anna_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->SerializeAsString(), applied->SerializeAsString());
}

TEST_P(LeaveTest, ATimeOffWithTooManySessionsIsRefused) {
  Booked(Active("p"), 2, 10, 10);
  Booked(Active("q"), 2, 11, 10);
  v1::PlanLeaveRequest request;
  request.set_time_off(Away().name());
  const call::CallContext context = Context(anna_, request);
  LeaveHandlers one(*database_, revisions_, booker_, Hints(), 1);
  EXPECT_EQ(errors::Reason(one.PlanLeave(context, request).status()), "TOO_MANY_SESSIONS");
  LeaveHandlers two(*database_, revisions_, booker_, Hints(), 2);
  EXPECT_EQ(two.PlanLeave(context, request)->items_size(), 2);
}

TEST_P(LeaveTest, APlaceInAGroupIsCancelledOnlyWhereItIsChosen) {
  GroupHandlers groups(*database_, revisions_, booker_);
  const auto make = Parse<v1::CreateGroupRequest>(
      "parent: 'organizations/acme' group { display_name: 'G' clinician: "
      "'organizations/acme/clinicians/anna' clinic: 'organizations/acme/clinics/north' protocol: "
      "'protocols/group/revisions/1' }");
  const auto group = groups.CreateGroup(Context(anna_, make), make);
  ASSERT_TRUE(group.ok()) << group.status();
  auto course = NewCourse("p");
  course.mutable_course()->set_protocol("protocols/group/revisions/1");
  v1::BeginAssessmentRequest begin;
  begin.set_name(Do(&CourseHandlers::CreateCourse, anna_, course)->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna_, begin).ok());
  v1::JoinGroupRequest join;
  join.set_name(group->name());
  join.set_course(begin.name());
  ASSERT_TRUE(groups.JoinGroup(Context(anna_, join), join).ok());
  const auto book = Parse<v1::BookGroupSessionsRequest>(
      absl::StrCat("name: '", group->name(), "' first_date { year: 2026 month: 2 day: 10 } ",
                   "local_time { hours: 10 } count: 1"));
  ASSERT_TRUE(groups.BookGroupSessions(Context(anna_, book), book).ok());
  free_[{kNorth, false}] = {On(17, 9)};
  colleagues_ = {kBen};

  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->items_size(), 1);
  EXPECT_THAT(Options(plan->items(0)), ElementsAre("CANCEL"));
  EXPECT_THAT(Outcomes(*Apply(Applying(*plan), anna_)), ElementsAre("UNSPECIFIED"));
  EXPECT_THAT(Outcomes(*Apply(Applying(*plan, {{0, 0}}), anna_)), ElementsAre("APPLIED"));
  EXPECT_EQ(Appointment(plan->items(0).appointment()).state(), v1::APPOINTMENT_STATE_CANCELLED);
}

TEST_P(LeaveTest, APrivateSessionShowsItsTimesAloneToThoseWhoDoNotTreat) {
  auto couple = NewCourse("p");
  couple.mutable_course()->set_protocol("protocols/conjoint/revisions/1");
  couple.mutable_course()->set_partner("organizations/acme/patients/q");
  *couple.mutable_course()->mutable_partner_particulars() = couple.course().patient_particulars();
  auto course = Do(&CourseHandlers::CreateCourse, anna_, couple);
  ASSERT_TRUE(course.ok()) << course.status();
  v1::BeginAssessmentRequest begin;
  begin.set_name(course->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna_, begin).ok());
  auto request = At(*course, 2, 10, 10);
  request.set_private_with("organizations/acme/patients/q");
  const auto alone = Do(&AppointmentHandlers::BookAppointment, anna_, request);
  ASSERT_TRUE(alone.ok()) << alone.status();
  free_[{kNorth, false}] = {On(17, 9)};
  colleagues_ = {kBen};

  const auto plan = Plan(Away(), scheduler_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->items_size(), 1);
  EXPECT_EQ(plan->items(0).course(), "");
  EXPECT_EQ(plan->items(0).phase(), v1::PHASE_UNSPECIFIED);
  EXPECT_THAT(Options(plan->items(0)), ElementsAre("MOVE anna 17 9", "CANCEL"));
  const auto whole = Get(*plan, anna_);
  EXPECT_EQ(whole->items(0).course(), course->name());

  EXPECT_THAT(Outcomes(*Apply(Applying(*plan), scheduler_)), ElementsAre("UNSPECIFIED"));
  EXPECT_THAT(Outcomes(*Apply(Applying(*plan, {{0, 0}}), scheduler_)),
              ElementsAre("FAILED NOT_THE_THERAPIST"));
  EXPECT_THAT(Outcomes(*Apply(Applying(*plan, {{0, 0}}), anna_)), ElementsAre("APPLIED"));
}

// Anna works Monday to Friday from 9 to 17 at both clinics, as ben and carl do.
TEST_P(LeaveTest, TheIndexOfFreeTimeKnowsWhatMayBeDone) {
  const v1::Course course = Active("p");
  Booked(course, 2, 6, 16);
  Booked(course, 2, 10, 10);
  // Ben is taken then.
  Booked(Active("q", "ben"), 2, 10, 10);
  const v1::TimeOff away = Away();
  time::ManualClock clock(now_);
  const auto metrics = telemetry::Metrics::Unserved();
  LiveIndex index(*database_, clock, *metrics);
  LeaveHandlers leave(*database_, revisions_, booker_, HintsOf(index));
  v1::PlanLeaveRequest request;
  request.set_time_off(away.name());
  const call::CallContext context = Context(anna_, request);
  EXPECT_EQ(errors::Reason(leave.PlanLeave(context, request).status()), "INDEX_NOT_READY");
  ASSERT_TRUE(index.CatchUp().ok());
  const auto plan = leave.PlanLeave(context, request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->items_size(), 1);
  // Friday's last free time, as hers of 16:00 is taken; the next is another 50 minutes earlier.
  EXPECT_THAT(Options(plan->items(0)),
              ElementsAre("MOVE anna 6 15", "MOVE anna 6 14", "HAND_OVER carl 10 10", "CANCEL"));
  EXPECT_EQ(plan->items(0).options(0).local_time().minutes(), 0);
  const auto applied = Apply(Applying(*plan, {{0, 0}}), anna_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(Outcomes(*applied), ElementsAre("APPLIED"));
}

TEST_P(LeaveTest, ATimeOffWithoutSessionsHasAnEmptyPlan) {
  const auto plan = Plan(Away(), anna_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->items(), IsEmpty());
  EXPECT_TRUE(Apply(Applying(*plan), anna_).ok());
}

INSTANTIATE_ON_ENGINES(LeaveTest);

}  // namespace
}  // namespace rapport::scheduling
