#include "tools/rapportctl/story/player.h"

#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "tools/rapportctl/story/script.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::story {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Story S1() {
  absl::StatusOr<Story> story = LoadStory(RAPPORT_STORIES "/s1-role-dispute.textproto");
  EXPECT_TRUE(story.ok()) << story.status();
  if (!story.ok()) return Story();
  story->clear_acts();  // the suite below answers none
  return *std::move(story);
}

std::string RequestId(const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  return field == nullptr ? "" : request.GetReflection()->GetString(request, field);
}

// A suite that says yes to everything, and knows just enough to be played against.
class FakeSuite : public ctl::Caller {
 public:
  struct Made {
    ctl::Identity who;
    std::string method;  // "CreateCourse"
    std::string request_id;
    std::string request;  // in text
  };

  absl::Status Call(const ctl::Identity& who, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    const std::string name(names::Last(method));
    made.push_back({who, name, RequestId(request), request.ShortDebugString()});
    if (auto found = refusals.find(name); found != refusals.end()) {
      if (found->second.empty()) return absl::OkStatus();
      const absl::Status status = found->second.back();
      found->second.pop_back();
      if (!status.ok()) return status;
    }
    Answer(name, request, response);
    return absl::OkStatus();
  }

  std::vector<Made> Of(absl::string_view method) const {
    std::vector<Made> found;
    for (const Made& call : made) {
      if (call.method == method) found.push_back(call);
    }
    return found;
  }

  std::vector<Made> made;
  // What the next calls of a method are answered with, last first.
  std::map<std::string, std::vector<absl::Status>> refusals;
  assessment::v1::OwnerBasis basis_of_cover = assessment::v1::OWNER_BASIS_COVER;

 private:
  std::string Name(absl::string_view collection, absl::string_view id) const {
    return names::InOrganization("s1-role-dispute-t", collection, id);
  }

  void Answer(const std::string& method, const google::protobuf::Message& request,
              google::protobuf::Message& response) {
    if (method == "CreateCourse") {
      static_cast<scheduling::v1::Course&>(response).set_name(Name("courses", "c1"));
    } else if (method == "BookSeries") {
      const auto& series = static_cast<const scheduling::v1::BookSeriesRequest&>(request);
      absl::CivilDay day(series.first_date().year(), series.first_date().month(),
                         series.first_date().day());
      for (int i = 0; i < series.count(); ++i, day += 7) {
        auto& appointment =
            *static_cast<scheduling::v1::BookSeriesResponse&>(response).add_appointments();
        appointment.set_name(Name("appointments", absl::StrCat("a", i + 1)));
        appointment.mutable_local_date()->set_year(static_cast<int>(day.year()));
        appointment.mutable_local_date()->set_month(day.month());
        appointment.mutable_local_date()->set_day(day.day());
        *appointment.mutable_local_time() = series.local_time();
        appointments_.insert(appointment.name());
      }
    } else if (method == "BookAppointment") {
      auto& appointment = static_cast<scheduling::v1::Appointment&>(response);
      appointment.set_name(Name("appointments", "rebooked"));
      appointments_.insert(appointment.name());
    } else if (method == "ListDueMeasures") {
      for (const std::string& appointment : appointments_) {
        for (const char* instrument : {"phq-9", "gad-7"}) {
          auto& due =
              *static_cast<assessment::v1::ListDueMeasuresResponse&>(response).add_due_measures();
          due.set_appointment(appointment);
          due.set_instrument(instrument);
        }
      }
    } else if (method == "RecordAssessment") {
      const auto& form = static_cast<const assessment::v1::RecordAssessmentRequest&>(request);
      auto& recorded = static_cast<assessment::v1::RecordAssessmentResponse&>(response);
      recorded.mutable_assessment()->set_name(
          Name("assessments", absl::StrCat("f", ++assessments_)));
      int total = 0;
      for (const auto& answer : form.assessment().answers()) total += answer.value();
      recorded.mutable_assessment()->mutable_score()->set_total(total);
      const bool critical =
          form.assessment().answers_size() == 9 && form.assessment().answers(8).value() > 0;
      if (!critical) return;
      recorded.mutable_assessment()->mutable_score()->add_critical_items(9);
      recorded.set_respondent_guidance(assessment::v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
      const bool covered = alerts_.empty();  // the first falls into the leave
      AddAlert(recorded.assessment().name(), covered ? "mara" : "jonas",
               covered ? basis_of_cover : assessment::v1::OWNER_BASIS_RESPONSIBLE,
               covered ? assessment::v1::ALERT_SEVERITY_SAME_DAY
                       : assessment::v1::ALERT_SEVERITY_THIS_CONTACT);
    } else if (method == "MarkNoShow") {
      AddAlert(static_cast<const scheduling::v1::MarkNoShowRequest&>(request).name(), "jonas",
               assessment::v1::OWNER_BASIS_RESPONSIBLE, assessment::v1::ALERT_SEVERITY_SAME_DAY);
    } else if (method == "ListAlerts") {
      for (const auto& alert : alerts_) {
        *static_cast<assessment::v1::ListAlertsResponse&>(response).add_alerts() = alert;
      }
    } else if (method == "CreateRiskAssessment") {
      static_cast<notes::v1::RiskAssessment&>(response).set_name(
          absl::StrCat(Name("cases", "c1"), "/riskAssessments/r", ++risk_assessments_));
    } else if (method == "CreateGoal") {
      auto& goal = static_cast<notes::v1::Goal&>(response);
      goal = static_cast<const notes::v1::CreateGoalRequest&>(request).goal();
      goal.set_name(absl::StrCat(Name("cases", "c1"), "/goals/g", ++goals_));
    } else if (method == "ReviseGoal") {
      static_cast<notes::v1::Goal&>(response) =
          static_cast<const notes::v1::ReviseGoalRequest&>(request).goal();
    } else if (method == "CompleteAppointment") {
      auto& due = *due_notes_.add_due_notes();
      due.set_appointment(
          static_cast<const scheduling::v1::CompleteAppointmentRequest&>(request).name());
    } else if (method == "ListDueNotes") {
      response.CopyFrom(due_notes_);
    } else if (method == "StartNote") {
      static_cast<notes::v1::Note&>(response).set_name(
          absl::StrCat(Name("cases", "c1"), "/notes/n", ++notes_));
    } else if (method == "SaveDraft") {
      const auto& draft = static_cast<const notes::v1::SaveDraftRequest&>(request);
      static_cast<notes::v1::Note&>(response).set_name(draft.name());
      static_cast<notes::v1::Note&>(response).set_draft_sequence(draft.sequence());
    }
  }

  void AddAlert(const std::string& source, absl::string_view owner,
                assessment::v1::OwnerBasis basis, assessment::v1::AlertSeverity severity) {
    assessment::v1::Alert& alert = alerts_.emplace_back();
    alert.set_name(Name("alerts", absl::StrCat("w", alerts_.size())));
    alert.set_source(source);
    alert.set_owner(Name("clinicians", owner));
    alert.set_owner_basis(basis);
    alert.set_severity(severity);
  }

  std::set<std::string> appointments_;
  std::vector<assessment::v1::Alert> alerts_;
  notes::v1::ListDueNotesResponse due_notes_;
  int assessments_ = 0;
  int risk_assessments_ = 0;
  int goals_ = 0;
  int notes_ = 0;
};

class PlayerTest : public ::testing::Test {
 protected:
  absl::StatusOr<Outcome> Play(const Story& story, FakeSuite& suite) {
    PlayerOptions options;
    options.suffix = "t";
    options.poll_interval = absl::ZeroDuration();
    options.patience = patience_;
    options.tell = [this](absl::string_view line) { told_.emplace_back(line); };
    options.between_steps = [this](int step, absl::string_view what) {
      EXPECT_EQ(step, static_cast<int>(steps_.size()) + 1);
      steps_.emplace_back(what);
    };
    Player player(
        suite,
        [this](absl::Time instant) {
          clock_.push_back(instant);
          return absl::OkStatus();
        },
        options);
    return player.Play(story);
  }

  absl::Duration patience_ = absl::InfiniteDuration();
  std::vector<std::string> told_;
  std::vector<std::string> steps_;
  std::vector<absl::Time> clock_;
};

TEST_F(PlayerTest, PlaysS1ToItsEnd) {
  FakeSuite suite;
  const auto outcome = Play(S1(), suite);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->course, "organizations/s1-role-dispute-t/courses/c1");
  EXPECT_EQ(outcome->case_file, "organizations/s1-role-dispute-t/cases/c1");
  EXPECT_EQ(outcome->therapist.subject, "jonas@s1-role-dispute-t");
  EXPECT_THAT(outcome->differences, IsEmpty());
  EXPECT_EQ(outcome->steps, static_cast<int>(steps_.size()));
  EXPECT_TRUE(outcome->after_session.count(6));
  EXPECT_EQ(suite.Of("RecordAssessment").size(), 21u);
  EXPECT_EQ(suite.Of("CompleteAppointment").size(), 16u);
  EXPECT_EQ(suite.Of("SignNote").size(), 16u);
  EXPECT_EQ(suite.Of("AcknowledgeAlert").size(), 4u);
  EXPECT_EQ(suite.Of("ResolveAlert").size(), 4u);
  EXPECT_EQ(suite.made.back().method, "CompleteCourse");
}

TEST_F(PlayerTest, TellsOneLineForEachAppointment) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  ASSERT_EQ(told_.size(), 17u);
  EXPECT_EQ(told_[0],
            "Mon 16 Feb 2026 17:00 GMT  session 1 of 16: PHQ-9 17 · GAD-7 12 · held, note signed");
  EXPECT_EQ(told_[6], "Mon 30 Mar 2026 17:00 BST  missed");
}

TEST_F(PlayerTest, TheClockOnlyMovesForward) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  for (size_t i = 1; i < clock_.size(); ++i) EXPECT_LT(clock_[i - 1], clock_[i]);
  EXPECT_EQ(absl::FormatTime(clock_.front(), absl::UTCTimeZone()), "2026-02-02T09:00:00+00:00");
}

TEST_F(PlayerTest, EveryChangeBearsARequestIdThatARepeatBearsToo) {
  FakeSuite first;
  FakeSuite second;
  ASSERT_TRUE(Play(S1(), first).ok());
  steps_.clear();
  ASSERT_TRUE(Play(S1(), second).ok());
  std::set<std::string> ids;
  ASSERT_EQ(first.made.size(), second.made.size());
  for (size_t i = 0; i < first.made.size(); ++i) {
    const FakeSuite::Made& call = first.made[i];
    EXPECT_EQ(call.request, second.made[i].request);
    const bool reads = absl::StartsWith(call.method, "Get") ||
                       absl::StartsWith(call.method, "List") || call.method == "SaveDraft";
    EXPECT_EQ(call.request_id.empty(), reads) << call.method;
    if (!reads) {
      EXPECT_TRUE(ids.insert(call.request_id).second) << call.request_id;
    }
  }
  EXPECT_EQ(*ids.begin(), "s1-role-dispute-t-1");
}

TEST_F(PlayerTest, ItIsSaidBeforeItIsDone) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  const auto step = [this](absl::string_view what) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i] == what) return static_cast<int>(i);
    }
    ADD_FAILURE() << "no step '" << what << "'";
    return -1;
  };
  EXPECT_LT(step("session 2: suitability is determined"), step("session 2: held"));
  EXPECT_LT(step("session 2: held"), step("session 2: the course is activated"));
  EXPECT_LT(step("session 2: the course is activated"), step("session 3: checked in"));
  EXPECT_LT(step("mara covers for jonas"), step("session 6: phq-9: mara covers"));
  EXPECT_LT(step("session 6: phq-9: mara covers"), step("session 6: phq-9 filled in"));
  EXPECT_LT(step("session 6: phq-9 filled in"), step("session 6: phq-9: the alert reaches mara"));
  EXPECT_LT(step("session 6: phq-9: the alert is resolved"), step("session 6: checked in"));
  EXPECT_LT(step("appointment of 2026-03-30 17:00: missed"),
            step("book the appointment of 2026-04-02 17:00"));
  EXPECT_LT(step("session 8: goal 'tom' is revised"), step("session 8: the note is signed"));
  EXPECT_LT(step("session 13: the ending is announced"), step("the course is completed"));
}

TEST_F(PlayerTest, EachActsUnderTheirOwnName) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  EXPECT_THAT(suite.Of("CreateOrganization")[0].who.roles, ElementsAre("platform_operator"));
  EXPECT_EQ(suite.Of("CreateOrganization")[0].who.organization_id, "");
  EXPECT_THAT(suite.Of("CreateCover")[0].who.roles, ElementsAre("organization_admin"));
  EXPECT_THAT(suite.Of("RecordAssessment")[0].who.roles, ElementsAre("integration"));
  EXPECT_EQ(suite.Of("AcknowledgeAlert")[0].who.subject, "mara@s1-role-dispute-t");
  EXPECT_EQ(suite.Of("CreateRiskAssessment")[0].who.subject, "mara@s1-role-dispute-t");
  EXPECT_EQ(suite.Of("AcknowledgeAlert")[1].who.subject, "jonas@s1-role-dispute-t");
  EXPECT_THAT(suite.Of("SignNote")[0].who.roles, ElementsAre("therapist"));
}

TEST_F(PlayerTest, ARevisedGoalKeepsWhatTheStoryLeavesOut) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  const std::string last = suite.Of("ReviseGoal").back().request;
  EXPECT_THAT(last, HasSubstr("Tom and I settle each Sunday"));
  EXPECT_THAT(last, HasSubstr("GOAL_STATUS_ACHIEVED"));
  EXPECT_THAT(last, HasSubstr("progress_percent: 100"));
}

TEST_F(PlayerTest, AResolutionNamesItsEvidence) {
  FakeSuite suite;
  ASSERT_TRUE(Play(S1(), suite).ok());
  const std::string first = suite.Of("ResolveAlert").front().request;
  EXPECT_THAT(first, HasSubstr("/cases/c1/riskAssessments/r1"));
  EXPECT_THAT(first, HasSubstr("next_check_date { year: 2026 month: 3 day: 23 }"));
  EXPECT_THAT(first, HasSubstr("contact_times { seconds: 1774135860 }"));  // Saturday 23:31
}

TEST_F(PlayerTest, AWaitAsksAgainUntilItIsThere) {
  FakeSuite suite;
  suite.refusals["GetCase"] = {absl::OkStatus(), errors::NotFound("Case"),
                               errors::NotFound("Case")};
  ASSERT_TRUE(Play(S1(), suite).ok());
  EXPECT_EQ(suite.Of("GetCase").size(), 4u);  // twice in vain, once for each clinician
}

TEST_F(PlayerTest, AWaitThatEndsInVainSaysWhatItWaitedFor) {
  patience_ = absl::ZeroDuration();
  FakeSuite suite;
  suite.refusals["GetCase"] = {errors::NotFound("Case")};
  const auto outcome = Play(S1(), suite);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("the case file reaches jonas"));
}

TEST_F(PlayerTest, AnErrorNamesItsStepAndKeepsItsReason) {
  FakeSuite suite;
  suite.refusals["BookSeries"] = {
      errors::FailedPrecondition("OUTSIDE_HOURS", "Not within the weekly hours.")};
  const auto outcome = Play(S1(), suite);
  EXPECT_EQ(errors::Reason(outcome.status()), "OUTSIDE_HOURS");
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("(book the series of 16)"));
  EXPECT_EQ(suite.made.back().method, "BookSeries");
}

TEST_F(PlayerTest, AnAlertThatIsOwnedForAnotherReasonIsADifference) {
  FakeSuite suite;
  suite.basis_of_cover = assessment::v1::OWNER_BASIS_CLINIC_DUTY;
  const auto outcome = Play(S1(), suite);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(outcome->differences,
              ElementsAre("session 6: phq-9: the alert is owned as OWNER_BASIS_CLINIC_DUTY, not "
                          "OWNER_BASIS_COVER"));
}

TEST_F(PlayerTest, NothingIsCalledForAStoryThatDoesNotFitTogether) {
  Story story = S1();
  story.mutable_sessions(5)->mutable_forms(0)->mutable_alert()->set_resolved("2026-03-21 23:12");
  FakeSuite suite;
  const auto outcome = Play(story, suite);
  EXPECT_EQ(errors::FieldViolations(outcome.status()).at(0).field, "sessions[5].forms[0].alert");
  EXPECT_THAT(suite.made, IsEmpty());
}

TEST(ScriptTest, StepsAreInOrderOfTime) {
  const Story story = S1();
  const auto script = BuildScript(story);
  ASSERT_TRUE(script.ok()) << script.status();
  for (size_t i = 1; i < script->steps.size(); ++i) {
    EXPECT_LE(script->steps[i - 1].at, script->steps[i].at) << script->steps[i].what;
  }
  for (const Step& step : script->steps) EXPECT_NE(step.call == nullptr, step.wait == nullptr);
}

TEST(FileClockTest, ReplacesTheInstant) {
  const std::string path = ::testing::TempDir() + "/story_clock";
  const ClockWriter clock = FileClock(path);
  ASSERT_TRUE(clock(absl::FromUnixSeconds(0)).ok());
  ASSERT_TRUE(clock(absl::FromUnixSeconds(1774135860)).ok());
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "2026-03-21T23:31:00+00:00\n");
  std::remove(path.c_str());
}

TEST(FileClockTest, SaysSoWhereItCanNotBeWritten) {
  EXPECT_FALSE(FileClock("/no/such/folder/clock")(absl::Now()).ok());
}

}  // namespace
}  // namespace rapport::story
