#include "services/scheduling/domain/courses.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/convert.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const absl::CivilDay kToday(2026, 3, 2);

v1::Course Asked() {
  return Parse<v1::Course>(R"pb(
    patient: "organizations/o/patients/p"
    patient_particulars {
      birth_year: 1980
      birth_month: 3
      jurisdiction: "GB-ENG"
      time_zone: "Europe/London"
    }
    clinician: "organizations/o/clinicians/anna"
    clinic: "organizations/o/clinics/north"
    protocol: "protocols/classic/revisions/1")pb");
}

v1::Clinician Anna() {
  return Parse<v1::Clinician>(R"pb(clinics: "organizations/o/clinics/north"
                                   certified_protocols: "classic")pb");
}

v1::Clinic North() {
  return Parse<v1::Clinic>(R"pb(name: "organizations/o/clinics/north" jurisdiction: "GB-ENG")pb");
}

const v1::Protocol& Shipped(const std::string& id) {
  return *ShippedProtocols().Find("protocols/" + id + "/revisions/1");
}

// What a course is judged against, to be changed.
struct World {
  v1::Clinician clinician = Anna();
  v1::Clinic clinic = North();
  v1::Protocol protocol = Classic();
  int open_courses = 0;
  CourseSetting Setting() const { return {clinician, clinic, protocol, kToday, open_courses}; }
};

v1::Course CoupleAsked() {
  v1::Course asked = Asked();
  asked.set_partner("organizations/o/patients/q");
  *asked.mutable_partner_particulars() = asked.patient_particulars();
  return asked;
}

v1::Course ActiveCourse(const v1::Protocol& protocol = Classic()) {
  v1::Course course = Asked();
  course.set_protocol(protocol.name());
  course.set_state(v1::COURSE_STATE_ACTIVE);
  course.set_planned_sessions(protocol.max_sessions());
  course.set_max_sessions(protocol.max_sessions());
  course.set_max_weeks(protocol.max_weeks());
  return course;
}

std::string Field(const absl::Status& status) {
  const auto violations = errors::FieldViolations(status);
  return violations.empty() ? "" : violations[0].field;
}

TEST(CoursesTest, AProposedCourseTakesTheProtocolsMostSessionsUnlessAsked) {
  const absl::StatusOr<v1::Course> course = ProposeCourse(Asked(), World().Setting());
  ASSERT_TRUE(course.ok()) << course.status();
  EXPECT_EQ(course->planned_sessions(), 16);
  EXPECT_EQ(course->max_sessions(), 16);
  EXPECT_EQ(course->max_weeks(), 20);
  EXPECT_EQ(course->kind(), v1::COURSE_KIND_INDIVIDUAL);
  EXPECT_EQ(course->state(), v1::COURSE_STATE_PROPOSED);
  EXPECT_THAT(course->warnings(), IsEmpty());
  v1::Course asked = Asked();
  asked.set_planned_sessions(12);
  EXPECT_EQ(ProposeCourse(asked, World().Setting())->planned_sessions(), 12);
}

TEST(CoursesTest, PlannedSessionsStayWithinTheProtocol) {
  for (int planned : {11, 17, 200}) {
    v1::Course asked = Asked();
    asked.set_planned_sessions(planned);
    const absl::Status status = ProposeCourse(asked, World().Setting()).status();
    EXPECT_EQ(errors::Reason(status), "PLANNED_SESSIONS_OUT_OF_BOUNDS") << planned;
    EXPECT_EQ(errors::MetadataValue(status, "max_sessions"), "16");
  }
}

TEST(CoursesTest, TheClinicianMustWorkAtTheClinic) {
  v1::Course asked = Asked();
  asked.set_clinic("organizations/o/clinics/south");
  EXPECT_EQ(errors::Reason(ProposeCourse(asked, World().Setting()).status()),
            "CLINICIAN_NOT_AT_CLINIC");
}

TEST(CoursesTest, AnotherAgeNeedsAReason) {
  World world;
  v1::Course asked = Asked();
  asked.mutable_patient_particulars()->set_birth_year(2008);
  asked.set_age_override_reason(v1::AGE_OVERRIDE_REASON_NEAR_BAND);
  // The month of birth counts as reached, as the day is not known; what is not needed isn't kept.
  const auto fits = ProposeCourse(asked, world.Setting());
  EXPECT_THAT(fits->warnings(), IsEmpty());
  EXPECT_EQ(fits->age_override_reason(), v1::AGE_OVERRIDE_REASON_UNSPECIFIED);

  asked.mutable_patient_particulars()->set_birth_month(4);
  const auto young = ProposeCourse(asked, world.Setting());
  EXPECT_THAT(young->warnings(), ElementsAre(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL));
  EXPECT_EQ(young->age_override_reason(), v1::AGE_OVERRIDE_REASON_NEAR_BAND);
  asked.clear_age_override_reason();
  const absl::Status refused = ProposeCourse(asked, world.Setting()).status();
  EXPECT_EQ(errors::Reason(refused), "AGE_OUTSIDE_PROTOCOL");
  EXPECT_EQ(errors::MetadataValue(refused, "min_age"), "18");

  world.protocol = Shipped("ipt-a");  // 12 to 18
  EXPECT_TRUE(ProposeCourse(asked, world.Setting()).ok());
  asked.mutable_patient_particulars()->set_birth_year(2007);
  asked.mutable_patient_particulars()->set_birth_month(3);
  EXPECT_EQ(errors::Reason(ProposeCourse(asked, world.Setting()).status()), "AGE_OUTSIDE_PROTOCOL");
}

TEST(CoursesTest, ACoupleIsTwoWithTheirParticulars) {
  World world;
  world.protocol = Shipped("conjoint");
  const auto field = [&](const v1::Course& asked) {
    return Field(ProposeCourse(asked, world.Setting()).status());
  };
  const auto couple = ProposeCourse(CoupleAsked(), world.Setting());
  ASSERT_TRUE(couple.ok()) << couple.status();
  EXPECT_EQ(couple->kind(), v1::COURSE_KIND_CONJOINT);
  EXPECT_EQ(couple->partner(), "organizations/o/patients/q");
  EXPECT_EQ(couple->partner_particulars().birth_year(), 1980);
  EXPECT_EQ(field(Asked()), "course.partner");
  v1::Course asked = CoupleAsked();
  asked.clear_partner_particulars();
  EXPECT_EQ(field(asked), "course.partner_particulars");
  asked = CoupleAsked();
  asked.set_partner(asked.patient());
  EXPECT_EQ(field(asked), "course.partner");
  asked = CoupleAsked();
  asked.mutable_partner_particulars()->set_birth_year(2027);
  EXPECT_EQ(field(asked), "course.partner_particulars.birth_year");

  for (const char* other : {"classic", "group"}) {
    world.protocol = Shipped(other);
    EXPECT_EQ(field(CoupleAsked()), "course.partner") << other;
    asked = Asked();
    *asked.mutable_partner_particulars() = asked.patient_particulars();
    EXPECT_EQ(field(asked), "course.partner_particulars") << other;
  }
  EXPECT_EQ(ProposeCourse(Asked(), world.Setting())->kind(), v1::COURSE_KIND_GROUP);
}

TEST(CoursesTest, WarnsOfWhatDeservesASecondLook) {
  struct Case {
    std::string what;
    std::function<void(World&, v1::Course&)> change;
    std::vector<v1::CourseWarning> warnings;
  };
  const std::vector<Case> cases = {
      {"all is well", [](World&, v1::Course&) {}, {}},
      {"uncertified",
       [](World& w, v1::Course&) { w.clinician.clear_certified_protocols(); },
       {v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED}},
      {"what it is for",
       [](World&, v1::Course& c) { c.add_conditions(v1::CONDITION_DEPRESSION); },
       {}},
      {"one of what it is for",
       [](World&, v1::Course& c) {
         c.add_conditions(v1::CONDITION_BULIMIA);
         c.add_conditions(v1::CONDITION_DEPRESSION);
       },
       {}},
      {"none of what it is for",
       [](World&, v1::Course& c) { c.add_conditions(v1::CONDITION_BIPOLAR); },
       {v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL}},
      {"weak evidence for the condition",
       [](World& w, v1::Course& c) {
         w.protocol.mutable_indications(0)->set_evidence_grade(v1::EVIDENCE_GRADE_WEAK);
         c.add_conditions(v1::CONDITION_DEPRESSION);
       },
       {v1::COURSE_WARNING_WEAK_EVIDENCE}},
      {"weak evidence at all, no condition named",
       [](World& w, v1::Course&) { w.protocol.set_evidence_grade(v1::EVIDENCE_GRADE_WEAK); },
       {v1::COURSE_WARNING_WEAK_EVIDENCE}},
      {"lives elsewhere",
       [](World&, v1::Course& c) { c.mutable_patient_particulars()->set_jurisdiction("GB-SCT"); },
       {v1::COURSE_WARNING_JURISDICTION}},
      {"lives where the clinician is licensed",
       [](World& w, v1::Course& c) {
         w.clinician.add_licensed_jurisdictions("GB-SCT");
         c.mutable_patient_particulars()->set_jurisdiction("GB-SCT");
       },
       {}},
      {"lives in the country in which the clinician is licensed",
       [](World& w, v1::Course& c) {
         w.clinician.add_licensed_jurisdictions("GB");
         c.mutable_patient_particulars()->set_jurisdiction("GB-SCT");
       },
       {}},
      {"all at once",
       [](World& w, v1::Course& c) {
         w.clinician.clear_certified_protocols();
         w.clinician.set_closed_to_new_courses(true);
         c.set_caseload_override_reason(v1::CASELOAD_OVERRIDE_REASON_URGENT);
         c.set_age_override_reason(v1::AGE_OVERRIDE_REASON_NO_OTHER_PROTOCOL);
         c.mutable_patient_particulars()->set_birth_year(2015);
         c.mutable_patient_particulars()->set_jurisdiction("IE");
         c.add_conditions(v1::CONDITION_PTSD);
       },
       {v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL, v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED,
        v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL, v1::COURSE_WARNING_JURISDICTION,
        v1::COURSE_WARNING_OVER_CASELOAD_CAP}},
  };
  for (const Case& c : cases) {
    World world;
    v1::Course asked = Asked();
    c.change(world, asked);
    const auto course = ProposeCourse(asked, world.Setting());
    ASSERT_TRUE(course.ok()) << c.what << ": " << course.status();
    EXPECT_THAT(course->warnings(), ::testing::ElementsAreArray(c.warnings)) << c.what;
  }
  World world;
  world.protocol = Shipped("conjoint");
  world.clinician.add_certified_protocols("conjoint");
  v1::Course couple = CoupleAsked();
  couple.mutable_partner_particulars()->set_jurisdiction("IE");
  EXPECT_THAT(ProposeCourse(couple, world.Setting())->warnings(),
              Contains(v1::COURSE_WARNING_JURISDICTION));
}

TEST(CoursesTest, ConditionsAreNamedOnce) {
  for (const v1::Condition second : {v1::CONDITION_UNSPECIFIED, v1::CONDITION_PANIC}) {
    v1::Course asked = Asked();
    asked.add_conditions(v1::CONDITION_PANIC);
    asked.add_conditions(second);
    EXPECT_EQ(Field(ProposeCourse(asked, World().Setting()).status()), "course.conditions[1]");
  }
}

TEST(CoursesTest, AFullCaseloadNeedsAReason) {
  struct Case {
    int cap, open;
    bool closed;
    std::string refused;
  };
  for (const Case& c : std::vector<Case>{{0, 900, false, ""},
                                         {3, 2, false, ""},
                                         {3, 3, false, "CASELOAD_CAP_REACHED"},
                                         {3, 4, false, "CASELOAD_CAP_REACHED"},
                                         {0, 0, true, "CLOSED_TO_NEW_COURSES"},
                                         {3, 3, true, "CASELOAD_CAP_REACHED"}}) {
    World world;
    world.clinician.set_caseload_cap(c.cap);
    world.clinician.set_closed_to_new_courses(c.closed);
    world.open_courses = c.open;
    v1::Course asked = Asked();
    EXPECT_EQ(errors::Reason(ProposeCourse(asked, world.Setting()).status()), c.refused)
        << c.cap << " " << c.open;
    asked.set_caseload_override_reason(v1::CASELOAD_OVERRIDE_REASON_AGREED);
    const auto course = ProposeCourse(asked, world.Setting());
    ASSERT_TRUE(course.ok()) << course.status();
    EXPECT_EQ(course->caseload_override_reason() == v1::CASELOAD_OVERRIDE_REASON_AGREED,
              !c.refused.empty());
  }
}

TEST(CoursesTest, ParticularsMustBePossible) {
  v1::PatientParticulars particulars = Asked().patient_particulars();
  EXPECT_TRUE(CheckParticulars(particulars, "p", kToday).ok());
  particulars.set_birth_year(2026);
  particulars.set_birth_month(4);
  EXPECT_EQ(Field(CheckParticulars(particulars, "p", kToday)), "p.birth_year");
  particulars = Asked().patient_particulars();
  particulars.mutable_majority_on()->set_year(2026);
  EXPECT_EQ(Field(CheckParticulars(particulars, "p", kToday)), "p.majority_on");
  particulars = Asked().patient_particulars();
  particulars.mutable_may_consent_from()->set_year(2026);
  EXPECT_EQ(Field(CheckParticulars(particulars, "p", kToday)), "p.may_consent_from");
}

TEST(CoursesTest, AnUpdateReachesSomeFieldsOnly) {
  const auto check = [](std::vector<std::string> paths) {
    google::protobuf::FieldMask mask;
    for (std::string& path : paths) mask.add_paths(std::move(path));
    return Field(CheckRevisable(mask));
  };
  EXPECT_EQ(check({"patient_particulars", "partner_particulars.majority_on", "conditions",
                   "planned_sessions"}),
            "");
  EXPECT_EQ(check({}), "update_mask");
  for (const char* path : {"clinician", "state", "protocol", "age_override_reason", "partner",
                           "planned_sessionsx", ""}) {
    EXPECT_EQ(check({"conditions", path}), "update_mask") << path;
  }
}

TEST(CoursesTest, ARevisedCourseIsCheckedAndWarnedOfAnew) {
  const World world;
  const SessionCounts sessions{.used = 3, .held = 3, .counted = 13};
  v1::Course course = ActiveCourse();
  course.add_conditions(v1::CONDITION_PANIC);
  course.mutable_patient_particulars()->set_birth_year(2009);
  ASSERT_TRUE(ReviseCourse(course, world.Setting(), kToday, sessions).ok());
  EXPECT_THAT(course.warnings(), ElementsAre(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL,
                                             v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL));
  course.clear_conditions();
  // Was of age when the course began.
  ASSERT_TRUE(ReviseCourse(course, world.Setting(), kToday + 800, sessions).ok());
  EXPECT_THAT(course.warnings(), IsEmpty());

  for (const auto& [planned, passes] :
       std::map<int, bool>{{12, false}, {13, true}, {16, true}, {17, false}}) {
    course.set_planned_sessions(planned);
    const absl::Status status = ReviseCourse(course, world.Setting(), kToday + 800, sessions);
    EXPECT_EQ(errors::Reason(status), passes ? "" : "PLANNED_SESSIONS_OUT_OF_BOUNDS") << planned;
  }
  course = ActiveCourse();
  course.set_partner("organizations/o/patients/q");
  EXPECT_EQ(Field(ReviseCourse(course, world.Setting(), kToday, sessions)), "course.partner");
  course = ActiveCourse();
  course.set_state(v1::COURSE_STATE_COMPLETED);
  EXPECT_EQ(errors::Reason(ReviseCourse(course, world.Setting(), kToday, sessions)),
            "COURSE_STATE");
  // In maintenance the contract bounds.
  course = ActiveCourse();
  course.set_state(v1::COURSE_STATE_MAINTENANCE);
  course.mutable_maintenance()->set_cadence_days(28);
  course.set_max_sessions(53);
  course.set_planned_sessions(2);
  EXPECT_TRUE(ReviseCourse(course, world.Setting(), kToday, {.counted = 2}).ok());
  course.set_planned_sessions(1);
  EXPECT_FALSE(ReviseCourse(course, world.Setting(), kToday, {.counted = 2}).ok());
}

v1::MaintenanceContract Contract() {
  return Parse<v1::MaintenanceContract>(R"pb(
    cadence_days: 28
    ends_on { year: 2027 month: 3 day: 2 }
    focus: MAINTENANCE_FOCUS_KEPT
    measures { instrument: "phq-9" every_days: 14 booster_threshold: 10 })pb");
}

// Each transition from each state: only the drawn ones pass.
TEST(CoursesTest, OnlyTheDrawnTransitionsPass) {
  using Transition = std::function<absl::Status(v1::Course&)>;
  const absl::Time now = At("2026-03-02T12:00:00Z");
  struct Rule {
    std::string name;
    Transition apply;
    std::map<v1::CourseState, v1::CourseState> drawn;
  };
  const std::vector<Rule> rules = {
      {"BeginAssessment",
       [](v1::Course& c) { return BeginAssessment(c); },
       {{v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_ASSESSING}}},
      {"Activate",
       [&](v1::Course& c) { return ActivateCourse(c, now); },
       {{v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ACTIVE}}},
      {"Pause",
       [&](v1::Course& c) {
         return PauseCourse(c, v1::PAUSE_REASON_ILLNESS, time::ToDate(kToday + 1), kToday);
       },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_PAUSED},
        {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_PAUSED}}},
      {"Resume",
       [](v1::Course& c) { return ResumeCourse(c); },
       {{v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_ACTIVE}}},
      {"AnnounceEnding",
       [&](v1::Course& c) { return AnnounceEnding(c, time::ToDate(kToday), kToday); },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE}}},
      {"Complete",
       [&](v1::Course& c) {
         return CompleteCourse(c, 12, Classic(), v1::REFERRAL_UNSPECIFIED,
                               v1::CLOSE_REASON_UNSPECIFIED, now);
       },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_COMPLETED},
        {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_COMPLETED}}},
      {"SwitchProtocol",
       [&](v1::Course& c) {
         World world;
         world.protocol = Shipped("late-life");
         world.protocol.clear_min_age();
         return SwitchProtocol(c, {v1::SWITCH_REASON_CIRCUMSTANCES, v1::SESSION_COUNTER_CARRIED},
                               Classic(), world.Setting(), {}, 0, now);
       },
       {{v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ASSESSING},
        {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE}}},
      {"DeclarePhase",
       [&](v1::Course& c) { return DeclarePhase(c, v1::PHASE_MIDDLE, Classic(), 1, now); },
       {{v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ASSESSING},
        {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE}}},
      {"ExtendCourse",
       [&](v1::Course& c) {
         return ExtendCourse(c, 1, 0, v1::EXTENSION_REASON_UNSPECIFIED, Classic(), now);
       },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE}}},
      {"TransferCourse",
       [&](v1::Course& c) {
         World world;
         world.clinician.set_name("organizations/o/clinicians/ben");
         return TransferCourse(c, v1::TRANSFER_REASON_UNSPECIFIED,
                               v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED, world.Setting(), now);
       },
       {{v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_PROPOSED},
        {v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ASSESSING},
        {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE},
        {v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_PAUSED},
        {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_MAINTENANCE}}},
      {"Revise",
       [&](v1::Course& c) {
         c.set_planned_sessions(12);
         return ReviseCourse(c, World().Setting(), kToday, {});
       },
       {{v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_PROPOSED},
        {v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ASSESSING},
        {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE},
        {v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_PAUSED},
        {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_MAINTENANCE}}},
      {"BeginMaintenance",
       [&](v1::Course& c) {
         return BeginMaintenance(c, Contract(), Classic(), {.held = 12}, 0, kToday);
       },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_MAINTENANCE}}},
      {"Discontinue",
       [&](v1::Course& c) {
         return DiscontinueCourse(c, v1::DISCONTINUE_REASON_MOVED_AWAY, v1::REFERRAL_OTHER, now);
       },
       {{v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_DISCONTINUED},
        {v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_DISCONTINUED},
        {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_DISCONTINUED},
        {v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_DISCONTINUED},
        {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_DISCONTINUED}}},
  };
  for (const Rule& rule : rules) {
    for (int state = v1::COURSE_STATE_PROPOSED; state <= v1::COURSE_STATE_DISCONTINUED; ++state) {
      v1::Course course = Asked();
      course.set_planned_sessions(12);
      course.set_state(static_cast<v1::CourseState>(state));
      const std::string before = course.SerializeAsString();
      const absl::Status status = rule.apply(course);
      const auto drawn = rule.drawn.find(static_cast<v1::CourseState>(state));
      SCOPED_TRACE(rule.name + " from " + v1::CourseState_Name(state));
      if (drawn != rule.drawn.end()) {
        EXPECT_TRUE(status.ok()) << status;
        EXPECT_EQ(course.state(), drawn->second);
      } else {
        EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
        EXPECT_EQ(errors::Reason(status), "COURSE_STATE");
        EXPECT_EQ(errors::MetadataValue(status, "state"), v1::CourseState_Name(state));
        EXPECT_EQ(course.SerializeAsString(), before);
      }
    }
  }
}

TEST(CoursesTest, APauseReturnsAfterTodayAndAnEndingIsNotToldInTheFuture) {
  v1::Course course = Asked();
  course.set_state(v1::COURSE_STATE_ACTIVE);
  const absl::Status pause =
      PauseCourse(course, v1::PAUSE_REASON_ILLNESS, time::ToDate(kToday), kToday);
  EXPECT_EQ(errors::FieldViolations(pause)[0].field, "return_date");
  const absl::Status announce = AnnounceEnding(course, time::ToDate(kToday + 1), kToday);
  EXPECT_EQ(errors::FieldViolations(announce)[0].field, "date");
  EXPECT_EQ(course.state(), v1::COURSE_STATE_ACTIVE);
  EXPECT_FALSE(course.has_ending_announced_date());
}

TEST(CoursesTest, ACourseOfTooFewSessionsIsNotComplete) {
  v1::Course course = Asked();
  course.set_state(v1::COURSE_STATE_ACTIVE);
  const absl::Status status = CompleteCourse(course, 11, Classic(), v1::REFERRAL_UNSPECIFIED,
                                             v1::CLOSE_REASON_OTHER, absl::UnixEpoch());
  EXPECT_EQ(errors::Reason(status), "TOO_FEW_SESSIONS");
  EXPECT_EQ(errors::MetadataValue(status, "sessions_held"), "11");
}

TEST(CoursesTest, APausedCourseGoesOnWhereItStood) {
  for (const v1::CourseState state : {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_MAINTENANCE}) {
    v1::Course course = ActiveCourse();
    course.set_state(state);
    ASSERT_TRUE(
        PauseCourse(course, v1::PAUSE_REASON_PATIENT_AWAY, time::ToDate(kToday + 9), kToday).ok());
    EXPECT_EQ(course.pause().from_state(), state);
    ASSERT_TRUE(ResumeCourse(course).ok());
    EXPECT_EQ(course.state(), state);
    EXPECT_FALSE(course.has_pause());
  }
}

TEST(CoursesTest, AnotherProtocolCarriesOrRestartsTheCount) {
  const absl::Time now = At("2026-03-02T12:00:00Z");
  World world;
  world.protocol = Shipped("ipsrt");
  ProtocolChange change;
  change.reason = v1::SWITCH_REASON_DIAGNOSIS_REVISED;
  const SessionCounts sessions{.used = 3, .held = 3, .counted = 16};
  v1::Course before = ActiveCourse();
  before.add_conditions(v1::CONDITION_BIPOLAR);
  before.set_segment(1);
  before.set_max_sessions(18);  // extended by 2
  before.set_max_weeks(24);     // and by 4
  before.add_declared_phases()->set_phase(v1::PHASE_MIDDLE);

  v1::Course course = before;
  change.counter = v1::SESSION_COUNTER_RESTARTED;
  ASSERT_TRUE(SwitchProtocol(course, change, Classic(), world.Setting(), sessions, 13, now).ok());
  EXPECT_EQ(course.protocol(), world.protocol.name());
  EXPECT_EQ(course.segment(), 2);
  EXPECT_THAT(course.declared_phases(), IsEmpty());
  EXPECT_EQ(course.planned_sessions(), 20);
  EXPECT_EQ(course.max_sessions(), 20);
  EXPECT_EQ(course.max_weeks(), 26);
  EXPECT_THAT(course.warnings(), Not(Contains(v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL)));
  EXPECT_THAT(course.warnings(), Contains(v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED));
  ASSERT_EQ(course.protocol_history_size(), 1);
  EXPECT_EQ(course.protocol_history(0).DebugString(),
            Parse<v1::ProtocolSwitch>(R"pb(
              from_protocol: "protocols/classic/revisions/1"
              reason: SWITCH_REASON_DIAGNOSIS_REVISED
              counter: SESSION_COUNTER_RESTARTED
              sessions_used: 3
              planned_sessions: 16
              switch_time { seconds: 1772452800 })pb")
                .DebugString());

  course = before;
  change.counter = v1::SESSION_COUNTER_CARRIED;
  ASSERT_TRUE(SwitchProtocol(course, change, Classic(), world.Setting(), sessions, 13, now).ok());
  EXPECT_EQ(course.segment(), 1);
  EXPECT_EQ(course.declared_phases_size(), 1);
  EXPECT_EQ(course.max_sessions(), 22);
  EXPECT_EQ(course.max_weeks(), 30);
  EXPECT_EQ(course.planned_sessions(), 22);

  // Not fewer than would count.
  for (const auto& [counter, least] : std::map<v1::SessionCounter, int>{
           {v1::SESSION_COUNTER_CARRIED, 16}, {v1::SESSION_COUNTER_RESTARTED, 14}}) {
    change.counter = counter;
    for (int planned : {least - 1, least}) {
      course = before;
      change.planned_sessions = planned;
      EXPECT_EQ(errors::Reason(
                    SwitchProtocol(course, change, Classic(), world.Setting(), sessions, 14, now)),
                planned < least ? "PLANNED_SESSIONS_OUT_OF_BOUNDS" : "")
          << planned;
      EXPECT_EQ(course.SerializeAsString() == before.SerializeAsString(), planned < least);
    }
  }
}

TEST(CoursesTest, NotEveryProtocolCanFollow) {
  const absl::Time now = At("2026-03-02T12:00:00Z");
  const v1::Course before = ActiveCourse();
  ProtocolChange change;
  change.counter = v1::SESSION_COUNTER_CARRIED;
  const auto reason = [&](const v1::Protocol& to, const v1::Course& from) {
    World world;
    world.protocol = to;
    v1::Course course = from;
    const absl::Status status =
        SwitchProtocol(course, change, Classic(), world.Setting(), {}, 0, now);
    EXPECT_EQ(course.SerializeAsString() == from.SerializeAsString(), !status.ok());
    return errors::Reason(status);
  };
  EXPECT_EQ(reason(Classic(), before), "SAME_PROTOCOL");
  EXPECT_EQ(reason(Shipped("conjoint"), before), "PROTOCOL_KIND");
  EXPECT_EQ(reason(Shipped("group"), before), "PROTOCOL_KIND");
  EXPECT_EQ(reason(Shipped("ipt-a"), before), "AGE_OUTSIDE_PROTOCOL");
  v1::Course seated = before;
  seated.set_group("organizations/o/groups/g");
  EXPECT_EQ(reason(Shipped("ipsrt"), seated), "COURSE_IN_GROUP");
  change.age_override_reason = v1::AGE_OVERRIDE_REASON_DEVELOPMENT_FITS;
  EXPECT_EQ(reason(Shipped("ipt-a"), before), "");
}

TEST(CoursesTest, APhaseIsDeclaredWithinItsRange) {
  // Classic, 16 sessions: middle from 4 (2 to 5), termination from 13 (13 to 15).
  struct Case {
    v1::Phase phase;
    int used;
    std::string refused;
  };
  for (const Case& c : std::vector<Case>{{v1::PHASE_INITIAL, 0, "PHASE_PASSED"},
                                         {v1::PHASE_MIDDLE, 0, "PHASE_OUT_OF_RANGE"},
                                         {v1::PHASE_MIDDLE, 1, ""},
                                         {v1::PHASE_MIDDLE, 3, ""},
                                         {v1::PHASE_MIDDLE, 4, ""},  // later than by the protocol
                                         {v1::PHASE_MIDDLE, 5, "PHASE_PASSED"},
                                         {v1::PHASE_TERMINATION, 11, "PHASE_OUT_OF_RANGE"},
                                         {v1::PHASE_TERMINATION, 12, ""},
                                         {v1::PHASE_TERMINATION, 14, ""},
                                         {v1::PHASE_TERMINATION, 15, "PHASE_PASSED"},
                                         {v1::PHASE_MIDDLE, 13, "PHASE_PASSED"},
                                         {v1::PHASE_MAINTENANCE, 3, "INVALID_FIELD"}}) {
    v1::Course course = ActiveCourse();
    const absl::Status status =
        DeclarePhase(course, c.phase, Classic(), c.used, absl::FromUnixSeconds(7));
    EXPECT_EQ(errors::Reason(status), c.refused) << v1::Phase_Name(c.phase) << " " << c.used;
    ASSERT_EQ(course.declared_phases_size(), status.ok() ? 1 : 0);
    if (!status.ok()) continue;
    EXPECT_EQ(course.declared_phases(0).first_session(), c.used + 1);
    EXPECT_EQ(course.declared_phases(0).declare_time().seconds(), 7);
    FillProgress(course, Classic(), {.sessions_used = c.used});
    EXPECT_EQ(course.phase(), c.phase);
    EXPECT_EQ(errors::Reason(DeclarePhase(course, c.phase, Classic(), c.used, absl::UnixEpoch())),
              "PHASE_PASSED");
  }
  v1::Course course = ActiveCourse();
  const absl::Status early =
      DeclarePhase(course, v1::PHASE_MIDDLE, Classic(), 0, absl::UnixEpoch());
  EXPECT_EQ(errors::MetadataValue(early, "earliest_first_session"), "2");
  EXPECT_EQ(errors::MetadataValue(early, "latest_first_session"), "5");
  // A protocol that fixes its phases.
  v1::Protocol fixed = Classic();
  fixed.mutable_phases(1)->clear_earliest_first_session();
  fixed.mutable_phases(1)->clear_latest_first_session();
  EXPECT_EQ(errors::Reason(DeclarePhase(course, v1::PHASE_MIDDLE, fixed, 2, absl::UnixEpoch())),
            "PHASE_OUT_OF_RANGE");
}

TEST(CoursesTest, ExtensionsAddUpToTheProtocolsRule) {
  // Classic: 4 sessions, 8 weeks.
  v1::Course course = ActiveCourse();
  course.set_planned_sessions(12);
  const auto extend = [&](int sessions, int weeks) {
    return ExtendCourse(course, sessions, weeks, v1::EXTENSION_REASON_INTERVENING_EVENT, Classic(),
                        absl::FromUnixSeconds(7));
  };
  EXPECT_EQ(Field(extend(0, 0)), "sessions");
  EXPECT_TRUE(extend(3, 0).ok());
  EXPECT_EQ(course.planned_sessions(), 15);
  EXPECT_EQ(course.max_sessions(), 19);
  EXPECT_EQ(course.max_weeks(), 20);
  const absl::Status more = extend(2, 8);
  EXPECT_EQ(errors::Reason(more), "EXTENSION_OUT_OF_BOUNDS");
  EXPECT_EQ(errors::MetadataValue(more, "sessions_left"), "1");
  EXPECT_EQ(errors::MetadataValue(more, "weeks_left"), "8");
  EXPECT_EQ(errors::Reason(extend(1, 9)), "EXTENSION_OUT_OF_BOUNDS");
  EXPECT_TRUE(extend(1, 8).ok());
  EXPECT_EQ(course.max_sessions(), 20);
  EXPECT_EQ(course.max_weeks(), 28);
  EXPECT_EQ(errors::Reason(extend(0, 1)), "EXTENSION_OUT_OF_BOUNDS");
  ASSERT_EQ(course.extensions_size(), 2);
  EXPECT_EQ(course.extensions(1).sessions(), 1);
  EXPECT_EQ(course.extensions(1).weeks(), 8);
  EXPECT_EQ(course.extensions(1).extend_time().seconds(), 7);
  v1::Protocol rigid = Classic();
  rigid.clear_extension();
  course = ActiveCourse();
  EXPECT_EQ(errors::Reason(ExtendCourse(course, 0, 1, v1::EXTENSION_REASON_UNSPECIFIED, rigid,
                                        absl::UnixEpoch())),
            "EXTENSION_OUT_OF_BOUNDS");
}

TEST(CoursesTest, AnotherClinicianTakesOver) {
  World world;
  world.clinician.set_name("organizations/o/clinicians/ben");
  world.clinician.clear_certified_protocols();
  world.clinician.set_caseload_cap(2);
  world.open_courses = 1;
  v1::Course course = ActiveCourse();
  course.set_caseload_override_reason(v1::CASELOAD_OVERRIDE_REASON_URGENT);
  course.add_warnings(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL);
  course.add_warnings(v1::COURSE_WARNING_OVER_CASELOAD_CAP);
  auto override_reason = v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED;
  ASSERT_TRUE(TransferCourse(course, v1::TRANSFER_REASON_COMPETENCE, override_reason,
                             world.Setting(), absl::FromUnixSeconds(7))
                  .ok());
  EXPECT_EQ(course.clinician(), "organizations/o/clinicians/ben");
  EXPECT_EQ(course.transfers(0).from_clinician(), "organizations/o/clinicians/anna");
  EXPECT_EQ(course.transfers(0).reason(), v1::TRANSFER_REASON_COMPETENCE);
  EXPECT_EQ(course.transfers(0).transfer_time().seconds(), 7);
  EXPECT_THAT(course.warnings(), ElementsAre(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL,
                                             v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED));
  EXPECT_EQ(course.caseload_override_reason(), v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED);

  const auto reason = [&](const v1::Course& of) {
    v1::Course changed = of;
    const absl::Status status = TransferCourse(changed, v1::TRANSFER_REASON_COMPETENCE,
                                               override_reason, world.Setting(), absl::UnixEpoch());
    EXPECT_EQ(changed.SerializeAsString() == of.SerializeAsString(), !status.ok());
    return errors::Reason(status);
  };
  EXPECT_EQ(reason(course), "SAME_CLINICIAN");
  v1::Course elsewhere = ActiveCourse();
  elsewhere.set_clinic("organizations/o/clinics/south");
  EXPECT_EQ(reason(elsewhere), "CLINICIAN_NOT_AT_CLINIC");
  world.open_courses = 2;
  EXPECT_EQ(reason(ActiveCourse()), "CASELOAD_CAP_REACHED");
  override_reason = v1::CASELOAD_OVERRIDE_REASON_CONTINUITY;
  EXPECT_EQ(reason(ActiveCourse()), "");
}

TEST(CoursesTest, MaintenanceIsAContractOfItsOwn) {
  v1::Course course = ActiveCourse();
  course.add_declared_phases()->set_phase(v1::PHASE_MIDDLE);
  course.set_max_sessions(18);
  ASSERT_TRUE(BeginMaintenance(course, Contract(), Classic(), {.held = 12}, 0, kToday).ok());
  EXPECT_EQ(course.state(), v1::COURSE_STATE_MAINTENANCE);
  EXPECT_EQ(course.segment(), 1);
  EXPECT_EQ(course.maintenance().DebugString(), Contract().DebugString());
  EXPECT_EQ(course.planned_sessions(), 13);  // 365 days
  EXPECT_EQ(course.max_sessions(), 53);
  EXPECT_EQ(course.max_weeks(), 53);
  EXPECT_THAT(course.declared_phases(), IsEmpty());
  EXPECT_THAT(course.warnings(), IsEmpty());
  FillProgress(course, Classic(), {.sessions_used = 2});
  EXPECT_EQ(course.phase(), v1::PHASE_MAINTENANCE);
  EXPECT_THAT(course.warnings(), IsEmpty());
  EXPECT_EQ(course.max_sessions(), 53);

  course = ActiveCourse();
  v1::MaintenanceContract contract = Contract();
  contract.set_remission_needed_medication(true);
  ASSERT_TRUE(BeginMaintenance(course, contract, Classic(), {.held = 12}, 14, kToday).ok());
  EXPECT_EQ(course.planned_sessions(), 14);  // as many as were kept
  EXPECT_THAT(course.warnings(), ElementsAre(v1::COURSE_WARNING_MAINTENANCE_AFTER_MEDICATION));
}

TEST(CoursesTest, MaintenanceIsOfferedByTheProtocolOrNot) {
  const auto begin = [](const v1::MaintenanceContract& contract, const v1::Protocol& protocol,
                        int held) {
    v1::Course course = ActiveCourse();
    const std::string before = course.SerializeAsString();
    const absl::Status status =
        BeginMaintenance(course, contract, protocol, {.held = held}, 0, kToday);
    EXPECT_EQ(course.SerializeAsString() == before, !status.ok());
    return status;
  };
  EXPECT_EQ(errors::Reason(begin(Contract(), Classic(), 11)), "TOO_FEW_SESSIONS");
  v1::MaintenanceContract contract = Contract();
  contract.set_cadence_days(29);
  const absl::Status cadence = begin(contract, Classic(), 12);
  EXPECT_EQ(errors::Reason(cadence), "MAINTENANCE_NOT_OFFERED");
  EXPECT_EQ(errors::MetadataValue(cadence, "cadence_days"), "7,14,28,30");
  EXPECT_EQ(errors::MetadataValue(cadence, "max_months"), "24");
  contract = Contract();
  *contract.mutable_ends_on() = time::ToDate(absl::CivilDay(2028, 3, 2));
  EXPECT_TRUE(begin(contract, Classic(), 12).ok());
  *contract.mutable_ends_on() = time::ToDate(absl::CivilDay(2028, 3, 3));
  EXPECT_EQ(errors::Reason(begin(contract, Classic(), 12)), "MAINTENANCE_NOT_OFFERED");
  *contract.mutable_ends_on() = time::ToDate(kToday);
  EXPECT_EQ(Field(begin(contract, Classic(), 12)), "contract.ends_on");
  contract.mutable_ends_on()->set_day(32);
  EXPECT_EQ(Field(begin(contract, Classic(), 12)), "contract.ends_on");
  contract = Contract();
  *contract.add_measures() = contract.measures(0);
  EXPECT_EQ(Field(begin(contract, Classic(), 12)), "contract.measures[1].instrument");
  v1::Protocol none = Classic();
  none.clear_maintenance();
  EXPECT_EQ(errors::Reason(begin(Contract(), none, 12)), "MAINTENANCE_NOT_OFFERED");
}

TEST(CoursesTest, StoppingConjointWorkLooksLikeStoppingAnyOther) {
  v1::Course couple = CoupleAsked();
  couple.set_state(v1::COURSE_STATE_ACTIVE);
  const auto ended = [&](v1::DiscontinueReason reason) {
    v1::Course course = couple;
    EXPECT_TRUE(
        DiscontinueCourse(course, reason, v1::REFERRAL_UNSPECIFIED, absl::UnixEpoch()).ok());
    course.mutable_end()->clear_reason();
    return course.SerializeAsString();
  };
  EXPECT_EQ(ended(v1::DISCONTINUE_REASON_FORMAT_CHANGED),
            ended(v1::DISCONTINUE_REASON_PATIENT_CHOICE));
}

TEST(CoursesTest, ProgressShowsThePhaseOfTheNextSession) {
  v1::Course course = Asked();
  course.set_planned_sessions(16);
  course.set_state(v1::COURSE_STATE_PROPOSED);
  FillProgress(course, Classic(), {});
  EXPECT_EQ(course.phase(), v1::PHASE_UNSPECIFIED);
  EXPECT_EQ(course.max_sessions(), 16);
  EXPECT_EQ(course.max_weeks(), 20);
  course.set_state(v1::COURSE_STATE_ACTIVE);
  for (const auto& [used, phase] : std::map<int, v1::Phase>{{0, v1::PHASE_INITIAL},
                                                            {2, v1::PHASE_INITIAL},
                                                            {3, v1::PHASE_MIDDLE},
                                                            {11, v1::PHASE_MIDDLE},
                                                            {12, v1::PHASE_TERMINATION},
                                                            {16, v1::PHASE_TERMINATION}}) {
    for (const bool agreed : {false, true}) {
      v1::Course shown = course;
      FillProgress(shown, Classic(), {.sessions_used = used, .formulation_agreed = agreed});
      EXPECT_EQ(shown.phase(), phase) << used;
      EXPECT_EQ(shown.sessions_used(), used);
      EXPECT_EQ(shown.warnings_size(), !agreed && phase != v1::PHASE_INITIAL ? 1 : 0) << used;
      for (int warning : shown.warnings()) {
        EXPECT_EQ(warning, v1::COURSE_WARNING_FORMULATION_NOT_AGREED);
      }
    }
  }
  course.set_state(v1::COURSE_STATE_COMPLETED);
  FillProgress(course, Classic(), {.sessions_used = 16});
  EXPECT_THAT(course.warnings(), IsEmpty());
}

TEST(CoursesTest, ProgressShowsWhoIsMissing) {
  const v1::Protocol& protocol = Shipped("ipt-a");
  v1::Course course = ActiveCourse(protocol);
  FillProgress(course, protocol, {.sessions_used = 1});
  const int expected = course.missing_participants_size();
  ASSERT_GT(expected, 1);
  EXPECT_EQ(course.missing_participants(0).role(), v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN);
  course.clear_missing_participants();
  FillProgress(course, protocol,
               {.sessions_used = 1,
                .formulation_agreed = true,
                .attended = {{1, {v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN}}}});
  EXPECT_EQ(course.missing_participants_size(), expected - 1);
  for (const v1::CourseState state :
       {v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_COMPLETED, v1::COURSE_STATE_DISCONTINUED}) {
    v1::Course other = ActiveCourse(protocol);
    other.set_state(state);
    FillProgress(other, protocol, {});
    EXPECT_THAT(other.missing_participants(), IsEmpty());
  }
}

TEST(CoursesTest, SuitabilityIsReviewedFromActivationToTheEnd) {
  for (int state = v1::CourseState_MIN; state <= v1::CourseState_MAX; ++state) {
    v1::Course course;
    course.set_state(static_cast<v1::CourseState>(state));
    const bool may = state == v1::COURSE_STATE_ACTIVE || state == v1::COURSE_STATE_PAUSED ||
                     state == v1::COURSE_STATE_MAINTENANCE;
    EXPECT_FALSE(SetSuitabilityReviewDue(course, false)) << state;
    EXPECT_EQ(SetSuitabilityReviewDue(course, true), may) << state;
    EXPECT_FALSE(SetSuitabilityReviewDue(course, may)) << state;
    EXPECT_EQ(course.suitability_review_due(), may) << state;
    EXPECT_EQ(SetSuitabilityReviewDue(course, false), may) << state;
    EXPECT_FALSE(course.suitability_review_due()) << state;
  }
}

TEST(CoursesTest, TheDeskSeesExistenceAndTimesOnly) {
  v1::Course course = Parse<v1::Course>(R"pb(
    name: "organizations/o/courses/c"
    patient: "organizations/o/patients/p"
    patient_particulars {
      birth_year: 1980
      birth_month: 3
      jurisdiction: "GB-ENG"
      time_zone: "Europe/London"
      majority_on { year: 1998 month: 3 day: 1 }
    }
    planned_sessions: 16
    state: COURSE_STATE_DISCONTINUED
    pause {
      reason: PAUSE_REASON_ILLNESS
      return_date { year: 2026 month: 4 day: 1 }
    }
    end {
      reason: DISCONTINUE_REASON_DEATH
      referral: REFERRAL_CRISIS_CARE
      end_time { seconds: 5 }
    }
    suitability_review_due: true
    ending_announced_date { year: 2026 month: 4 day: 1 }
    warnings: COURSE_WARNING_AGE_OUTSIDE_PROTOCOL
    partner: "organizations/o/patients/q"
    partner_particulars { birth_year: 1981 birth_month: 1 jurisdiction: "GB-WLS" }
    conditions: CONDITION_PANIC
    age_override_reason: AGE_OVERRIDE_REASON_NEAR_BAND
    extensions { sessions: 2 reason: EXTENSION_REASON_INTERVENING_EVENT }
    protocol_history { from_protocol: "p" reason: SWITCH_REASON_DIAGNOSIS_REVISED }
    declared_phases { phase: PHASE_MIDDLE first_session: 3 }
    maintenance {
      cadence_days: 28
      focus: MAINTENANCE_FOCUS_NEW
      remission_needed_medication: true
      measures { instrument: "phq-9" every_days: 7 }
    }
    transfers { from_clinician: "c" reason: TRANSFER_REASON_PATIENT_CHOICE }
    missing_participants { role: PARTICIPANT_ROLE_CARER missing: 1 })pb");
  KeepExistenceAndTimes(course);
  EXPECT_EQ(course.DebugString(),
            Parse<v1::Course>(R"pb(
              name: "organizations/o/courses/c"
              patient: "organizations/o/patients/p"
              patient_particulars { jurisdiction: "GB-ENG" time_zone: "Europe/London" }
              planned_sessions: 16
              state: COURSE_STATE_DISCONTINUED
              pause { return_date { year: 2026 month: 4 day: 1 } }
              end { end_time { seconds: 5 } }
              partner: "organizations/o/patients/q"
              partner_particulars { jurisdiction: "GB-WLS" }
              extensions { sessions: 2 }
              protocol_history { from_protocol: "p" }
              maintenance { cadence_days: 28 }
              transfers { from_clinician: "c" })pb")
                .DebugString());
}

}  // namespace
}  // namespace rapport::scheduling
