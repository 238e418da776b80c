#include "services/assessment/domain/plans.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

using scheduling::v1::CourseEvent;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kFirst = absl::FromUnixSeconds(1'770'000'000);
const absl::Duration kDay = absl::Hours(24);

bool Known(absl::string_view id) { return id != "none"; }
bool Asks(absl::string_view id) { return id == "phq-9" || id == "phq-a" || id == "epds"; }

void Measure(CourseEvent& course, absl::string_view instrument, int every_sessions,
             bool at_last = false) {
  auto& measure = *course.add_measures();
  measure.set_instrument(std::string(instrument));
  measure.set_every_sessions(every_sessions);
  measure.set_at_last_session(at_last);
}

CourseEvent Weekly() {
  CourseEvent course;
  course.set_state(scheduling::v1::COURSE_STATE_ACTIVE);
  course.set_kind(scheduling::v1::COURSE_KIND_INDIVIDUAL);
  course.set_planned_sessions(16);
  course.set_cadence_days(7);
  course.set_patient("organizations/acme/patients/a");
  return course;
}

CourseEvent Classic() {
  CourseEvent course = Weekly();
  Measure(course, "phq-9", 1);
  Measure(course, "gad-7", 4, true);
  return course;
}

CourseEvent Couple() {
  CourseEvent course = Classic();
  course.set_kind(scheduling::v1::COURSE_KIND_CONJOINT);
  course.set_partner("organizations/acme/patients/b");
  Measure(course, "csi-16", 4, true);
  return course;
}

// A monthly contract with `instrument` every so many days.
CourseEvent Maintenance(absl::string_view instrument, int every_days) {
  CourseEvent course = Weekly();
  course.set_state(scheduling::v1::COURSE_STATE_MAINTENANCE);
  course.mutable_maintenance()->set_cadence_days(30);
  auto& measure = *course.mutable_maintenance()->add_measures();
  measure.set_instrument(std::string(instrument));
  measure.set_every_days(every_days);
  return course;
}

v1::PlannedMeasure Entry(absl::string_view instrument, int every_sessions, int every_days = 0,
                         v1::MeasureRespondent respondent = v1::MEASURE_RESPONDENT_UNSPECIFIED) {
  v1::PlannedMeasure measure;
  measure.set_instrument(std::string(instrument));
  measure.set_every_sessions(every_sessions);
  measure.set_every_days(every_days);
  measure.set_respondent(respondent);
  return measure;
}

// "phq-9 every 1 sessions PATIENT PROTOCOL".
std::vector<std::string> Told(const Plan& plan) {
  std::vector<std::string> told;
  for (const auto& measure : plan) {
    told.push_back(absl::StrCat(measure.instrument(), " every ",
                                measure.every_days() > 0
                                    ? absl::StrCat(measure.every_days(), " days")
                                    : absl::StrCat(measure.every_sessions(), " sessions"),
                                measure.at_last_session() ? " and last " : " ",
                                v1::MeasureRespondent_Name(measure.respondent()).substr(19), " ",
                                v1::MeasureOrigin_Name(measure.origin()).substr(15)));
  }
  return told;
}
std::vector<std::string> Told(const CourseEvent& course, const Plan& adjusted = {}) {
  return Told(PlanOf(course, adjusted, Asks));
}

TEST(PlanOf, IsTheProtocolsMeasures) {
  EXPECT_THAT(Told(Classic()), ElementsAre("phq-9 every 1 sessions PATIENT PROTOCOL",
                                           "gad-7 every 4 sessions and last PATIENT PROTOCOL"));
}

TEST(PlanOf, AsksEachOfACoupleAboutTheRelationshipAndThePatientTheRest) {
  EXPECT_THAT(Told(Couple()), ElementsAre("phq-9 every 1 sessions PATIENT PROTOCOL",
                                          "gad-7 every 4 sessions and last PATIENT PROTOCOL",
                                          "csi-16 every 4 sessions and last EACH PROTOCOL"));
}

TEST(PlanOf, AsksAboutSuicideAtLeastEvery28Days) {
  struct Row {
    int every_sessions;
    int cadence_days;
    const char* added;
  };
  for (const Row& row : {Row{4, 7, ""}, Row{5, 7, "phq-9 every 4 sessions PATIENT SAFETY"},
                         Row{2, 14, ""}, Row{3, 14, "phq-9 every 2 sessions PATIENT SAFETY"},
                         Row{1, 28, ""}, Row{0, 7, "phq-9 every 4 sessions PATIENT SAFETY"},
                         Row{1, 29, "phq-9 every 28 days PATIENT SAFETY"}, Row{28, 1, ""},
                         Row{29, 1, "phq-9 every 28 sessions PATIENT SAFETY"}}) {
    CourseEvent course = Weekly();
    course.set_cadence_days(row.cadence_days);
    Measure(course, "epds", row.every_sessions);
    const auto told = Told(course);
    if (*row.added == '\0') {
      EXPECT_THAT(told, SizeIs(1)) << row.every_sessions << " at " << row.cadence_days;
    } else {
      ASSERT_THAT(told, SizeIs(2)) << row.every_sessions << " at " << row.cadence_days;
      EXPECT_EQ(told[1], row.added);
    }
  }
}

TEST(PlanOf, TakesThePhqAWhereTheProtocolHasIt) {
  CourseEvent course = Weekly();
  Measure(course, "phq-a", 8);
  EXPECT_THAT(Told(course), ElementsAre("phq-a every 8 sessions PATIENT PROTOCOL",
                                        "phq-a every 4 sessions PATIENT SAFETY"));
}

TEST(PlanOf, WhatAPartnerIsAskedIsNotAskedOfThePatient) {
  CourseEvent course = Couple();
  EXPECT_THAT(Told(course, {Entry("phq-9", 1, 0, v1::MEASURE_RESPONDENT_PARTNER)}), SizeIs(2));
  EXPECT_THAT(Told(course, {Entry("phq-9", 1, 0, v1::MEASURE_RESPONDENT_EACH)}), SizeIs(1));
}

TEST(PlanOf, TakesTheMaintenanceContractInThePlaceOfTheSameMeasures) {
  CourseEvent course = Maintenance("phq-9", 14);
  Measure(course, "phq-9", 1);
  Measure(course, "gad-7", 4);
  EXPECT_THAT(Told(course), ElementsAre("phq-9 every 14 days PATIENT MAINTENANCE",
                                        "gad-7 every 4 sessions PATIENT PROTOCOL"));
  EXPECT_THAT(Told(Maintenance("phq-9", 29)), ElementsAre("phq-9 every 29 days PATIENT MAINTENANCE",
                                                          "phq-9 every 28 days PATIENT SAFETY"));
}

TEST(PlanOf, AddsToAnAdjustedPlanThatHasBecomeTooRare) {
  const Plan adjusted = {Entry("phq-9", 1)};
  EXPECT_THAT(Told(Classic(), adjusted), SizeIs(1)) << "weekly";
  CourseEvent course = Maintenance("gad-7", 14);
  EXPECT_THAT(PlanOf(course, adjusted, Asks), SizeIs(2)) << "monthly visits";
}

std::vector<std::string> Wrong(const CourseEvent& course, const Plan& plan) {
  const absl::Status status = CheckPlan(plan, course, Known, Asks);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  std::vector<std::string> wrong;
  for (const auto& violation : errors::FieldViolations(status)) {
    wrong.push_back(absl::StartsWith(violation.description, "NO_SUICIDE_ITEM:") ? "NO_SUICIDE_ITEM"
                                                                                : violation.field);
  }
  return wrong;
}

TEST(CheckPlan, NamesWhatIsWrong) {
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 1), Entry("gad-7", 4)}), IsEmpty());
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 1), Entry("none", 4)}),
              ElementsAre("measurement_plan.measures[1].instrument"));
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 1), Entry("phq-9", 4)}),
              ElementsAre("measurement_plan.measures[1]"));
  EXPECT_THAT(
      Wrong(Classic(), {Entry("phq-9", 1), Entry("csi-16", 4, 0, v1::MEASURE_RESPONDENT_PARTNER)}),
      ElementsAre("measurement_plan.measures[1].respondent"));
  EXPECT_THAT(Wrong(Couple(), {Entry("phq-9", 1, 0, v1::MEASURE_RESPONDENT_PATIENT),
                               Entry("phq-9", 4, 0, v1::MEASURE_RESPONDENT_PARTNER)}),
              IsEmpty());
  EXPECT_THAT(
      Wrong(Couple(), {Entry("phq-9", 1), Entry("phq-9", 4, 0, v1::MEASURE_RESPONDENT_PARTNER)}),
      ElementsAre("measurement_plan.measures[1]"))
      << "who answers is each, where nothing else is said";
}

TEST(CheckPlan, RefusesAPlanThatAsksTooRarelyAboutSuicide) {
  EXPECT_THAT(Wrong(Classic(), {}), ElementsAre("NO_SUICIDE_ITEM"));
  EXPECT_THAT(Wrong(Classic(), {Entry("gad-7", 1)}), ElementsAre("NO_SUICIDE_ITEM"));
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 4)}), IsEmpty());
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 5)}), ElementsAre("NO_SUICIDE_ITEM"));
  EXPECT_THAT(Wrong(Classic(), {Entry("phq-9", 0, 14)}), ElementsAre("NO_SUICIDE_ITEM"))
      << "days count in maintenance only";
  EXPECT_THAT(Wrong(Maintenance("gad-7", 14), {Entry("phq-9", 0, 28)}), IsEmpty());
  EXPECT_THAT(Wrong(Maintenance("gad-7", 14), {Entry("phq-9", 0, 29)}),
              ElementsAre("NO_SUICIDE_ITEM"));
  EXPECT_THAT(Wrong(Maintenance("gad-7", 14), {Entry("phq-9", 1)}), ElementsAre("NO_SUICIDE_ITEM"))
      << "visits are monthly";
  EXPECT_THAT(Wrong(Couple(), {Entry("phq-9", 1, 0, v1::MEASURE_RESPONDENT_PARTNER)}),
              ElementsAre("NO_SUICIDE_ITEM"));
}

TEST(Adjusted, TellsWhoAnswersAndWhyItIsAsked) {
  const Plan before = PlanOf(Couple(), {}, Asks);
  EXPECT_THAT(
      Told(Adjusted({{Entry("phq-9", 1), Entry("isi", 4)}}, Couple(), before)),
      ElementsAre("phq-9 every 1 sessions EACH PROTOCOL", "isi every 4 sessions EACH CLINICIAN"));
  EXPECT_THAT(Told(Adjusted({{Entry("isi", 4)}}, Classic(), before)),
              ElementsAre("isi every 4 sessions PATIENT CLINICIAN"));
}

TEST(IsDueAt, IsTheFirstThenEverySoManyTheLastPlannedAndWherePhasesBegin) {
  CourseEvent course = Classic();
  for (const int first : {1, 4, 13}) course.add_phases()->set_first_session(first);
  const auto due = [&](const v1::PlannedMeasure& measure) {
    std::vector<int> sessions;
    for (int session = 0; session <= 20; ++session) {
      if (IsDueAt(measure, session, course)) sessions.push_back(session);
    }
    return sessions;
  };
  v1::PlannedMeasure measure = Entry("gad-7", 4);
  measure.set_at_last_session(true);
  EXPECT_THAT(due(measure), ElementsAre(1, 5, 9, 13, 16, 17));
  EXPECT_THAT(due(Entry("gad-7", 0)), ElementsAre(1));
  measure = Entry("gad-7", 0);
  measure.set_at_phase_start(true);
  EXPECT_THAT(due(measure), ElementsAre(1, 4, 13));
  course = Maintenance("gad-7", 14);
  EXPECT_THAT(due(Entry("gad-7", 4, 14)), IsEmpty());
}

Session At(int number, int day, bool stands = true) {
  const absl::Time start = kFirst + kDay * day;
  return {.appointment = absl::StrCat("a", day),
          .number = number,
          .start = start,
          .end = start + absl::Minutes(50),
          .stands = stands};
}

Form FormAt(absl::Time at, bool complete = true, bool has_total = true,
            absl::string_view patient = "organizations/acme/patients/a",
            absl::string_view instrument = "phq-9") {
  return {.assessment = absl::StrCat("f", absl::ToUnixSeconds(at)),
          .instrument = std::string(instrument),
          .patient = std::string(patient),
          .answer_time = at,
          .has_total = has_total,
          .total = 10,
          .complete = complete};
}

std::vector<v1::DueMeasure> DueAt(const CourseEvent& course, const Session& session,
                                  const std::vector<Form>& forms, absl::Time now) {
  return DueFor("c", course, PlanOf(course, {}, Asks), session, forms, now);
}

TEST(DueFor, TellsWhatIsExpectedDoneAndOverdue) {
  const Session session = At(1, 0);
  const auto states = [&](std::vector<Form> forms, absl::Time now) {
    std::vector<v1::DueState> told;
    for (const auto& due : DueAt(Classic(), session, forms, now)) told.push_back(due.state());
    return told;
  };
  EXPECT_THAT(states({}, session.end), ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE));
  EXPECT_THAT(states({FormAt(session.start - absl::Hours(1))}, session.end + absl::Seconds(1)),
              ElementsAre(v1::DUE_STATE_DONE, v1::DUE_STATE_OVERDUE));
  EXPECT_THAT(states({FormAt(session.start - absl::Hours(49))}, session.start),
              ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE));
  EXPECT_THAT(states({FormAt(session.start, false, false)}, session.start),
              ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE))
      << "a form that comes to nothing does not meet it";
  EXPECT_THAT(states({FormAt(session.start, true, false)}, session.start),
              ElementsAre(v1::DUE_STATE_DONE, v1::DUE_STATE_DUE))
      << "some instruments have no total";

  const auto due = DueAt(Classic(), session, {FormAt(kFirst)}, kFirst);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].instrument(), "phq-9");
  EXPECT_EQ(due[0].patient(), "organizations/acme/patients/a");
  EXPECT_EQ(due[0].origin(), v1::MEASURE_ORIGIN_PROTOCOL);
  EXPECT_EQ(time::ToTime(due[0].due_time()), session.start);
  EXPECT_EQ(time::ToTime(due[0].window_start_time()), session.start - absl::Hours(48));
  EXPECT_EQ(due[0].assessment(), FormAt(kFirst).assessment);
}

TEST(DueFor, IsMetByTheLastCompleteFormBeforeTheStart) {
  const Session session = At(1, 0);
  const auto met_by = [&](std::vector<Form> forms) {
    return DueAt(Classic(), session, forms, session.end)[0].assessment();
  };
  const Form early = FormAt(kFirst - absl::Hours(40));
  const Form before = FormAt(kFirst - absl::Hours(2));
  const Form prorated = FormAt(kFirst - absl::Hours(1), false);
  const Form during = FormAt(kFirst + absl::Minutes(5));
  const Form later = FormAt(kFirst + absl::Minutes(9));
  EXPECT_EQ(met_by({early, before, prorated, during, later}), before.assessment);
  EXPECT_EQ(met_by({prorated, during, later}), during.assessment);
  EXPECT_EQ(met_by({prorated}), prorated.assessment);
}

TEST(DueFor, TellsEachOfACoupleApart) {
  const Session session = At(1, 0);
  std::vector<std::string> told;
  for (const auto& due : DueAt(
           Couple(), session,
           {FormAt(kFirst, true, true, "organizations/acme/patients/b", "csi-16")}, session.end)) {
    told.push_back(absl::StrCat(due.instrument(), " ", due.patient().substr(28), " ",
                                v1::DueState_Name(due.state()).substr(10)));
  }
  EXPECT_THAT(told, ElementsAre("phq-9 a DUE", "gad-7 a DUE", "csi-16 a DUE", "csi-16 b DONE"));
}

TEST(DueFor, ExpectsTheSameOfTheSameOnce) {
  CourseEvent course = Weekly();
  Measure(course, "phq-9", 8);
  EXPECT_THAT(PlanOf(course, {}, Asks), SizeIs(2));
  EXPECT_THAT(DueAt(course, At(1, 0), {}, kFirst), SizeIs(1));
  EXPECT_THAT(DueAt(course, At(5, 0), {}, kFirst), SizeIs(1));
}

TEST(DueFor, ExpectsNothingOfASessionThatDoesNotStandOrCount) {
  EXPECT_THAT(DueAt(Classic(), At(1, 0, false), {}, kFirst), IsEmpty());
  EXPECT_THAT(DueAt(Classic(), At(0, 0), {}, kFirst), IsEmpty());
}

TEST(DueByDays, CountsFromTheLastFormElseFromTheFirstSession) {
  const CourseEvent course = Maintenance("phq-9", 14);
  const Plan plan = PlanOf(course, {}, Asks);
  const auto due = [&](std::vector<Form> forms, absl::Time now) -> std::string {
    const auto told = DueByDays("c", course, plan, kFirst, forms, absl::UTCTimeZone(), now);
    if (told.size() != 1) return absl::StrCat(told.size());
    EXPECT_EQ(told[0].appointment(), "");
    EXPECT_EQ(told[0].origin(), v1::MEASURE_ORIGIN_MAINTENANCE);
    return absl::StrCat("day ", (time::ToTime(told[0].due_time()) - kFirst) / kDay, " ",
                        v1::DueState_Name(told[0].state()).substr(10));
  };
  EXPECT_EQ(due({}, kFirst), "day 0 DUE");
  EXPECT_EQ(due({}, kFirst + kOverdueAfter), "day 0 DUE");
  EXPECT_EQ(due({}, kFirst + kOverdueAfter + absl::Seconds(1)), "day 0 OVERDUE");
  EXPECT_EQ(due({FormAt(kFirst + kDay * 3)}, kFirst + kDay * 4), "day 17 DUE");
  EXPECT_EQ(due({FormAt(kFirst - kDay * 3)}, kFirst), "day 11 DUE");
  EXPECT_EQ(due({FormAt(kFirst, true, true, "organizations/acme/patients/b")}, kFirst), "day 0 DUE")
      << "someone else's form";
}

TEST(DueByDays, EndsWithTheContractByThePatientsCalendar) {
  CourseEvent course = Maintenance("phq-9", 14);
  absl::TimeZone auckland;
  ASSERT_TRUE(absl::LoadTimeZone("Pacific/Auckland", &auckland));
  const auto due = [&](absl::CivilDay ends_on) {
    *course.mutable_maintenance()->mutable_ends_on() = time::ToDate(ends_on);
    return DueByDays("c", course, PlanOf(course, {}, Asks), kFirst, {}, auckland, kFirst);
  };
  const absl::CivilDay first = absl::ToCivilDay(kFirst, auckland);
  EXPECT_THAT(due(first), SizeIs(1));
  EXPECT_THAT(due(first - 1), IsEmpty());
}

TEST(DueByDays, IsOfOpenMaintenanceAndKnownBeginningsOnly) {
  CourseEvent course = Maintenance("phq-9", 14);
  const Plan plan = PlanOf(course, {}, Asks);
  EXPECT_THAT(DueByDays("c", course, plan, absl::InfiniteFuture(), {}, absl::UTCTimeZone(), kFirst),
              IsEmpty());
  EXPECT_TRUE(CountsDays(course));
  for (const auto state :
       {scheduling::v1::COURSE_STATE_PAUSED, scheduling::v1::COURSE_STATE_COMPLETED,
        scheduling::v1::COURSE_STATE_DISCONTINUED}) {
    course.set_state(state);
    EXPECT_FALSE(CountsDays(course));
    EXPECT_THAT(DueByDays("c", course, plan, kFirst, {}, absl::UTCTimeZone(), kFirst), IsEmpty());
  }
  EXPECT_FALSE(CountsDays(Classic()));
}

TEST(DueByDays, TakesTheSoonerOfTwoEntriesThatAskTheSame) {
  const CourseEvent course = Maintenance("phq-9", 90);
  const auto due = DueByDays("c", course, PlanOf(course, {}, Asks), kFirst, {{FormAt(kFirst)}},
                             absl::UTCTimeZone(), kFirst);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(time::ToTime(due[0].due_time()), kFirst + kDay * 28);
  EXPECT_EQ(due[0].origin(), v1::MEASURE_ORIGIN_SAFETY);
}

}  // namespace
}  // namespace rapport::assessment
