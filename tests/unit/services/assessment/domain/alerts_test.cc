#include "services/assessment/domain/alerts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "services/assessment/data/shipped.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'770'000'000);

const InstrumentRules& Rules(absl::string_view id) { return *ShippedInstruments().FindById(id); }

// Answers as digits by item; '-' and what is left off are unanswered.
Sheet SheetOf(absl::string_view id, absl::string_view digits) {
  std::vector<int32_t> codes(Rules(id).items(), -1);
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] != '-') codes[i] = digits[i] - '0';
  }
  auto read = Sheet::ReadInOrder(Rules(id), codes, {});
  EXPECT_TRUE(std::holds_alternative<Sheet>(read)) << id << " " << digits;
  return std::get<Sheet>(read);
}

// What a form raises; `previous` empty: there is none before.
std::vector<RaisedAlert> Raised(absl::string_view id, absl::string_view digits,
                                absl::string_view previous = "",
                                std::optional<int> assessed_days_ago = {}) {
  const Sheet sheet = SheetOf(id, digits);
  const Sheet before = SheetOf(id, previous);
  std::optional<absl::Time> assessed;
  if (assessed_days_ago) assessed = kNow - absl::Hours(24 * *assessed_days_ago);
  return AlertsOf(Rules(id), ScoreSheet(Rules(id), sheet), sheet,
                  previous.empty() ? nullptr : &before, assessed, kNow);
}

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
    const auto alerts = Raised("phq-9", row.digits, row.previous, row.assessed_days_ago);
    ASSERT_THAT(alerts, SizeIs(1));
    EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_CRITICAL_ANSWER);
    EXPECT_EQ(alerts[0].concern, v1::CONCERN_SELF_HARM);
    EXPECT_EQ(alerts[0].severity, row.severity);
    EXPECT_THAT(alerts[0].items, ElementsAre(9));
  }
}

TEST(CriticalAnswer, IsAsSevereAsTheSeverestOfSeveral) {
  // PHQ-9M: item 9, serious thoughts in the past month, an attempt ever.
  const std::string attempt =
      "111111110"
      "00"
      "01";
  const std::string thoughts =
      "111111110"
      "00"
      "11";
  auto alerts = Raised("phq-a", attempt);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_THAT(alerts[0].items, ElementsAre(13));
  alerts = Raised("phq-a", thoughts, attempt, 1);
  ASSERT_THAT(alerts, SizeIs(1)) << "one of its kind";
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_THAT(alerts[0].items, ElementsAre(12, 13));
}

TEST(CriticalAnswer, IsImmediateAtTheHighLevelOfTheCSsrs) {
  const auto severity = [](absl::string_view digits) {
    for (const RaisedAlert& alert : Raised("c-ssrs-screener", digits)) {
      if (alert.kind == v1::ALERT_KIND_CRITICAL_ANSWER) return alert.severity;
    }
    return v1::ALERT_SEVERITY_UNSPECIFIED;
  };
  EXPECT_EQ(severity("00---0-"), v1::ALERT_SEVERITY_UNSPECIFIED);
  EXPECT_EQ(severity("10---0-"), v1::ALERT_SEVERITY_SAME_DAY) << "low";
  EXPECT_EQ(severity("111000-"), v1::ALERT_SEVERITY_SAME_DAY) << "moderate";
  EXPECT_EQ(severity("111100-"), v1::ALERT_SEVERITY_IMMEDIATE) << "intent";
  EXPECT_EQ(severity("00---11"), v1::ALERT_SEVERITY_IMMEDIATE) << "behaviour lately";
  EXPECT_EQ(severity("00---1-"), v1::ALERT_SEVERITY_IMMEDIATE) << "behaviour, nobody asked when";
  EXPECT_EQ(severity("00---10"), v1::ALERT_SEVERITY_SAME_DAY) << "behaviour long ago";
}

TEST(Safeguarding, IsAKindOfItsOwnAndNeverWaits) {
  std::string digits(25, '0');
  digits[17] = '1';
  const auto alerts = Raised("pbq", digits, digits, 0);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_SAFEGUARDING);
  EXPECT_EQ(alerts[0].concern, v1::CONCERN_SAFEGUARDING);
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_SAME_DAY) << "though unchanged";
  EXPECT_THAT(alerts[0].items, ElementsAre(18));
}

TEST(Mania, IsRaisedByARuleOverTheWholeForm) {
  EXPECT_THAT(Raised("asrm", "11111"), IsEmpty()) << "5";
  const auto alerts = Raised("asrm", "21111", "21111", 0);
  ASSERT_THAT(alerts, SizeIs(1)) << "6";
  EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_MANIA);
  EXPECT_EQ(alerts[0].concern, v1::CONCERN_MANIA);
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_THAT(alerts[0].items, IsEmpty());
}

TEST(ScoreOnly, AsksForTheCriticalItemsAndStillTellsOfMania) {
  const auto raised = [](absl::string_view id, double total) {
    const auto score = ScoreTotalOnly(Rules(id), total);
    return AlertsOf(Rules(id), std::get<v1::Score>(score), Sheet(), nullptr, {}, kNow);
  };
  const auto alerts = raised("phq-9", 20);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_RISK_NOT_ASKED);
  ASSERT_THAT(raised("asrm", 11), SizeIs(1));
  EXPECT_EQ(raised("asrm", 11)[0].kind, v1::ALERT_KIND_MANIA);
}

TEST(RiskNotAsked, IsRaisedByAnUnansweredCriticalItem) {
  const auto alerts = Raised("phq-9", "22322111-");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].kind, v1::ALERT_KIND_RISK_NOT_ASKED);
  EXPECT_EQ(alerts[0].severity, v1::ALERT_SEVERITY_THIS_CONTACT);
  EXPECT_EQ(alerts[0].concern, v1::CONCERN_SELF_HARM);
  EXPECT_THAT(alerts[0].items, ElementsAre(9));
}

TEST(NoAlert, ComesFromAZeroOrFromAFormThatAsksNothing) {
  EXPECT_THAT(Raised("phq-9", "333333330"), IsEmpty());
  EXPECT_THAT(Raised("gad-7", "33-----"), IsEmpty());
}

v1::Alert Standing(v1::AlertSeverity severity, std::vector<int> items) {
  v1::Alert alert;
  alert.set_kind(v1::ALERT_KIND_CRITICAL_ANSWER);
  alert.set_severity(severity);
  alert.set_state(v1::ALERT_STATE_OPEN);
  alert.mutable_items()->Add(items.begin(), items.end());
  *alert.mutable_create_time() = time::ToTimestamp(kNow);
  *alert.mutable_acknowledge_before_time() = time::ToTimestamp(kNow + absl::Hours(severity));
  return alert;
}

TEST(RaiseHigher, AddsAndRaisesAndNeverLowers) {
  v1::Alert alert = Standing(v1::ALERT_SEVERITY_SAME_DAY, {9});
  EXPECT_FALSE(RaiseHigher(Standing(v1::ALERT_SEVERITY_SAME_DAY, {9}), alert));
  EXPECT_FALSE(RaiseHigher(Standing(v1::ALERT_SEVERITY_THIS_CONTACT, {}), alert));

  alert.set_state(v1::ALERT_STATE_ACKNOWLEDGED);
  EXPECT_TRUE(RaiseHigher(Standing(v1::ALERT_SEVERITY_THIS_CONTACT, {3}), alert));
  EXPECT_THAT(alert.items(), ElementsAre(3, 9));
  EXPECT_EQ(alert.severity(), v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_EQ(alert.state(), v1::ALERT_STATE_ACKNOWLEDGED);
  EXPECT_EQ(time::ToTime(alert.acknowledge_before_time()), kNow + absl::Hours(2));

  EXPECT_TRUE(RaiseHigher(Standing(v1::ALERT_SEVERITY_IMMEDIATE, {9}), alert));
  EXPECT_EQ(alert.severity(), v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_EQ(alert.state(), v1::ALERT_STATE_OPEN) << "nobody has acknowledged that";
  EXPECT_EQ(time::ToTime(alert.acknowledge_before_time()), kNow + absl::Hours(3));
}

TEST(WantsHold, OfCriticalAnswersThatCanNotWait) {
  v1::Alert alert = Standing(v1::ALERT_SEVERITY_SAME_DAY, {9});
  EXPECT_TRUE(WantsHold(alert));
  EXPECT_EQ(HoldBefore(alert), kNow + absl::Hours(72));
  alert.set_severity(v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_EQ(HoldBefore(alert), kNow + absl::Hours(24));
  alert.set_urgent_hold("organizations/acme/appointments/a");
  EXPECT_FALSE(WantsHold(alert));
  EXPECT_FALSE(WantsHold(Standing(v1::ALERT_SEVERITY_THIS_CONTACT, {9})));
  v1::Alert mania = Standing(v1::ALERT_SEVERITY_SAME_DAY, {});
  mania.set_kind(v1::ALERT_KIND_MANIA);
  EXPECT_FALSE(WantsHold(mania));
}

struct EscalationRow {
  int level;
  DutyFacts facts;
  std::vector<std::string> before;  // whom it was escalated to
  std::vector<std::string> next;
  const char* why;
};

TEST(EscalatesTo, TheNextOnTheDutyLists) {
  using List = std::vector<std::string>;
  const List clinic = {"owner", "cleo", "carl"};
  const List organization = {"cleo", "olga", "owner", "otto"};
  const EscalationRow rows[] = {
      {1, {clinic, organization, {}}, {}, {"cleo"}, "the clinic's first besides the owner"},
      {1, {clinic, organization, {"cleo"}}, {}, {"carl"}, "the first present"},
      {1, {{"owner"}, organization, {}}, {}, {"cleo", "olga", "otto"}, "nobody else at the clinic"},
      {2, {clinic, organization, {}}, {"cleo"}, {"olga", "otto"}, "all of the organisation's"},
      {2, {clinic, organization, {"olga"}}, {"cleo"}, {"otto"}, "who is present"},
      {3, {clinic, organization, {}}, {"cleo", "olga", "otto"}, {}, "told already"},
      {3, {clinic, organization, {}}, {"cleo", "otto"}, {"olga"}, "has come back"},
      {2, {clinic, {"olga"}, {"olga"}}, {"cleo"}, {"olga"}, "all are away: the first"},
      {2, {clinic, {}, {}}, {"cleo"}, {"carl"}, "the organisation has no list"},
      {1, {{}, {}, {}}, {}, {}, "no lists at all"},
  };
  for (const EscalationRow& row : rows) {
    v1::Alert alert;
    alert.set_owner("owner");
    alert.mutable_escalated_to()->Add(row.before.begin(), row.before.end());
    EXPECT_EQ(EscalatesTo(row.facts, alert, row.level), row.next) << row.why;
  }
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

TEST(CheckResolution, DemandsOfMinorsWhetherAGuardianWasToldAndWhy) {
  const absl::CivilDay today = absl::ToCivilDay(kNow, absl::UTCTimeZone());
  const auto lacks = [&](const v1::AlertResolution& resolution, absl::CivilDay majority_on) {
    std::vector<std::string> fields;
    for (const auto& violation : errors::FieldViolations(CheckResolution(
             resolution, RaisedBeforeEvidence(), kNow, absl::UTCTimeZone(), majority_on))) {
      fields.push_back(violation.field);
    }
    return fields;
  };
  EXPECT_THAT(lacks(Evidence(), today), IsEmpty()) << "of age today";
  EXPECT_THAT(lacks(Evidence(), today + 1), ElementsAre("resolution.guardian"));
  v1::AlertResolution told = Evidence();
  told.set_guardian(v1::GUARDIAN_INFORMED_NO);
  EXPECT_THAT(lacks(told, today + 1), ElementsAre("resolution.guardian_reason"));
  told.set_guardian_reason("would add to the danger");
  EXPECT_THAT(lacks(told, today + 1), IsEmpty());
}

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
