#include <set>

#include "services/notes/rpc/entry_handlers.h"
#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CaseTest : public NotesTest {
 protected:
  absl::StatusOr<v1::Case> Get(const call::CallContext& context,
                               const std::string& name = CaseName()) {
    v1::GetCaseRequest request;
    request.set_name(name);
    return cases_.GetCase(context, request);
  }

  static v1::SignDeterminationRequest Suitable(const std::string& request_id = "") {
    auto request = Text<v1::SignDeterminationRequest>(absl::StrCat(
        "determination { outcome: SUITABILITY_OUTCOME_SUITABLE "
        "protocol: 'protocols/classic/revisions/1' "
        "reasons { direction: REASON_DIRECTION_FOR text: '",
        kSecret,
        "' } "
        "interpersonal_trigger: ANSWERED_YES patient_preference: '",
        kSecret, "' alternatives_offered: 'CBT' clinician: 'forged' reopened: true }"));
    request.set_parent(CaseName());
    request.set_request_id(request_id);
    return request;
  }

  absl::StatusOr<v1::Determination> Reopen(const call::CallContext& context,
                                           const std::string& name,
                                           const std::string& request_id = "") {
    v1::ReopenDeterminationRequest request;
    request.set_name(name);
    request.set_reason(kSecret);
    request.set_request_id(request_id);
    return cases_.ReopenDetermination(context, request);
  }

  v1::Suitability Check(const call::CallContext& context) {
    v1::CheckSuitabilityRequest request;
    request.set_course(CourseName());
    const auto response = suitability_.CheckSuitability(context, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->suitability() : v1::SUITABILITY_UNSPECIFIED;
  }

  v1::Goal MakeGoal(const std::string& text) {
    v1::CreateGoalRequest request;
    request.set_parent(CaseName());
    request.mutable_goal()->set_text(text);
    request.mutable_goal()->set_realism(v1::REALISM_UNDECIDED);
    const auto goal = cases_.CreateGoal(By("ada"), request);
    EXPECT_TRUE(goal.ok()) << goal.status();
    return goal.ok() ? *goal : v1::Goal();
  }

  static v1::ReviseGoalRequest Revision(const v1::Goal& goal, const std::string& text) {
    v1::ReviseGoalRequest request;
    request.set_name(goal.name());
    *request.mutable_goal() = goal;
    request.mutable_goal()->set_text(text);
    request.set_reason(kSecret);
    return request;
  }
};

TEST_P(CaseTest, ACaseAppearsWithItsCourse) {
  const auto found = Get(By("ada"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->name(), CaseName());
  EXPECT_EQ(found->course(), CourseName());
  EXPECT_EQ(found->patient(), "organizations/acme/patients/p1");
  EXPECT_EQ(found->clinician(), Clinician("ada"));
  EXPECT_EQ(found->formulation_due_session(), 3);
  EXPECT_EQ(found->etag(), "1");
  EXPECT_FALSE(found->has_determination());
  EXPECT_THAT(Events(), ElementsAre(CaseName() + " v1"));
}

TEST_P(CaseTest, ARedeliveredOrOlderEventChangesNothing) {
  TellCourse("c1", 1, "ada");
  TellCourse("c1", 5, "ada", "activate_time { seconds: 5 }");
  EXPECT_EQ(Get(By("ada"))->etag(), "1");
  TellCourse("c1", 4, "cy");
  EXPECT_EQ(Get(By("ada"))->clinician(), Clinician("ada"));
  EXPECT_THAT(Events(), ElementsAre(CaseName() + " v1"));
}

TEST_P(CaseTest, ATransferMovesTheCase) {
  TellCourse("c1", 2, "cy");
  EXPECT_EQ(Outcome(Get(By("ada"))), "NOT_FOUND RESOURCE_NOT_FOUND");
  const auto found = Get(By("cy"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->clinician(), Clinician("cy"));
  EXPECT_EQ(found->etag(), "2");
  EXPECT_THAT(Events(), ElementsAre(CaseName() + " v1", CaseName() + " v2"));
}

TEST_P(CaseTest, OnlyTheTherapistAndTheCoverKnowOfIt) {
  EXPECT_TRUE(Get(By("ada")).ok());
  EXPECT_TRUE(Get(By("bob")).ok());
  const absl::Status absent = Get(By("ada"), CaseName("none")).status();
  EXPECT_EQ(Get(By("cy")).status(), absent);
  EXPECT_EQ(Get(By("nobody")).status(), absent);
  EXPECT_EQ(Get(By("zoe", "", "beta"), "organizations/beta/cases/c1").status(), absent);
  EXPECT_EQ(Get(By("ada", "", "beta"), "organizations/beta/cases/c1").status(), absent);

  call::CallContext later = By("bob");
  later.now = now_ + absl::Hours(13);
  EXPECT_EQ(Get(later).status(), absent);
}

TEST_P(CaseTest, WhileTheReplicaLagsNobodyGainsAccessByCover) {
  lag_ = absl::Seconds(61);
  EXPECT_TRUE(Get(By("ada")).ok());
  EXPECT_EQ(Outcome(Get(By("bob"))), "UNAVAILABLE CARE_RELATIONS_STALE");
  EXPECT_EQ(Outcome(Get(By("cy"))), "NOT_FOUND RESOURCE_NOT_FOUND");
  v1::ListCasesRequest list;
  list.set_parent("organizations/acme");
  EXPECT_THAT(cases_.ListCases(By("bob"), list)->cases(), IsEmpty());
  EXPECT_THAT(cases_.ListCases(By("ada"), list)->cases(), SizeIs(1));
  lag_ = absl::Seconds(60);
  EXPECT_TRUE(Get(By("bob")).ok());
}

TEST_P(CaseTest, AChangeBeforeTheOrganisationIsKnownSaysSo) {
  v1::CreateGoalRequest request;
  request.set_parent("organizations/new/cases/c1");
  EXPECT_EQ(Outcome(cases_.CreateGoal(By("ada", "", "new"), request)),
            "UNAVAILABLE ORGANIZATION_NOT_READY");
}

TEST_P(CaseTest, CasesAreListedNewestFirstByPages) {
  TellCourse("c2", 1, "ada");
  TellCourse("c3", 1, "cy");
  TellCourse("c4", 1, "ada");
  TellCourse("c5", 1, "bob");
  v1::ListCasesRequest request;
  request.set_parent("organizations/acme");
  request.set_page_size(2);
  std::vector<std::string> names;
  for (int page = 0; page < 4; ++page) {
    const auto response = cases_.ListCases(By("bob"), request);
    ASSERT_TRUE(response.ok()) << response.status();
    for (const v1::Case& each : response->cases()) names.push_back(each.name());
    request.set_page_token(response->next_page_token());
    if (response->next_page_token().empty()) break;
  }
  EXPECT_THAT(names, ElementsAre(CaseName("c5"), CaseName("c4"), CaseName("c2"), CaseName("c1")));

  request.clear_page_token();
  const auto first = cases_.ListCases(By("bob"), request);
  request.set_page_token(first->next_page_token());
  EXPECT_THAT(Fields(cases_.ListCases(By("bob", "another query"), request).status()),
              ElementsAre("page_token"));
  request.clear_page_token();
  EXPECT_THAT(cases_.ListCases(By("nobody"), request)->cases(), IsEmpty());
}

TEST_P(CaseTest, ADeterminationInFavourMakesTheCourseEligibleUntilItIsOpenedAgain) {
  EXPECT_EQ(Check(By("ada")), v1::SUITABILITY_NOT_COMPLETE);
  const auto signed_one = cases_.SignDetermination(By("ada"), Suitable());
  ASSERT_TRUE(signed_one.ok()) << signed_one.status();
  EXPECT_EQ(signed_one->clinician(), Clinician("ada"));
  EXPECT_EQ(time::ToTime(signed_one->sign_time()), now_);
  EXPECT_FALSE(signed_one->reopened());
  EXPECT_EQ(Check(By("ada")), v1::SUITABILITY_ELIGIBLE);
  EXPECT_TRUE(LastEvent<v1::CaseEvent>(CaseName()).eligible());
  EXPECT_EQ(Get(By("ada"))->determination().name(), signed_one->name());
  EXPECT_EQ(Outcome(cases_.SignDetermination(By("ada"), Suitable())),
            "FAILED_PRECONDITION DETERMINATION_IN_FORCE");

  const auto opened = Reopen(By("bob"), signed_one->name());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(opened->reopened());
  EXPECT_EQ(time::ToTime(opened->reopen_time()), now_);
  EXPECT_EQ(Check(By("ada")), v1::SUITABILITY_NOT_COMPLETE);
  EXPECT_FALSE(LastEvent<v1::CaseEvent>(CaseName()).eligible());
  EXPECT_TRUE(LastEvent<v1::CaseEvent>(CaseName()).determination_reopened());
  EXPECT_FALSE(Get(By("ada"))->has_determination());
  EXPECT_EQ(Outcome(Reopen(By("ada"), signed_one->name())), "FAILED_PRECONDITION NO_DETERMINATION");

  const auto second = cases_.SignDetermination(By("ada"), Suitable());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(LastEvent<v1::CaseEvent>(CaseName()).determination_reopened());
  v1::ListDeterminationsRequest list;
  list.set_parent(CaseName());
  const auto all = cases_.ListDeterminations(By("ada"), list);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_THAT(all->determinations(), SizeIs(2));
  EXPECT_NE(all->determinations(0).reopened(), all->determinations(1).reopened());
}

TEST_P(CaseTest, AJudgementAgainstIsNotComplete) {
  v1::SignDeterminationRequest request = Suitable();
  request.mutable_determination()->set_outcome(v1::SUITABILITY_OUTCOME_OTHER_CARE_FIRST);
  EXPECT_THAT(Fields(cases_.SignDetermination(By("ada"), request).status()),
              ElementsAre("determination.disagreement"));
  request.mutable_determination()->set_disagreement(kSecret);
  ASSERT_TRUE(cases_.SignDetermination(By("ada"), request).ok());
  EXPECT_EQ(Check(By("ada")), v1::SUITABILITY_NOT_COMPLETE);
}

TEST_P(CaseTest, SuitabilityIsToldOnlyToWhoMayKnowTheCourse) {
  v1::CheckSuitabilityRequest request;
  request.set_course(CourseName());
  EXPECT_EQ(Outcome(suitability_.CheckSuitability(By("cy"), request)),
            "NOT_FOUND RESOURCE_NOT_FOUND");
  request.set_course(CourseName("none"));
  EXPECT_EQ(Outcome(suitability_.CheckSuitability(By("ada"), request)),
            "NOT_FOUND RESOURCE_NOT_FOUND");
}

TEST_P(CaseTest, SigningAndOpeningAgainNeedARecentAuthentication) {
  const std::string late = "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED";
  EXPECT_EQ(
      Outcome(cases_.SignDetermination(AuthenticatedAgo("ada", absl::Minutes(11)), Suitable())),
      late);
  const auto signed_one = cases_.SignDetermination(By("ada"), Suitable());
  ASSERT_TRUE(signed_one.ok()) << signed_one.status();
  EXPECT_EQ(Outcome(Reopen(AuthenticatedAgo("ada", absl::Minutes(11)), signed_one->name())), late);
  // Who may not know of it is not asked to sign in again.
  EXPECT_EQ(Outcome(Reopen(AuthenticatedAgo("cy", absl::Minutes(11)), signed_one->name())),
            "NOT_FOUND RESOURCE_NOT_FOUND");
}

TEST_P(CaseTest, WhoIsNotLicensedOnTheDaySignsNoDetermination) {
  const auto licence = [&](int64_t version, const std::string& until) {
    Tell("acme", Clinician("ada"), version,
         Text<scheduling::v1::ClinicianEvent>("subject: 'ada'" + until));
  };
  const std::string unlicensed = "FAILED_PRECONDITION CLINICIAN_UNLICENSED";
  licence(2, "");
  EXPECT_EQ(Outcome(cases_.SignDetermination(By("ada"), Suitable())), unlicensed);
  licence(3, " licence_expire_date { year: 2026 month: 3 day: 3 }");
  EXPECT_EQ(Outcome(cases_.SignDetermination(By("ada"), Suitable())), unlicensed);
  EXPECT_EQ(Check(By("ada")), v1::SUITABILITY_NOT_COMPLETE);
  licence(4, " licence_expire_date { year: 2026 month: 3 day: 4 }");
  const auto made = cases_.SignDetermination(By("ada"), Suitable());
  ASSERT_TRUE(made.ok()) << made.status() << " its last day counts";
  // What may be in doubt is opened again by whoever treats.
  licence(5, "");
  EXPECT_TRUE(Reopen(By("ada"), made->name()).ok());
}

TEST_P(CaseTest, ARepeatedSignatureReturnsTheFirst) {
  const auto first = cases_.SignDetermination(By("ada"), Suitable("r1"));
  ASSERT_TRUE(first.ok()) << first.status();
  const call::CallContext again = AuthenticatedAgo("ada", absl::Hours(1));
  const auto repeated = cases_.SignDetermination(again, Suitable("r1"));
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(repeated->name(), first->name());
  EXPECT_EQ(Outcome(cases_.SignDetermination(By("ada", "another body"), Suitable("r1"))),
            "FAILED_PRECONDITION REQUEST_ID_REUSED");
}

TEST_P(CaseTest, ProblemAreasAreSetWhole) {
  v1::CreateEntryRequest counterpart;
  counterpart.set_parent(CaseName());
  *counterpart.mutable_entry() = Text<v1::Entry>(
      "relationship { person: 'p' kind: RELATIONSHIP_KIND_FRIEND "
      "status: RELATIONSHIP_STATUS_CURRENT }");
  const auto person =
      EntryHandlers(*database_, access_, vault_).CreateEntry(By("ada"), counterpart);
  ASSERT_TRUE(person.ok()) << person.status();
  auto request = Text<v1::SetProblemAreasRequest>(absl::StrCat(
      "problem_areas { kind: PROBLEM_AREA_KIND_ROLE_TRANSITION rank: FOCUS_RANK_SECONDARY "
      "statement: '",
      kSecret,
      "' } "
      "problem_areas { kind: PROBLEM_AREA_KIND_ROLE_DISPUTE rank: FOCUS_RANK_PRIMARY "
      "statement: '",
      kSecret, "' person: '", kSecret, "' dispute_stage: DISPUTE_STAGE_IMPASSE relationship: '",
      person->name(), "' }"));
  request.set_name(CaseName());
  request.set_etag("1");
  const auto set = cases_.SetProblemAreas(By("ada"), request);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->etag(), "2");
  EXPECT_EQ(set->problem_areas(0).kind(), v1::PROBLEM_AREA_KIND_ROLE_DISPUTE);
  EXPECT_EQ(Get(By("ada"))->SerializeAsString(), set->SerializeAsString());
  EXPECT_THAT(
      LastEvent<v1::CaseEvent>(CaseName()).problem_areas(),
      ElementsAre(v1::PROBLEM_AREA_KIND_ROLE_DISPUTE, v1::PROBLEM_AREA_KIND_ROLE_TRANSITION));

  const auto stale = cases_.SetProblemAreas(By("ada"), request);
  EXPECT_EQ(Outcome(stale), "ABORTED STALE_ETAG");
  request.clear_etag();
  request.mutable_problem_areas(0)->set_kind(v1::PROBLEM_AREA_KIND_LOSS_OF_HEALTHY_SELF);
  const auto wrong = cases_.SetProblemAreas(By("ada"), request);
  EXPECT_EQ(Outcome(wrong), "INVALID_ARGUMENT INVALID_FIELD");
  EXPECT_THAT(Fields(wrong.status()), ElementsAre("problem_areas[0].kind"));
  EXPECT_EQ(Get(By("ada"))->etag(), "2");
}

TEST_P(CaseTest, FormulationsAreVersions) {
  auto request = Text<v1::WriteFormulationRequest>(
      absl::StrCat("formulation { diagnosis: 'd' triggering_events: '", kSecret,
                   "' link: 'l' agreement: AGREEMENT_AGREED version: 77 }"));
  request.set_parent(CaseName());
  request.set_request_id("f1");
  const auto first = cases_.WriteFormulation(By("ada"), request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->version(), 1);
  request.set_request_id("f2");
  request.mutable_formulation()->set_agreement(v1::AGREEMENT_MODIFIED);
  EXPECT_THAT(Fields(cases_.WriteFormulation(By("ada"), request).status()),
              ElementsAre("formulation.patient_changes"));
  request.mutable_formulation()->set_patient_changes(kSecret);
  const auto second = cases_.WriteFormulation(By("bob"), request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->version(), 2);
  EXPECT_EQ(second->clinician(), Clinician("bob"));
  EXPECT_EQ(Get(By("ada"))->formulation().version(), 2);
  EXPECT_EQ(LastEvent<v1::CaseEvent>(CaseName()).formulation_version(), 2);
  EXPECT_EQ(LastEvent<v1::CaseEvent>(CaseName()).formulation_agreement(), v1::AGREEMENT_MODIFIED);

  request.set_request_id("f1");
  const auto repeated = cases_.WriteFormulation(By("ada"), request);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->version(), 1);

  v1::ListFormulationsRequest list;
  list.set_parent(CaseName());
  list.set_page_size(1);
  const auto page = cases_.ListFormulations(By("ada"), list);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->formulations(), SizeIs(1));
  EXPECT_EQ(page->formulations(0).version(), 2);
  list.set_page_token(page->next_page_token());
  const auto rest = cases_.ListFormulations(By("ada"), list);
  ASSERT_TRUE(rest.ok()) << rest.status();
  ASSERT_THAT(rest->formulations(), SizeIs(1));
  EXPECT_EQ(rest->formulations(0).version(), 1);
  EXPECT_EQ(rest->next_page_token(), "");
}

TEST_P(CaseTest, AGoalKeepsAllThatItWas) {
  const v1::Goal goal = MakeGoal(kSecret);
  EXPECT_EQ(goal.status(), v1::GOAL_STATUS_PROPOSED);
  v1::ReviseGoalRequest request = Revision(goal, "smaller");
  request.set_appointment(Appointment("a1"));
  request.set_etag("1");
  request.set_request_id("g1");
  const auto revised = cases_.ReviseGoal(By("bob"), request);
  ASSERT_TRUE(revised.ok()) << revised.status();
  EXPECT_EQ(revised->etag(), "2");
  ASSERT_THAT(revised->revisions(), SizeIs(1));
  EXPECT_EQ(revised->revisions(0).old_text(), kSecret);
  EXPECT_EQ(revised->revisions(0).clinician(), Clinician("bob"));
  EXPECT_EQ(revised->revisions(0).appointment(), Appointment("a1"));

  v1::GetGoalRequest get;
  get.set_name(goal.name());
  EXPECT_EQ(cases_.GetGoal(By("ada"), get)->SerializeAsString(), revised->SerializeAsString());
  EXPECT_EQ(cases_.ReviseGoal(By("bob"), request)->etag(), "2");
  request.set_request_id("g2");
  EXPECT_EQ(Outcome(cases_.ReviseGoal(By("ada"), request)), "ABORTED STALE_ETAG");
  request.clear_etag();
  request.mutable_goal()->set_status(v1::GOAL_STATUS_ACHIEVED);
  ASSERT_TRUE(cases_.ReviseGoal(By("ada"), request).ok());
  request.set_request_id("g3");
  EXPECT_EQ(Outcome(cases_.ReviseGoal(By("ada"), request)), "FAILED_PRECONDITION GOAL_CLOSED");
  EXPECT_EQ(LastEvent<v1::GoalEvent>(goal.name()).revisions(), 2);
  EXPECT_EQ(LastEvent<v1::GoalEvent>(goal.name()).status(), v1::GOAL_STATUS_ACHIEVED);
  EXPECT_THAT(Events(), ElementsAre(CaseName() + " v1", goal.name() + " v1", goal.name() + " v2",
                                    goal.name() + " v3"));
}

TEST_P(CaseTest, AGoalIsRevisedInASessionOfItsOwnCourse) {
  TellCourse("c2", 1, "ada");
  TellAppointment("a9", 1, now_, scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c2");
  v1::ReviseGoalRequest request = Revision(MakeGoal("g"), "h");
  for (const char* id : {"a9", "none"}) {
    request.set_appointment(Appointment(id));
    EXPECT_EQ(Outcome(cases_.ReviseGoal(By("ada"), request)), "NOT_FOUND RESOURCE_NOT_FOUND");
  }
}

TEST_P(CaseTest, GoalsAreListedOldestFirstByPages) {
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(MakeGoal(absl::StrCat("goal ", i)).name());
  v1::ListGoalsRequest list;
  list.set_parent(CaseName());
  list.set_page_size(2);
  std::set<std::string> listed;
  std::vector<int> sizes;
  do {
    const auto page = cases_.ListGoals(By("ada"), list);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->goals_size());
    for (const v1::Goal& goal : page->goals()) listed.insert(goal.name());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty() && sizes.size() < 9);
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_EQ(listed, made);
}

TEST_P(CaseTest, AnotherCasesGoalIsNotFoundHere) {
  TellCourse("c2", 1, "ada");
  const v1::Goal goal = MakeGoal("g");
  v1::GetGoalRequest get;
  get.set_name(absl::StrCat(CaseName("c2"), goal.name().substr(CaseName().size())));
  EXPECT_EQ(Outcome(cases_.GetGoal(By("ada"), get)), "NOT_FOUND RESOURCE_NOT_FOUND");
  get.set_name(goal.name());
  const absl::Status hidden = cases_.GetGoal(By("cy"), get).status();
  get.set_name(CaseName() + "/goals/none");
  EXPECT_EQ(cases_.GetGoal(By("ada"), get).status(), hidden);
}

TEST_P(CaseTest, RiskAssessmentsAreKeptAndListedNewestFirst) {
  v1::CreateRiskAssessmentRequest request;
  request.set_parent(CaseName());
  request.mutable_risk_assessment()->set_ideation(kSecret);
  request.set_request_id("k1");
  const auto first = cases_.CreateRiskAssessment(By("ada"), request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->clinician(), Clinician("ada"));
  EXPECT_EQ(cases_.CreateRiskAssessment(By("ada"), request)->name(), first->name());
  call::CallContext later = By("bob");
  later.now = now_ + absl::Hours(1);
  request.set_request_id("k2");
  const auto second = cases_.CreateRiskAssessment(later, request);
  ASSERT_TRUE(second.ok()) << second.status();

  v1::GetRiskAssessmentRequest get;
  get.set_name(first->name());
  EXPECT_EQ(cases_.GetRiskAssessment(By("bob"), get)->SerializeAsString(),
            first->SerializeAsString());
  EXPECT_EQ(Outcome(cases_.GetRiskAssessment(By("cy"), get)), "NOT_FOUND RESOURCE_NOT_FOUND");
  v1::ListRiskAssessmentsRequest list;
  list.set_parent(CaseName());
  const auto all = cases_.ListRiskAssessments(By("ada"), list);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_THAT(all->risk_assessments(), SizeIs(2));
  EXPECT_EQ(all->risk_assessments(0).name(), second->name());
}

TEST_P(CaseTest, TheCoverReadsTheNewestSafetyPlan) {
  v1::GetSafetyPlanRequest get;
  get.set_parent(CaseName());
  EXPECT_EQ(Outcome(cases_.GetSafetyPlan(By("ada"), get)), "NOT_FOUND RESOURCE_NOT_FOUND");
  v1::WriteSafetyPlanRequest request;
  request.set_parent(CaseName());
  request.mutable_safety_plan()->add_warning_signs(kSecret);
  request.set_request_id("s1");
  EXPECT_EQ(cases_.WriteSafetyPlan(By("ada"), request)->version(), 1);
  request.set_request_id("s2");
  request.mutable_safety_plan()->add_warning_signs("another");
  EXPECT_EQ(cases_.WriteSafetyPlan(By("ada"), request)->version(), 2);
  request.set_request_id("s1");
  EXPECT_EQ(cases_.WriteSafetyPlan(By("ada"), request)->version(), 1);
  const auto plan = cases_.GetSafetyPlan(By("bob"), get);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->version(), 2);
  EXPECT_THAT(plan->warning_signs(), ElementsAre(kSecret, "another"));
}

TEST_P(CaseTest, ReadsAnswerIdenticallyForWhatIsHiddenAndWhatIsAbsent) {
  v1::ListGoalsRequest goals;
  goals.set_parent(CaseName());
  const absl::Status hidden = cases_.ListGoals(By("cy"), goals).status();
  goals.set_parent(CaseName("none"));
  EXPECT_EQ(cases_.ListGoals(By("ada"), goals).status(), hidden);
  goals.set_parent("organizations/beta/cases/c1");
  EXPECT_EQ(cases_.ListGoals(By("zoe", "", "beta"), goals).status(), hidden);
}

INSTANTIATE_TEST_SUITE_P(Engines, CaseTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
