#include "services/notes/domain/release_rules.h"

#include <string>
#include <vector>

#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/notes/data/access_settings.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const errors::FieldViolation& violation : errors::FieldViolations(status)) {
    fields.push_back(violation.field);
  }
  return fields;
}

const absl::Time kNow = absl::FromCivil(absl::CivilMinute(2026, 3, 4, 16, 0), absl::UTCTimeZone());
const absl::CivilDay kToday(2026, 3, 4);
const v1::AccessSettings& kSettings = ShippedAccessSettings();

scheduling::v1::CourseEvent Course(const std::string& more = "") {
  return Text<scheduling::v1::CourseEvent>("patient_time_zone: 'Europe/London' " + more);
}

v1::NoteReleaseState ByRule(const std::string& more, bool flagged = false) {
  return DefaultRelease(Course(more), flagged, kNow, kSettings).state();
}

TEST(ReleaseRulesTest, AdultsSeeTheirNotesOnSigning) {
  const v1::NoteRelease release = DefaultRelease(Course(), false, kNow, kSettings);
  EXPECT_EQ(release.state(), v1::NOTE_RELEASE_STATE_RELEASED);
  EXPECT_EQ(release.reason(), v1::NOTE_RELEASE_REASON_ON_SIGNING);
  EXPECT_FALSE(release.has_review_date());
  EXPECT_EQ(ByRule("majority_on { year: 2026 month: 3 day: 4 }"), v1::NOTE_RELEASE_STATE_RELEASED)
      << "of age on the day of the signature";
}

TEST(ReleaseRulesTest, MinorsCouplesGroupsAndFlaggedCasesStartHeldForTheAuthor) {
  for (const char* course :
       {"majority_on { year: 2026 month: 3 day: 5 }",
        "may_consent_from { year: 2026 month: 3 day: 1 }", "kind: COURSE_KIND_CONJOINT",
        "kind: COURSE_KIND_GROUP", "group: 'organizations/acme/groups/g'"}) {
    EXPECT_EQ(ByRule(course), v1::NOTE_RELEASE_STATE_HELD) << course;
  }
  EXPECT_EQ(ByRule("", true), v1::NOTE_RELEASE_STATE_HELD);
  const v1::NoteRelease held = DefaultRelease(Course(), true, kNow, kSettings);
  EXPECT_EQ(held.reason(), v1::NOTE_RELEASE_REASON_AWAITS_AUTHOR);
  EXPECT_EQ(time::ToCivilDay(held.review_date()), kToday + kSettings.hold_review_default_days());
}

TEST(ReleaseRulesTest, AMinorStaysOneForANoteThatWasSignedBefore) {
  const auto course = Course("majority_on { year: 2026 month: 3 day: 5 }");
  EXPECT_EQ(DefaultRelease(course, false, kNow, kSettings).state(), v1::NOTE_RELEASE_STATE_HELD);
  EXPECT_EQ(DefaultRelease(course, false, kNow + absl::Hours(24), kSettings).state(),
            v1::NOTE_RELEASE_STATE_RELEASED);
}

TEST(ReleaseRulesTest, DaysAreThoseOfThePatientsZone) {
  EXPECT_EQ(DayOf(Text<scheduling::v1::CourseEvent>("patient_time_zone: 'Pacific/Auckland'"), kNow),
            kToday + 1);
  EXPECT_EQ(DayOf(scheduling::v1::CourseEvent(), kNow), kToday);
}

std::vector<std::string> Faults(const std::string& release) {
  return Fields(CheckNoteRelease(Text<v1::NoteRelease>(release), kToday, kSettings));
}

TEST(ReleaseRulesTest, MajorityBeginsWithItsDayWhereThePatientLives) {
  const auto start = [](const std::string& course) {
    return absl::FormatTime(absl::RFC3339_full,
                            MajorityStart(Text<scheduling::v1::CourseEvent>(course)),
                            absl::UTCTimeZone());
  };
  const std::string day = "majority_on { year: 2026 month: 7 day: 1 } ";
  EXPECT_EQ(start(day + "patient_time_zone: 'Europe/London'"), "2026-06-30T23:00:00+00:00");
  EXPECT_EQ(start(day + "patient_time_zone: 'America/New_York'"), "2026-07-01T04:00:00+00:00");
  EXPECT_EQ(start(day), "2026-07-01T00:00:00+00:00");
  EXPECT_EQ(MajorityStart(Course()), absl::InfiniteFuture());
  for (const char* zone : {"Europe/London", "Pacific/Auckland", "America/Sao_Paulo", ""}) {
    auto course = Text<scheduling::v1::CourseEvent>(day);
    course.set_patient_time_zone(zone);
    EXPECT_FALSE(IsMinor(course, DayOf(course, MajorityStart(course)))) << zone;
    EXPECT_TRUE(IsMinor(course, DayOf(course, MajorityStart(course) - absl::Seconds(1)))) << zone;
  }
}

TEST(ReleaseRulesTest, ADecisionNeedsAReasonOfItsState) {
  EXPECT_THAT(Faults("state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED"),
              IsEmpty());
  for (const char* reason : {"ON_SIGNING", "AWAITS_AUTHOR", "DANGER", "LEGAL"}) {
    EXPECT_THAT(Faults(std::string("state: NOTE_RELEASE_STATE_RELEASED reason: "
                                   "NOTE_RELEASE_REASON_") +
                       reason),
                ElementsAre("release.reason"))
        << reason;
  }
  EXPECT_THAT(Faults("state: NOTE_RELEASE_STATE_HELD reason: NOTE_RELEASE_REASON_REVIEWED "
                     "review_date { year: 2026 month: 4 day: 1 }"),
              ElementsAre("release.reason"));
}

TEST(ReleaseRulesTest, AHeldNoteIsLookedAtAgain) {
  const std::string held = "state: NOTE_RELEASE_STATE_HELD reason: NOTE_RELEASE_REASON_DANGER ";
  EXPECT_THAT(Faults(held), ElementsAre("release.review_date"));
  EXPECT_THAT(Faults(held + "review_date { year: 2026 month: 3 day: 4 }"),
              ElementsAre("release.review_date"))
      << "today is too late";
  EXPECT_THAT(Faults(held + "review_date { year: 2026 month: 3 day: 5 }"), IsEmpty());
  EXPECT_THAT(Faults(held + "review_date { year: 2027 month: 3 day: 5 }"),
              ElementsAre("release.review_date"));
  EXPECT_THAT(Faults("state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED "
                     "review_date { year: 2026 month: 3 day: 5 }"),
              ElementsAre("release.review_date"));
}

TEST(ReleaseRulesTest, ARedactedReleaseBringsWhatIsShownInstead) {
  const std::string redacted =
      "state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REDACTED ";
  EXPECT_THAT(Faults(redacted), ElementsAre("release.redacted_content"));
  EXPECT_THAT(Faults(redacted + "redacted_content { plan: 'p' }"), IsEmpty());
  EXPECT_THAT(Faults("state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED "
                     "redacted_content { plan: 'p' }"),
              ElementsAre("release.redacted_content"));
}

TEST(ReleaseRulesTest, AJointNoteIsShownWholeOnlyWithTheConsentOfEachOther) {
  const auto whole = Text<v1::NoteRelease>(
      "state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED");
  EXPECT_TRUE(CheckSubjects(whole, {}, {}).ok());
  EXPECT_EQ(errors::Reason(CheckSubjects(whole, {"b", "c"}, {"b"})), "SUBJECTS_NOT_CONSENTED");
  EXPECT_TRUE(CheckSubjects(whole, {"b", "c"}, {"b", "c"}).ok());
  const auto redacted = Text<v1::NoteRelease>(
      "state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REDACTED");
  EXPECT_TRUE(CheckSubjects(redacted, {"b"}, {}).ok());
}

TEST(ReleaseRulesTest, TellingOthersNeedsToWhomWhatAndUntilWhen) {
  for (const char* purpose : {"DISCLOSURE", "LEGAL_PROCEEDINGS"}) {
    auto consent =
        Text<v1::Consent>(std::string("recipient: ' ' purpose: CONSENT_PURPOSE_") + purpose);
    EXPECT_THAT(Fields(CheckConsent(consent, kNow)),
                ElementsAre("consent.recipient", "consent.scope", "consent.expire_time"));
    consent.set_recipient("r");
    consent.set_scope("s");
    *consent.mutable_expire_time() = time::ToTimestamp(kNow);
    EXPECT_THAT(Fields(CheckConsent(consent, kNow)), ElementsAre("consent.expire_time"));
    *consent.mutable_expire_time() = time::ToTimestamp(kNow + absl::Hours(1));
    EXPECT_TRUE(CheckConsent(consent, kNow).ok());
  }
  EXPECT_TRUE(CheckConsent(Text<v1::Consent>("purpose: CONSENT_PURPOSE_JOINT_NOTES"), kNow).ok());
}

TEST(ReleaseRulesTest, AConsentEndsWithItsDayOrWhenItIsTakenBack) {
  v1::Consent consent;
  EXPECT_EQ(ConsentStateAt(consent, kNow), v1::CONSENT_STATE_ACTIVE);
  *consent.mutable_expire_time() = time::ToTimestamp(kNow + absl::Seconds(1));
  EXPECT_EQ(ConsentStateAt(consent, kNow), v1::CONSENT_STATE_ACTIVE);
  EXPECT_EQ(ConsentStateAt(consent, kNow + absl::Seconds(1)), v1::CONSENT_STATE_EXPIRED);
  *consent.mutable_revoke_time() = time::ToTimestamp(kNow);
  EXPECT_EQ(ConsentStateAt(consent, kNow), v1::CONSENT_STATE_REVOKED);
}

constexpr char kDates[] =
    "majority_on { year: 2028 month: 6 day: 1 } may_consent_from { year: 2026 month: 6 day: 1 }";
constexpr char kMother[] = "authority: GUARDIAN_AUTHORITY_CUSTODIAL_PARENT ";

GuardianSight Sees(const std::string& guardian, const std::string& dates, absl::CivilDay today,
                   bool consents = false) {
  return SightOf(Text<v1::Guardian>(guardian), Course(dates), consents, today);
}

TEST(ReleaseRulesTest, AGuardianSeesAMinorUntilTheDayOfConsent) {
  const GuardianSight sight = Sees(kMother, kDates, kToday);
  EXPECT_TRUE(sight.open);
  EXPECT_TRUE(sight.whereabouts);
  EXPECT_TRUE(Sees(kMother, kDates, absl::CivilDay(2026, 5, 31)).open);
  EXPECT_FALSE(Sees(kMother, kDates, absl::CivilDay(2026, 6, 1)).open);
  EXPECT_TRUE(Sees(kMother, kDates, absl::CivilDay(2026, 6, 1), true).open)
      << "the minor has consented";
}

TEST(ReleaseRulesTest, MajorityClosesEveryGuardiansView) {
  EXPECT_TRUE(Sees(kMother, kDates, absl::CivilDay(2028, 5, 31), true).open);
  EXPECT_FALSE(Sees(kMother, kDates, absl::CivilDay(2028, 6, 1), true).open);
}

TEST(ReleaseRulesTest, WithoutBothDatesGuardiansSeeNothing) {
  EXPECT_FALSE(Sees(kMother, "", kToday, true).open);
  EXPECT_FALSE(Sees(kMother, "majority_on { year: 2028 month: 6 day: 1 }", kToday, true).open);
  EXPECT_FALSE(Sees(kMother, "may_consent_from { year: 2026 month: 6 day: 1 }", kToday, true).open);
}

TEST(ReleaseRulesTest, AuthorityAndCourtsLimitEachGuardian) {
  EXPECT_FALSE(Sees("", kDates, kToday).open);
  EXPECT_FALSE(Sees("authority: GUARDIAN_AUTHORITY_PARENT_WITHOUT_CUSTODY", kDates, kToday).open);
  const std::string mother = kMother;
  EXPECT_FALSE(Sees(mother + "withdrawn: true", kDates, kToday).open);
  EXPECT_FALSE(Sees(mother + "erased: true", kDates, kToday).open);
  EXPECT_FALSE(Sees(mother + "court_limits: COURT_LIMIT_NO_INFORMATION", kDates, kToday).open);
  EXPECT_FALSE(Sees(mother + "end_date { year: 2026 month: 3 day: 3 }", kDates, kToday).open);
  EXPECT_TRUE(Sees(mother + "end_date { year: 2026 month: 3 day: 4 }", kDates, kToday).open);
  const GuardianSight limited =
      Sees(mother + "court_limits: COURT_LIMIT_NO_WHEREABOUTS", kDates, kToday);
  EXPECT_TRUE(limited.open);
  EXPECT_FALSE(limited.whereabouts);
}

TEST(ReleaseRulesTest, EmergencyAccessSaysWhyAndIsShort) {
  EXPECT_THAT(Fields(CheckBreakGlass(Text<v1::BreakGlass>("reason: ' '"), kSettings)),
              ElementsAre("break_glass.reason"));
  for (const char* seconds : {"59", "3601", "-1"}) {
    EXPECT_THAT(
        Fields(CheckBreakGlass(
            Text<v1::BreakGlass>(std::string("reason: 'r' duration { seconds: ") + seconds + " }"),
            kSettings)),
        ElementsAre("break_glass.duration"))
        << seconds;
  }
  const auto ten = Text<v1::BreakGlass>("reason: 'r' duration { seconds: 600 }");
  EXPECT_TRUE(CheckBreakGlass(ten, kSettings).ok());
  EXPECT_EQ(BreakGlassDuration(ten, kSettings), absl::Minutes(10));
  EXPECT_EQ(BreakGlassDuration(v1::BreakGlass(), kSettings), absl::Hours(1));
}

v1::PsychotherapyRelease Released(const std::string& basis, const std::string& more) {
  auto release = Text<v1::PsychotherapyRelease>("reason: 'r' basis: PSYCHOTHERAPY_RELEASE_BASIS_" +
                                                basis + " " + more);
  *release.mutable_expire_time() = time::ToTimestamp(kNow + absl::Hours(24));
  return release;
}

std::vector<std::string> PsychotherapyFaults(const std::string& basis, const std::string& more) {
  return Fields(CheckPsychotherapyRelease(Released(basis, more), kNow, kSettings));
}

TEST(ReleaseRulesTest, APsychotherapyNoteIsReleasedOnAnEnumeratedBasisWithItsPapers) {
  for (const char* basis : {"PATIENT_AUTHORIZATION", "LEGAL_DEFENSE", "COMPLIANCE_INVESTIGATION",
                            "REQUIRED_BY_LAW", "OVERSIGHT_OF_AUTHOR", "CORONER"}) {
    EXPECT_THAT(PsychotherapyFaults(basis, "outside_recipient: 'o'"),
                ElementsAre("release.evidence"))
        << basis;
    EXPECT_THAT(PsychotherapyFaults(basis, "outside_recipient: 'o' evidence: 'e'"), IsEmpty())
        << basis;
  }
  EXPECT_THAT(PsychotherapyFaults("SERIOUS_THREAT", "outside_recipient: 'o'"), IsEmpty());
  EXPECT_THAT(PsychotherapyFaults("OWN_TRAINING", "outside_recipient: 'o'"),
              ElementsAre("release.recipient"));
  EXPECT_THAT(PsychotherapyFaults("OWN_TRAINING", "recipient: 'c'"), IsEmpty());
}

TEST(ReleaseRulesTest, APsychotherapyReleaseHasOneRecipientAndAnEnd) {
  EXPECT_THAT(PsychotherapyFaults("SERIOUS_THREAT", ""), ElementsAre("release.recipient"));
  EXPECT_THAT(PsychotherapyFaults("SERIOUS_THREAT", "recipient: 'c' outside_recipient: 'o'"),
              ElementsAre("release.recipient"));
  v1::PsychotherapyRelease release = Released("SERIOUS_THREAT", "recipient: 'c'");
  *release.mutable_expire_time() = time::ToTimestamp(kNow);
  EXPECT_THAT(Fields(CheckPsychotherapyRelease(release, kNow, kSettings)),
              ElementsAre("release.expire_time"));
  *release.mutable_expire_time() = time::ToTimestamp(kNow + absl::Hours(24 * 400));
  EXPECT_THAT(Fields(CheckPsychotherapyRelease(release, kNow, kSettings)),
              ElementsAre("release.expire_time"));
}

TEST(ReleaseRulesTest, ALabelBringsItsNotice) {
  EXPECT_EQ(RedisclosureNotice({}, kSettings), "");
  EXPECT_EQ(RedisclosureNotice({v1::CASE_LABEL_PART_2}, kSettings),
            "42 CFR part 2 prohibits unauthorized use or disclosure of these records.");
}

TEST(ReleaseRulesTest, ThePatientsNoteIsAnAllowlist) {
  const auto note = Text<v1::Note>(
      "name: 'n' appointment: 'a' author: 'c' content { plan: 'p' } "
      "prefill { last_plan: 'HIDDEN' goals { text: 'HIDDEN' } } "
      "signature { sign_time { seconds: 5 } clinician: 'c' } revision_reason: 'HIDDEN' "
      "returned { reason: 'HIDDEN' } addenda { number: 1 text: 'more' }");
  const v1::ReleasedNote shown = AsReleased(note);
  EXPECT_EQ(shown.content().plan(), "p");
  EXPECT_EQ(shown.sign_time().seconds(), 5);
  EXPECT_THAT(shown.addenda(), ElementsAre("more"));
  EXPECT_EQ(shown.SerializeAsString().find("HIDDEN"), std::string::npos);
}

TEST(ReleaseRulesTest, APatientSeesTheFormulationThatTheyAgreedTo) {
  auto formulation = Text<v1::Formulation>(
      "diagnosis: 'd' link: 'l' factors: 'HIDDEN' triggering_events: 'HIDDEN' "
      "agreement: AGREEMENT_MODIFIED");
  const v1::PatientFormulation shown = AsPatientFormulation(formulation);
  EXPECT_EQ(shown.link(), "l");
  EXPECT_EQ(shown.SerializeAsString().find("HIDDEN"), std::string::npos);
  for (v1::Agreement agreement : {v1::AGREEMENT_DECLINED, v1::AGREEMENT_NOT_YET}) {
    formulation.set_agreement(agreement);
    EXPECT_EQ(AsPatientFormulation(formulation).ByteSizeLong(), 0u);
  }
}

}  // namespace
}  // namespace rapport::notes
