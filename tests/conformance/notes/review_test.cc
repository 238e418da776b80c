#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/rpc/entry_handlers.h"
#include "services/notes/rpc/export_handlers.h"
#include "services/notes/rpc/review_handlers.h"
#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kAnna[] = "organizations/acme/patients/p1";
constexpr char kBert[] = "organizations/acme/patients/p2";
constexpr char kPeople[] =
    "relationship { person: 'Robin Rival' kind: RELATIONSHIP_KIND_FRIEND "
    "status: RELATIONSHIP_STATUS_CURRENT closeness: 3 }";

// Ada's course c1 is Anna's; c2 is of a couple, Anna and Bert. Sue supervises Ada.
class ReviewTest : public NotesTest {
 protected:
  ReviewTest() {
    TellCourse("c2", 1, "ada", absl::StrCat("kind: COURSE_KIND_CONJOINT partner: '", kBert, "'"));
    Tell("acme", Clinician("sue"), 1, Text<scheduling::v1::ClinicianEvent>("subject: 'sue'"));
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician("sue"));
    pair.set_supervisee(Clinician("ada"));
    *pair.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
    Tell("acme", "organizations/acme/supervisions/s1", 1, pair);
  }

  v1::Entry Made(const std::string& entry, const std::string& of = "c1") {
    now_ += absl::Seconds(1);
    v1::CreateEntryRequest request;
    request.set_parent(CaseName(of));
    *request.mutable_entry() = Text<v1::Entry>(entry);
    const auto made = entries_.CreateEntry(By("ada"), request);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : v1::Entry();
  }

  // Assessment answers: one PHQ-9 of Anna, and a chart.
  void AssessmentIsUp() {
    assessment_.answers["rapport.assessment.v1.ProgressService/GetProgress"] =
        [](const google::protobuf::Message& asked, google::protobuf::Message& answer) {
          const auto& request = static_cast<const assessment::v1::GetProgressRequest&>(asked);
          if (request.patient() != kAnna) return absl::OkStatus();
          static_cast<assessment::v1::Progress&>(answer) = Text<assessment::v1::Progress>(
              "instruments { instrument: 'instruments/phq-9' direction: DIRECTION_LOWER_BETTER "
              "points { assessment: 'organizations/acme/assessments/f1' total: 17 complete: true "
              "answer_time { seconds: 1772582400 } } }");
          return absl::OkStatus();
        };
    assessment_.answers["rapport.assessment.v1.AlertService/ListAlerts"] =
        [](const google::protobuf::Message&, google::protobuf::Message&) {
          return absl::OkStatus();
        };
    assessment_.answers["rapport.assessment.v1.AssessmentService/ListAssessments"] =
        [](const google::protobuf::Message&, google::protobuf::Message& answer) {
          static_cast<assessment::v1::ListAssessmentsResponse&>(answer) =
              Text<assessment::v1::ListAssessmentsResponse>(absl::StrCat(
                  "assessments { name: 'organizations/acme/assessments/f1' patient: '", kAnna,
                  "' instrument: 'instruments/phq-9/revisions/1' "
                  "answer_time { seconds: 1772582400 } answers { item: 1 value: 2 } "
                  "score { total: 17 complete: true } }"));
          return absl::OkStatus();
        };
    assessment_.answers["rapport.assessment.v1.InstrumentService/GetInstrument"] =
        [](const google::protobuf::Message&, google::protobuf::Message& answer) {
          static_cast<assessment::v1::Instrument&>(answer) =
              Text<assessment::v1::Instrument>("display_name: 'PHQ-9' loinc { total: '44261-6' }");
          return absl::OkStatus();
        };
    assessment_.answers["rapport.assessment.v1.ProgressService/RenderProgressChart"] =
        [](const google::protobuf::Message&, google::protobuf::Message& answer) {
          static_cast<assessment::v1::RenderProgressChartResponse&>(answer).set_svg(
              "<svg id='the-chart'></svg>");
          return absl::OkStatus();
        };
  }

  absl::StatusOr<v1::SessionBrief> Brief(const std::string& by, const std::string& of = "c1",
                                         const std::string& more = "") {
    auto request = Text<v1::GetSessionBriefRequest>(more);
    request.set_name(CaseName(of));
    return reviews_.GetSessionBrief(By(by), request);
  }
  absl::StatusOr<v1::GetMoodEventTimelineResponse> Timeline(const std::string& more) {
    auto request = Text<v1::GetMoodEventTimelineRequest>(more);
    request.set_name(CaseName());
    return reviews_.GetMoodEventTimeline(By("ada", request.page_token().empty() ? "" : "x"),
                                         request);
  }
  absl::StatusOr<v1::ExportCaseResponse> Export(const std::string& by, const std::string& of = "c1",
                                                const std::string& more = "") {
    auto request = Text<v1::ExportCaseRequest>(more);
    request.set_name(CaseName(of));
    return exports_.ExportCase(By(by), request);
  }

  EntryHandlers entries_{*database_, access_, vault_};
  ReviewHandlers reviews_{*database_, access_, vault_, assessment_};
  ExportHandlers exports_{*database_, access_, vault_, assessment_};
};

TEST_P(ReviewTest, TheBriefTellsTheLeaveOfWhoIsResponsible) {
  const auto away = [&](const std::string& id, const std::string& clinician, absl::Time start,
                        absl::Time end, int64_t version = 1, bool deleted = false) {
    scheduling::v1::TimeOffEvent leave;
    leave.set_clinician(Clinician(clinician));
    *leave.mutable_start_time() = time::ToTimestamp(start);
    *leave.mutable_end_time() = time::ToTimestamp(end);
    leave.set_deleted(deleted);
    Tell("acme", absl::StrCat(Clinician(clinician), "/timeOffs/", id), version, leave);
  };
  const absl::Duration day = absl::Hours(24);
  TellAppointment("a7", 1, now_ + 8 * day, scheduling::v1::APPOINTMENT_STATE_BOOKED);
  away("later", "ada", now_ + 30 * day, now_ + 40 * day);
  away("soon", "ada", now_ + 7 * day, now_ + 10 * day);
  away("over", "ada", now_ - 7 * day, now_);
  away("gone", "ada", now_ + day, now_ + 2 * day);
  away("gone", "ada", now_ + day, now_ + 2 * day, 2, /*deleted=*/true);
  away("cover", "bob", now_ + 7 * day, now_ + 10 * day);
  const auto brief = Brief("ada");
  ASSERT_TRUE(brief.ok()) << brief.status();
  ASSERT_EQ(brief->leave_size(), 2);
  EXPECT_EQ(time::ToTime(brief->leave(0).start_time()), now_ + 7 * day);
  EXPECT_THAT(brief->leave(0).appointments(), ElementsAre(Appointment("a7")));
  EXPECT_EQ(time::ToTime(brief->leave(1).end_time()), now_ + 40 * day);
  EXPECT_THAT(brief->leave(1).appointments(), IsEmpty());
  ASSERT_EQ(brief->planning_warnings_size(), 1);
  EXPECT_EQ(brief->planning_warnings(0).kind(), v1::PLANNING_WARNING_KIND_SESSION_IN_LEAVE);
}

TEST_P(ReviewTest, ABundleComesInPagesThatMakeTheWhole) {
  AssessmentIsUp();
  Made("hope { words: 'a quiet evening' }");
  const auto whole = Export("ada");
  ASSERT_TRUE(whole.ok()) << whole.status();
  v1::ExportCaseInPagesRequest request;
  request.set_name(CaseName());
  request.set_page_size(777);
  std::string bundle;
  int pages = 0;
  v1::ExportCaseInPagesResponse page;
  do {
    const auto next = exports_.ExportCaseInPages(By("ada"), request);
    ASSERT_TRUE(next.ok()) << next.status();
    page = *next;
    EXPECT_EQ(page.offset(), static_cast<int64_t>(bundle.size()));
    EXPECT_EQ(page.total_bytes(), static_cast<int64_t>(whole->bundle().size()));
    EXPECT_EQ(page.summary().sha256(), whole->sha256());
    EXPECT_EQ(page.summary().resources(), whole->resources());
    EXPECT_TRUE(page.summary().bundle().empty());
    bundle += page.data();
    request.set_page_token(page.next_page_token());
    now_ += absl::Seconds(1);  // the pages are of one instant
    ++pages;
  } while (!page.next_page_token().empty() && pages < 1000);
  EXPECT_EQ(bundle, whole->bundle());
  EXPECT_GT(pages, 2);

  request.clear_page_token();
  EXPECT_EQ(Outcome(exports_.ExportCaseInPages(By("sue"), request)),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Outcome(exports_.ExportCaseInPages(By("cy"), request)), "NOT_FOUND RESOURCE_NOT_FOUND");
  const auto first = exports_.ExportCaseInPages(By("ada"), request);
  ASSERT_TRUE(first.ok()) << first.status();
  request.set_page_token(first->next_page_token());
  EXPECT_TRUE(absl::IsInvalidArgument(
      exports_.ExportCaseInPages(By("ada", "another query"), request).status()));
  Made("hope { words: 'a loud one' }");
  EXPECT_EQ(Outcome(exports_.ExportCaseInPages(By("ada"), request)), "ABORTED EXPORT_CHANGED");
}

TEST_P(ReviewTest, TheBriefTellsWhoTreatsOrSupervisesAndNobodyElse) {
  AssessmentIsUp();
  Made(
      "barrier { category: BARRIER_CATEGORY_ATTENDANCE text: 'night shifts' "
      "first_seen_date { year: 2026 month: 3 day: 1 } severity: ISSUE_SEVERITY_MILD }");
  for (const char* knows : {"ada", "bob", "sue"}) {
    const auto brief = Brief(knows);
    ASSERT_TRUE(brief.ok()) << knows << brief.status();
    ASSERT_GE(brief->agenda_size(), 1) << knows;
    EXPECT_EQ(brief->agenda(0).text(), "night shifts");
    EXPECT_EQ(brief->scores(0).newest(), 17);
    EXPECT_THAT(brief->unavailable_sources(), IsEmpty());
    EXPECT_EQ(brief->position(), "session 1, 15 left");
  }
  EXPECT_EQ(Outcome(Brief("cy")), "NOT_FOUND RESOURCE_NOT_FOUND");
  EXPECT_EQ(Brief("cy").status(), Brief("cy", "absent").status());
}

TEST_P(ReviewTest, WhatAssessmentWouldTellIsNamedAsMissing) {
  const auto brief = Brief("ada");
  ASSERT_TRUE(brief.ok()) << brief.status();
  EXPECT_THAT(brief->unavailable_sources(), ElementsAre("assessment"));
  EXPECT_THAT(brief->scores(), IsEmpty());
  v1::AdviseSuitabilityRequest request;
  request.set_name(CaseName());
  const auto advice = reviews_.AdviseSuitability(By("ada"), request);
  ASSERT_TRUE(advice.ok()) << advice.status();
  EXPECT_EQ(advice->advised_outcome(), v1::SUITABILITY_OUTCOME_UNSPECIFIED);
  EXPECT_THAT(advice->unavailable_sources(), ElementsAre("assessment"));
}

TEST_P(ReviewTest, ABriefIsOfASessionAndOfAPatientOfTheCase) {
  EXPECT_THAT(Fields(Brief("ada", "c1", absl::StrCat("about: '", kBert, "'")).status()),
              ElementsAre("about"));
  EXPECT_THAT(
      Fields(Brief("ada", "c1", "appointment: 'organizations/acme/appointments/zz'").status()),
      ElementsAre("appointment"));
  EXPECT_TRUE(Brief("ada", "c2", absl::StrCat("about: '", kBert, "'")).ok());
}

TEST_P(ReviewTest, TheTimelineComesInPages) {
  AssessmentIsUp();
  for (int day = 1; day <= 3; ++day) {
    Made(absl::StrCat("timeline_event { kind: TIMELINE_EVENT_KIND_LIFE_EVENT text: 'e", day,
                      "' start_date { year: 2026 month: 2 day: ", day, " } }"));
  }
  const auto first = Timeline("page_size: 2");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->points_size(), 2);
  EXPECT_EQ(first->points(1).text(), "e2");
  ASSERT_FALSE(first->next_page_token().empty());

  v1::GetMoodEventTimelineRequest next;
  next.set_name(CaseName());
  next.set_page_size(2);
  next.set_page_token(first->next_page_token());
  const auto second = reviews_.GetMoodEventTimeline(By("ada"), next);
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->points_size(), 2);
  EXPECT_EQ(second->points(0).text(), "e3");
  EXPECT_EQ(second->points(1).text(), "phq-9 17");

  const auto some = Timeline(
      "start_date { year: 2026 month: 2 day: 2 } "
      "end_date { year: 2026 month: 2 day: 2 }");
  ASSERT_TRUE(some.ok()) << some.status();
  ASSERT_EQ(some->points_size(), 1);
  EXPECT_EQ(some->points(0).text(), "e2");
}

TEST_P(ReviewTest, TheCirclesShowWhereSomeoneStoodFirst) {
  const v1::Entry made = Made(kPeople);
  now_ += absl::Hours(24 * 60);
  v1::ReviseEntryRequest revise;
  revise.set_name(made.name());
  *revise.mutable_entry() = made;
  revise.mutable_entry()->mutable_relationship()->set_closeness(1);
  revise.set_reason("they met again");
  const auto revised = entries_.ReviseEntry(By("ada"), revise);
  ASSERT_TRUE(revised.ok()) << revised.status();

  v1::GetClosenessCirclesRequest request;
  request.set_name(CaseName());
  const auto circles = reviews_.GetClosenessCircles(By("sue"), request);
  ASSERT_TRUE(circles.ok()) << circles.status();
  EXPECT_EQ(circles->first().places(0).ring(), 3);
  EXPECT_EQ(circles->last().places(0).ring(), 1);
  EXPECT_EQ(circles->changes_size(), 1);
  EXPECT_EQ(Outcome(reviews_.GetClosenessCircles(By("cy"), request)),
            "NOT_FOUND RESOURCE_NOT_FOUND");
}

TEST_P(ReviewTest, WhoTreatsExportsAndWhoSupervisesDoesNot) {
  AssessmentIsUp();
  Made(kPeople);
  const auto exported = Export("ada");
  ASSERT_TRUE(exported.ok()) << exported.status();
  EXPECT_EQ(exported->sha256(), Sha256(exported->bundle()));
  const auto bundle = nlohmann::json::parse(exported->bundle());
  EXPECT_EQ(bundle["entry"].size(), static_cast<size_t>(exported->resources()));
  EXPECT_THAT(exported->bundle(), HasSubstr("44261-6"));
  EXPECT_THAT(exported->bundle(), Not(HasSubstr("Rival")));
  const auto whole = Export("ada", "c1", "include_inventory: true");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_THAT(whole->bundle(), HasSubstr("Rival"));
  std::vector<v1::OmissionReason> reasons;
  for (const auto& omission : exported->omissions()) reasons.push_back(omission.reason());
  EXPECT_THAT(reasons, Contains(v1::OMISSION_REASON_PSYCHOTHERAPY_NOTES));
  EXPECT_THAT(reasons, Contains(v1::OMISSION_REASON_THIRD_PERSONS));

  EXPECT_EQ(Outcome(Export("sue")), "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Outcome(Export("cy")), "NOT_FOUND RESOURCE_NOT_FOUND");
}

TEST_P(ReviewTest, ACouplesExportIsOfOneOfThem) {
  AssessmentIsUp();
  EXPECT_THAT(Fields(Export("ada", "c2").status()), ElementsAre("patient"));
  Made(absl::StrCat("about: '", kBert, "' private: true pre_meeting { seen_alone: true text: '",
                    kSecret, "' }"),
       "c2");
  const auto of_anna = Export("ada", "c2", absl::StrCat("patient: '", kAnna, "'"));
  const auto of_bert = Export("ada", "c2", absl::StrCat("patient: '", kBert, "'"));
  ASSERT_TRUE(of_anna.ok() && of_bert.ok()) << of_anna.status() << of_bert.status();
  EXPECT_THAT(of_anna->bundle(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(of_bert->bundle(), HasSubstr(kSecret));
  EXPECT_THAT(of_bert->bundle(), Not(HasSubstr("44261-6")));
}

TEST_P(ReviewTest, TheSummaryBearsTheChartAndSaysWhatIsMissing) {
  v1::RenderCaseSummaryRequest request;
  request.set_name(CaseName());
  const auto without = exports_.RenderCaseSummary(By("ada"), request);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_THAT(without->unavailable_sources(), ElementsAre("assessment"));
  EXPECT_THAT(without->html(), HasSubstr("Could not be asked"));
  AssessmentIsUp();
  const auto with = exports_.RenderCaseSummary(By("ada"), request);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_THAT(with->html(), HasSubstr("<svg id='the-chart'>"));
  EXPECT_EQ(Outcome(exports_.RenderCaseSummary(By("sue"), request)),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
}

TEST_P(ReviewTest, TheBookletIsThePatients) {
  AssessmentIsUp();
  Made("relapse_plan { warning_signs { words: 'I stay in bed' } contacts: 'the clinic' }");
  v1::RenderBookletRequest request;
  request.set_name(CaseName());
  const auto booklet = exports_.RenderBooklet(By("ada"), request);
  ASSERT_TRUE(booklet.ok()) << booklet.status();
  EXPECT_THAT(booklet->html(), HasSubstr("I stay in bed"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ReviewTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
