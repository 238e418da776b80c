#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/alerts.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// All that is stored of alerts in plain view.
const sql::Statement kStored{"test.alert.plain", R"sql(
  SELECT document FROM alert WHERE organization_id = $1
  UNION ALL SELECT sealed FROM alert_resolution WHERE organization_id = $1)sql"};

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

TEST_P(AlertsTest, WhatIsWrittenAtTheEndIsSealedForWhomItIsAbout) {
  const std::string secret = "SECRET OF THE PATIENT";
  const auto acknowledged = Acknowledge(Raise());
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  v1::ResolveAlertRequest request = Evidence(*acknowledged);
  request.set_request_id("the-end");
  request.mutable_resolution()->set_comment(secret + " 1");
  request.mutable_resolution()->set_safety_plan(v1::SAFETY_PLAN_OUTCOME_NOT_INDICATED);
  request.mutable_resolution()->set_safety_plan_reason(secret + " 2");
  const auto resolved = world.alerts.ResolveAlert(world.By("ada"), request);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->resolution().comment(), secret + " 1");
  EXPECT_EQ(Get(resolved->name()).SerializeAsString(), resolved->SerializeAsString());
  EXPECT_EQ(world.Alerts("ada").at(0).resolution().safety_plan_reason(), secret + " 2");

  sql::Result plain;
  ASSERT_TRUE(world.database()
                  .Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                        [&](sql::Session& session) -> absl::Status {
                          ASSIGN_OR_RETURN(plain, session.Query(kStored, {sql::Text("acme")}));
                          return absl::OkStatus();
                        })
                  .ok());
  EXPECT_EQ(plain.rows(), 2u);
  for (size_t row = 0; row < plain.rows(); ++row) {
    EXPECT_EQ(plain.Bytes(row, 0).find("SECRET"), std::string::npos);
  }

  // What the service does to the alert later leaves the texts alone; they go with the key.
  const auto write = [&](const auto& body) {
    const absl::Status written =
        world.database().Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30), body);
    ASSERT_TRUE(written.ok()) << written;
  };
  write([&](sql::Transaction& tx) {
    return store::MarkSourceVoided(tx, resolved->source(), world.clock.Now());
  });
  EXPECT_EQ(Get(resolved->name()).resolution().comment(), secret + " 1");
  write([&](sql::Transaction& tx) {
    world.vault.Shred(tx, "acme", resolved->patient(), world.clock.Now());
    return absl::OkStatus();
  });
  const v1::Alert erased = Get(resolved->name());
  EXPECT_TRUE(erased.resolution().comment().empty());
  EXPECT_EQ(erased.resolution().contact(), v1::CONTACT_MADE);
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
    world.Work();
    return Who(Get(alert.name()));
  };
  EXPECT_EQ(owner_at(absl::Hours(1)), "ada");
  EXPECT_EQ(owner_at(absl::Hours(5)), "cleo");
  EXPECT_EQ(owner_at(absl::Hours(6)), "cleo");
  EXPECT_EQ(owner_at(absl::Hours(500)), "ada");
  EXPECT_THAT(Get(alert.name()).ownerships(), SizeIs(3)) << "looking alone changes nothing";
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

TEST_P(AlertsTest, BelongToWhoIsThereThoughRaisedByACallFromBeforeTheLeave) {
  const absl::Time leave = World::kStart + absl::Hours(5);
  world.TimeOff("t1", "ada", leave, leave + absl::Hours(5));
  world.clock.Set(leave - absl::Seconds(1));
  const call::CallContext slow = world.By("ada");
  world.clock.Set(leave + absl::Seconds(3));
  world.Work();
  const auto recorded = world.assessments.RecordAssessment(slow, world.Form("phq-9", "000000001"));
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(Who(Get(recorded->assessment().alerts(0))), "ada");
  world.Work();
  EXPECT_EQ(Who(Get(recorded->assessment().alerts(0))), "cleo");
}

TEST_P(AlertsTest, KeepAnOwnerWhenTheCourseIsPausedOrEnds) {
  const v1::Alert alert = Raise();
  int version = 1000;
  for (const auto state : {proto::COURSE_STATE_PAUSED, proto::COURSE_STATE_DISCONTINUED}) {
    proto::CourseEvent course;
    course.set_state(state);
    course.set_patient(alert.patient());
    course.set_clinician(alert.owner());
    course.set_clinic(World::Of("clinics", "north"));
    world.Tell("acme", alert.course(), ++version, course);
    EXPECT_EQ(Who(Get(alert.name())), "ada");
  }
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_EQ(Who(Get(alert.name())), "cleo");
}

class EscalationTest : public AlertsTest {
 protected:
  void SetUp() override {
    for (const char* who : {"dora", "ella"}) world.Clinician("acme", who);
    proto::ClinicEvent clinic;
    clinic.set_time_zone("Europe/London");
    for (const char* who : {"ada", "dora"}) clinic.add_duty_list(World::Of("clinicians", who));
    world.Tell("acme", World::Of("clinics", "north"), 1, clinic);
    world.Organization("acme", {"cleo", "ella"});
  }
  // Ids, joined.
  static std::string To(const v1::Alert& alert) {
    std::string to;
    for (const std::string& who : alert.escalated_to()) absl::StrAppend(&to, names::Last(who), " ");
    return to;
  }
  static absl::Time Before(const v1::Alert& alert) {
    return time::ToTime(alert.acknowledge_before_time());
  }
};

TEST_P(EscalationTest, GoesUpTheDutyListsAtEachDeadlineUntilItIsAcknowledged) {
  const v1::Alert raised = Raise("000000003");
  EXPECT_EQ(Before(raised), World::kStart + absl::Minutes(15));
  world.clock.Set(Before(raised) - absl::Microseconds(1));
  world.Work();
  EXPECT_EQ(Get(raised.name()).escalation_level(), 0) << "not yet";
  EXPECT_THAT(world.Alerts("dora"), IsEmpty());

  world.clock.Set(Before(raised));
  world.Work();
  v1::Alert alert = Get(raised.name());
  EXPECT_EQ(alert.escalation_level(), 1);
  EXPECT_EQ(To(alert), "dora ") << "the clinic's, besides the owner";
  EXPECT_EQ(Who(alert), "ada");
  EXPECT_EQ(Before(alert), World::kStart + absl::Minutes(30));
  EXPECT_THAT(world.Alerts("dora"), SizeIs(1));

  world.clock.Set(Before(alert));
  world.Work();
  alert = Get(raised.name(), "dora");
  EXPECT_EQ(alert.escalation_level(), 2);
  EXPECT_EQ(To(alert), "dora cleo ella ") << "the organisation's";

  world.clock.Advance(absl::Hours(10));
  world.Work();
  alert = Get(raised.name(), "ella");
  EXPECT_EQ(alert.escalation_level(), 3) << "once more, not once for each period that was missed";
  EXPECT_EQ(To(alert), "dora cleo ella ");
  EXPECT_EQ(Before(alert), world.clock.Now() + absl::Minutes(15));

  ASSERT_TRUE(Acknowledge(alert, "ada").ok());
  world.clock.Advance(absl::Hours(10));
  world.Work();
  EXPECT_EQ(Get(raised.name()).escalation_level(), 3);
  EXPECT_EQ(Get(raised.name()).etag(), "6") << "the hold, three levels and the acknowledgement";
}

TEST_P(EscalationTest, SurvivesTheProcessAndHappensOnceForAllReplicas) {
  const v1::Alert raised = Raise("000000003");
  world.clock.Set(Before(raised));
  Background second(world.database(), world.clock, *world.metrics, world.scheduling);
  Background third(world.database(), world.clock, *world.metrics, world.scheduling);
  ASSERT_TRUE(second.RunOnce().ok());
  ASSERT_TRUE(third.RunOnce().ok());
  world.Work();
  EXPECT_EQ(Get(raised.name()).escalation_level(), 1);
}

TEST_P(EscalationTest, GoesOnWhenTheOwnerChanges) {
  const v1::Alert raised = Raise("000000003");
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_EQ(Who(Get(raised.name())), "dora");
  world.clock.Set(Before(raised));
  world.Work();
  EXPECT_EQ(To(Get(raised.name())), "cleo ella ") << "the only one of the clinic owns it";
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24), /*deleted=*/true);
  const v1::Alert back = Get(raised.name());
  EXPECT_EQ(Who(back), "ada");
  EXPECT_EQ(back.escalation_level(), 1);
  EXPECT_EQ(To(back), "cleo ella ");
}

TEST_P(EscalationTest, LeavesWhatIsForThisContactAlone) {
  const auto recorded = world.Record("phq-9", "00000000-");
  ASSERT_TRUE(recorded.ok());
  world.clock.Advance(absl::Hours(24 * 30));
  world.Work();
  EXPECT_EQ(Get(recorded->assessment().alerts(0)).etag(), "1");
}

TEST_P(EscalationTest, MakesWhoAcknowledgesItResponsibleWhileTheyAreThere) {
  const v1::Alert raised = Raise("000000003");
  v1::AcknowledgeAlertRequest early;
  early.set_name(raised.name());
  EXPECT_TRUE(absl::IsNotFound(world.alerts.AcknowledgeAlert(world.By("dora"), early).status()));
  world.clock.Set(Before(raised));
  world.Work();
  const auto acknowledged = Acknowledge(Get(raised.name(), "dora"), "dora");
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  EXPECT_EQ(Who(*acknowledged), "dora");
  EXPECT_EQ(acknowledged->owner_basis(), v1::OWNER_BASIS_CLINIC_DUTY);
  ASSERT_THAT(acknowledged->ownerships(), SizeIs(2));
  EXPECT_EQ(time::ToTime(acknowledged->ownerships(1).start_time()), world.clock.Now());

  world.TimeOff("t1", "ben", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_EQ(Who(Get(raised.name())), "dora") << "ada is there, but dora is on it";
  world.TimeOff("t2", "dora", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_EQ(Who(Get(raised.name())), "ada");
}

class HoldTest : public AlertsTest {};

TEST_P(HoldTest, IsAskedForOutsideOfAnyTransactionAndKeptWithTheAlert) {
  const v1::Alert raised = Raise("000000003");
  EXPECT_TRUE(raised.urgent_hold().empty());
  EXPECT_THAT(world.scheduling.asked, IsEmpty()) << "not while it is raised";
  // On SQLite one open transaction would keep this from writing.
  world.scheduling.while_asked = [&] { world.Course("acme", "c7", "p7", "ben"); };
  world.Work();
  ASSERT_THAT(world.scheduling.asked, SizeIs(1));
  const auto& asked = world.scheduling.asked[0];
  EXPECT_EQ(asked.course(), raised.course());
  EXPECT_EQ(asked.patient(), raised.patient());
  EXPECT_EQ(asked.request_id(), names::Last(raised.name()));
  EXPECT_EQ(time::ToTime(asked.before_time()), World::kStart + absl::Hours(24));
  const v1::Alert alert = Get(raised.name());
  EXPECT_EQ(alert.urgent_hold(), World::Of("appointments", "held"));
  EXPECT_EQ(alert.state(), v1::ALERT_STATE_OPEN);
  EXPECT_THAT(world.Events(), SizeIs(3)) << "the form, its alert, the hold";
  world.clock.Advance(absl::Minutes(10));
  world.Work();
  EXPECT_THAT(world.scheduling.asked, SizeIs(1));
}

TEST_P(HoldTest, IsNotAskedForAgainWhereNobodyIsFree) {
  world.scheduling.status = errors::FailedPrecondition("NO_OPENING", "None.");
  const v1::Alert raised = Raise();
  world.Work();
  world.clock.Advance(absl::Hours(1));
  world.Work();
  ASSERT_THAT(world.scheduling.asked, SizeIs(1));
  EXPECT_EQ(time::ToTime(world.scheduling.asked[0].before_time()), World::kStart + absl::Hours(72));
  EXPECT_TRUE(Get(raised.name()).urgent_hold().empty());
}

TEST_P(HoldTest, IsAskedForUntilSchedulingAnswersForADay) {
  world.scheduling.status = errors::Unavailable("PEER_UNAVAILABLE", "Down.", "scheduling");
  const v1::Alert raised = Raise();
  world.Work();
  world.Work();
  EXPECT_THAT(world.scheduling.asked, SizeIs(1)) << "after a pause";
  world.clock.Advance(absl::Seconds(5));
  world.Work();
  EXPECT_THAT(world.scheduling.asked, SizeIs(2));
  EXPECT_EQ(Get(raised.name()).state(), v1::ALERT_STATE_OPEN) << "it stands whatever happens";
  world.clock.Set(World::kStart + absl::Hours(24));
  world.scheduling.status = absl::OkStatus();
  world.Work();
  EXPECT_EQ(Get(raised.name()).urgent_hold(), World::Of("appointments", "held"));

  world.scheduling.status = errors::Unavailable("PEER_UNAVAILABLE", "Down.", "scheduling");
  Raise("000000002");
  world.Work();
  const size_t asked = world.scheduling.asked.size();
  world.clock.Advance(absl::Hours(24) + absl::Seconds(1));
  world.Work();
  EXPECT_THAT(world.scheduling.asked, SizeIs(asked)) << "no longer";
}

TEST_P(HoldTest, IsNotAskedForWhereAContactIsUnderWay) {
  ASSERT_TRUE(world.Record("phq-9", "00000000-").ok());
  world.Work();
  EXPECT_THAT(world.scheduling.asked, IsEmpty());
}

class SourceTest : public AlertsTest {
 protected:
  store::RaisedAs RaiseOf(absl::string_view source, v1::AlertSeverity severity,
                          std::vector<int> items) {
    store::RaisedAs as;
    const absl::Status raised = world.database().Write(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Transaction& tx) -> absl::Status {
          store::LockAlerts(tx, "acme");
          ASSIGN_OR_RETURN(const auto course, care::GetCourse(tx, World::Of("courses", "c1")));
          ASSIGN_OR_RETURN(
              const v1::Alert alert,
              MakeAlert(tx, course,
                        {v1::ALERT_KIND_CRITICAL_ANSWER, severity, items, v1::CONCERN_SELF_HARM},
                        source, world.clock.Now()));
          ASSIGN_OR_RETURN(as, store::RaiseOrRaiseHigher(tx, alert));
          return absl::OkStatus();
        });
    EXPECT_TRUE(raised.ok()) << raised;
    return as;
  }
};

TEST_P(SourceTest, RaisesOneOfAKindWhichGrowsWithWhatComesAfter) {
  const std::string source = World::Of("measureRequests", "m");
  const auto first = RaiseOf(source, v1::ALERT_SEVERITY_SAME_DAY, {3});
  EXPECT_TRUE(first.changed);
  EXPECT_FALSE(RaiseOf(source, v1::ALERT_SEVERITY_SAME_DAY, {3}).changed);
  ASSERT_TRUE(Acknowledge(Get(first.alert.name())).ok());
  world.clock.Advance(absl::Minutes(5));
  const auto higher = RaiseOf(source, v1::ALERT_SEVERITY_IMMEDIATE, {9});
  EXPECT_TRUE(higher.changed);
  EXPECT_EQ(higher.version, 3);
  const v1::Alert alert = Get(first.alert.name());
  EXPECT_EQ(alert.SerializeAsString(), higher.alert.SerializeAsString());
  EXPECT_EQ(alert.severity(), v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_EQ(alert.state(), v1::ALERT_STATE_OPEN);
  EXPECT_THAT(alert.items(), ElementsAre(3, 9));
  EXPECT_EQ(time::ToTime(alert.acknowledge_before_time()), world.clock.Now() + absl::Minutes(15));
  world.clock.Advance(absl::Minutes(15));
  world.Work();
  EXPECT_EQ(Get(first.alert.name()).escalation_level(), 1) << "at the new deadline";
}

TEST_P(SourceTest, RaisesAnotherOnlyForWhatIsNewOnceItIsResolved) {
  const std::string source = World::Of("measureRequests", "m");
  const v1::Alert first = RaiseOf(source, v1::ALERT_SEVERITY_SAME_DAY, {9}).alert;
  ASSERT_TRUE(Acknowledge(Get(first.name())).ok());
  ASSERT_TRUE(Resolve(first).ok());
  world.clock.Advance(absl::Minutes(1));
  EXPECT_FALSE(RaiseOf(source, v1::ALERT_SEVERITY_SAME_DAY, {9}).changed);
  const auto second = RaiseOf(source, v1::ALERT_SEVERITY_IMMEDIATE, {9});
  EXPECT_TRUE(second.changed);
  EXPECT_NE(second.alert.name(), first.name());
  EXPECT_THAT(world.Alerts("ada"), SizeIs(2));
}

TEST_P(SourceTest, IsMarkedWhenItIsVoidedAndTheAlertStands) {
  const v1::Alert raised = Raise();
  const auto mark = [&] {
    return world.database().Write(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Transaction& tx) {
          return store::MarkSourceVoided(tx, raised.source(), world.clock.Now());
        });
  };
  ASSERT_TRUE(mark().ok());
  const v1::Alert alert = Get(raised.name());
  EXPECT_TRUE(alert.source_voided());
  EXPECT_EQ(alert.state(), v1::ALERT_STATE_OPEN);
  EXPECT_EQ(alert.etag(), "2");
  EXPECT_THAT(world.Events(), SizeIs(3)) << "the form, its alert, the mark";
  ASSERT_TRUE(mark().ok());
  EXPECT_EQ(Get(raised.name()).etag(), "2") << "once";
}

// A couple: p1 and p2, of c1.
class CoupleTest : public SourceTest {
 protected:
  void SetUp() override {
    proto::CourseEvent course;
    course.set_state(proto::COURSE_STATE_ACTIVE);
    course.set_kind(proto::COURSE_KIND_CONJOINT);
    course.set_patient(World::Of("patients", "p1"));
    course.set_partner(World::Of("patients", "p2"));
    course.set_clinician(World::Of("clinicians", "ada"));
    course.set_patient_jurisdiction("GB-ENG");
    course.set_partner_jurisdiction("GB-ENG");
    world.Tell("acme", World::Of("courses", "c1"), 1000, course);
  }
  v1::Alert RaiseOfPartner() {
    v1::RecordAssessmentRequest form = world.Form("phq-9", "000000001");
    form.mutable_assessment()->set_patient(World::Of("patients", "p2"));
    const auto recorded = world.assessments.RecordAssessment(world.By("ada"), form);
    EXPECT_TRUE(recorded.ok()) << recorded.status();
    return recorded.ok() ? Get(recorded->assessment().alerts(0)) : v1::Alert();
  }
  void Miss(absl::string_view id, absl::string_view patient, bool with_partner) {
    proto::AppointmentEvent state;
    state.set_course(World::Of("courses", "c1"));
    state.set_patient(World::Of("patients", patient));
    *state.mutable_start_time() = time::ToTimestamp(World::kFirst);
    *state.mutable_end_time() = time::ToTimestamp(World::kFirst + absl::Minutes(50));
    state.set_state(proto::APPOINTMENT_STATE_NO_SHOW);
    if (with_partner) {
      world.Tell("acme", World::Of("appointments", id), 2000, state);
      return;
    }
    state.set_private_session(true);
    proto::PrivateAppointmentEvent whole;
    *whole.mutable_appointment() = state;
    proto::AppointmentEvent masked = state;
    masked.clear_course();
    masked.clear_patient();
    world.Tell("acme", World::Of("appointments", id), 2000, masked);
    world.Tell("acme", World::Of("appointments", id) + "/private", 2000, whole);
  }
};

TEST_P(CoupleTest, IsAlertedForAboutTheOneWhoAnswered) {
  const v1::Alert alert = RaiseOfPartner();
  EXPECT_EQ(alert.patient(), World::Of("patients", "p1"));
  EXPECT_EQ(alert.respondent(), World::Of("patients", "p2"));
  world.Work();
  ASSERT_THAT(world.scheduling.asked, SizeIs(1));
  EXPECT_EQ(world.scheduling.asked[0].patient(), alert.respondent());
}

TEST_P(CoupleTest, MissesASessionAfterRiskOfEither) {
  const v1::Alert alert = RaiseOfPartner();
  Miss("joint", "p1", /*with_partner=*/true);
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(2));
  const v1::Alert& missed = alerts[0].name() == alert.name() ? alerts[1] : alerts[0];
  EXPECT_EQ(missed.kind(), v1::ALERT_KIND_MISSED_AFTER_RISK);
  EXPECT_EQ(missed.respondent(), World::Of("patients", "p2"));
}

TEST_P(CoupleTest, MissesAPrivateSessionAfterRiskOfTheOneWhoseItIs) {
  RaiseOfPartner();
  Miss("hers", "p1", /*with_partner=*/false);
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1)) << "not at risk";
  Miss("his", "p2", /*with_partner=*/false);
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(2));
  std::vector<std::string> sources = {alerts[0].source(), alerts[1].source()};
  EXPECT_THAT(sources, ::testing::Contains(World::Of("appointments", "his")));
}

TEST_P(AlertsTest, OfMinorsAreResolvedWithWordOfTheGuardian) {
  proto::CourseEvent course;
  course.set_state(proto::COURSE_STATE_ACTIVE);
  course.set_patient(World::Of("patients", "p1"));
  course.set_clinician(World::Of("clinicians", "ada"));
  course.set_patient_time_zone("Europe/London");
  course.set_patient_jurisdiction("GB-ENG");
  *course.mutable_majority_on() = time::ToDate(absl::CivilDay(2028, 1, 1));
  world.Tell("acme", World::Of("courses", "c1"), 1000, course);
  const v1::Alert alert = Raise();
  ASSERT_TRUE(Acknowledge(alert).ok());
  EXPECT_EQ(errors::MetadataValue(Resolve(alert).status(), "field"), "resolution.guardian");
  v1::ResolveAlertRequest request = Evidence(alert);
  request.mutable_resolution()->set_guardian(v1::GUARDIAN_INFORMED_YES);
  request.mutable_resolution()->set_guardian_reason("in the room");
  EXPECT_TRUE(world.alerts.ResolveAlert(world.By("ada"), request).ok());
}

class WatchTest : public EscalationTest {
 protected:
  using Next = call::StreamSource::Next;

  std::unique_ptr<call::StreamSource> Watch(absl::string_view who, absl::string_view owner = "") {
    v1::WatchAlertsRequest request;
    request.set_parent("organizations/acme");
    if (!owner.empty()) request.set_owner(World::Of("clinicians", owner));
    EXPECT_TRUE(events::Sequencer(world.database()).RunOnce(absl::Now()).ok());
    auto stream = news.Watch(world.By(who), request);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return stream.ok() ? *std::move(stream) : nullptr;
  }
  // What the stream has to tell now, and that it then waits.
  std::vector<v1::Alert> Told(call::StreamSource& stream) {
    EXPECT_TRUE(events::Sequencer(world.database()).RunOnce(absl::Now()).ok());
    EXPECT_TRUE(news.Tick().ok());
    std::vector<v1::Alert> told;
    while (stream.Ready()) {
      v1::WatchAlertsResponse response;
      const auto next = stream.Pull(response);
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || *next == Next::kEnd) break;
      caught_up |= response.caught_up();
      told.insert(told.end(), response.alerts().begin(), response.alerts().end());
      if (*next == Next::kWait) break;
    }
    return told;
  }

  AlertNews news{world.database(), world.clock, {.tick = absl::Hours(1)}};
  bool caught_up = false;
};

TEST_P(WatchTest, TellsWhatIsUnresolvedThenWhatChanges) {
  const v1::Alert resolved = Raise("000000002");
  ASSERT_TRUE(Acknowledge(resolved).ok());
  ASSERT_TRUE(Resolve(resolved).ok());
  const v1::Alert open = Raise();
  const auto stream = Watch("ada");
  const auto first = Told(*stream);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].SerializeAsString(), open.SerializeAsString());
  EXPECT_TRUE(caught_up);
  EXPECT_FALSE(stream->Ready());

  const v1::Alert raised = Raise("000000003");
  auto told = Told(*stream);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].SerializeAsString(), raised.SerializeAsString());
  ASSERT_TRUE(Acknowledge(raised).ok());
  told = Told(*stream);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].state(), v1::ALERT_STATE_ACKNOWLEDGED);
  ASSERT_TRUE(Resolve(told[0]).ok());
  told = Told(*stream);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].state(), v1::ALERT_STATE_RESOLVED);
}

TEST_P(WatchTest, TellsEachWhomItConcernsAndNobodyElse) {
  const auto ada = Watch("ada");
  const auto ben = Watch("ben");
  const auto dora = Watch("dora");
  const auto of_dora = Watch("ada", "dora");
  for (auto* stream : {&ada, &ben, &dora, &of_dora}) EXPECT_THAT(Told(**stream), IsEmpty());
  const v1::Alert raised = Raise("000000003");
  EXPECT_THAT(Told(*ada), SizeIs(1));
  EXPECT_THAT(Told(*ben), IsEmpty());
  EXPECT_THAT(Told(*dora), IsEmpty());

  // Cover alone brings later changes, leave hands the alert on.
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(24));
  EXPECT_THAT(Told(*ben), IsEmpty());
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  for (auto* stream : {&ada, &ben}) {
    const auto told = Told(**stream);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_EQ(Who(told[0]), "ben");
  }
  EXPECT_THAT(Told(*of_dora), IsEmpty());

  world.scheduling.status = errors::FailedPrecondition("NO_OPENING", "None.");
  world.clock.Set(Before(raised));
  world.Work();
  for (auto* stream : {&ada, &ben, &dora, &of_dora}) {
    const auto told = Told(**stream);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_EQ(told[0].escalation_level(), 1);
  }
}

TEST_P(WatchTest, TellsWhoHandsAnAlertOn) {
  const v1::Alert raised = Raise();
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24));
  const auto dora = Watch("dora");
  EXPECT_THAT(Told(*dora), SizeIs(1)) << "on duty";
  world.TimeOff("t1", "ada", World::kStart, World::kStart + absl::Hours(24), /*deleted=*/true);
  const auto told = Told(*dora);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(Who(told[0]), "ada");
  world.clock.Advance(absl::Minutes(1));
  ASSERT_TRUE(Acknowledge(Get(raised.name())).ok());
  EXPECT_THAT(Told(*dora), IsEmpty()) << "not hers any more";
}

TEST_P(WatchTest, SeesThatCoverHasBegunThoughNoAlertChanges) {
  AlertNews beating(world.database(), world.clock,
                    {.tick = absl::Hours(1), .covers = absl::ZeroDuration()});
  Raise();
  v1::WatchAlertsRequest request;
  request.set_parent("organizations/acme");
  const auto stream = beating.Watch(world.By("ben"), request);
  ASSERT_TRUE(stream.ok()) << stream.status();
  v1::WatchAlertsResponse response;
  ASSERT_EQ(*(*stream)->Pull(response), Next::kMessage);
  EXPECT_TRUE(response.caught_up());
  EXPECT_THAT(response.alerts(), IsEmpty());
  ASSERT_TRUE(beating.Tick().ok());
  EXPECT_FALSE((*stream)->Ready());
  world.Cover("v1", "ada", "ben", World::kStart + absl::Hours(1), World::kStart + absl::Hours(24));
  ASSERT_TRUE(beating.Tick().ok());
  EXPECT_FALSE((*stream)->Ready()) << "not yet";
  world.clock.Advance(absl::Hours(1));
  ASSERT_TRUE(beating.Tick().ok());
  ASSERT_TRUE((*stream)->Ready());
  ASSERT_EQ(*(*stream)->Pull(response), Next::kMessage);
  EXPECT_THAT(response.alerts(), SizeIs(1));
}

TEST_P(WatchTest, BeatsWhenAllIsQuietAndEnds) {
  AlertNews brief(world.database(), world.clock,
                  {.tick = absl::Hours(1),
                   .heartbeat = absl::ZeroDuration(),
                   .stream_life = absl::ZeroDuration()});
  v1::WatchAlertsRequest request;
  request.set_parent("organizations/acme");
  v1::WatchAlertsResponse response;
  const auto stream = brief.Watch(world.By("ada"), request);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_TRUE((*stream)->Ready());
  EXPECT_EQ(*(*stream)->Pull(response), Next::kEnd);

  AlertNews beating(world.database(), world.clock,
                    {.tick = absl::Hours(1), .heartbeat = absl::ZeroDuration()});
  const auto alive = beating.Watch(world.By("ada"), request);
  ASSERT_TRUE(alive.ok()) << alive.status();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*(*alive)->Pull(response), Next::kMessage);
  EXPECT_THAT(response.alerts(), IsEmpty());
}

TEST_P(WatchTest, EndsWithoutTellingWhoIsNotThatClinicianAnyMore) {
  const auto stream = Watch("ada");
  EXPECT_THAT(Told(*stream), IsEmpty());
  Raise();
  world.Tell("acme", World::Of("clinicians", "ada"), 1000, proto::ClinicianEvent());
  EXPECT_TRUE(events::Sequencer(world.database()).RunOnce(absl::Now()).ok());
  ASSERT_TRUE(news.Tick().ok());
  v1::WatchAlertsResponse response;
  EXPECT_EQ(*stream->Pull(response), Next::kEnd);
}

#define RAPPORT_ON_ENGINES(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(Engines, suite,                                              \
                           ::testing::ValuesIn(sql::testing::AllEngines(Components())), \
                           sql::testing::EngineName)
RAPPORT_ON_ENGINES(AlertsTest);
RAPPORT_ON_ENGINES(EscalationTest);
RAPPORT_ON_ENGINES(HoldTest);
RAPPORT_ON_ENGINES(SourceTest);
RAPPORT_ON_ENGINES(CoupleTest);
RAPPORT_ON_ENGINES(WatchTest);

}  // namespace
}  // namespace rapport::assessment::testing
