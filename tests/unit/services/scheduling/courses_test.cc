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

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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

TEST(CoursesTest, AProposedCourseTakesTheProtocolsMostSessionsUnlessAsked) {
  const absl::StatusOr<v1::Course> course = ProposeCourse(Asked(), Anna(), Classic(), kToday);
  ASSERT_TRUE(course.ok()) << course.status();
  EXPECT_EQ(course->planned_sessions(), 16);
  EXPECT_EQ(course->state(), v1::COURSE_STATE_PROPOSED);
  EXPECT_THAT(course->warnings(), IsEmpty());
  v1::Course asked = Asked();
  asked.set_planned_sessions(12);
  EXPECT_EQ(ProposeCourse(asked, Anna(), Classic(), kToday)->planned_sessions(), 12);
}

TEST(CoursesTest, PlannedSessionsStayWithinTheProtocol) {
  for (int planned : {11, 17, 200}) {
    v1::Course asked = Asked();
    asked.set_planned_sessions(planned);
    const absl::Status status = ProposeCourse(asked, Anna(), Classic(), kToday).status();
    EXPECT_EQ(errors::Reason(status), "PLANNED_SESSIONS_OUT_OF_BOUNDS") << planned;
  }
}

TEST(CoursesTest, TheClinicianMustWorkAtTheClinic) {
  v1::Course asked = Asked();
  asked.set_clinic("organizations/o/clinics/south");
  EXPECT_EQ(errors::Reason(ProposeCourse(asked, Anna(), Classic(), kToday).status()),
            "CLINICIAN_NOT_AT_CLINIC");
}

TEST(CoursesTest, AgeAndCertificationOnlyWarn) {
  v1::Course asked = Asked();
  asked.mutable_patient_particulars()->set_birth_year(2008);
  // The month of birth counts as reached, as the day is not known.
  EXPECT_THAT(ProposeCourse(asked, Anna(), Classic(), kToday)->warnings(), IsEmpty());
  asked.mutable_patient_particulars()->set_birth_month(4);
  v1::Clinician clinician = Anna();
  clinician.clear_certified_protocols();
  EXPECT_THAT(ProposeCourse(asked, clinician, Classic(), kToday)->warnings(),
              ElementsAre(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL,
                          v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED));
}

TEST(CoursesTest, ParticularsMustBePossible) {
  v1::PatientParticulars particulars = Asked().patient_particulars();
  EXPECT_TRUE(CheckParticulars(particulars, kToday).ok());
  particulars.set_birth_year(2026);
  particulars.set_birth_month(4);
  EXPECT_EQ(errors::FieldViolations(CheckParticulars(particulars, kToday))[0].field,
            "course.patient_particulars.birth_year");
  particulars = Asked().patient_particulars();
  particulars.mutable_majority_on()->set_year(2026);
  EXPECT_EQ(errors::FieldViolations(CheckParticulars(particulars, kToday))[0].field,
            "course.patient_particulars.majority_on");
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
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_PAUSED}}},
      {"Resume",
       [](v1::Course& c) { return ResumeCourse(c); },
       {{v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_ACTIVE}}},
      {"AnnounceEnding",
       [&](v1::Course& c) { return AnnounceEnding(c, time::ToDate(kToday), kToday); },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_ACTIVE}}},
      {"Complete",
       [&](v1::Course& c) {
         return CompleteCourse(c, 12, Classic(), v1::REFERRAL_UNSPECIFIED, now);
       },
       {{v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_COMPLETED}}},
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
  const absl::Status status =
      CompleteCourse(course, 11, Classic(), v1::REFERRAL_UNSPECIFIED, absl::UnixEpoch());
  EXPECT_EQ(errors::Reason(status), "TOO_FEW_SESSIONS");
  EXPECT_EQ(errors::MetadataValue(status, "sessions_held"), "11");
}

TEST(CoursesTest, ProgressShowsThePhaseOfTheNextSession) {
  v1::Course course = Asked();
  course.set_planned_sessions(16);
  course.set_state(v1::COURSE_STATE_PROPOSED);
  FillProgress(course, Classic(), 0);
  EXPECT_EQ(course.phase(), v1::PHASE_UNSPECIFIED);
  course.set_state(v1::COURSE_STATE_ACTIVE);
  for (const auto& [used, phase] : std::map<int, v1::Phase>{{0, v1::PHASE_INITIAL},
                                                            {2, v1::PHASE_INITIAL},
                                                            {3, v1::PHASE_MIDDLE},
                                                            {11, v1::PHASE_MIDDLE},
                                                            {12, v1::PHASE_TERMINATION},
                                                            {16, v1::PHASE_TERMINATION}}) {
    FillProgress(course, Classic(), used);
    EXPECT_EQ(course.phase(), phase) << used;
    EXPECT_EQ(course.sessions_used(), used);
  }
}

TEST(CoursesTest, SuitabilityIsReviewedWhileActiveOrPausedOnly) {
  for (int state = v1::CourseState_MIN; state <= v1::CourseState_MAX; ++state) {
    v1::Course course;
    course.set_state(static_cast<v1::CourseState>(state));
    const bool may = state == v1::COURSE_STATE_ACTIVE || state == v1::COURSE_STATE_PAUSED;
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
    warnings: COURSE_WARNING_AGE_OUTSIDE_PROTOCOL)pb");
  KeepExistenceAndTimes(course);
  EXPECT_EQ(course.DebugString(),
            Parse<v1::Course>(R"pb(
              name: "organizations/o/courses/c"
              patient: "organizations/o/patients/p"
              patient_particulars { jurisdiction: "GB-ENG" time_zone: "Europe/London" }
              planned_sessions: 16
              state: COURSE_STATE_DISCONTINUED
              pause { return_date { year: 2026 month: 4 day: 1 } }
              end { end_time { seconds: 5 } })pb")
                .DebugString());
}

}  // namespace
}  // namespace rapport::scheduling
