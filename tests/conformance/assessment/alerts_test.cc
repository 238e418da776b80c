#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AlertsTest : public WorldTest {
 protected:
  v1::Alert Raise(absl::string_view digits = "000000001") {
    const auto recorded = world.Record("phq-9", digits);
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    return Get(recorded->assessment().alerts(0));
  }
  v1::Alert Get(const std::string& name, absl::string_view who = "ada") {
    v1::GetAlertRequest request;
    request.set_name(name);
    const auto alert = world.alerts.GetAlert(world.By(who), request);
    EXPECT_TRUE(alert.ok()) << alert.status();
    return alert.ok() ? *alert : v1::Alert();
  }
  absl::StatusOr<v1::Alert> Acknowledge(const v1::Alert& alert, absl::string_view who = "ada") {
    v1::AcknowledgeAlertRequest request;
    request.set_name(alert.name());
    request.set_etag(alert.etag());
    return world.alerts.AcknowledgeAlert(world.By(who), request);
  }
  v1::ResolveAlertRequest Evidence(const v1::Alert& alert) {
    v1::ResolveAlertRequest request;
    request.set_name(alert.name());
    v1::AlertResolution& resolution = *request.mutable_resolution();
    resolution.set_contact(v1::CONTACT_MADE);
    *resolution.add_contact_times() = time::ToTimestamp(world.clock.Now());
    resolution.set_risk_assessment(World::Of("cases", std::string(names::Last(alert.course()))) +
                                   "/riskAssessments/r");
    resolution.set_safety_plan(v1::SAFETY_PLAN_OUTCOME_CREATED);
    resolution.add_informed(v1::INFORMED_RESPONSIBLE_CLINICIAN);
    *resolution.mutable_next_check_date() =
        time::ToDate(absl::ToCivilDay(world.clock.Now(), absl::UTCTimeZone()) + 1);
    return request;
  }
  absl::StatusOr<v1::Alert> Resolve(const v1::Alert& alert) {
    return world.alerts.ResolveAlert(world.By("ada"), Evidence(alert));
  }
  static std::string Who(const v1::Alert& alert) { return std::string(names::Last(alert.owner())); }
};

TEST_P(AlertsTest, AreAcknowledgedThenResolvedWithEvidence) {
  const v1::Alert open = Raise();
  EXPECT_EQ(errors::Reason(Resolve(open).status()), "ALERT_STATE");
  world.clock.Advance(absl::Minutes(3));
  const auto acknowledged = Acknowledge(open);
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  EXPECT_EQ(acknowledged->state(), v1::ALERT_STATE_ACKNOWLEDGED);
  EXPECT_EQ(acknowledged->acknowledgement().clinician(), World::Of("clinicians", "ada"));
  EXPECT_EQ(time::ToTime(acknowledged->acknowledgement().acknowledge_time()), world.clock.Now());
  EXPECT_EQ(errors::Reason(Acknowledge(open).status()), "STALE_ETAG");
  EXPECT_EQ(errors::Reason(Acknowledge(*acknowledged).status()), "ALERT_STATE");

  v1::ResolveAlertRequest text_alone;
  text_alone.set_name(open.name());
  text_alone.mutable_resolution()->set_comment("fine");
  EXPECT_EQ(world.alerts.ResolveAlert(world.By("ada"), text_alone).status().code(),
            absl::StatusCode::kInvalidArgument);

  const auto resolved = Resolve(*acknowledged);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->state(), v1::ALERT_STATE_RESOLVED);
  EXPECT_EQ(resolved->resolution().clinician(), World::Of("clinicians", "ada"));
  EXPECT_EQ(Get(open.name()).SerializeAsString(), resolved->SerializeAsString());
  EXPECT_EQ(errors::Reason(Resolve(*resolved).status()), "ALERT_STATE");
}

TEST_P(AlertsTest, AnUnchangedAnswerIsForThisContactWhileTheRiskAssessmentIsRecent) {
  ASSERT_TRUE(Acknowledge(Raise()).ok());
  EXPECT_EQ(Raise().severity(), v1::ALERT_SEVERITY_SAME_DAY) << "not assessed yet";
  for (const v1::Alert& alert : world.Alerts("ada")) {
    if (alert.state() == v1::ALERT_STATE_OPEN) {
      ASSERT_TRUE(Acknowledge(alert).ok());
    }
    ASSERT_TRUE(Resolve(alert).ok());
  }
  world.clock.Advance(absl::Hours(24 * 14));
  const v1::Alert unchanged = Raise();
  EXPECT_EQ(unchanged.severity(), v1::ALERT_SEVERITY_THIS_CONTACT);
  EXPECT_FALSE(unchanged.has_acknowledge_before_time());
  EXPECT_EQ(Raise("000000002").severity(), v1::ALERT_SEVERITY_SAME_DAY) << "higher";
  world.clock.Advance(absl::Hours(1));
  EXPECT_EQ(Raise().severity(), v1::ALERT_SEVERITY_SAME_DAY) << "assessed too long ago";
}

TEST_P(AlertsTest, BelongToTheCoverWhileTheTherapistIsAway) {
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(24));
  const v1::Alert alert = Raise();
  EXPECT_EQ(Who(alert), "ben");
  EXPECT_EQ(alert.owner_basis(), v1::OWNER_BASIS_COVER);
  EXPECT_THAT(world.Alerts("ben"), SizeIs(1));
  EXPECT_TRUE(Acknowledge(alert, "ben").ok());
}

TEST_P(AlertsTest, MoveWhenLeaveAndCoverAreEntered) {
  const v1::Alert alert = Raise();
  EXPECT_EQ(Who(alert), "ada");
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_EQ(Who(Get(alert.name())), "cleo") << "nobody covers: the duty list";
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_EQ(Who(Get(alert.name())), "ben");
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24), /*deleted=*/true);
  const v1::Alert back = Get(alert.name());
  EXPECT_EQ(Who(back), "ada");
  EXPECT_EQ(back.etag(), "4");
  std::vector<std::string> owners;
  for (const auto& ownership : back.ownerships()) {
    owners.emplace_back(names::Last(ownership.owner()));
  }
  EXPECT_THAT(owners, ElementsAre("ada", "cleo", "ben", "ada"));
}

TEST_P(AlertsTest, MoveWhenLeaveBeginsAndEndsThoughTheClockJumps) {
  world.TimeOff("t1", "ada", World::kStart + absl::Hours(5), World::kStart + absl::Hours(10));
  const v1::Alert alert = Raise();
  const auto owner_at = [&](absl::Duration after) {
    world.clock.Set(World::kStart + after);
    EXPECT_TRUE(world.watch.Tick().ok());
    return Who(Get(alert.name()));
  };
  EXPECT_EQ(owner_at(absl::Hours(1)), "ada");
  EXPECT_EQ(owner_at(absl::Hours(5)), "cleo");
  EXPECT_EQ(owner_at(absl::Hours(6)), "cleo");
  EXPECT_EQ(owner_at(absl::Hours(4)), "ada") << "the clock went back";
  EXPECT_EQ(owner_at(absl::Hours(9)), "cleo");
  EXPECT_EQ(owner_at(absl::Hours(500)), "ada");
  EXPECT_EQ(Get(alert.name()).etag(), "5") << "looking alone changes nothing";
}

TEST_P(AlertsTest, MoveWithATransferredCourseAndStayOnceResolved) {
  const v1::Alert alert = Raise();
  world.Course("acme", "c1", "p1", "ben");
  EXPECT_EQ(Who(Get(alert.name(), "ben")), "ben");
  v1::GetAlertRequest request;
  request.set_name(alert.name());
  EXPECT_TRUE(absl::IsNotFound(world.alerts.GetAlert(world.By("ada"), request).status()));

  world.Course("acme", "c1", "p1", "ada");
  ASSERT_TRUE(Acknowledge(Get(alert.name())).ok());
  ASSERT_TRUE(Resolve(alert).ok());
  world.Course("acme", "c1", "p1", "ben");
  EXPECT_EQ(Who(Get(alert.name(), "ben")), "ada");
}

TEST_P(AlertsTest, AMissedAppointmentAfterRiskRaisesOneHoweverOftenItIsTold) {
  const v1::Alert alert = Raise();
  world.clock.Set(World::kFirst + absl::Hours(1));
  world.Appointment("acme", "a1", "c1", "p1", World::kFirst, proto::APPOINTMENT_STATE_NO_SHOW);
  world.Apply(world.last_event);
  world.Apply(world.last_event);
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0].kind(), v1::ALERT_KIND_MISSED_AFTER_RISK) << "the newest first";
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_EQ(alerts[0].source(), World::Of("appointments", "a1"));
  EXPECT_EQ(alerts[0].course(), alert.course());
  EXPECT_EQ(Who(alerts[0]), "ada");
  EXPECT_EQ(alerts[0].etag(), "1");
  EXPECT_THAT(world.Events(), SizeIs(3)) << "the form, its alert, the missed appointment";
}

TEST_P(AlertsTest, AMissedAppointmentRaisesNoneWithoutRiskOrLongAfterIt) {
  world.Appointment("acme", "a1", "c1", "p1", World::kFirst, proto::APPOINTMENT_STATE_NO_SHOW);
  EXPECT_THAT(world.Alerts("ada"), IsEmpty());
  const v1::Alert alert = Raise();
  world.Appointment("acme", "a2", "c1", "p1", World::kFirst, proto::APPOINTMENT_STATE_CANCELLED);
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1)) << "cancelled in time";
  world.clock.Advance(absl::Hours(24 * 10));
  ASSERT_TRUE(Acknowledge(alert).ok());
  ASSERT_TRUE(Resolve(alert).ok());
  world.clock.Advance(absl::Hours(24 * 14) + absl::Seconds(1));
  const absl::Time too_late = world.clock.Now();
  world.Appointment("acme", "a3", "c1", "p1", too_late, proto::APPOINTMENT_STATE_NO_SHOW);
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1)) << "more than 14 days after it was resolved";
  world.clock.Advance(absl::Seconds(-1));
  world.Appointment("acme", "a4", "c1", "p1", too_late, proto::APPOINTMENT_STATE_CANCELLED,
                    /*late=*/true);
  EXPECT_THAT(world.Alerts("ada"), SizeIs(2));
}

TEST_P(AlertsTest, AMissedAppointmentIsJudgedByItsTimeNotByWhenItWasEntered) {
  const v1::Alert alert = Raise();
  ASSERT_TRUE(Acknowledge(alert).ok());
  ASSERT_TRUE(Resolve(alert).ok());
  const absl::Time missed = world.clock.Now() + absl::Hours(24 * 3);
  world.clock.Advance(absl::Hours(24 * 20));
  world.Appointment("acme", "a1", "c1", "p1", missed, proto::APPOINTMENT_STATE_NO_SHOW);
  EXPECT_THAT(world.Alerts("ada"), SizeIs(2));
}

TEST_P(AlertsTest, AreResolvedWithoutNotesButNotWithWhatIsNotThere) {
  const v1::Alert first = Raise();
  ASSERT_TRUE(Acknowledge(first).ok());
  world.notes.absent = true;
  EXPECT_EQ(errors::MetadataValue(Resolve(first).status(), "field"), "resolution.risk_assessment");
  world.notes.absent = false;
  world.notes.down = true;
  const auto resolved = Resolve(first);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_FALSE(resolved->resolution().has_risk_assessment_time());
}

TEST_P(AlertsTest, AreListedNewestFirstInPages) {
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    expected.insert(expected.begin(), Raise().name());
    world.clock.Advance(absl::Minutes(1));
  }
  v1::ListAlertsRequest request;
  request.set_page_size(3);
  std::vector<std::string> listed;
  do {
    const auto page = world.alerts.ListAlerts(world.By("ada"), request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->alerts_size(), 3);
    for (const auto& alert : page->alerts()) listed.push_back(alert.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, expected);
}

TEST_P(AlertsTest, AreListedForOwnersTherapistsAndCoversAlone) {
  world.Course("acme", "c2", "p2", "ben");
  Raise();
  v1::RecordAssessmentRequest form = world.Form("phq-9", "000000001");
  form.mutable_assessment()->set_course(World::Of("courses", "c2"));
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ben"), form).ok());
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1));
  EXPECT_THAT(world.Alerts("ben"), SizeIs(1));
  EXPECT_THAT(world.Alerts("cleo"), IsEmpty());
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_THAT(world.Alerts("ben"), SizeIs(2)) << "own and covered";
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_THAT(world.Alerts("ben"), SizeIs(2)) << "each once";
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1)) << "still of her course";

  v1::ListAlertsRequest filtered;
  filtered.set_course(World::Of("courses", "c2"));
  EXPECT_THAT(world.alerts.ListAlerts(world.By("ben"), filtered)->alerts(), SizeIs(1));
  filtered.clear_course();
  filtered.set_owner(World::Of("clinicians", "ada"));
  EXPECT_THAT(world.alerts.ListAlerts(world.By("ben"), filtered)->alerts(), IsEmpty());
  filtered.clear_owner();
  filtered.add_states(v1::ALERT_STATE_RESOLVED);
  EXPECT_THAT(world.alerts.ListAlerts(world.By("ben"), filtered)->alerts(), IsEmpty());
  filtered.add_states(v1::ALERT_STATE_OPEN);
  EXPECT_THAT(world.alerts.ListAlerts(world.By("ben"), filtered)->alerts(), SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Engines, AlertsTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({care::Migrations(),
                                                                       Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
