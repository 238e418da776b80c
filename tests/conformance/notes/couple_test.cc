#include <string>
#include <vector>

#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::SizeIs;

constexpr char kAnna[] = "organizations/acme/patients/p1";
constexpr char kBert[] = "organizations/acme/patients/p2";

std::string FieldOf(const absl::Status& status) {
  const std::vector<errors::FieldViolation> violations = errors::FieldViolations(status);
  return violations.empty() ? "" : violations.front().field;
}

// Ada's course c2 is of a couple, Anna and Bert. Sue supervises Ada.
class CoupleTest : public NotesTest {
 protected:
  CoupleTest() {
    TellCourse("c2", 1, "ada", absl::StrCat("kind: COURSE_KIND_CONJOINT partner: '", kBert, "'"));
    Tell("acme", Clinician("sue"), 1, Text<scheduling::v1::ClinicianEvent>("subject: 'sue'"));
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician("sue"));
    pair.set_supervisee(Clinician("ada"));
    *pair.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
    Tell("acme", "organizations/acme/supervisions/s1", 1, pair);
  }

  v1::Suitability Check() {
    v1::CheckSuitabilityRequest request;
    request.set_course(CourseName("c2"));
    const auto response = suitability_.CheckSuitability(By("ada"), request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->suitability() : v1::SUITABILITY_UNSPECIFIED;
  }

  v1::Determination Sign(const std::string& interaction) {
    auto request = Text<v1::SignDeterminationRequest>(absl::StrCat(
        "determination { outcome: SUITABILITY_OUTCOME_SUITABLE "
        "protocol: 'protocols/conjoint/revisions/1' "
        "reasons { direction: REASON_DIRECTION_FOR text: 'r' } interpersonal_trigger: ANSWERED_YES "
        "patient_preference: 'p' alternatives_offered: 'a' arises_from_interaction: ",
        interaction, " }"));
    request.set_parent(CaseName("c2"));
    const auto signed_one = cases_.SignDetermination(By("ada"), request);
    EXPECT_TRUE(signed_one.ok()) << signed_one.status();
    return signed_one.ok() ? *signed_one : v1::Determination();
  }

  absl::StatusOr<v1::PartnerScreen> Screen(const std::string& patient, const std::string& violence,
                                           const std::string& willing = "ANSWERED_YES",
                                           bool alone = true, const std::string& course = "c2",
                                           const std::string& by = "ada") {
    now_ += absl::Minutes(1);
    auto request = Text<v1::RecordPartnerScreenRequest>(absl::StrCat(
        "partner_screen { patient: '", patient, "' seen_alone: ", alone ? "true" : "false",
        " violence: ", violence, " willing: ", willing, " text: '", kSecret, "' }"));
    request.set_parent(CaseName(course));
    return cases_.RecordPartnerScreen(By(by), request);
  }

  absl::StatusOr<v1::PartnerScreen> Countersign(const std::string& by, const std::string& name) {
    v1::CountersignPartnerScreenRequest request;
    request.set_name(name);
    request.set_reason(kSecret);
    return cases_.CountersignPartnerScreen(By(by), request);
  }
};

TEST_P(CoupleTest, IsEligibleOnlyWhenInteractionAndBothPartnersAllow) {
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE);
  const v1::Determination unknown = Sign("ANSWERED_UNKNOWN");
  ASSERT_TRUE(Screen(kAnna, "SCREEN_RESULT_NEGATIVE").ok());
  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_NEGATIVE").ok());
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE) << "no interactional problem is known";

  v1::ReopenDeterminationRequest reopen;
  reopen.set_name(unknown.name());
  reopen.set_reason("r");
  ASSERT_TRUE(cases_.ReopenDetermination(By("ada"), reopen).ok());
  Sign("ANSWERED_YES");
  EXPECT_EQ(Check(), v1::SUITABILITY_ELIGIBLE);

  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_NEGATIVE", "ANSWERED_NO").ok());
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE) << "unwilling";
  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_UNKNOWN").ok());
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE) << "not known";
  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_NEGATIVE").ok());
  EXPECT_EQ(Check(), v1::SUITABILITY_ELIGIBLE) << "the newest counts";
}

TEST_P(CoupleTest, OneScreenIsNotEnough) {
  Sign("ANSWERED_YES");
  ASSERT_TRUE(Screen(kAnna, "SCREEN_RESULT_NEGATIVE").ok());
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE);
}

TEST_P(CoupleTest, APositiveScreenNeedsTheSignatureOfASecondClinician) {
  Sign("ANSWERED_YES");
  const auto negative = Screen(kAnna, "SCREEN_RESULT_NEGATIVE");
  const auto positive = Screen(kBert, "SCREEN_RESULT_POSITIVE");
  ASSERT_TRUE(positive.ok()) << positive.status();
  EXPECT_EQ(Check(), v1::SUITABILITY_NOT_COMPLETE);

  EXPECT_EQ(errors::Reason(Countersign("ada", positive->name()).status()), "SAME_CLINICIAN");
  EXPECT_EQ(errors::Reason(Countersign("sue", negative->name()).status()), "NOT_POSITIVE");
  EXPECT_TRUE(absl::IsNotFound(Countersign("cy", positive->name()).status()));
  EXPECT_EQ(errors::Reason(Countersign("sue", positive->name()).status()), "CLINICIAN_UNLICENSED");
  Tell("acme", Clinician("sue"), 2,
       Text<scheduling::v1::ClinicianEvent>(
           "subject: 'sue' licence_expire_date { year: 2026 month: 3 day: 4 }"));
  const auto signed_one = Countersign("sue", positive->name());
  ASSERT_TRUE(signed_one.ok()) << signed_one.status();
  EXPECT_EQ(signed_one->countersignature().clinician(), Clinician("sue"));
  EXPECT_EQ(errors::Reason(Countersign("sue", positive->name()).status()), "ALREADY_COUNTERSIGNED");
  EXPECT_EQ(Check(), v1::SUITABILITY_ELIGIBLE);
}

TEST_P(CoupleTest, RefusesScreensThatAreNone) {
  EXPECT_EQ(FieldOf(Screen(kAnna, "SCREEN_RESULT_NEGATIVE", "ANSWERED_YES", false).status()),
            "partner_screen.seen_alone");
  EXPECT_EQ(FieldOf(Screen("organizations/acme/patients/p3", "SCREEN_RESULT_NEGATIVE").status()),
            "partner_screen.patient");
  EXPECT_EQ(
      errors::Reason(Screen(kAnna, "SCREEN_RESULT_NEGATIVE", "ANSWERED_YES", true, "c1").status()),
      "NOT_CONJOINT");
  EXPECT_EQ(
      errors::Reason(
          Screen(kAnna, "SCREEN_RESULT_NEGATIVE", "ANSWERED_YES", true, "c2", "sue").status()),
      "NOT_THE_THERAPIST");
}

TEST_P(CoupleTest, ScreensAreListedNewestFirstToThoseWhoTreatAndSupervise) {
  ASSERT_TRUE(Screen(kAnna, "SCREEN_RESULT_NEGATIVE").ok());
  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_POSITIVE").ok());
  v1::ListPartnerScreensRequest request;
  request.set_parent(CaseName("c2"));
  for (const char* reader : {"ada", "sue"}) {
    const auto listed = cases_.ListPartnerScreens(By(reader), request);
    ASSERT_TRUE(listed.ok()) << listed.status();
    ASSERT_THAT(listed->partner_screens(), SizeIs(2));
    EXPECT_EQ(listed->partner_screens(0).patient(), kBert);
  }
  EXPECT_TRUE(absl::IsNotFound(cases_.ListPartnerScreens(By("cy"), request).status()));
}

TEST_P(CoupleTest, ADisclosureTellsNothingByAnyEvent) {
  const std::vector<std::string> before = Events();
  ASSERT_TRUE(Screen(kBert, "SCREEN_RESULT_POSITIVE").ok());
  EXPECT_EQ(Events(), before);
}

INSTANTIATE_TEST_SUITE_P(Engines, CoupleTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
