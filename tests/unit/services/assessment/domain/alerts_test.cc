#include "services/assessment/domain/alerts.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "tests/unit/services/assessment/domain/forms.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;
using testing::Gad7;
using ::testing::IsEmpty;
using testing::Phq9;
using testing::ScoreOf;
using testing::SheetOf;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'770'000'000);

struct SeverityRow {
  const char* digits;
  const char* previous;  // "": no form before
  std::optional<int> assessed_days_ago;
  v1::AlertSeverity severity;
  const char* why;
};

TEST(CriticalAnswer, HasTheSeverityOfClinicalRule15) {
  const auto same_day = v1::ALERT_SEVERITY_SAME_DAY;
  const auto immediate = v1::ALERT_SEVERITY_IMMEDIATE;
  const auto this_contact = v1::ALERT_SEVERITY_THIS_CONTACT;
  const SeverityRow rows[] = {
      {"000000003", "", {}, immediate, "item nine at 3"},
      {"000000003", "000000003", 1, immediate, "at 3, though unchanged and assessed"},
      {"000000001", "", {}, same_day, "the first form"},
      {"000000001", "000000000", 1, same_day, "new"},
      {"000000002", "000000001", 1, same_day, "higher"},
      {"000000001", "00000000-", 1, same_day, "unanswered before counts as new"},
      {"000000001", "000000001", {}, same_day, "unchanged, risk never assessed"},
      {"000000001", "000000001", 15, same_day, "unchanged, assessed too long ago"},
      {"000000001", "000000001", 14, this_contact, "unchanged, assessed 14 days ago"},
      {"000000001", "000000002", 0, this_contact, "lower, assessed today"},
  };
  for (const SeverityRow& row : rows) {
    SCOPED_TRACE(row.why);
    const Sheet previous = SheetOf(Phq9(), row.previous);
    const auto alerts =
        AlertsOf(Phq9(), ScoreOf(Phq9(), row.digits), SheetOf(Phq9(), row.digits),
                 *row.previous ? &previous : nullptr,
                 row.assessed_days_ago
                     ? std::optional<absl::Time>(kNow - absl::Hours(24 * *row.assessed_days_ago))
                     : std::nullopt,
                 kNow);
    ASSERT_THAT(alerts, SizeIs(1));
    EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_CRITICAL_ANSWER);
    EXPECT_EQ(alerts[0].severity, row.severity);
    EXPECT_THAT(alerts[0].items, ElementsAre(9));
  }
}

TEST(RiskNotAsked, IsRaisedByAnUnansweredCriticalItem) {
  const auto alerts = AlertsOf(Phq9(), ScoreOf(Phq9(), "22322111-"), SheetOf(Phq9(), "22322111-"),
                               nullptr, std::nullopt, kNow);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_RISK_NOT_ASKED);
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_THIS_CONTACT);
  EXPECT_THAT(alerts[0].items, ElementsAre(9));
}

TEST(NoAlert, ComesFromAZeroOrFromAFormThatAsksNothing) {
  EXPECT_THAT(AlertsOf(Phq9(), ScoreOf(Phq9(), "333333330"), SheetOf(Phq9(), "333333330"), nullptr,
                       std::nullopt, kNow),
              IsEmpty());
  EXPECT_THAT(AlertsOf(Gad7(), ScoreOf(Gad7(), "33-----"), SheetOf(Gad7(), "33-----"), nullptr,
                       std::nullopt, kNow),
              IsEmpty());
}

TEST(AcknowledgeBefore, FollowsTheOrganisation) {
  scheduling::v1::OrganizationEvent organization;
  EXPECT_EQ(AcknowledgeBefore(v1::ALERT_SEVERITY_IMMEDIATE, kNow, organization),
            kNow + absl::Minutes(15));
  EXPECT_EQ(AcknowledgeBefore(v1::ALERT_SEVERITY_SAME_DAY, kNow, organization),
            kNow + absl::Hours(2));
  EXPECT_EQ(AcknowledgeBefore(v1::ALERT_SEVERITY_THIS_CONTACT, kNow, organization), std::nullopt);
  *organization.mutable_immediate_acknowledgement() = time::ToDurationProto(absl::Minutes(5));
  *organization.mutable_same_day_acknowledgement() = time::ToDurationProto(absl::Hours(1));
  EXPECT_EQ(AcknowledgeBefore(v1::ALERT_SEVERITY_IMMEDIATE, kNow, organization),
            kNow + absl::Minutes(5));
  EXPECT_EQ(AcknowledgeBefore(v1::ALERT_SEVERITY_SAME_DAY, kNow, organization),
            kNow + absl::Hours(1));
}

TEST(CrisisResourcesCover, TheSameJurisdictionOrItsCountry) {
  EXPECT_TRUE(CrisisResourcesCover({"GB"}, "GB-ENG"));
  EXPECT_TRUE(CrisisResourcesCover({"US", "GB-ENG"}, "GB-ENG"));
  EXPECT_FALSE(CrisisResourcesCover({"GB-ENG"}, "GB"));
  EXPECT_FALSE(CrisisResourcesCover({"GB-ENG"}, "GB-SCT"));
  EXPECT_FALSE(CrisisResourcesCover({"G"}, "GB"));
  EXPECT_FALSE(CrisisResourcesCover({}, "GB"));
}

v1::AlertResolution Evidence() {
  v1::AlertResolution resolution;
  resolution.set_contact(v1::CONTACT_MADE);
  *resolution.add_contact_times() = time::ToTimestamp(kNow - absl::Minutes(10));
  resolution.set_risk_assessment("organizations/acme/cases/c/riskAssessments/r");
  resolution.set_safety_plan(v1::SAFETY_PLAN_OUTCOME_REVIEWED);
  resolution.add_informed(v1::INFORMED_RESPONSIBLE_CLINICIAN);
  *resolution.mutable_next_check_date() =
      time::ToDate(absl::ToCivilDay(kNow, absl::UTCTimeZone()) + 2);
  return resolution;
}

v1::Alert RaisedBeforeEvidence() {
  v1::Alert alert;
  alert.set_course("organizations/acme/courses/c");
  *alert.mutable_create_time() = time::ToTimestamp(kNow - absl::Hours(1));
  return alert;
}

std::vector<std::string> Lacks(const v1::AlertResolution& resolution) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(
           CheckResolution(resolution, RaisedBeforeEvidence(), kNow, absl::UTCTimeZone()))) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(CheckResolution, AcceptsEvidence) { EXPECT_THAT(Lacks(Evidence()), IsEmpty()); }

TEST(CheckResolution, NeverAcceptsFreeTextAlone) {
  v1::AlertResolution resolution;
  resolution.set_comment("spoke to patient, fine");
  EXPECT_THAT(Lacks(resolution), ElementsAre("resolution.contact", "resolution.contact_times",
                                             "resolution.risk_assessment", "resolution.safety_plan",
                                             "resolution.informed", "resolution.next_check_date"));
}

struct LackRow {
  const char* field;  // null: nothing lacks
  void (*change)(v1::AlertResolution&);
};

TEST(CheckResolution, NamesEachThingThatIsMissing) {
  using R = v1::AlertResolution;
  const LackRow rows[] = {
      {"resolution.risk_assessment", [](R& r) { r.clear_risk_assessment(); }},
      {"resolution.risk_assessment",
       [](R& r) {
         r.set_contact(v1::CONTACT_ATTEMPTED);
         r.clear_risk_assessment();
       }},
      {nullptr, [](R& r) { r.set_contact(v1::CONTACT_ATTEMPTED); }},
      {"resolution.risk_assessment",
       [](R& r) { r.set_risk_assessment("organizations/acme/cases/other/riskAssessments/r"); }},
      {"resolution.contact_times[0]",
       [](R& r) { *r.mutable_contact_times(0) = time::ToTimestamp(kNow - absl::Hours(2)); }},
      {"resolution.contact_times[0]",
       [](R& r) { *r.mutable_contact_times(0) = time::ToTimestamp(kNow + absl::Hours(1)); }},
      {"resolution.safety_plan_reason",
       [](R& r) { r.set_safety_plan(v1::SAFETY_PLAN_OUTCOME_NOT_INDICATED); }},
      {"resolution.safety_plan_reason", [](R& r) { r.set_safety_plan_reason("reason"); }},
      {nullptr,
       [](R& r) {
         r.set_safety_plan(v1::SAFETY_PLAN_OUTCOME_NOT_INDICATED);
         r.set_safety_plan_reason("reason");
       }},
      {"resolution.informed[1]", [](R& r) { r.add_informed(v1::INFORMED_NOBODY); }},
      {"resolution.guardian_reason", [](R& r) { r.set_guardian(v1::GUARDIAN_INFORMED_NO); }},
      {"resolution.guardian_reason", [](R& r) { r.set_guardian_reason("reason"); }},
      {"resolution.next_check_date",
       [](R& r) {
         *r.mutable_next_check_date() =
             time::ToDate(absl::ToCivilDay(kNow, absl::UTCTimeZone()) - 1);
       }},
      {"resolution.next_check_date", [](R& r) { r.mutable_next_check_date()->set_month(13); }},
  };
  for (const LackRow& row : rows) {
    v1::AlertResolution resolution = Evidence();
    row.change(resolution);
    if (row.field == nullptr) {
      EXPECT_THAT(Lacks(resolution), IsEmpty());
    } else {
      EXPECT_THAT(Lacks(resolution), ElementsAre(row.field));
    }
  }
}

}  // namespace
}  // namespace rapport::assessment
